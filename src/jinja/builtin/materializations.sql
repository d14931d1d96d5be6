{# What materializations of projects call, beside `statement`. Tables and views are replaced in one step here. #}

{% macro run_hooks(hooks, inside_transaction=True) %}
    {%- for hook in hooks | selectattr('transaction', 'equalto', inside_transaction) -%}
        {%- set text = render(hook.get('sql')) | trim -%}
        {%- if text -%}
            {%- call statement() -%}{{ text }}{%- endcall -%}
        {%- endif -%}
    {%- endfor -%}
{% endmacro %}

{% macro get_create_table_as_sql(temporary, relation, sql) %}
    {{ return(adapter.dispatch('get_create_table_as_sql', 'dbt')(temporary, relation, sql)) }}
{% endmacro %}

{% macro default__get_create_table_as_sql(temporary, relation, sql) %}
    {{ return(create_table_as(temporary, relation, sql)) }}
{% endmacro %}

{% macro create_table_as(temporary, relation, compiled_code, language='sql') -%}
    {%- if language != 'sql' -%}
        {{ exceptions.raise_compiler_error('a table is made of SQL alone, not of ' ~ language) }}
    {%- endif -%}
    {{ adapter.dispatch('create_table_as', 'dbt')(temporary, relation, compiled_code) }}
{%- endmacro %}

{% macro default__create_table_as(temporary, relation, sql) -%}
    {{ config.get('sql_header', '') }}
    create or replace {% if temporary %}temporary {% endif %}table {{ relation.render() }} as (
        {{ sql }}
    )
{%- endmacro %}

{% macro get_create_view_as_sql(relation, sql) %}
    {{ return(adapter.dispatch('get_create_view_as_sql', 'dbt')(relation, sql)) }}
{% endmacro %}

{% macro default__get_create_view_as_sql(relation, sql) %}
    {{ return(create_view_as(relation, sql)) }}
{% endmacro %}

{% macro create_view_as(relation, sql) -%}
    {{ adapter.dispatch('create_view_as', 'dbt')(relation, sql) }}
{%- endmacro %}

{% macro default__create_view_as(relation, sql) -%}
    {{ config.get('sql_header', '') }}
    create or replace view {{ relation.render() }} as (
        {{ sql }}
    )
{%- endmacro %}

{% macro get_select_subquery(sql) %}
    {{ return(adapter.dispatch('get_select_subquery', 'dbt')(sql)) }}
{% endmacro %}

{% macro default__get_select_subquery(sql) -%}
    select {{ adapter.dispatch('get_column_names', 'dbt')() }}
    from (
        {{ sql }}
    ) as model_subq
{%- endmacro %}

{% macro default__get_column_names() -%}
    {%- for column in model.columns.values() -%}
        {{ adapter.quote(column.name) if column.quote else column.name }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# Contracts are checked while rows are written. #}
{% macro get_assert_columns_equivalent(sql) %}{% endmacro %}
{% macro get_table_columns_and_constraints() %}{% endmacro %}
{% macro table_columns_and_constraints() %}{% endmacro %}

{% macro create_or_replace_view() %}
    {%- set target = this.incorporate(type='view') -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks) }}
    {%- set existing = load_cached_relation(this) -%}
    {%- if existing is not none and existing.is_table -%}
        {{ handle_existing_table(should_full_refresh(), existing) }}
    {%- endif -%}
    {%- call statement('main') -%}{{ get_create_view_as_sql(target, sql) }}{%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmacro %}

{% macro handle_existing_table(full_refresh, old_relation) %}
    {{ adapter.dispatch('handle_existing_table', 'dbt')(full_refresh, old_relation) }}
{% endmacro %}

{% macro default__handle_existing_table(full_refresh, old_relation) -%}
    {%- do adapter.drop_relation(old_relation) -%}
{%- endmacro %}

{# Delta tables have no indexes and no grants; descriptions are in the artifacts. A project's own macros still run. #}

{% macro create_indexes(relation) %}
    {{ adapter.dispatch('create_indexes', 'dbt')(relation) }}
{% endmacro %}

{% macro default__create_indexes(relation) -%}{%- endmacro %}

{% macro get_create_index_sql(relation, index_dict) %}
    {{ return(adapter.dispatch('get_create_index_sql', 'dbt')(relation, index_dict)) }}
{% endmacro %}

{% macro default__get_create_index_sql(relation, index_dict) %}{{ return(none) }}{% endmacro %}

{% macro apply_grants(relation, grant_config, should_revoke=True) %}
    {{ return(adapter.dispatch('apply_grants', 'dbt')(relation, grant_config, should_revoke)) }}
{% endmacro %}

{% macro default__apply_grants(relation, grant_config, should_revoke=True) %}{% endmacro %}

{% macro should_revoke(existing_relation, full_refresh_mode=True) %}{{ return(false) }}{% endmacro %}

{% macro copy_grants() %}{{ return(adapter.dispatch('copy_grants', 'dbt')()) }}{% endmacro %}

{% macro default__copy_grants() %}{{ return(false) }}{% endmacro %}

{% macro persist_docs(relation, model, for_relation=true, for_columns=true) %}
    {{ return(adapter.dispatch('persist_docs', 'dbt')(relation, model, for_relation, for_columns)) }}
{% endmacro %}

{% macro default__persist_docs(relation, model, for_relation, for_columns) %}{% endmacro %}
