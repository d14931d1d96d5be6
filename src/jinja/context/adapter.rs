//! `adapter`: what templates may ask of the engine, and `dispatch`.

use std::any::Any;
use std::rc::Rc;

use super::api::{ColumnValue, column_type, relation_type};
use super::{RelationValue, Scope};
use crate::diag::{self, Diagnostic, codes};
use crate::jinja::env::BUILTIN_PACKAGE;
use crate::jinja::interp::Interpreter;
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, Object, Value};
use crate::node::{Relation, ResourceType, quote};
use crate::stdx::closest;

/// A column of a relation, as the engine sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdapterColumn {
    /// Name.
    pub name: String,
    /// SQL type.
    pub data_type: String,
}

/// The result of a query that a template ran.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct QueryTable {
    /// Columns.
    pub columns: Vec<AdapterColumn>,
    /// Rows of values; dates and decimals are text.
    pub rows: Vec<Vec<serde_json::Value>>,
    /// Rows that a statement wrote; none for a query.
    pub affected: Option<u64>,
}

/// The engine, for templates. Called from threads that may block.
pub trait Adapter: Send + Sync {
    /// Runs a query and fetches all rows.
    ///
    /// # Errors
    /// What the query fails with.
    fn query(&self, sql: &str) -> diag::Result<QueryTable>;

    /// `table` or `view` if there is such a relation.
    ///
    /// # Errors
    /// What reading the warehouse fails with.
    fn relation_kind(&self, relation: &Relation) -> diag::Result<Option<String>>;

    /// The columns of a relation; none if there is no such relation.
    ///
    /// # Errors
    /// What opening it fails with.
    fn columns(&self, relation: &Relation) -> diag::Result<Vec<AdapterColumn>>;

    /// The relations of a schema, each with its kind.
    ///
    /// # Errors
    /// What listing fails with.
    fn relations(&self, schema: &str) -> diag::Result<Vec<(Relation, String)>>;

    /// Removes a relation.
    ///
    /// # Errors
    /// What the warehouse fails with.
    fn drop_relation(&self, relation: &Relation) -> diag::Result<()>;

    /// Gives a relation another name, under which there is nothing.
    ///
    /// # Errors
    /// C4006 if `from` is not there, C4002 if `to` is, and what the warehouse fails with.
    fn rename_relation(&self, from: &Relation, to: &Relation) -> diag::Result<()>;

    /// Says that the template that this thread renders is done; the temporary tables that it has made, which are to be
    /// dropped.
    fn end_session(&self) -> Vec<Relation> {
        Vec::new()
    }
}

pub(super) fn value(scope: &Rc<Scope>) -> Value {
    Value::object(AdapterValue { scope: Rc::clone(scope) })
}

struct AdapterValue {
    scope: Rc<Scope>,
}

const METHODS: &[&str] = &[
    "dispatch",
    "type",
    "quote",
    "get_relation",
    "load_relation",
    "get_columns_in_relation",
    "get_missing_columns",
    "get_column_schema_from_query",
    "list_relations_without_caching",
    "list_relations",
    "list_schemas",
    "get_rows_different_sql",
    "check_schema_exists",
    "create_schema",
    "drop_schema",
    "drop_relation",
    "rename_relation",
    "truncate_relation",
    "execute",
    "add_query",
    "get_incremental_strategy_macro",
    "is_replaceable",
    "standardize_grants_dict",
    "verify_database",
    "quote_seed_column",
    "render_raw_columns_constraints",
    "render_raw_model_constraint",
    "render_raw_model_constraints",
    "already_exists",
    "quote_as_configured",
    "commit",
    "cache_added",
    "cache_dropped",
    "expand_target_column_types",
    "valid_incremental_strategies",
];

