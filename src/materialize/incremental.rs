//! `incremental`: new rows join the rows that are there.
//!
//! The query runs once, into a table beside the target that nobody else sees; the strategies then read that table. What
//! the target becomes is one plan over the old and the new rows, and one Delta commit.

use super::input::{Staged, rewrite, stage};
use super::schema_change::{Columns, reconcile};
use super::{Job, Materialized, table};
use crate::diag::{Diagnostic, Result, SourceFile, codes};
use crate::engine::spilled_bytes;
use crate::node::{Node, Relation, quote};
use crate::stdx::closest;
use crate::warehouse::{Base, Stored};

/// The strategies, in the order in which errors list them.
const STRATEGIES: &[&str] = &["append", "delete+insert", "merge", "insert_overwrite", "microbatch"];

/// What dbt calls the rows that are there, and the rows that come; predicates of projects use these names.
const OLD: &str = "DBT_INTERNAL_DEST";
const NEW: &str = "DBT_INTERNAL_SOURCE";

pub(super) async fn build(job: &Job<'_>) -> Result<Materialized> {
    let keys = job.node.config.strings("unique_key");
    let existing = job.engine.warehouse.load(job.relation).await?;
    let is_table = matches!(existing, Some(Stored::Table(_)));
    if job.full_refresh || !is_table {
        return table::build(job).await;
    }
    // As in dbt, a strategy is asked for only when there are rows to join.
    let strategy = strategy(job.node)?;
    let base = Base::of(existing.as_ref());
    let staged = stage(job).await?;
    let done = apply(job, &staged, strategy, &keys, base).await;
    staged.drop_quietly(job).await;
    let mut done = done?;
    done.rows = Some(staged.rows);
    done.spilled += staged.spilled;
    Ok(done)
}

/// True for a strategy that is built in.
pub(super) fn is_ours(strategy: &str) -> bool {
    strategy == "default" || STRATEGIES.contains(&strategy)
}

/// Says what is wrong with the strategy of an incremental model.
///
/// # Errors
/// C2011 for a strategy that does not exist, or that misses its key.
pub fn check_strategy(node: &Node) -> Result<()> {
    strategy(node).map(drop)
}

/// The strategy that is configured. Unless one is said, rows with a key replace those of the same key, others append.
fn strategy(node: &Node) -> Result<&'static str> {
    let has_key = node.config.get("unique_key").is_some();
    let by_default = if has_key { "delete+insert" } else { "append" };
    let Some(wanted) = node.config.str("incremental_strategy") else {
        return Ok(by_default);
    };
    let wanted = if wanted == "default" { by_default } else { wanted };
    let found = STRATEGIES.iter().find(|name| **name == wanted).copied().ok_or_else(|| {
        let near = closest(wanted, STRATEGIES.iter().copied());
        bad(node, "incremental_strategy", format!("there is no incremental strategy `{wanted}`"))
            .maybe_help(near.map(|name| format!("`{name}` exists")))
            .help(format!("c360 has {}", STRATEGIES.join(", ")))
    })?;
    if !matches!(found, "append" | "insert_overwrite" | "microbatch") && !has_key {
        return Err(bad(node, "incremental_strategy", format!("the strategy `{found}` needs a `unique_key`"))
            .help("name the columns that tell rows apart: `unique_key='id'` or `unique_key=['a', 'b']`"));
    }
    Ok(found)
}

fn bad(node: &Node, key: &str, message: String) -> Box<Diagnostic> {
    let span = node.config.span(key).cloned().unwrap_or_else(|| node.place());
    Diagnostic::error(codes::BAD_CONFIG, message).label(span, "set here").of_node(&node.unique_id)
}

async fn apply(job: &Job<'_>, staged: &Staged, strategy: &str, keys: &[String], base: Base) -> Result<Materialized> {
    let columns = reconcile(job, staged).await?;
    if staged.rows == 0 && columns.keeps_schema() && keeps_old(job, strategy) {
        return Ok(Materialized { rows: Some(0), bytes: Some(0), version: base.seen(), ..Materialized::default() });
    }
    let sql = match strategy {
        "append" if columns.keeps_schema() => return append(job, staged, &columns, base).await,
        "append" => union(&columns, job.relation, &staged.relation, ""),
        "insert_overwrite" => insert_overwrite(job, &columns, &staged.relation),
        "microbatch" => microbatch(job, &columns, &staged.relation)?,
        "delete+insert" => delete_insert(job, &columns, &staged.relation, keys),
        _ => {
            check_keys(job, staged, keys).await?;
            merge(job, &columns, &staged.relation, keys)?
        }
    };
    rewrite(job, sql, base).await
}

/// True if without new rows the old ones stay: then there is nothing to commit, and readers of versions, such as a
/// publish, see that nothing happened.
fn keeps_old(job: &Job<'_>, strategy: &str) -> bool {
    match strategy {
        "append" | "delete+insert" | "merge" => true,
        "insert_overwrite" => job.node.config.get("partition_by").is_some(),
        _ => false,
    }
}

async fn append(job: &Job<'_>, staged: &Staged, columns: &Columns, base: Base) -> Result<Materialized> {
    // Rows that were chosen by a look at those that are there may be there by now.
    let base = if staged.reads_target { base } else { Base::Any };
    let sql = format!("select {} from {}", columns.of_new(NEW), alias(&staged.relation, NEW));
    let file = SourceFile::new(job.sql.path.clone(), sql);
    let plan = job.engine.plan(&job.meter.state, &file).await?;
    let physical = job.engine.physical(&job.meter.state, &plan).await?;
    let warehouse = &job.engine.warehouse;
    let progress = Default::default();
    let state = &job.meter.state;
    let written = warehouse.append_on(base, state, job.relation, physical.clone(), &progress, &job.commit).await?;
    job.meter.ran(&physical);
    Ok(Materialized { spilled: spilled_bytes(&physical), ..written.into() })
}

