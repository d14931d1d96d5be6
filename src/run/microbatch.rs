//! Microbatch models: the query once for each stretch of time, each batch a commit of its own.
//!
//! A batch sees its parents through a filter on their `event_time`, and replaces the rows of its own stretch alone. The
//! first batch of a first run, or of a full refresh, makes the table. A batch that fails leaves the others: the model
//! succeeds partially, and `retry` runs what is missing.

use std::sync::Arc;

use chrono::{DateTime, Datelike, Duration, Months, NaiveDate, NaiveDateTime, Timelike, Utc};
use serde_json::{Map, Value as Json, json};

use super::executor::RunContext;
use crate::compile::{CompiledNode, compile_with};
use crate::diag::{Diagnostic, Result, codes};
use crate::engine::Meter;
use crate::jinja::{BatchTimes, Overrides, within};
use crate::manifest::NodeId;
use crate::materialize::{Batch, Job, Materialized, materialize};
use crate::node::{Node, quote};
use crate::warehouse::Progress;

/// A stretch of time: its start, and the end that is not part of it.
pub type Stretch = (NaiveDateTime, NaiveDateTime);

/// How long a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    Hour,
    Day,
    Month,
    Year,
}

/// What a microbatch model configures.
#[derive(Debug)]
struct Settings {
    event_time: String,
    size: Size,
    begin: NaiveDateTime,
    lookback: i64,
}

/// What the batches of a model did.
pub(super) struct Batches {
    pub(super) done: Materialized,
    pub(super) successful: Vec<Stretch>,
    pub(super) failed: Vec<Stretch>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// What the last batch was compiled to.
    pub(super) compiled: Option<CompiledNode>,
}

/// True if `node` is built in batches.
pub(super) fn is_microbatch(node: &Node) -> bool {
    node.materialized() == "incremental" && node.config.str("incremental_strategy") == Some("microbatch")
}

/// Says what is wrong with the configuration of a microbatch model, before anything runs.
///
/// # Errors
/// C2011 for what is missing or cannot be.
pub fn check_microbatch(node: &Node) -> Result<()> {
    if is_microbatch(node) { Settings::read(node).map(drop) } else { Ok(()) }
}

impl Settings {
    fn read(node: &Node) -> Result<Settings> {
        let needed = |key: &str, what: &str| {
            let value = node.config.get(key).map(crate::node::plain);
            value.ok_or_else(|| {
                Diagnostic::error(codes::BAD_CONFIG, format!("microbatch model `{}` sets no `{key}`", node.name))
                    .label(node.place(), "")
                    .help(format!("set `{key}`: {what}"))
                    .of_node(&node.unique_id)
            })
        };
        let event_time = needed("event_time", "the column with the time of a row")?;
        let size = needed("batch_size", "hour, day, month or year")?;
        let size = match size.as_str() {
            "hour" => Size::Hour,
            "day" => Size::Day,
            "month" => Size::Month,
            "year" => Size::Year,
            other => {
                return Err(bad(
                    node,
                    "batch_size",
                    format!("`batch_size` is `{other}`, and can be hour, day, month or year"),
                ));
            }
        };
        let begin = needed("begin", "the time of the first row")?;
        let begin = parse_time(&begin)
            .ok_or_else(|| bad(node, "begin", format!("`begin` is `{begin}`, and has to be a date or a time")))?;
        let lookback = node.config.get("lookback").map_or(Some(1), |value| crate::node::plain(value).parse().ok());
        let lookback = lookback
            .filter(|lookback| *lookback >= 0)
            .ok_or_else(|| bad(node, "lookback", "`lookback` has to be a number that is not negative".into()))?;
        Ok(Settings { event_time, size, begin: size.truncate(begin), lookback })
    }
}

fn bad(node: &Node, key: &str, message: String) -> Box<Diagnostic> {
    let span = node.config.span(key).cloned().unwrap_or_else(|| node.place());
    Diagnostic::error(codes::BAD_CONFIG, message).label(span, "set here").of_node(&node.unique_id)
}

/// A date or a time in UTC, as dbt reads it.
pub fn parse_time(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.naive_utc());
    }
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    let time = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    time.or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))
}

impl Size {
    /// The name of the batch that starts at `start`.
    fn batch_id(self, start: NaiveDateTime) -> String {
        let pattern = match self {
            Size::Hour => "%Y%m%dT%H",
            Size::Day => "%Y%m%d",
            Size::Month => "%Y%m",
            Size::Year => "%Y",
        };
        start.format(pattern).to_string()
    }

