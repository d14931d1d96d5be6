//! `run_query`, `statement` and `load_result`: queries that templates run, and their results.

use std::any::Any;
use std::rc::Rc;

use super::Scope;
use super::adapter::QueryTable;
use crate::jinja::interp::Interpreter;
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
        Some(adapter) => Ok(TableValue::value(adapter.query(sql)?)),
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
    Ok(Value::tuple([response, TableValue::value(table)]))
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
            scope.results.borrow_mut().insert(name.to_string(), result(TableValue::value(table), response));
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
        Some(table) => table.rows().into_iter().map(|row| row.as_list()).collect(),
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

/// The rows of a query, with the manners of the table type that dbt hands out.
struct TableValue {
    table: Rc<QueryTable>,
}

impl TableValue {
    fn value(table: QueryTable) -> Value {
        Value::object(TableValue { table: Rc::new(table) })
    }

    fn names(&self) -> Vec<String> {
        self.table.columns.iter().map(|column| column.name.clone()).collect()
    }

    fn rows(&self) -> Vec<RowValue> {
        (0..self.table.rows.len()).map(|index| RowValue { table: Rc::clone(&self.table), index }).collect()
    }

    fn row_values(&self) -> Value {
        Value::tuple(self.rows().into_iter().map(Value::object))
    }

    fn columns(&self) -> Vec<Value> {
        (0..self.table.columns.len())
            .map(|index| Value::object(TableColumn { table: Rc::clone(&self.table), index }))
            .collect()
    }
}

impl Object for TableValue {
    fn type_name(&self) -> &str {
        "Table"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_attr(&self, name: &str) -> Option<Value> {
        Some(match name {
            "columns" => Value::object(ColumnList { names: self.names(), items: self.columns() }),
            "rows" => self.row_values(),
            "column_names" => Value::tuple(self.names().iter().map(Value::str)),
            "column_types" => Value::tuple(self.table.columns.iter().map(|column| Value::str(&column.data_type))),
            _ => return None,
        })
    }

    fn get_item(&self, key: &Value) -> Option<Result> {
        let index = usize::try_from(key.as_int()?).ok()?;
        Some(match self.rows().into_iter().nth(index) {
            Some(row) => Ok(Value::object(row)),
            None => Err(fail("the result has fewer rows")),
        })
    }

    fn methods(&self) -> &[&'static str] {
        &["print_table", "print_csv", "print_json"]
    }

    fn call_method(&self, _interp: &mut Interpreter<'_>, _name: &str, _args: Args) -> Result {
        Ok(Value::None)
    }

    fn iterate(&self) -> Option<Result<Vec<Value>>> {
        Some(Ok(self.rows().into_iter().map(Value::object).collect()))
    }

    fn length(&self) -> Option<usize> {
        Some(self.table.rows.len())
    }

    fn truth(&self) -> bool {
        true
    }
}

/// `columns`: by position, by name, or in order.
struct ColumnList {
    names: Vec<String>,
    items: Vec<Value>,
}

impl Object for ColumnList {
    fn type_name(&self) -> &str {
        "MappedSequence"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_item(&self, key: &Value) -> Option<Result> {
        let index = match key {
            Value::Str(name) => self.names.iter().position(|other| **other == **name),
            _ => position(key.as_int()?, self.items.len()),
        };
        Some(index.map(|index| self.items[index].clone()).ok_or_else(|| fail("the result has no such column")))
    }

    fn methods(&self) -> &[&'static str] {
        &["keys", "values", "items", "get"]
    }

    fn call_method(&self, _interp: &mut Interpreter<'_>, name: &str, args: Args) -> Result {
        let pairs = self.names.iter().zip(&self.items);
        Ok(match name {
            "keys" => Value::tuple(self.names.iter().map(Value::str)),
            "values" => Value::tuple(self.items.iter().cloned()),
            "items" => Value::list(pairs.map(|(name, item)| Value::tuple([Value::str(name), item.clone()]))),
            _ => {
                let wanted = args.positional.first().and_then(Value::as_str).unwrap_or_default();
                let found = pairs.into_iter().find(|(name, _)| *name == wanted);
                found.map_or(Value::None, |(_, item)| item.clone())
            }
        })
    }

    fn iterate(&self) -> Option<Result<Vec<Value>>> {
        Some(Ok(self.items.clone()))
    }

    fn length(&self) -> Option<usize> {
        Some(self.items.len())
    }

    fn is_sequence(&self) -> bool {
        true
    }
}

fn position(index: i64, len: usize) -> Option<usize> {
    let index = if index < 0 { index + len as i64 } else { index };
    usize::try_from(index).ok().filter(|index| *index < len)
}

/// One column of a result.
struct TableColumn {
    table: Rc<QueryTable>,
    index: usize,
}

impl TableColumn {
    fn items(&self) -> Vec<Value> {
        self.table.rows.iter().map(|row| Value::from_json(&row[self.index])).collect()
    }
}

impl Object for TableColumn {
    fn type_name(&self) -> &str {
        "Column"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_attr(&self, name: &str) -> Option<Value> {
        match name {
            "name" => Some(Value::str(&self.table.columns[self.index].name)),
            "data_type" | "dtype" => Some(Value::str(&self.table.columns[self.index].data_type)),
            _ => None,
        }
    }

    fn get_item(&self, key: &Value) -> Option<Result> {
        let items = self.items();
        let index = position(key.as_int()?, items.len());
        Some(index.map(|index| items[index].clone()).ok_or_else(|| fail("the column has fewer values")))
    }

    fn methods(&self) -> &[&'static str] {
        &["values", "values_distinct", "values_without_nulls"]
    }

    fn call_method(&self, _interp: &mut Interpreter<'_>, name: &str, _args: Args) -> Result {
        let items = self.items();
        Ok(match name {
            "values_without_nulls" => Value::tuple(items.into_iter().filter(|value| !value.is_none())),
            _ => Value::tuple(items),
        })
    }

    fn iterate(&self) -> Option<Result<Vec<Value>>> {
        Some(Ok(self.items()))
    }

    fn length(&self) -> Option<usize> {
        Some(self.table.rows.len())
    }

    fn is_sequence(&self) -> bool {
        true
    }
}

/// One row of a result: by position, by name, or in order.
struct RowValue {
    table: Rc<QueryTable>,
    index: usize,
}

impl RowValue {
    fn items(&self) -> Vec<Value> {
        self.table.rows[self.index].iter().map(Value::from_json).collect()
    }

