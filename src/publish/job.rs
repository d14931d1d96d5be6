//! What a model's `publish:` config asks for.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::{CONFIG, Fields};
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
}

impl PublishJob {
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
    fields.finish()?;
    Ok(job)
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
