{#- How many searches have a text that is no date, by day pattern: digits as 9, so that the spellings stand out. -#}
select
    regexp_replace({{ digits('datetime') }}, '[0-9]', '9', 'g') as spelling,
    count(*) as searches
from {{ source('lake', 'log_search') }}
where {{ lenient_date('datetime') }} is null
group by 1
order by searches desc
