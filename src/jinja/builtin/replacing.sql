{# One relation in the place of another: what materializations of dbt's newer kind are made of. #}

{% macro rename_relation(from_relation, to_relation) %}
    {{ return(adapter.dispatch('rename_relation', 'dbt')(from_relation, to_relation)) }}
{% endmacro %}

{% macro default__rename_relation(from_relation, to_relation) -%}
    {%- do adapter.rename_relation(from_relation, to_relation) -%}
{%- endmacro %}

{% macro truncate_relation(relation) %}
    {{ return(adapter.dispatch('truncate_relation', 'dbt')(relation)) }}
{% endmacro %}

{% macro default__truncate_relation(relation) -%}
    {%- call statement('truncate_relation') -%}truncate table {{ relation.render() }}{%- endcall -%}
{%- endmacro %}

{% macro get_or_create_relation(database, schema, identifier, type) %}
    {{ return(adapter.dispatch('get_or_create_relation', 'dbt')(database, schema, identifier, type)) }}
{% endmacro %}

{% macro default__get_or_create_relation(database, schema, identifier, type) %}
    {%- set found = adapter.get_relation(database=database, schema=schema, identifier=identifier) -%}
    {%- if found is not none -%}
        {{ return([true, found]) }}
    {%- endif -%}
    {{ return([false, api.Relation.create(database=database, schema=schema, identifier=identifier, type=type)]) }}
{% endmacro %}

{% macro get_create_sql(relation, sql) %}
    {{ return(adapter.dispatch('get_create_sql', 'dbt')(relation, sql)) }}
{% endmacro %}

{% macro default__get_create_sql(relation, sql) %}
    {{ return(get_create_view_as_sql(relation, sql) if relation.is_view else get_create_table_as_sql(false, relation, sql)) }}
{% endmacro %}

{% macro get_replace_sql(existing_relation, target_relation, sql) %}
    {{ return(adapter.dispatch('get_replace_sql', 'dbt')(existing_relation, target_relation, sql)) }}
{% endmacro %}

{% macro default__get_replace_sql(existing_relation, target_relation, sql) %}
    {{ return(get_create_sql(target_relation, sql)) }}
{% endmacro %}

{% macro get_replace_table_sql(relation, sql) %}
    {{ return(adapter.dispatch('get_replace_table_sql', 'dbt')(relation, sql)) }}
{% endmacro %}

{% macro default__get_replace_table_sql(relation, sql) %}
    {{ return(get_create_table_as_sql(false, relation, sql)) }}
{% endmacro %}

{% macro get_replace_view_sql(relation, sql) %}
    {{ return(adapter.dispatch('get_replace_view_sql', 'dbt')(relation, sql)) }}
{% endmacro %}

{% macro default__get_replace_view_sql(relation, sql) %}
    {{ return(get_create_view_as_sql(relation, sql)) }}
{% endmacro %}

{% macro get_drop_sql(relation) %}
    {{ return(adapter.dispatch('get_drop_sql', 'dbt')(relation)) }}
{% endmacro %}

{% macro default__get_drop_sql(relation) %}
    {{ return(drop_view(relation) if relation.is_view else drop_table(relation)) }}
{% endmacro %}

{% macro drop_table(relation) -%}
    {{ adapter.dispatch('drop_table', 'dbt')(relation) }}
{%- endmacro %}

{% macro default__drop_table(relation) -%}
    drop table if exists {{ relation.render() }} cascade
{%- endmacro %}

{% macro drop_view(relation) -%}
    {{ adapter.dispatch('drop_view', 'dbt')(relation) }}
{%- endmacro %}

{% macro default__drop_view(relation) -%}
    drop view if exists {{ relation.render() }} cascade
{%- endmacro %}

{% macro get_rename_sql(relation, new_name) %}
    {{ return(adapter.dispatch('get_rename_sql', 'dbt')(relation, new_name)) }}
{% endmacro %}

{% macro default__get_rename_sql(relation, new_name) %}
    {{ return(get_rename_view_sql(relation, new_name) if relation.is_view else get_rename_table_sql(relation, new_name)) }}
{% endmacro %}

{% macro get_rename_table_sql(relation, new_name) -%}
    {{ adapter.dispatch('get_rename_table_sql', 'dbt')(relation, new_name) }}
{%- endmacro %}

{% macro default__get_rename_table_sql(relation, new_name) -%}
    alter table {{ relation.render() }} rename to {{ new_name }}
{%- endmacro %}

{% macro get_rename_view_sql(relation, new_name) -%}
    {{ adapter.dispatch('get_rename_view_sql', 'dbt')(relation, new_name) }}
{%- endmacro %}

{% macro default__get_rename_view_sql(relation, new_name) -%}
    alter view {{ relation.render() }} rename to {{ new_name }}
{%- endmacro %}

{% macro get_create_intermediate_sql(relation, sql) %}
    {{ return(adapter.dispatch('get_create_intermediate_sql', 'dbt')(relation, sql)) }}
{% endmacro %}

{% macro default__get_create_intermediate_sql(relation, sql) %}
    {{ return(get_create_sql(make_intermediate_relation(relation), sql)) }}
{% endmacro %}

{% macro get_rename_intermediate_sql(relation) %}
    {{ return(adapter.dispatch('get_rename_intermediate_sql', 'dbt')(relation)) }}
{% endmacro %}

{% macro default__get_rename_intermediate_sql(relation) %}
    {{ return(get_rename_sql(make_intermediate_relation(relation), adapter.quote(relation.identifier))) }}
{% endmacro %}

{% macro get_create_backup_sql(relation) %}
    {{ return(adapter.dispatch('get_create_backup_sql', 'dbt')(relation)) }}
{% endmacro %}

{% macro default__get_create_backup_sql(relation) %}
    {%- set backup = make_backup_relation(relation, relation.type) -%}
    {{ return(get_drop_sql(backup) ~ ';\n' ~ get_rename_sql(relation, adapter.quote(backup.identifier))) }}
{% endmacro %}

{% macro get_drop_backup_sql(relation) %}
    {{ return(adapter.dispatch('get_drop_backup_sql', 'dbt')(relation)) }}
{% endmacro %}

{% macro default__get_drop_backup_sql(relation) %}
    {{ return(get_drop_sql(make_backup_relation(relation, relation.type))) }}
{% endmacro %}

{% macro drop_schema(relation) -%}
    {{ adapter.dispatch('drop_schema', 'dbt')(relation) }}
{%- endmacro %}

{% macro default__drop_schema(relation) -%}
    {%- do run_query('drop schema if exists ' ~ adapter.quote(relation.schema) ~ ' cascade') -%}
{%- endmacro %}

{% macro drop_schema_named(schema_name) %}
    {{ return(adapter.dispatch('drop_schema_named', 'dbt')(schema_name)) }}
{% endmacro %}

{% macro default__drop_schema_named(schema_name) %}
    {{ drop_schema(api.Relation.create(database=target.database, schema=schema_name)) }}
{% endmacro %}

{% macro list_relations_without_caching(schema_relation) %}
    {{ return(adapter.list_relations_without_caching(schema_relation)) }}
{% endmacro %}
