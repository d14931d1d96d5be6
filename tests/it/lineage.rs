//! Column lineage: the golden lineage of the repository's own project, `lineage`, selection by column, tags and
//! descriptions that flow, `diff`.

use serde_json::Value as Json;

use crate::harness::{Project, text};

/// A project in which everything happens: a file with a struct, an ephemeral model, a view, a mart that is published,
/// an exposure.
fn shop() -> Project {
    Project::new()
        .file("lake/events.json", "{\"doc\": {\"Mail\": \"ann@example.com\", \"Seconds\": 3}, \"day\": 1}\n")
        .file(
            "models/sources.yml",
            "\
sources:
  - name: lake
    tables:
      - name: events
        external: {location: lake/events.json, file_format: json}
        columns:
          - name: doc
            data_type: 'struct<\"Mail\" varchar, \"Seconds\" bigint>'
            meta: {c360: {fields: {Mail: {tags: [pii], description: Where the user gets letters.}}}}
          - {name: day, data_type: bigint, description: The day.}
models:
  - name: totals
    columns:
      - {name: seconds, description: All seconds.}
  - name: people
    columns:
      - {name: hashed, meta: {c360: {drop_tags: [pii]}}}
exposures:
  - name: weekly
    type: dashboard
    owner: {name: Analysts}
    depends_on: [ref('totals')]
",
        )
        .file(
            "models/events.sql",
            "select doc.Mail as mail, doc.Seconds as seconds, day as event_day from {{ source('lake', 'events') }}",
        )
        .file(
            "models/recent.sql",
            "{{ config(materialized='ephemeral') }}\nselect * from {{ ref('events') }} where event_day > 0",
        )
        .file(
            "models/totals.sql",
            "{{ config(materialized='table', publish='bi') }}\n\
             select event_day, sum(seconds) as seconds from {{ ref('recent') }} group by event_day",
        )
        .file(
            "models/people.sql",
            "{{ config(materialized='table') }}\n\
             select lower(mail) as mail, md5(mail) as hashed, event_day from {{ ref('events') }}",
        )
}

fn inputs(column: &Json) -> Vec<String> {
    let one = |input: &Json| {
        let path: String =
            input["path"].as_array().into_iter().flatten().map(|step| format!(".{}", text(step))).collect();
        format!("{} {}.{}{path}", text(&input["kind"]), text(&input["node"]), text(&input["column"]))
    };
    column.as_array().into_iter().flatten().map(one).collect()
}

/// A lineage as lines, without what changes from run to run.
fn lines(lineage: &Json) -> String {
    let mut out = String::new();
    for (id, node) in lineage["nodes"].as_object().expect("nodes") {
        out.push_str(&format!("{id}\n"));
        for (name, column) in node["columns"].as_object().expect("columns") {
            let null = if column["nullable"] == true { "" } else { " not null" };
            let made = column["expression"].as_str().map(|made| format!(" = {made}")).unwrap_or_default();
            out.push_str(&format!("  {name} {}{null}{made}\n", text(&column["type"])));
            for input in inputs(&column["inputs"]) {
                out.push_str(&format!("    {input}\n"));
            }
            if let Some(from) = column["description"]["from"].as_str() {
                out.push_str(&format!("    described by {from}\n"));
            }
            for (tag, from) in column["tags"].as_object().into_iter().flatten() {
                out.push_str(&format!("    tag {tag} of {}\n", text(from)));
            }
        }
        let rows = inputs(&node["indirect"]);
        if !rows.is_empty() {
            out.push_str(&format!("  rows: {}\n", rows.join(", ")));
        }
    }
    for (id, why) in lineage["unknown"].as_object().expect("unknown") {
        out.push_str(&format!("unknown {id}: {}\n", text(why)));
    }
    out
}

#[test]
fn every_column_of_customer360_is_traced() {
    let project = Project::customer360();
    // The day of the run is a constant of one column.
    project.ok(&["lineage", "--vars", "{etl_date: '2023-09-14'}"]);
    insta::assert_snapshot!(lines(&project.json("target/c360/lineage.json")));
}

#[test]
fn the_file_says_what_made_it_and_is_the_same_each_time() {
    let project = shop();
    project.ok(&["lineage"]);
    let mut first = project.json("target/lineage.json");
    project.ok(&["lineage"]);
    let mut second = project.json("target/lineage.json");
    assert_eq!(first["metadata"]["schema_version"], "c360/lineage/v1");
    for key in ["generated_at", "invocation_id"] {
        assert_ne!(first["metadata"][key], second["metadata"][key], "{key}");
        first["metadata"][key] = Json::Null;
        second["metadata"][key] = Json::Null;
    }
    assert_eq!(first.to_string(), second.to_string());
    insta::assert_snapshot!(lines(&first));
}

#[test]
fn check_writes_the_lineage_of_the_whole_project_alone() {
    let project = shop();
    project.ok(&["check", "--select", "totals"]);
    assert!(!project.path("target/lineage.json").exists());
    project.ok(&["check"]);
    assert!(project.json("target/lineage.json")["nodes"]["model.shop.totals"].is_object());
}

#[test]
fn chains_are_trees() {
    let project = shop();
    let mut out = String::new();
    let cases: [&[&str]; 4] = [
        &["totals.seconds"],
        &["lake.events.doc.Mail", "--downstream"],
        &["events.seconds", "--downstream"],
        &["totals"],
    ];
    for args in cases {
        let output = project.run(&[&["lineage"][..], args].concat());
        out.push_str(&format!("$ c360 lineage {}\n{}{}\n", args.join(" "), output.stdout, output.stderr));
    }
    insta::assert_snapshot!(out);
}

