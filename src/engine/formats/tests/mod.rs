//! Sources as queries see them: files in a temporary folder, SQL over them.

mod binary;
mod broken;
mod scans;
mod sheets;

use std::path::Path;
use std::sync::{Arc, Mutex};

use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions as ShowOptions};
use datafusion::error::DataFusionError;
use datafusion::prelude::{SessionConfig, SessionContext};
use tempfile::TempDir;

use super::*;
use crate::diag::Code;

/// Keeps what is rejected.
#[derive(Default)]
pub(super) struct Rejects {
    records: Mutex<Vec<RejectedRecord>>,
    scanned: Mutex<Vec<String>>,
}

impl RejectSink for Rejects {
    fn reject(&self, record: RejectedRecord) {
        self.records.lock().expect("a lock").push(record);
    }

    fn scanned(&self, _source: &str, file: &str, _part: std::ops::Range<u64>, _size: u64) {
        self.scanned.lock().expect("a lock").push(file.to_string());
    }

    fn dropped(&self, _source: &str, _file: &str, _line: u64) {}
}

impl Rejects {
    /// `line:reason` of each, by line.
    fn lines(&self) -> Vec<(u64, String)> {
        let records = self.records.lock().expect("a lock");
        let mut lines: Vec<_> = records.iter().map(|record| (record.line, record.reason.clone())).collect();
        lines.sort();
        lines.dedup();
        lines
    }
}

/// A folder, a session and a sink.
pub(super) struct Lake {
    pub(super) folder: TempDir,
    pub(super) ctx: SessionContext,
    pub(super) rejects: Arc<Rejects>,
}

impl Lake {
    pub(super) fn new() -> Lake {
        Lake::with_partitions(1)
    }

    /// A session that splits even the smallest file.
    pub(super) fn with_partitions(partitions: usize) -> Lake {
        let mut config = SessionConfig::new().with_target_partitions(partitions);
        config.options_mut().optimizer.repartition_file_min_size = 1;
        Lake {
            folder: tempfile::tempdir().expect("a folder"),
            ctx: SessionContext::new_with_config(config),
            rejects: Arc::default(),
        }
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    pub(super) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a folder");
        std::fs::write(path, content).expect("a file");
    }

    pub(super) fn spec(&self, location: &str, format: Format, columns: &[(&str, &str)]) -> ScanSpec {
        let mut spec = ScanSpec::new("lake.t", self.path(location), format);
        if !columns.is_empty() {
            spec.columns = Some(columns.iter().map(|(name, data_type)| ColumnSpec::new(*name, *data_type)).collect());
        }
        spec
    }

    /// Makes the source the table `t`.
    pub(super) async fn table(&self, spec: ScanSpec) -> Result<Arc<ScanStats>, Box<Diagnostic>> {
        let rejects = Arc::clone(&self.rejects) as Arc<dyn RejectSink>;
        let opened = open(&self.ctx.state(), Arc::new(spec), rejects).await?;
        self.ctx.deregister_table("t").expect("no table");
        self.ctx.register_table("t", opened.provider).expect("a table");
        Ok(opened.stats)
    }

    /// Rows as `a|b`.
    pub(super) async fn query(&self, sql: &str) -> Result<Vec<String>, DataFusionError> {
        let batches = self.ctx.sql(sql).await?.collect().await?;
        let options = ShowOptions::default().with_null("NULL");
        let mut rows = Vec::new();
        for batch in &batches {
            let columns = batch.columns().iter();
            let columns: Vec<_> =
                columns.map(|column| ArrayFormatter::try_new(column, &options)).collect::<Result<_, _>>()?;
            for row in 0..batch.num_rows() {
                rows.push(columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|"));
            }
        }
        Ok(rows)
    }

    /// Rows of a query that works.
    pub(super) async fn rows(&self, sql: &str) -> Vec<String> {
        self.query(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The diagnostic of a query that fails.
    pub(super) async fn failure(&self, sql: &str) -> Diagnostic {
        let error = self.query(sql).await.expect_err("a failure");
        *crate::engine::diagnostic_of(&error).unwrap_or_else(|| panic!("no diagnostic in {error:?}"))
    }

    /// The diagnostic of a source that cannot be opened.
    pub(super) async fn refusal(&self, spec: ScanSpec) -> (Code, String, Vec<String>) {
        let error = self.table(spec).await.expect_err("a refusal");
        (error.code, error.message, error.notes)
    }
}

/// The declared path column of daily files.
pub(super) fn day_column() -> PathColumn {
    PathColumn {
        name: "log_date".to_string(),
        pattern: Some(r"(\d{8})\.\w+$".to_string()),
        data_type: "date".to_string(),
        format: Some("%Y%m%d".to_string()),
    }
}
