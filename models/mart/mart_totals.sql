{#- Kept month by month: a new month adds its row, a month that runs again replaces its own. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='Month',
    publish={'to': 'bi', 'table': 'mart_totals', 'key': ['Month']}
) }}

select
    cast(date_trunc('month', {{ date_var('content_start') }}) as date) as Month,
    count(*) as Total_user,
    coalesce(sum(RelaxDuration), 0) as Total_RelaxDuration,
    coalesce(sum(MovieDuration), 0) as Total_MovieDuration,
    coalesce(sum(ChildDuration), 0) as Total_ChildDuration,
    coalesce(sum(SportDuration), 0) as Total_SportDuration,
    coalesce(sum(TvDuration), 0) as Total_TvDuration,
    coalesce(sum(TotalDuration), 0) as Total_Duration
from {{ ref('customer_behavior') }}
