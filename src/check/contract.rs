//! Contracts: the columns that a model promises, their types, and what their values may be.
//!
//! Names and types are compared before a row is read. A type keeps its promise if it is of the declared family (any
//! integer for an `integer`, any text for a `varchar`); values are then cast to the declared type, so that the relation has
//! exactly what was promised. `not_null` and `check` are looked at while rows pass, in the query itself; `unique` needs
//! all rows and is looked at before they become the table.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::Result as DataFusionResult;
use datafusion::common::cast::as_boolean_array;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, LogicalPlanBuilder, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility, cast, ident,
};

use crate::diag::{Diagnostic, Result, codes};
use crate::engine::{execution_error, formats, type_name};
use crate::node::{Column, Constraint, Node, plain};

/// True if `node` has a contract that counts.
pub fn has_contract(node: &Node) -> bool {
    let enforced = node.config.get("contract").and_then(|contract| contract.get("enforced"));
    enforced.is_some_and(|value| plain(value).eq_ignore_ascii_case("true"))
}

/// `plan` with the columns that the contract of `node` promises, in their order and types. A row that breaks a
/// constraint fails the query.
///
/// # Errors
/// C7003 if names or types are others, C2011 for a contract that cannot be read.
pub fn keep_contract(node: &Node, plan: LogicalPlan, state: &SessionState) -> Result<LogicalPlan> {
    if !has_contract(node) {
        return Ok(plan);
    }
    let declared = declared(node)?;
    compare(node, &declared, plan.schema().as_arrow())?;
    let mut columns = Vec::new();
    for (column, data_type) in &declared {
        let own = plan.schema().fields().iter().find(|field| field.name().eq_ignore_ascii_case(&column.name));
        let own = own.map_or(column.name.as_str(), |field| field.name().as_str());
        let mut value = cast(ident(own), data_type.clone());
        if needs_value(node, &column.name) {
            value = guarded(value.clone(), value.is_not_null(), &format!("`{}` is null", column.name));
        }
        for (constraint, text) in checks(&column.constraints) {
            let condition = condition(node, text, &plan, state)?;
            value = guarded(value, condition, &broken(constraint, text));
        }
        columns.push(value.alias(&column.name));
    }
    for (constraint, text) in checks(&model_constraints(node)) {
        let condition = condition(node, text, &plan, state)?;
        if let Some(first) = columns.first_mut() {
            let (value, name) = (first.clone().unalias(), first.schema_name().to_string());
            *first = guarded(value, condition, &broken(constraint, text)).alias(name);
        }
    }
    LogicalPlanBuilder::from(plan)
        .project(columns)
        .and_then(LogicalPlanBuilder::build)
        .map_err(|error| execution_error(&error))
}

/// The columns that the contract of `node` promises.
///
/// # Errors
/// C2011 for a contract that cannot be read.
pub fn contract_schema(node: &Node) -> Result<Schema> {
    let declared = declared(node)?;
    let field = |(column, data_type): (&Column, DataType)| Field::new(&column.name, data_type, true);
    Ok(Schema::new(declared.into_iter().map(field).collect::<Vec<_>>()))
}

/// Lists of columns whose values the contract of `node` wants to be unique.
pub fn unique_columns(node: &Node) -> Vec<Vec<String>> {
    if !has_contract(node) {
        return Vec::new();
    }
    let is_key = |constraint: &&Constraint| matches!(constraint.kind.as_str(), "unique" | "primary_key");
    let of_columns = node.columns.iter().filter(|column| column.constraints.iter().any(|one| is_key(&one)));
    let mut keys: Vec<Vec<String>> = of_columns.map(|column| vec![column.name.clone()]).collect();
    let constraints = model_constraints(node);
    keys.extend(constraints.iter().filter(is_key).map(|constraint| constraint.columns.clone()));
    keys.retain(|key| !key.is_empty());
    keys
}

/// The declared columns with their types.
fn declared(node: &Node) -> Result<Vec<(&Column, DataType)>> {
    let mut out = Vec::new();
    for column in &node.columns {
        let Some(text) = &column.data_type else {
            return Err(Diagnostic::error(
                codes::BAD_CONFIG,
                format!("column `{}` of a model with a contract has no data_type", column.name),
            )
            .label(column.span.clone(), "declared here"));
        };
        let data_type = formats::parse_data_type(text).map_err(|error| error.label(column.span.clone(), ""))?;
        out.push((column, data_type));
    }
    if out.is_empty() {
        return Err(Diagnostic::error(codes::BAD_CONFIG, format!("the contract of `{}` names no column", node.name))
            .label(node.place(), "")
            .help("list its columns, each with a `data_type`, in its properties file"));
    }
    Ok(out)
}

