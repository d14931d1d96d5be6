//! `run-operation`.

use super::{loaded, plain_options, runtime};
use crate::cli::args::{GlobalArgs, SelectArgs};
use crate::cli::printer::Printer;
use crate::cli::settings::{Environment, mapping};
use crate::cli::{FAILED, FINE, WRONG};
use crate::diag::Result;
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
    let ran = runtime()?.block_on(ops::run_operation(&options, &loaded, name, args, &mut printer.log()));
    match ran {
        Ok(()) => Ok(FINE),
        Err(error) => {
            printer.diagnostic(&error);
            Ok(FAILED)
        }
    }
}
