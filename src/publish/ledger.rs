//! The ledger: what a destination remembers about the tables that were published to it, and what follows for the next
//! publish.
//!
//! It is a table of the destination itself, [`TABLE`], with one row for each published table. So it lives and dies with
//! what it tells about, and, where the destination has transactions, changes in the same one as the rows.
//!
//! [`next`] is the one place that decides what a publish does:
//!
//! | the ledger says | replace | append | upsert |
//! |---|---|---|---|
//! | this version is there | nothing | nothing | nothing |
//! | an earlier version of the same table | all rows | rows that were added since | rows that changed since |
//! | nothing, and there is no table | all rows | all rows | all rows |
//! | nothing, but a table is there | all rows | an error | all rows, by key |
//! | the table has another key, other indexes or types | all rows | an error | an error |
//!
//! "All rows" is a new table that takes the old one's place; "by key" goes into the table that is there. `--full-refresh`
//! is always the former. A version that is older than the one there is never published: of two builds, the one that
//! reads earlier may come later.
//!
//! A destination is `exact` as long as it holds the relation's rows and no others. An upsert that keeps vanished rows
//! ends that, and then a replace or an upsert that deletes has work to do even for a version that is there.

use std::collections::BTreeSet;

use super::fields::CONFIG;
use super::place::Place;
use super::rows::Rows;
use super::shape::Shape;
use super::source::{Added, Origin, Source};
use super::{Mode, PublishJob, Vanished};
use crate::diag::{Diagnostic, Result, codes};

/// Name of the ledger.
pub(super) const TABLE: &str = "_c360_publish";

/// Its columns in order, and whether each is a whole number; the others are text. The first is the key.
pub(super) const COLUMNS: [(&str, bool); 14] = [
    ("destination_table", false),
    ("token", false),
    ("node", false),
    ("warehouse_relation", false),
    ("warehouse_table_id", false),
    ("warehouse_version", true),
    ("mode", false),
    ("is_exact", true),
    ("config", false),
    ("columns", false),
    ("table_rows", true),
    ("sent_rows", true),
    ("run_id", false),
    ("published_at", false),
];

/// One row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Name of the destination's table.
    pub(super) table: String,
    /// Ties the row to a table where a swap cannot be part of a transaction; see `mysql`.
    pub(super) token: String,
    /// Unique id of the node.
    pub(super) node: String,
    /// Its relation in the warehouse.
    pub(super) relation: String,
    /// Id of the warehouse's table; none for a view.
    pub(super) table_id: Option<String>,
    /// Version of the warehouse's table; none for a view.
    pub(super) version: Option<u64>,
    /// How the last publish was done.
    pub(super) mode: String,
    /// True if the table holds the relation's rows and no others.
    pub(super) exact: bool,
    /// [`PublishJob::fingerprint`].
    pub(super) config: String,
    /// Names and kinds of the columns.
    pub(super) columns: Vec<(String, String)>,
    /// Rows in the table.
    pub(super) rows: u64,
    /// Rows that the last publish sent.
    pub(super) sent: u64,
    /// Id of the invocation.
    pub(super) run: String,
    /// When, in UTC, as `2022-04-01 12:30:00.123456`.
    pub(super) at: String,
}

impl Entry {
    /// The row for a publish of `origin` as `job` says. `columns` are those of the table in the end.
    pub(super) fn new(table: &str, job: &PublishJob, origin: &Origin, columns: Vec<(String, String)>) -> Entry {
        Entry {
            table: table.to_string(),
            token: super::job::fingerprint(&uuid::Uuid::new_v4().to_string()),
            node: job.node.clone(),
            relation: origin.relation.clone(),
            table_id: origin.version.as_ref().map(|version| version.table_id.clone()),
            version: origin.version.as_ref().map(|version| version.number),
            mode: job.mode.word().to_string(),
            exact: true,
            config: job.fingerprint(),
            columns,
            rows: 0,
            sent: 0,
            run: origin.run.clone(),
            at: chrono::Utc::now().format("%Y-%m-%d %H:%M:%S%.6f").to_string(),
        }
    }

    /// With what `exact` is once rows were merged, by key or (`by_key` is false) by adding them, into the table of which
    /// the ledger has said `before`: an upsert that deletes makes it so, an append keeps it.
    pub(super) fn merged(mut self, job: &PublishJob, by_key: bool, before: Option<&Entry>) -> Entry {
        self.exact = job.vanished == Vanished::Delete || (!by_key && before.is_some_and(|entry| entry.exact));
        self
    }

