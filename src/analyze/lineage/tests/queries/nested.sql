select _source.Contract as contract, _source['Deep']['Value'] as deep, upper(_source.Contract) as up, _source from events;
select s.Deep.Value as deep from (select _source as s from events) as e;

-- a struct that the query puts together
select s.b as qty, s.a as name, s from (select named_struct('a', upper(status), 'b', amount) as s from orders) as t;

-- lists
select unnest(tags) as tag, seq from events;
select e.seq, i.Name as item, i.Qty * 2 as twice from (select seq, unnest(Items) as i from events) as e;
select e.seq, u.tag from events as e cross join unnest(e.tags) as u(tag);
select seq, x.Name from events lateral view explode(Items) t as x;
select Items[1].Name as first_item, array_length(tags) as n, tags[1] as first_tag from events;
select unnest(_source) from events;
select array_transform(tags, t -> upper(t)) as tags, [seq, 2] as pair from events;
