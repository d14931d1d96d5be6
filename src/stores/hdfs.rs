//! HDFS, by a client in Rust: no Java is needed.
//!
//! `HADOOP_CONF_DIR` (or `HADOOP_HOME`) names the folder of `core-site.xml` and `hdfs-site.xml`; name services with
//! several name nodes, mount tables of `viewfs` and Kerberos are set there. `HADOOP_USER_NAME` says who asks where there
//! is no Kerberos.

use std::sync::Arc;
use std::time::Duration;

use hdfs_native::ClientBuilder;
use object_store::ObjectStore;
use url::Url;

use super::failure::Cause;
use super::options::Resolved;
use super::replicas::Replicas;
use super::steady::{CALL, Habits, Steady};
use super::{io, store_error};
use crate::diag::Result;

/// The port of a name node whose URL has none and is no name service, as Hadoop has it.
const PORT: u16 = 8020;

/// Hadoop's property for how long an answer may take, in milliseconds.
const SOCKET_TIMEOUT: &str = "dfs.client.socket-timeout";

/// The store of a name node, a name service or a mount table.
pub(super) fn open(root: &Url, options: &Resolved) -> Result<Arc<dyn ObjectStore>> {
    let build = |url: &Url| {
        let builder = ClientBuilder::new().with_url(url.as_str()).with_config(options.hadoop());
        builder.with_io_runtime(io::handle()).build()
    };
    let built = match build(root) {
        Err(error) if Cause::of(&error) == Cause::NameService && is_address(root) => {
            let mut url = root.clone();
            // It fails for URLs without a host alone.
            let _ = url.set_port(Some(PORT));
            build(&url)
        }
        built => built,
    };
    let client = built.map_err(|error| store_error(root.as_str(), &error))?;
    let call = options.number(SOCKET_TIMEOUT)?.map_or(CALL, Duration::from_millis);
    let store = Replicas::new(client, call);
    Ok(Arc::new(Steady::new(Arc::new(store), Habits::Hdfs, call)))
}

/// True for what is the name of a machine rather than of a service: one with a dot in it, or `localhost`.
fn is_address(root: &Url) -> bool {
    root.scheme() == "hdfs" && root.host_str().is_some_and(|host| host.contains('.') || host == "localhost")
}
