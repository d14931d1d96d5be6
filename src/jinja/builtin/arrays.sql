{# Arrays. #}

{# The type of the elements counts where there are none. #}
{% macro array_construct(inputs=[], data_type='int') %}
    {{ return(adapter.dispatch('array_construct', 'dbt')(inputs, data_type)) }}
{% endmacro %}

{% macro default__array_construct(inputs, data_type) -%}
    {%- if inputs -%} array[{{ inputs | join(', ') }}] {%- else -%} cast(make_array() as {{ data_type }}[]) {%- endif -%}
{%- endmacro %}

{% macro array_append(array, new_element) %}
    {{ return(adapter.dispatch('array_append', 'dbt')(array, new_element)) }}
{% endmacro %}

{% macro default__array_append(array, new_element) -%}
    array_append({{ array }}, {{ new_element }})
{%- endmacro %}

{% macro array_concat(array_1, array_2) %}
    {{ return(adapter.dispatch('array_concat', 'dbt')(array_1, array_2)) }}
{% endmacro %}

{% macro default__array_concat(array_1, array_2) -%}
    array_concat({{ array_1 }}, {{ array_2 }})
{%- endmacro %}
