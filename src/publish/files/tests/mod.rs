//! On the local disk; `stores` has the others.

mod stores;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array,
    ListArray, RecordBatch, StringArray, TimestampNanosecondArray, UInt64Array, new_null_array,
};
use arrow::datatypes::{DataType, Int8Type, Int32Type};
use arrow::util::pretty::pretty_format_batches;
use async_trait::async_trait;
use datafusion::prelude::{CsvReadOptions, JsonReadOptions, ParquetReadOptions, SessionContext};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::source::{Added, Changed, Origin, Version, timeless};
use super::super::{DestinationConfig, FrameRows, publish};
use super::*;

struct Bench {
    folder: tempfile::TempDir,
    settings: Value,
}

fn bench(settings: Value) -> Bench {
    Bench { folder: tempfile::tempdir().expect("a folder"), settings }
}

impl Bench {
    fn config(&self) -> DestinationConfig {
        let mut settings = json!({"type": "files", "path": "out", "lock_timeout": 20});
        for (key, value) in self.settings.as_object().into_iter().flatten() {
            settings[key] = value.clone();
        }
        DestinationConfig::parse("out", &settings).expect("fine").rooted_at(self.folder.path())
    }

    async fn source(&self, source: &dyn Source, config: Value) -> Result<Published> {
        let job = PublishJob::parse("mart", "mart", &config).expect("fine").remove(0);
        publish(&self.config(), "out", &job, source, &|_| {}).await
    }

    async fn publish(&self, rows: &dyn Rows, config: Value) -> Result<Published> {
        self.source(&timeless(rows), config).await
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join("out/mart").join(below)
    }

    fn manifest(&self) -> Manifest {
        let bytes = std::fs::read(self.path("_manifest.json")).expect("a manifest");
        Manifest::from_json(&bytes).expect("reads")
    }

    /// The data files, which have to be those of the manifest with their sizes and checksums.
    fn files(&self) -> Vec<String> {
        let manifest = self.manifest();
        for file in &manifest.files {
            let bytes = std::fs::read(self.path(&file.path)).unwrap_or_else(|error| panic!("{}: {error}", file.path));
            let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!((bytes.len() as u64, &hash), (file.bytes, &file.sha256), "{}", file.path);
        }
        let mut listed: Vec<String> = manifest.files.iter().map(|file| file.path.clone()).collect();
        let mut there = below(&self.path(""), "");
        there.retain(|path| !path.starts_with('_'));
        listed.sort();
        there.sort();
        assert_eq!(listed, there, "nothing but what the manifest names");
        listed
    }

    async fn read(&self, order: &str) -> String {
        let context = SessionContext::new();
        let folder = self.path("").display().to_string();
        let extension = self.manifest().files[0].path.rsplit_once("-").map(|(_, rest)| rest.to_string());
        let extension =
            extension.and_then(|name| name.split_once('.').map(|(_, rest)| format!(".{rest}"))).expect("one");
        let frame = match extension.as_str() {
            ".parquet" => context.read_parquet(folder, ParquetReadOptions::default()).await,
            ".csv" => context.read_csv(folder, CsvReadOptions::default()).await,
            _ => context.read_json(folder, JsonReadOptions::default()).await,
        };
        let order = datafusion::prelude::ident(order).sort(true, true);
        let batches = frame.expect("reads").sort(vec![order]).expect("sorts").collect().await.expect("rows");
        pretty_format_batches(&batches).expect("prints").to_string()
    }
}

/// Names of all files below `folder`.
fn below(folder: &Path, prefix: &str) -> Vec<String> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        match entry.path().is_dir() {
            true => out.extend(below(&entry.path(), &format!("{name}/"))),
            false => out.push(name),
        }
    }
    out
}

fn frame(columns: Vec<(&str, ArrayRef)>) -> FrameRows {
    let batch = RecordBatch::try_from_iter(columns).expect("a batch");
    FrameRows(SessionContext::new().read_batch(batch).expect("a frame"))
}

