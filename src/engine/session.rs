//! The DataFusion session: how it plans, how much memory it has, where it spills.

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::object_store::ObjectStoreRegistry;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use deltalake::delta_datafusion::planner::DeltaPlanner;

use super::plans;
use super::pool::shared_pool;
use crate::diag::{Diagnostic, Result, codes};

/// What a session is made from.
#[derive(Debug, Clone)]
pub struct SessionOptions {
    /// Name of the catalog that unqualified names are looked up in.
    pub database: String,
    /// Schema that unqualified names are looked up in.
    pub schema: String,
    /// Bytes for all operators; none: three quarters of the machine's memory.
    pub memory_limit: Option<u64>,
    /// Folder to spill to; none: the system's temporary folder.
    pub spill_dir: Option<PathBuf>,
}

/// A session and the pool behind it; `adjust` has the last word on its configuration. `here`: plans run in this process.
pub(super) fn open(
    options: &SessionOptions,
    adjust: impl FnOnce(SessionConfig) -> Result<SessionConfig>,
    stores: Arc<dyn ObjectStoreRegistry>,
    here: bool,
) -> Result<(SessionContext, Arc<dyn MemoryPool>)> {
    let limit = options.memory_limit.unwrap_or_else(default_memory_limit);
    let pool = shared_pool(usize::try_from(limit).unwrap_or(usize::MAX));
    let runtime = runtime(options, &pool, stores)?;
    let builder = SessionStateBuilder::new()
        .with_config(adjust(config(options, limit))?)
        .with_runtime_env(runtime)
        .with_default_features()
        // Plans the nodes that the Delta writer adds; everything else is DataFusion's own.
        .with_query_planner(DeltaPlanner::new());
    Ok((SessionContext::new_with_state(plans::with_rules(builder, here).build()), pool))
}

fn runtime(
    options: &SessionOptions,
    pool: &Arc<dyn MemoryPool>,
    stores: Arc<dyn ObjectStoreRegistry>,
) -> Result<Arc<RuntimeEnv>> {
    let mode = match &options.spill_dir {
        Some(folder) => DiskManagerMode::Directories(vec![folder.clone()]),
        None => DiskManagerMode::OsTmpDirectory,
    };
    RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::clone(pool))
        .with_object_store_registry(stores)
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(mode))
        .build_arc()
        .map_err(|error| Diagnostic::error(codes::STORE_ERROR, format!("the engine cannot start: {error}")))
}

/// What an operator that sorts keeps aside for merging what it spilled, unless memory is short.
const MERGE_BYTES: u64 = 10 << 20;
/// With less memory than this, batches are smaller.
const SCARCE: u64 = 128 << 20;

fn config(options: &SessionOptions, limit: u64) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(&options.database, &options.schema)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(true);
    let settings = config.options_mut();
    // Names keep their case; the engine's own resolver matches them whatever it is.
    settings.sql_parser.enable_ident_normalization = false;
    settings.sql_parser.collect_spans = true;
    settings.execution.listing_table_ignore_subdirectory = false;
    settings.execution.sort_spill_reservation_bytes = (limit / 50).min(MERGE_BYTES) as usize;
    // A first phase of an aggregation that halves the rows at best costs more than it spares, in time and in memory.
    settings.execution.skip_partial_aggregation_probe_ratio_threshold = 0.5;
    settings.execution.parquet.pushdown_filters = true;
    settings.execution.parquet.reorder_filters = true;
    if limit < SCARCE { config.with_batch_size(2048) } else { config }
}

fn default_memory_limit() -> u64 {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    match system.total_memory() {
        0 => 4 << 30,
        total => total / 4 * 3,
    }
}
