{# Days of the calendar, calculated while the template is rendered. #}

{% macro convert_datetime(date_str, date_fmt) %}
    {{ return(modules.datetime.datetime.strptime(date_str, date_fmt)) }}
{% endmacro %}

{% macro dates_in_range(start_date_str, end_date_str=none, in_fmt='%Y%m%d', out_fmt='%Y%m%d') %}
    {%- set first = convert_datetime(start_date_str, in_fmt) -%}
    {%- set last = convert_datetime(start_date_str if end_date_str is none else end_date_str, in_fmt) -%}
    {%- set days = (last - first).days -%}
    {%- if days < 0 -%}
        {%- do exceptions.raise_compiler_error('the range of dates ends (' ~ end_date_str ~ ') before it starts (' ~ start_date_str ~ ')') -%}
    {%- endif -%}
    {%- set dates = [] -%}
    {%- for number in range(days + 1) -%}
        {%- do dates.append((first + modules.datetime.timedelta(days=number)).strftime(out_fmt)) -%}
    {%- endfor -%}
    {{ return(dates) }}
{% endmacro %}

{# A day or a range of days, `20220101` or `20220101,20220107`, as a list of days. #}
{% macro partition_range(raw_partition_date, date_fmt='%Y%m%d') %}
    {%- set ends = (raw_partition_date | string).split(',') -%}
    {%- if ends | length not in [1, 2] -%}
        {%- do exceptions.raise_compiler_error('expected a day or two days with a comma between them, found ' ~ raw_partition_date) -%}
    {%- endif -%}
    {{ return(dates_in_range(ends[0], ends[1] if ends | length == 2 else none, in_fmt=date_fmt)) }}
{% endmacro %}

{% macro py_current_timestring() %}
    {{ return(modules.datetime.datetime.now().strftime('%Y%m%d%H%M%S%f')) }}
{% endmacro %}
