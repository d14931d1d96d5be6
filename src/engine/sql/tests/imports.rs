//! Import CTEs are read in place where that means the same.

use super::super::read_imports_in_place;
use super::{check, parse};

fn in_place(sql: &str) -> String {
    let mut statement = parse(sql).expect("SQL");
    read_imports_in_place(&mut statement);
    statement.to_string()
}

#[test]
fn imports_are_relations_under_another_name() {
    check(
        &[
            ("with a as (select * from s.t) select * from a", "SELECT * FROM s.t AS a".to_string()),
            (
                "with a as (select * from s.t), b as (select x from a where x > 1) select a.x, c.x from a join b c using (x)",
                "WITH b AS (SELECT x FROM s.t AS a WHERE x > 1) SELECT a.x, c.x FROM s.t AS a JOIN b c USING(x)"
                    .to_string(),
            ),
            (
                "with a as (select * from d.s.t) select * from a l left join a r on l.x = r.x",
                "SELECT * FROM d.s.t l LEFT JOIN d.s.t r ON l.x = r.x".to_string(),
            ),
            (
                "with \"A b\" as (select * from s.\"T\") select \"A b\".* from \"A b\" where x in (select x from \"A b\")",
                "SELECT \"A b\".* FROM s.\"T\" AS \"A b\" WHERE x IN (SELECT x FROM s.\"T\" AS \"A b\")".to_string(),
            ),
            (
                "with a as (select * from s.t) select * from a union all select * from a",
                "SELECT * FROM s.t AS a UNION ALL SELECT * FROM s.t AS a".to_string(),
            ),
        ],
        in_place,
    );
}

#[test]
fn what_is_more_than_an_import_stays() {
    let same = [
        "WITH a AS (SELECT * FROM t) SELECT * FROM a",
        "WITH a AS (SELECT * FROM s.t) SELECT 1",
        "WITH a AS (SELECT * FROM s.t WHERE x > 1) SELECT * FROM a",
        "WITH a AS (SELECT DISTINCT * FROM s.t) SELECT * FROM a",
        "WITH a AS (SELECT * FROM s.t LIMIT 1) SELECT * FROM a",
        "WITH a AS (SELECT * FROM s.t ORDER BY x) SELECT * FROM a",
        "WITH a AS (SELECT * FROM s.t AS u) SELECT * FROM a",
        "WITH a AS (SELECT * FROM s.t, s.u) SELECT * FROM a",
        "WITH a AS (SELECT * EXCLUDE (x) FROM s.t) SELECT * FROM a",
        "WITH a (x) AS (SELECT * FROM s.t) SELECT * FROM a",
        "WITH a AS (SELECT * FROM s.f(1)) SELECT * FROM a",
        "WITH a AS (SELECT * FROM s.t) TABLE a",
        "WITH RECURSIVE a AS (SELECT * FROM s.t) SELECT * FROM a",
        // Another one of that name: which one is meant depends on the place.
        "WITH a AS (SELECT * FROM s.t) SELECT * FROM a, (WITH A AS (SELECT 1 AS x) SELECT * FROM A) AS b",
    ];
    let cases: Vec<(&str, String)> = same.iter().map(|sql| (*sql, (*sql).to_string())).collect();
    check(&cases, in_place);
}