    /// The start of the batch that `time` is in.
    fn truncate(self, time: NaiveDateTime) -> NaiveDateTime {
        let date = match self {
            Size::Hour | Size::Day => Some(time.date()),
            Size::Month => time.date().with_day(1),
            Size::Year => NaiveDate::from_ymd_opt(time.year(), 1, 1),
        };
        let hour = if self == Size::Hour { time.hour() } else { 0 };
        date.and_then(|date| date.and_hms_opt(hour, 0, 0)).unwrap_or(time)
    }

    fn ceiling(self, time: NaiveDateTime) -> NaiveDateTime {
        let start = self.truncate(time);
        if start == time { time } else { self.offset(start, 1) }
    }

    fn offset(self, time: NaiveDateTime, batches: i64) -> NaiveDateTime {
        let months = |months: i64| {
            let count = Months::new(u32::try_from(months.unsigned_abs()).unwrap_or(u32::MAX));
            if months < 0 { time.checked_sub_months(count) } else { time.checked_add_months(count) }
        };
        let moved = match self {
            Size::Hour => time.checked_add_signed(Duration::hours(batches)),
            Size::Day => time.checked_add_signed(Duration::days(batches)),
            Size::Month => months(batches),
            Size::Year => months(batches.saturating_mul(12)),
        };
        moved.unwrap_or(time)
    }

    /// The batches from `start` to `end`.
    fn batches(self, start: NaiveDateTime, end: NaiveDateTime) -> Vec<Stretch> {
        let mut out = Vec::new();
        let mut at = start;
        while at < end {
            let next = self.offset(at, 1);
            if next <= at {
                break;
            }
            out.push((at, next.min(end)));
            at = next;
        }
        out
    }
}

impl RunContext {
    /// The batches that this run is about.
    fn stretches(&self, node: &Node, settings: &Settings, incremental: bool) -> Vec<Stretch> {
        if let Some(failed) = self.batches.get(&node.unique_id) {
            return failed.clone();
        }
        let (from, to) = match self.world.invocation.sample {
            Some((start, end)) => (Some(start), Some(end)),
            None => self.event_time,
        };
        let now: DateTime<Utc> = self.world.invocation.started_at;
        let end = settings.size.ceiling(to.unwrap_or_else(|| now.naive_utc()));
        let start = match from {
            Some(from) => settings.size.truncate(from),
            None if !incremental => settings.begin,
            // The batch that `end` is in, and as many before it as look back.
            None => settings.size.offset(end, -(settings.lookback + 1)),
        };
        settings.size.batches(start, end)
    }

