select status, count(*) as orders, sum(amount) as total, count(distinct customer_id) as customers,
    min(day) as first_day, max(amount) as largest, avg(tax) as mean
from orders where amount > 0 group by status having sum(tax) > 1;

select coalesce(sum(amount), 0) as total, coalesce(sum(amount) filter (where status = 'paid'), 0) as paid from orders;

select percentile_disc(0.25) within group (order by amount) as quartile, max_by(status, day) as latest,
    string_agg(status, ',' order by id) as statuses, array_agg(distinct customer_id) as ids, first_value(amount order by day) as first_amount
from orders;

-- grouped by an expression, and by position
select date_trunc('month', day) as month, lower(status) as s, count(*) as n from orders group by 1, lower(status);

-- sets of groups
select status, customer_id, sum(amount) as total, grouping(status) as is_total
from orders group by grouping sets ((status, customer_id), (status), ());
select status, day, count(*) as n from orders group by rollup (status, day);
select status, day, count(*) as n from orders group by cube (status, day);
select status, count(*) from orders group by all;

-- over an aggregate
select total * 2 as twice, total as once from (select sum(amount) as total from orders group by customer_id) as t;
select max(total) as best from (select customer_id, sum(amount + tax) as total from orders group by customer_id) as t;
select sum(amount) + max(tax) as both, count(*) - count(status) as missing from orders;

select distinct status, customer_id from orders;
select distinct on (customer_id) customer_id, amount, status from orders order by customer_id, day desc;
