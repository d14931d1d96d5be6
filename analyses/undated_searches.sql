{#- How many searches have a text that is no date, by spelling: digits as 9. -#}
select
    regexp_replace({{ digits('datetime') }}, '\d', '9', 'g') as spelling,
    count(*) as searches
from {{ source('lake', 'log_search') }}
where {{ lenient_date('datetime') }} is null
group by 1
order by searches desc
