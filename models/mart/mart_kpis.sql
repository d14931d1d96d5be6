{{ config(publish={'to': 'bi', 'table': 'mart_kpis', 'key': ['kpi', 'dim']}) }}
{#- The dashboards' numbers, one a row. -#}
{%- set customers_by = {
    'customers_by_type': 'cast(CustomerType as varchar)',
    'customers_by_activeness': 'Activeness',
    'customers_by_taste': 'CustomerTaste',
    'customers_by_mostwatch': 'MostWatch',
} -%}

select 'customers' as kpi, 'all' as dim, count(*) as value
from {{ ref('customer_content') }}

{%- for category in var('content_categories') %}
union all
select 'total_duration', '{{ category }}', coalesce(sum(Total_{{ category }}), 0)
from {{ ref('customer_content') }}
{%- endfor %}

union all
select 'devices', 'all', coalesce(sum(TotalDevices), 0)
from {{ ref('customer_content') }}

{%- for kpi, dim in customers_by.items() %}
union all
select '{{ kpi }}', {{ dim }}, count(*)
from {{ ref('customer_content') }}
group by {{ dim }}
{%- endfor %}

union all
select 'search_users', 'all', count(*)
from {{ ref('search_trend') }}

union all
select 'search_trending_type', Trending_Type, count(*)
from {{ ref('search_trend') }}
group by Trending_Type

union all
select 'search_category_change', Previous, count(*)
from {{ ref('search_trend') }}
where Trending_Type = 'Changed'
group by Previous
