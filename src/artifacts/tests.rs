//! One node of each type, as artifacts show it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeZone;
use serde_json::{Map, Value as Json, json};

use super::*;
use crate::diag::{Diagnostics, SourceFile, Span};
use crate::manifest::{DocBlock, Group, MacroInfo, Manifest, resolve};
use crate::node::*;
use crate::project::yaml::Yaml;
use crate::run::{RunResult, Status, UnitResult};

fn node(resource_type: ResourceType, name: &str, path: &str, code: &str, kind: NodeKind) -> Node {
    let file = SourceFile::new(path, code);
    let mut config = Config::default();
    config.set_default("enabled", json!(true));
    Node {
        unique_id: format!("{resource_type}.shop.{name}"),
        name: name.into(),
        resource_type,
        package: "shop".into(),
        path: path.split_once('/').map_or(path, |(_, path)| path).into(),
        original_path: path.into(),
        fqn: vec!["shop".into(), name.into()],
        config,
        description: String::new(),
        columns: Vec::new(),
        raw_code: code.into(),
        code_start: 0,
        patch: None,
        relation: None,
        refs: Vec::new(),
        sources: Vec::new(),
        depends_on: Vec::new(),
        depends_on_macros: Vec::new(),
        unrendered_config: Map::new(),
        kind,
        file,
    }
}

fn reference(name: &str) -> RefCall {
    RefCall { package: None, name: name.into(), version: None, span: None }
}

fn properties() -> Arc<SourceFile> {
    SourceFile::new("models/schema.yml", "version: 2\n")
}

fn stored(mut node: Node) -> Node {
    node.relation = Some(Relation::new("c360", "main", &node.name));
    node
}

fn model() -> Node {
    let kind = NodeKind::Model(ModelParts::default());
    let mut model = stored(node(ResourceType::Model, "orders", "models/orders.sql", "\nselect 1 as id\n", kind));
    for (key, value) in [
        ("materialized", json!("table")),
        ("tags", json!("nightly")),
        ("meta", json!({"owner": "sales"})),
        ("pre-hook", json!("select 1")),
        ("contract", json!({"enforced": true})),
        ("group", json!("sales")),
        ("publish", json!({"to": "bi"})),
    ] {
        model.config.set(key, value, None);
    }
    model.description = "Orders.".into();
    model.patch = Some(Span::start_of(&properties()));
    model.refs = vec![reference("raw_orders")];
    model.sources = vec![SourceCall { source: "lake".into(), table: "clicks".into(), span: None }];
    model.depends_on_macros = vec!["macro.shop.cents".into()];
    let not_null = Constraint { kind: "not_null".into(), name: None, expression: None, columns: Vec::new() };
    model.columns = vec![Column {
        name: "id".into(),
        description: "The key.".into(),
        data_type: Some("bigint".into()),
        meta: Map::new(),
        tags: vec!["key".into()],
        quote: None,
        constraints: vec![not_null],
        span: Span::start_of(&properties()),
    }];
    model
}

fn generic_test(name: &str) -> Node {
    let test = GenericTest {
        name: name.into(),
        namespace: None,
        kwargs: Map::from_iter([
            ("column_name".to_string(), json!("id")),
            ("model".to_string(), json!("{{ get_where_subquery(ref('orders')) }}")),
        ]),
        column_name: Some("id".into()),
        attached_node: "model.shop.orders".into(),
        file_key_name: "models.orders".into(),
    };
    let code = format!("{{{{ test_{name}(**_dbt_generic_test_kwargs) }}}}");
    let kind = NodeKind::Test(Some(Box::new(test)));
    let mut test = node(ResourceType::Test, &format!("{name}_orders_id"), "models/schema.yml", &code, kind);
    test.unique_id += ".0123456789";
    test.patch = Some(Span::start_of(&properties()));
    test.refs = vec![reference("orders")];
    test
}

