//! `run_query`, `statement` and `load_result`: queries that templates run.

use std::any::Any;
use std::rc::Rc;

use super::Scope;
use super::adapter::QueryTable;
use super::table::TableValue;
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, Object, Value};

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

/// `adapter.execute(sql)`: the response, and the rows.
pub(super) fn execute(scope: &Scope, name: &str, mut args: Args) -> Result {
    for ignored in ["auto_begin", "bindings", "abridge_sql_log", "limit"] {
        args.take(ignored);
    }
    let fetch = args.take("fetch").or_else(|| args.positional.get(2).cloned()).is_some_and(|fetch| fetch.is_true());
    let sql = args.take("sql").or_else(|| args.positional.first().cloned());
    let sql = sql.ok_or_else(|| fail(format!("{name}() takes a statement")))?;
    let Some(adapter) = scope.world.adapter.as_ref().filter(|_| scope.execute) else {
        return Ok(Value::tuple([Value::None, Value::None]));
    };
    let table = adapter.query(&sql.text())?;
    let response = Response::of(&table).value();
    let table = if fetch { table } else { QueryTable::default() };
    Ok(Value::tuple([response, TableValue::value(&scope.world, table)]))
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
        let Some(adapter) = scope.world.adapter.as_ref().filter(|_| scope.execute) else { return Ok(Value::str("")) };
        let table = if sql.trim().is_empty() { QueryTable::default() } else { adapter.query(&sql)? };
        let fetch = fetch.is_some_and(|fetch| fetch.is_true());
        if let Some(name) = name.as_ref().and_then(Value::as_str) {
            let response = Response::of(&table);
            let table = if fetch { table } else { QueryTable::default() };
            scope
                .results
                .borrow_mut()
                .insert(name.to_string(), result(TableValue::value(&scope.world, table), response));
        }
        Ok(Value::str(""))
    })
}

/// What a statement answered, as templates see it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Response {
    message: String,
    code: Option<String>,
    pub(crate) rows: Option<i64>,
}

impl Response {
    fn of(table: &QueryTable) -> Response {
        let rows = table.affected.and_then(|rows| i64::try_from(rows).ok());
        Response { message: "OK".into(), code: None, rows }
    }

    fn value(self) -> Value {
        Value::object(self)
    }
}

impl Object for Response {
    fn type_name(&self) -> &str {
        "AdapterResponse"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_attr(&self, name: &str) -> Option<Value> {
        Some(match name {
            "_message" | "message" => Value::str(&self.message),
            "code" => self.code.as_ref().map_or(Value::None, Value::str),
            "rows_affected" => self.rows.map_or(Value::None, Value::Int),
            "query_id" => Value::None,
            _ => return None,
        })
    }

    fn get_item(&self, key: &Value) -> Option<Result> {
        self.get_attr(key.as_str()?).map(Ok)
    }

    fn str(&self) -> String {
        self.message.clone()
    }

    fn repr(&self) -> String {
        format!("AdapterResponse(_message={:?})", self.message)
    }
}

/// What `load_result` gives: `table`, `data` (rows as lists) and `response`.
fn result(table: Value, response: Response) -> Value {
    let data = match table.as_object::<TableValue>() {
        Some(table) => table.data(),
        None => Vec::new(),
    };
    Value::dict_of([("table", table), ("data", Value::list(data)), ("response", response.value())])
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
        let name = args.take("name").or_else(|| args.positional.first().cloned()).unwrap_or(Value::None);
        let given = args.take("response").or_else(|| args.positional.get(1).cloned()).unwrap_or(Value::None);
        let table = args.take("agate_table").or_else(|| args.positional.get(2).cloned()).unwrap_or(Value::None);
        let response = match given.as_object::<Response>() {
            Some(response) => response.clone(),
            None => Response { message: given.text().into_owned(), code: None, rows: None },
        };
        store(&scope, &name, table, response);
        Ok(Value::str(""))
    })
}

pub(super) fn store_raw_result(scope: &Rc<Scope>) -> Value {
    let scope = Rc::clone(scope);
    Value::function("store_raw_result", move |_, args| {
        let [name, message, code, rows, table] =
            args.bind("store_raw_result", ["name", "message", "code", "rows_affected", "agate_table"])?;
        let given = |value: Option<Value>| value.filter(|value| !value.is_none());
        let response = Response {
            message: given(message).map_or_else(String::new, |message| message.text().into_owned()),
            code: given(code).map(|code| code.text().into_owned()),
            rows: rows.as_ref().and_then(|rows| rows.as_int().or_else(|| rows.as_str()?.parse().ok())),
        };
        store(&scope, &name.unwrap_or(Value::None), given(table).unwrap_or(Value::None), response);
        Ok(Value::str(""))
    })
}

fn store(scope: &Scope, name: &Value, table: Value, response: Response) {
    if let Some(name) = name.as_str() {
        scope.results.borrow_mut().insert(name.to_string(), result(table, response));
    }
}

/// What the statement `main` answered, if the template has run one.
pub(super) fn main_response(scope: &Scope) -> Option<Response> {
    let results = scope.results.borrow();
    let Value::Dict(cell) = results.get("main")? else { return None };
    cell.get("response")?.as_object::<Response>().cloned()
}