fn texts(values: Vec<Option<&str>>) -> ArrayRef {
    Arc::new(StringArray::from(values))
}

fn numbers(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

fn everything() -> FrameRows {
    let dictionary: DictionaryArray<Int8Type> = vec![Some("a"), None].into_iter().collect();
    let nanos = TimestampNanosecondArray::from(vec![Some(-1), None]);
    frame(vec![
        ("id", numbers([2, 1])),
        ("flag", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("big", Arc::new(UInt64Array::from(vec![u64::MAX, 0]))),
        ("real", Arc::new(Float64Array::from(vec![0.1, 1e300]))),
        ("price", Arc::new(Decimal128Array::from(vec![-1230, 5]).with_precision_and_scale(12, 2).expect("fits"))),
        ("day", Arc::new(Date32Array::from(vec![19083, -719_162]))),
        ("at", Arc::new(nanos.clone())),
        ("instant", Arc::new(nanos.with_timezone("+07:00"))),
        ("name", texts(vec![Some("Phở, \"bò\"\n"), Some("")])),
        ("kind", Arc::new(dictionary)),
        ("raw", Arc::new(BinaryArray::from(vec![&b"\0\xff"[..], b""]))),
        ("list", Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None]))),
        ("none", new_null_array(&DataType::Null, 2)),
    ])
}

#[tokio::test]
async fn parquet_keeps_every_type() {
    for compression in ["none", "gzip", "zstd", "snappy"] {
        let bench = bench(json!({"compression": compression}));
        let published = bench.publish(&everything(), json!({"to": "out", "key": "id"})).await.expect("published");
        assert_eq!((published.rows, published.sent), (2, 2));
        assert_eq!(bench.files().len(), 1);
        insta::assert_snapshot!("parquet", bench.read("id").await);
        let names: Vec<String> =
            bench.manifest().columns.iter().map(|column| format!("{} {}", column.name, column.data_type)).collect();
        insta::assert_snapshot!("parquet_columns", names.join("\n"));
    }
    assert_eq!(bench(json!({})).manifest_extension(), "parquet");
}

impl Bench {
    fn manifest_extension(&self) -> &'static str {
        match self.config() {
            DestinationConfig::Files(config) => config.extension(),
            other => panic!("{}", other.kind()),
        }
    }
}

#[tokio::test]
async fn text_formats_are_what_they_should_be() {
    let csv = bench(json!({"format": "csv"}));
    csv.publish(&everything(), json!({"to": "out", "key": "id"})).await.expect("published");
    insta::assert_snapshot!("csv", std::fs::read_to_string(csv.path(&csv.files()[0])).expect("text"));
    let tabs = bench(json!({"format": "csv", "delimiter": "tab", "header": false, "null": "\\N"}));
    tabs.publish(&everything(), json!({"to": "out", "key": "id"})).await.expect("published");
    insta::assert_snapshot!("tabs", std::fs::read_to_string(tabs.path(&tabs.files()[0])).expect("text"));
    let json = bench(json!({"format": "json"}));
    json.publish(&everything(), json!({"to": "out", "key": "id"})).await.expect("published");
    insta::assert_snapshot!("json", std::fs::read_to_string(json.path(&json.files()[0])).expect("text"));
}

#[tokio::test]
async fn compressed_text_is_one_stream_that_others_read() {
    for (format, compression, program) in [("csv", "gzip", "gzip"), ("json", "gzip", "gzip"), ("json", "zstd", "zstd")]
    {
        let bench = bench(json!({"format": format, "compression": compression}));
        let rows = frame(vec![("id", numbers(0..200_000))]);
        bench.publish(&rows, json!({"to": "out", "key": "id"})).await.expect("published");
        let path = bench.path(&bench.files()[0]);
        let Ok(output) = std::process::Command::new(program).arg("-dc").arg(&path).output() else { continue };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = output.stdout.split(|byte| *byte == b'\n').count();
        assert_eq!(lines, if format == "csv" { 200_002 } else { 200_001 }, "{}", path.display());
    }
}