fn source() -> Node {
    let settings = json!({"location": "lake/*.json", "file_format": "json", "bad_records": "quarantine"});
    let table = SourceTable {
        source_name: "lake".into(),
        source_description: "Files.".into(),
        identifier: "clicks".into(),
        loader: String::new(),
        loaded_at_field: Some("at".into()),
        loaded_at_query: None,
        freshness: Some(Freshness {
            warn_after: Some(FreshnessThreshold { count: 12, period: "hour".into() }),
            ..Freshness::default()
        }),
        external: Some(External {
            location: "lake/*.json".into(),
            span: Span::start_of(&properties()),
            settings: settings.as_object().cloned().unwrap_or_default(),
        }),
        source_meta: Map::new(),
    };
    let kind = NodeKind::Source(Box::new(table));
    let mut source = node(ResourceType::Source, "clicks", "models/schema.yml", "", kind);
    source.unique_id = "source.shop.lake.clicks".into();
    source.relation = Some(Relation::new("c360", "lake", "clicks"));
    source
}

fn others() -> Vec<Node> {
    let mut snapshot =
        stored(node(ResourceType::Snapshot, "orders_history", "snapshots/h.sql", "select 1", NodeKind::Snapshot));
    for (key, value) in [
        ("strategy", json!("check")),
        ("check_cols", json!("all")),
        ("unique_key", json!("id")),
        ("snapshot_meta_column_names", json!({"dbt_valid_to": "until"})),
    ] {
        snapshot.config.set(key, value, None);
    }
    snapshot.refs = vec![reference("orders")];
    let exposure = json!({"type": "dashboard", "owner": {"name": "Sales", "email": "sales@example.com"}, "url": "https://example.com"});
    let mut exposure =
        node(ResourceType::Exposure, "board", "models/schema.yml", "", NodeKind::Exposure(Box::new(exposure)));
    exposure.refs = vec![reference("orders")];
    let unit = UnitTest {
        model: "orders".into(),
        given: vec![json!({"input": "ref('raw_orders')", "rows": [{"id": 1}]})],
        expect: json!({"rows": "id\n1\n", "format": "csv"}),
        overrides: json!({"vars": {"day": "2024-01-01"}}),
        version: None,
    };
    let mut unit = node(ResourceType::UnitTest, "one_row", "models/schema.yml", "", NodeKind::UnitTest(Box::new(unit)));
    unit.unique_id = "unit_test.shop.orders.one_row".into();
    unit.refs = vec![reference("orders")];
    let mut singular =
        node(ResourceType::Test, "no_orphans", "tests/no_orphans.sql", "select 1 where false", NodeKind::Test(None));
    singular.refs = vec![reference("orders")];
    singular.config.set("store_failures", json!(true), None);
    singular.relation = Some(Relation::new("c360", "main_dbt_test__audit", "no_orphans"));
    let mut hook =
        node(ResourceType::Operation, "shop-on-run-end-0", "dbt_project.yml", "select 1", NodeKind::Operation);
    hook.config.set("index", json!(0), None);
    let analysis = node(ResourceType::Analysis, "why", "analyses/why.sql", "select 1", NodeKind::Analysis);
    let mut off =
        node(ResourceType::Model, "off", "models/off.sql", "select 1", NodeKind::Model(ModelParts::default()));
    off.config.set("enabled", json!(false), None);
    let mut off_source = source();
    off_source.name = "views".into();
    off_source.unique_id = "source.shop.lake.views".into();
    off_source.config.set("enabled", json!(false), None);
    vec![snapshot, exposure, unit, singular, hook, analysis, off, off_source]
}

