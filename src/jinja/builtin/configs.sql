{# Settings of the node that is rendered. #}

{% macro should_store_failures() %}
    {%- set own = config.get('store_failures') -%}
    {{ return(flags.get('STORE_FAILURES', false) if own is none else own) }}
{% endmacro %}

{% macro set_sql_header(config) -%}
    {{ config.set('sql_header', caller()) }}
{%- endmacro %}

{% macro make_hook_config(sql, inside_transaction) %}
    {{ return(tojson({'sql': sql, 'transaction': inside_transaction})) }}
{% endmacro %}

{% macro before_begin(sql) %}
    {{ return(make_hook_config(sql, inside_transaction=False)) }}
{% endmacro %}

{% macro in_transaction(sql) %}
    {{ return(make_hook_config(sql, inside_transaction=True)) }}
{% endmacro %}

{% macro after_commit(sql) %}
    {{ return(make_hook_config(sql, inside_transaction=False)) }}
{% endmacro %}

