//! The result of a query as templates see it.

use std::any::Any;
use std::rc::Rc;
use std::sync::Arc;

use super::adapter::QueryTable;
use super::{LogLine, World, cells};
use crate::jinja::interp::Interpreter;
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, Object, Value};

/// The rows of a query, with the manners of the table type that dbt hands out.
pub(super) struct TableValue {
    world: Arc<World>,
    table: Rc<QueryTable>,
}

impl TableValue {
    /// The value of a result.
    pub(super) fn value(world: &Arc<World>, table: QueryTable) -> Value {
        Value::object(TableValue { world: Arc::clone(world), table: Rc::new(table) })
    }

    fn print(&self, message: String) -> Value {
        (self.world.log)(LogLine { message, info: true, print: true });
        Value::None
    }

    /// The table of the columns at these places.
    fn with_columns(&self, wanted: &[usize]) -> Value {
        let columns = wanted.iter().map(|index| self.table.columns[*index].clone()).collect();
        let rows = self.table.rows.iter().map(|row| wanted.iter().map(|index| row[*index].clone()).collect());
        TableValue::value(&self.world, QueryTable { columns, rows: rows.collect(), affected: None })
    }

    /// Places of the columns with these names: one name, or several.
    fn places(&self, names: &Value) -> Result<Vec<usize>> {
        let names = match names {
            Value::Str(_) => vec![names.clone()],
            several => several.items()?,
        };
        let place = |name: &Value| self.names().iter().position(|other| Some(other.as_str()) == name.as_str());
        names.iter().map(|name| place(name).ok_or_else(|| fail(format!("the result has no column {name}")))).collect()
    }

    fn names(&self) -> Vec<String> {
        self.table.columns.iter().map(|column| column.name.clone()).collect()
    }

    fn rows(&self) -> Vec<RowValue> {
        (0..self.table.rows.len()).map(|index| RowValue { table: Rc::clone(&self.table), index }).collect()
    }

    /// The rows as tuples.
    pub(super) fn data(&self) -> Vec<Value> {
        self.rows().iter().map(RowValue::as_tuple).collect()
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
        &["print_table", "print_csv", "select", "exclude", "limit"]
    }

    fn call_method(&self, _interp: &mut Interpreter<'_>, name: &str, mut args: Args) -> Result {
        match name {
            "print_table" => {
                let [rows, columns, _, _, width] =
                    args.bind(name, ["max_rows", "max_columns", "output", "max_precision", "max_column_width"])?;
                let usual = cells::Limits::default();
                let limit = |given: Option<Value>, usual| match given {
                    None => usual,
                    Some(given) => given.as_int().map_or(usize::MAX, |given| usize::try_from(given).unwrap_or(0)),
                };
                let (rows, columns) = (limit(rows, usual.rows), limit(columns, usual.columns));
                let limits = cells::Limits { rows, columns, width: limit(width, usual.width) };
                Ok(self.print(cells::drawn(&self.table, &limits)))
            }
            "print_csv" => Ok(self.print(cells::csv(&self.table))),
            "select" | "exclude" => {
                let [names] = args.required(name, ["key"])?;
                let named = self.places(&names)?;
                if name == "select" {
                    return Ok(self.with_columns(&named));
                }
                let others = (0..self.table.columns.len()).filter(|index| !named.contains(index));
                Ok(self.with_columns(&others.collect::<Vec<_>>()))
            }
            _ => {
                let count = args.take("count").or_else(|| args.positional.first().cloned());
                let count = count.and_then(|count| count.as_int()).unwrap_or(i64::MAX);
                let mut table = (*self.table).clone();
                table.rows.truncate(usize::try_from(count).unwrap_or(0));
                Ok(TableValue::value(&self.world, table))
            }
        }
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
        let data_type = &self.table.columns[self.index].data_type;
        self.table.rows.iter().map(|row| cells::value(data_type, &row[self.index])).collect()
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
        let cells = self.table.rows[self.index].iter().zip(&self.table.columns);
        cells.map(|(cell, column)| cells::value(&column.data_type, cell)).collect()
    }

    fn as_tuple(&self) -> Value {
        Value::tuple(self.items())
    }

    fn find(&self, name: &str) -> Option<Value> {
        let exact = self.table.columns.iter().position(|column| column.name == name);
        let any = || self.table.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
        let column = exact.or_else(any)?;
        Some(cells::value(&self.table.columns[column].data_type, &self.table.rows[self.index][column]))
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
