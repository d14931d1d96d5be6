//! Records that cannot be read: kept, dropped or refused, and never silent.

use crate::harness::{Project, bars, text};

const DIRTY: &str = "{content_folder: log_content_dirty}";
const STAGED: &str = "select * from {{ ref('stg_log_content') }}";
const KEPT: &str = "select * from quarantine.lake__log_content order by line";

/// One source of JSON lines, read by one table.
fn orders(policy: &str, lines: &str) -> Project {
    Project::new()
        .file(
            "models/_sources.yml",
            format!(
                "sources:\n  - name: lake\n    tables:\n      - name: orders\n        external:\n          \
                 location: lake/*.json\n{policy}        columns:\n          - {{name: id, data_type: bigint}}\n          \
                 - {{name: amount, data_type: double}}\n"
            ),
        )
        .file("models/orders.sql", "select * from {{ source('lake', 'orders') }}")
        .file("models/_models.yml", "models:\n  - name: orders\n    config: {materialized: table}\n")
        .file("lake/a.json", lines)
}

const GOOD: &str = "{\"id\": 1, \"amount\": 1.5}\n{\"id\": 2, \"amount\": 2}\n";
const MIXED: &str = "{\"id\": 1, \"amount\": 1.5}\n{\"id\": \"x\"}\n{\"id\": 2, \"amount\": 2}\nnot json\n";

/// The lines of the dirty day that are no records. What else was mixed in reads: an object without fields, one without a
/// `_source`, a whole number that is spelled as a fraction.
const BROKEN: &[(u64, &str)] = &[
    (8, "the text ends inside a string"),
    (34, "no JSON object"),
    (47, "\"12x\" is no number"),
    (99, "the text is not valid UTF-8"),
    (112, "there is more text after the object"),
];

#[test]
fn the_dirty_lake_loses_nothing() {
    let project = Project::customer360();
    let clean = project.read("data/lake/log_content/20220415.json");
    let dirty = std::fs::read(project.path("data/lake/log_content_dirty/20220415.json")).expect("a file");
    let dirty = String::from_utf8_lossy(&dirty).into_owned();
    let lines: Vec<&str> = dirty.lines().collect();
    let output = project.ok(&["build", "--vars", DIRTY]);
    output.says(&["Quarantined lake.log_content  5 records", "quarantine.lake__log_content"]);
    let kept = project.rows(KEPT);
    let found: Vec<(u64, String)> =
        kept.iter().map(|row| (row["line"].as_u64().expect("a line"), text(&row["reason"]))).collect();
    let expected: Vec<(u64, String)> = BROKEN.iter().map(|(line, reason)| (*line, reason.to_string())).collect();
    assert_eq!(found, expected);
    for row in &kept {
        assert!(text(&row["file"]).ends_with("log_content_dirty/20220415.json"), "{row}");
        assert_eq!(text(&row["text"]), lines[row["line"].as_u64().expect("a line") as usize - 1]);
        assert_eq!(text(&row["source"]), "lake.log_content");
    }
    // What is no blank line is a row or is kept; the clean day's rows are all there.
    let staged = |vars: &str| {
        project.ok(&["run", "--select", "stg_log_content", "--vars", vars]);
        let mut rows: Vec<_> = project.rows_with(STAGED, &["--vars", vars]).iter().map(bars).collect();
        rows.sort();
        rows
    };
    let rows = staged(DIRTY);
    assert_eq!(rows.len() + kept.len(), lines.iter().filter(|line| !line.trim().is_empty()).count());
    let good = staged("{content_start: 2022-04-15, content_end: 2022-04-15}");
    assert_eq!(good.len(), clean.lines().count());
    let mut rest = rows;
    for row in &good {
        let at = rest.iter().position(|other| other == row);
        rest.remove(at.unwrap_or_else(|| panic!("lost: {row}")));
    }
    rest.sort();
    assert_eq!(
        rest,
        ["2022-04-15|HNH000001|null|1500|VOD", "2022-04-15|null|null|null|null", "2022-04-15|null|null|null|null"]
    );
}

#[test]
fn a_mended_file_leaves_the_quarantine() {
    let project = orders("          bad_records: quarantine\n", MIXED);
    project.ok(&["build"]).says(&["2 records", "quarantine.lake__orders"]);
    assert_eq!(project.table("select id, amount from {{ ref('orders') }} order by id"), ["1|1.5", "2|2.0"]);
    let sql = "select source, line, text from quarantine.lake__orders order by line";
    assert_eq!(project.table(sql), ["lake.orders|2|{\"id\": \"x\"}", "lake.orders|4|not json"]);
    project.write("lake/b.json", "[]\n");
    project.ok(&["build"]).says(&["3 records"]);
    project.write("lake/a.json", GOOD);
    project.write("lake/b.json", "{\"id\": 3}\n");
    let output = project.ok(&["build"]);
    assert!(!output.stderr.contains("Quarantined"), "{}", output.stderr);
    assert_eq!(project.table(sql), [""; 0]);
    assert_eq!(project.table("select count(*) as n from {{ ref('orders') }}"), ["3"]);
}

#[test]
fn fail_names_the_line_and_leaves_the_table() {
    let project = orders("          bad_records: fail\n", GOOD);
    project.ok(&["build"]);
    let before = (project.versions("main/orders"), project.sorted("orders"));
    project.write("lake/a.json", MIXED);
    let output = project.exits(1, &["build"]);
    let place = format!("{}:2", project.path("lake/a.json").display());
    output.says(&["error[C5002]", &place, "orders"]);
    assert_eq!((project.versions("main/orders"), project.sorted("orders")), before);
}

#[test]
fn records_fail_unless_it_is_said_otherwise() {
    let project = orders("", MIXED);
    project.exits(1, &["build"]).says(&["error[C5002]"]);
}

#[test]
fn dropped_records_are_counted_and_kept_nowhere() {
    let project = orders("          bad_records: drop\n", MIXED);
    project.ok(&["build"]).says(&["lake.orders", "2 records"]);
    assert_eq!(project.table("select count(*) as n from {{ ref('orders') }}"), ["2"]);
    project.exits(2, &["show", "--inline", "select * from quarantine.lake__orders"]).says(&["C4006"]);
}

#[test]
fn max_bad_records_is_a_border() {
    for policy in ["drop", "quarantine"] {
        let settings = |most: u8| format!("          bad_records: {policy}\n          max_bad_records: {most}\n");
        orders(&settings(2), MIXED).ok(&["build"]);
        let project = orders(&settings(1), MIXED);
        project.exits(1, &["build"]).says(&["error[C5003]", "lake.orders"]);
        assert_eq!(project.versions("main/orders"), 0);
    }
}
