{# The present moment, and how snapshots tell it. It is UTC. #}

{% macro current_timestamp() %}
    {{ return(adapter.dispatch('current_timestamp', 'dbt')()) }}
{% endmacro %}

{% macro default__current_timestamp() -%}
    now()
{%- endmacro %}

{% macro current_timestamp_backcompat() %}
    {{ return(adapter.dispatch('current_timestamp_backcompat', 'dbt')()) }}
{% endmacro %}

{% macro default__current_timestamp_backcompat() -%}
    {{ return(dbt.current_timestamp()) }}
{%- endmacro %}

{% macro current_timestamp_in_utc_backcompat() %}
    {{ return(adapter.dispatch('current_timestamp_in_utc_backcompat', 'dbt')()) }}
{% endmacro %}

{% macro default__current_timestamp_in_utc_backcompat() -%}
    {{ return(dbt.current_timestamp()) }}
{%- endmacro %}

{% macro snapshot_get_time() %}
    {{ return(adapter.dispatch('snapshot_get_time', 'dbt')()) }}
{% endmacro %}

{% macro default__snapshot_get_time() -%}
    {{ return(dbt.current_timestamp()) }}
{%- endmacro %}

{% macro get_snapshot_get_time_data_type() %}
    {%- set columns = get_column_schema_from_query('select ' ~ snapshot_get_time() ~ ' as moment') -%}
    {{ return(columns[0].dtype if columns else none) }}
{% endmacro %}

{% macro snapshot_string_as_time(timestamp) %}
    {{ return(adapter.dispatch('snapshot_string_as_time', 'dbt')(timestamp)) }}
{% endmacro %}

{% macro default__snapshot_string_as_time(timestamp) -%}
    {{ return("cast('" ~ timestamp ~ "' as timestamp)") }}
{%- endmacro %}
