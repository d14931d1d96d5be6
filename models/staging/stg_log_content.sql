{{ config(materialized='view') }}
{#- The viewing log, typed and renamed. A filter on log_date opens only the files of those days. -#}

select
    log_date,
    _source.Contract as contract,
    _source.Mac as mac,
    _source.TotalDuration as duration,
    _source.AppName as app
from {{ source('lake', 'log_content') }}
where log_date between {{ date_var('content_start') }} and {{ date_var('content_end') }}
{%- if rule('deduplicate') %}
qualify _id is null or row_number() over (partition by _id order by log_date) = 1
{%- endif %}
