{{ config(materialized='view') }}

select
    order_id,
    cast(ordered_at as date) as ordered_on,
    amount
from {{ ref('raw_orders') }}
where status <> 'cancelled'
