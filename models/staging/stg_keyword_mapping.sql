{#- One category for each keyword: where the labelling repeats one, the first category by name. -#}
{%- set table = 'keyword_category_xlsx' if var('keyword_mapping_format') == 'xlsx' else 'keyword_category' -%}

select
    {{ mapped_keyword('search') if rule('fold_keywords', option=true) else 'search' }} as keyword,
    min(category) as category
from {{ source('lake', table) }}
where search is not null
group by 1