#[tokio::test]
async fn files_are_cut_by_rows_and_bytes() {
    let rows = || frame(vec![("id", numbers(0..10_000))]);
    let by_rows = bench(json!({"max_file_rows": 3000}));
    by_rows.publish(&rows(), json!({"to": "out", "key": "id"})).await.expect("published");
    by_rows.files();
    let counts: Vec<u64> = by_rows.manifest().files.iter().map(|file| file.rows).collect();
    assert_eq!(counts, [3000, 3000, 3000, 1000]);
    let by_bytes = bench(json!({"format": "csv", "max_file_bytes": 20_000, "compression": "none"}));
    by_bytes.publish(&rows(), json!({"to": "out", "key": "id"})).await.expect("published");
    assert!(by_bytes.files().len() > 1 && by_bytes.manifest().rows == 10_000);
    let one = bench(json!({"format": "json", "single_file": true}));
    one.publish(&frame(vec![("id", numbers(0..300_000))]), json!({"to": "out", "key": "id"})).await.expect("published");
    assert_eq!(one.files().len(), 1);
    let none = frame(vec![("id", numbers([]))]);
    one.publish(&none, json!("out")).await.expect("published");
    assert_eq!((one.files().len(), one.manifest().rows, one.manifest().version), (1, 0, 2));
}

#[tokio::test]
async fn partitions_are_folders() {
    let bench = bench(json!({}));
    let rows = |names: [Option<&'static str>; 4]| {
        frame(vec![
            ("Kind", texts(names.to_vec())),
            ("day", Arc::new(Date32Array::from(vec![1, 0, 1, 0]))),
            ("n", numbers(0..4)),
        ])
    };
    let config = json!({"to": "out", "key": "n", "partitions": ["kind", "day"]});
    bench.publish(&rows([Some("a/b"), Some("x"), Some("a/b"), None]), config.clone()).await.expect("published");
    let folders: Vec<String> =
        bench.files().iter().map(|path| path.rsplit_once('/').expect("folders").0.to_string()).collect();
    let expected =
        ["Kind=__HIVE_DEFAULT_PARTITION__/day=1970-01-01", "Kind=a%2Fb/day=1970-01-02", "Kind=x/day=1970-01-01"];
    assert_eq!(folders, expected);
    insta::assert_snapshot!("partitions", bench.read("n").await);
    // Folders that have become empty go.
    bench.publish(&rows([Some("z"); 4]), config.clone()).await.expect("published");
    assert_eq!(bench.files().len(), 2);
    assert!(!bench.path("Kind=x").exists() && bench.path("Kind=z").exists());
    let error = bench.publish(&rows([Some(""); 4]), config).await.expect_err("refused");
    assert!(error.message.contains("column `Kind` is a folder") && error.notes[1].contains("n = '1'"), "{error:?}");
    assert_eq!(bench.files().len(), 2);
}

/// A table of the warehouse with versions: version n has the rows 0 to 10 n.
struct Growing {
    origin: Origin,
    rows: FrameRows,
    number: i64,
}

fn growing(number: i64) -> Growing {
    let version = Some(Version { table_id: "t".into(), number: number as u64 });
    let origin = Origin { relation: "main.mart".into(), version, run: format!("run {number}"), full_refresh: false };
    Growing { origin, rows: frame(vec![("id", numbers(0..10 * number))]), number }
}

#[async_trait]
impl Source for Growing {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn rows(&self) -> &dyn Rows {
        &self.rows
    }

    async fn added(&self, since: u64) -> Result<Added> {
        Ok(Added::Rows(Box::new(frame(vec![("id", numbers(10 * since as i64..10 * self.number))]))))
    }

    async fn changed(&self, _: u64, _: &[String]) -> Result<Option<Changed>> {
        Ok(None)
    }
}

