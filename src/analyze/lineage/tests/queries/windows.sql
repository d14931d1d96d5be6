select id, row_number() over (partition by customer_id order by day desc) as n from orders;
select id, sum(amount) over (partition by customer_id order by day) as running, lag(amount) over (order by day) as before,
    rank() over (order by amount) as place, first_value(status) over (partition by customer_id order by day) as first_status
from orders;
select id, amount from orders qualify row_number() over (partition by customer_id order by day desc, id) = 1;
select id, amount from (
    select id, amount, row_number() over (partition by customer_id order by day) as n from orders
) as numbered where n = 1;
select amount * 100.0 / sum(amount) over () as share from orders;
select status, sum(sum(amount)) over (order by status) as running from orders group by status;
select id, avg(amount) over w as mean, max(day) over w as last_day from orders window w as (partition by status);
select case when row_number() over (order by day) = 1 then amount end as first_amount from orders;
