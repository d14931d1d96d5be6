with paid as (select customer_id, amount from orders where status = 'paid'),
    totals as (select customer_id, sum(amount) as total from paid group by customer_id)
select c.name, t.total, t.total > 10 as big from customers as c left join totals as t on t.customer_id = c.id;

-- read twice
with big as (select id, customer_id, amount + tax as gross from orders where amount > 50)
select a.gross as one, b.gross as two from big as a join big as b on a.id = b.customer_id;

-- scalar
select name, (select max(amount) from orders where status = 'paid') as best from customers;
select name, (select sum(o.amount) from orders as o where o.customer_id = c.id) as total from customers as c;
select amount, (select c.name from customers as c where c.id = o.customer_id) as name from orders as o;
select amount * 100 / (select sum(amount) from orders) as share from orders where amount > (select avg(tax) from orders);

-- exists and in
select name from customers as c where exists (select 1 from orders as o where o.customer_id = c.id and o.amount > 50);
select name from customers where id in (select customer_id from orders where status = 'paid');
select name from customers where id not in (select customer_id from orders);
select name, id in (select customer_id from orders) as has_orders from customers;

-- lateral
select c.name, t.doubled from customers as c cross join lateral (select c.id * 2 as doubled) as t;
select c.name, t.total
from customers as c left join lateral (select sum(o.amount) as total from orders as o where o.customer_id = c.id) as t on true;

-- derived tables
select x.b from (select a as b from (select amount as a from orders) as y) as x;
