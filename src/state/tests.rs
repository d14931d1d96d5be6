use serde_json::{Value as Json, json};

use super::{Change, Comparison, PreviousManifest, seed_checksum};
use crate::manifest::{MacroInfo, Manifest};
use crate::node::{Column, Constraint, External, Node, NodeKind, Relation, ResourceType};
use crate::select::testing::{Build, generic_test, manifest, model, node, place, source, unit_test};

/// What an artifact would say of `node`, as far as it is compared.
fn entry(node: &Node) -> Json {
    let columns: serde_json::Map<String, Json> = node
        .columns
        .iter()
        .map(|column| {
            let constraints: Vec<Json> = column
                .constraints
                .iter()
                .map(|constraint| json!({"type": constraint.kind, "name": null, "expression": null}))
                .collect();
            let value = json!({"name": column.name, "description": column.description,
                "data_type": column.data_type, "constraints": constraints});
            (column.name.clone(), value)
        })
        .collect();
    let mut entry = json!({
        "resource_type": node.resource_type.as_str(),
        "fqn": node.fqn,
        "original_file_path": node.original_path,
        "raw_code": node.raw_code,
        "checksum": {"name": "sha256", "checksum": seed_checksum(b"id\n1")},
        "config": node.config.to_json(),
        "unrendered_config": node.unrendered_config,
        "description": node.description,
        "columns": columns,
        "depends_on": {"nodes": node.depends_on, "macros": node.depends_on_macros},
        "access": node.config.str("access").unwrap_or("protected"),
    });
    match &node.kind {
        NodeKind::Source(source) => {
            entry["identifier"] = json!(source.identifier);
            entry["database"] = json!("c360");
            entry["schema"] = json!("crm");
            entry["freshness"] = json!({"warn_after": {"count": null, "period": null}, "filter": null});
            entry["external"] = source.external.as_ref().map_or(Json::Null, |e| Json::Object(e.settings.clone()));
        }
        NodeKind::UnitTest(test) => {
            entry["model"] = json!(test.model);
            entry["given"] = json!([{"input": "ref('x')", "rows": [{"id": 1}], "format": "dict", "fixture": null}]);
            entry["expect"] = json!({"rows": [{"id": 1}], "format": "dict", "fixture": null});
            entry["overrides"] = json!({"macros": {}, "vars": {}});
        }
        NodeKind::Exposure(declared) => entry["type"] = declared["type"].clone(),
        _ => {}
    }
    entry
}

/// The manifest that an earlier invocation would have written of `manifest`.
fn artifact(manifest: &Manifest) -> Json {
    let mut artifact = json!({"nodes": {}, "sources": {}, "exposures": {}, "unit_tests": {}, "macros": {}});
    for node in &manifest.nodes {
        let section = match node.resource_type {
            ResourceType::Source => "sources",
            ResourceType::Exposure => "exposures",
            ResourceType::UnitTest => "unit_tests",
            _ => "nodes",
        };
        artifact[section][&node.unique_id] = entry(node);
    }
    for info in &manifest.macros {
        artifact["macros"][&info.unique_id] = json!({"macro_sql": info.macro_sql});
    }
    artifact
}

fn column(name: &str, description: &str) -> Column {
    Column {
        name: name.into(),
        description: description.into(),
        data_type: Some("bigint".into()),
        meta: serde_json::Map::new(),
        tags: Vec::new(),
        quote: None,
        constraints: vec![Constraint { kind: "not_null".into(), name: None, expression: None, columns: Vec::new() }],
        span: place("models/a.yml"),
    }
}

fn info(name: &str, sql: &str, calls: &[&str]) -> MacroInfo {
    MacroInfo {
        unique_id: format!("macro.acme.{name}"),
        name: name.into(),
        package: "acme".into(),
        original_path: "macros/x.sql".into(),
        macro_sql: sql.into(),
        description: String::new(),
        meta: serde_json::Map::new(),
        arguments: Vec::new(),
        depends_on: calls.iter().map(|name| format!("macro.acme.{name}")).collect(),
    }
}

