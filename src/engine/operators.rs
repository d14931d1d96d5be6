//! What the operators of a plan did, after it ran.

use std::sync::Arc;

use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::{ExecutionPlan, displayable};
use serde::Serialize;

/// How much of an operator's description is told.
const DETAIL: usize = 160;

/// The metric of scans that counts files which filters rule out.
pub(super) const FILES_PRUNED: &str = "files_pruned";

/// One operator of a plan that ran.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Operator {
    /// How many operators take its rows before they are the query's.
    pub depth: usize,
    /// Its name: `HashJoinExec`.
    pub name: String,
    /// What it does, cut short.
    pub detail: String,
    /// Rows that it gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Seconds that it computed, summed over threads.
    pub seconds: f64,
    /// Bytes that it read from files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_read: Option<u64>,
    /// Files, or ranges of files, that it opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files_opened: Option<u64>,
    /// Files that it did not have to open, as filters rule them out by their path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files_pruned: Option<u64>,
    /// Bytes that it spilled to disk.
    pub spilled: u64,
}

/// The operators of `plan`, each before those whose rows it takes.
pub fn operators(plan: &Arc<dyn ExecutionPlan>) -> Vec<Operator> {
    let mut all = Vec::new();
    add(plan, 0, &mut all);
    all
}

fn add(plan: &Arc<dyn ExecutionPlan>, depth: usize, all: &mut Vec<Operator>) {
    let metrics = plan.metrics().unwrap_or_default();
    let line = displayable(plan.as_ref()).one_line().to_string();
    let line = line.trim();
    let detail = line.strip_prefix(plan.name()).unwrap_or(line).trim_start_matches([':', ',', ' ']);
    all.push(Operator {
        depth,
        name: plan.name().to_string(),
        detail: detail.chars().take(DETAIL).collect(),
        rows: metrics.output_rows().map(|rows| rows as u64),
        seconds: nanoseconds(&metrics) as f64 / 1e9,
        bytes_read: sum(&metrics, "bytes_scanned"),
        files_opened: sum(&metrics, "files_opened"),
        files_pruned: sum(&metrics, FILES_PRUNED),
        spilled: metrics.spilled_bytes().unwrap_or(0) as u64,
    });
    for child in plan.children() {
        add(child, depth + 1, all);
    }
}

/// Scans count the time in which they decode apart from the rest.
fn nanoseconds(metrics: &MetricsSet) -> u64 {
    let computed = metrics.elapsed_compute().unwrap_or(0) as u64;
    computed.max(sum(metrics, "time_elapsed_processing").unwrap_or(0))
}

fn sum(metrics: &MetricsSet, name: &str) -> Option<u64> {
    metrics.sum_by_name(name).map(|value| value.as_usize() as u64)
}