impl Object for AdapterValue {
    fn type_name(&self) -> &str {
        "adapter"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_attr(&self, name: &str) -> Option<Value> {
        match name {
            "Relation" => Some(relation_type()),
            "Column" => Some(column_type()),
            _ => None,
        }
    }

    fn methods(&self) -> &[&'static str] {
        METHODS
    }

    fn call_method(&self, interp: &mut Interpreter<'_>, name: &str, args: Args) -> Result {
        let adapter = self.scope.world.adapter.as_ref().filter(|_| self.scope.execute);
        match name {
            "dispatch" => dispatch(&self.scope, interp, args),
            "type" => Ok(Value::str("datafusion")),
            "quote" | "quote_as_configured" => {
                let first = args.positional.first().and_then(Value::as_str).unwrap_or_default();
                Ok(Value::str(quote(first)))
            }
            "get_relation" => {
                let [database, schema, identifier] = args.bind(name, ["database", "schema", "identifier"])?;
                let target = &self.scope.world.invocation.target;
                let text = |value: Option<Value>, default: &str| match value.as_ref().and_then(Value::as_str) {
                    Some(text) => text.to_string(),
                    None => default.to_string(),
                };
                let relation = Relation {
                    database: text(database, &target.database),
                    schema: text(schema, &target.schema),
                    identifier: text(identifier, ""),
                };
                existing(adapter, relation)
            }
            "load_relation" => match args.positional.first().and_then(relation_of) {
                Some(relation) => existing(adapter, relation),
                None => Ok(Value::None),
            },
            "already_exists" => {
                let text = |index: usize| args.positional.get(index).and_then(Value::as_str).unwrap_or_default();
                let database = &self.scope.world.invocation.target.database;
                let relation = Relation::new(database, text(0), text(1));
                Ok(Value::Bool(!existing(adapter, relation)?.is_none()))
            }
            "get_columns_in_relation" => {
                let Some(adapter) = adapter else { return Ok(Value::list([])) };
                let relation = args.positional.first().and_then(relation_of);
                let relation = relation.ok_or_else(|| fail("get_columns_in_relation() takes a relation"))?;
                let columns = adapter.columns(&relation)?;
                Ok(Value::list(columns.into_iter().map(ColumnValue::value)))
            }
            "get_missing_columns" => {
                let Some(adapter) = adapter else { return Ok(Value::list([])) };
                let mut sides = Vec::new();
                for value in &args.positional {
                    let relation =
                        relation_of(value).ok_or_else(|| fail("get_missing_columns() takes two relations"))?;
                    sides.push(adapter.columns(&relation)?);
                }
                let [from, to] = sides.as_slice() else {
                    return Err(fail("get_missing_columns() takes two relations"));
                };
                let missing = from.iter().filter(|column| !to.iter().any(|other| other.name == column.name));
                Ok(Value::list(missing.cloned().map(ColumnValue::value)))
            }
            "get_column_schema_from_query" => {
                let Some(adapter) = adapter else { return Ok(Value::list([])) };
                let [sql] = args.required(name, ["sql"])?;
                let table = adapter.query(&sql.text())?;
                Ok(Value::list(table.columns.into_iter().map(ColumnValue::value)))
            }
            "list_relations_without_caching" | "list_relations" => {
                let Some(adapter) = adapter else { return Ok(Value::list([])) };
                let schema = args.positional.last().map(|value| match relation_of(value) {
                    Some(relation) => relation.schema,
                    None => value.as_str().unwrap_or_default().to_string(),
                });
                let found = adapter.relations(&schema.unwrap_or_default())?;
                Ok(Value::list(found.into_iter().map(|(relation, kind)| RelationValue::of_kind(relation, &kind))))
            }
            "list_schemas" => Ok(Value::list(schemas(adapter)?)),
            "check_schema_exists" => {
                let [_, schema] = args.bind(name, ["database", "schema"])?;
                let schema = schema.filter(|_| adapter.is_some());
                let own = &self.scope.world.invocation.target.schema;
                let Some(schema) = schema.as_ref().and_then(Value::as_str).filter(|schema| schema != own) else {
                    return Ok(Value::Bool(true));
                };
                Ok(Value::Bool(schemas(adapter)?.iter().any(|known| known.as_str() == Some(schema))))
            }
            "get_rows_different_sql" => rows_different(adapter, args),
            "drop_relation" => {
                if let (Some(adapter), Some(relation)) = (adapter, args.positional.first().and_then(relation_of)) {
                    adapter.drop_relation(&relation)?;
                }
                Ok(Value::None)
            }
            "rename_relation" => {
                let [from, to] = args.required(name, ["from_relation", "to_relation"])?;
                let (Some(from), Some(to)) = (relation_of(&from), relation_of(&to)) else {
                    return Err(fail("rename_relation() takes two relations"));
                };
                if let Some(adapter) = adapter {
                    adapter.rename_relation(&from, &to)?;
                }
                Ok(Value::None)
            }
            "truncate_relation" => {
                let relation = args.positional.first().and_then(relation_of);
                let relation = relation.ok_or_else(|| fail("truncate_relation() takes a relation"))?;
                if let Some(adapter) = adapter {
                    adapter.query(&format!("truncate table {}", relation.render()))?;
                }
                Ok(Value::None)
            }
            "execute" | "add_query" => super::query::execute(&self.scope, name, args),
            "get_incremental_strategy_macro" => strategy_macro(interp, args),
            "is_replaceable" => Ok(Value::Bool(true)),
            "quote_seed_column" => {
                let first = args.positional.first().and_then(Value::as_str).unwrap_or_default();
                Ok(Value::str(quote(first)))
            }
            "standardize_grants_dict" => Ok(Value::dict_of::<&str>([])),
            // Constraints are checked while rows are written, and are no part of a table's definition.
            "render_raw_columns_constraints" | "render_raw_model_constraints" => Ok(Value::list([])),
            "valid_incremental_strategies" => {
                Ok(Value::list(["append", "delete+insert", "merge", "insert_overwrite", "microbatch"].map(Value::str)))
            }
            // Schemas are folders that appear with their first table; there are no transactions and no cache.
            _ => Ok(Value::None),
        }
    }
}

/// The macro of an incremental strategy: `get_incremental_<name>_sql` of the project, or the one that exists here.
fn strategy_macro(interp: &mut Interpreter<'_>, args: Args) -> Result {
    let [_, strategy] = args.bind("get_incremental_strategy_macro", ["context", "strategy"])?;
    let strategy = strategy.as_ref().and_then(Value::as_str).unwrap_or("default").to_string();
    let name = format!("get_incremental_{}_sql", strategy.replace('+', "_"));
    interp
        .resolve(&name)
        .ok_or_else(|| fail(format!("there is no macro `{name}` for the incremental strategy `{strategy}`")))
}

/// The schemas of the warehouse.
fn schemas(adapter: Option<&std::sync::Arc<dyn Adapter>>) -> Result<Vec<Value>> {
    let Some(adapter) = adapter else { return Ok(Vec::new()) };
    let table = adapter.query("select distinct schema_name from information_schema.schemata order by 1")?;
    Ok(table.rows.iter().filter_map(|row| row.first()?.as_str().map(Value::str)).collect())
}

/// The query that counts how many rows two relations differ by, and how many of them differ.
fn rows_different(adapter: Option<&std::sync::Arc<dyn Adapter>>, args: Args) -> Result {
    let [a, b, names, operator] =
        args.bind("get_rows_different_sql", ["relation_a", "relation_b", "column_names", "except_operator"])?;
    let (Some(a), Some(b)) = (a.as_ref().and_then(relation_of), b.as_ref().and_then(relation_of)) else {
        return Err(fail("get_rows_different_sql() takes two relations"));
    };
    let mut columns: Vec<String> = match (names, adapter) {
        (Some(names), _) if !names.is_none() => names.items()?.iter().map(|name| quote(&name.text())).collect(),
        (_, Some(adapter)) => adapter.columns(&a)?.iter().map(|column| quote(&column.name)).collect(),
        (_, None) => Vec::new(),
    };
    columns.sort();
    let columns = columns.join(", ");
    let except = operator.map_or_else(|| "except".to_string(), |operator| operator.text().into_owned());
    let (a, b) = (a.render(), b.render());
    Ok(Value::str(format!(
        "with missing as (\n    (select {columns} from {a} {except} select {columns} from {b})\n    union all\n    \
         (select {columns} from {b} {except} select {columns} from {a})\n)\n\
         select (select count(*) from {a}) - (select count(*) from {b}) as row_count_difference, \
         (select count(*) from missing) as num_mismatched"
    )))
}

fn existing(adapter: Option<&std::sync::Arc<dyn Adapter>>, relation: Relation) -> Result {
    let Some(adapter) = adapter else { return Ok(Value::None) };
    Ok(match adapter.relation_kind(&relation)? {
        Some(kind) => RelationValue::of_kind(relation, &kind),
        None => Value::None,
    })
}

/// The relation behind a value.
pub(super) fn relation_of(value: &Value) -> Option<Relation> {
    value.as_object::<RelationValue>().map(|relation| relation.relation().clone())
}

/// `adapter.dispatch('name', 'package')`: the first of `datafusion__name`, `duckdb__name`, `postgres__name` and
/// `default__name` in the packages of the search order.
fn dispatch(scope: &Rc<Scope>, interp: &mut Interpreter<'_>, args: Args) -> Result {
    let [name, namespace, _packages] = args.bind("dispatch", ["macro_name", "macro_namespace", "packages"])?;
    let name = name.as_ref().and_then(Value::as_str).ok_or_else(|| fail("dispatch() takes the name of a macro"))?;
    if name.contains('.') {
        return Err(fail(format!("dispatch('{name}') names a package: write it as the second argument")));
    }
    let namespace = namespace.as_ref().and_then(Value::as_str).map(str::to_string);
    let packages = search_order(scope, namespace.as_deref());
    for package in &packages {
        for prefix in ["datafusion__", "duckdb__", "postgres__", "default__"] {
            let full = format!("{prefix}{name}");
            if let Some(item) = interp.env().get(package, &full) {
                return Ok(Value::of_macro(std::sync::Arc::clone(item)));
            }
        }
    }
    let all: Vec<String> = packages
        .iter()
        .flat_map(|package| interp.env().macros_of(package))
        .filter_map(|item| item.name.split_once("__").map(|(_, name)| name.to_string()))
        .collect();
    let near = closest(name, all.iter().map(String::as_str));
    Err(Diagnostic::error(codes::MACRO_NOT_FOUND, format!("no macro for `{name}` was found by dispatch"))
        .label(interp.site(), "dispatched here")
        .note(format!("looked for datafusion__{name} and default__{name} in {}", packages.join(", ")))
        .maybe_help(near.map(|near| format!("`default__{near}` exists")))
        .into())
}

fn search_order(scope: &Scope, namespace: Option<&str>) -> Vec<String> {
    let root = scope.world.project_name.clone();
    match namespace {
        Some(namespace) => {
            let configured = scope.world.dispatch.iter().find(|entry| entry.macro_namespace == namespace);
            match configured {
                Some(entry) => entry.search_order.clone(),
                None => vec![root, namespace.to_string(), BUILTIN_PACKAGE.to_string()],
            }
        }
        None => vec![scope.package.clone(), root, BUILTIN_PACKAGE.to_string()],
    }
}

/// dbt's truth table: the model is incremental, its relation is a table, and this is no full refresh.
pub(super) fn is_incremental(scope: &Rc<Scope>) -> Value {
    let scope = Rc::clone(scope);
    Value::function("is_incremental", move |_, _| {
        let Some(node) = scope.node.as_ref().filter(|_| scope.execute) else { return Ok(Value::Bool(false)) };
        if node.resource_type != ResourceType::Model || node.materialized() != "incremental" || full_refresh(&scope) {
            return Ok(Value::Bool(false));
        }
        let (Some(adapter), Some(relation)) = (&scope.world.adapter, scope.this()) else {
            return Ok(Value::Bool(false));
        };
        Ok(Value::Bool(adapter.relation_kind(&relation)?.as_deref() == Some("table")))
    })
}

/// The model's own `full_refresh` setting, else the flag.
fn full_refresh(scope: &Scope) -> bool {
    let own = scope.node.as_ref().and_then(|node| node.config.bool("full_refresh"));
    own.unwrap_or_else(|| scope.world.invocation.flag("FULL_REFRESH"))
}

pub(super) fn should_full_refresh(scope: &Rc<Scope>) -> Value {
    let scope = Rc::clone(scope);
    Value::function("should_full_refresh", move |_, _| Ok(Value::Bool(full_refresh(&scope))))
}

pub(super) fn load_relation(scope: &Rc<Scope>) -> Value {
    let scope = Rc::clone(scope);
    Value::function("load_relation", move |_, args| {
        let adapter = scope.world.adapter.as_ref().filter(|_| scope.execute);
        match args.positional.first().and_then(relation_of) {
            Some(relation) => existing(adapter, relation),
            None => Ok(Value::None),
        }
    })
}
