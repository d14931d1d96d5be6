//! The rows of a query as templates see them: the table type that dbt hands out, its columns and its rows.

use std::any::Any;
use std::rc::Rc;

use super::adapter::QueryTable;
use crate::jinja::interp::Interpreter;
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, Object, Value};

/// The rows of a query, with the manners of the table type that dbt hands out.
pub(super) struct TableValue {
    table: Rc<QueryTable>,
}

impl TableValue {
    pub(super) fn value(table: QueryTable) -> Value {
        Value::object(TableValue { table: Rc::new(table) })
    }

    fn names(&self) -> Vec<String> {
        self.table.columns.iter().map(|column| column.name.clone()).collect()
    }

    pub(super) fn rows(&self) -> Vec<RowValue> {
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
pub(super) struct RowValue {
    table: Rc<QueryTable>,
    index: usize,
}

impl RowValue {
    fn items(&self) -> Vec<Value> {
        self.table.rows[self.index].iter().map(Value::from_json).collect()
    }

    pub(super) fn as_list(&self) -> Value {
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
