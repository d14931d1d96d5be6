{#- Each category's seconds are the same before and after the customers were told apart: none is lost or doubled. -#}
with usage as (

    select
        {%- for category in var('content_categories') %}
        coalesce(sum(content_{{ category }}), 0) as {{ category }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_contract_usage') }}
    where
        contract <> '0'
        and active_days <= (select max(max_days) from {{ ref('activity_bands') }})

),

customers as (

    select
        {%- for category in var('content_categories') %}
        coalesce(sum(Total_{{ category }}), 0) as {{ category }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('customer_content') }}

)

{% for category in var('content_categories') -%}
select
    '{{ category }}' as category,
    usage.{{ category }} as in_usage,
    customers.{{ category }} as in_customers
from usage
cross join customers
where usage.{{ category }} <> customers.{{ category }}
{{ 'union all' if not loop.last }}
{% endfor %}