fn project() -> Manifest {
    let seed = stored(node(ResourceType::Seed, "raw_orders", "seeds/raw_orders.csv", "", NodeKind::Seed));
    let mut nodes = vec![model(), generic_test("unique"), generic_test("not_null"), source(), seed];
    nodes.extend(others());
    let mut found = Diagnostics::default();
    let selectors = SourceFile::new("selectors.yml", "- name: nightly\n  definition: tag:nightly\n");
    let manifest = Manifest {
        project_name: "shop".into(),
        nodes,
        macros: vec![MacroInfo {
            unique_id: "macro.shop.cents".into(),
            name: "cents".into(),
            package: "shop".into(),
            original_path: "macros/cents.sql".into(),
            macro_sql: "{% macro cents(x) %}{{ x }} / 100{% endmacro %}".into(),
            description: "Cents.".into(),
            meta: Map::new(),
            arguments: vec![json!({"name": "x", "type": "number"}), json!("y")],
            depends_on: Vec::new(),
        }],
        docs: vec![DocBlock {
            unique_id: "doc.shop.key".into(),
            name: "key".into(),
            package: "shop".into(),
            original_path: "models/docs.md".into(),
            contents: "The key.".into(),
        }],
        groups: vec![Group {
            name: "sales".into(),
            package: "shop".into(),
            original_path: "models/schema.yml".into(),
            owner: json!({"name": "Sales"}),
            span: Span::start_of(&properties()),
        }],
        selectors: Yaml::parse(&selectors, &mut found),
        ..Manifest::default()
    };
    let manifest = resolve(manifest, &mut found);
    assert!(!found.has_errors(), "{found:?}");
    manifest
}

fn made(second: u32) -> Made {
    let at = |second| chrono::Utc.with_ymd_and_hms(2024, 1, 2, 3, 4, second).single().expect("a time");
    Made { at: at(second), started_at: at(0), invocation_id: "1b3d".into(), env: Default::default() }
}

fn manifest_text(second: u32) -> String {
    let compiled = HashMap::from([(
        "model.shop.orders".to_string(),
        Compiled {
            code: "select 1 as id".into(),
            path: Some("target/c360/compiled/shop/models/orders.sql".into()),
            ctes: vec![],
        },
    )]);
    let seed_checksums = HashMap::from([("seed.shop.raw_orders".to_string(), "ab".repeat(32))]);
    let meta = ManifestMeta {
        made: made(second),
        database: "c360",
        schema: "main",
        compiled: &compiled,
        seed_checksums: &seed_checksums,
    };
    serde_json::to_string(&super::manifest(&project(), &meta)).expect("JSON")
}

fn manifest_json() -> Json {
    serde_json::from_str(&manifest_text(5)).expect("JSON")
}

#[test]
fn every_type_stands_in_its_section() {
    let manifest = manifest_json();
    let ids =
        |section: &str| -> Vec<String> { manifest[section].as_object().expect("a section").keys().cloned().collect() };
    assert_eq!(
        ids("nodes"),
        [
            "analysis.shop.why",
            "model.shop.orders",
            "operation.shop.shop-on-run-end-0",
            "seed.shop.raw_orders",
            "snapshot.shop.orders_history",
            "test.shop.no_orphans",
            "test.shop.not_null_orders_id.0123456789",
            "test.shop.unique_orders_id.0123456789"
        ]
    );
    assert_eq!(ids("sources"), ["source.shop.lake.clicks"]);
    assert_eq!(ids("exposures"), ["exposure.shop.board"]);
    assert_eq!(ids("unit_tests"), ["unit_test.shop.orders.one_row"]);
    assert_eq!(ids("disabled"), ["model.shop.off", "source.shop.lake.views"]);
    assert_eq!(ids("macros"), ["macro.shop.cents"]);
    assert_eq!(ids("docs"), ["doc.shop.key"]);
    assert_eq!(ids("groups"), ["group.shop.sales"]);
    assert_eq!(manifest["selectors"], json!({"nightly": {"name": "nightly", "definition": "tag:nightly"}}));
    assert_eq!(manifest["metadata"]["project_id"], "fb54f3c5992b96d001bb16e8e92d968d");
}

#[test]
fn edges_are_told_from_both_ends() {
    let manifest = manifest_json();
    assert_eq!(manifest["parent_map"]["model.shop.orders"], json!(["seed.shop.raw_orders", "source.shop.lake.clicks"]));
    assert_eq!(
        manifest["child_map"]["model.shop.orders"],
        json!([
            "exposure.shop.board",
            "snapshot.shop.orders_history",
            "test.shop.no_orphans",
            "test.shop.not_null_orders_id.0123456789",
            "test.shop.unique_orders_id.0123456789",
            "unit_test.shop.orders.one_row"
        ])
    );
    assert_eq!(manifest["parent_map"]["source.shop.lake.clicks"], json!([]));
    assert_eq!(manifest["group_map"], json!({"sales": ["model.shop.orders"]}));
}

