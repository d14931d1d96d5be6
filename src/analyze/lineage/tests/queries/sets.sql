select id, status from orders union all select id, name from customers;
select id, status from orders union select id, name from customers;
select 'all' as dim, count(*) as value from orders union all select status, sum(amount) from orders group by status;
select amount as x from orders union all select amount from orders where tax > 1;
select id from orders intersect select id from customers;
select id from orders except select id from customers;
select id from orders minus select id from customers;

values (1, 'a'), (2, 'b');
select v.n, o.id from (values (1), (2)) as v(n) join orders as o on o.id = v.n;
select g.value as n, o.amount from generate_series(1, 3) as g(value) join orders as o on o.id = g.value;
select 1 as one;

-- recursive
with recursive walk as (
    select src, dst, cost as total from edges where src = 1
    union all
    select w.src, e.dst, w.total + e.cost from walk as w join edges as e on e.src = w.dst
)
select src, dst, total from walk;
with recursive n as (select 1 as i union all select i + 1 from n where i < 5) select i, o.amount from n join orders as o on o.id = i;
with recursive swap as (
    select id as a, customer_id as b, amount as c from orders union select b, c, a from swap
) select a, b, c from swap;
