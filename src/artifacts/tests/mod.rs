//! One node of each type, as artifacts show it.

mod project;

use std::collections::HashMap;
use std::time::Duration;

use chrono::TimeZone;
use serde_json::{Map, Value as Json, json};

use self::project::project;
use super::*;
use crate::run::{RunResult, Status, UnitResult};

fn made(second: u32) -> Made {
    let at = |second| Utc.with_ymd_and_hms(2024, 1, 2, 3, 4, second).single().expect("a time");
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
    serde_json::to_string(&manifest(&project(), &meta)).expect("JSON")
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
