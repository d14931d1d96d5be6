//! Every format that a source may have, with types that are inferred and types that are declared.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, StructArray};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::arrow::ipc::writer::{FileWriter, StreamWriter};
use datafusion::parquet::arrow::ArrowWriter;

use crate::harness::Project;

/// A project with the source `lake.t` at `location`; `more` are lines of its `external:` block and `columns` its columns.
pub(crate) fn source(location: &str, more: &[&str], columns: &[(&str, &str)]) -> Project {
    let mut yaml = format!(
        "sources:\n  - name: lake\n    tables:\n      - name: t\n        external:\n          location: {location}\n"
    );
    more.iter().for_each(|line| yaml += &format!("          {line}\n"));
    if !columns.is_empty() {
        yaml += "        columns:\n";
    }
    columns.iter().for_each(|(name, kind)| yaml += &format!("          - {{name: {name}, data_type: '{kind}'}}\n"));
    Project::new().file("models/_sources.yml", yaml)
}

/// Two rows: a number, a text, a struct with a number.
pub(crate) fn batch() -> RecordBatch {
    let inner: ArrayRef = Arc::new(Int64Array::from(vec![10, 20]));
    let outer = StructArray::from(vec![(Arc::new(Field::new("n", DataType::Int64, true)), inner)]);
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let names: ArrayRef = Arc::new(StringArray::from(vec![Some("Phở"), None]));
    let columns = [("id", ids), ("name", names), ("s", Arc::new(outer) as ArrayRef)];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .expect("a batch")
}

pub(crate) fn parquet() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch().schema(), None).expect("a writer");
    writer.write(&batch()).expect("rows");
    writer.close().expect("a footer");
    bytes
}

pub(crate) fn arrow(stream: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    if stream {
        let mut writer = StreamWriter::try_new(&mut bytes, &batch().schema()).expect("a writer");
        writer.write(&batch()).expect("rows");
        writer.finish().expect("an end");
    } else {
        let mut writer = FileWriter::try_new(&mut bytes, &batch().schema()).expect("a writer");
        writer.write(&batch()).expect("rows");
        writer.finish().expect("an end");
    }
    bytes
}

pub(crate) fn avro() -> Vec<u8> {
    let schema = batch().schema().as_ref().clone();
    let mut writer = datafusion::arrow_avro::writer::AvroWriter::new(Vec::new(), schema).expect("a writer");
    writer.write(&batch()).expect("rows");
    writer.finish().expect("an end");
    writer.into_inner()
}

const JSON: &str = "{\"id\": 1, \"name\": \"Phở\", \"s\": {\"n\": 10}}\n{\"id\": 2, \"s\": {\"n\": 20}}\n";
const NESTED: &str = "select id, name, s.n as n, arrow_typeof(id) as kind from {{ source('lake', 't') }} order by id";

#[test]
fn nested_formats_infer_the_same_rows() {
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("a.json", JSON.into()),
        ("a.parquet", parquet()),
        ("a.arrow", arrow(false)),
        ("stream.arrow", arrow(true)),
        ("a.avro", avro()),
    ];
    for (name, bytes) in files {
        let project = source(&format!("lake/{name}"), &[], &[]).file(&format!("lake/{name}"), bytes);
        assert_eq!(project.table(NESTED), ["1|Phở|10|Int64", "2|null|20|Int64"], "{name}");
    }
}

#[test]
fn nested_formats_read_as_declared() {
    let columns = [("id", "integer"), ("s", "struct<n varchar>")];
    for (name, bytes) in
        [("a.json", JSON.into()), ("a.parquet", parquet()), ("a.avro", avro()), ("a.arrow", arrow(false))]
    {
        let project = source(&format!("lake/{name}"), &[], &columns).file(&format!("lake/{name}"), bytes);
        let sql = "select *, arrow_typeof(id) as kind from {{ source('lake', 't') }} order by 1";
        assert_eq!(project.table(sql), ["1|{\"n\":\"10\"}|Int32", "2|{\"n\":\"20\"}|Int32"], "{name}");
    }
}