#[tokio::test]
async fn append_adds_what_is_new_exactly_once() {
    let bench = bench(json!({}));
    let config = json!({"to": "out", "mode": "append", "key": "id"});
    for (number, sent, files) in [(1, 10, 1), (1, 0, 1), (3, 20, 2), (4, 10, 3), (2, 0, 3)] {
        let published = bench.source(&growing(number), config.clone()).await.expect("published");
        assert_eq!((published.sent, published.skipped.is_some()), (sent, sent == 0), "{number}");
        assert_eq!(bench.files().len(), files, "{number}");
    }
    let manifest = bench.manifest();
    assert_eq!((manifest.rows, manifest.published.warehouse_version, manifest.version), (40, Some(4), 3));
    assert_eq!(manifest.published.run_id, "run 4");
    // What dies after the commit is finished by the next publish, even if it has nothing to do itself.
    std::fs::remove_file(bench.path("_manifest.json")).expect("removed");
    let published = bench.source(&growing(4), config.clone()).await.expect("published");
    assert_eq!(published.skipped.as_deref(), Some("warehouse version 4 is already there"));
    assert_eq!(bench.manifest(), manifest);
    // Another form of the same version is written for a replace, and refused for an append.
    let csv = Bench { settings: json!({"format": "csv"}), ..bench };
    let error = csv.source(&growing(5), config).await.expect_err("refused");
    assert!(error.message.contains("the files there are parquet"), "{error:?}");
    let published = csv.source(&growing(4), json!({"to": "out", "key": "id"})).await.expect("published");
    assert_eq!((published.sent, csv.files().len()), (40, 1));
}

#[tokio::test]
async fn two_at_once_are_one_after_the_other() {
    let bench = bench(json!({}));
    let config = json!({"to": "out", "mode": "append"});
    bench.source(&growing(1), config.clone()).await.expect("published");
    let sources = [growing(2), growing(2), growing(3)];
    let all = sources.iter().map(|source| bench.source(source, config.clone()));
    for published in futures::future::join_all(all).await {
        published.expect("published");
    }
    bench.files();
    assert_eq!((bench.manifest().rows, bench.manifest().published.warehouse_version), (30, Some(3)));
}

#[tokio::test]
async fn what_fails_leaves_the_old_files_and_nothing_else() {
    let bench = bench(json!({"max_file_rows": 1000}));
    bench.publish(&frame(vec![("id", numbers(0..5000))]), json!({"to": "out", "key": "id"})).await.expect("published");
    let before = bench.files();
    let mut values: Vec<f64> = (0..9000).map(f64::from).collect();
    values[8500] = f64::NAN;
    let nan = frame(vec![("id", numbers(0..9000)), ("n", Arc::new(Float64Array::from(values)))]);
    let error = bench.publish(&nan, json!({"to": "out", "key": "id"})).await.expect_err("refused");
    assert!(error.message.contains("column `n` holds NaN") && error.notes[1].contains("id = '8500'"), "{error:?}");
    let twice = frame(vec![("id", numbers([1, 1]))]);
    let error = bench.publish(&twice, json!({"to": "out", "key": "id"})).await.expect_err("refused");
    assert!(error.message.contains("same key"), "{error:?}");
    assert_eq!(bench.files(), before);
    let hidden: Vec<String> = below(&bench.path("_c360"), "");
    assert_eq!(hidden.len(), 2, "the lock and one version: {hidden:?}");
}

