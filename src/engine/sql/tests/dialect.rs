use super::{check, failure, rewritten, rows};

#[test]
fn spellings_of_other_engines_work() {
    let cases: [(&str, &[&str]); 20] = [
        ("select 7 div 2 a, 7 // 2 b, 7.5 div 2 c", &["a,b,c", "3,3,3"]),
        ("select 1 + 7 div 2 * 2 a", &["a", "7"]),
        ("select 1 == 1 a, null <=> null b", &["a,b", "true,true"]),
        ("select mac from log where mac rlike '[12]' and mac not rlike '1'", &["mac", "m2"]),
        ("select mac from log where mac regexp '3$'", &["mac", "m3"]),
        ("select mac from log order by mac fetch first 1 rows only", &["mac", "m1"]),
        ("select top 2 mac from log order by mac", &["mac", "m1", "m2"]),
        ("select 1 a where 2 in unnest([1, 2])", &["a", "1"]),
        (
            "select contract, count(*) n from log group by contract with rollup order by contract",
            &["contract,n", "A1,2", "B2,1", "NULL,3"],
        ),
        ("select mac::varchar(10) m, try_cast(mac as int) i from log limit 1", &["m,i", "m1,NULL"]),
        ("select `Contract` from log limit 1;", &["Contract", "A1"]),
        ("select 1_000 n", &["n", "1000"]),
        ("select mac, from log limit 1", &["mac", "m1"]),
        (
            "select * from sales pivot (sum(AMOUNT) for KIND in ('a', 'b' as Bee)) order by REGION",
            &["Region,a,Bee", "n,1,2", "s,4,NULL"],
        ),
        (
            "select P.region, a_total, b_n from sales pivot (sum(amount) as total, count(*) as n for kind in ('a', 'b')) p order by 1",
            &["region,a_total,b_n", "n,1,1", "s,4,0"],
        ),
        (
            "select * from wide unpivot (Value for Month in (jan, FEB as 'february')) order by key, VALUE limit 3",
            &["Key,Month,Value", "k,Jan,1", "k,february,3", "l,Jan,2"],
        ),
        ("select u.X from (select [1, 2] as xs) t, unnest(T.xs) as u(x) where 1 = 0", &[]),
        ("select V from unnest([3, 4]) as v order by v", &["V", "3", "4"]),
        ("select mac from log cross join users on contract = user_id::varchar", &[]),
        (
            "select * from users u join twins t on t.ID = U.user_id join twins T2 on t2.\"id\" = T.id",
            &["contract,User_Id,ID,id,ID,id", "A1,1,1,2,1,2"],
        ),
    ];
    let cases: Vec<(&str, Vec<String>)> =
        cases.iter().map(|(sql, lines)| (*sql, lines.iter().map(|line| (*line).to_string()).collect())).collect();
    check(&cases, rows);
}

#[test]
fn lambdas_are_lambdas_in_calls_alone() {
    let cases = [
        (
            "select transform(items, X -> x.qty + 1) from log",
            "SELECT transform(\"Items\", X -> \"X\"['Qty'] + 1) FROM log",
        ),
        ("select mac -> 'a' ->> 'b' = 'c' from log", r#"SELECT "Mac" -> 'a' ->> 'b' = 'c' FROM log"#),
    ];
    let cases: Vec<(&str, String)> = cases.iter().map(|(sql, to)| (*sql, (*to).to_string())).collect();
    check(&cases, rewritten);
}

#[test]
fn what_would_be_ignored_is_refused() {
    for (sql, what) in [
        ("select * from log tablesample (10 percent)", "TABLESAMPLE"),
        ("select contract from log group by contract with totals", "GROUP BY modifier"),
        ("select 1; select 2", "one statement is expected, there are 2"),
        ("-- nothing", "no SQL statement"),
    ] {
        let message = failure(sql);
        assert!(message.contains(what), "{sql}: {message}");
    }
}

#[test]
fn long_chains_do_not_exhaust_the_stack() {
    // On a thread such as those of the program.
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(rewrite_long_chains);
    thread.expect("a thread").join().expect("chains that are rewritten");
}

fn rewrite_long_chains() {
    let sum = vec!["totalduration"; 2000].join(" + ");
    let unions = vec!["select mac from log"; 500].join(" union all ");
    let sum = rewritten(&format!("select {sum} as s from log"));
    assert_eq!(sum.matches("\"TotalDuration\"").count(), 2000);
    let unions = rewritten(&format!("select m from ({unions}) as x(M)"));
    assert!(unions.starts_with("SELECT \"M\" AS \"m\" FROM (SELECT \"Mac\" AS \"mac\" FROM log UNION ALL"));
}
