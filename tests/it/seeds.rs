//! Seeds: files of the project as tables.

use crate::harness::Project;

fn seed(csv: &str, yaml: &str) -> Project {
    let project = Project::new().file("seeds/s.csv", csv);
    if !yaml.is_empty() {
        project.write("seeds/_s.yml", yaml);
    }
    project
}

fn types(project: &Project, columns: &str) -> Vec<String> {
    let list: Vec<String> = columns.split(' ').map(|name| format!("arrow_typeof({name}) as {name}")).collect();
    project.table(&format!("select {} from {{{{ ref('s') }}}} limit 1", list.join(", ")))
}

#[test]
fn types_are_inferred() {
    let project = seed("id,name,price,day,ok,code\n1,Phở,1.5,2022-04-01,true,007\n2,,,,,08x\n", "");
    project.ok(&["seed"]);
    assert_eq!(
        project.table("select * from {{ ref('s') }} order by id"),
        ["1|Phở|1.5|2022-04-01|true|007", "2|null|null|null|null|08x"]
    );
    let types = types(&project, "id name price day ok code");
    assert_eq!(types, ["Int64|Utf8|Float64|Date32|Boolean|Utf8"].map(|text| text.replace("Utf8", &utf8(&project))));
}

/// The text type that tables give.
fn utf8(project: &Project) -> String {
    project.table("select arrow_typeof(name) as t from {{ ref('s') }} limit 1").remove(0)
}

#[test]
fn types_are_what_column_types_says() {
    let yaml = "seeds:\n  - name: s\n    config:\n      column_types: {id: varchar, PRICE: 'decimal(10, 2)', n: int}\n";
    let project = seed("id,price,n\n007,1.5,3\n", yaml);
    project.ok(&["seed"]);
    assert_eq!(project.table("select id from {{ ref('s') }}"), ["007"]);
    assert_eq!(types(&project, "price n"), ["Decimal128(10, 2)|Int32"]);
    project.edit("seeds/_s.yml", "n: int", "m: int");
    project.exits(1, &["seed"]).says(&["C2011", "`m`", "id, price, n"]);
}

#[test]
fn another_delimiter() {
    let yaml = "seeds:\n  - name: s\n    config: {delimiter: ';'}\n";
    let project = seed("id;name\n1;a,b\n", yaml);
    project.ok(&["seed"]);
    assert_eq!(project.table("select * from {{ ref('s') }}"), ["1|a,b"]);
}

#[test]
fn columns_may_change() {
    let project = seed("id,name\n1,a\n", "");
    project.ok(&["seed"]);
    project.write("seeds/s.csv", "id,price,name\nx,2,b\n");
    project.exits(1, &["seed"]).says(&["error[C5011]", "`price`", "--full-refresh"]);
    assert_eq!(project.table("select * from {{ ref('s') }}"), ["1|a"], "as in dbt, new columns need a full refresh");
    project.ok(&["seed", "--full-refresh"]);
    assert_eq!(project.table("select * from {{ ref('s') }}"), ["x|2|b"]);
    assert_eq!(project.versions("main/s"), 2);
}

#[test]
fn a_seed_of_a_header_alone_is_an_empty_table() {
    let project = seed("id,name\n", "");
    project.ok(&["seed"]);
    assert_eq!(project.table("select count(*) as n from {{ ref('s') }}"), ["0"]);
}

#[test]
fn a_broken_seed_names_its_line_and_leaves_the_table() {
    let project = seed("id,name\n1,a\n", "seeds:\n  - name: s\n    config: {column_types: {id: int}}\n");
    project.ok(&["seed"]);
    project.write("seeds/s.csv", "id,name\n1,a\n2,b,c\n");
    project.exits(1, &["seed"]).says(&["seeds/s.csv:3"]);
    project.write("seeds/s.csv", "id,name\n1,a\ntwo,b\n");
    project.exits(1, &["seed"]).says(&["two"]);
    assert_eq!(project.table("select * from {{ ref('s') }}"), ["1|a"]);
}

#[test]
fn seeds_have_tests_and_descendants() {
    let yaml = "seeds:\n  - name: s\n    columns: [{name: id, data_tests: [unique]}]\n";
    let project = seed("id\n1\n1\n", yaml).file("models/m.sql", "select * from {{ ref('s') }}");
    let expected = [("m", "skipped"), ("s", "success"), ("unique_s_id", "fail")];
    assert_eq!(project.statuses(1, &["build"]), crate::harness::pairs(&expected));
}
