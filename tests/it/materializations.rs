//! Materializations that projects write as macros.

use crate::harness::Project;

/// Rows of a relation, as CSV without the header.
fn rows(project: &Project, sql: &str) -> String {
    let shown = project.ok(&["show", "--inline", sql, "--output", "csv", "--quiet", "--limit", "-1"]);
    shown.stdout.split_once('\n').map(|(_, rows)| rows.trim_end().replace('\n', ";")).unwrap_or_default()
}

/// A log: rows are added, and nothing else happens to it.
const LOG: &str = "\
{% materialization log_table, default %}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target = this.incorporate(type='table') -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks) }}
  {%- if existing is none or should_full_refresh() -%}
    {%- call statement('main') -%}{{ get_create_table_as_sql(False, target, sql) }}{%- endcall -%}
  {%- else -%}
    {%- set tmp = make_temp_relation(target) -%}
    {%- do run_query(create_table_as(True, tmp, sql)) -%}
    {%- set columns = adapter.get_columns_in_relation(tmp) | map(attribute='quoted') | join(', ') -%}
    {%- call statement('main') -%}
      insert into {{ target }} ({{ columns }}) select {{ columns }} from {{ tmp }}
    {%- endcall -%}
  {%- endif -%}
  {%- do adapter.commit() -%}
  {{ run_hooks(post_hooks) }}
  {{ return({'relations': [target]}) }}
{% endmaterialization %}
";

#[test]
fn a_materialization_of_the_project_builds_its_models() {
    let model = "{{ config(materialized='log_table', label='x', pre_hook='create table if not exists {{ this.schema }}.calls (n int)',
        post_hook='insert into {{ this.schema }}.calls select count(*) from {{ this }}') }}
        select {{ var('n') }} as n, '{{ config.get('label') }}' as label";
    let project = Project::models(&[("events", model), ("below", "select n + 1 as n from {{ ref('events') }}")])
        .file("macros/log_table.sql", LOG);
    project.ok(&["build", "--vars", "{n: 1}"]);
    project.ok(&["build", "--vars", "{n: 2}"]);
    assert_eq!(rows(&project, "select n, label from {{ ref('events') }} order by n"), "1,x;2,x");
    assert_eq!(rows(&project, "select * from {{ ref('below') }} order by n"), "2;3");
    assert_eq!(rows(&project, "select n from main.calls order by n"), "1;2");
    let results = project.json("target/run_results.json");
    let of_events =
        results["results"].as_array().expect("results").iter().find(|one| one["unique_id"] == "model.shop.events");
    assert_eq!(of_events.expect("a result")["adapter_response"]["rows_affected"], 1);
    // No temporary table is left, and the warehouse holds what was made.
    let kept: Vec<_> = std::fs::read_dir(project.path("warehouse/main")).expect("a folder").collect();
    let mut kept: Vec<_> = kept.into_iter().map(|entry| entry.expect("an entry").file_name()).collect();
    kept.sort();
    assert_eq!(kept, ["_views", "calls", "events"]);
    project.ok(&["run", "--select", "events", "--full-refresh", "--vars", "{n: 5}"]);
    assert_eq!(rows(&project, "select n from {{ ref('events') }}"), "5");
    let manifest = project.json("target/manifest.json");
    assert!(manifest["macros"].get("macro.shop.materialization_log_table_default").is_some());
}

