//! Which files a source reads, what their paths say, and what happens when they don't fit.

use crate::harness::Project;
use crate::source_formats::source;

const ALL: &str = "select * from {{ source('lake', 't') }} order by 1";

/// What a query on the source says when it fails with `code`.
fn refusal(project: &Project, code: i32) -> String {
    let output = project.exits(code, &["show", "--inline", ALL]);
    project.scrub(&output.stderr)
}

#[test]
fn folders_globs_and_nested_folders() {
    for location in ["lake", "lake/**/*.json", "'lake/*/{a,b}.json'", "'lake/20220[45]/?.json'"] {
        let project = source(location, &["file_format: json"], &[])
            .file("lake/202204/a.json", "{\"id\": 1}\n")
            .file("lake/202205/b.json", "{\"id\": 2}\n")
            .file("lake/_SUCCESS", "")
            .file("lake/.hidden.json", "no");
        assert_eq!(project.table(ALL), ["1", "2"], "{location}");
    }
}

const DAYS: &[&str] = &[
    "file_format: json",
    "path_columns:",
    "  - {name: log_date, pattern: '(\\d{8})\\.json$', data_type: date, format: '%Y%m%d'}",
];

#[test]
fn a_filter_on_a_path_column_opens_the_days_it_needs() {
    // The other days cannot be read at all: a scan that opened one of them would fail.
    let project = source("lake/*.json", DAYS, &[("id", "bigint")])
        .file("lake/20220401.json", "{\"id\": 1}\n")
        .file("lake/20220402.json", "{\"id\": 2}\n")
        .file("lake/20220331.json", "broken\n")
        .file("lake/20220403.json", "broken\n");
    let days = |filter: &str| {
        project.table(&format!("select log_date, id from {{{{ source('lake', 't') }}}} where {filter} order by 1"))
    };
    assert_eq!(days("log_date = date '2022-04-01'"), ["2022-04-01|1"]);
    assert_eq!(days("log_date = '2022-04-02'"), ["2022-04-02|2"]);
    let both = ["2022-04-01|1", "2022-04-02|2"];
    assert_eq!(days("log_date between '2022-04-01' and '2022-04-02'"), both);
    assert_eq!(days("LOG_DATE in (date '2022-04-01', date '2022-04-02') and id > 0"), both);
    assert_eq!(days("date_part('day', log_date) < 3"), both);
    project.exits(1, &["show", "--inline", ALL]).says(&["C5002", "broken", ":1"]);
    project.write("models/days.sql", "select * from {{ source('lake', 't') }}");
    project.ok(&["build"]);
    let through_a_view =
        "select count(*) as n from {{ ref('days') }} where log_date < '2022-04-03' and log_date > '2022-03-31'";
    assert_eq!(project.table(through_a_view), ["2"]);
}

#[test]
fn folders_named_key_value_are_columns() {
    let more = ["file_format: csv", "path_columns:", "  - {name: month, data_type: int}", "  - {name: city}"];
    let project = source("lake", &more, &[])
        .file("lake/month=6/city=Hà Nội/a.csv", "id\n1\n")
        .file("lake/month=7/city=Huế/a.csv", "id\n2\n");
    assert_eq!(project.table(ALL), ["1|6|Hà Nội", "2|7|Huế"]);
    assert_eq!(project.table("select id from {{ source('lake', 't') }} where month + 1 = 8"), ["2"]);
}

#[test]
fn a_path_that_does_not_spell_its_column() {
    let project = source("lake/*.json", DAYS, &[("id", "bigint")]).file("lake/2022-04.json", "{\"id\": 1}\n");
    insta::assert_snapshot!(refusal(&project, 1));
}

#[test]
fn files_that_are_missing() {
    let text = |location: &str| refusal(&source(location, &[], &[]).file("lake/a.json", "{}"), 1);
    insta::assert_snapshot!("a_missing_file", text("lake/b.json"));
    insta::assert_snapshot!("an_empty_glob", text("lake/*.csv"));
    insta::assert_snapshot!("a_missing_folder", text("lakes/2022/*.json"));
}

#[test]
fn a_missing_file_fails_the_build_and_names_itself() {
    let project = source("lake/*.json", &[], &[])
        .file("models/m.sql", "{{ config(materialized='table') }} select * from {{ source('lake', 't') }}")
        .file("models/other.sql", "select 1 as x");
    project.exits(1, &["build"]).says(&["C5001", "lake/*.json", "1 built", "1 failed"]);
}

#[test]
fn a_column_that_changes_its_type_between_files() {
    let files = |project: Project| {
        project
            .file("lake/a.json", "{\"id\": 1, \"at\": {\"x\": 1}}\n")
            .file("lake/b.json", "{\"id\": 2, \"at\": \"here\"}\n")
    };
    insta::assert_snapshot!(refusal(&files(source("lake/*.json", &[], &[])), 1));
    // Declared, the record that does not fit is the one that fails, and the others can be kept.
    let columns = [("id", "bigint"), ("at", "struct<x bigint>")];
    let declared = files(source("lake/*.json", &["bad_records: quarantine"], &columns));
    assert_eq!(declared.table("select id, at.x as x from {{ source('lake', 't') }}"), ["1|1"]);
    // Numbers widen.
    let project = source("lake/*.csv", &[], &[]).file("lake/a.csv", "id\n1\n").file("lake/b.csv", "id\n2.5\n");
    assert_eq!(project.table(ALL), ["1.0", "2.5"]);
}

#[test]
fn headers_are_read_by_name() {
    let declared = || source("lake/*.csv", &[], &[("id", "bigint"), ("name", "varchar")]);
    let project = declared()
        .file("lake/a.csv", "id,name\n1,x\n")
        .file("lake/b.csv", "name,id\ny,2\n")
        .file("lake/c.csv", "ID,extra,NAME\n3,w,z\n");
    assert_eq!(project.table(ALL), ["1|x", "2|y", "3|z"]);
    let project = declared().file("lake/a.csv", "id,name\n1,x\n").file("lake/b.csv", "id,label\n2,y\n");
    insta::assert_snapshot!("a_header_that_lacks_a_column", refusal(&project, 1));
}

#[test]
fn declarations_that_cannot_be_right() {
    let text = |location: &str, more: &[&str], columns: &[(&str, &str)]| {
        refusal(&source(location, more, columns).file("lake/a.json", "{\"id\": 1}\n"), 2)
    };
    insta::assert_snapshot!("an_unknown_format", text("lake/a.json", &["file_format: jsno"], &[]));
    insta::assert_snapshot!("a_format_that_nobody_said", text("lake", &[], &[]));
    insta::assert_snapshot!("an_unknown_type", text("lake/a.json", &[], &[("id", "bigit")]));
    insta::assert_snapshot!("an_unknown_policy", text("lake/a.json", &["bad_records: ignore"], &[]));
    insta::assert_snapshot!(
        "a_pattern_that_is_none",
        text("lake/a.json", &["path_columns:", "  - {name: d, pattern: '('}"], &[])
    );
}

#[test]
fn compressed_files_are_read() {
    // `{"id": 7}` and a line break, as gzip -n writes them.
    let bytes: &[u8] = &[
        0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0x03, 0xab, 0x56, 0xca, 0x4c, 0x51, 0xb2, 0x52, 0x30, 0xaf, 0xe5, 0x02,
        0x00, 0xce, 0xd9, 0xde, 0xab, 0x0a, 0, 0, 0,
    ];
    let project = source("lake/*.json.gz", &[], &[]).file("lake/a.json.gz", bytes);
    assert_eq!(project.table(ALL), ["7"]);
}
