//! Which rows have changed between two versions of a relation, by key.
//!
//! The input is small where it can be: the rows of files that only one of the versions has. A file that was written again
//! holds mostly rows that are the same, so both sides are joined by key and compared column by column, NULL being equal to NULL.
//! Sorting both sides and merging them needs bounded memory, and leaves the rows in the order in which they are loaded.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::common::{Column, ScalarValue};
use datafusion::dataframe::DataFrame;
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::{Expr, JoinType, binary_expr, lit};
use datafusion::logical_expr::{Operator, cast};

/// How the sides of the join are called.
const OLD: &str = "c360_old";
const NEW: &str = "c360_new";

/// `state` with joins that sort and spill instead of keeping one side in memory.
pub(super) fn merging(state: &SessionState) -> SessionState {
    let mut config = state.config().clone();
    config.options_mut().optimizer.prefer_hash_join = false;
    SessionStateBuilder::new_from_existing(state.clone()).with_config(config).build()
}

/// Rows of `new` that have no equal among `old`: their key is new, or a value is.
pub(super) fn changed(old: DataFrame, new: DataFrame, key: &[String]) -> DataFusionResult<DataFrame> {
    let (old_schema, new_schema) = (schema(&old), schema(&new));
    let mut differs = key_of(&old_schema, key).map_or(lit(true), |name| side(OLD, &name).is_null());
    for field in new_schema.fields() {
        differs = differs.or(differ(&old_schema, field.name(), field.data_type()));
    }
    let output =
        new_schema.fields().iter().map(|field| side(NEW, field.name()).alias(field.name())).collect::<Vec<_>>();
    let same_key = same_key(&old_schema, &new_schema, key);
    new.alias(NEW)?.join_on(old.alias(OLD)?, JoinType::Left, same_key)?.filter(differs)?.select(output)
}

/// Keys of `old` that `new` does not have.
pub(super) fn gone(old: DataFrame, new: DataFrame, key: &[String]) -> DataFusionResult<DataFrame> {
    let (old_schema, new_schema) = (schema(&old), schema(&new));
    let output = key.iter().map(|name| {
        let there = find(&old_schema, name).unwrap_or_else(|| name.clone());
        let named = find(&new_schema, name).unwrap_or_else(|| name.clone());
        side(OLD, &there).alias(named)
    });
    let output: Vec<Expr> = output.collect();
    let same_key = same_key(&old_schema, &new_schema, key);
    old.alias(OLD)?.join_on(new.alias(NEW)?, JoinType::LeftAnti, same_key)?.select(output)
}

/// `frame` with the columns of `schema`; those that it lacks are NULL.
pub(super) fn widened(frame: DataFrame, schema: &Schema) -> DataFusionResult<DataFrame> {
    let own = self::schema(&frame);
    let columns = schema.fields().iter().map(|field| match own.field_with_name(field.name()) {
        Ok(found) if found.data_type() == field.data_type() => Expr::Column(Column::new_unqualified(field.name())),
        Ok(_) => {
            cast(Expr::Column(Column::new_unqualified(field.name())), field.data_type().clone()).alias(field.name())
        }
        Err(_) => cast(lit(ScalarValue::Null), field.data_type().clone()).alias(field.name()),
    });
    let columns: Vec<Expr> = columns.collect();
    frame.select(columns)
}

fn schema(frame: &DataFrame) -> SchemaRef {
    Arc::new(frame.schema().as_arrow().clone())
}

fn side(name: &str, column: &str) -> Expr {
    Expr::Column(Column::new(Some(name), column))
}

/// The spelling of column `name` in `schema`.
fn find(schema: &Schema, name: &str) -> Option<String> {
    let lower = name.to_lowercase();
    schema.fields().iter().map(|field| field.name()).find(|field| field.to_lowercase() == lower).cloned()
}

/// The first column of the key, as `schema` spells it: it is NULL where a join has found nothing.
fn key_of(schema: &Schema, key: &[String]) -> Option<String> {
    key.first().and_then(|name| find(schema, name))
}

fn same_key(old: &Schema, new: &Schema, key: &[String]) -> Vec<Expr> {
    let equal = key.iter().map(|name| match (find(old, name), find(new, name)) {
        (Some(old), Some(new)) => side(OLD, &old).eq(side(NEW, &new)),
        // A key that the earlier version did not have is new in every row.
        _ => lit(false),
    });
    equal.collect()
}

/// The condition that a row's value of column `name` is another one than before.
fn differ(old: &Schema, name: &str, data_type: &DataType) -> Expr {
    match find(old, name) {
        Some(there) => match old.field_with_name(&there) {
            Ok(field) if field.data_type() == data_type && is_comparable(data_type) => {
                binary_expr(side(NEW, name), Operator::IsDistinctFrom, side(OLD, &there))
            }
            // What cannot be compared may have changed.
            _ => lit(true),
        },
        None => side(NEW, name).is_not_null(),
    }
}

/// Maps have no order among their entries, and Arrow does not compare them.
fn is_comparable(data_type: &DataType) -> bool {
    match data_type {
        DataType::Map(_, _) | DataType::Union(_, _) => false,
        DataType::Struct(fields) => fields.iter().all(|field| is_comparable(field.data_type())),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            is_comparable(item.data_type())
        }
        _ => true,
    }
}
