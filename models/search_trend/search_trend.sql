{{ config(publish={'to': 'bi', 'table': 'search_trend', 'key': ['user_id'], 'indexes': [['Trending_Type']]}) }}
{#- What each user searched most in two months, and whether the kind of it changed. -#}
{%- set months = var('search_months') -%}
{%- if months | length != 2 -%}
    {{ exceptions.raise_compiler_error("search_months must name two months, the earlier one first: [6, 7]") }}
{%- endif -%}
{%- set t1, t2 = months[0], months[1] -%}
{%- set unmapped = ", '(unmapped)'" if rule('name_unmapped') else '' %}
with counted as (

    -- The counted form may gather several spellings; one of them is shown.
    select
        user_id,
        searched_month,
        {{ counted_keyword('keyword') }} as keyword_key,
        min(keyword) as keyword,
        count(*) as searches
    from {{ ref('stg_log_search') }}
    where
        user_id is not null
        and keyword is not null
        and searched_month in ({{ t1 }}, {{ t2 }})
        {%- if rule('exact_year') %}
        and searched_year = {{ var('search_year') }}
        {%- endif %}
        {%- if rule('drop_blank_keywords') %}
        and trim(keyword) <> ''
        {%- endif %}
    group by 1, 2, 3

),

most_searched as (

    select
        user_id,
        searched_month,
        trim(keyword) as keyword
    from counted
    qualify row_number() over (partition by user_id, searched_month order by searches desc, keyword_key) = 1

),

users as (

    select
        user_id,
        max(keyword) filter (where searched_month = {{ t1 }}) as keyword_1,
        max(keyword) filter (where searched_month = {{ t2 }}) as keyword_2
    from most_searched
    group by user_id
    {%- if not rule('keep_one_month_users', option=true) %}
    having count(*) = 2
    {%- endif %}
    {%- if var('search_limit', none) is not none %}
    order by user_id
    limit {{ var('search_limit') }}
    {%- endif %}

),

labelled as (

    select
        users.user_id,
        users.keyword_1,
        users.keyword_2,
        case when users.keyword_1 is not null then coalesce(map_1.category{{ unmapped }}) end as category_1,
        case when users.keyword_2 is not null then coalesce(map_2.category{{ unmapped }}) end as category_2
    from users
    left join {{ ref('stg_keyword_mapping') }} as map_1 on map_1.keyword = {{ mapped_keyword('users.keyword_1') }}
    left join {{ ref('stg_keyword_mapping') }} as map_2 on map_2.keyword = {{ mapped_keyword('users.keyword_2') }}

)

select
    user_id,
    keyword_1 as most_search_month_{{ t1 }},
    keyword_2 as most_search_month_{{ t2 }},
    category_1 as category_t{{ t1 }},
    category_2 as category_t{{ t2 }},
    case
        when keyword_1 is null then 'New'
        when keyword_2 is null then 'Lost'
        when category_1 = category_2 then 'Unchanged'
        else 'Changed'
    end as Trending_Type,
    case
        when category_1 = category_2 then 'Unchanged'
        else concat_ws(' -> ', category_1, category_2)
    end as Previous
from labelled