#[test]
fn a_model_tells_everything() {
    let manifest = manifest_json();
    let model = &manifest["nodes"]["model.shop.orders"];
    for (key, expected) in [
        ("database", json!("c360")),
        ("schema", json!("main")),
        ("alias", json!("orders")),
        ("relation_name", json!("\"c360\".\"main\".\"orders\"")),
        ("patch_path", json!("shop://models/schema.yml")),
        ("refs", json!([{"name": "raw_orders", "package": null, "version": null}])),
        ("sources", json!([["lake", "clicks"]])),
        (
            "depends_on",
            json!({
                "macros": ["macro.shop.cents"], "nodes": ["seed.shop.raw_orders", "source.shop.lake.clicks"]
            }),
        ),
        ("compiled", json!(true)),
        ("compiled_code", json!("select 1 as id")),
        ("primary_key", json!(["id"])),
        ("access", json!("protected")),
        ("group", json!("sales")),
        ("tags", json!(["nightly"])),
        ("contract", json!({"enforced": true, "alias_types": true, "checksum": null})),
        (
            "checksum",
            json!({
                "name": "sha256", "checksum": "3ea0f972fa1b56aa2dc2f56ee784b6a5796312f9a813d59ae70fd8855f10d16d"
            }),
        ),
    ] {
        assert_eq!(model[key], expected, "{key}");
    }
    let config = &model["config"];
    assert_eq!(config["materialized"], "table");
    assert_eq!(config["pre-hook"], json!([{"sql": "select 1", "transaction": true, "index": null}]));
    assert_eq!(config["on_schema_change"], "ignore");
    assert_eq!(config["contract"], json!({"enforced": true, "alias_types": true}));
    assert_eq!(config["publish"], json!({"to": "bi"}));
    assert_eq!(config["meta"], json!({"owner": "sales"}));
    assert!(config.get("pre_hook").is_none());
    assert_eq!(model["columns"]["id"]["data_type"], "bigint");
    assert_eq!(model["columns"]["id"]["constraints"][0]["type"], "not_null");
}

#[test]
fn tests_and_seeds_have_keys_of_their_own() {
    let manifest = manifest_json();
    let test = &manifest["nodes"]["test.shop.unique_orders_id.0123456789"];
    assert_eq!(test["column_name"], "id");
    assert_eq!(test["attached_node"], "model.shop.orders");
    assert_eq!(test["test_metadata"]["kwargs"]["column_name"], "id");
    assert_eq!(test["schema"], "main_dbt_test__audit");
    assert_eq!(test["relation_name"], Json::Null);
    assert_eq!(test["checksum"], json!({"name": "none", "checksum": ""}));
    assert_eq!(test["config"]["severity"], "ERROR");
    let singular = &manifest["nodes"]["test.shop.no_orphans"];
    assert_eq!(singular["relation_name"], json!("\"c360\".\"main_dbt_test__audit\".\"no_orphans\""));
    assert!(singular.get("test_metadata").is_none());
    let seed = &manifest["nodes"]["seed.shop.raw_orders"];
    assert!(seed.get("refs").is_none() && seed.get("compiled").is_none());
    assert_eq!(seed["checksum"]["checksum"], "ab".repeat(32));
    let source = &manifest["sources"]["source.shop.lake.clicks"];
    assert_eq!(source["external"]["bad_records"], "quarantine");
    assert_eq!(source["freshness"]["warn_after"], json!({"count": 12, "period": "hour"}));
    let unit = &manifest["unit_tests"]["unit_test.shop.orders.one_row"];
    assert_eq!(unit["given"][0]["format"], "dict");
    assert_eq!(unit["overrides"], json!({"macros": {}, "vars": {"day": "2024-01-01"}, "env_vars": {}}));
}

