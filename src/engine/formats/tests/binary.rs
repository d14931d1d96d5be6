//! Parquet, Avro, Arrow IPC and Delta.

use super::*;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::ipc::writer::{FileWriter, StreamWriter};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).expect("a batch")
}

fn ints(values: &[i32]) -> ArrayRef {
    Arc::new(Int32Array::from(values.to_vec()))
}

fn longs(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

pub(super) fn parquet_bytes(batch: &RecordBatch) -> Vec<u8> {
    let mut bytes = Vec::new();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(2)).build();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).expect("a writer");
    writer.write(batch).expect("rows");
    writer.close().expect("a footer");
    bytes
}

pub(super) fn arrow_bytes(batch: &RecordBatch, file: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    if file {
        let mut writer = FileWriter::try_new(&mut bytes, &batch.schema()).expect("a writer");
        writer.write(batch).expect("rows");
        writer.finish().expect("a footer");
    } else {
        let mut writer = StreamWriter::try_new(&mut bytes, &batch.schema()).expect("a writer");
        writer.write(batch).expect("rows");
        writer.finish().expect("an end");
    }
    bytes
}

pub(super) fn avro_bytes(batch: &RecordBatch) -> Vec<u8> {
    let schema = batch.schema().as_ref().clone();
    let mut writer = datafusion::arrow_avro::writer::AvroWriter::new(Vec::new(), schema).expect("a writer");
    writer.write(batch).expect("rows");
    writer.finish().expect("an end");
    writer.into_inner()
}

pub(super) fn sample() -> RecordBatch {
    batch(vec![("id", longs(&[1, 2, 3, 4])), ("name", texts(&["a", "b", "c", "a longer name than a view holds"]))])
}

#[tokio::test]
async fn parquet_in_nested_folders_with_pruning() {
    let lake = Lake::with_partitions(2);
    for month in [202_206, 202_207, 202_208] {
        let rows = batch(vec![("id", longs(&[i64::from(month), 2, 3])), ("s", texts(&["x", "y", "z"]))]);
        lake.write(&format!("search/{month}/part-0.parquet"), parquet_bytes(&rows));
    }
    lake.write("search/_SUCCESS", "");
    let mut spec = lake.spec("search", Format::Parquet, &[]);
    spec.path_columns = vec![PathColumn {
        name: "month".to_string(),
        pattern: Some(r"/(\d{6})/".to_string()),
        data_type: "date".to_string(),
        format: Some("%Y%m".to_string()),
    }];
    let stats = lake.table(spec).await.expect("a table");
    let rows = lake.rows("select month, max(id) from t where month >= date '2022-07-01' group by 1 order by 1").await;
    assert_eq!(rows, ["2022-07-01|202207", "2022-08-01|202208"]);
    assert_eq!((stats.files_listed(), stats.files_opened()), (3, 2));
    assert!(stats.bytes_read() > 0);
    let plan = lake.rows("explain select s from t where id = 2").await.join("\n");
    assert!(plan.contains("projection=[id, s]") && plan.contains("pruning_predicate"), "{plan}");
    assert_eq!(lake.rows("select count(*) from t where id = 2").await, ["3"]);
}

#[tokio::test]
async fn parquet_numbers_widen_and_other_changes_are_refused() {
    let lake = Lake::new();
    lake.write("p/a.parquet", parquet_bytes(&batch(vec![("id", ints(&[1])), ("s", texts(&["x"]))])));
    lake.write("p/b.parquet", parquet_bytes(&batch(vec![("s", texts(&["y"])), ("id", longs(&[5_000_000_000]))])));
    lake.write("p/c.parquet", parquet_bytes(&batch(vec![("id", longs(&[7]))])));
    lake.table(lake.spec("p", Format::Parquet, &[])).await.expect("a table");
    assert_eq!(lake.rows("select id, s from t order by id").await, ["1|x", "7|NULL", "5000000000|y"]);
    assert_eq!(lake.rows("select s from t where id > 1 order by s").await, ["y", "NULL"]);
    lake.write("p/d.parquet", parquet_bytes(&batch(vec![("id", texts(&["8"]))])));
    let (code, message, notes) = lake.refusal(lake.spec("p", Format::Parquet, &[])).await;
    assert_eq!((code, message.as_str()), (codes::SCHEMA_MISMATCH, "column `id` changes its type between files"));
    assert!(notes[0].contains("int") && notes[0].contains("a.parquet") && notes[1].contains("d.parquet"), "{notes:?}");
    lake.table(lake.spec("p", Format::Parquet, &[("id", "bigint"), ("s", "varchar")])).await.expect("a table");
    assert_eq!(lake.rows("select sum(id) from t").await, ["5000000016"]);
    let (code, message, _) = lake.refusal(lake.spec("p", Format::Parquet, &[("s", "varchar"), ("ID", "bigint")])).await;
    assert_eq!((code, message.as_str()), (codes::SCHEMA_MISMATCH, "no file of the source has the column `ID`"));
}

