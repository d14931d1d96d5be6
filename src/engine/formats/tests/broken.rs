//! Files cut at every byte, and records longer than memory: errors or fewer rows, never a panic.

use super::*;

use datafusion::arrow::datatypes::{Field as ArrowField, Fields};
use object_store::local::LocalFileSystem;

use super::super::columns::{StructColumn, Wanted};
use super::super::json::JsonLines;
use super::super::records::{Part, RecordStream};
use super::super::rejects::ScanRun;
use super::binary::{arrow_bytes, avro_bytes, parquet_bytes, sample};

/// Every prefix of `content` (every `step`th for big files), declared and inferred.
async fn prefixes(name: &str, content: &[u8], format: Format, columns: &[(&str, &str)], layout: JsonLayout) {
    let lake = Lake::with_partitions(3);
    let step = (content.len() / 300).max(1);
    for end in (0..=content.len()).step_by(step) {
        lake.write(name, &content[..end]);
        for columns in [columns, &[]] {
            let mut spec = lake.spec(name, format, columns);
            spec.options.json = layout;
            spec.bad_records = BadRecords::Quarantine;
            if lake.table(spec).await.is_ok() {
                let _ = lake.query("select * from t").await;
            }
        }
    }
}

#[tokio::test]
async fn prefixes_of_text() {
    let json = "\u{feff}{\"a\":1,\"s\":\"\\u00e9\\n\"}\r\n\n{\"a\":2.0,\"s\":{\"x\":[1]}}\n{\"a\":null}";
    prefixes("x.json", json.as_bytes(), Format::Json, &[("a", "int"), ("s", "varchar")], JsonLayout::Lines).await;
    let array = "[{\"a\":1,\"s\":\"é\"}, {\"a\":2}]\n";
    prefixes("x.json", array.as_bytes(), Format::Json, &[("a", "int"), ("s", "varchar")], JsonLayout::Array).await;
    let csv = "a,s\r\n1,\"x \"\"é\"\"\n\"\r\n\n2,y\n\"3\",\"\"";
    prefixes("x.csv", csv.as_bytes(), Format::Csv, &[("a", "int"), ("s", "varchar")], JsonLayout::Lines).await;
}

#[tokio::test]
async fn prefixes_of_binaries() {
    let columns = &[("id", "bigint"), ("name", "varchar")];
    for (name, bytes, format) in [
        ("x.parquet", parquet_bytes(&sample()), Format::Parquet),
        ("x.avro", avro_bytes(&sample()), Format::Avro),
        ("x.arrow", arrow_bytes(&sample(), true), Format::Arrow),
        ("x.arrows", arrow_bytes(&sample(), false), Format::Arrow),
    ] {
        prefixes(name, &bytes, format, columns, JsonLayout::Lines).await;
    }
    let book = sheets::book();
    for end in (0..book.len()).step_by(book.len() / 40) {
        let lake = Lake::new();
        lake.write("x.xlsx", &book[..end]);
        assert_eq!(lake.refusal(lake.spec("x.xlsx", Format::Xlsx, &[])).await.0, codes::STORE_ERROR);
    }
}

#[tokio::test]
async fn a_record_that_is_too_long_is_bad_and_the_next_is_read() {
    let lake = Lake::new();
    let long = format!("{{\"a\":1}}\n{{\"a\":\"{}\"}}\n{{\"a\":3}}\n", "x".repeat(5_000_000));
    lake.write("x.json", &long);
    let mut spec = lake.spec("x.json", Format::Json, &[("a", "varchar")]);
    spec.bad_records = BadRecords::Quarantine;
    let rejects = Arc::clone(&lake.rejects) as Arc<dyn RejectSink>;
    let run = Arc::new(ScanRun::new(Arc::new(spec), Arc::default(), rejects));
    let fields = Fields::from(vec![ArrowField::new("a", parse_data_type("varchar").expect("a type"), true)]);
    let location = Location::parse(&lake.path("x.json")).expect("a location");
    let store = Arc::new(LocalFileSystem::new());
    let meta = location.list(store.as_ref()).await.expect("a file").remove(0);
    let part = Part {
        store,
        meta,
        label: "x.json".to_string(),
        range: None,
        encoding: Encoding::Utf8,
        batch_size: 10,
        schema: Arc::new(Schema::new(fields.clone())),
        max_record: 1_000_000,
        read: Default::default(),
    };
    let format = JsonLines::new(StructColumn::new(&fields, &Wanted::All).expect("columns"));
    let mut stream = RecordStream::open(part, format, run).await.expect("a stream");
    let mut rows = 0;
    while let Some(batch) = stream.next_batch().await.expect("batches") {
        rows += batch.num_rows();
    }
    assert_eq!(rows, 2);
    assert_eq!(lake.rejects.lines(), [(2, "the record is longer than 976.6 KB".to_string())]);
    assert_eq!(lake.rejects.records.lock().expect("a lock")[0].text.len(), 64 * 1024);
}
