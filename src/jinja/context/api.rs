//! `api`: the types of relations and columns that templates make values of.

use std::any::Any;

use super::adapter::AdapterColumn;
use super::refs::EPHEMERAL_PREFIX;
use super::relation::RelationValue;
use crate::jinja::interp::Interpreter;
use crate::jinja::stop::Result;
use crate::jinja::value::{Args, Object, Value};
use crate::node::{Relation, quote};

/// A column as templates see it (`api.Column`).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ColumnValue(AdapterColumn);

impl ColumnValue {
    pub(super) fn value(column: AdapterColumn) -> Value {
        Value::object(ColumnValue(column))
    }

    fn is(&self, words: &[&str]) -> Value {
        let lower = self.0.data_type.to_lowercase();
        Value::Bool(words.iter().any(|word| lower.starts_with(word)))
    }
}

impl Object for ColumnValue {
    fn type_name(&self) -> &str {
        "Column"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_attr(&self, name: &str) -> Option<Value> {
        Some(match name {
            "name" | "column" => Value::str(&self.0.name),
            "quoted" => Value::str(quote(&self.0.name)),
            "data_type" | "dtype" | "expanded_data_type" => Value::str(&self.0.data_type),
            "char_size" | "numeric_precision" | "numeric_scale" => Value::None,
            _ => return None,
        })
    }

    fn methods(&self) -> &[&'static str] {
        &["is_string", "is_number", "is_numeric", "is_integer", "is_float", "string_size", "can_expand_to", "literal"]
    }

    fn call_method(&self, _interp: &mut Interpreter<'_>, name: &str, args: Args) -> Result {
        let integers = ["int", "bigint", "smallint", "tinyint", "hugeint"];
        let floats = ["float", "double", "real"];
        let decimals = ["decimal", "numeric"];
        Ok(match name {
            "is_string" => self.is(&["varchar", "text", "string", "char"]),
            "is_integer" => self.is(&integers),
            "is_float" => self.is(&floats),
            "is_numeric" => self.is(&decimals),
            "is_number" => self.is(&[&integers[..], &floats[..], &decimals[..]].concat()),
            // Text has no limit here.
            "can_expand_to" => Value::Bool(false),
            "literal" => {
                let value = args.positional.first().cloned().unwrap_or(Value::None);
                Value::str(format!("{value}::{}", self.0.data_type))
            }
            _ => Value::Int(256),
        })
    }

    fn repr(&self) -> String {
        format!("<Column {} ({})>", self.0.name, self.0.data_type)
    }

    fn equals(&self, other: &Value) -> bool {
        other.as_object::<ColumnValue>() == Some(self)
    }
}

/// `api.Relation.create(...)` and `api.Column(...)`.
pub(super) fn api() -> Value {
    Value::dict_of([("Relation", relation_type()), ("Column", column_type())])
}

/// `api.Relation`, which is `adapter.Relation`, too.
pub(super) fn relation_type() -> Value {
    Value::object(RelationType)
}

/// `api.Column`, which is `adapter.Column`, too.
pub(super) fn column_type() -> Value {
    Value::object(ColumnType)
}

struct RelationType;

impl Object for RelationType {
    fn type_name(&self) -> &str {
        "type"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_attr(&self, name: &str) -> Option<Value> {
        super::relation::kind_named(name)
    }

    fn methods(&self) -> &[&'static str] {
        &["create", "create_from_source", "add_ephemeral_prefix"]
    }

    fn call_method(&self, _interp: &mut Interpreter<'_>, name: &str, mut args: Args) -> Result {
        if name == "add_ephemeral_prefix" {
            let [name] = args.required(name, ["name"])?;
            return Ok(Value::str(format!("{EPHEMERAL_PREFIX}{name}")));
        }
        let mut positional = std::mem::take(&mut args.positional).into_iter();
        let mut part = |name: &str| {
            let value = positional.next().or_else(|| args.take(name));
            value.and_then(|value| value.as_str().map(str::to_string))
        };
        let database = part("database").unwrap_or_default();
        let schema = part("schema").unwrap_or_default();
        let identifier = part("identifier").unwrap_or_default();
        let relation = Relation { database, schema, identifier };
        Ok(match part("type") {
            Some(kind) => RelationValue::of_kind(relation, &kind),
            None => RelationValue::value(relation, true),
        })
    }
}

struct ColumnType;

impl Object for ColumnType {
    fn type_name(&self) -> &str {
        "type"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn call(&self, _interp: &mut Interpreter<'_>, args: Args) -> Result {
        let [name, data_type, size, precision, scale] =
            args.bind("Column", ["column", "dtype", "char_size", "numeric_precision", "numeric_scale"])?;
        let data_type = text(data_type);
        let data_type = match size {
            Some(size) if !size.is_none() => sized(&data_type, &[size]),
            _ => numeric(&data_type, precision, scale),
        };
        Ok(ColumnValue::value(AdapterColumn { name: text(name), data_type }))
    }

    fn methods(&self) -> &[&'static str] {
        &["create", "translate_type", "string_type", "numeric_type"]
    }

    fn call_method(&self, _interp: &mut Interpreter<'_>, name: &str, args: Args) -> Result {
        match name {
            "create" => {
                let [name, data_type] = args.required(name, ["name", "label_or_dtype"])?;
                let data_type = translated(&data_type.text()).to_string();
                Ok(ColumnValue::value(AdapterColumn { name: name.text().into_owned(), data_type }))
            }
            "translate_type" => {
                let [data_type] = args.required(name, ["dtype"])?;
                Ok(Value::str(translated(&data_type.text())))
            }
            "string_type" => {
                let [size] = args.required(name, ["size"])?;
                Ok(Value::str(sized("character varying", &[size])))
            }
            _ => {
                let [data_type, precision, scale] = args.bind(name, ["dtype", "precision", "scale"])?;
                Ok(Value::str(numeric(&text(data_type), precision, scale)))
            }
        }
    }
}

fn text(value: Option<Value>) -> String {
    value.and_then(|value| value.as_str().map(str::to_string)).unwrap_or_default()
}

/// The type with sizes behind it: `varchar(20)`.
fn sized(data_type: &str, sizes: &[Value]) -> String {
    let sizes: Vec<String> = sizes.iter().map(|size| size.text().into_owned()).collect();
    format!("{data_type}({})", sizes.join(","))
}

/// The type with its precision and scale, if both are known.
fn numeric(data_type: &str, precision: Option<Value>, scale: Option<Value>) -> String {
    match (precision, scale) {
        (Some(precision), Some(scale)) if !precision.is_none() && !scale.is_none() => {
            sized(data_type, &[precision, scale])
        }
        _ => data_type.to_string(),
    }
}

/// The engine's name for one of dbt's words for types; other types are left as they are.
fn translated(data_type: &str) -> &str {
    match data_type.to_lowercase().as_str() {
        "string" => "varchar",
        "timestamp" => "timestamp",
        "float" => "double",
        "integer" => "int",
        "boolean" => "boolean",
        _ => data_type,
    }
}