    /// With the counts of a publish that is done.
    pub(super) fn counted(mut self, rows: u64, sent: u64) -> Entry {
        (self.rows, self.sent) = (rows, sent);
        self
    }

    /// The values of [`COLUMNS`], as text.
    pub(super) fn values(&self) -> [Option<String>; COLUMNS.len()] {
        let columns = serde_json::to_string(&self.columns).unwrap_or_default();
        [
            Some(self.table.clone()),
            Some(self.token.clone()),
            Some(self.node.clone()),
            Some(self.relation.clone()),
            self.table_id.clone(),
            self.version.map(|version| version.to_string()),
            Some(self.mode.clone()),
            Some(u8::from(self.exact).to_string()),
            Some(self.config.clone()),
            Some(columns),
            Some(self.rows.to_string()),
            Some(self.sent.to_string()),
            Some(self.run.clone()),
            Some(self.at.clone()),
        ]
    }

    /// The row whose values, as text, are `values` in the order of [`COLUMNS`]; none if they make no sense, as when somebody
    /// changed them.
    pub(super) fn read(values: Vec<Option<String>>) -> Option<Entry> {
        let values: [Option<String>; COLUMNS.len()] = values.try_into().ok()?;
        let [table, token, node, relation, table_id, version, mode, exact, config, columns, rows, sent, run, at] =
            values;
        let version = match version {
            Some(version) => Some(version.parse().ok()?),
            None => None,
        };
        Some(Entry {
            table: table?,
            token: token?,
            node: node?,
            relation: relation?,
            table_id,
            version,
            mode: mode?,
            exact: exact?.parse::<u8>().ok()? == 1,
            config: config?,
            columns: serde_json::from_str(&columns?).ok()?,
            rows: rows?.parse().ok()?,
            sent: sent?.parse().ok()?,
            run: run?,
            at: at?,
        })
    }
}

/// The columns of `shape`, as the ledger keeps them.
pub(super) fn columns(shape: &Shape) -> Vec<(String, String)> {
    shape.fields.iter().map(|field| (field.name.clone(), field.kind.to_string())).collect()
}

/// What a destination has under a table's name.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    /// True if there is a table.
    pub(super) exists: bool,
    /// What the ledger says about it.
    pub(super) entry: Option<Entry>,
}

/// Which rows of the table an upsert deletes.
pub(super) enum Gone {
    /// None.
    None,
    /// Those with these keys.
    Keys(Box<dyn Rows>),
    /// Those whose key is not among the rows that are sent.
    Others,
}

/// What a publish has to do.
pub(super) enum Step<'a> {
    /// Nothing: the words say why.
    Nothing(String, Box<Entry>),
    /// A new table of these rows takes the place of what is there.
    Replace(&'a dyn Rows),
    /// These rows are added to the table.
    Append(Box<dyn Rows>),
    /// These rows are added, or replace those of the same key. The flag is true if they are all rows of the relation.
    Upsert(Sent<'a>, Gone),
}

/// Rows of an upsert.
pub(super) enum Sent<'a> {
    /// All.
    All(&'a dyn Rows),
    /// Those that changed.
    Changed(Box<dyn Rows>),
}

impl Sent<'_> {
    /// The rows.
    pub(super) fn rows(&self) -> &dyn Rows {
        match self {
            Sent::All(rows) => *rows,
            Sent::Changed(rows) => &**rows,
        }
    }
}

/// What to do with `source`, given what is there.
pub(super) async fn next<'a>(
    place: &Place,
    job: &PublishJob,
    source: &'a dyn Source,
    found: &Found,
) -> Result<Step<'a>> {
    let origin = source.origin();
    if origin.full_refresh || !found.exists {
        return Ok(Step::Replace(source.rows()));
    }
    let same = found.entry.as_ref().filter(|entry| is_same(entry, job, origin));
    if let Some(why) = same.and_then(|entry| already(entry, job, origin))
        && let Some(entry) = same
    {
        return Ok(Step::Nothing(why, Box::new(entry.clone())));
    }
    if job.mode == Mode::Replace {
        return Ok(Step::Replace(source.rows()));
    }
    if let Some(entry) = &found.entry {
        refuse_others(place, job, entry)?;
    }
    let since = same.and_then(|entry| entry.version);
    match (job.mode, since) {
        (Mode::Append, Some(since)) => match source.added(since).await? {
            Added::Rows(rows) => Ok(Step::Append(rows)),
            Added::Unclear(why) => Err(unclear(place, since, &why)),
        },
        (Mode::Append, None) => Err(unknown(place, origin, found)),
        (_, since) => upsert(job, source, same, since).await,
    }
}

