//! Shapes of queries that a distributed planner cuts in places where a local one does not.

use super::{Cluster, Pair};
use crate::harness::Project;

/// Two sources of several files: `a` (id 0..=59, v, tag) and `b` (id 0..=29 twice, w, some null).
fn lake() -> Project {
    let mut project = Project::new().file(
        "models/_sources.yml",
        "sources:\n  - name: lake\n    tables:\n      - {name: a, external: {location: 'lake/a/*.json'}}\n      \
         - {name: b, external: {location: 'lake/b/*.csv'}}\n",
    );
    for file in 0..6 {
        let line = |id: u32| format!("{{\"id\": {id}, \"v\": {}, \"tag\": \"t{}\"}}\n", id * 7 % 11, id % 5);
        project =
            project.file(&format!("lake/a/{file}.json"), (file * 10..file * 10 + 10).map(line).collect::<String>());
        let line = |at: u32| match at % 4 {
            0 => format!("{},\n", at % 30),
            _ => format!("{},{}\n", at % 30, at),
        };
        let rows: String = (file * 10..file * 10 + 10).map(line).collect();
        project = project.file(&format!("lake/b/{file}.csv"), format!("id,w\n{rows}"));
    }
    project
}

const QUERIES: &[(&str, &str)] = &[
    ("inner", "select a.id, b.w from A a join B b using (id)"),
    ("left_join", "select a.id, b.w from A a left join B b on a.id = b.id and b.w > 20"),
    ("right_join", "select a.v, b.id, b.w from A a right join B b on a.id = b.id + 50"),
    (
        "full_join",
        "select a.id, b.id as bid from A a full join (select distinct id + 25 as id from B) b on a.id = b.id",
    ),
    ("cross_join", "select a.id, x.n from A a cross join (select count(*) as n from B) x"),
    ("cross_many", "select count(*) as n, sum(a.v * b.id) as s from A a cross join B b"),
    ("theta", "select a.id, count(*) as n from A a join B b on a.id > b.id group by a.id"),
    ("theta_left", "select a.id, b.w from A a left join B b on b.w > a.id + 50"),
    ("theta_full", "select a.id, b.w from A a full join B b on b.w > a.id + 50"),
    ("theta_right", "select a.id, b.w from A a right join B b on b.w > a.id + 50"),
    ("theta_exists", "select * from A a where exists (select 1 from B b where b.w > a.id + 50)"),
    ("theta_missing", "select * from A a where not exists (select 1 from B b where b.w > a.id + 50)"),
    ("semi", "select * from A where id in (select id from B where w > 10)"),
    ("anti", "select * from A a where not exists (select 1 from B b where b.id = a.id)"),
    ("not_in", "select * from A where id not in (select id from B)"),
    ("not_in_null", "select * from A where v not in (select w from B)"),
    ("scalar_sub", "select id, v - (select avg(v) from A) as d, (select max(w) from B) as w from A"),
    ("correlated", "select id, (select count(*) from B b where b.id = a.id) as n from A a"),
    ("distinct_rows", "select distinct tag, v % 2 as odd from A"),
    ("union_rows", "select id from A union select id from B"),
    (
        "union_all",
        "select id, 'a' as k from A union all select id, 'b' as k from B union all select -1 as id, 'c' as k",
    ),
    (
        "interleaved",
        "select id, count(*) as n from (select id, v from A group by id, v union all select id, w from B group by id, w) x group by id",
    ),
    ("intersection", "select id from A intersect select id from B"),
    ("difference", "select id from A except select id from B"),
    ("grouping", "select tag, v, count(*) as n, grouping(tag) as g from A group by grouping sets ((tag), (v), ())"),
    ("rolled_up", "select tag, v % 2 as odd, sum(id) as s from A group by rollup (tag, v % 2)"),
    ("having_sub", "select tag, sum(v) as s from A group by tag having sum(v) > (select avg(v) from A) * 2"),
    ("no_groups", "select count(*) as n, min(id) as low, max(tag) as high, avg(v) as mean from A where id < 0"),
    (
        "ranked",
        "select id, tag, row_number() over (partition by tag order by v, id) as r, lag(id) over (order by id) as p from A",
    ),
    (
        "running",
        "select id, sum(v) over (order by id rows between 3 preceding and current row) as s, sum(v) over (order by id) as t from A",
    ),
    ("ranged", "select id, sum(v) over (order by id range between 5 preceding and 5 following) as s from A"),
    ("whole_window", "select id, v * 1.0 / sum(v) over () as share, first_value(id) over (order by v, id) as f from A"),
    ("qualified", "select * from A qualify row_number() over (partition by tag order by id desc) = 1"),
    ("top", "select id, v from A order by v desc, id limit 7"),
    ("paged", "select id from A order by id limit 5 offset 12"),
    ("any_five", "select count(*) as n from (select id from A limit 5) x"),
    (
        "recursive",
        "with recursive r as (select 1 as n union all select n + 1 from r where n < 10) select r.n, count(a.id) as c from r left join A a on a.id = r.n group by r.n",
    ),
    (
        "ctes",
        "with x as (select id, v from A where v > 3), y as (select id, count(*) as n from x group by id) select x.id, y.n, z.v from x join y using (id) join x z using (id)",
    ),
    ("unnested", "select id, unnest([v, v + 1]) as u from A"),
    ("nested", "select id, named_struct('v', v, 'tags', [tag, 'x']) as s, map([tag], [v]) as m from A"),
    (
        "types",
        "select id, cast(v as decimal(12, 3)) / 7 as d, cast('2022-01-01' as date) + v as day, to_timestamp(id) as ts, v > 3 as b, cast(tag as bytea) as bin, cast(null as int) as nothing from A",
    ),
    ("nothing", "select * from A where false"),
    ("no_table", "select 1 as one, 'x' as two"),
    ("values_only", "select * from (values (1, 'a'), (2, null)) t(id, s)"),
    ("series", "select value as n from generate_series(1, 5)"),
    ("series_joined", "select s.value as n, a.tag from generate_series(1, 100) s join A a on a.id = s.value"),
    ("case_when", "select case when v > 5 then 'high' when v > 2 then 'mid' end as k, count(*) as n from A group by 1"),
    (
        "unicode",
        "select 'Phở ' || tag as \"Tên\", \"Tên\" || '!' as x from (select tag, 'ờ' as \"Tên\" from A) x group by all",
    ),
    ("filtered_agg", "select count(*) filter (where v > 3) as n, sum(v) filter (where tag = 't1') as s from A"),
    (
        "percentiles",
        "select tag, percentile_cont(0.5) within group (order by v) as p, approx_median(v) as m from A group by tag",
    ),
];

