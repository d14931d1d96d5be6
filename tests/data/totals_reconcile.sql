{#- The month's row of mart_totals adds up, and says what customer_behavior says. -#}
select
    totals.Month,
    totals.Total_Duration,
    behavior.duration
from {{ ref('mart_totals') }} as totals
cross join (select coalesce(sum(TotalDuration), 0) as duration from {{ ref('customer_behavior') }}) as behavior
where
    totals.Month = cast(date_trunc('month', {{ date_var('content_start') }}) as date)
    and (
        totals.Total_Duration <> behavior.duration
        or totals.Total_Duration <> totals.Total_RelaxDuration + totals.Total_MovieDuration
            + totals.Total_ChildDuration + totals.Total_SportDuration + totals.Total_TvDuration
    )