#[test]
fn a_json_array_is_a_table_too() {
    let project = source("lake/a.json", &["json_form: array"], &[]).file("lake/a.json", "[{\"id\": 1},\n {\"id\": 2}]");
    assert_eq!(project.table("select sum(id) as s from {{ source('lake', 't') }}"), ["3"]);
}

#[test]
fn csv_with_its_options() {
    let project =
        source("lake/a.csv", &[], &[]).file("lake/a.csv", "id,day,note\n1,2022-04-01,\"a,\n\"\"b\"\"\"\n2,,\n");
    let rows =
        project.table("select id, day, note, arrow_typeof(day) as kind from {{ source('lake', 't') }} order by id");
    assert_eq!(rows, ["1|2022-04-01|a,\n\"b\"|Date32", "2|null|null|Date32"]);

    let options = ["options:", "  {header: false, delimiter: ';', quote: \"'\", null_value: NA, encoding: latin1}"];
    let project =
        source("lake/a.txt", &[&["file_format: csv"], &options[..]].concat(), &[("id", "bigint"), ("name", "varchar")])
            .file("lake/a.txt", b"1;'caf\xe9; x'\n2;NA\n");
    assert_eq!(project.table("select * from {{ source('lake', 't') }} order by id"), ["1|café; x", "2|null"]);

    let project = source("lake/a.tsv", &[], &[]).file("lake/a.tsv", "id\tname\n1\tx,y\n");
    assert_eq!(project.table("select * from {{ source('lake', 't') }}"), ["1|x,y"]);
}

#[test]
fn a_sheet_of_a_workbook() {
    let mut book = rust_xlsxwriter::Workbook::new();
    book.add_worksheet().set_name("Notes").and_then(|sheet| sheet.write(0, 0, "nothing")).expect("a sheet");
    let sheet = book.add_worksheet().set_name("Data").expect("a sheet");
    for (row, (id, name)) in [("id", "Tên"), ("1", "Phở"), ("2", "00123")].iter().enumerate() {
        match id.parse::<f64>() {
            Ok(number) => sheet.write(row as u32, 0, number).expect("a cell"),
            Err(_) => sheet.write(row as u32, 0, *id).expect("a cell"),
        };
        sheet.write(row as u32, 1, *name).expect("a cell");
    }
    let bytes = book.save_to_buffer().expect("a book");
    let sql = "select id, \"Tên\" as name, arrow_typeof(id) as kind from {{ source('lake', 't') }} order by id";
    let project = source("lake/a.xlsx", &["options: {sheet: Data}"], &[]).file("lake/a.xlsx", &bytes);
    assert_eq!(project.table(sql), ["1|Phở|Int64", "2|00123|Int64"]);
    let declared = source("lake/a.xlsx", &["options: {sheet: Data}"], &[("id", "double"), ("Tên", "varchar")]);
    assert_eq!(declared.file("lake/a.xlsx", &bytes).table(sql), ["1.0|Phở|Float64", "2.0|00123|Float64"]);
    let wrong = source("lake/a.xlsx", &["options: {sheet: Dta}"], &[]).file("lake/a.xlsx", &bytes);
    wrong.exits(1, &["show", "--inline", sql]).says(&["error[C5001]", "no sheet `Dta`", "`Data` exists"]);
}

#[test]
fn a_delta_table_of_another_project() {
    let other = Project::models(&[("orders", "{{ config(materialized='table') }} select 1 as id, 'Phở' as name")]);
    other.ok(&["build"]);
    let location = other.path("warehouse/main/orders").display().to_string();
    let project = source(&location, &["file_format: delta"], &[]);
    assert_eq!(project.table("select * from {{ source('lake', 't') }}"), ["1|Phở"]);
    other.write("models/orders.sql", "{{ config(materialized='table') }} select 2 as id, 'x' as name");
    other.ok(&["build"]);
    assert_eq!(project.table("select * from {{ source('lake', 't') }}"), ["2|x"]);
}
