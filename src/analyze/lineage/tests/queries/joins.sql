select o.id, c.name from orders as o join customers as c on c.id = o.customer_id and c.region <> 'w' where o.amount > 5;
select o.id, c.name from orders as o left join customers as c using (id);
select * from orders as o join customers as c using (id);
select coalesce(o.id, c.id) as id, o.amount from orders as o full join customers as c on o.customer_id = c.id;
select a.name, b.name as other from customers as a, customers as b where a.region = b.region;
select o.id, c.name from orders as o cross join customers as c;
select o.id from orders as o semi join customers as c on c.id = o.customer_id;
select o.id from orders as o anti join customers as c on c.id = o.customer_id;
select o.id, c.name from orders as o join customers as c on o.amount between c.id and c.id * 10;
select o.id, c.name from orders as o natural join customers as c;

-- the same table in two roles
select o.id, a.email as buyer, b.email as payer
from orders as o left join customers as a on a.id = o.customer_id left join customers as b on b.id = o.tax;

-- a view that stands for its name, and an ephemeral model
with __dbt__cte__recent as (select id, amount as total from orders where day > date '2022-01-01')
select r.total, r.id, c.name from __dbt__cte__recent as r join customers as c on c.id = r.id;
