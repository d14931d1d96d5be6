use super::{check, rewritten, rows};

#[test]
fn fields_match_whatever_their_case() {
    let cases = [
        ("select _source.Contract from log", r#"SELECT _source.Contract AS "Contract" FROM log"#),
        ("select _source.contract from log", r#"SELECT _source."Contract" AS "contract" FROM log"#),
        ("select l._SOURCE.appname a from log l", r#"SELECT l."_source"."AppName" AS a FROM log l"#),
        ("select _source.deep.VALUE v from log", r#"SELECT _source."Deep"."Value" AS v FROM log"#),
        ("select _source['contract'] c from log", "SELECT _source['Contract'] AS c FROM log"),
        ("select _source[\"contract\"] c from log", "SELECT _source['Contract'] AS c FROM log"),
        ("select (_source).deep.value v from log", "SELECT (_source)['Deep']['Value'] AS v FROM log"),
        ("select items[1].name n from log", "SELECT \"Items\"[1]['Name'] AS n FROM log"),
        ("select _source.other from log", r#"SELECT _source.other AS "other" FROM log"#),
        (
            "select s.deep.value v from (select _source as S from log)",
            r#"SELECT "S"."Deep"."Value" AS v FROM (SELECT _source AS S FROM log)"#,
        ),
    ];
    let cases: Vec<(&str, String)> = cases.iter().map(|(sql, to)| (*sql, (*to).to_string())).collect();
    check(&cases, rewritten);
}

#[test]
fn fields_give_rows() {
    let cases: [(&str, &[&str]); 12] = [
        ("select _source.contract from log order by 1 limit 1", &["contract", "A1"]),
        ("select (_source).appname as app from log order by APP limit 1", &["app", "CHANNEL"]),
        ("select L._Source.Deep.value + 1 as v from log l order by V desc limit 1", &["v", "4"]),
        ("select _source.* from log limit 1", &["Contract,AppName,Deep", "A1,KPLUS,{Value: 1}"]),
        ("select l._source.deep.* from log l order by VALUE limit 1", &["Value", "1"]),
        ("select items[1].name as n from log order by mac", &["n", "x", "NULL", "z"]),
        (
            "with s as (select * from log) select S._SOURCE.CONTRACT, count(*) n from s group by _source.contract order by n",
            &["CONTRACT,n", "B2,1", "A1,2"],
        ),
        ("select distinct _source.contract from log order by _source.contract", &["contract", "A1", "B2"]),
        (
            "select mac from log l where exists (select 1 from users u where u.contract = l._source.contract) order by mac",
            &["mac", "m1", "m3"],
        ),
        ("select case when mac = 'm1' then _source end.appname a from log order by mac limit 1", &["a", "KPLUS"]),
        ("select any_value(_source).contract c from log where mac = 'm2'", &["c", "B2"]),
        ("select l.contract from log l where l._source.contract = 'B2'", &["contract", "B2"]),
    ];
    let cases: Vec<(&str, Vec<String>)> =
        cases.iter().map(|(sql, lines)| (*sql, lines.iter().map(|line| (*line).to_string()).collect())).collect();
    check(&cases, rows);
}

#[test]
fn an_alias_wins_against_a_struct_of_its_name() {
    assert_eq!(rewritten("select _source.mac m from log _source"), r#"SELECT _source."Mac" AS m FROM log _source"#);
}