fn compare(node: &Node, declared: &[(&Column, DataType)], actual: &Schema) -> Result<()> {
    let mut notes = Vec::new();
    for (column, data_type) in declared {
        match actual.fields().iter().find(|field| field.name().eq_ignore_ascii_case(&column.name)) {
            None => notes.push(format!("`{}` is promised and missing", column.name)),
            Some(field) if family(field.data_type()) != family(data_type) => notes.push(format!(
                "`{}` is promised as {} and is {}",
                column.name,
                type_name(data_type),
                type_name(field.data_type())
            )),
            Some(_) => {}
        }
    }
    for field in actual.fields() {
        if !declared.iter().any(|(column, _)| column.name.eq_ignore_ascii_case(field.name())) {
            notes.push(format!("`{}` ({}) is not promised", field.name(), type_name(field.data_type())));
        }
    }
    if notes.is_empty() {
        return Ok(());
    }
    let message = format!("the query of `{}` breaks its contract: {}", node.name, notes.join("; "));
    Err(Diagnostic::error(codes::CONTRACT_BROKEN, message)
        .label(node.place(), "this query has other columns than its contract")
        .help("change the query, or the columns in the properties file")
        .of_node(&node.unique_id))
}

/// Types that may stand for each other.
fn family(data_type: &DataType) -> String {
    match data_type {
        other if other.is_integer() => "integer".into(),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => "float".into(),
        other if other.is_decimal() => "decimal".into(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".into(),
        DataType::Dictionary(_, value) => family(value),
        DataType::Timestamp(_, _) => "timestamp".into(),
        DataType::Date32 | DataType::Date64 => "date".into(),
        DataType::Time32(_) | DataType::Time64(_) => "time".into(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            "binary".into()
        }
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            format!("list of {}", family(item.data_type()))
        }
        DataType::Struct(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|field| format!("{} {}", field.name(), family(field.data_type()))).collect();
            format!("struct of {}", fields.join(", "))
        }
        other => type_name(other),
    }
}

fn model_constraints(node: &Node) -> Vec<Constraint> {
    node.as_model().map(|parts| parts.constraints.clone()).unwrap_or_default()
}

fn needs_value(node: &Node, name: &str) -> bool {
    let is_needed = |constraint: &Constraint| matches!(constraint.kind.as_str(), "not_null" | "primary_key");
    let own = node.columns.iter().find(|column| column.name == name);
    let listed = |constraint: &Constraint| constraint.columns.iter().any(|column| column.eq_ignore_ascii_case(name));
    own.is_some_and(|column| column.constraints.iter().any(is_needed))
        || model_constraints(node).iter().any(|constraint| is_needed(constraint) && listed(constraint))
}

fn checks(constraints: &[Constraint]) -> impl Iterator<Item = (&Constraint, &str)> {
    let checks = constraints.iter().filter(|constraint| constraint.kind == "check");
    checks.filter_map(|constraint| Some((constraint, constraint.expression.as_deref()?)))
}

fn broken(constraint: &Constraint, text: &str) -> String {
    match &constraint.name {
        Some(name) => format!("the constraint `{name}` does not hold: {text}"),
        None => format!("a check does not hold: {text}"),
    }
}

/// The condition of a check, over the columns of the query. Null is no failure, as in SQL.
fn condition(node: &Node, text: &str, plan: &LogicalPlan, state: &SessionState) -> Result<Expr> {
    state.create_logical_expr(text, plan.schema()).map(|expr| expr.is_not_false()).map_err(|error| {
        Diagnostic::error(codes::BAD_CONFIG, format!("the check `{text}` of `{}` cannot be read", node.name))
            .label(node.patch.clone().unwrap_or_else(|| node.place()), "")
            .note(execution_error(&error).message)
            .of_node(&node.unique_id)
    })
}

/// `value`, if `condition` holds for every row; else the query fails with `message`.
fn guarded(value: Expr, condition: Expr, message: &str) -> Expr {
    let message = format!("the contract is broken: {message}");
    let signature = Signature::any(2, Volatility::Volatile);
    Arc::new(ScalarUDF::from(Guard { signature, message })).call(vec![value, condition])
}

/// A function of a value and a condition: gives back the value, and fails where the condition is false.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Guard {
    signature: Signature,
    message: String,
}

impl ScalarUDFImpl for Guard {
    fn name(&self) -> &str {
        "contract"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> DataFusionResult<DataType> {
        Ok(types[0].clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        let holds = args.args[1].to_array(args.number_rows)?;
        if as_boolean_array(&holds)?.false_count() > 0 {
            return Err(formats::into_datafusion(Diagnostic::error(codes::CONTRACT_BROKEN, self.message.clone())));
        }
        Ok(args.args[0].clone())
    }
}
