//! What one rendering sees differently: rows of a unit test instead of relations, a batch of a relation instead of the
//! whole, macros and vars of a unit test, results in `on-run-end`.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use serde_json::{Map, Value as Json};

use super::{RelationValue, Scope};
use crate::diag::{Diagnostic, codes};
use crate::jinja::stop::Result;
use crate::jinja::value::Value;
use crate::node::{Node, RefCall, ResourceType, quote};

/// Replacements for one rendering. The default replaces nothing.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// What stands in a query for a node, by its unique id.
    pub relations: HashMap<String, String>,
    /// Nodes that are not in `relations` may not be read.
    pub closed: bool,
    /// What stands in a query for `this`.
    pub this: Option<String>,
    /// What a macro or function returns, by its name (`is_incremental`, `dbt_utils.star`).
    pub macros: Map<String, Json>,
    /// Vars, before those of the command line.
    pub vars: Map<String, Json>,
    /// Environment variables, before the real ones.
    pub env: Map<String, Json>,
    /// Further names.
    pub names: Map<String, Json>,
    /// Common table expressions that `relations` names.
    pub ctes: Vec<(String, String)>,
    /// Nodes may be referenced that parsing did not see.
    pub undeclared: bool,
    /// The batch of a microbatch model that is built: `model.batch`.
    pub batch: Option<BatchTimes>,
}

/// A batch of a microbatch model, as templates see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchTimes {
    /// Its start without separators, as exact as batches are long: `20240131`.
    pub id: String,
    /// From when on, in UTC.
    pub start: NaiveDateTime,
    /// Until when; not part of it.
    pub end: NaiveDateTime,
}

impl Scope {
    /// The value that stands for a global name, if it is replaced.
    pub(super) fn overridden(&self, name: &str) -> Option<Value> {
        let overrides = self.overrides.as_ref()?;
        if let Some(value) = overrides.macros.get(name) {
            let value = value.clone();
            return Some(Value::function("override", move |_, _| Ok(Value::from_json(&value))));
        }
        match (name, &overrides.this, self.this()) {
            ("this", Some(text), Some(relation)) => Some(RelationValue::standing_in(relation, text)),
            _ => overrides.names.get(name).map(Value::from_json),
        }
    }

    /// The value that stands for the relation of `node`, if it is replaced or limited.
    pub(super) fn stand_in(&self, node: &Node, call: Option<&RefCall>) -> Result<Option<Value>> {
        let Some(relation) = &node.relation else { return Ok(None) };
        let overrides = self.overrides.as_ref();
        if let Some(text) = overrides.and_then(|overrides| overrides.relations.get(&node.unique_id)) {
            return Ok(Some(RelationValue::standing_in(relation.clone(), text)));
        }
        if overrides.is_some_and(|overrides| overrides.closed) {
            let mut diagnostic = Diagnostic::error(
                codes::BAD_VALUE,
                format!("the unit test gives no rows for `{}`", node.search_name()),
            )
            .help(format!("add `- input: ref('{}')` under `given:`; `rows: []` for none", node.name));
            if let Some(span) = call.and_then(|call| call.span.clone()) {
                diagnostic = diagnostic.label(span, "read here");
            }
            return Err(diagnostic.into());
        }
        let relation = self.world.deferred.get(&node.unique_id).filter(|_| self.execute).unwrap_or(relation);
        // `--empty`: everything is planned and built, and no row is read.
        let empty = self.execute && self.world.invocation.flag("EMPTY") && !node.is_ephemeral();
        if empty {
            let text = format!("(select * from {} where false limit 0)", relation.render());
            return Ok(Some(RelationValue::standing_in(relation.clone(), &text)));
        }
        if let Some((column, window)) = self.sampled(node) {
            let text = format!("(select * from {} where {})", relation.render(), within(&quote(column), window));
            return Ok(Some(RelationValue::standing_in(relation.clone(), &text)));
        }
        let is_deferred = self.world.deferred.contains_key(&node.unique_id) && self.execute;
        Ok(is_deferred.then(|| RelationValue::value(relation.clone(), true)))
    }

    /// The column with the time of a row of `node`, and the stretch of it that is read, if this is a sample.
    fn sampled<'a>(&self, node: &'a Node) -> Option<(&'a str, (NaiveDateTime, NaiveDateTime))> {
        let window = self.world.invocation.sample.filter(|_| self.execute)?;
        let reader = self.node.as_ref()?.resource_type;
        let is_read = matches!(reader, ResourceType::Model | ResourceType::Snapshot) && !node.is_ephemeral();
        node.config.str("event_time").filter(|_| is_read).map(|column| (column, window))
    }
}

/// The condition that `column` is within a stretch of time.
pub(crate) fn within(column: &str, (start, end): (NaiveDateTime, NaiveDateTime)) -> String {
    format!("{column} >= cast('{start}' as timestamp) and {column} < cast('{end}' as timestamp)")
}