#[test]
fn what_is_not_there_is_told_with_what_is() {
    let project = shop();
    project.exits(2, &["lineage", "totls.seconds"]).says(&[
        "C1010",
        "there is no node `totls.seconds`",
        "`totals` exists",
    ]);
    let output = project.exits(2, &["lineage", "totals.secnds"]);
    output.says(&["C4004", "`totals` has no column `secnds`", "`seconds` was probably meant"]);
    project.write("models/people.sql", "select nothing from {{ ref('events') }}");
    let output = project.exits(2, &["lineage", "people.mail"]);
    output.says(&["the columns of `people` are not known", "c360 check"]);
}

#[test]
fn selection_by_column_follows_the_column() {
    let project = shop();
    let selected = |expression: &str| {
        let output =
            project.ok(&["ls", "--select", expression, "--resource-type", "model", "source", "--output", "name"]);
        output.stdout.lines().map(str::to_string).collect::<Vec<_>>()
    };
    assert_eq!(selected("column:events.seconds"), ["events"]);
    assert_eq!(selected("column:events.seconds+"), ["events", "recent", "totals"]);
    assert_eq!(selected("column:events.seconds+1"), ["events", "recent"]);
    assert_eq!(selected("column:events.mail+"), ["events", "people", "recent"]);
    assert_eq!(selected("+column:totals.seconds"), ["events", "lake.events", "recent", "totals"]);
    // The day decides about rows of totals; its value goes to people.
    assert_eq!(selected("column:*.doc+,people"), ["people"]);
    assert_eq!(selected("column.all:people.event_day+"), ["people"]);
    assert_eq!(selected("column.all:lake.events.day+,totals"), ["totals"]);
    let output = project.exits(2, &["ls", "--select", "column:events.secnds+"]);
    output.says(&["C2009", "`events` has no column `secnds`", "`seconds` exists"]);
    // What was written before is not believed.
    project.ok(&["lineage"]);
    project.edit("models/totals.sql", "sum(seconds)", "count(mail)");
    assert_eq!(selected("column:events.mail+"), ["events", "people", "recent", "totals"]);
    assert_eq!(selected("column:events.seconds+"), ["events", "recent"]);
}

#[test]
fn a_forbidden_tag_is_an_error_with_its_chain() {
    let project = shop();
    let policy = "vars:\n  forbid_tags: {published: [pii], 'people': [pii]}\n";
    project.write("dbt_project.yml", format!("{}{policy}", project.read("dbt_project.yml")));
    let output = project.exits(2, &["check"]);
    insta::assert_snapshot!(project.scrub(&output.stderr));
    // What is left out, counted or declared as harmless is no error.
    project.edit("models/people.sql", "lower(mail) as mail", "count(mail) over () as mails");
    project.ok(&["check"]);
    project.edit("dbt_project.yml", "published: [pii]", "published: 3");
    project.exits(2, &["check"]).says(&["C1004", "forbid_tags"]);
}

/// The state of `project` as `c360 diff` wants it.
fn keep(project: &Project) {
    project.ok(&["parse"]);
    project.ok(&["lineage"]);
    for name in ["manifest.json", "lineage.json"] {
        project.write(&format!("before/{name}"), project.read(&format!("target/{name}")));
    }
}

#[test]
fn a_diff_says_what_breaks_first() {
    let project = shop();
    keep(&project);
    assert!(project.ok(&["diff", "--state", "before"]).stdout.contains("Nothing"));
    project.edit("models/events.sql", "doc.Seconds as seconds", "cast(doc.Seconds as varchar) as seconds");
    project.edit(
        "models/totals.sql",
        "sum(seconds) as seconds",
        "sum(cast(seconds as bigint)) as total, count(*) as events",
    );
    project.edit("models/people.sql", "md5(mail) as hashed, ", "");
    project.write("models/extra.sql", "select 1 as one");
    let markdown = project.ok(&["diff", "--state", "before"]).stdout;
    insta::assert_snapshot!(markdown);
    let found = project.ok(&["diff", "--state", "before", "--output", "json"]).stdout;
    let found: Json = serde_json::from_str(&found).expect("JSON");
    assert_eq!(found["nodes"]["model.shop.extra"]["change"], "added");
    assert_eq!(found["exposures"]["exposure.shop.weekly"]["breaking"], true);
    let gone = &found["nodes"]["model.shop.people"]["columns"][0];
    assert_eq!(
        (text(&gone["name"]), text(&gone["change"]), &gone["breaking"]),
        ("hashed".into(), "removed".into(), &Json::Bool(true))
    );
}

#[test]
fn a_diff_follows_values_and_rows_downstream() {
    let project = shop();
    keep(&project);
    // A constant of a filter is in no lineage, and still other rows come.
    project.edit("models/recent.sql", "event_day > 0", "event_day > 7");
    insta::assert_snapshot!(project.ok(&["diff", "--state", "before"]).stdout);
    project.edit("models/recent.sql", "event_day > 7", "event_day > 0");
    std::fs::remove_file(project.path("models/people.sql")).expect("the file was there");
    insta::assert_snapshot!(project.ok(&["diff", "--state", "before"]).stdout);
}

#[test]
fn a_diff_needs_the_other_state() {
    let project = shop();
    project.exits(2, &["diff"]).says(&["C1010", "--state"]);
    project.exits(2, &["diff", "--state", "nowhere"]).says(&["C1010", "has no manifest.json"]);
    project.ok(&["parse"]);
    project.write("before/manifest.json", project.read("target/manifest.json"));
    project.exits(2, &["diff", "--state", "before"]).says(&["has no lineage.json", "c360 lineage"]);
    project.write("before/lineage.json", "{");
    project.exits(2, &["diff", "--state", "before"]).says(&["C1009", "lineage.json"]);
}