#[test]
fn the_same_project_gives_the_same_bytes() {
    assert_eq!(manifest_text(5), manifest_text(5));
    let (first, second) = (manifest_text(5), manifest_text(6));
    assert_ne!(first, second);
    assert_eq!(first, second.replace("03:04:06", "03:04:05"));
}

fn result(unique_id: &str, status: Status) -> UnitResult {
    UnitResult {
        unique_id: unique_id.into(),
        status,
        message: None,
        failures: None,
        rows: None,
        bytes: None,
        peak_memory: None,
        spilled: None,
        started_at: made(1).at,
        compile_time: Duration::from_millis(250),
        execute_time: Duration::from_millis(500),
        diagnostics: Vec::new(),
        compiled_code: None,
        relation_name: None,
        response: Map::new(),
    }
}

fn run() -> RunResult {
    RunResult {
        results: vec![
            UnitResult {
                message: Some("OK".into()),
                rows: Some(3),
                bytes: Some(512),
                peak_memory: Some(4096),
                spilled: Some(0),
                compiled_code: Some("select 1 as id".into()),
                relation_name: Some("\"c360\".\"main\".\"orders\"".into()),
                response: Map::from_iter([("publish".to_string(), json!({"bi.orders": 3}))]),
                ..result("model.shop.orders", Status::Success)
            },
            UnitResult { failures: Some(0), ..result("test.shop.no_orphans", Status::Pass) },
            UnitResult {
                message: Some("because x failed".into()),
                ..result("snapshot.shop.orders_history", Status::Skipped)
            },
        ],
        quarantined: Vec::new(),
        published: Vec::new(),
        elapsed: Duration::from_millis(1500),
        interrupted: false,
        args: Map::from_iter([("which".to_string(), json!("build"))]),
        invocation_id: "1b3d".into(),
    }
}

#[test]
fn run_results_are_dbts() {
    let (run, meta) = (run(), made(5));
    let value = serde_json::to_value(run_results(&run, &meta)).expect("JSON");
    assert_eq!(
        value["metadata"],
        json!({
            "dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json", "dbt_version": "1.11.0",
            "generated_at": "2024-01-02T03:04:05.000000Z", "invocation_id": "1b3d",
            "invocation_started_at": "2024-01-02T03:04:00.000000Z", "env": {},
        })
    );
    assert_eq!(
        value["results"][0],
        json!({
            "status": "success",
            "timing": [
                {"name": "compile", "started_at": "2024-01-02T03:04:01.000000Z", "completed_at": "2024-01-02T03:04:01.250000Z"},
                {"name": "execute", "started_at": "2024-01-02T03:04:01.250000Z", "completed_at": "2024-01-02T03:04:01.750000Z"},
            ],
            "thread_id": "Thread-1", "execution_time": 0.75,
            "adapter_response": {
                "_message": "OK", "code": "OK", "rows_affected": 3, "rows": 3, "bytes": 512, "peak_memory": 4096,
                "spilled": 0, "publish": {"bi.orders": 3},
            },
            "message": "OK", "failures": null, "unique_id": "model.shop.orders", "compiled": true,
            "compiled_code": "select 1 as id", "relation_name": "\"c360\".\"main\".\"orders\"", "batch_results": null,
        })
    );
    assert_eq!(value["results"][1]["failures"], 0);
    assert_eq!(value["results"][2]["timing"], json!([]));
    assert_eq!(value["elapsed_time"], 1.5);
    assert_eq!(value["args"], json!({"which": "build"}));
}

#[test]
fn an_artifact_is_replaced_in_one_step() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("target/run_results.json");
    let (run, meta) = (run(), made(5));
    write(&path, &run_results(&run, &meta)).expect("written");
    write(&path, &json!({"a": 1})).expect("replaced");
    assert_eq!(std::fs::read_to_string(&path).expect("there"), "{\"a\":1}");
    assert_eq!(
        std::fs::read_dir(path.parent().expect("a folder")).expect("there").count(),
        1,
        "nothing is left behind"
    );
    let error = write(&path.join("below/a/file.json"), &json!({})).expect_err("a file is no folder");
    assert_eq!(error.code.id, "C5006");
    assert!(error.message.contains("file.json"), "{}", error.message);
}
