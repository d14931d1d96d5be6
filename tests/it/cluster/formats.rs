//! Every format of sources, read by executors: the same rows, the same rejects.

use std::fmt::Write as _;

use super::servers::count_files;
use super::{Cluster, Pair};
use crate::harness::{Project, bars, text};
use crate::source_formats::{arrow, avro, parquet};

/// The sources of one project: a format a table, some of them many files, so that a scan has many partitions.
fn lake() -> Project {
    let mut yaml = "sources:\n  - name: lake\n    tables:\n".to_string();
    for (name, location, more) in [
        ("json", "lake/json/*.json", ""),
        ("csv", "lake/csv/*.csv", ""),
        ("parquet", "lake/t.parquet", ""),
        ("arrow", "lake/t.arrow", ""),
        ("stream", "lake/stream.arrow", ""),
        ("avro", "lake/t.avro", ""),
        ("xlsx", "lake/t.xlsx", ""),
        ("array", "lake/array.json", "          json_form: array\n"),
        ("delta", "other", "          file_format: delta\n"),
        (
            "days",
            "lake/json/*.json",
            "          path_columns:\n            - {name: day, pattern: '(\\d{8})\\.json$', data_type: date, format: '%Y%m%d'}\n",
        ),
    ] {
        let _ = write!(yaml, "      - name: {name}\n        external:\n          location: {location}\n{more}");
    }
    let mut project = Project::new()
        .file("models/_sources.yml", yaml)
        .file("lake/t.parquet", parquet())
        .file("lake/t.arrow", arrow(false))
        .file("lake/stream.arrow", arrow(true))
        .file("lake/t.avro", avro())
        .file("lake/t.xlsx", workbook())
        .file("lake/array.json", "[{\"id\": 1, \"name\": \"a\"},\n {\"id\": 2, \"name\": null}]");
    for day in 1..=9 {
        let lines: String =
            (1..=50).map(|n| format!("{{\"id\": {n}, \"name\": \"n{n}\", \"s\": {{\"n\": {day}}}}}\n")).collect();
        project = project.file(&format!("lake/json/2022060{day}.json"), lines);
        project = project.file(&format!("lake/csv/{day}.csv"), format!("id,name\n{day},Phở\n{},\n", day + 10));
    }
    let other = Project::models(&[(
        "orders",
        "{{ config(materialized='table') }} select value as id, 'x' || value as name from generate_series(1, 1000)",
    )]);
    other.ok(&["build"]);
    copy(&other.path("warehouse/main/orders"), &project.path("other"));
    project
}

fn workbook() -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (row, (id, name)) in [("id", "name"), ("1", "a"), ("2", "b")].iter().enumerate() {
        let row = row as u32;
        let cell = match id.parse::<f64>() {
            Ok(number) => sheet.write(row, 0, number),
            Err(_) => sheet.write(row, 0, *id),
        };
        cell.expect("a cell").write(row, 1, *name).expect("a cell");
    }
    book.save_to_buffer().expect("a book")
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).expect("a folder");
        std::fs::read_dir(from)
            .expect("a folder")
            .flatten()
            .for_each(|entry| copy(&entry.path(), &to.join(entry.file_name())));
    } else {
        std::fs::copy(from, to).expect("a copy");
    }
}

const FORMATS: &[&str] = &["json", "csv", "parquet", "arrow", "stream", "avro", "xlsx", "array", "delta"];

/// One table a format; one of all formats together, which counts double what an executor reads twice; one that a join makes.
fn models(project: Project) -> Project {
    let project = FORMATS.iter().fold(project, |project, name| {
        let sql = format!("{{{{ config(materialized='table') }}}} select * from {{{{ source('lake', '{name}') }}}}");
        project.file(&format!("models/t_{name}.sql"), sql)
    });
    let parts = FORMATS.iter().map(|name| {
        format!("select '{name}' as format, cast(id as bigint) as id, cast(name as varchar) as name from {{{{ source('lake', '{name}') }}}}")
    });
    let all = parts.collect::<Vec<_>>().join("\nunion all\n");
    project
        .file("models/everything.sql", format!("{{{{ config(materialized='table') }}}}\n{all}"))
        .file(
            "models/counts.sql",
            "{{ config(materialized='table') }} select format, count(*) as n, count(name) as names, sum(id) as ids \
             from {{ ref('everything') }} group by format",
        )
        .file(
            "models/joined.sql",
            "{{ config(materialized='table') }} select j.id, x.name as sheet, d.name as delta, p.s.n as n, count(*) as n_rows \
             from {{ source('lake', 'json') }} j join {{ source('lake', 'xlsx') }} x on j.id = x.id \
             left join {{ source('lake', 'delta') }} d on d.id = j.id \
             left join {{ source('lake', 'parquet') }} p on p.id = j.id group by all",
        )
        .file(
            "models/june.sql",
            "{{ config(materialized='table') }} select day, count(*) as n, min(s.n) as low, max(s.n) as high \
             from {{ source('lake', 'days') }} where day between date '2022-06-03' and date '2022-06-05' group by day",
        )
}

