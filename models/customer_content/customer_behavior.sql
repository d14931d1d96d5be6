{{ config(publish={'to': 'bi', 'table': 'customer_behavior', 'key': ['Contract']}) }}
{%- set columns = category_columns(var('behavior_categories'), suffix='Duration') %}
with customers as (

    select
        contract as Contract,
        {%- for category, column in columns.items() %}
        behavior_{{ category }} as {{ column }},
        {%- endfor %}
        {% for category in columns %}behavior_{{ category }}{{ ' + ' if not loop.last }}{% endfor %} as TotalDuration,
        {{ 'active_days' if rule('one_activeness') else 'behavior_days' }} as Activeness
    from {{ ref('int_contract_usage') }}
    where
        contract is not null
        {%- if rule('skip_contract_zero') %}
        and contract <> '0'
        {%- endif %}
        and behavior_viewings > 0

)

select
    Contract,
    {%- for column in columns.values() %}
    {{ column }},
    {%- endfor %}
    TotalDuration,
    {{ most_watched(columns, 'No') }} as Most_watch,
    {#- The original ends the taste of a customer without TV with a '_'. #}
    case
        when {% for column in columns.values() %}{{ column }} = 0{{ ' and ' if not loop.last }}{% endfor %} then 'No'
        else concat_ws('_'
            {%- for category, column in columns.items() -%}
            , case when {{ column }} <> 0 then '{{ category }}' {%- if category == 'Tv' and not rule('clean_taste') %} else '' {%- endif %} end
            {%- endfor -%}
        )
    end as Tase,
    Activeness,
    {{ etl_date() }} as Date
from customers
