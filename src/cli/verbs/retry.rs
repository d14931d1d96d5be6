//! `retry`.

use std::path::PathBuf;

use super::build::run_mode;
use super::loaded;
use crate::cli::args::{GlobalArgs, RunArgs, SelectArgs};
use crate::cli::printer::Printer;
use crate::cli::settings::{Environment, run_options};
use crate::cli::{FINE, WRONG};
use crate::diag::Result;
use crate::ops::leftover;

pub(in crate::cli) fn retry(
    global: &GlobalArgs,
    state: Option<PathBuf>,
    run: &RunArgs,
    env: &Environment,
    printer: &Printer,
) -> Result<u8> {
    let select = SelectArgs { state, ..SelectArgs::default() };
    let mut options = run_options("retry", global, &select, run, env)?;
    let folder = match &options.state {
        Some(folder) => folder.clone(),
        // Where artifacts are is known once the project is read.
        None => match loaded(&options, printer)? {
            Some(loaded) => loaded.project.target_path(options.target_path.as_deref()),
            None => return Ok(WRONG),
        },
    };
    let leftover = leftover(&folder)?;
    if let Some((name, args)) = &leftover.operation {
        let vars = serde_json::Value::Object(leftover.vars()).to_string();
        let vars = global.vars.clone().or_else(|| (!leftover.vars().is_empty()).then_some(vars));
        let global = GlobalArgs { vars, ..global.clone() };
        return super::run_operation(&global, name, Some(&args.to_string()), env, printer);
    }
    if leftover.nodes.is_empty() {
        printer.note("nothing is left to do: everything succeeded");
        return Ok(FINE);
    }
    let mode = leftover.mode()?;
    options.command = mode.verb().to_string();
    options.full_refresh |= leftover.flag("full_refresh");
    options.fail_fast |= leftover.flag("fail_fast");
    options.defer |= leftover.flag("defer");
    options.favor_state |= leftover.flag("favor_state");
    options.state = leftover.text("state").map(PathBuf::from).or(options.state);
    options.sample = options.sample.or_else(|| leftover.sample());
    let (from, to) = options.event_time;
    options.event_time =
        (from.or_else(|| leftover.time("event_time_start")), to.or_else(|| leftover.time("event_time_end")));
    options.empty |= leftover.flag("empty");
    options.store_failures |= leftover.flag("store_failures");
    if global.vars.is_none() {
        options.vars = leftover.vars();
    }
    options.leftover = Some(leftover);
    run_mode(&options, &select, mode, run.dry_run, printer)
}
