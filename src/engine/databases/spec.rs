//! What is declared about a source that is a table of a database: its `external:` block, and the connection that the
//! profile has under the block's name.

use serde_json::{Map, Value as Json};

use super::super::declared::{bad, number, text};
use super::super::formats::ColumnSpec;
use crate::diag::{Diagnostic, Result, Span};
use crate::node::{External, Node};
use crate::publish::DestinationConfig;
use crate::stdx::closest;

/// Rows of a batch unless `fetch_size` says otherwise.
const FETCH_SIZE: usize = 8192;
/// More connections than this to read one table are a mistake.
const MAX_PARTITIONS: u64 = 64;

/// The databases that a profile's target names, in `connections:` and in `destinations:`. One that cannot be right is an
/// error for those who read from it.
#[derive(Debug, Clone, Default)]
pub struct Connections(Vec<(String, Result<DestinationConfig>)>);

impl Connections {
    /// These connections; the first of a name counts.
    pub fn new(list: Vec<(String, Result<DestinationConfig>)>) -> Connections {
        Connections(list)
    }

    fn find(&self, name: &str) -> Result<&DestinationConfig> {
        match self.0.iter().find(|(other, _)| other == name) {
            Some((_, found)) => found.as_ref().map_err(Clone::clone),
            None => {
                let names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
                Err(bad(format!("the target has no connection `{name}`"))
                    .maybe_help(
                        closest(name, names.iter().copied()).map(|near| format!("a connection named `{near}` exists")),
                    )
                    .note(match names.is_empty() {
                        true => "the profile's target has neither `connections:` nor `destinations:`".to_string(),
                        false => format!("connections and destinations of the target: {}", names.join(", ")),
                    }))
            }
        }
    }
}

/// A table's name as it was declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableName {
    /// Schema (in MySQL: database).
    pub schema: Option<String>,
    /// The schema is the source's, which need not be meant for the server: without such a schema there, the connection's
    /// own one is taken.
    pub guessed: bool,
    /// The table or view.
    pub name: String,
}

/// What becomes of MySQL's `0000-00-00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZeroDates {
    /// The scan fails.
    Fail,
    /// NULL.
    Null,
}

/// A source that is a table of a database.
#[derive(Debug, Clone)]
pub struct DatabaseSpec {
    /// Name of the source, for messages (`lake.orders`).
    pub name: String,
    /// Name of the connection in the profile.
    pub connection: String,
    /// Where it is and who logs in.
    pub config: DestinationConfig,
    /// The table.
    pub table: TableName,
    /// The column whose ranges are read side by side.
    pub partition_column: Option<String>,
    /// How many ranges; none: as many as seem worth it.
    pub partitions: Option<usize>,
    /// Rows of a batch.
    pub fetch_size: usize,
    /// What becomes of zero dates.
    pub zero_dates: ZeroDates,
    /// Columns with a declared type.
    pub columns: Vec<ColumnSpec>,
    /// Where it is declared.
    pub span: Span,
}

/// True if the block is about a table of a database and not about files.
pub(in crate::engine) fn is_database(external: &External) -> bool {
    let settings = &external.settings;
    text(settings, "type").is_some() || text(settings, "connection").is_some()
}

impl DatabaseSpec {
    /// What the `external:` block of `node` declares.
    ///
    /// # Errors
    /// C5005, or what is wrong with the connection.
    pub(in crate::engine) fn parse(
        node: &Node,
        external: &External,
        connections: &Connections,
    ) -> Result<DatabaseSpec> {
        let settings = merged(&external.settings);
        refuse_file_keys(&settings)?;
        let connection = text(&settings, "connection").ok_or_else(|| {
            bad("the source has a `type` and no `connection`".into()).help(
                "`connection:` is the name of one of the `connections:` or `destinations:` of the profile's target",
            )
        })?;
        let config = connections.find(&connection)?.clone();
        check_type(&settings, &connection, &config)?;
        Ok(DatabaseSpec {
            name: node.search_name(),
            table: table_name(node, &settings)?,
            partition_column: text(&settings, "partition_column"),
            partitions: in_range(&settings, "partitions", MAX_PARTITIONS)?,
            fetch_size: in_range(&settings, "fetch_size", 1 << 20)?.unwrap_or(FETCH_SIZE),
            zero_dates: zero_dates(&settings)?,
            columns: (node.columns.iter())
                .filter_map(|column| Some(ColumnSpec::new(column.name.clone(), column.data_type.clone()?)))
                .collect(),
            span: external.span.clone(),
            connection,
            config,
        })
    }
}

/// Settings stand in the block or under `options:`.
fn merged(settings: &Map<String, Json>) -> Map<String, Json> {
    let mut merged = settings.clone();
    if let Some(Json::Object(own)) = settings.get("options") {
        merged.extend(own.clone());
    }
    merged
}

fn refuse_file_keys(settings: &Map<String, Json>) -> Result<()> {
    const FILES: &[&str] = &["location", "file_format", "path_columns", "bad_records", "max_bad_records"];
    match FILES.iter().find(|key| settings.get(**key).is_some_and(|value| !value.is_null())) {
        Some(key) => Err(bad(format!("`{key}` is for files, and this source is a table of a database"))
            .help("leave it out, or leave out `type` and `connection`")),
        None => Ok(()),
    }
}

