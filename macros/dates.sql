{#- A date from text as loosely as the sources write it: blanks around it, `2022-6-1`, `2022-06` (the first of the
    month), anything after a blank or a `T`. What is no date, or an impossible one, is NULL and never an error. -#}
{% macro lenient_date(text) -%}
    try_to_date(trim({{ digits(text) }}))
{%- endmacro %}

{#- A date literal from a var. -#}
{% macro date_var(name) -%}
    cast('{{ var(name) }}' as date)
{%- endmacro %}

{#- The day that the job stamps on its results: var `etl_date`, or the day of the run (UTC). -#}
{% macro etl_date() -%}
    cast('{{ var("etl_date", none) or run_started_at.strftime("%Y-%m-%d") }}' as date)
{%- endmacro %}
