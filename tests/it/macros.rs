//! The macros that every project has, and what else templates and properties can say.

use crate::harness::Project;

fn shown(sql: &str) -> String {
    Project::new().ok(&["show", "--inline", sql, "--output", "csv", "--quiet"]).stdout.trim_end().to_string()
}

#[test]
fn dates_are_calculated_as_dbts_macros_say() {
    let sql = "select {{ dbt.dateadd('day', 3, \"cast('2024-02-27' as date)\") }} as added,
        {{ dbt.datediff(\"cast('2024-02-27' as date)\", \"cast('2024-03-02' as date)\", 'day') }} as days,
        {{ dbt.last_day(\"cast('2024-02-03' as date)\", 'month') }} as of_month,
        {{ dbt.last_day(\"cast('2024-02-03' as date)\", 'quarter') }} as of_quarter,
        {{ dbt.date(2024, 2, 29) }} as leap";
    assert_eq!(shown(sql), "added,days,of_month,of_quarter,leap\n2024-03-01,4,2024-02-29,2024-03-31,2024-02-29");
    let spine = "{{ dbt.date_spine('day', \"cast('2024-02-28' as date)\", \"cast('2024-03-02' as date)\") }}";
    assert_eq!(shown(spine), "date_day\n2024-02-28\n2024-02-29\n2024-03-01");
}

#[test]
fn texts_types_and_sets_are_portable() {
    let sql = "select {{ dbt.concat([\"'a'\", \"'b'\"]) }} as c, {{ dbt.safe_cast(\"'x'\", dbt.type_int()) }} as n,
        {{ dbt.split_part(\"'a-b-c'\", \"'-'\", -1) }} as p, {{ dbt.position(\"'b'\", \"'abc'\") }} as i,
        {{ dbt.string_literal(dbt.escape_single_quotes(\"it's\")) }} as l, {{ dbt.cast_bool_to_text('1 = 1') }} as b";
    assert_eq!(shown(sql), "c,n,p,i,l,b\nab,,c,2,it's,true");
    let list =
        "select {{ dbt.listagg('x', \"'|'\", 'order by x desc', 2) }} as top, {{ dbt.bool_or('x = \\'a\\'') }} as any_a
        from (values ('a'), ('b'), ('c')) as t(x)";
    assert_eq!(shown(list), "top,any_a\nc|b,true");
    assert_eq!(shown("select 1 as x {{ dbt.except() }} select 2"), "x\n1");
}

#[test]
fn a_project_replaces_a_builtin_macro_and_calls_the_original() {
    let project = Project::models(&[("a", "select 1 as id"), ("b", "select '{{ ref('a') }}' as name")])
        .file(
            "macros/ref.sql",
            "{% macro ref(name) %}{{ return(builtins.ref(name).include(database=false)) }}{% endmacro %}",
        )
        .file(
            "macros/concat.sql",
            "{% macro datafusion__concat(fields) %}concat({{ fields | join(', ') }}){% endmacro %}",
        );
    let show = |sql: &str| project.ok(&["show", "--inline", sql, "--output", "csv", "--quiet"]).stdout;
    project.ok(&["build"]);
    assert_eq!(show("select name from {{ builtins.ref('b') }}"), "name\n\"\"\"main\"\".\"\"a\"\"\"\n");
    // concat() skips nulls and || does not.
    assert_eq!(show("select {{ dbt.concat([\"'a'\", 'null']) }} as c"), "c\na\n");
}

#[test]
fn the_columns_of_a_query_are_known_while_a_template_runs() {
    let sql = "select '{{ get_columns_in_query('select 1 as a, 2 as b') | join('+') }}' as names";
    assert_eq!(shown(sql), "names\na+b");
}

#[test]
fn a_var_may_be_a_template() {
    let project = Project::models(&[("a", "select '{{ var('who') }}' as who")]);
    project.edit(
        "dbt_project.yml",
        "profile: shop",
        "profile: shop\nvars: {who: \"{{ env_var('WHO', 'nobody') }} of {{ var('where') }}\", where: here}",
    );
    project.ok(&["build"]);
    let show = ["show", "--inline", "select * from {{ ref('a') }}", "--output", "csv", "--quiet"];
    assert_eq!(project.ok(&show).stdout, "who\nnobody of here\n");
    project.edit("dbt_project.yml", "where: here", "where: \"{{ var('who') }}\"");
    project.exits(2, &["parse"]).says(&["the value of var `who` asks for var `who`"]);
}

#[test]
fn private_models_are_for_their_group() {
    let yaml = "groups:\n  - {name: finance, owner: {name: F}}\n  - {name: sales, owner: {name: S}}\nmodels:\n  \
        - name: a\n    config: {group: finance, access: private}\n    columns: [{name: id, data_tests: [not_null]}]\n  \
        - name: b\n    config: {group: sales}\n";
    let project = Project::models(&[("a", "select 1 as id"), ("b", "select * from {{ ref('a') }}")]);
    project.write("models/m.yml", yaml);
    project.exits(2, &["build"]).says(&["error[C2012]", "private to the group `finance`", "needed by `model.shop.b`"]);
    project.edit("models/m.yml", "{group: sales}", "{group: finance}");
    project.ok(&["build"]);
    project.edit("models/m.yml", "access: private", "access: secret");
    project.exits(2, &["parse"]).says(&["`secret` is no access of a model"]);
    project.edit("models/m.yml", "access: secret", "access: public");
    project.edit("models/m.yml", "b\n    config: {group: finance}", "b\n    config: {group: finances}");
    project.exits(2, &["parse"]).says(&["there is no group `finances`", "a group named `finance` exists"]);
}

#[test]
fn warnings_are_errors_where_that_is_asked_for() {
    let project = Project::models(&[("a", "{% do exceptions.warn('mind the gap') %}select 1 as id")]);
    project.ok(&["build"]).says(&["mind the gap"]);
    project.exits(2, &["--warn-error", "build"]).says(&["error[", "mind the gap"]);
    let project = Project::models(&[("a", "select 1 as id")]).file("models/m.yml", "models: [{name: ghost}]\n");
    project.ok(&["build"]).says(&["ghost"]);
    project.exits(2, &["build", "--warn-error"]).says(&["error[C2006]", "ghost"]);
}

#[test]
fn results_of_queries_have_pythons_values() {
    let sql = "{% set r = run_query(\"select date '2024-03-05' as d, timestamp '2024-03-05 10:11:12' as t, 1.50 as n, null as z\").rows[0] %}
        select '{{ r.d.strftime('%d/%m/%Y') }} {{ r['t'].hour }} {{ r.n }} {{ r.z is none }}' as v";
    assert_eq!(shown(sql), "v\n05/03/2024 10 1.5 True");
    let distinct = "{% set c = run_query('select x from (values (1), (1), (2)) t(x) order by x').columns[0] %}
        select '{{ c.values_distinct() | join('+') }}' as v";
    assert_eq!(shown(distinct), "v\n1+2");
}

#[test]
fn results_can_be_printed_and_cut() {
    let project = Project::new().file(
        "macros/p.sql",
        "{% macro p() %}{% set r = run_query(\"select 1234 as n, 'a' as s, true as b\") %}{% do r.print_table() %}{% do r.exclude(['b']).print_csv() %}{% endmacro %}",
    );
    let out = project.ok(&["run-operation", "p", "--quiet"]).stdout;
    assert_eq!(out.trim_end(), "|    n | s | b    |\n| ---- | - | ---- |\n| 1234 | a | True |\nn,s\n1234,a");
}

#[test]
fn filters_of_sequences_find_nothing_in_none() {
    let sql = "select '{{ none | map('lower') | list }}{{ 'x' in none | map('lower') }}{{ undefined_name | selectattr('a') | list }}' as v";
    assert_eq!(shown(sql), "v\n[]False[]");
}

#[test]
fn the_information_schema_lists_what_is_stored() {
    let project = Project::models(&[
        ("a", "{{ config(materialized='table') }} select 1 as id"),
        ("b", "select * from {{ ref('a') }}"),
    ]);
    project.ok(&["build"]);
    let show = |sql: &str| project.ok(&["show", "--inline", sql, "--output", "csv", "--quiet"]).stdout;
    let tables = "select table_name, table_type from information_schema.tables where table_schema = 'main' order by 1";
    assert_eq!(show(tables), "table_name,table_type\na,BASE TABLE\nb,VIEW\n");
    let columns = "select column_name from information_schema.columns where table_name = 'b'";
    assert_eq!(show(columns), "column_name\nid\n");
}

#[test]
fn a_setting_may_be_a_date() {
    let project = Project::models(&[(
        "a",
        "{{ config(meta={'x': 1}, begin=modules.datetime.datetime(2024, 1, 2), until=modules.datetime.date(2024, 3, 1)) }} select 1 as id",
    )]);
    project.ok(&["parse"]);
    let config = &project.json("target/manifest.json")["nodes"]["model.shop.a"]["config"];
    assert_eq!((config["begin"].as_str(), config["until"].as_str()), (Some("2024-01-02T00:00:00"), Some("2024-03-01")));
}

#[test]
fn the_adapter_knows_schemas_and_compares_relations() {
    let project = Project::models(&[
        ("a", "{{ config(materialized='table') }} select 1 as id union all select 2"),
        ("b", "{{ config(materialized='table', schema='other') }} select 1 as id"),
    ]);
    project.ok(&["build"]);
    let show = |sql: &str| project.ok(&["show", "--inline", sql, "--output", "csv", "--quiet"]).stdout;
    let schemas = "select '{{ adapter.list_schemas(target.database) | join('+') }}' as s,
        '{{ adapter.check_schema_exists(target.database, 'main_other') }}' as there, '{{ adapter.check_schema_exists(target.database, 'nope') }}' as nowhere";
    assert_eq!(show(schemas), "s,there,nowhere\nmain+main_other+meta,True,False\n");
    let different = "{{ adapter.get_rows_different_sql(ref('a'), ref('b')) }}";
    assert_eq!(show(different), "row_count_difference,num_mismatched\n1,1\n");
    let names = "select '{{ dbt.is_incremental() }} {{ dbt.run_query('select 7 as n').rows[0].n }}' as v";
    assert_eq!(show(names), "v\nFalse 7\n");
}
