//! Diagnostics on their way through DataFusion, and what other crates' errors become.
//!
//! A scan runs inside DataFusion, whose errors are its own. A diagnostic travels in `DataFusionError::External`;
//! operators wrap that in contexts, shared errors and Arrow errors, and [`diagnostic_of`](crate::engine::diagnostic_of) finds it again.

use std::cell::Cell;
use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::task::Poll;

use datafusion::error::DataFusionError;

use crate::diag::{self, Diagnostic, codes};
use crate::stores::{clean, explain, of_store};

/// Packs a diagnostic so that it can travel through DataFusion.
pub fn into_datafusion(diagnostic: Box<Diagnostic>) -> DataFusionError {
    DataFusionError::External(diagnostic)
}

/// What a file or store says when it cannot be read: one diagnostic with the file's name.
pub(super) fn unreadable(file: &str, error: &(dyn Error + 'static)) -> Box<Diagnostic> {
    let found = explain(Diagnostic::error(codes::STORE_ERROR, format!("cannot read `{}`", clean(file))), error);
    // The store gave bytes, and a reader made nothing of them.
    let is_decoding = found.code == codes::STORE_ERROR && found.helps.is_empty() && of_store(error).is_none();
    found.maybe_help(
        is_decoding.then_some("`file_format:` of the source says how files are written, whatever their names"),
    )
}

/// The same for an error of DataFusion.
pub(super) fn unreadable_df(file: &str, error: &DataFusionError) -> Box<Diagnostic> {
    unreadable(file, error)
}

/// A text that says by its first bytes that it is no UTF-8: every record of it would be bad, and none would say why.
pub(super) fn check_encoding(start: &[u8], file: &str) -> diag::Result<()> {
    match start {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            Err(Diagnostic::error(codes::STORE_ERROR, format!("cannot read `{}`", clean(file)))
                .note("its text is UTF-16")
                .help("make it UTF-8: `iconv -f UTF-16 -t UTF-8 OLD > NEW`"))
        }
        _ => Ok(()),
    }
}

/// Runs a reader of another crate: if broken bytes make it panic, that becomes an error which names the file.
pub(super) fn guard<T>(label: &str, read: impl FnOnce() -> T) -> diag::Result<T> {
    let outer = GUARDED.replace(true);
    let done = std::panic::catch_unwind(AssertUnwindSafe(read));
    GUARDED.set(outer);
    done.map_err(|_| {
        Diagnostic::error(codes::STORE_ERROR, format!("cannot read `{}`", clean(label))).note("the file is damaged")
    })
}

/// The same for a reader that waits.
pub(super) async fn guarded<F: Future>(label: &str, read: F) -> diag::Result<F::Output> {
    let mut read = std::pin::pin!(read);
    std::future::poll_fn(|cx| match guard(label, || read.as_mut().poll(cx)) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(done)) => Poll::Ready(Ok(done)),
        Err(error) => Poll::Ready(Err(error)),
    })
    .await
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// True while a panic of this thread would be caught and reported as a damaged file.
pub(crate) fn is_guarded() -> bool {
    GUARDED.get()
}
