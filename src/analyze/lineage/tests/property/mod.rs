//! Is the lineage true? Random queries are run on rows, then on rows with columns changed:
//!
//! - Columns that the lineage of a result does not name at all are emptied, and in another run replaced by other values.
//!   The result has to be the same rows.
//! - Columns that one column of the result is not made from (and no row is chosen by) are changed. That column has to
//!   have the same values.
//! - A column that is said to be copied from another one, which decides about no row, is changed value by value. The copy
//!   has to have exactly the changed values.
//!
//! That a column which is said to be *used* changes the result cannot hold for every query (`x - x`), so
//! [`used_columns_change_results`] asserts it for queries that are made for it.

mod generate;
mod run;

use super::{Kind, PlanLineage, Source, of_plan};
use generate::Generator;
use run::{Change, Leaf, Tester, leaves};

/// How many random queries are tried; more with `C360_LINEAGE_QUERIES`.
const QUERIES: u64 = 40;

fn reads(source: &Source, leaf: &Leaf) -> bool {
    *source.node == *leaf.table
        && *source.column == *leaf.column
        && source.path.iter().zip(&leaf.path).all(|(mine, other)| mine == other)
}

fn decides(lineage: &PlanLineage, leaf: &Leaf) -> bool {
    lineage.rows.iter().any(|(source, _)| reads(source, leaf))
}

fn makes(lineage: &PlanLineage, column: usize, leaf: &Leaf) -> bool {
    lineage.columns[column].inputs.iter().any(|input| reads(&input.source, leaf))
}

/// What `look` sees of the rows, which are `before` as they are, is not changed by `leaves`.
fn unchanged(
    tester: &Tester,
    sql: &str,
    (leaves, change): (&[Leaf], Change),
    before: &[Vec<String>],
    look: impl Fn(&[Vec<String>]) -> Vec<Vec<String>>,
) {
    // A division by a changed value may fail; what it divides by is used then, and not among these.
    let after = tester.rows(sql, leaves, change).unwrap_or_else(|error| panic!("{sql}\n{change:?}: {error}"));
    assert_eq!(look(&after), look(before), "{sql}\nis changed by {leaves:?}, which it does not use ({change:?})");
}

fn column(rows: &[Vec<String>], index: usize) -> Vec<Vec<String>> {
    let mut values: Vec<Vec<String>> = rows.iter().map(|row| vec![row[index].clone()]).collect();
    values.sort();
    values
}

/// Whether it gave rows.
fn check(tester: &Tester, sql: &str) -> bool {
    let lineage = match tester.plan(sql) {
        Ok(plan) => of_plan(&plan, &super::TestNames).unwrap_or_else(|error| panic!("{sql}: {error}")),
        Err(error) => panic!("the generator wrote what cannot be planned: {sql}\n{error}"),
    };
    let Ok(rows) = tester.rows(sql, &[], Change::Empty) else { return false };
    let all = leaves();
    let unused: Vec<Leaf> = (all.iter())
        .filter(|leaf| !decides(&lineage, leaf) && (0..lineage.columns.len()).all(|at| !makes(&lineage, at, leaf)))
        .cloned()
        .collect();
    for change in [Change::Empty, Change::Other] {
        unchanged(tester, sql, (&unused, change), &rows, <[Vec<String>]>::to_vec);
    }
    for (at, of) in lineage.columns.iter().enumerate() {
        let others: Vec<Leaf> =
            all.iter().filter(|leaf| !decides(&lineage, leaf) && !makes(&lineage, at, leaf)).cloned().collect();
        let change = if at % 2 == 0 { Change::Other } else { Change::Empty };
        unchanged(tester, sql, (&others, change), &rows, |rows| column(rows, at));
        let [input] = of.inputs.as_slice() else { continue };
        let leaf = all.iter().find(|leaf| reads(&input.source, leaf) && leaf.path == input.source.path);
        let Some(leaf) = leaf.filter(|leaf| {
            of.is_copy
                && of.expression.is_none()
                && leaf.has_marks()
                && input.kind == Kind::Copied
                && !decides(&lineage, leaf)
        }) else {
            continue;
        };
        let expected: Vec<Vec<String>> = rows.iter().map(|row| vec![leaf.marked(&row[at])]).collect();
        let after = tester.rows(sql, std::slice::from_ref(leaf), Change::Marked).expect("marks break nothing");
        assert_eq!(column(&after, at), column(&expected, 0), "{sql}\ncolumn {} is no copy of {leaf:?}", of.name);
    }
    !rows.is_empty()
}

