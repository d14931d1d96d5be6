//! Settings of the profile and of the environment, and names of datasets.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::Settings;
use super::dataset::Dataset;
use crate::node::{External, Relation};
use crate::project::Target;
use crate::warehouse::Warehouse;

fn read(profile: serde_json::Value, env: &[(&str, &str)]) -> crate::diag::Result<Option<Settings>> {
    let mut target = Target::unknown();
    if !profile.is_null() {
        target.raw.insert("openlineage".into(), profile);
    }
    let env: BTreeMap<String, String> = env.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    Settings::read(&target, &env, Path::new("/project"))
}

fn url(settings: &Settings) -> String {
    settings.url.as_ref().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn the_profile_counts_more_than_the_environment() {
    assert!(read(json!(null), &[]).expect("fine").is_none());
    let env = [("OPENLINEAGE_URL", "http://env:5000/"), ("OPENLINEAGE_NAMESPACE", "prod")];
    let settings = read(json!(null), &env).expect("fine").expect("some");
    assert_eq!((url(&settings), settings.namespace.as_str()), ("http://env:5000/api/v1/lineage".into(), "prod"));
    let profile =
        json!({"url": "http://profile:5000", "endpoint": "/in", "api_key": "k", "namespace": "n", "timeout": 2});
    let settings = read(profile, &env).expect("fine").expect("some");
    assert_eq!((url(&settings), settings.namespace.as_str()), ("http://profile:5000/in".into(), "n"));
    assert!(!format!("{settings:?}").contains("\"k\""), "{settings:?}");
    let settings = read(json!({"path": "events.jsonl"}), &[]).expect("fine").expect("some");
    assert_eq!(settings.path.as_deref(), Some(Path::new("/project/events.jsonl")));
    let off = [("OPENLINEAGE_URL", "http://env"), ("OPENLINEAGE_DISABLED", "true")];
    assert!(read(json!({"path": "x"}), &off).expect("fine").is_none());
    assert!(read(json!(false), &env).expect("fine").is_none());
}

#[test]
fn the_file_of_the_environment_names_a_transport() {
    let folder = tempfile::tempdir().expect("a folder");
    let read = |text: &str| {
        let path = folder.path().join("openlineage.yml");
        std::fs::write(&path, text).expect("a file");
        read(json!(null), &[("OPENLINEAGE_CONFIG", &path.to_string_lossy())])
    };
    let http =
        "transport:\n  type: http\n  url: https://backend:5000\n  timeout: 2.5\n  auth: {type: api_key, apiKey: k}\n";
    let settings = read(http).expect("fine").expect("some");
    assert_eq!((url(&settings), settings.timeout.as_millis()), ("https://backend:5000/api/v1/lineage".into(), 2500));
    let file = read("transport: {type: file, log_file_path: /tmp/events.jsonl}").expect("fine").expect("some");
    assert_eq!(file.path.as_deref(), Some(Path::new("/tmp/events.jsonl")));
    assert!(read("transport: {type: noop}").expect("fine").is_none());
    let error = read("transport: {type: kafka}").expect_err("unknown");
    assert!(error.message.contains("kafka"), "{error:?}");
}

#[test]
fn mistakes_are_named_and_addresses_are_not() {
    let error = read(json!({"ulr": "http://x"}), &[]).expect_err("unknown");
    assert_eq!(error.helps.first().map(String::as_str), Some("`url` was probably meant"));
    let error = read(json!({"url": "ftp://user:secret@host"}), &[]).expect_err("no http");
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    assert!(read(json!({"url": "http://x", "timeout": "soon"}), &[]).is_err());
    let parent = |text| read(json!({"url": "http://x"}), &[("OPENLINEAGE_PARENT_ID", text)]);
    assert!(parent("airflow/dag.task/3f5e83fa-3480-44ff-99c5-ff943904e5e8").is_ok());
    assert!(parent("airflow").is_err());
}

#[test]
fn datasets_have_the_names_of_the_specification() {
    let name = |dataset: Dataset| format!("{} {}", dataset.namespace, dataset.name);
    let folder = tempfile::tempdir().expect("a folder");
    let warehouse = Warehouse::open("wh", folder.path(), Default::default()).expect("a warehouse");
    let relation = Dataset::of_relation(&warehouse, &Relation::new("c360", "main", "t"));
    assert_eq!(name(relation), format!("file {}/wh/main/t", folder.path().display()));
    let external = |location: &str, settings: serde_json::Value| External {
        location: location.into(),
        span: crate::diag::Span::new(&crate::diag::SourceFile::new("s.yml", ""), 0..0),
        settings: settings.as_object().cloned().unwrap_or_default(),
    };
    let connections = json!({"crm": {"type": "mysql", "host": "db", "database": "shop", "password": "secret"}});
    let connections = connections.as_object().cloned().expect("a map");
    let source = |location, settings| {
        name(Dataset::of_source(&external(location, settings), "orders", Path::new("/p"), &[&connections]))
    };
    assert_eq!(source("lake/log/*.json", json!({})), "file /p/lake/log");
    assert_eq!(source("hdfs://nn:9000/lake/2022*/x.csv", json!({})), "hdfs://nn:9000 /lake");
    assert_eq!(source("s3://bucket/a/b.parquet", json!({})), "s3://bucket a/b.parquet");
    assert_eq!(source("", json!({"connection": "crm"})), "mysql://db:3306 shop.orders");
    let bi =
        json!({"bi": {"type": "sqlite", "path": "bi.db"}, "pg": {"type": "postgres", "host": "h", "database": "d"}});
    let bi = bi.as_object().cloned().expect("a map");
    let table = |destination| name(Dataset::of_destination(destination, "mart", &bi, Path::new("/p")));
    assert_eq!(table("bi"), "file /p/bi.db/mart");
    assert_eq!(table("pg"), "postgres://h:5432 d.public.mart");
    assert_eq!(table("gone"), "c360://gone mart");
}