fn nodes() -> Vec<Node> {
    let mut kpi = model("models/kpi.sql").refs(&["orders"]);
    kpi.depends_on_macros = vec!["macro.acme.outer".into()];
    let mut orders = model("models/orders.sql")
        .source("crm", "accounts")
        .set("materialized", json!("table"))
        .set("persist_docs", json!({"columns": true}))
        .set("contract", json!({"enforced": true}));
    orders.columns = vec![column("id", "the id")];
    let mut accounts = source("models/s.yml", "crm", "accounts");
    accounts.relation = Some(Relation::new("c360", "crm", "accounts"));
    if let NodeKind::Source(table) = &mut accounts.kind {
        let settings = json!({"location": "lake/*.csv"}).as_object().cloned().unwrap_or_default();
        table.external = Some(External { location: "lake/*.csv".into(), span: place("models/s.yml"), settings });
    }
    vec![
        accounts,
        orders,
        kpi,
        generic_test("models/a.yml", "not_null_id", "not_null", &["orders"]).set("severity", json!("warn")),
        node(ResourceType::Test, "tests/singular.sql").refs(&["orders"]),
        unit_test("models/a.yml", "ut", "orders"),
        node(ResourceType::Exposure, "models/board.yml").refs(&["kpi"]),
        node(ResourceType::Seed, "seeds/codes.csv"),
        node(ResourceType::Snapshot, "snapshots/snap.sql").refs(&["orders"]),
    ]
}

fn project(change: impl Fn(&mut Vec<Node>)) -> Manifest {
    let mut nodes = nodes();
    change(&mut nodes);
    let mut manifest = manifest(nodes);
    manifest.macros =
        vec![info("outer", "{{ inner() }}", &["inner"]), info("inner", "1", &[]), info("other", "2", &[])];
    manifest
}

fn read(artifact: &Json) -> PreviousManifest {
    PreviousManifest::parse(&artifact.to_string(), "state/manifest.json").expect("a manifest")
}

fn named<'a>(nodes: &'a mut [Node], name: &str) -> &'a mut Node {
    nodes.iter_mut().find(|node| node.name == name).expect("the node")
}

/// What changed, as `name` or `name.kind`, in a project that `change` made of [`nodes`].
fn changes(change: impl Fn(&mut Vec<Node>)) -> Vec<String> {
    let previous = read(&artifact(&project(|_| {})));
    of(&project(change), &previous)
}

fn of(current: &Manifest, previous: &PreviousManifest) -> Vec<String> {
    let checksum = |_: &Node| Some(seed_checksum(b"id\n1\n"));
    let comparison = Comparison::new(current, previous, Some(&checksum));
    let mut found = Vec::new();
    for node in current.nodes.iter().filter(|node| comparison.is_modified(node)) {
        let kinds: Vec<&str> = Change::NAMES
            .iter()
            .filter(|(_, change)| comparison.has_change(node, *change))
            .map(|(name, _)| *name)
            .collect();
        found.push(format!("{} {}", node.name, kinds.join(" ")).trim().to_string());
    }
    found
}

#[test]
fn the_same_project_has_no_changes() {
    assert_eq!(changes(|_| {}), Vec::<String>::new());
    let other = |nodes: &mut Vec<Node>| {
        let orders = named(nodes, "orders");
        orders.raw_code = "\r\nselect 1\n".into();
        orders.unrendered_config.insert("tags".into(), json!(["new"]));
        orders.unrendered_config.insert("group".into(), json!("finance"));
        orders.config.set("materialized", json!("table"), None);
        named(nodes, "kpi").description = "no docs are persisted here".into();
        named(nodes, "not_null_id").unrendered_config.insert("tags".into(), json!(["dq"]));
    };
    assert_eq!(changes(other), Vec::<String>::new());
}

