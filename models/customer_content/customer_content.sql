{{ config(publish={'to': 'bi', 'table': 'customer_content', 'key': ['Contract'],
                   'indexes': [['CustomerType'], ['Activeness']]}) }}
{%- set columns = category_columns(var('content_categories'), prefix='Total_') %}
with customers as (

    select
        usage.contract as Contract,
        {%- for category, column in columns.items() %}
        usage.content_{{ category }} as {{ column }},
        {%- endfor %}
        {% for category in columns %}usage.content_{{ category }}{{ ' + ' if not loop.last }}{% endfor %} as TotalDuration,
        usage.devices as TotalDevices,
        usage.active_days as ActiveDays,
        bands.activeness as Activeness
    from {{ ref('int_contract_usage') }} as usage
    inner join {{ ref('activity_bands') }} as bands
        on usage.active_days between bands.min_days and bands.max_days
    where
        usage.contract <> '0'
        and usage.content_viewings > 0

),

quartiles as (

    select
        percentile_disc(0.25) within group (order by TotalDuration) as first_quartile,
        percentile_disc(0.5) within group (order by TotalDuration) as median
    from customers

),

typed as (

    select
        customers.*,
        cast(case
            when Activeness = 'very low' and TotalDuration < first_quartile then 1
            when Activeness = 'low' and TotalDuration < median then 2
            when Activeness = 'moderate' and TotalDuration < median then 3
            when Activeness = 'moderate' and TotalDuration >= median then 4
            when Activeness = 'high' and TotalDuration > first_quartile then 5
            when Activeness = 'very high' and TotalDuration > first_quartile then 6
            else 0
        end as bigint) as CustomerType
    from customers
    cross join quartiles

)

select
    typed.Contract,
    {%- for column in columns.values() | sort %}
    typed.{{ column }},
    {%- endfor %}
    typed.TotalDevices,
    {{ most_watched(columns, 'None' if rule('none_watched') else none) }} as MostWatch,
    concat_ws('-'
        {%- for category, column in columns.items() -%}
        , case when {{ column }} <> 0 then '{{ category }}' end
        {%- endfor -%}
    ) as CustomerTaste,
    typed.Activeness,
    typed.CustomerType,
    typed.TotalDuration,
    typed.ActiveDays,
    segments.segment as Segment
from typed
left join {{ ref('segments') }} as segments on segments.customer_type = typed.CustomerType