fn project() -> Project {
    QUERIES.iter().fold(lake(), |project, (name, sql)| {
        let sql =
            regex::Regex::new(r"\b([AB])\b").expect("a pattern").replace_all(sql, |found: &regex::Captures<'_>| {
                format!("{{{{ source('lake', '{}') }}}}", found[1].to_lowercase())
            });
        project.file(&format!("models/{name}.sql"), format!("{{{{ config(materialized='table') }}}} {sql}"))
    })
}

#[test]
fn every_shape_of_query_gives_the_same_rows() {
    let mut cluster = Cluster::start();
    let pair = Pair::new(&cluster, project);
    pair.here.ok(&["build"]);
    let output = pair.there.run(&["build"]);
    assert_eq!(output.code, Some(0), "{}\n{}", output.stderr, cluster.logs());
    let names: Vec<&str> = QUERIES.iter().map(|(name, _)| *name).collect();
    // What the cluster wrote, as it is read without it.
    let profile = pair.here.read("profiles.yml");
    pair.there.write("profiles.yml", profile);
    let found = pair.same(&names);
    for (name, rows) in [("any_five", "5"), ("no_groups", "0|null|null|null"), ("no_table", "1|x")] {
        assert_eq!(found[name], [rows], "{name}");
    }
    assert!(cluster.jobs() >= QUERIES.len() - 5, "{} jobs\n{}", cluster.jobs(), cluster.logs());
    cluster.wait_until("executors dropped what finished jobs left", |cluster| cluster.shuffle_files() == 0);
}

#[test]
fn an_overflow_on_an_executor_is_the_users_error() {
    let cluster = Cluster::start();
    let project = lake().file(
        "models/m.sql",
        "{{ config(materialized='table') }} select cast(9223372036854775807 as bigint) + id as x from {{ source('lake', 'a') }}",
    );
    let project = project.on_cluster(&cluster.url());
    let output = project.exits(1, &["build"]);
    output.says(&["error[C4007]", "m"]);
    project.write(
        "models/m.sql",
        "{{ config(materialized='table') }} select cast(tag as int) as x from {{ source('lake', 'a') }}",
    );
    let output = project.exits(1, &["build"]);
    output.says(&["error[C4003]", "t0"]);
    for noise in ["DataFusionError", "ArrowError(", "Status {", "Stage"] {
        assert!(!output.stderr.contains(noise), "{noise}\n{}", output.stderr);
    }
    assert_eq!(project.versions("main/m"), 0);
}

#[test]
fn a_mistake_in_sql_has_its_place() {
    let cluster = Cluster::start();
    let pair = Pair::new(&cluster, || {
        lake().file("models/m.sql", "{{ config(materialized='table') }}\nselect idd from {{ source('lake', 'a') }}")
    });
    // Without the check before it, so that the mistake is the cluster's to tell.
    let here = pair.here.exits(1, &["build", "--no-check"]);
    let there = pair.there.exits(1, &["build", "--no-check"]);
    let errors =
        |text: &str| text.lines().skip_while(|line| !line.starts_with("error[")).map(String::from).collect::<Vec<_>>();
    there.says(&["error[C4004]", "models/m.sql:2:8"]);
    assert_eq!(errors(&there.stderr)[..3], errors(&here.stderr)[..3]);
}
