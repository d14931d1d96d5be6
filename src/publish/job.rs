//! What a model's `publish:` config asks for.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::fields::{CONFIG, Fields};
use super::partitions::Partitions;
use crate::diag::{Diagnostic, Result};

/// How rows get into the destination's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The table becomes exactly the relation, in one step.
    Replace,
    /// New rows are added.
    Append,
    /// Rows are added or replaced by key.
    Upsert,
}

impl Mode {
    const WORDS: [(&'static str, Mode); 3] =
        [("replace", Mode::Replace), ("append", Mode::Append), ("upsert", Mode::Upsert)];

    /// The word in a config.
    pub fn word(self) -> &'static str {
        match self {
            Mode::Replace => "replace",
            Mode::Append => "append",
            Mode::Upsert => "upsert",
        }
    }
}

/// What happens in a publish with mode upsert to rows whose key is no longer in the relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vanished {
    /// They stay (the default).
    Keep,
    /// They are deleted, so that the table is the relation.
    Delete,
}

impl Vanished {
    const WORDS: [(&'static str, Vanished); 2] = [("keep", Vanished::Keep), ("delete", Vanished::Delete)];
}

/// What happens in a publish with mode append or upsert when the relation's columns are no longer the table's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnSchemaChange {
    /// The publish fails (the default): nothing is left out silently.
    Fail,
    /// New columns are left out, those that are gone are NULL in new rows.
    Ignore,
    /// New columns are added, those that are gone are NULL in new rows.
    AppendNewColumns,
    /// New columns are added, those that are gone are dropped, and types change.
    SyncAllColumns,
}

impl OnSchemaChange {
    const WORDS: [(&'static str, OnSchemaChange); 4] = [
        ("fail", OnSchemaChange::Fail),
        ("ignore", OnSchemaChange::Ignore),
        ("append_new_columns", OnSchemaChange::AppendNewColumns),
        ("sync_all_columns", OnSchemaChange::SyncAllColumns),
    ];
}

/// One table of one destination that a relation is published to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishJob {
    /// Name of the node, for messages.
    pub node: String,
    /// Name of the destination in the profile (`to`).
    pub to: String,
    /// Name of the table there; `database.table` on MySQL.
    pub table: String,
    /// How.
    pub mode: Mode,
    /// Columns of the primary key; rows are sorted by them.
    pub key: Vec<String>,
    /// Secondary indexes, each a list of columns.
    pub indexes: Vec<Vec<String>>,
    /// SQL types of the destination that are to be used instead of the mapped ones, by column.
    pub columns: BTreeMap<String, String>,
    /// What becomes of rows that are no longer in the relation (mode upsert).
    pub vanished: Vanished,
    /// What a change of the relation's columns does (modes append and upsert).
    pub on_schema_change: OnSchemaChange,
    /// How the table is cut into parts.
    pub partitions: Option<Partitions>,
}

impl PublishJob {
    /// A hash of the settings that shape the table: two jobs with the same one make the same table of the same rows.
    pub(super) fn fingerprint(&self) -> String {
        let lower = |names: &[String]| names.iter().map(|name| name.to_lowercase()).collect::<Vec<_>>();
        let indexes: Vec<_> = self.indexes.iter().map(|index| lower(index)).collect();
        let columns: Vec<_> = self.columns.iter().map(|(name, kind)| (name.to_lowercase(), kind)).collect();
        let parts = self.partitions.as_ref().map(|parts| format!("{parts:?}"));
        fingerprint(&format!("{:?}", (lower(&self.key), indexes, columns, parts)))
    }

