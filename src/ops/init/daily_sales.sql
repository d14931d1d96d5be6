{{ config(publish={'to': 'bi', 'key': ['ordered_on']}) }}

select
    ordered_on,
    count(*) as orders,
    sum(amount) as amount
from {{ ref('orders') }}
group by ordered_on
