//! The threads that talk to stores.

use std::sync::LazyLock;

use tokio::runtime::{Builder, Handle, Runtime};

/// Few threads do: they wait for sockets and sum up checksums.
const THREADS: usize = 2;

/// A runtime for as long as the program runs. If it cannot be made (no thread is left), the caller's runtime serves.
static RUNTIME: LazyLock<Option<Runtime>> = LazyLock::new(|| {
    Builder::new_multi_thread().worker_threads(THREADS).thread_name("c360-io").enable_all().build().ok()
});

/// Where I/O of stores runs.
pub(super) fn handle() -> Handle {
    match RUNTIME.as_ref() {
        Some(runtime) => runtime.handle().clone(),
        None => Handle::current(),
    }
}
