//! Object stores behind URLs.
//!
//! Local files are always there. A store of another kind is made when the first source names it, from the standard
//! environment of its kind (Hadoop's configuration files, the chains of AWS, Azure and Google), and serves every location
//! with the same scheme and authority.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use datafusion::prelude::SessionContext;
use object_store::ObjectStore;
use url::Url;

use crate::diag::{Diagnostic, Result, codes};

/// Makes the store of `location` known to `context`, if it has to be.
///
/// # Errors
/// C5006 for a scheme that there is no store for, or one that cannot be set up.
pub(super) fn register(context: &SessionContext, location: &str, options: &HashMap<String, String>) -> Result<()> {
    if !location.contains("://") || Path::new(location).is_absolute() {
        return Ok(());
    }
    // A glob is no URL by itself; its scheme and authority are.
    let authority: String = location.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    let url = Url::parse(&authority)
        .map_err(|error| Diagnostic::error(codes::BAD_SOURCE, format!("`{location}` is no URL: {error}")))?;
    if url.scheme() == "file" || context.runtime_env().object_store_registry.get_store(&url).is_ok() {
        return Ok(());
    }
    let store = open(&url, options)?;
    context.register_object_store(&url, store);
    Ok(())
}

pub(super) fn open(url: &Url, options: &HashMap<String, String>) -> Result<Arc<dyn ObjectStore>> {
    match url.scheme() {
        #[cfg(feature = "hdfs")]
        "hdfs" | "viewfs" => {
            let builder = hdfs_native_object_store::HdfsObjectStoreBuilder::new().with_url(url.as_str());
            let store = builder.with_config(options).build();
            store.map(|store| Arc::new(store) as _).map_err(|error| failed(url, &error))
        }
        "s3" | "s3a" | "gs" | "az" | "abfs" | "abfss" | "http" | "https" => {
            let environment = std::env::vars().map(|(key, value)| (key.to_lowercase(), value));
            let options = environment.chain(options.iter().map(|(key, value)| (key.to_lowercase(), value.clone())));
            let (store, _) = object_store::parse_url_opts(url, options).map_err(|error| failed(url, &error))?;
            Ok(Arc::from(store))
        }
        other => Err(Diagnostic::error(codes::STORE_ERROR, format!("there is no store for `{other}://`"))
            .help("locations are local paths or URLs: file, hdfs, s3, gs, abfss, https")),
    }
}

fn failed(url: &Url, error: &dyn std::fmt::Display) -> Box<Diagnostic> {
    Diagnostic::error(codes::STORE_ERROR, format!("the store of `{url}` cannot be set up: {error}"))
}