    fn as_list(&self) -> Value {
        Value::tuple(self.items())
    }

    fn find(&self, name: &str) -> Option<Value> {
        let exact = self.table.columns.iter().position(|column| column.name == name);
        let any = || self.table.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
        exact.or_else(any).map(|index| Value::from_json(&self.table.rows[self.index][index]))
    }
}

impl Object for RowValue {
    fn type_name(&self) -> &str {
        "Row"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_attr(&self, name: &str) -> Option<Value> {
        self.find(name)
    }

    fn get_item(&self, key: &Value) -> Option<Result> {
        let found = match key {
            Value::Str(name) => self.find(name),
            _ => {
                let items = self.items();
                position(key.as_int()?, items.len()).map(|index| items[index].clone())
            }
        };
        Some(found.ok_or_else(|| fail("the row has no such column")))
    }

    fn methods(&self) -> &[&'static str] {
        &["values", "keys", "items", "dict", "get"]
    }

    fn call_method(&self, _interp: &mut Interpreter<'_>, name: &str, args: Args) -> Result {
        let names = self.table.columns.iter().map(|column| column.name.clone());
        Ok(match name {
            "values" => Value::tuple(self.items()),
            "keys" => Value::tuple(names.map(Value::str)),
            "items" => {
                let pairs = names.zip(self.items()).map(|(name, value)| Value::tuple([Value::str(name), value]));
                Value::list(pairs.collect::<Vec<_>>())
            }
            "dict" => Value::dict_of(names.zip(self.items())),
            _ => {
                let [key, default] = args.bind("get", ["key", "default"])?;
                let found = key.as_ref().and_then(Value::as_str).and_then(|key| self.find(key));
                found.or(default).unwrap_or(Value::None)
            }
        })
    }

    fn iterate(&self) -> Option<Result<Vec<Value>>> {
        Some(Ok(self.items()))
    }

    fn length(&self) -> Option<usize> {
        Some(self.table.columns.len())
    }

    fn repr(&self) -> String {
        format!("<Row of {} columns>", self.table.columns.len())
    }

    fn is_sequence(&self) -> bool {
        true
    }
}
