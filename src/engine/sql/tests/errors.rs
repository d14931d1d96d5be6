use super::{failure, parse};

fn fails(sql: &str, expected: &[&str]) {
    let message = failure(sql);
    for part in expected {
        assert!(message.contains(part), "{sql}\nexpected {part:?} in\n{message}");
    }
}

#[test]
fn syntax_errors_point_at_the_token() {
    fails("select a\nform log where x", &["error[C4001]: expected", "model.sql:2:"]);
    fails("select 'abc", &["error[C4001]: unterminated string literal", "model.sql:1:8"]);
    fails("select (1 + 2", &["error[C4001]", "found the end of the text", "model.sql:1:14"]);
    let deep = format!("select {}1{}", "(".repeat(500), ")".repeat(500));
    assert!(parse(&deep).is_err_and(|error| error.message.contains("nested too deeply")));
}

#[test]
fn missing_columns_name_what_is_there() {
    let expected = "\
error[C4004]: column `contrat` not found
 --> model.sql:2:8
  |
2 | select contrat
  |        ^^^^^^^
  |
  = note: there are: `Contract`, `Mac`, `TotalDuration`, `_source`, `Items`
  = help: did you mean `Contract`?";
    assert_eq!(failure("-- a comment\nselect contrat\nfrom log"), expected);
    fails(
        "select l.contrat from log l",
        &["column `contrat` not found in `l`", "model.sql:1:8", "did you mean `Contract`?"],
    );
    fails("select x.mac from log l", &["`x.mac` not found: no relation `x` is in sight", "in sight: `l`"]);
    fails("select mac from log where nothing_like_it > 1", &["C4004", "model.sql:1:27"]);
    fails("select Id from twins", &["column `Id` is ambiguous", "`ID`, `id`", "spell the name exactly"]);
    fails("select _source.contrakt from log", &["C4004", "no field `contrakt`", "model.sql:1:"]);
    fails("select mac from log order by makk", &["C4004", "model.sql:1:30", "did you mean"]);
}

#[test]
fn missing_functions_and_relations_are_named() {
    fails(
        "select uper(mac) from log",
        &["error[C4005]: function `uper` not found", "model.sql:1:8", "did you mean `upper`?"],
    );
    fails("select xyzzy_plugh(mac) from log", &["C4005", "function `xyzzy_plugh` not found"]);
    fails("select 1 from logs l", &["error[C4006]: relation `logs` not found", "model.sql:1:15", "ref('logs')"]);
    fails("select 1 from lots_of(1)", &["C4005", "table function `lots_of` not found"]);
}

#[test]
fn things_that_do_not_fit_are_explained() {
    fails("select contract, count(*) from log", &["error[C4002]", "GROUP BY", "model.sql:1:8"]);
    fails("select 1, 2 union all select 1", &["error[C4002]: UNION queries have different number of columns"]);
    fails(
        "select contract from log a join users b on a.Contract = b.contract join users c on true",
        &["error[C4002]: column `contract` is ambiguous", "`relation.contract`"],
    );
    fails("select sum(mac, 1) from log", &["error[C4002]", "`sum`", "model.sql:1:8"]);
    fails("select date_trunc(1, 2, 3, 4)", &["error[C4002]", "date_trunc"]);
    fails(
        "select * from log where sum(totalduration) > 1",
        &["error[C4002]: aggregate functions are not allowed in the WHERE clause"],
    );
    fails("select * from unknown pivot (sum(x) for y in ('a'))", &["error[C4002]: PIVOT over values"]);
    fails("select contract as a, mac as a from log", &["error[C4002]"]);
}

#[test]
fn failures_at_run_time_have_their_codes() {
    fails("select 1 / 0", &["error[C4003]: division by zero", "nullif"]);
    fails("select cast(mac as int) from log", &["error[C4003]: cannot cast", "try_cast"]);
}
