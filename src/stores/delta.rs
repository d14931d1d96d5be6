//! Delta Lake over our stores.
//!
//! A commit is a file that is put under a name which must be free ([`PutMode::Create`](object_store::PutMode::Create)),
//! and Delta's default log store does just that: on S3 by `If-None-Match`, on Azure and Google by their preconditions, on
//! HDFS by a rename that replaces nothing, on local disks by a hard link. Two writers of one version: one of them finds
//! the name taken, looks at what the other did, and goes on or gives up. No table of locks is needed beside it.

use std::sync::{Arc, Once};

use deltalake::logstore::{
    LogStore, LogStoreFactory, ObjectStoreFactory, ObjectStoreRef, StorageConfig, default_logstore, logstore_factories,
    object_store_factories,
};
use deltalake::{DeltaResult, DeltaTableBuilder, DeltaTableError};
use object_store::ObjectStore;
use object_store::path::Path;
use url::Url;

use super::{StoreOptions, open, store_of};
use crate::diag::Result;

/// Schemes that Delta does not know by itself.
const SCHEMES: &[&str] = &["hdfs", "viewfs", "s3", "s3a", "gs", "az", "abfs", "abfss"];

#[derive(Debug)]
struct Factory;

impl ObjectStoreFactory for Factory {
    fn parse_url_opts(&self, url: &Url, config: &StorageConfig) -> DeltaResult<(ObjectStoreRef, Path)> {
        let options = StoreOptions::new(config.raw.clone());
        open(url.as_str(), &options).map_err(|error| DeltaTableError::GenericError { source: error })
    }
}

impl LogStoreFactory for Factory {
    fn with_options(
        &self,
        prefixed_store: ObjectStoreRef,
        root_store: ObjectStoreRef,
        location: &Url,
        options: &StorageConfig,
    ) -> DeltaResult<Arc<dyn LogStore>> {
        Ok(default_logstore(prefixed_store, root_store, location, options))
    }
}

/// Tells Delta of our stores, once.
pub fn register() {
    static DONE: Once = Once::new();
    DONE.call_once(|| {
        let factory = Arc::new(Factory);
        for url in SCHEMES.iter().filter_map(|scheme| Url::parse(&format!("{scheme}://")).ok()) {
            object_store_factories().insert(url.clone(), Arc::clone(&factory) as _);
            logstore_factories().insert(url, Arc::clone(&factory) as _);
        }
    });
}

/// A builder of the Delta table at `url`, on the store that everything else at `url` is on.
///
/// # Errors
/// What [`store_of`] fails with.
pub fn table(url: &Url, options: &StoreOptions) -> Result<DeltaTableBuilder> {
    register();
    table_on(store_of(url, options)?, url)
}

/// The same on a store that is open already.
///
/// # Errors
/// C5006 for a URL that Delta does not take.
pub fn table_on(store: Arc<dyn ObjectStore>, url: &Url) -> Result<DeltaTableBuilder> {
    register();
    let url = by_host(url);
    let builder = DeltaTableBuilder::from_url(url.clone()).map_err(|error| super::store_error(url.as_str(), &error))?;
    Ok(builder.with_storage_backend(store, url))
}

/// A URL whose host alone says which store it is: Delta passes over the rest, and would take one container of an account
/// of Azure (`container@account`) for the other.
fn by_host(url: &Url) -> Url {
    let mut by_host = url.clone();
    let host = format!("{}.{}", url.username(), url.host_str().unwrap_or_default());
    if url.username().is_empty() || by_host.set_host(Some(&host)).is_err() || by_host.set_username("").is_err() {
        return url.clone();
    }
    by_host
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_of_one_account_are_told_apart_by_the_host() {
        let by_host = |url: &str| by_host(&Url::parse(url).expect("a URL")).to_string();
        assert_eq!(by_host("abfss://lake@shop.dfs.core.windows.net/a/b"), "abfss://lake.shop.dfs.core.windows.net/a/b");
        assert_eq!(by_host("s3://lake/a"), "s3://lake/a");
        assert_eq!(by_host("file:///lake/a"), "file:///lake/a");
    }
}
