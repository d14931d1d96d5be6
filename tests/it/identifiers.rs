//! Names: an unquoted one matches whatever its case, and the output keeps the case that the query spells.

use crate::harness::{Project, text};

fn shop() -> Project {
    let sql = "{{ config(materialized='table') }}\nselect 1 as \"CustomerId\", 'Phở' as name, \
               named_struct('Total', 5, 'inner', named_struct('Deep', 6)) as \"Stats\"";
    let project = Project::models(&[("Customers", sql)]);
    project.ok(&["build"]);
    project
}

fn names(project: &Project, sql: &str) -> Vec<String> {
    let row = project.rows(sql).remove(0);
    row.as_object().expect("a row").keys().cloned().collect()
}

#[test]
fn columns_match_in_any_case_and_keep_the_spelling_of_the_query() {
    let project = shop();
    let from = "from {{ ref('Customers') }}";
    assert_eq!(names(&project, &format!("select * {from}")), ["CustomerId", "name", "Stats"]);
    assert_eq!(names(&project, &format!("select CUSTOMERID, Name {from} where NAME = 'Phở'")), ["CUSTOMERID", "Name"]);
    assert_eq!(names(&project, &format!("select c.customerId as Id from (select * {from}) as C")), ["Id"]);
    assert_eq!(names(&project, &format!("select \"CustomerId\" {from}")), ["CustomerId"]);
    let sorted = format!(
        "with X as (select customerid as K, count(*) as N {from} group by CustomerID) select k from x order by n"
    );
    assert_eq!(names(&project, &sorted), ["k"]);
    let joined =
        format!("select a.name, B.NAME as other {from} a join {{{{ ref('Customers') }}}} b using (CUSTOMERID)");
    assert_eq!(names(&project, &joined), ["name", "other"]);
}

#[test]
fn fields_of_structs_match_in_any_case() {
    let project = shop();
    let sql = "select stats.TOTAL as a, STATS.Inner.deep as b, Customers.stats.total as c from {{ ref('Customers') }} as Customers";
    assert_eq!(project.table(sql), ["5|6|5"]);
    assert_eq!(names(&project, "select stats.TOTAL from {{ ref('Customers') }}"), ["TOTAL"]);
    let output = project.exits(2, &["show", "--inline", "select stats.totl from {{ ref('Customers') }}"]);
    output.says(&["error[C4004]", "totl"]);
}

#[test]
fn relations_match_in_any_case() {
    let project = shop();
    assert_eq!(project.table("select customerid from main.customers"), ["1"]);
    assert_eq!(project.table("select customerid from MAIN.CUSTOMERS"), ["1"]);
    assert_eq!(project.table("select customerid from CUSTOMERS"), ["1"]);
    assert_eq!(project.table("with Totals as (select 1 as x) select X from TOTALS"), ["1"]);
}

#[test]
fn a_name_with_two_meanings_is_refused() {
    let project = Project::new();
    let sql = "select id from (select 1 as \"Id\", 2 as \"ID\") as t";
    project.exits(2, &["show", "--inline", sql]).says(&["id", "Id", "ID"]);
    assert_eq!(project.table("select \"Id\", \"ID\" from (select 1 as \"Id\", 2 as \"ID\") as t"), ["1|2"]);
}

#[test]
fn a_table_keeps_the_case_that_its_query_spells() {
    let project = shop();
    project.write(
        "models/next.sql",
        "{{ config(materialized='table') }} select customerID, Name as NAME from {{ ref('Customers') }}",
    );
    project.ok(&["build", "--select", "next"]);
    assert_eq!(names(&project, "select * from {{ ref('next') }}"), ["customerID", "NAME"]);
    assert_eq!(text(&project.rows("select * from {{ ref('next') }}")[0]["NAME"]), "Phở");
}
