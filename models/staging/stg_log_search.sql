{#- The search log, typed and renamed. `searched_on` is NULL where the text is no date. -#}
with dated as (

    select
        *,
        {{ lenient_date('datetime') }} as searched_on
    from {{ source('lake', 'log_search') }}

)

select
    eventID as event_id,
    user_id,
    keyword,
    searched_on,
    cast(date_part('year', searched_on) as int) as searched_year,
    cast(date_part('month', searched_on) as int) as searched_month,
    category as event_category,
    action,
    platform,
    networkType as network_type,
    proxy_isp,
    userPlansMap as user_plans
from dated
