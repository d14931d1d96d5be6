//! What the client, the scheduler and the executors agree on: settings, functions, stores.

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;

use ballista_core::extension::SessionConfigExt;
use ballista_core::registry::BallistaFunctionRegistry;
use datafusion::common::config::{ConfigEntry, ConfigExtension, ExtensionOptions};
use datafusion::common::config_err;
use datafusion::error::Result;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::diag::{Diagnostic, codes};
use crate::engine::formats::Ships;
use crate::engine::functions;
use crate::engine::stores::StoreRegistry;
use crate::project::ClusterOptions;
use crate::stores::StoreOptions;

/// The largest message between the processes: plans name every file of their sources.
pub(super) const MAX_MESSAGE: usize = 256 << 20;
/// Partitions for each executor, if the profile does not say how many.
const PARTITIONS_OF_EXECUTOR: usize = 4;

/// What travels with every plan beside DataFusion's own settings.
#[derive(Debug, Clone, Default)]
pub(super) struct Shipped {
    /// Options of stores that are no secrets, as a JSON object.
    pub(super) stores: String,
    /// URL that files of rejected records start with; empty: nobody asks for them.
    pub(super) rejects: String,
}

impl Shipped {
    /// The setting of where rejected records are spooled to.
    pub(super) const REJECTS: &str = "c360.rejects";
    const STORES: &str = "c360.stores";
}

impl ConfigExtension for Shipped {
    const PREFIX: &'static str = "c360";
}

// By hand, since DataFusion's macro lists entries without their prefix, and so they would not arrive.
impl ExtensionOptions for Shipped {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        match key {
            "stores" => self.stores = value.to_string(),
            "rejects" => self.rejects = value.to_string(),
            other => return config_err!("there is no setting `c360.{other}`"),
        }
        Ok(())
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        let entry = |key: &str, value: &str, description| ConfigEntry {
            key: key.to_string(),
            value: Some(value.to_string()),
            description,
        };
        vec![
            entry(Shipped::STORES, &self.stores, "Options of stores"),
            entry(Shipped::REJECTS, &self.rejects, "Where rejected records are spooled to"),
        ]
    }
}

/// `config` for plans that are shipped.
///
/// # Errors
/// C1004 for a setting that does not exist.
pub(in crate::engine) fn client_config(
    config: SessionConfig,
    options: &ClusterOptions,
    stores: &StoreOptions,
) -> crate::diag::Result<SessionConfig> {
    let shared = serde_json::to_string(&stores.without_secrets()).unwrap_or_default();
    let mut config = base_config(config);
    for (key, value) in &options.settings {
        config.options_mut().set(key, value).map_err(|error| {
            Diagnostic::error(codes::BAD_VALUE, format!("`{key}` of `cluster` cannot be set to `{value}`"))
                .note(error.strip_backtrace())
        })?;
    }
    if let Some(shipped) = config.options_mut().extensions.get_mut::<Shipped>() {
        shipped.stores = shared;
    }
    if let Some(partitions) = options.partitions {
        config = config.with_target_partitions(partitions);
    }
    Ok(config.with_extension(Arc::new(Ships)))
}

/// How many partitions plans should have on a cluster of so many executors.
pub(super) fn partitions(executors: usize) -> usize {
    (executors * PARTITIONS_OF_EXECUTOR).clamp(PARTITIONS_OF_EXECUTOR, 1024)
}

/// Ballista's changes to DataFusion's defaults, and ours to Ballista's.
fn base_config(config: SessionConfig) -> SessionConfig {
    let hash_joins = config.options().optimizer.prefer_hash_join;
    let mut config = config.upgrade_for_ballista().with_ballista_grpc_client_max_message_size(MAX_MESSAGE);
    // As in one process. Sort-merge joins spill where hash joins cannot, and are slower; `settings` can ask for them.
    config.options_mut().optimizer.prefer_hash_join = hash_joins;
    config.with_option_extension(Shipped::default())
}

/// The configuration that the scheduler and the executors start from, before a client's settings.
pub(super) fn server_config() -> SessionConfig {
    base_config(SessionConfig::new()).with_information_schema(false)
}

/// A session of the scheduler's.
pub(super) fn server_session(config: SessionConfig) -> Result<SessionState> {
    let runtime = runtime(&config, None)?;
    let state =
        SessionStateBuilder::new().with_config(config).with_runtime_env(runtime).with_default_features().build();
    let context = SessionContext::new_with_state(state);
    functions::register(&context)?;
    Ok(context.state())
}

/// All functions, by name.
pub(super) fn function_registry() -> Result<BallistaFunctionRegistry> {
    Ok(BallistaFunctionRegistry::from(&server_session(server_config())?))
}

/// The runtime of a session's tasks: stores are opened when a plan names them.
pub(super) fn runtime(config: &SessionConfig, work_dir: Option<PathBuf>) -> Result<Arc<RuntimeEnv>> {
    let options = config.options().extensions.get::<Shipped>().map(|shipped| shipped.stores.as_str()).unwrap_or("");
    let options: StoreOptions = serde_json::from_str(options).unwrap_or_default();
    let mode = match work_dir {
        Some(folder) => DiskManagerMode::Directories(vec![folder]),
        None => DiskManagerMode::OsTmpDirectory,
    };
    RuntimeEnvBuilder::new()
        .with_object_store_registry(Arc::new(StoreRegistry::new(options)))
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(mode))
        .build_arc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_reach_the_other_side() {
        use ballista_core::extension::SessionConfigHelperExt;
        let options = ClusterOptions {
            host: "h".into(),
            port: 1,
            partitions: Some(7),
            settings: vec![("datafusion.execution.batch_size".into(), "123".into())],
        };
        let stores =
            StoreOptions::new([("endpoint", "e"), ("token", "t")].map(|(key, value)| (key.into(), value.into())));
        let client = client_config(SessionConfig::new(), &options, &stores).expect("a configuration");
        let server = server_config().update_from_key_value_pair(&client.to_key_value_pairs());
        assert_eq!((server.target_partitions(), server.batch_size()), (7, 123));
        let shipped = server.options().extensions.get::<Shipped>().expect("our settings");
        let arrived: StoreOptions = serde_json::from_str(&shipped.stores).expect("options");
        assert_eq!(arrived, stores.without_secrets());
        assert!(!server.options().optimizer.enable_dynamic_filter_pushdown);
        let bad = ClusterOptions { settings: vec![("datafusion.no.such".into(), "1".into())], ..options };
        assert!(client_config(SessionConfig::new(), &bad, &stores).is_err());
    }
}