    /// Builds a microbatch model.
    pub(super) async fn microbatch(
        self: &Arc<Self>,
        id: NodeId,
        incremental: bool,
        meter: &Meter,
        progress: &Arc<Progress>,
    ) -> Result<Batches> {
        let node = self.manifest.node(id);
        let settings = Settings::read(node)?;
        let stretches = self.stretches(node, &settings, incremental);
        let mut all = Batches {
            done: Materialized { rows: Some(0), ..Materialized::default() },
            successful: Vec::new(),
            failed: Vec::new(),
            diagnostics: Vec::new(),
            compiled: None,
        };
        for (index, stretch) in stretches.iter().enumerate() {
            let exists = incremental || !all.successful.is_empty();
            match self.batch(id, &settings, *stretch, exists, meter, progress, &mut all.compiled).await {
                Ok(done) => {
                    all.successful.push(*stretch);
                    all.done.rows = Some(all.done.rows.unwrap_or(0) + done.rows.unwrap_or(0));
                    all.done.bytes = done.bytes.or(all.done.bytes);
                    all.done.version = done.version.or(all.done.version);
                    all.done.total_rows = done.total_rows.or(all.done.total_rows);
                    all.done.spilled += done.spilled;
                }
                Err(error) => {
                    let error = error.note(format!("batch from {} to {}", stretch.0, stretch.1));
                    // What is wrong with rows has no place in the text; the node's says at least whose rows.
                    let error = if error.labels.is_empty() { error.label(node.place(), "") } else { error };
                    all.diagnostics.push(*error.of_node(&node.unique_id));
                    all.failed.push(*stretch);
                    // Without a table the next batches would all be the first one.
                    if index == 0 {
                        all.failed.extend(&stretches[1..]);
                        break;
                    }
                }
            }
        }
        Ok(all)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one batch, passed through once")]
    async fn batch(
        self: &Arc<Self>,
        id: NodeId,
        settings: &Settings,
        stretch: Stretch,
        exists: bool,
        meter: &Meter,
        progress: &Arc<Progress>,
        compiled: &mut Option<CompiledNode>,
    ) -> Result<Materialized> {
        let node = self.manifest.node(id);
        let mut overrides = self.filters(node, stretch, exists);
        overrides.batch = Some(BatchTimes { id: settings.size.batch_id(stretch.0), start: stretch.0, end: stretch.1 });
        let overrides = Arc::new(overrides);
        let (world, manifest) = (Arc::clone(&self.world), Arc::clone(&self.manifest));
        let sql = tokio::task::spawn_blocking(move || compile_with(&world, manifest.node(id), Some(overrides))).await;
        let sql = sql.map_err(|error| {
            Diagnostic::error(codes::INTERNAL, format!("a template could not be rendered: {error}"))
        })??;
        let sql = compiled.insert(sql);
        self.write_compiled(id, &sql.sql.text)?;
        let relation = node
            .relation
            .as_ref()
            .ok_or_else(|| Diagnostic::error(codes::INTERNAL, format!("`{}` has no relation", node.name)))?;
        let job = Job {
            engine: &self.engine,
            meter,
            node,
            relation,
            sql: &sql.sql,
            seed_file: None,
            progress,
            commit: self.commit(node),
            full_refresh: !exists,
            batch: Some(Batch { column: settings.event_time.clone(), start: stretch.0, end: stretch.1 }),
        };
        materialize(&job).await.map_err(|error| sql.locate(error))
    }

    /// Parents with an `event_time` are read for the batch alone.
    fn filters(&self, node: &Node, stretch: Stretch, exists: bool) -> Overrides {
        let mut overrides = Overrides::default();
        overrides.macros.insert("is_incremental".into(), json!(exists));
        for parent in node.depends_on.iter().filter_map(|id| self.manifest.find(id)) {
            let relation = self.world.deferred.get(&parent.unique_id).or(parent.relation.as_ref());
            let (Some(column), Some(relation)) = (parent.config.str("event_time"), relation) else { continue };
            if parent.is_ephemeral() {
                continue;
            }
            let none = if self.world.invocation.flag("EMPTY") { " and false" } else { "" };
            let read = match self.world.invocation.sample {
                Some((start, end)) => (start.max(stretch.0), end.min(stretch.1)),
                None => stretch,
            };
            let text = format!("(select * from {} where {}{none})", relation.render(), within(&quote(column), read));
            overrides.relations.insert(parent.unique_id.clone(), text);
        }
        overrides
    }
}

impl Batches {
    /// `batch_results` of `run_results.json`.
    pub(super) fn json(&self) -> Json {
        let times = |list: &[Stretch]| -> Vec<[String; 2]> {
            list.iter()
                .map(|(start, end)| [*start, *end].map(|time| format!("{}Z", time.format("%Y-%m-%dT%H:%M:%S"))))
                .collect()
        };
        let mut map = Map::new();
        map.insert("successful".into(), json!(times(&self.successful)));
        map.insert("failed".into(), json!(times(&self.failed)));
        Json::Object(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> NaiveDateTime {
        parse_time(text).expect("a time")
    }

    #[test]
    fn batches_start_and_end_at_their_borders() {
        assert_eq!(Size::Month.truncate(time("2024-02-29 13:45:00")), time("2024-02-01"));
        assert_eq!(Size::Month.ceiling(time("2024-02-29 13:45:00")), time("2024-03-01"));
        assert_eq!(Size::Day.ceiling(time("2024-02-29")), time("2024-02-29"));
        assert_eq!(Size::Year.offset(time("2024-01-01"), -60), time("1964-01-01"));
        let days = Size::Day.batches(time("2024-02-28"), time("2024-03-01"));
        assert_eq!(days, [(time("2024-02-28"), time("2024-02-29")), (time("2024-02-29"), time("2024-03-01"))]);
        assert_eq!(Size::Hour.batches(time("2024-01-01 01:00"), time("2024-01-01 01:00")), []);
    }
}