async fn upsert<'a>(
    job: &PublishJob,
    source: &'a dyn Source,
    same: Option<&Entry>,
    since: Option<u64>,
) -> Result<Step<'a>> {
    let deletes = job.vanished == Vanished::Delete;
    // What an earlier upsert has kept is in no difference between versions.
    let since = since.filter(|_| !deletes || same.is_some_and(|entry| entry.exact));
    let changed = match since {
        Some(since) => source.changed(since, &job.key).await?,
        None => None,
    };
    Ok(match changed {
        Some(changed) => {
            Step::Upsert(Sent::Changed(changed.rows), if deletes { Gone::Keys(changed.gone) } else { Gone::None })
        }
        None => Step::Upsert(Sent::All(source.rows()), if deletes { Gone::Others } else { Gone::None }),
    })
}

/// True if `entry` tells of an earlier publish of the same table of the warehouse, in the same shape.
fn is_same(entry: &Entry, job: &PublishJob, origin: &Origin) -> bool {
    let table_id = origin.version.as_ref().map(|version| &version.table_id);
    entry.node == job.node
        && entry.config == job.fingerprint()
        && table_id.is_some()
        && entry.table_id.as_ref() == table_id
}

/// Why there is nothing to do, if so.
fn already(entry: &Entry, job: &PublishJob, origin: &Origin) -> Option<String> {
    let wants_exact = job.mode == Mode::Replace || job.vanished == Vanished::Delete;
    let (there, ours) = (entry.version?, origin.version.as_ref()?.number);
    match there.cmp(&ours) {
        std::cmp::Ordering::Less => None,
        _ if wants_exact && !entry.exact => None,
        std::cmp::Ordering::Equal => Some(format!("warehouse version {there} is already there")),
        std::cmp::Ordering::Greater => Some(format!("a newer warehouse version, {there}, is already there")),
    }
}

/// Refuses to add to a table that another model fills, or that looks different from what the job asks for.
fn refuse_others(place: &Place, job: &PublishJob, entry: &Entry) -> Result<()> {
    if entry.node != job.node {
        let problem = format!("the table there was published by `{}`", entry.node);
        return Err(place
            .failed(CONFIG, problem)
            .help("set another `table`, or run with --full-refresh to replace that table"));
    }
    if entry.config != job.fingerprint() {
        let problem = "`key`, `indexes`, `columns` or `partitions` of `publish` have changed since the table was made";
        return Err(place
            .failed(CONFIG, problem)
            .help("run with --full-refresh to build the table again, or take the change back"));
    }
    Ok(())
}

fn unclear(place: &Place, since: u64, why: &str) -> Box<Diagnostic> {
    let problem = format!("it cannot be told which rows are new since warehouse version {since}: {why}");
    place.failed(codes::PUBLISH_FAILED, problem).help(
        "use `mode: upsert` or `mode: replace` for a relation whose rows change, or run once with --full-refresh to load all \
         of it again",
    )
}

fn unknown(place: &Place, origin: &Origin, found: &Found) -> Box<Diagnostic> {
    if origin.version.is_none() {
        let problem = "mode append needs versions, and a view has none";
        return place.failed(CONFIG, problem).help("make the model a table or incremental, or use `mode: replace`");
    }
    let problem = match &found.entry {
        Some(_) => {
            "its rows come from another table of the warehouse (it was dropped and made again, or belongs to another target), \
             so it cannot be told which are there already"
        }
        None => "a table is there already, and the ledger does not know which rows are in it",
    };
    place.failed(codes::PUBLISH_FAILED, problem).help(format!(
        "run with --full-refresh to replace the table by all rows of `{}`, or set another `table`",
        origin.relation
    ))
}

/// Names of `columns`, in lower case.
pub(super) fn lower_names<'a>(columns: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    columns.map(str::to_lowercase).collect()
}
