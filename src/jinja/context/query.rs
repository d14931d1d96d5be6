//! `run_query`, `statement` and `load_result`: queries that templates run.

use std::rc::Rc;

use super::Scope;
use super::adapter::QueryTable;
use super::table::TableValue;
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, Value};

pub(super) fn run_query(scope: &Rc<Scope>) -> Value {
    let scope = Rc::clone(scope);
    Value::function("run_query", move |_, args| {
        let [sql] = args.required("run_query", ["sql"])?;
        run(&scope, &sql.text())
    })
}

/// The rows of a query; `None` where there is no data.
fn run(scope: &Scope, sql: &str) -> Result {
    match scope.world.adapter.as_ref().filter(|_| scope.execute) {
        Some(adapter) => Ok(TableValue::value(&scope.world, adapter.query(sql)?)),
        None => Ok(Value::None),
    }
}

/// `{% call statement('name', fetch_result=True) %} ... {% endcall %}`.
pub(super) fn statement(scope: &Rc<Scope>) -> Value {
    let scope = Rc::clone(scope);
    Value::function("statement", move |interp, mut args| {
        let caller = args.take("caller").ok_or_else(|| fail("statement() is used with {% call %}"))?;
        args.take("auto_begin");
        args.take("language");
        let [name, fetch] = args.bind("statement", ["name", "fetch_result"])?;
        let sql = interp.call(&caller, Args::none())?.to_string();
        if !scope.execute || sql.trim().is_empty() {
            return Ok(Value::str(""));
        }
        let table = run(&scope, &sql)?;
        let fetch = fetch.is_some_and(|fetch| fetch.is_true());
        if let Some(name) = name.as_ref().and_then(Value::as_str) {
            let table = if fetch { table } else { TableValue::value(&scope.world, QueryTable::default()) };
            scope.results.borrow_mut().insert(name.to_string(), result(table)?);
        }
        Ok(Value::str(""))
    })
}

/// What `load_result` gives: `table`, `data` (rows as lists) and `response`.
fn result(table: Value) -> Result {
    let data = match table.as_object::<TableValue>() {
        Some(table) => table.data(),
        None => Vec::new(),
    };
    Ok(Value::dict_of([("table", table), ("data", Value::list(data)), ("response", Value::str("OK"))]))
}

pub(super) fn load_result(scope: &Rc<Scope>) -> Value {
    let scope = Rc::clone(scope);
    Value::function("load_result", move |_, args| {
        let [name] = args.required("load_result", ["name"])?;
        let name = name.as_str().unwrap_or_default();
        Ok(scope.results.borrow().get(name).cloned().unwrap_or(Value::None))
    })
}

pub(super) fn store_result(scope: &Rc<Scope>) -> Value {
    let scope = Rc::clone(scope);
    Value::function("store_result", move |_, mut args| {
        let table = args.take("agate_table").unwrap_or(Value::None);
        let name = args.take("name").or_else(|| args.positional.first().cloned()).unwrap_or(Value::None);
        if let Some(name) = name.as_str() {
            scope.results.borrow_mut().insert(name.to_string(), result(table)?);
        }
        Ok(Value::str(""))
    })
}