#[tokio::test]
async fn damaged_parquet_is_named() {
    let lake = Lake::new();
    let bytes = parquet_bytes(&sample());
    lake.write("p/a.parquet", &bytes);
    for cut in [0, 3, 10, bytes.len() - 1] {
        lake.write("p/b.parquet", &bytes[..cut]);
        let (code, message, _) = lake.refusal(lake.spec("p", Format::Parquet, &[])).await;
        assert_eq!(code, codes::STORE_ERROR);
        assert_eq!(message, format!("cannot read `{}`", lake.path("p/b.parquet")));
        if cut == 0 {
            continue;
        }
        lake.table(lake.spec("p", Format::Parquet, &[("id", "bigint")])).await.expect("a table");
        let error = lake.failure("select * from t").await;
        assert_eq!(error.message, format!("cannot read `{}`", lake.path("p/b.parquet")));
    }
}

#[tokio::test]
async fn avro_and_arrow_by_name() {
    let lake = Lake::with_partitions(2);
    let other: ArrayRef = Arc::new(Float64Array::from(vec![0.5]));
    let swapped = batch(vec![("name", texts(&["z"])), ("id", ints(&[9])), ("other", other)]);
    lake.write("avro/a.avro", avro_bytes(&sample()));
    lake.write("avro/b.avro", avro_bytes(&swapped));
    lake.write("arrow/a.arrow", arrow_bytes(&sample(), true));
    lake.write("arrow/b.arrow", arrow_bytes(&swapped, false));
    for (folder, format) in [("avro", Format::Avro), ("arrow", Format::Arrow)] {
        let stats = lake.table(lake.spec(folder, format, &[])).await.expect("a table");
        let rows = lake.rows("select name, id, other from t where id > 3 order by id").await;
        assert_eq!(rows, ["a longer name than a view holds|4|NULL", "z|9|0.5"], "{folder}");
        assert_eq!(lake.rows("select count(*) from t").await, ["5"], "{folder}");
        assert_eq!(lake.rows("select sum(id) from t").await, ["19"], "{folder}");
        assert_eq!(stats.files_opened(), 2);
        lake.table(lake.spec(folder, format, &[("ID", "varchar")])).await.expect("a table");
        assert_eq!(lake.rows(r#"select max("ID") from t"#).await, ["9"], "{folder}");
        lake.table(lake.spec(folder, format, &[("name", "int")])).await.expect("a table");
        assert_eq!(lake.failure("select name from t").await.code, codes::SCHEMA_MISMATCH, "{folder}");
    }
}

#[tokio::test]
async fn delta_tables() {
    let lake = Lake::new();
    let (code, _, _) = lake.refusal(lake.spec("d", Format::Delta, &[])).await;
    assert_eq!(code, codes::SOURCE_FILES_MISSING);
    std::fs::create_dir_all(lake.path("d")).expect("a folder");
    let url = url::Url::from_directory_path(lake.path("d")).expect("a URL");
    let table = deltalake::DeltaTable::try_from_url(url).await.expect("a table");
    table.write(vec![sample()]).await.expect("a commit");
    lake.table(lake.spec("d", Format::Delta, &[])).await.expect("a table");
    assert_eq!(lake.rows("select name from t where id = 2").await, ["b"]);
}
