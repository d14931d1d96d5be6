//! What a snapshot's configuration says.

use crate::diag::{Diagnostic, Result, codes};
use crate::node::{Node, quote};

/// How a row is known to have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Strategy {
    /// `updated_at` is newer than what is kept.
    Timestamp,
    /// One of these columns differs; none stands for all of them.
    Check(Option<Vec<String>>),
}

/// What happens to a row that its source no longer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HardDeletes {
    /// It stays current.
    Ignore,
    /// Its validity ends.
    Invalidate,
    /// Its validity ends, and a row that is marked as deleted follows.
    NewRecord,
}

/// The settings of one snapshot, checked.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// Expressions that tell rows apart.
    pub(super) keys: Vec<String>,
    pub(super) strategy: Strategy,
    /// Expression for the time of a change; none: now.
    pub(super) updated_at: Option<String>,
    pub(super) hard_deletes: HardDeletes,
    /// Expression that current rows have in `dbt_valid_to`; none: null.
    pub(super) current: Option<String>,
    pub(super) names: MetaNames,
}

/// Names of the columns that a snapshot adds.
#[derive(Debug, Clone)]
pub(super) struct MetaNames {
    pub(super) valid_from: String,
    pub(super) valid_to: String,
    pub(super) scd_id: String,
    pub(super) updated_at: String,
    pub(super) is_deleted: String,
}

impl Settings {
    /// Reads the configuration of `node`.
    ///
    /// # Errors
    /// C2011 for what is missing or cannot be.
    pub(super) fn read(node: &Node) -> Result<Settings> {
        let config = &node.config;
        let keys = config.strings("unique_key");
        if keys.is_empty() {
            return Err(missing(node, "unique_key", "it names the column, or the columns, that tell rows apart"));
        }
        let updated_at = config.str("updated_at").map(str::to_string);
        let strategy = match config.str("strategy") {
            None => return Err(missing(node, "strategy", "it is `timestamp` or `check`")),
            Some("timestamp") if updated_at.is_none() => {
                return Err(missing(node, "updated_at", "it names the column with the time of the last change"));
            }
            Some("timestamp") => Strategy::Timestamp,
            Some("check") => Strategy::Check(check_columns(node)?),
            Some(other) => {
                return Err(bad(node, "strategy", format!("there is no snapshot strategy `{other}`"))
                    .help("a snapshot's strategy is `timestamp` or `check`"));
            }
        };
        Ok(Settings {
            keys,
            strategy,
            updated_at,
            hard_deletes: hard_deletes(node)?,
            current: config.str("dbt_valid_to_current").map(str::to_string),
            names: MetaNames::read(node),
        })
    }
}

/// `check_cols`: a list, or the word `all`.
fn check_columns(node: &Node) -> Result<Option<Vec<String>>> {
    let columns = node.config.strings("check_cols");
    match columns.as_slice() {
        [] => Err(missing(node, "check_cols", "it lists the columns to compare, or is `all`")),
        [word] if word == "all" => Ok(None),
        _ => Ok(Some(columns)),
    }
}

fn hard_deletes(node: &Node) -> Result<HardDeletes> {
    let old = node.config.bool("invalidate_hard_deletes");
    match node.config.str("hard_deletes") {
        Some(_) if old.is_some() => {
            Err(bad(node, "hard_deletes", "both `hard_deletes` and `invalidate_hard_deletes` are set".into())
                .help("`hard_deletes: invalidate` says what `invalidate_hard_deletes: true` said"))
        }
        None if old == Some(true) => Ok(HardDeletes::Invalidate),
        None | Some("ignore") => Ok(HardDeletes::Ignore),
        Some("invalidate") => Ok(HardDeletes::Invalidate),
        Some("new_record") => Ok(HardDeletes::NewRecord),
        Some(other) => Err(bad(node, "hard_deletes", format!("`hard_deletes` is `{other}`"))
            .help("it can be ignore, invalidate or new_record")),
    }
}

impl MetaNames {
    fn read(node: &Node) -> MetaNames {
        let own = node.config.get("snapshot_meta_column_names");
        let name = |key: &str| own.and_then(|own| own.get(key)?.as_str()).unwrap_or(key).to_string();
        MetaNames {
            valid_from: name("dbt_valid_from"),
            valid_to: name("dbt_valid_to"),
            scd_id: name("dbt_scd_id"),
            updated_at: name("dbt_updated_at"),
            is_deleted: name("dbt_is_deleted"),
        }
    }

    /// The columns that every row has; `is_deleted` is there only where deletes are recorded.
    pub(super) fn all(&self, hard_deletes: HardDeletes) -> Vec<&str> {
        let mut names =
            vec![self.scd_id.as_str(), self.updated_at.as_str(), self.valid_from.as_str(), self.valid_to.as_str()];
        if hard_deletes == HardDeletes::NewRecord {
            names.push(&self.is_deleted);
        }
        names
    }
}

/// `name` of the row `of`, quoted.
pub(super) fn column(of: &str, name: &str) -> String {
    format!("{of}.{}", quote(name))
}

fn missing(node: &Node, key: &str, what: &str) -> Box<Diagnostic> {
    Diagnostic::error(codes::BAD_CONFIG, format!("snapshot `{}` sets no `{key}`", node.name))
        .label(node.place(), "a snapshot needs a `unique_key` and a `strategy`")
        .help(format!("set `{key}`: {what}"))
        .of_node(&node.unique_id)
}

pub(super) fn bad(node: &Node, key: &str, message: String) -> Box<Diagnostic> {
    let span = node.config.span(key).cloned().unwrap_or_else(|| node.place());
    Diagnostic::error(codes::BAD_CONFIG, message).label(span, "set here").of_node(&node.unique_id)
}
