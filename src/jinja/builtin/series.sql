{# Series of numbers and of dates. #}

{# The smallest n, 1 or more, with 2 to the n at least the bound. #}
{% macro get_powers_of_two(upper_bound) %}
    {{ return(adapter.dispatch('get_powers_of_two', 'dbt')(upper_bound)) }}
{% endmacro %}

{% macro default__get_powers_of_two(upper_bound) -%}
    {%- if upper_bound <= 0 -%}
        {%- do exceptions.raise_compiler_error('the upper bound of a series must be positive, found ' ~ upper_bound) -%}
    {%- endif -%}
    {%- for power in range(1, 63) if 2 ** power >= upper_bound -%}
        {{ return(power) }}
    {%- endfor -%}
{%- endmacro %}

{% macro generate_series(upper_bound) %}
    {{ return(adapter.dispatch('generate_series', 'dbt')(upper_bound)) }}
{% endmacro %}

{% macro default__generate_series(upper_bound) -%}
    {%- if upper_bound <= 0 -%}
        {%- do exceptions.raise_compiler_error('the upper bound of a series must be positive, found ' ~ upper_bound) -%}
    {%- endif -%}
    select value as generated_number from generate_series(1, {{ upper_bound }})
{%- endmacro %}

{# How many parts lie between two dates: a query tells; 1 while the project is parsed. #}
{% macro get_intervals_between(start_date, end_date, datepart) %}
    {{ return(adapter.dispatch('get_intervals_between', 'dbt')(start_date, end_date, datepart)) }}
{% endmacro %}

{% macro default__get_intervals_between(start_date, end_date, datepart) -%}
    {%- call statement('get_intervals_between', fetch_result=True) -%}
        select {{ dbt.datediff(start_date, end_date, datepart) }} as intervals
    {%- endcall -%}
    {%- set found = load_result('get_intervals_between') -%}
    {{ return(found['data'][0][0] if found and found['data'] else 1) }}
{%- endmacro %}

{# The column date_<part>: every date from the start to before the end. #}
{% macro date_spine(datepart, start_date, end_date) %}
    {{ return(adapter.dispatch('date_spine', 'dbt')(datepart, start_date, end_date)) }}
{% endmacro %}

{% macro default__date_spine(datepart, start_date, end_date) -%}
    with numbers as (

        {{ dbt.generate_series(dbt.get_intervals_between(start_date, end_date, datepart)) }}

    ),

    spine as (

        select {{ dbt.dateadd(datepart, 'generated_number - 1', start_date) }} as date_{{ datepart }}
        from numbers

    )

    select date_{{ datepart }}
    from spine
    where date_{{ datepart }} <= {{ end_date }}
{%- endmacro %}
