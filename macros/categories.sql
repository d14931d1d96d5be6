{#- The category with the longest duration. `columns` maps each category to its column, in the order in which
    ties are resolved; `none_watched` is the answer when nothing was watched at all (none: the first category). -#}
{% macro most_watched(columns, none_watched=none) -%}
    case
        {%- if none_watched is not none %}
        when greatest({{ columns.values() | join(', ') }}) = 0 then '{{ none_watched }}'
        {%- endif %}
        {%- for category, column in columns.items() %}
        when {{ column }} = greatest({{ columns.values() | join(', ') }}) then '{{ category }}'
        {%- endfor %}
    end
{%- endmacro %}

{#- A dict from each category of the list to its column, which has the prefix and suffix given. -#}
{% macro category_columns(categories, prefix='', suffix='') %}
    {%- set columns = {} -%}
    {%- for category in categories -%}
        {%- do columns.update({category: prefix ~ category ~ suffix}) -%}
    {%- endfor -%}
    {{ return(columns) }}
{% endmacro %}
