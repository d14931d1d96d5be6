//! SQL as projects write it for DuckDB, Postgres or Spark: each line here is a query and its result.

use crate::harness::Project;

fn check(cases: &[(&str, &str)]) {
    let project = Project::new();
    for (sql, expected) in cases {
        let out = project.run(&["show", "--inline", sql, "--output", "csv", "--quiet", "--limit", "-1"]);
        assert_eq!(out.code, Some(0), "{sql}\n{}", out.stderr);
        let rows: Vec<&str> = out.stdout.lines().skip(1).collect();
        assert_eq!(rows.join(" "), *expected, "{sql}");
    }
}

#[test]
fn an_alias_can_be_used_in_the_same_select() {
    check(&[
        ("select x + 1 as a, a * 2 as b, b - a from (values (1)) t(x)", "2,4,2"),
        ("select x + 1 as a from (values (1), (5)) t(x) where a > 2", "6"),
        ("select sum(x) as s, s / 2.0 as half from (values (1), (2)) t(x)", "3,1.5"),
        // A column wins against an alias.
        ("select x + 1 as y, y + 0 as z from (values (1, 10)) t(x, y)", "2,10"),
        ("select x as y, y as z, Z from (values (7)) t(x)", "7,7,7"),
        ("select length(x) as n, n as again from (values ('abc')) t(x) group by x", "3,3"),
    ]);
    let out = Project::new().run(&["show", "--inline", "select random() as r, r as again"]);
    assert!(out.stderr.contains("C4004"), "{}", out.stderr);
}

#[test]
fn types_have_the_names_that_other_databases_give_them() {
    check(&[
        ("select 'a'::character varying(10), cast('b' as char varying(3)), 'c'::nvarchar(9)", "a,b,c"),
        ("select '2020-01-01'::datetime, '2020-01-02'::timestamp_ntz", "2020-01-01T00:00:00,2020-01-02T00:00:00"),
        ("select '12'::hugeint + 1, '1.50'::number(10, 2), '3'::dec(4, 1)", "13,1.50,3.0"),
        ("select '{\"a\": 1}'::json, 'x'::uuid", "\"{\"\"a\"\": 1}\",x"),
    ]);
}

#[test]
fn structs_are_packed_by_name() {
    check(&[
        ("select s['a'] + 1, s.b from (select struct_pack(a := x, b := 'y') as s from (values (1)) t(x)) u", "2,y"),
        ("select typeof(struct_pack(a := 1)), typeof(date '2020-01-01')", "\"struct<\"\"a\"\" bigint>\",date"),
    ]);
}

#[test]
fn moments_are_made_and_compared() {
    check(&[
        ("select age(date '2020-03-01', date '2020-01-31')", "1 mons 1 days"),
        ("select age(date '2020-01-31', date '2020-03-01')", "-1 mons -1 days"),
        ("select make_timestamp(2020, 2, 29, 12, 0, 1.5)", "2020-02-29T12:00:01.500"),
        ("select time_bucket(interval '1 hour', timestamp '2020-01-01 10:59:00')", "2020-01-01T10:00:00"),
    ]);
    let out = Project::new().run(&["show", "--inline", "select make_timestamp(2021, 2, 29, 0, 0, 0)"]);
    assert!(out.stderr.contains("are no moment"), "{}", out.stderr);
}

#[test]
fn types_meet_where_databases_let_them() {
    check(&[
        ("select coalesce(d, '2099-01-01') from (values (cast(null as date))) t(d)", "2099-01-01"),
        ("select coalesce(b, 'true') from (values (cast(null as boolean))) t(b)", "true"),
        ("select regexp_matches('abc', 'b') > 0, 0 = regexp_matches('abc', 'x')", "true,true"),
        ("select b = 'true', 'False' <> b from (values (true)) t(b)", "true,true"),
        ("select b in ('True', 'False'), c not in ('true') from (select true as b, 1 > 2 as c) t", "true,true"),
        (
            "select date '2020-01-31' + interval '1 month' * 1, date '2020-01-01' + 2 * interval '1 day'",
            "2020-02-29,2020-01-03",
        ),
        ("select len('abc'), len([1, 2])", "3,2"),
    ]);
}

#[test]
fn series_of_timestamps_are_tables() {
    let series =
        "select * from generate_series(timestamp '2020-01-01', timestamp '2020-01-03', interval '1 day') as t(at)";
    check(&[(series, "2020-01-01T00:00:00 2020-01-02T00:00:00 2020-01-03T00:00:00")]);
    let types =
        "select arrow_typeof(value) from range(timestamp '2020-01-01', timestamp '2020-01-02', interval '1 day')";
    check(&[(types, "Timestamp(µs)")]);
}

#[test]
fn json_in_text_can_be_read() {
    check(&[
        ("select j ->> 'a', j -> 'b' from (values ('{\"a\": \"x\", \"b\": [1, 2]}')) t(j)", "x,\"[1,2]\""),
        (
            "select json_extract_string(j, '$.b[1]'), json_array_length(j, '$.b') from (values ('{\"b\": [1, 2]}')) t(j)",
            "2,2",
        ),
        ("select j::json ->> '$.a.b' from (values ('{\"a\": {\"b\": 5}}'), ('no json'), (null)) t(j)", "5  "),
    ]);
}

#[test]
fn the_column_of_a_series_has_the_names_that_databases_give_it() {
    check(&[
        ("select range from range(2)", "0 1"),
        ("select generate_series + 1 as n from generate_series(1, 2)", "2 3"),
        ("select n * 10 as m from generate_series(1, 2) as n", "10 20"),
        ("select value from range(1)", "0"),
    ]);
}

#[test]
fn queries_stand_for_values_in_a_projection() {
    check(&[
        ("select exists (select 1 where false), not exists (select 1 where false)", "false,true"),
        (
            "select x, exists (select 1 from (values (1)) u(y) where u.y = t.x) as found from (values (1), (2)) t(x) order by x",
            "1,true 2,false",
        ),
        ("select array_length(array(select x from (values (1), (2)) t(x)))", "2"),
        ("select x from (values (1), (2)) t(x) where exists (select 1 from (values (2)) u(y) where y = x)", "2"),
    ]);
}

#[test]
fn aggregates_and_intervals_have_other_spellings() {
    check(&[
        (
            "select timestamp '2021-06-07 07:35:20' at time zone 'UTC' at time zone 'America/Los_Angeles', timestamp '2020-01-01 00:00:00-0'",
            "2021-06-07T00:35:20,2020-01-01T00:00:00",
        ),
        ("select date('2020-01-05'), timestamp('2020-01-05 10:00:00')", "2020-01-05,2020-01-05T10:00:00"),
        ("select listagg(x, '-') within group (order by x desc) from (values ('a'), ('b')) t(x)", "b-a"),
        ("select date '2020-01-01' + interval (1 + 1) day", "2020-01-03"),
        ("select date_add(date '2020-01-01', interval (n) month) from (values (2)) t(n)", "2020-03-01T00:00:00"),
    ]);
}