#[test]
fn every_kind_of_change_is_named() {
    type Case = (&'static str, fn(&mut Vec<Node>));
    let cases: [Case; 17] = [
        ("orders body", |nodes| named(nodes, "orders").raw_code = "select 2".into()),
        ("singular body", |nodes| named(nodes, "singular").raw_code = "select 2".into()),
        ("kpi configs", |nodes| {
            named(nodes, "kpi").unrendered_config.insert("+pre-hook".into(), json!("x"));
        }),
        ("kpi relation", |nodes| {
            named(nodes, "kpi").unrendered_config.insert("schema".into(), json!("x"));
        }),
        ("orders persisted_descriptions", |nodes| named(nodes, "orders").columns[0].description = "x".into()),
        ("orders persisted_descriptions contract", |nodes| {
            let orders = named(nodes, "orders");
            orders.columns.push(column("name", ""));
        }),
        ("orders contract", |nodes| named(nodes, "orders").columns[0].data_type = Some("text".into())),
        ("orders contract", |nodes| named(nodes, "orders").columns[0].constraints.clear()),
        ("orders contract", |nodes| named(nodes, "orders").config.set("contract", json!({"enforced": false}), None)),
        ("kpi contract", |nodes| named(nodes, "kpi").config.set("contract", json!({"enforced": true}), None)),
        ("kpi", |nodes| named(nodes, "kpi").config.set("access", json!("public"), None)),
        ("snap", |nodes| named(nodes, "snap").fqn.insert(1, "folder".into())),
        ("not_null_id configs", |nodes| {
            named(nodes, "not_null_id").unrendered_config.insert("severity".into(), json!("error"));
        }),
        ("board", |nodes| named(nodes, "board").description = "x".into()),
        ("ut", |nodes| {
            if let NodeKind::UnitTest(test) = &mut named(nodes, "ut").kind {
                test.expect = json!({"rows": [{"id": 2}]});
            }
        }),
        ("accounts", |nodes| {
            if let NodeKind::Source(table) = &mut named(nodes, "accounts").kind {
                table.loaded_at_field = Some("at".into());
            }
        }),
        ("accounts relation", |nodes| {
            named(nodes, "accounts").relation = Some(Relation::new("c360", "other", "accounts"));
        }),
    ];
    for (expected, change) in cases {
        assert_eq!(changes(change), [expected]);
    }
}

#[test]
fn a_macro_changes_all_that_call_it() {
    let mut old = artifact(&project(|_| {}));
    old["macros"]["macro.acme.inner"]["macro_sql"] = json!("0");
    assert_eq!(of(&project(|_| {}), &read(&old)), ["kpi macros"]);
    let mut old = artifact(&project(|_| {}));
    old["macros"]["macro.acme.other"]["macro_sql"] = json!("0");
    old["macros"]["macro.dbt.builtin"] = json!({"macro_sql": "x"});
    assert_eq!(of(&project(|_| {}), &read(&old)), Vec::<String>::new());
}

#[test]
fn new_nodes_and_seeds() {
    let mut old = artifact(&project(|_| {}));
    for (section, id) in [
        ("nodes", "model.acme.kpi"),
        ("nodes", "test.acme.not_null_id"),
        ("sources", "source.acme.crm.accounts"),
        ("exposures", "exposure.acme.board"),
        ("unit_tests", "unit_test.acme.orders.ut"),
    ] {
        if let Some(section) = old[section].as_object_mut() {
            section.remove(id);
        }
    }
    let current = project(|_| {});
    let previous = read(&old);
    let new = "body configs relation persisted_descriptions contract";
    // New sources and exposures are new, not modified.
    assert_eq!(of(&current, &previous), [format!("kpi {new}"), format!("not_null_id {new}"), "ut".to_string()]);
    let comparison = Comparison::new(&current, &previous, None);
    let board = current.find("exposure.acme.board").expect("the exposure");
    let accounts = current.find("source.acme.crm.accounts").expect("the source");
    assert!(!comparison.existed(board) && comparison.has_change(board, Change::Configs));
    assert!(comparison.has_change(accounts, Change::Relation) && !comparison.has_change(accounts, Change::Body));

    old = artifact(&current);
    old["nodes"]["seed.acme.codes"]["checksum"]["checksum"] = json!("0");
    assert_eq!(of(&current, &read(&old)), ["codes body"]);
    old["nodes"]["seed.acme.codes"]["checksum"] = json!({"name": "path", "checksum": "seeds/codes.csv"});
    assert_eq!(of(&current, &read(&old)), Vec::<String>::new());
}

#[test]
fn sparse_manifests_are_compared_by_what_they_have() {
    let previous = read(&json!({"nodes": {"model.acme.kpi": {"fqn": ["acme", "kpi"], "checksum": {"checksum": "0"}},
        "model.acme.orders": {"fqn": ["acme", "orders"], "contract": {"enforced": true}, "columns": {"id":
        {"name": "id", "data_type": "bigint", "description": "the id", "constraints": [{"type": "not_null", "warn_unsupported": true}]}},
        "config": {"materialized": "table"}}}, "macros": {"macro.acme.outer": {"macro_sql": "{{ inner() }}"}, "macro.acme.inner": {"macro_sql": "1"}}}));
    let current = project(|_| {});
    let comparison = Comparison::new(&current, &previous, None);
    let [kpi, orders] = ["kpi", "orders"].map(|name| current.find(&format!("model.acme.{name}")).expect("the model"));
    assert!(comparison.is_modified(kpi) && comparison.has_change(kpi, Change::Body));
    assert!(!comparison.is_modified(orders));
}
