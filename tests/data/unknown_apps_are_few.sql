{{ config(severity='warn') }}
{#- Viewing of apps that app_category doesn't know counts for no category. A larger share than the var
    `unknown_app_limit` says that the list has to grow. -#}
select
    sum(unknown_app_viewings) as unknown_app_viewings,
    sum(viewings) as viewings
from {{ ref('int_contract_usage') }}
having sum(unknown_app_viewings) > {{ var('unknown_app_limit') }} * sum(viewings)
