//! `show`.

use super::{loaded, plain_options, runtime};
use crate::cli::args::{GlobalArgs, SelectArgs, ShowOutput};
use crate::cli::printer::Printer;
use crate::cli::settings::Environment;
use crate::cli::{FINE, WRONG};
use crate::diag::{Diagnostic, Diagnostics, Result, codes};
use crate::ops;
use crate::report::table::{RowFormat, write_rows};

/// What is shown, and how.
pub(in crate::cli) struct ShowRequest {
    pub(in crate::cli) inline: Option<String>,
    pub(in crate::cli) full_refresh: bool,
    pub(in crate::cli) limit: i64,
    pub(in crate::cli) output: ShowOutput,
}

pub(in crate::cli) fn show(
    global: &GlobalArgs,
    select: &SelectArgs,
    request: ShowRequest,
    env: &Environment,
    printer: &Printer,
) -> Result<u8> {
    let ShowRequest { inline, full_refresh, limit, output } = request;
    let mut options = plain_options("show", global, select, env)?;
    options.full_refresh |= full_refresh;
    if inline.is_none() && options.criteria.select.is_empty() {
        return Err(Diagnostic::error(codes::BAD_ARGUMENT, "show needs a node or a query")
            .help("`c360 show --select mart_totals`, or `c360 show --inline \"select 1\"`"));
    }
    let Some(loaded) = loaded(&options, printer)? else { return Ok(WRONG) };
    let limit = usize::try_from(limit).ok();
    runtime()?.block_on(async {
        let mut diagnostics = Diagnostics::default();
        let shown = ops::show(&options, &loaded, inline.as_deref(), limit, &mut printer.log(), &mut diagnostics).await;
        printer.diagnostics(&diagnostics);
        let shown = shown?;
        let several = shown.len() > 1;
        for one in shown {
            if several && output == ShowOutput::Text {
                printer.note(&format!("{}:", one.name));
            }
            let format = match output {
                ShowOutput::Text => RowFormat::Table { colour: printer.colour() },
                ShowOutput::Json => RowFormat::Json { node: inline.is_none().then(|| one.name.clone()) },
                ShowOutput::Jsonl => RowFormat::JsonLines,
                ShowOutput::Csv => RowFormat::Csv,
            };
            let compiled = one.compiled;
            let mut out = std::io::BufWriter::new(std::io::stdout());
            write_rows(one.rows, &format, &mut out, printer.width()).await.map_err(|error| compiled.locate(error))?;
        }
        Ok(if diagnostics.has_errors() { WRONG } else { FINE })
    })
}