    /// Reads a `publish:` config: the name of a destination, a map of settings, or a list of either. `node` is the name
    /// of the model; its table is called `table` unless the config says otherwise.
    ///
    /// Errors are C6006 and name node and key.
    pub fn parse(node: &str, table: &str, value: &Value) -> Result<Vec<PublishJob>> {
        let jobs = match value {
            Value::Null | Value::Bool(false) => Vec::new(),
            Value::Array(items) => items.iter().map(|item| one(node, table, item)).collect::<Result<_>>()?,
            item => vec![one(node, table, item)?],
        };
        for (index, job) in jobs.iter().enumerate() {
            if jobs[..index].iter().any(|other| other.to == job.to && other.table == job.table) {
                let message =
                    format!("`{node}` is published twice to table `{}` of destination `{}`", job.table, job.to);
                return Err(Diagnostic::error(CONFIG, message));
            }
        }
        Ok(jobs)
    }
}

fn one(node: &str, table: &str, value: &Value) -> Result<PublishJob> {
    let named;
    let value = match value {
        Value::String(to) => {
            named = serde_json::json!({ "to": to });
            &named
        }
        other => other,
    };
    let mut fields = Fields::new(format!("`publish` of `{node}`"), CONFIG, value)?;
    let job = PublishJob {
        node: node.to_string(),
        to: fields.required("to")?,
        table: fields.text("table")?.filter(|name| !name.is_empty()).unwrap_or_else(|| table.to_string()),
        mode: fields.word("mode", &Mode::WORDS)?.unwrap_or(Mode::Replace),
        key: fields.texts("key")?,
        indexes: fields.text_lists("indexes")?,
        columns: fields.text_map("columns")?,
        vanished: fields.word("vanished", &Vanished::WORDS)?.unwrap_or(Vanished::Keep),
        on_schema_change: fields.word("on_schema_change", &OnSchemaChange::WORDS)?.unwrap_or(OnSchemaChange::Fail),
        partitions: Partitions::parse(&mut fields)?,
    };
    for (column, sql_type) in &job.columns {
        if !is_type(sql_type) {
            let problem = format!("gives column `{column}` the type `{sql_type}`, which does not read as an SQL type");
            return Err(fields.bad("columns", problem));
        }
    }
    if job.mode == Mode::Upsert && job.key.is_empty() {
        return Err(fields.bad("mode", "is upsert, which needs a `key`"));
    }
    if job.vanished == Vanished::Delete && job.mode != Mode::Upsert {
        let problem = format!("is delete, which mode {} does not know", job.mode.word());
        return Err(fields.bad("vanished", problem).help("set `mode: upsert`, or leave `vanished` out"));
    }
    fields.finish()?;
    Ok(job)
}

/// Sixteen digits that tell `text` from others.
pub(super) fn fingerprint(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// True if `text` can stand where a column's type stands without ending it: words, and arguments in parentheses.
fn is_type(text: &str) -> bool {
    let mut depth = 0_i32;
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '\'' => quoted = !quoted,
            '\\' | '`' | ';' | '"' => return false,
            _ if quoted => {}
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => return false,
            c if c.is_ascii_alphanumeric() || matches!(c, ' ' | ',' | '_' | '.') => {}
            _ => return false,
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0 && !quoted && text.starts_with(|c: char| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_a_name_a_map_and_a_list() {
        let jobs = PublishJob::parse("m", "m", &json!("bi")).expect("fine");
        assert_eq!((jobs[0].to.as_str(), jobs[0].table.as_str(), jobs[0].mode), ("bi", "m", Mode::Replace));
        let map = json!({"to": "bi", "table": "t", "key": "Contract", "indexes": ["a", ["b", "c"]],
            "columns": {"a": "varchar(40)"}});
        let jobs = PublishJob::parse("m", "m", &json!([map, "other"])).expect("fine");
        assert_eq!(jobs[0].key, ["Contract"]);
        assert_eq!(jobs[0].indexes, [vec!["a".to_string()], vec!["b".to_string(), "c".to_string()]]);
        assert_eq!(jobs[1].to, "other");
        assert!(PublishJob::parse("m", "m", &json!(null)).expect("fine").is_empty());
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        let message = |value| PublishJob::parse("m", "m", &value).expect_err("refused").to_string();
        assert_eq!(message(json!({"table": "t"})), "`to` of `publish` of `m` is missing");
        assert_eq!(message(json!({"to": "bi", "keys": ["a"]})), "`publish` of `m` has an unknown key `keys`");
        assert!(message(json!({"to": "bi", "mode": "replce"})).contains("not one of replace, append, upsert"));
        assert!(message(json!({"to": "bi", "mode": "upsert"})).contains("needs a `key`"));
        assert!(message(json!(["bi", "bi"])).contains("published twice"));
        assert!(message(json!({"to": "bi", "vanished": "delete"})).contains("which mode replace does not know"));
        assert!(message(json!({"to": "bi", "on_schema_change": "warn"})).contains("not one of fail, ignore"));
    }

    #[test]
    fn a_fingerprint_is_about_the_table() {
        let of = |value| PublishJob::parse("m", "m", &value).expect("fine")[0].fingerprint();
        let plain = of(json!({"to": "bi", "key": "a"}));
        assert_eq!(plain, of(json!({"to": "other", "table": "t", "key": ["A"], "mode": "upsert"})));
        for other in [json!({"key": "b"}), json!({"indexes": "b"}), json!({"columns": {"a": "int"}})] {
            let mut value = json!({"to": "bi", "key": "a"});
            other.as_object().expect("a map").iter().for_each(|(key, other)| value[key] = other.clone());
            assert_ne!(plain, of(value.clone()), "{value}");
        }
    }

    #[test]
    fn a_type_cannot_smuggle_statements() {
        for fine in ["bigint unsigned", "decimal(10, 2)", "enum('a','b')", "varchar(10) character set latin1"] {
            assert!(is_type(fine), "{fine}");
        }
        for bad in ["int, x int", "int); drop table t; --", "int)", "varchar('", "", "1", "int `x`", "int -- x"] {
            assert!(!is_type(bad), "{bad}");
        }
    }
}