#[tokio::test]
async fn what_a_killed_publish_left_is_removed() {
    let bench = bench(json!({}));
    let rows = || frame(vec![("id", numbers(0..10))]);
    bench.publish(&rows(), json!("out")).await.expect("published");
    // One that died while it wrote, one that died when its files had their names.
    std::fs::create_dir_all(bench.path("_c360/new-dead")).expect("a folder");
    std::fs::write(bench.path("_c360/new-dead/00000#1"), "half").expect("a file");
    std::fs::create_dir_all(bench.path("x=1")).expect("a folder");
    std::fs::write(bench.path("x=1/part-00000-dead.parquet"), "orphan").expect("a file");
    std::fs::write(bench.path("_c360/intent-dead.json"), "[\"x=1/part-00000-dead.parquet\"]").expect("a file");
    bench.publish(&rows(), json!("out")).await.expect("published");
    assert_eq!((bench.files().len(), bench.manifest().version), (1, 2));
    assert!(!bench.path("x=1").exists() && !bench.path("_c360/new-dead").exists());
    assert_eq!(below(&bench.path("_c360"), "").len(), 3, "the lock and two versions");
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused() {
    let out = bench(json!({}));
    let rows = || frame(vec![("id", numbers(0..10)), ("f", Arc::new(Float64Array::from(vec![1.0; 10])) as ArrayRef)]);
    let cases = [
        (json!({"to": "out", "mode": "upsert", "key": "id"}), "no mode upsert"),
        (json!({"to": "out", "columns": {"id": "int"}}), "`columns` gives `id`"),
        (json!({"to": "out", "partitions": {"column": "id", "count": 3}}), "without `every` or `count`"),
        (json!({"to": "out", "partitions": "f"}), "column `f` cannot be in `partitions`"),
        (json!({"to": "out", "partitions": "x"}), "which the model does not have"),
        (json!({"to": "out", "partitions": ["id", "ID"]}), "cannot be in `partitions`"),
        (json!({"to": "out", "table": "`a/../b`"}), "no name of a folder"),
        (json!({"to": "out", "table": "_x"}), "no name of a folder"),
    ];
    for (config, said) in cases {
        let error = out.publish(&rows(), config).await.expect_err(said);
        assert!(error.message.contains(said) && error.code == CONFIG, "{error:?}");
        assert!(!error.helps.is_empty() || said.contains("model"), "{error:?}");
    }
    assert!(!out.folder.path().join("out").exists(), "nothing was made");
    let message = |value: Value| DestinationConfig::parse("out", &value).expect_err("refused").to_string();
    assert!(message(json!({"type": "files"})).contains("`path` of destination `out` is missing"));
    assert!(message(json!({"type": "files", "path": "x", "format": "xml"})).contains("not one of parquet, csv, json"));
    assert!(
        message(json!({"type": "files", "path": "x", "format": "csv", "compression": "snappy"}))
            .contains("parquet alone")
    );
    assert!(message(json!({"type": "files", "path": "x", "delimiter": ";"})).contains("`format: csv` alone"));
    assert!(
        message(json!({"type": "files", "path": "x", "format": "csv", "delimiter": "ab"})).contains("not one sign")
    );
    assert!(
        message(json!({"type": "files", "path": "x", "single_file": true, "max_file_rows": 3})).contains("limit too")
    );
}

#[tokio::test]
async fn a_folder_of_somebody_else_is_left_alone() {
    let bench = bench(json!({}));
    std::fs::create_dir_all(bench.path("")).expect("a folder");
    std::fs::write(bench.path("other.csv"), "a\n").expect("a file");
    let error = bench.publish(&frame(vec![("id", numbers([1]))]), json!("out")).await.expect_err("refused");
    assert!(error.message.contains("files that c360 did not write"), "{error:?}");
    assert!(bench.path("other.csv").exists());
}

#[tokio::test]
async fn a_ping_tells_what_is_written_and_whether_it_can_be() {
    let bench = bench(json!({"format": "csv", "compression": "gzip"}));
    let ping = || async { super::super::ping(&bench.config(), "out").await };
    assert_eq!(ping().await.expect("fine"), "files: csv, gzip (the first publish makes the folder)");
    std::fs::create_dir(bench.folder.path().join("out")).expect("a folder");
    assert_eq!(ping().await.expect("fine"), "files: csv, gzip");
    assert_eq!(below(bench.folder.path(), ""), [""; 0]);
    std::fs::remove_dir(bench.folder.path().join("out")).expect("removed");
    std::fs::write(bench.folder.path().join("out"), "a file").expect("a file");
    let error = ping().await.expect_err("no folder");
    assert_eq!(error.code, codes::DESTINATION_UNREACHABLE);
}
