//! The flagship job: the repository's own project on the lake of the clone.

use std::collections::BTreeMap;
use std::process::Command;

use crate::harness::{Project, bars, repository, skip};
use crate::publish_sqlite::sqlite_rows;

pub(crate) const MARTS: &[&str] =
    &["customer_content", "customer_behavior", "search_trend", "mart_totals", "mart_kpis", "mart_customer_360"];
/// The day of the run is a column of one model: pinned, so that runs compare.
pub(crate) const PINNED: &[&str] = &["--vars", "{etl_date: 2023-09-14}"];

fn build(project: &Project, more: &[&str]) {
    project.ok(&[&["build"], PINNED, more].concat());
}

/// All marts, sorted.
pub(crate) fn marts(project: &Project) -> BTreeMap<&'static str, Vec<String>> {
    MARTS.iter().map(|mart| (*mart, project.sorted(mart))).collect()
}

#[test]
fn a_build_fills_the_warehouse_and_the_destination_with_the_same_rows() {
    let project = Project::customer360();
    let output = project.ok(&["build"]);
    output.says(&["Published   ", "0 failed, 0 skipped"]);
    assert_eq!(output.stdout, "");
    for mart in MARTS {
        let sql = format!("select * from {{{{ ref('{mart}') }}}}");
        let mut here: Vec<String> = project.rows(&sql).iter().map(bars).collect();
        let mut there = sqlite_rows(&project.path("warehouse/bi.db"), &format!("select * from {mart}"));
        here.sort();
        there.sort();
        assert!(!here.is_empty(), "{mart}");
        assert_eq!(here, there, "{mart}");
    }
    let columns = "Contract, Total_Giai_tri, Total_Phim_truyen, Total_The_thao, Total_Thieu_nhi, Total_Truyen_hinh, \
                   TotalDevices, MostWatch, CustomerTaste, Activeness, CustomerType, TotalDuration, ActiveDays, Segment";
    let row = project.rows("select * from {{ ref('customer_content') }} limit 1").remove(0);
    let names: Vec<&str> = row.as_object().expect("a row").keys().map(String::as_str).collect();
    assert_eq!(names.join(", "), columns);
}

#[test]
fn marts_alone_are_rebuilt() {
    let project = Project::customer360();
    build(&project, &[]);
    let versions = |table: &str| project.versions(&format!("main/{table}"));
    let before = (versions("mart_totals"), versions("mart_kpis"), versions("customer_content"));
    let output = project.ok(&["build", "--select", "mart+"]);
    output.says(&["main.mart_totals", "main.mart_kpis", "main.mart_customer_360", "bi.mart_kpis"]);
    assert!(!output.stderr.contains("main.customer_content"), "{}", output.stderr);
    assert_eq!((versions("mart_totals"), versions("mart_kpis")), (before.0 + 1, before.1 + 1));
    assert_eq!(versions("customer_content"), before.2);
}

#[test]
fn every_way_of_building_gives_the_same_rows() {
    let project = Project::customer360();
    build(&project, &["--threads", "8"]);
    let expected = marts(&project);
    build(&project, &[]);
    assert_eq!(marts(&project), expected, "a second build");
    build(&project, &["--full-refresh", "--threads", "1"]);
    assert_eq!(marts(&project), expected, "a full refresh on one thread after a build on eight");

    let by_node = Project::customer360();
    by_node.ok(&["seed"]);
    let order = by_node.ok(&["build", "--dry-run", "--exclude", "resource_type:seed", "resource_type:test"]);
    let models: Vec<&str> = order.stdout.lines().filter(|line| !line.starts_with("publish")).collect();
    assert_eq!(models.len(), 11);
    for line in models {
        let name = line.split_whitespace().last().expect("a name");
        by_node.ok(&[&["run", "--select", name], PINNED].concat());
    }
    assert_eq!(marts(&by_node), expected, "node by node");
    for mart in MARTS {
        build(&by_node, &["--select", mart]);
        let count = sqlite_rows(&by_node.path("warehouse/bi.db"), &format!("select count(*) from {mart}"));
        assert_eq!(count, [expected[mart].len().to_string()], "{mart}");
    }
}

#[test]
fn the_workbook_gives_what_the_csv_gives() {
    let project = Project::customer360();
    let select = ["--select", "stg_keyword_mapping", "+search_trend"];
    build(&project, &select);
    let expected = project.sorted("search_trend");
    project.ok(&[&["build", "--vars", "{keyword_mapping_format: xlsx}"], &select[..]].concat());
    assert_eq!(project.sorted("search_trend"), expected);
}

#[test]
fn the_recorded_results_are_met() {
    let shared = std::env::var_os("C360_SHARED").map_or_else(|| repository().join("../shared"), Into::into);
    let check = shared.join("customer360/check");
    if !check.exists() {
        return skip(&format!("{} is not there", check.display()));
    }
    let python = Command::new("python3").args(["-c", "import numpy, pyarrow, openpyxl"]).output();
    if !python.is_ok_and(|output| output.status.success()) {
        return skip("python3 with numpy, pyarrow and openpyxl is not there");
    }
    let project = Project::customer360();
    let program = project.command(&[]);
    let mut command = Command::new("python3");
    command.arg(&check).arg("--c360").arg(program.get_program()).arg("--project").arg(project.path("."));
    let output = project.finish(&mut command);
    assert!(output.code == Some(0) && output.stdout.contains("6 passed, 0 failed"), "{}", output.all());
}
