//! A project with one node of each type.

use std::sync::Arc;

use serde_json::{Map, json};

use crate::diag::{Diagnostics, SourceFile, Span};
use crate::manifest::{DocBlock, Group, MacroInfo, Manifest, resolve};
use crate::node::*;
use crate::project::yaml::Yaml;

fn node(resource_type: ResourceType, name: &str, path: &str, code: &str, kind: NodeKind) -> Node {
    let file = SourceFile::new(path, code);
    let mut config = Config::default();
    config.set_default("enabled", json!(true));
    let path = path.split_once('/').map_or(path, |(_, path)| path).into();
    let raw_code = code.to_string();
    Node { path, config, raw_code, ..Node::new("shop", name, resource_type, &file, kind) }
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
        column_tags: Vec::new(),
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

pub(super) fn project() -> Manifest {
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