#[test]
fn every_format_gives_the_same_rows() {
    let cluster = Cluster::start();
    let pair = Pair::new(&cluster, || models(lake()));
    pair.ok(&["build"]);
    let tables: Vec<String> = FORMATS.iter().map(|name| format!("t_{name}")).collect();
    pair.same(&tables.iter().map(String::as_str).collect::<Vec<_>>());
    let found = pair.same(&["everything", "counts", "joined", "june"]);
    assert_eq!(found["june"], ["2022-06-03|50|3|3", "2022-06-04|50|4|4", "2022-06-05|50|5|5"]);
    let counts = ["array|2|1|3", "arrow|2|1|3", "avro|2|1|3", "csv|18|9|180", "delta|1000|1000|500500"];
    assert_eq!(found["counts"][..5], counts);
    assert!(cluster.jobs() > FORMATS.len(), "{}", cluster.logs());
}

/// Six files with two good records and two bad ones each, and a table of them.
pub(super) fn orders(policy: &str) -> Project {
    let mut project = Project::new()
        .file(
            "models/_sources.yml",
            format!(
                "sources:\n  - name: lake\n    tables:\n      - name: orders\n        external:\n          \
                 location: lake/*.json\n          {policy}\n        columns:\n          - {{name: id, data_type: bigint}}\n"
            ),
        )
        .file("models/orders.sql", "{{ config(materialized='table') }} select * from {{ source('lake', 'orders') }}");
    for file in 1..=6 {
        let lines = format!("{{\"id\": {file}1}}\n{{\"id\": \"x{file}\"}}\n{{\"id\": {file}2}}\nnot json {file}\n");
        project = project.file(&format!("lake/{file}.json"), lines);
    }
    project
}

#[test]
fn rejected_records_come_back() {
    let cluster = Cluster::start();
    let pair = Pair::new(&cluster, || orders("bad_records: quarantine"));
    for project in [&pair.here, &pair.there] {
        project.ok(&["build"]).says(&["12 records", "quarantine.lake__orders"]);
    }
    assert_eq!(pair.same(&["orders"])["orders"].len(), 12);
    let kept = |project: &Project| {
        let rows = project.rows("select * from quarantine.lake__orders order by file, line");
        let place = |row: &serde_json::Value| {
            let file = text(&row["file"]);
            let name = file.rsplit('/').next().unwrap_or_default().to_string();
            format!("{name}:{}|{}|{}|{}", row["line"], text(&row["text"]), text(&row["reason"]), text(&row["source"]))
        };
        rows.iter().map(place).collect::<Vec<_>>()
    };
    assert_eq!(kept(&pair.there), kept(&pair.here));
    assert_eq!(kept(&pair.there).len(), 12);
    // A mended lake empties the quarantine.
    for file in 1..=6 {
        pair.write(&format!("lake/{file}.json"), "{\"id\": 1}\n");
    }
    pair.ok(&["build"]);
    assert_eq!(pair.same_rows("select * from quarantine.lake__orders"), [""; 0]);
    assert_eq!(count_files(&pair.there.path("warehouse/_c360"), "json"), 0, "what was on its way is removed");
}

#[test]
fn dropped_records_are_counted_and_a_border_is_a_border() {
    let cluster = Cluster::start();
    let project = orders("bad_records: drop").on_cluster(&cluster.url());
    project.ok(&["build"]).says(&["lake.orders", "12 records"]);
    assert_eq!(project.table("select count(*) as n from {{ ref('orders') }}"), ["12"]);
    let project = orders("bad_records: quarantine\n          max_bad_records: 11").on_cluster(&cluster.url());
    project.exits(1, &["build"]).says(&["error[C5003]", "lake.orders"]);
    assert_eq!(project.versions("main/orders"), 0);
}

#[test]
fn a_bad_record_has_its_place() {
    let cluster = Cluster::start();
    let project = orders("bad_records: fail").on_cluster(&cluster.url());
    let output = project.exits(1, &["build"]);
    output.says(&["error[C5002]", "orders"]);
    let lake = project.path("lake").display().to_string();
    let place = regex::Regex::new(&format!(r"{}/[1-6]\.json:2\b", regex::escape(&lake))).expect("a pattern");
    assert!(place.is_match(&output.stderr), "{}", output.stderr);
    for noise in ["DataFusionError", "External(", "Status {", "Job "] {
        assert!(!output.stderr.contains(noise), "{noise}\n{}", output.stderr);
    }
    assert_eq!(project.versions("main/orders"), 0);
}

#[test]
fn rows_of_a_source_are_shown() {
    let cluster = Cluster::start();
    let project = models(lake()).on_cluster(&cluster.url());
    let rows = project.rows("select id, s.n as n from {{ source('lake', 'json') }} where id = 7 order by n");
    assert_eq!(rows.iter().map(bars).collect::<Vec<_>>(), (1..=9).map(|n| format!("7|{n}")).collect::<Vec<_>>());
    assert!(cluster.jobs() > 0, "{}", cluster.logs());
}
