//! One file a verb: options in, a call of `ops`, output out.

mod build;
mod check;
#[cfg(feature = "cluster")]
mod cluster;
mod compile;
mod config;
mod deps;
mod diff;
mod docs;
mod explain;
mod freshness;
mod inspect;
mod lineage;
mod ls;
mod operation;
mod retry;
mod show;
mod versions;

use super::args::{GlobalArgs, SelectArgs};
use super::printer::Printer;
use super::settings::{Environment, options};
use crate::diag::{Diagnostic, Diagnostics, Result, codes};
use crate::ops::{Loaded, Options, load};

pub(super) use build::{build, seed};
pub(super) use check::check;
#[cfg(feature = "cluster")]
pub(super) use cluster::cluster;
pub(super) use compile::{CompileRequest, compile};
pub(super) use config::explain_config;
pub(super) use deps::deps;
pub(super) use diff::diff;
pub(super) use docs::docs;
pub(super) use explain::explain;
pub(super) use freshness::freshness;
pub(super) use inspect::{clean, clean_orphans, config_dir, debug, init, parse};
pub(super) use lineage::lineage;
pub(super) use ls::ls;
pub(super) use operation::run_operation;
pub(super) use retry::retry;
pub(super) use show::{ShowRequest, show};
pub(super) use versions::{history, restore, vacuum};

/// The options of a verb that does not run nodes.
fn plain_options(command: &str, global: &GlobalArgs, select: &SelectArgs, env: &Environment) -> Result<Options> {
    options(command, global, select, false, false, env)
}

/// Loads the project and prints what was found; none if it cannot be worked with.
fn loaded(options: &Options, printer: &Printer) -> Result<Option<Loaded>> {
    loaded_where(options, printer, |_| {})
}

/// As [`loaded`], with a last word on the severity of what was found.
fn loaded_where(options: &Options, printer: &Printer, judge: impl Fn(&mut Diagnostic)) -> Result<Option<Loaded>> {
    let mut diagnostics = Diagnostics::default();
    let loaded = load(options, &mut diagnostics);
    for diagnostic in diagnostics.iter_mut() {
        judge(diagnostic);
        options.warn_error.apply(diagnostic);
    }
    printer.diagnostics(&diagnostics);
    match loaded {
        Ok(_) if diagnostics.has_errors() => {
            let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
            printer.note(&format!("the project has {}", crate::stdx::plural(errors as u64, "error")));
            Ok(None)
        }
        other => other.map(Some),
    }
}

/// The runtime that engine and templates run on. Deep plans need deep stacks.
fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(64 << 20)
        .build()
        .map_err(|error| Diagnostic::error(codes::INTERNAL, format!("the runtime cannot start: {error}")))
}
