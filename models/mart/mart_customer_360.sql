{{ config(publish={'to': 'bi', 'table': 'mart_customer_360',
                   'indexes': [['Contract'], ['user_id'], ['Segment']]}) }}
{%- set months = var('search_months') %}

select
    content.Contract,
    bridge.user_id,
    {%- for category in var('content_categories') | sort %}
    content.Total_{{ category }},
    {%- endfor %}
    content.TotalDevices,
    content.MostWatch,
    content.CustomerTaste,
    content.Activeness,
    content.CustomerType,
    content.Segment,
    {%- for month in months %}
    trend.most_search_month_{{ month }},
    {%- endfor %}
    {%- for month in months %}
    trend.category_t{{ month }},
    {%- endfor %}
    trend.Trending_Type,
    trend.Previous,
    content.TotalDuration,
    content.ActiveDays,
    behavior.TotalDuration as BehaviorDuration,
    behavior.Activeness as BehaviorDays,
    behavior.Most_watch as BehaviorMostWatch,
    behavior.Tase as BehaviorTaste
from {{ ref('customer_content') }} as content
left join {{ ref('customer_behavior') }} as behavior on behavior.Contract = content.Contract
left join {{ ref('stg_contract_user') }} as bridge on bridge.contract = content.Contract
left join {{ ref('search_trend') }} as trend on trend.user_id = bridge.user_id