#[test]
fn lineage_of_random_queries_is_true() {
    let queries = std::env::var("C360_LINEAGE_QUERIES").ok().and_then(|text| text.parse().ok()).unwrap_or(QUERIES);
    let tester = Tester::new();
    let with_rows = (0..queries).filter(|seed| check(&tester, &Generator::new(*seed).query())).count() as u64;
    // Queries without rows prove little.
    assert!(with_rows * 3 > queries, "only {with_rows} of {queries} queries gave rows");
}

#[test]
fn golden_queries_are_true() {
    let tester = Tester::new();
    let files = [
        include_str!("../queries/expressions.sql"),
        include_str!("../queries/aggregates.sql"),
        include_str!("../queries/joins.sql"),
        include_str!("../queries/subqueries.sql"),
        include_str!("../queries/windows.sql"),
        include_str!("../queries/sets.sql"),
        include_str!("../queries/nested.sql"),
    ];
    let queries = files.iter().flat_map(|file| file.split(';')).map(str::trim).filter(|query| !query.is_empty());
    let ran = queries.filter(|query| check(&tester, query)).count();
    assert!(ran > 50, "only {ran} queries gave rows");
}

/// Each column of these queries is an injective function of what it is made from, or a sum or list of such.
#[test]
fn used_columns_change_results() {
    let tester = Tester::new();
    let queries = [
        "select id as a, amount * 2 + 1 as b, -tax as c, status || '!' as d, concat(status, '-', 'x') as e from orders",
        "select sum(amount) as a, min(tax) as b, max(id) as c, string_agg(status, ',' order by id) as d from orders",
        "with t as (select amount + 1 as x, customer_id as k from orders) select a.x from t as a join t as b on a.k = b.k",
        "select o.amount as a, c.name as b, c.email as d from orders as o left join customers as c on c.id = o.customer_id",
        "select sum(amount) over (partition by status) as a, lag(amount) over (order by id) as b from orders",
        "select _source.Contract as a, _source.Deep.Value + 1 as b from events",
        "select amount as a from orders union all select tax from orders",
        "select (select max(amount) from orders) as a, name as b from customers",
        "select c.name, t.total from customers as c left join (select sum(amount) as total, customer_id from orders group by customer_id) as t on t.customer_id = c.id",
        "select e.tag from (select unnest(tags) as tag from events) as e",
        "select s.a as x, s.b as y from (select named_struct('a', status, 'b', amount * 3) as s from orders) as t",
        "select distinct on (customer_id) amount as a from orders order by customer_id, id",
    ];
    let mut changed = 0;
    for sql in queries {
        let lineage = of_plan(&tester.plan(sql).expect("a query"), &super::TestNames).expect("lineage");
        let before = tester.rows(sql, &[], Change::Empty).expect("rows");
        for (at, of) in lineage.columns.iter().enumerate() {
            for leaf in leaves() {
                let is_used = of.inputs.iter().any(|input| input.kind.is_direct() && reads(&input.source, &leaf));
                if is_used {
                    let after = tester.rows(sql, std::slice::from_ref(&leaf), Change::Marked).expect("rows");
                    assert_ne!(column(&after, at), column(&before, at), "{sql}\n{} ignores {leaf:?}", of.name);
                    changed += 1;
                }
            }
        }
    }
    assert!(changed >= 25, "only {changed} columns were tried");
}