/// dbt's own way of building a table: beside it, and then renamed.
const SWAP: &str = "\
{% materialization table, default %}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target = this.incorporate(type='table') -%}
  {%- set new = make_intermediate_relation(target) -%}
  {%- set old = make_backup_relation(target, 'table' if existing is none else existing.type) -%}
  {{ drop_relation_if_exists(load_cached_relation(new)) }}
  {{ drop_relation_if_exists(load_cached_relation(old)) }}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {%- call statement('main') -%}{{ create_table_as(False, new, sql) }}{%- endcall -%}
  {%- do create_indexes(new) -%}
  {%- if existing is not none -%}
    {%- if load_cached_relation(existing) is not none -%}{{ adapter.rename_relation(existing, old) }}{%- endif -%}
  {%- endif -%}
  {{ adapter.rename_relation(new, target) }}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {%- do apply_grants(target, config.get('grants'), should_revoke=should_revoke(existing, full_refresh_mode=True)) -%}
  {%- do persist_docs(target, model) -%}
  {{ adapter.commit() }}
  {{ drop_relation_if_exists(old) }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {%- do log('built ' ~ model.name ~ ' by the project', info=true) -%}
  {{ return({'relations': [target]}) }}
{% endmaterialization %}
";

#[test]
fn the_root_project_replaces_what_c360_brings() {
    let project =
        Project::models(&[("a", "select 1 as id"), ("b", "{{ config(materialized='view') }} select 2 as id")])
            .file("macros/table.sql", SWAP);
    project.edit("dbt_project.yml", "profile: shop", "profile: shop\nmodels: {+materialized: table}");
    let said = project.ok(&["build"]).stderr;
    assert!(said.contains("built a by the project") && !said.contains("built b"), "{said}");
    project.edit("models/a.sql", "1", "7");
    project.ok(&["build"]);
    assert_eq!(rows(&project, "select * from {{ ref('a') }}"), "7");
    // A view of that name gives way, too.
    project.edit("models/b.sql", "view", "table");
    project.ok(&["build"]);
    assert_eq!(rows(&project, "select * from {{ ref('b') }}"), "2");
    assert!(
        !project.path("warehouse/main/a__dbt_backup").exists()
            && !project.path("warehouse/main/_views/b.json").exists()
    );
}

#[test]
fn a_package_brings_materializations_and_replaces_none_of_ours() {
    let package = "{% materialization table, adapter='duckdb' %}{{ exceptions.raise_compiler_error('not this one') }}{% endmaterialization %}
        {% materialization both, default %}{% call statement('main') %}create table {{ this }} as select 'default' as who{% endcall %}
          {{ return({'relations': [this]}) }}{% endmaterialization %}
        {% materialization both, adapter='duckdb' %}{% call statement('main') %}create table {{ this }} as select 'duckdb' as who{% endcall %}
          {{ return({'relations': [this]}) }}{% endmaterialization %}";
    let project = Project::models(&[
        ("a", "{{ config(materialized='table') }} select 1 as id"),
        ("b", "{{ config(materialized='both') }} this is no query"),
    ])
    .file("packages.yml", "packages: [{local: lib}]\n")
    .file("lib/dbt_project.yml", "name: lib\nversion: '1.0'\n")
    .file("lib/macros/m.sql", package);
    project.ok(&["deps"]);
    project.ok(&["build"]);
    assert_eq!(rows(&project, "select who from {{ ref('b') }}"), "duckdb");
    let flag = "profile: shop\nflags: {require_explicit_package_overrides_for_builtin_materializations: false}";
    project.edit("dbt_project.yml", "profile: shop", flag);
    project.exits(1, &["run", "--select", "a"]).says(&["not this one"]);
}

#[test]
fn a_materialization_has_to_run_main_and_to_return_relations() {
    let project = Project::models(&[("a", "{{ config(materialized='mine') }} select 1 as id")]).file(
        "macros/mine.sql",
        "{% materialization mine, default %}{{ return({'relations': [this]}) }}{% endmaterialization %}",
    );
    project.exits(1, &["run"]).says(&["runs no statement `main`", "macros/mine.sql"]);
    project.write(
        "macros/mine.sql",
        "{% materialization mine, default %}{% call statement('main') %}select 1{% endcall %}{% endmaterialization %}",
    );
    project.exits(1, &["run"]).says(&["does not return the relations"]);
    project.write(
        "macros/mine.sql",
        "{% materialization mine, default %}{% call statement('main') %}create table {{ this }} as select nothing{% endcall %}{% endmaterialization %}",
    );
    project.exits(1, &["run"]).says(&["C4004", "nothing"]);
    project.edit("models/a.sql", "mine", "other");
    project.exits(2, &["run"]).says(&["there is no materialization `other`", "a macro makes others"]);
}

/// dbt's incremental materialization, in short.
const INCREMENTAL: &str = "\
{% materialization incremental, default %}
  {%- set existing = load_cached_relation(this) -%}
  {%- set target = this.incorporate(type='table') -%}
  {%- set tmp = make_temp_relation(target) -%}
  {%- set on_change = incremental_validate_on_schema_change(config.get('on_schema_change'), default='ignore') -%}
  {{ run_hooks(pre_hooks) }}
  {%- set strategy = adapter.get_incremental_strategy_macro(context, config.get('incremental_strategy') or 'default') -%}
  {%- if existing is none or should_full_refresh() -%}
    {%- set build = get_create_table_as_sql(False, target, sql) -%}
  {%- else -%}
    {%- do run_query(get_create_table_as_sql(True, tmp, sql)) -%}
    {%- do adapter.expand_target_column_types(from_relation=tmp, to_relation=target) -%}
    {%- set columns = process_schema_changes(on_change, tmp, existing) or adapter.get_columns_in_relation(existing) -%}
    {%- set build = strategy({'target_relation': target, 'temp_relation': tmp, 'unique_key': config.get('unique_key'),
        'dest_columns': columns, 'incremental_predicates': none}) -%}
  {%- endif -%}
  {%- call statement('main') -%}{{ build }}{%- endcall -%}
  {{ run_hooks(post_hooks) }}
  {{ return({'relations': [target]}) }}
{% endmaterialization %}
";

#[test]
fn the_strategies_of_incremental_models_are_macros_too() {
    let model = |strategy: &str, rest: &str| {
        let settings = format!("materialized='incremental', incremental_strategy='{strategy}', {rest}");
        format!(
            "{{{{ config({settings}) }}}} select * from (values (1, 'old'), (2, 'old')) as v(id, name)
            {{% if is_incremental() %}} where false union all select * from (values (2, 'new'), (3, 'new')) as v(id, name) {{% endif %}}"
        )
    };
    let merged = model("merge", "unique_key='id'");
    let replaced = model("delete+insert", "unique_key=['id']");
    let added = model("append", "on_schema_change='append_new_columns'");
    let mine = model("newest", "");
    let project = Project::models(&[("merged", &merged), ("replaced", &replaced), ("added", &added), ("mine", &mine)])
        .file("macros/incremental.sql", INCREMENTAL)
        .file(
            "macros/newest.sql",
            "{% macro get_incremental_newest_sql(args) %}
                   merge into {{ args.target_relation }} as d using {{ args.temp_relation }} as s on d.id = s.id
                   when matched then delete when not matched then insert (id, name) values (s.id, 'inserted')
                 {% endmacro %}",
        );
    project.ok(&["build", "--no-check"]);
    project.ok(&["build", "--no-check"]);
    let of = |name: &str| rows(&project, &format!("select id, name from {{{{ ref('{name}') }}}} order by id, name"));
    assert_eq!(of("merged"), "1,old;2,new;3,new");
    assert_eq!(of("replaced"), "1,old;2,new;3,new");
    assert_eq!(of("added"), "1,old;2,new;2,old;3,new");
    assert_eq!(of("mine"), "1,old;3,inserted");
    project.edit("models/added.sql", "{% endif %}", "{% endif %} union all select 4, 'n' where {{ is_incremental() }}");
    project.edit("models/added.sql", "select * from (values (1", "select *, 9 as more from (values (1");
    project.edit("models/added.sql", "union all select * from (values (2", "union all select *, 8 from (values (2");
    project.edit("models/added.sql", "select 4, 'n'", "select 4, 'n', 7");
    project.ok(&["run", "--no-check", "--select", "added"]);
    assert_eq!(
        rows(&project, "select id, name, more from {{ ref('added') }} where id = 4 or more = 8 order by id"),
        "2,new,8;3,new,8;4,n,7"
    );
}

#[test]
fn a_strategy_may_be_a_macro_of_the_project() {
    let model = "{{ config(materialized='incremental', incremental_strategy='newest_wins', unique_key='id',
        post_hook='insert into main.hooked values (1)', pre_hook='create table if not exists main.hooked (n int)') }}
        select {{ var('id') }} as id, '{{ var('id') }}' as name, {{ is_incremental() }} as more";
    let strategy = "{% macro get_incremental_newest_wins_sql(arg_dict) %}
        delete from {{ arg_dict['target_relation'] }} where {{ arg_dict['unique_key'] }} <= 2;
        insert into {{ arg_dict['target_relation'] }} ({{ get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) }})
          select * from {{ arg_dict['temp_relation'] }}
        {% endmacro %}";
    let project = Project::models(&[("m", model)]).file("macros/s.sql", strategy);
    for id in ["1", "2", "3", "4"] {
        project.ok(&["build", "--vars", &format!("{{id: {id}}}")]);
    }
    assert_eq!(rows(&project, "select * from {{ ref('m') }} order by id"), "3,3,true;4,4,true");
    assert_eq!(rows(&project, "select count(*) from main.hooked"), "4");
    project.ok(&["build", "--full-refresh", "--vars", "{id: 9}"]);
    assert_eq!(rows(&project, "select * from {{ ref('m') }}"), "9,9,false");
    project.edit("models/m.sql", "newest_wins", "oldest_wins");
    project.exits(2, &["check", "--vars", "{id: 1}"]).says(&["there is no incremental strategy `oldest_wins`"]);
}
