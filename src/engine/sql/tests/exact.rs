//! A statement that spells every name exactly means the same before and after resolution.

use super::{TestCatalog, plan, session, tables};
use crate::diag::SourceFile;
use crate::engine::sql::parse;

const EXACT: [&str; 14] = [
    "select * from log",
    "select l.*, u.\"User_Id\" as u from log l left join users u on l.\"Contract\" = u.contract",
    "select Contract, count(*) as n from log group by Contract having count(*) > 1 order by n desc, Contract",
    "select upper(Contract) as Contract from log order by Contract",
    "with a as (select Mac, TotalDuration from log), b as (select * from a) select a.Mac from a join b using (Mac)",
    "select ID, id from twins where ID = 1 and id = 2",
    "select Mac, sum(TotalDuration) over (partition by Contract order by Mac) as s from log qualify s > 1",
    "select Mac from log l where exists (select 1 from users u where u.contract = l.Contract)",
    "select Mac from log union all select contract from users order by Mac",
    "select lower(contract) as contract, count(*) as n from users group by contract",
    "select distinct Contract from log order by Contract",
    "select case Mac when 'm1' then 1 else 0 end as c, cast(TotalDuration as double) / 2 as d from log",
    "with recursive r(n) as (select 1 union all select n + 1 from r where n < 3) select n from r",
    "select x.column1 from (values (1), (2)) as x",
];

#[tokio::test]
async fn exact_statements_keep_their_plan() {
    let tables = tables();
    let context = session(&tables);
    let state = context.state();
    let catalog = TestCatalog(tables);
    for sql in EXACT {
        let before = state.statement_to_plan(parse(sql).expect("SQL")).await.expect(sql);
        let after = plan(&state, &SourceFile::new("model.sql", sql), &catalog).await.expect(sql);
        assert_eq!(before.schema().as_arrow(), after.schema().as_arrow(), "{sql}");
        assert_eq!(before.display_indent().to_string(), after.display_indent().to_string(), "{sql}");
    }
}

/// The same statements in capitals: the same rows, and the names in capitals where a bare column was written.
#[tokio::test]
async fn case_makes_no_difference() {
    let tables = tables();
    let context = session(&tables);
    let state = context.state();
    let catalog = TestCatalog(tables);
    for sql in EXACT.iter().filter(|sql| !sql.contains("twins")) {
        let exact = plan(&state, &SourceFile::new("model.sql", *sql), &catalog).await.expect(sql);
        let loud = sql.to_uppercase().replace("'M1'", "'m1'");
        let loud = plan(&state, &SourceFile::new("model.sql", loud.as_str()), &catalog).await;
        let loud = loud.unwrap_or_else(|error| panic!("{sql}: {error}"));
        let names = |schema: &arrow::datatypes::Schema| -> Vec<String> {
            schema.fields().iter().map(|field| field.name().to_lowercase()).collect()
        };
        assert_eq!(names(exact.schema().as_arrow()), names(loud.schema().as_arrow()), "{sql}");
    }
}
