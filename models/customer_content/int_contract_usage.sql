{#- Everything that is counted about a contract, in one pass over the viewing log: customer_content and
    customer_behavior are views of these few columns. The row without a contract keeps the totals whole. -#}
with apps as (

    select
        {{ app_key('app') }} as app,
        max(content_category) as content_category,
        max(behavior_category) as behavior_category
    from {{ ref('app_category') }}
    group by 1

),

viewings as (

    select
        content.contract,
        content.mac,
        content.log_date,
        content.duration,
        apps.app,
        apps.content_category,
        apps.behavior_category
    from apps
    -- The few apps first: they are what is held in memory while the log streams by.
    right join {{ ref('stg_log_content') }} as content on apps.app = {{ app_key('content.app') }}

)

select
    contract,
    {%- for category in var('content_categories') %}
    coalesce(sum(duration) filter (where content_category = '{{ category }}'), 0) as content_{{ category }},
    {%- endfor %}
    {%- for category in var('behavior_categories') %}
    coalesce(sum(duration) filter (where behavior_category = '{{ category }}'), 0) as behavior_{{ category }},
    {%- endfor %}
    count(distinct mac) as devices,
    count(distinct log_date) as active_days,
    count(distinct log_date) filter (where behavior_category is not null) as behavior_days,
    count(*) as viewings,
    count(content_category) as content_viewings,
    count(behavior_category) as behavior_viewings,
    count(*) - count(app) as unknown_app_viewings,
    coalesce(sum(duration), 0) as duration
from viewings
group by contract
