//! Object stores behind URLs: lakes, warehouses and destinations that are files.
//!
//! [`open`] gives the store of a location and the path in it. There is one store object for each scheme, authority and
//! set of options, for as long as the program runs: connections, credentials and their renewal are shared by source
//! scans, the warehouse, Delta's own readers and file destinations.
//!
//! | scheme | store | credentials, where no option says otherwise |
//! |---|---|---|
//! | a path, `file` | the local disk | |
//! | `hdfs`, `viewfs` | hdfs-native | `HADOOP_CONF_DIR`, `HADOOP_USER_NAME`, a Kerberos ticket |
//! | `s3`, `s3a` | object_store | `AWS_*`, `~/.aws/config`, `~/.aws/credentials`, web identity, ECS, EC2 |
//! | `gs` | object_store | `GOOGLE_*`, application default credentials, GCE |
//! | `az`, `abfs`, `abfss` | object_store | `AZURE_*`, workload identity, Azure VMs |
//! | `http`, `https` | object_store, for reading | |
//!
//! Machines of a cloud know who they are by asking an address in their own network. Anywhere else that address does not
//! answer, and asking it is a long wait; so it is asked only where the machine's own firmware says that it is one of
//! theirs, or an option names the address ([`machine`]).
//!
//! Stores of clouds and HDFS are [`steady`]: what fails for a moment is tried again, and commits are made exactly once.
//! All I/O of stores runs on threads of its own ([`io`]), so that a busy query does not keep a connection waiting.

mod ahead;
mod aws;
mod cloud;
pub mod delta;
mod failure;
#[cfg(test)]
mod faults;
#[cfg(feature = "hdfs")]
mod hdfs;
mod ini;
mod io;
mod machine;
mod options;
pub mod probe;
mod replay;
#[cfg(feature = "hdfs")]
mod replicas;
mod steady;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path as FsPath;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use url::Url;

use crate::diag::{Diagnostic, Result, codes};

pub(crate) use ahead::chunks;
pub use failure::{Cause, clean, explain, of_store, store_error, words};
pub use options::StoreOptions;
#[cfg(test)]
pub(crate) use options::known_options;

use options::Resolved;

/// Stores that were opened, by what they were opened from.
static OPENED: LazyLock<Mutex<HashMap<Key, Arc<dyn ObjectStore>>>> = LazyLock::new(Mutex::default);

type Key = (String, Vec<(String, String)>);

/// The store of `location`, a path or a URL, and the path in it. Nothing is sent anywhere yet.
///
/// # Errors
/// C1004 for what is no location, C5006 for a scheme without a store, or if credentials are missing or wrong.
pub fn open(location: &str, options: &StoreOptions) -> Result<(Arc<dyn ObjectStore>, Path)> {
    if !location.contains("://") || FsPath::new(location).is_absolute() {
        let path = std::path::absolute(location).map_err(|error| no_location(location, &error))?;
        let path = Path::from_absolute_path(path).map_err(|error| no_location(location, &error))?;
        return Ok((local(), path));
    }
    let url = Url::parse(location).map_err(|error| no_location(location, &error))?;
    let path = Path::from_url_path(url.path()).map_err(|error| no_location(location, &error))?;
    Ok((store_of(&url, options)?, path))
}

/// The store of the scheme and authority of `url`, whatever its path.
///
/// # Errors
/// As [`open`].
pub fn store_of(url: &Url, options: &StoreOptions) -> Result<Arc<dyn ObjectStore>> {
    if url.scheme() == "file" {
        return Ok(local());
    }
    if url.password().is_some() {
        return Err(Diagnostic::error(codes::BAD_VALUE, format!("the location `{}` holds a password", shown(url)))
            .help("give credentials by the environment, or by `storage_options:` of the profile with `env_var`"));
    }
    let root = root(url);
    let options = options.resolve(&root);
    options.check()?;
    let key = (root.to_string(), options.sorted());
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(store) = opened.get(&key) {
        return Ok(Arc::clone(store));
    }
    let store = make(&root, &options)?;
    opened.insert(key, Arc::clone(&store));
    Ok(store)
}

fn make(root: &Url, options: &Resolved) -> Result<Arc<dyn ObjectStore>> {
    match root.scheme() {
        #[cfg(feature = "hdfs")]
        "hdfs" | "viewfs" => hdfs::open(root, options),
        "s3" | "s3a" => aws::open(root, options),
        "gs" => cloud::google(root, options),
        "az" | "azure" | "adl" | "abfs" | "abfss" => cloud::azure(root, options),
        "http" | "https" => cloud::http(root, options),
        other => Err(Diagnostic::error(codes::STORE_ERROR, format!("there is no store for `{other}://`"))
            .help("locations are local paths or URLs: file, hdfs, s3, gs, abfss, https")),
    }
}

/// True if URLs of this scheme have a store.
pub fn is_known(scheme: &str) -> bool {
    let hdfs = cfg!(feature = "hdfs") && matches!(scheme, "hdfs" | "viewfs");
    hdfs || matches!(
        scheme,
        "file" | "s3" | "s3a" | "gs" | "az" | "azure" | "adl" | "abfs" | "abfss" | "http" | "https"
    )
}

fn local() -> Arc<dyn ObjectStore> {
    static LOCAL: LazyLock<Arc<LocalFileSystem>> = LazyLock::new(|| Arc::new(LocalFileSystem::new()));
    Arc::clone(&*LOCAL) as _
}

/// Scheme and authority alone.
fn root(url: &Url) -> Url {
    let mut root = url.clone();
    root.set_path("/");
    root.set_query(None);
    root.set_fragment(None);
    root
}

/// `url` without what may be secret.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Neither fails for a URL with an authority, and one without has no password.
    let _ = url.set_password(None);
    url.set_query(None);
    url.to_string()
}

fn no_location(location: &str, error: &dyn std::fmt::Display) -> Box<Diagnostic> {
    Diagnostic::error(codes::BAD_VALUE, format!("`{}` is no path or URL: {error}", clean(location)))
}
