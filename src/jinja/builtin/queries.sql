{# What packages ask about queries. #}

{# The query with no rows: its columns alone. #}
{% macro get_empty_subquery_sql(select_sql, select_sql_header=none) %}
    {{ return(adapter.dispatch('get_empty_subquery_sql', 'dbt')(select_sql, select_sql_header)) }}
{% endmacro %}

{% macro default__get_empty_subquery_sql(select_sql, select_sql_header) -%}
    {%- if select_sql_header -%}{{ select_sql_header }}{%- endif %}
    select * from (
        {{ select_sql }}
    ) as __dbt_sbq
    where false
    limit 0
{%- endmacro %}

{% macro get_columns_in_query(select_sql) %}
    {{ return(adapter.dispatch('get_columns_in_query', 'dbt')(select_sql)) }}
{% endmacro %}

{% macro default__get_columns_in_query(select_sql) -%}
    {{ return(get_column_schema_from_query(select_sql) | map(attribute='name') | list) }}
{%- endmacro %}

{% macro get_column_schema_from_query(select_sql, select_sql_header=none) %}
    {{ return(adapter.get_column_schema_from_query(get_empty_subquery_sql(select_sql, select_sql_header))) }}
{% endmacro %}

{% macro get_empty_schema_sql(columns) %}
    {{ return(adapter.dispatch('get_empty_schema_sql', 'dbt')(columns)) }}
{% endmacro %}

{% macro default__get_empty_schema_sql(columns) -%}
    select
    {%- for column in columns.values() if columns is mapping %}
        cast(null as {{ column['data_type'] }}) as {{ adapter.quote(column['name']) if column.get('quote') else column['name'] }}{{ ',' if not loop.last }}
    {%- endfor %}
    where false
{%- endmacro %}

{% macro get_limit_subquery_sql(sql, limit) %}
    {{ return(adapter.dispatch('get_limit_subquery_sql', 'dbt')(sql, limit)) }}
{% endmacro %}

{% macro default__get_limit_subquery_sql(sql, limit) -%}
    select *
    from (
        {{ sql }}
    ) as model_limit_subq
    limit {{ limit }}
{%- endmacro %}

{% macro get_true_sql() %}
    {{ return(adapter.dispatch('get_true_sql', 'dbt')()) }}
{% endmacro %}

{% macro default__get_true_sql() %}
    {{ return('true') }}
{% endmacro %}