fn check_type(settings: &Map<String, Json>, connection: &str, config: &DestinationConfig) -> Result<()> {
    let Some(kind) = text(settings, "type") else { return Ok(()) };
    let canonical = match kind.to_lowercase().as_str() {
        "mysql" | "mariadb" => "mysql",
        "postgres" | "postgresql" => "postgres",
        "sqlite" => "sqlite",
        _ => {
            let near = closest(&kind, ["mysql", "mariadb", "postgres", "sqlite"]);
            return Err(bad(format!("`type` is `{kind}`, which c360 cannot read from"))
                .maybe_help(near.map(|near| format!("did you mean `{near}`?")))
                .help("a source's `type` is mysql, postgres or sqlite"));
        }
    };
    if canonical == config.kind() {
        return Ok(());
    }
    Err(bad(format!("`type` is `{kind}`, and the connection `{connection}` is of the type `{}`", config.kind())))
}

/// The table that `table:` names; the source's schema and identifier if there is none.
fn table_name(node: &Node, settings: &Map<String, Json>) -> Result<TableName> {
    match text(settings, "table") {
        Some(text) => {
            let mut parts = name_parts(&text)?;
            let name = parts.pop().unwrap_or_default();
            Ok(TableName { schema: parts.pop(), guessed: false, name })
        }
        None => {
            let schema = node.relation.as_ref().map(|relation| relation.schema.clone());
            let name = node.relation.as_ref().map_or(&node.name, |relation| &relation.identifier);
            Ok(TableName { schema, guessed: true, name: name.clone() })
        }
    }
}

/// `t`, `schema.t`; quotes (backticks or `"`) around a part that has a point in it.
fn name_parts(name: &str) -> Result<Vec<String>> {
    let wrong = |problem: &str| bad(format!("`table` is `{name}`, which {problem}"));
    let mut parts = Vec::new();
    let mut rest = name;
    loop {
        let (part, after) = match rest.chars().next().filter(|c| matches!(c, '`' | '"')) {
            Some(quote) => {
                quoted_part(&rest[1..], quote).ok_or_else(|| wrong("opens a quote that it does not close"))?
            }
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                (rest[..end].to_string(), &rest[end..])
            }
        };
        if part.trim().is_empty() || part.contains('\0') {
            return Err(wrong("has an empty part"));
        }
        parts.push(part);
        match after.strip_prefix('.') {
            Some(after) => rest = after,
            None if after.is_empty() => break,
            None => return Err(wrong("goes on after a closing quote")),
        }
    }
    if parts.len() > 2 { Err(wrong("has more than two parts")) } else { Ok(parts) }
}

/// The part up to the closing `quote`, in which a doubled quote is one, and what follows.
fn quoted_part(text: &str, quote: char) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = text;
    loop {
        let end = rest.find(quote)?;
        part.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        if !rest.starts_with(quote) {
            return Some((part, rest));
        }
        part.push(quote);
        rest = &rest[1..];
    }
}

fn in_range(settings: &Map<String, Json>, key: &str, most: u64) -> Result<Option<usize>> {
    match number(settings, key)? {
        None => Ok(None),
        Some(count) if (1..=most).contains(&count) => Ok(Some(count as usize)),
        Some(count) => Err(bad(format!("`{key}` is {count}, not a number from 1 to {most}"))),
    }
}

fn zero_dates(settings: &Map<String, Json>) -> Result<ZeroDates> {
    match text(settings, "zero_dates").as_deref().map(str::to_lowercase).as_deref() {
        None | Some("fail" | "error") => Ok(ZeroDates::Fail),
        Some("null") => Ok(ZeroDates::Null),
        Some(other) => {
            Err(bad(format!("unknown zero_dates `{other}`")).help("zero_dates is fail or 'null', in quotes"))
        }
    }
}

impl DatabaseSpec {
    /// Adds to a failure where the source is declared and which server it was.
    pub(super) fn placed(&self, error: Box<Diagnostic>) -> Box<Diagnostic> {
        let server = format!("`{}` is {} at {}", self.connection, self.config.kind(), self.config.place());
        let error = error.label(self.span.clone(), "declared here");
        let error = if error.message.contains(&self.name) {
            error
        } else {
            error.note(format!("the source is `{}`", self.name))
        };
        error.note(server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tables_come_apart() {
        let parts = |text: &str| name_parts(text).map_err(|error| error.message.clone());
        assert_eq!(parts("orders"), Ok(vec!["orders".into()]));
        assert_eq!(parts("shop.orders"), Ok(vec!["shop".into(), "orders".into()]));
        assert_eq!(parts("`my.shop`.\"a\"\"b\""), Ok(vec!["my.shop".into(), "a\"b".into()]));
        for wrong in ["", ".t", "a.b.c", "`t", "`t`x", "a."] {
            assert!(parts(wrong).is_err(), "{wrong}");
        }
    }
}
