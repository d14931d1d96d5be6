use super::{check, rows};

#[test]
fn lists_are_unnested_beside_their_rows() {
    let cases: [(&str, &[&str]); 9] = [
        ("select l.mac, U.I.name n from log l, unnest(l.items) as u(i) order by N", &["mac,n", "m1,x", "m1,y", "m3,z"]),
        (
            "select mac, i.qty from log cross join unnest(LOG.items) as i where I.qty > 1 order by i.QTY",
            &["mac,qty", "m1,2", "m3,3"],
        ),
        (
            "select u.* from users u cross join lateral (select U.user_id + 1 as Next) x order by NEXT",
            &["contract,User_Id", "A1,1", "C3,3"],
        ),
        (
            "select * from users u cross join lateral (select U.user_id + 1 as Next) x where X.NEXT > 2",
            &["contract,User_Id,Next", "C3,3,4"],
        ),
        ("select mac from log lateral view explode(items) t as item where T.item.name = 'x'", &["mac", "m1"]),
        (
            "select t.mac, X.qty q from log t lateral view outer explode(items) e as x order by mac, q",
            &["mac,q", "m1,1", "m1,2", "m2,NULL", "m3,3"],
        ),
        (
            "select a.mac, b.mac as other, u.i.name n from log a join log b on a.mac = b.mac cross join unnest(b.items) u(i) order by n",
            &["mac,other,n", "m1,m1,x", "m1,m1,y", "m3,m3,z"],
        ),
        (
            "select l.mac, i.i.qty q, s.CONTRACT from log l cross join unnest(items) as i(i) join users s on s.contract = l.contract order by q",
            &["mac,q,CONTRACT", "m1,1,A1", "m1,2,A1", "m3,3,A1"],
        ),
        (
            "select x, y from (select [1, 2] as xs) t, unnest(T.xs) as u(x), unnest([7]) as w(y) order by x",
            &["x,y", "1,7", "2,7"],
        ),
    ];
    let cases: Vec<(&str, Vec<String>)> =
        cases.iter().map(|(sql, lines)| (*sql, lines.iter().map(|line| (*line).to_string()).collect())).collect();
    check(&cases, rows);
}

#[test]
fn names_that_meet_in_the_subquery_stay_apart() {
    let sql = "select mac from log a join log b on a.mac = b.mac cross join unnest(b.items) u(i)";
    assert!(rows(sql)[0].contains("error[C4004]"), "ambiguous: {:?}", rows(sql));
    let sql = "select a.mac, b.mac as m2, u.mac.qty q from log a join log b on a.mac < b.mac cross join unnest(b.items) u(Mac)";
    assert_eq!(rows(&format!("{sql} order by m2, 1"))[1..], ["m1,m3,3", "m2,m3,3"]);
}
