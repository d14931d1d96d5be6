//! The stores of a session: every location that a query reads finds its store here.
//!
//! DataFusion and Delta look a store up by scheme and host. A store that nobody registered is opened when it is asked for,
//! with the options of the profile, so that sources, the warehouse and Delta's own scans share one for each authority.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::object_store::{DefaultObjectStoreRegistry, ObjectStoreRegistry};
use object_store::ObjectStore;
use url::Url;

use super::formats::into_datafusion;
use crate::stores::{self, StoreOptions};

/// Finds stores, and opens those that are not known yet.
#[derive(Debug)]
pub(crate) struct StoreRegistry {
    options: StoreOptions,
    /// Local files, and what was registered.
    known: DefaultObjectStoreRegistry,
    /// Stores whose URL has more in its authority than a host: Azure's `container@account`, which the registry above
    /// could not tell apart.
    by_user: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
}

impl StoreRegistry {
    /// A registry that opens stores with `options`.
    pub(crate) fn new(options: StoreOptions) -> StoreRegistry {
        StoreRegistry { options, known: DefaultObjectStoreRegistry::new(), by_user: Mutex::default() }
    }

    fn by_user(&self) -> MutexGuard<'_, HashMap<String, Arc<dyn ObjectStore>>> {
        self.by_user.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Scheme and all of the authority, if it has a user in it.
fn user_key(url: &Url) -> Option<String> {
    (!url.username().is_empty()).then(|| url[..url::Position::BeforePath].to_string())
}

impl ObjectStoreRegistry for StoreRegistry {
    fn register_store(&self, url: &Url, store: Arc<dyn ObjectStore>) -> Option<Arc<dyn ObjectStore>> {
        match user_key(url) {
            Some(key) => self.by_user().insert(key, store),
            None => self.known.register_store(url, store),
        }
    }

    fn deregister_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let Some(key) = user_key(url) else { return self.known.deregister_store(url) };
        let gone = self.by_user().remove(&key);
        gone.ok_or_else(|| DataFusionError::Internal(format!("no store is registered for {}", stores::clean(&key))))
    }

    fn get_store(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        let Some(key) = user_key(url) else {
            return match self.known.get_store(url) {
                Err(unknown) if !stores::is_known(url.scheme()) => Err(unknown),
                Err(_) => {
                    let store = stores::store_of(url, &self.options).map_err(into_datafusion)?;
                    self.known.register_store(url, Arc::clone(&store));
                    Ok(store)
                }
                known => known,
            };
        };
        if let Some(store) = self.by_user().get(&key) {
            return Ok(Arc::clone(store));
        }
        let store = stores::store_of(url, &self.options).map_err(into_datafusion)?;
        self.by_user().insert(key, Arc::clone(&store));
        Ok(store)
    }
}
