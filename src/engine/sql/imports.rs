//! Import CTEs read in place.
//!
//! Models like to name what they read first: `with orders as (select * from shop.orders) select .. from orders`. Such an
//! expression is the relation under another name, so its readers read the relation under an alias, and the planner has one
//! query less to plan, with all its columns, for each import.
//!
//! It comes after the resolution of names: what was noticed of the query is said of the text as it was written. Relations
//! are replaced only where they cannot mean anything else: their name has a schema, and no other common table expression
//! of the statement has the name of this one.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    self, Cte, Ident, ObjectName, ObjectNamePart, Query, Select, SelectItem, SetExpr, TableAlias, TableFactor,
    VisitMut, VisitorMut,
};

/// Puts relations in the place of the CTEs of the outermost query that only import them. An import that nobody reads
/// stays, so that the planner still looks at it.
pub(in crate::engine) fn read_imports_in_place(statement: &mut Statement) {
    let Statement::Statement(statement) = statement else { return };
    let ast::Statement::Query(query) = statement.as_mut() else { return };
    let Some(with) = query.with.as_ref().filter(|with| !with.recursive) else { return };
    let imports = with.cte_tables.iter().filter_map(|cte| Some((cte.alias.name.value.clone(), import(cte)?)));
    let mut reader = Reader { imports: imports.collect(), read: HashSet::new(), defined: Vec::new(), gives_up: false };
    if reader.imports.is_empty() {
        return;
    }
    let mut looker = Names(&mut reader);
    let _ = query.visit(&mut looker);
    if reader.gives_up {
        return;
    }
    let defined = std::mem::take(&mut reader.defined);
    let is_alone = |name: &str| defined.iter().filter(|other| other.eq_ignore_ascii_case(name)).count() == 1;
    reader.imports.retain(|name, _| is_alone(name));
    let _ = query.visit(&mut reader);
    if let Some(with) = &mut query.with {
        with.cte_tables.retain(|cte| !reader.read.contains(&cte.alias.name.value));
        if with.cte_tables.is_empty() {
            query.with = None;
        }
    }
}

/// What a CTE reads, if it is `select * from schema.relation` and no more.
fn import(cte: &Cte) -> Option<(ObjectName, Ident)> {
    if !cte.alias.columns.is_empty() || cte.materialized.is_some() || cte.from.is_some() {
        return None;
    }
    let SetExpr::Select(select) = cte.query.body.as_ref() else { return None };
    let Select { projection, from, .. } = select.as_ref();
    let ([SelectItem::Wildcard(_)], [item]) = (projection.as_slice(), from.as_slice()) else { return None };
    let TableFactor::Table { name, .. } = &item.relation else { return None };
    let parts: Option<Vec<&Ident>> = name.0.iter().map(ObjectNamePart::as_ident).collect();
    // Whatever else may stand in a query would show in its text.
    let plain = parts.is_some_and(|parts| parts.len() > 1) && cte.query.to_string() == format!("SELECT * FROM {name}");
    plain.then(|| (name.clone(), cte.alias.name.clone()))
}

struct Reader {
    /// Relations and the names that they get, by the names of their CTEs.
    imports: HashMap<String, (ObjectName, Ident)>,
    /// The imports that somebody reads.
    read: HashSet<String>,
    /// The names of all CTEs, wherever they are.
    defined: Vec<String>,
    /// There is something that reads relations in another way.
    gives_up: bool,
}

/// Looks at the names that a statement defines.
struct Names<'a>(&'a mut Reader);

impl VisitorMut for Names<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let ctes = query.with.iter().flat_map(|with| &with.cte_tables);
        self.0.defined.extend(ctes.map(|cte| cte.alias.name.value.clone()));
        self.0.gives_up |= !query.pipe_operators.is_empty() || has_table(&query.body);
        ControlFlow::Continue(())
    }
}

/// True for a body with the short form `table x`.
fn has_table(body: &SetExpr) -> bool {
    match body {
        SetExpr::Table(_) => true,
        SetExpr::SetOperation { left, right, .. } => has_table(left) || has_table(right),
        _ => false,
    }
}

impl VisitorMut for Reader {
    type Break = ();

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        let TableFactor::Table { name, alias, args: None, .. } = factor else { return ControlFlow::Continue(()) };
        let [ObjectNamePart::Identifier(ident)] = name.0.as_slice() else { return ControlFlow::Continue(()) };
        let Some((relation, called)) = self.imports.get(&ident.value) else { return ControlFlow::Continue(()) };
        self.read.insert(ident.value.clone());
        *name = relation.clone();
        alias.get_or_insert_with(|| TableAlias { explicit: true, name: called.clone(), columns: Vec::new(), at: None });
        ControlFlow::Continue(())
    }
}
