//! `run-operation`.

use super::{loaded, plain_options, runtime};
use crate::cli::args::{GlobalArgs, SelectArgs};
use crate::cli::printer::Printer;
use crate::cli::settings::{Environment, mapping};
use crate::cli::{FAILED, FINE, WRONG};
use crate::diag::Result;
use crate::jinja::LogLine;
use crate::ops;

pub(in crate::cli) fn run_operation(
    global: &GlobalArgs,
    name: &str,
    args: Option<&str>,
    env: &Environment,
    printer: &Printer,
) -> Result<u8> {
    let options = plain_options("run-operation", global, &SelectArgs::default(), env)?;
    let args = mapping("--args", args)?;
    let Some(loaded) = loaded(&options, printer)? else { return Ok(WRONG) };
    let mut log = |line: LogLine| match line {
        LogLine { print: true, message, .. } => printer.data(&message),
        LogLine { info: true, message, .. } => printer.note(&message),
        LogLine { message, .. } => tracing::debug!("{message}"),
    };
    let ran = runtime()?.block_on(ops::run_operation(&options, &loaded, name, args, &mut log));
    match ran {
        Ok(()) => Ok(FINE),
        Err(error) => {
            printer.diagnostic(&error);
            Ok(FAILED)
        }
    }
}