fn alias(relation: &Relation, name: &str) -> String {
    format!("{} as {name}", relation.render())
}

/// `predicates` of the configuration that limit which old rows are looked at. They may say
/// `DBT_INTERNAL_DEST` and `DBT_INTERNAL_SOURCE`, which is why those are the names of both sides.
fn predicates(job: &Job<'_>) -> String {
    let key = ["incremental_predicates", "predicates"].into_iter().find(|key| job.node.config.get(key).is_some());
    let list = key.map(|key| job.node.config.strings(key)).unwrap_or_default();
    list.iter().map(|predicate| format!(" and ({predicate})")).collect()
}

fn same_key(keys: &[String]) -> String {
    let equal = keys.iter().map(|key| format!("{OLD}.{key} = {NEW}.{key}", key = key_column(key)));
    equal.collect::<Vec<_>>().join(" and ")
}

/// A key as SQL: a plain name is quoted, what looks quoted already stays.
fn key_column(key: &str) -> String {
    if key.starts_with('"') { key.to_string() } else { quote(key) }
}

/// Old rows that `keep` keeps (an SQL clause over `t`), then the new ones.
fn union(columns: &Columns, target: &Relation, new: &Relation, keep: &str) -> String {
    format!(
        "select {} from {}{keep}\nunion all\nselect {} from {}",
        columns.of_old(OLD),
        alias(target, OLD),
        columns.of_new(NEW),
        alias(new, NEW),
    )
}

fn delete_insert(job: &Job<'_>, columns: &Columns, new: &Relation, keys: &[String]) -> String {
    let keep =
        format!(" where not exists (select 1 from {} where {}{})", alias(new, NEW), same_key(keys), predicates(job));
    union(columns, job.relation, new, &keep)
}

/// The new rows replace the partitions that they are in; without `partition_by` they replace everything.
fn insert_overwrite(job: &Job<'_>, columns: &Columns, new: &Relation) -> String {
    let config = &job.node.config;
    let field = config.get("partition_by").and_then(|by| by.get("field")).map(crate::node::plain);
    let partition = field.map_or_else(|| config.strings("partition_by"), |field| vec![field]);
    match partition.is_empty() {
        true => union(columns, job.relation, new, " where false"),
        false => delete_insert(job, columns, new, &partition),
    }
}

/// The new rows of the batch replace the old ones of the same stretch of time. What the query gives beyond it is left
/// out, as a parent without an `event_time` is read whole for every batch.
fn microbatch(job: &Job<'_>, columns: &Columns, new: &Relation) -> Result<String> {
    let batch = job.batch.as_ref().ok_or_else(|| {
        Diagnostic::error(codes::INTERNAL, format!("microbatch model `{}` has no batch", job.node.name))
    })?;
    let old = format!(" where ({}) is not true", batch.holds(OLD));
    Ok(format!("{} where {}", union(columns, job.relation, new, &old), batch.holds(NEW)))
}

/// Matched rows take the new values (of the columns that may change), the rest stay; new keys are added.
fn merge(job: &Job<'_>, columns: &Columns, new: &Relation, keys: &[String]) -> Result<String> {
    let config = &job.node.config;
    let only = config.strings("merge_update_columns");
    let except = config.strings("merge_exclude_columns");
    if !only.is_empty() && !except.is_empty() {
        return Err(bad(job.node, "merge_update_columns", "columns are both chosen and excluded for the merge".into())
            .help("set merge_update_columns or merge_exclude_columns, not both"));
    }
    let has = |list: &[String], name: &str| list.iter().any(|other| other.eq_ignore_ascii_case(name));
    let updates = |name: &str| match (only.is_empty(), except.is_empty()) {
        (false, _) => has(&only, name),
        (_, false) => !has(&except, name),
        _ => true,
    };
    let matched = format!("{}{}", same_key(keys), predicates(job));
    let merged = columns.merged(OLD, NEW, &updates);
    let (target, new) = (alias(job.relation, OLD), alias(new, NEW));
    // A marker column tells a match from a new row whose columns are all null.
    let marked = format!("(select *, true as __c360_new from {new}) as {NEW}");
    Ok(format!(
        "select {merged} from {target} left join {marked} on {matched}\nunion all\n\
         select {} from {new} where not exists (select 1 from {target} where {matched})",
        columns.of_new(NEW),
    ))
}

/// Two new rows with one key would make the outcome depend on their order.
async fn check_keys(job: &Job<'_>, staged: &Staged, keys: &[String]) -> Result<()> {
    let list = keys.iter().map(|key| key_column(key)).collect::<Vec<_>>().join(", ");
    let sql = format!("select {list} from {} group by {list} having count(*) > 1 limit 1", staged.relation.render());
    match super::input::first_row(job, sql).await? {
        None => Ok(()),
        Some(values) => {
            Err(Diagnostic::error(codes::DUPLICATE_MERGE_KEY, format!("new rows share the key {}", values.join(", ")))
                .note(format!("unique_key is {}", keys.join(", ")))
                .help("make the query give one row a key, or use the strategy `delete+insert`")
                .of_node(&job.node.unique_id))
        }
    }
}
