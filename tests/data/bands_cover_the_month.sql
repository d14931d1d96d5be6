{#- Every day count from 1 to the last band's end belongs to exactly one band. -#}
with gaps as (

    select
        activeness,
        min_days,
        max_days,
        lag(max_days, 1, 0) over (order by min_days) as previous_max
    from {{ ref('activity_bands') }}

)

select *
from gaps
where
    min_days <> previous_max + 1
    or max_days < min_days
