-- copies, renamed and as they are
select id, amount as total, o.status from orders as o;

-- casts that lose nothing, and casts that do
select cast(amount as decimal(30, 2)) as wide, cast(amount as varchar) as words, cast(day as timestamp) as at,
    try_cast(status as bigint) as tried, cast(amount as double) as about
from orders;

-- computed
select amount + tax * 2 - (tax - 1) as x, -amount as negative, upper(trim(status)) as up, status || '!' as loud,
    'fixed' as word, 1 as one, null as nothing, true as yes, date '2022-04-01' as then, interval '1 day' as a_day
from orders;

-- conditions and values
select case when status = 'paid' then amount else 0 end as paid,
    case status when 'paid' then 'p' when 'open' then 'o' end as letter,
    coalesce(amount, tax) as first_known, nullif(amount, tax) as unlike, if(status = 'paid', amount, tax) as chosen
from orders;

-- predicates
select status is not null as has_status, amount between 1 and tax as small, status in ('a', 'b') as listed,
    status not like 'p%' as other, not (amount > tax or status is null) as n, amount = tax and id > 1 as both
from orders;

-- select *, with and without
select * from customers;
select * exclude (email, active) from customers;
select * replace (upper(name) as name) from customers;
select c.*, 1 as one from customers as c where c.active limit 3;

-- names with blanks and capitals
select amount as "Total amount", "Total amount" + 1 as more from (select amount, amount as "Total amount" from orders) as o;

-- a name is shown with its table where another has the same
select o.id + c.id as ids, o.amount + 1 as plain from orders as o join customers as c on o.customer_id = c.id;

-- sorted and cut
select id, status from orders order by amount desc, day limit 2;
