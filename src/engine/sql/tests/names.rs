use super::{check, rewritten, rows};
use crate::engine::sql::{parse, relations};

fn rewrites(cases: &[(&str, &str)]) {
    let cases: Vec<(&str, String)> = cases.iter().map(|(sql, to)| (*sql, (*to).to_string())).collect();
    check(&cases, rewritten);
}

fn gives(cases: &[(&str, &[&str])]) {
    let cases: Vec<(&str, Vec<String>)> =
        cases.iter().map(|(sql, lines)| (*sql, lines.iter().map(|line| (*line).to_string()).collect())).collect();
    check(&cases, rows);
}

#[test]
fn columns_match_whatever_their_case() {
    rewrites(&[
        ("select Contract from log", "SELECT Contract FROM log"),
        ("select CONTRACT from log", r#"SELECT "Contract" AS "CONTRACT" FROM log"#),
        (r#"select "contract" from log"#, r#"SELECT "Contract" AS "contract" FROM log"#),
        ("select LOG.contract from log", r#"SELECT "log"."Contract" AS "contract" FROM log"#),
        ("select l.contract from log L", r#"SELECT "L"."Contract" AS "contract" FROM log L"#),
        ("select main.log.mac m from main.log", r#"SELECT main.log."Mac" AS m FROM main.log"#),
        ("select contract as c from log where mac = 'm1'", r#"SELECT "Contract" AS c FROM log WHERE "Mac" = 'm1'"#),
        ("select id, Id from twins", "SELECT id, Id FROM twins"),
        ("select nothing from log", "SELECT nothing FROM log"),
        ("select contract from unknown", "SELECT contract FROM unknown"),
        ("select Log.* from log", r#"SELECT "log".* FROM log"#),
        ("select count(LOG.*) from log", r#"SELECT count("log".*) FROM log"#),
        ("select * exclude (mac, _SOURCE) from log", r#"SELECT * EXCLUDE ("Mac", "_source") FROM log"#),
        ("select * except (mac) from log", r#"SELECT * EXCEPT ("Mac") FROM log"#),
        ("select * replace (upper(mac) as MAC) from log", r#"SELECT * REPLACE (upper("Mac") AS "Mac") FROM log"#),
        ("select current_date, date '2022-01-01' from log", "SELECT current_date, DATE '2022-01-01' FROM log"),
        ("select datediff(day, mac, contract) from log", r#"SELECT datediff('day', "Mac", "Contract") FROM log"#),
    ]);
}

#[test]
fn output_keeps_the_spelling_of_the_query() {
    gives(&[
        ("select CONTRACT, mac from log limit 1", &["CONTRACT,mac", "A1,m1"]),
        ("select * from (select CONTRACT from log) limit 1", &["CONTRACT", "A1"]),
        ("with x as (select CONTRACT from log) select contract from X limit 1", &["contract", "A1"]),
        (
            "select l.contract, k.contract from log l join log k on l.mac = k.MAC order by l.MAC limit 1",
            &["Contract,Contract", "A1,A1"],
        ),
        ("select (mac) from log limit 1", &["mac", "m1"]),
        ("from users", &["contract,User_Id", "A1,1", "C3,3"]),
        ("from users select USER_ID where user_id > 1", &["USER_ID", "3"]),
        ("select * exclude (USER_ID) from users", &["contract", "A1", "C3"]),
        ("select * rename (USER_ID as uid) from users", &["contract,uid", "A1,1", "C3,3"]),
        (
            "select * exclude (contract) replace (user_id * 2 as USER_ID) rename (user_id as uid) from users",
            &["uid", "2", "6"],
        ),
    ]);
}

#[test]
fn every_clause_sees_its_names() {
    gives(&[
        (
            "select CONTRACT, sum(totalduration) as Total from log group by contract having TOTAL > 20 order by total",
            &["CONTRACT,Total", "A1,40"],
        ),
        ("select lower(Contract) as CONTRACT from log group by contract order by 1", &["CONTRACT", "a1", "b2"]),
        ("select distinct L.CONTRACT from log l order by l.contract", &["CONTRACT", "A1", "B2"]),
        (
            "select distinct on (CONTRACT) contract, mac from log order by CONTRACT, mac desc",
            &["contract,mac", "A1,m3", "B2,m2"],
        ),
        ("select sum(TotalDuration) as totalduration from log order by TOTALDURATION * 2", &["totalduration", "60"]),
        (
            "select contract, mac from log qualify row_number() over (partition by CONTRACT order by totalduration desc) = 1 order by mac",
            &["contract,mac", "B2,m2", "A1,m3"],
        ),
        (
            "select mac, row_number() over W as rn from log window w as (order by TOTALDURATION desc) qualify RN = 1",
            &["mac,rn", "m3,1"],
        ),
        ("select mac from log window w as (order by MAC desc) qualify row_number() over w = 1", &["mac", "m3"]),
        ("select contract, count(*) from log group by all order by all", &["contract,count(*)", "A1,2", "B2,1"]),
        ("select 2 as b, 1 as a union all select 1, 9 order by all", &["b,a", "1,9", "2,1"]),
        ("select CONTRACT, count(*) n from log group by 1 order by 2 desc", &["CONTRACT,n", "A1,2", "B2,1"]),
        (
            "select contract, sum(totalduration) filter (where MAC <> 'm1') s from log group by CONTRACT order by CONTRACT",
            &["contract,s", "A1,30", "B2,20"],
        ),
        ("select percentile_cont(0.5) within group (order by TOTALDURATION) p from log", &["p", "20.0"]),
        ("select string_agg(mac, '-' order by MAC desc) s from log", &["s", "m3-m2-m1"]),
    ]);
}

#[test]
fn joins_and_subqueries_see_theirs() {
    gives(&[
        (
            "select L.MAC, u.user_id from log l join users U on l.CONTRACT = u.Contract order by mac",
            &["MAC,user_id", "m1,1", "m3,1"],
        ),
        ("select mac, user_id from log join users using (CONTRACT) order by mac", &["mac,user_id", "m1,1", "m3,1"]),
        ("select contract from log join users using (contract) order by mac", &["contract", "A1", "A1"]),
        ("select mac from log natural join users order by mac", &["mac", "m1", "m3"]),
        ("select u.CONTRACT from log join users u using (contract) limit 1", &["CONTRACT", "A1"]),
        ("select * from log l semi join users u on l.contract = u.CONTRACT order by MAC limit 0", &[]),
        ("select mac from log l left anti join users u on l.contract = u.contract", &["mac", "m2"]),
        ("select mac from log l anti join users u on L.contract = U.contract", &["mac", "m2"]),
        (
            "select mac from log l where exists (select 1 from users where CONTRACT = L.CONTRACT and USER_ID > 0) order by mac",
            &["mac", "m1", "m3"],
        ),
        (
            "select mac, (select max(USER_ID) from users u where u.contract = l.contract) as id from log l order by mac",
            &["mac,id", "m1,1", "m2,NULL", "m3,1"],
        ),
        ("select mac from log where contract in (select CONTRACT from users) order by mac", &["mac", "m1", "m3"]),
        (
            "select X.c from (select contract as C from log) x union all select contract from users order by c limit 2",
            &["c", "A1", "A1"],
        ),
        ("select contract from users minus select CONTRACT from log", &["contract", "C3"]),
        ("select T.a, t.B from (values (1, 'x')) as t(A, b)", &["a,B", "1,x"]),
        ("select X.VALUE from generate_series(1, 2) x", &["VALUE", "1", "2"]),
        ("select v from (select User_Id v from users) where V > 1", &["v", "3"]),
    ]);
}

#[test]
fn common_table_expressions_are_found_whatever_their_case() {
    gives(&[
        ("with Base as (select contract C from log) select BASE.c from base order by C limit 1", &["c", "A1"]),
        (
            "with recursive Nums(N) as (select 1 union all select n + 1 from NUMS where N < 3) select max(n) m from nums",
            &["m", "3"],
        ),
        (
            "with a as (select mac from log), b as (select MAC as M from A) select m from B order by m limit 1",
            &["m", "m1"],
        ),
        ("with t(X, y) as (select contract, mac from log) select Y from T order by y limit 1", &["Y", "m1"]),
        (
            "with users as (select contract, user_id + 1 as next from users) select NEXT from users order by next",
            &["NEXT", "2", "4"],
        ),
    ]);
}

#[test]
fn pipes_see_what_came_before() {
    gives(&[
        ("from users |> where USER_ID > 1 |> select USER_ID as Id |> order by id", &["Id", "3"]),
        ("from users |> extend user_id + 1 as Next |> where NEXT > 3 |> select contract", &["contract", "C3"]),
    ]);
}

#[test]
fn relations_are_what_is_read() {
    let sql = "with a as (select * from raw.Events), b as (select * from a join dim d using (id))
        select (select max(x) from \"Other\") from B where y in (select y from a) union all select 1 from generate_series(1, 2)";
    let relations = relations(&parse(sql).expect("SQL"));
    let names: Vec<String> = relations.iter().map(|relation| relation.parts.join(".")).collect();
    assert_eq!(names, ["raw.Events", "dim", "Other"]);
    assert_eq!(relations[0].span.start.column, 26);
}
