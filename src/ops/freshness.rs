//! `source freshness`: how old the newest rows of sources are.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDateTime, Utc};
use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use futures::TryStreamExt;

use super::session::connections;
use super::state::selection;
use super::{Loaded, Options, Session};
use crate::artifacts::{Age, SourceFreshness};
use crate::diag::{Diagnostic, Diagnostics, Result, SourceFile, codes};
use crate::engine::formats::{Format, ScanSpec, list_files};
use crate::engine::{SourceSpec, execution_error, source_spec};
use crate::node::{Freshness, FreshnessThreshold, Node, SourceTable};

/// Looks at the selected sources that have a freshness, and writes `sources.json`.
///
/// # Errors
/// The selection cannot be read, the engine cannot start, or the artifact cannot be written. What fails at a source is
/// in its result.
pub async fn freshness(
    options: &Options,
    loaded: &Loaded,
    output: Option<&std::path::Path>,
    diagnostics: &mut Diagnostics,
) -> Result<Vec<SourceFreshness>> {
    let selection = selection(options, loaded, diagnostics)?;
    let session = Session::open(options, loaded, Vec::new()).await?;
    let start = Instant::now();
    let mut results = Vec::new();
    for id in selection.nodes {
        let node = loaded.manifest.node(id);
        let Some(source) = node.as_source() else { continue };
        let Some(freshness) = source.freshness.as_ref().filter(|freshness| is_set(freshness)) else { continue };
        let Some(age) = HowOld::of(loaded, node, source, freshness) else { continue };
        results.push(look(&session, node, freshness, &age).await);
    }
    let target_path = loaded.project.target_path(options.target_path.as_deref());
    super::write_manifest(&target_path, loaded, &Default::default())?;
    let path = output.map_or_else(|| target_path.join("sources.json"), |path| loaded.project.root.root.join(path));
    super::artifacts::write_sources(&path, loaded, &results, start.elapsed())?;
    Ok(results)
}

fn is_set(freshness: &Freshness) -> bool {
    freshness.warn_after.is_some() || freshness.error_after.is_some()
}

/// Where the time of the newest row is from.
enum HowOld {
    /// A query for it.
    Query(String),
    /// The newest file, where nothing is said of rows.
    Files(Arc<ScanSpec>),
}

impl HowOld {
    fn of(loaded: &Loaded, node: &Node, source: &SourceTable, freshness: &Freshness) -> Option<HowOld> {
        if let Some(query) = query(node, source, freshness) {
            return Some(HowOld::Query(query));
        }
        let external = source.external.as_ref()?;
        match source_spec(node, external, &loaded.project.root.root, &connections(loaded)) {
            Ok(SourceSpec::Files(spec)) if spec.format != Format::Delta => Some(HowOld::Files(spec)),
            _ => None,
        }
    }
}

/// The query for the time of the newest row; none for a source that does not say how that is known.
fn query(node: &Node, source: &SourceTable, freshness: &Freshness) -> Option<String> {
    if let Some(query) = &source.loaded_at_query {
        return Some(format!("select cast(({}) as timestamp) as newest", query.trim().trim_end_matches(';')));
    }
    let field = source.loaded_at_field.as_ref()?;
    let relation = node.relation.as_ref()?.render();
    let filter = freshness.filter.as_ref().map(|filter| format!(" where {filter}")).unwrap_or_default();
    Some(format!("select cast(max({field}) as timestamp) as newest from {relation}{filter}"))
}

async fn look(session: &Session, node: &Node, freshness: &Freshness, age: &HowOld) -> SourceFreshness {
    let (started_at, start) = (Utc::now(), Instant::now());
    let newest = match age {
        HowOld::Query(query) => newest(session, node, query).await,
        HowOld::Files(spec) => newest_file(session, spec).await,
    };
    let now = Utc::now();
    let mut result = SourceFreshness {
        unique_id: node.unique_id.clone(),
        status: "pass",
        age: None,
        error: None,
        freshness: freshness.clone(),
        started_at,
        took: start.elapsed(),
    };
    match newest {
        Ok(newest) => {
            // Without a row the source is as old as can be.
            let newest = newest.map_or(DateTime::UNIX_EPOCH, |newest| newest.and_utc());
            result.status = status(freshness, newest, now);
            result.age = Some(Age { newest, now });
        }
        Err(error) => {
            result.status = "runtime error";
            result.error = Some(error.of_node(&node.unique_id));
        }
    }
    result
}

/// The time of the newest row.
async fn newest(session: &Session, node: &Node, query: &str) -> Result<Option<NaiveDateTime>> {
    let meter = session.engine.meter()?;
    let file = SourceFile::new(format!("freshness of {}", node.search_name()), query);
    let stream = session.engine.query(&meter.state, &file).await?;
    let batches: Vec<_> = stream.try_collect().await.map_err(|error| execution_error(&error))?;
    let Some(batch) = batches.iter().find(|batch| batch.num_rows() > 0) else { return Ok(None) };
    let micros = cast(batch.column(0), &DataType::Timestamp(TimeUnit::Microsecond, None)).map_err(|error| {
        Diagnostic::error(codes::SQL_EXECUTION, format!("the time of the newest row is no time: {error}"))
    })?;
    let micros = micros.as_primitive::<TimestampMicrosecondType>();
    let newest = micros.is_valid(0).then(|| micros.value(0));
    Ok(newest.and_then(DateTime::from_timestamp_micros).map(|time| time.naive_utc()))
}

/// The time of the newest file.
async fn newest_file(session: &Session, spec: &ScanSpec) -> Result<Option<NaiveDateTime>> {
    let meter = session.engine.meter()?;
    let files = list_files(&meter.state, spec).await?;
    Ok(files.iter().map(|file| file.modified.naive_utc()).max())
}

fn status(freshness: &Freshness, newest: DateTime<Utc>, now: DateTime<Utc>) -> &'static str {
    let age = (now - newest).to_std().unwrap_or(Duration::ZERO);
    let is_over =
        |threshold: &Option<FreshnessThreshold>| threshold.as_ref().and_then(length).is_some_and(|length| age > length);
    match () {
        () if is_over(&freshness.error_after) => "error",
        () if is_over(&freshness.warn_after) => "warn",
        () => "pass",
    }
}

fn length(threshold: &FreshnessThreshold) -> Option<Duration> {
    let seconds = match threshold.period.trim_end_matches('s') {
        "minute" => 60,
        "hour" => 3600,
        "day" => 86400,
        _ => return None,
    };
    u64::try_from(threshold.count).ok().map(|count| Duration::from_secs(count.saturating_mul(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stronger_threshold_counts() {
        let threshold = |count: i64, period: &str| Some(FreshnessThreshold { count, period: period.into() });
        let freshness = Freshness { warn_after: threshold(1, "hour"), error_after: threshold(1, "day"), filter: None };
        let now = Utc::now();
        assert_eq!(status(&freshness, now - chrono::Duration::minutes(59), now), "pass");
        assert_eq!(status(&freshness, now - chrono::Duration::hours(2), now), "warn");
        assert_eq!(status(&freshness, now - chrono::Duration::hours(25), now), "error");
        assert_eq!(status(&Freshness::default(), DateTime::UNIX_EPOCH, now), "pass");
    }
}
