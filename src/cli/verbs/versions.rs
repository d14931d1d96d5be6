//! `history`, `restore`, `vacuum`.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use arrow::error::ArrowError;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;

use super::build::run_mode;
use super::{loaded, plain_options, runtime};
use crate::cli::args::{GlobalArgs, RunArgs, SelectArgs, ShowOutput};
use crate::cli::printer::Printer;
use crate::cli::settings::{Environment, run_options};
use crate::cli::{FINE, WRONG};
use crate::diag::{Diagnostic, Diagnostics, Result, codes};
use crate::ops;
use crate::report::table::{RowFormat, write_rows};
use crate::schedule::Mode;
use crate::stdx::{human_bytes, plural};
use crate::warehouse::TableCommit;

fn selecting(node: &str) -> SelectArgs {
    SelectArgs { select: vec![node.to_string()], ..SelectArgs::default() }
}

pub(in crate::cli) fn history(
    global: &GlobalArgs,
    node: &str,
    limit: usize,
    output: ShowOutput,
    env: &Environment,
    printer: &Printer,
) -> Result<u8> {
    let options = plain_options("history", global, &selecting(node), env)?;
    let Some(loaded) = loaded(&options, printer)? else { return Ok(WRONG) };
    runtime()?.block_on(async {
        let mut diagnostics = Diagnostics::default();
        let commits = ops::history(&options, &loaded, limit, &mut diagnostics).await;
        printer.diagnostics(&diagnostics);
        let batch = batch(&commits?)
            .map_err(|error| Diagnostic::error(codes::INTERNAL, format!("a history cannot be shown: {error}")))?;
        let schema = batch.schema();
        let rows = RecordBatchStreamAdapter::new(schema, futures::stream::iter([Ok(batch)]));
        let format = match output {
            ShowOutput::Text => RowFormat::Table { colour: printer.colour() },
            ShowOutput::Json => RowFormat::Json { node: Some(node.to_string()) },
            ShowOutput::Jsonl => RowFormat::JsonLines,
            ShowOutput::Csv => RowFormat::Csv,
        };
        let mut out = std::io::BufWriter::new(std::io::stdout());
        write_rows(Box::pin(rows), &format, &mut out, printer.width()).await?;
        Ok(FINE)
    })
}

fn batch(commits: &[TableCommit]) -> std::result::Result<RecordBatch, ArrowError> {
    let at = |commit: &TableCommit| commit.at.map(|at| at.format("%Y-%m-%d %H:%M:%S").to_string());
    let numbers =
        |of: fn(&TableCommit) -> Option<u64>| -> ArrayRef { Arc::new(commits.iter().map(of).collect::<UInt64Array>()) };
    let texts = |of: &dyn Fn(&TableCommit) -> Option<String>| -> ArrayRef {
        Arc::new(commits.iter().map(of).collect::<StringArray>())
    };
    RecordBatch::try_from_iter([
        ("version", numbers(|commit| Some(commit.version))),
        ("at", texts(&at)),
        ("operation", texts(&|commit| Some(commit.operation.clone()))),
        ("rows_added", numbers(|commit| commit.rows_added)),
        ("files_added", numbers(|commit| Some(commit.files_added))),
        ("files_removed", numbers(|commit| Some(commit.files_removed))),
        ("node", texts(&|commit| commit.node.clone())),
        ("invocation", texts(&|commit| commit.invocation_id.clone())),
    ])
}

pub(in crate::cli) fn restore(
    global: &GlobalArgs,
    node: &str,
    version: u64,
    publishes: bool,
    env: &Environment,
    printer: &Printer,
) -> Result<u8> {
    let select = selecting(node);
    let options = plain_options("restore", global, &select, env)?;
    let Some(loaded) = loaded(&options, printer)? else { return Ok(WRONG) };
    let mut diagnostics = Diagnostics::default();
    let done = runtime()?.block_on(ops::restore(&options, &loaded, version, &mut diagnostics));
    printer.diagnostics(&diagnostics);
    let (node, written) = done?;
    let rows = written.total_rows.map_or_else(String::new, |rows| format!(" with {}", plural(rows, "row")));
    printer.note(&format!(
        "{} is what it was at version {version}{rows}; that is version {} now",
        node.name, written.version
    ));
    if !publishes || node.config.get("publish").is_none() {
        return Ok(FINE);
    }
    let select = selecting(&node.search_name());
    let options = run_options(Mode::Publish.verb(), global, &select, &RunArgs::default(), env)?;
    run_mode(&options, &select, Mode::Publish, false, printer)
}

pub(in crate::cli) fn vacuum(
    global: &GlobalArgs,
    select: &SelectArgs,
    hours: u32,
    dry_run: bool,
    env: &Environment,
    printer: &Printer,
) -> Result<u8> {
    let options = plain_options("vacuum", global, select, env)?;
    let Some(loaded) = loaded(&options, printer)? else { return Ok(WRONG) };
    let mut diagnostics = Diagnostics::default();
    let done = runtime()?.block_on(ops::vacuum(&options, &loaded, hours, dry_run, &mut diagnostics));
    printer.diagnostics(&diagnostics);
    let done = done?;
    let width = done.iter().map(|(node, _)| node.name.len()).max().unwrap_or(0);
    let (mut files, mut bytes) = (0, 0);
    for (node, vacuumed) in &done {
        files += vacuumed.files;
        bytes += vacuumed.bytes;
        if vacuumed.files > 0 {
            let count = plural(vacuumed.files, "file");
            printer.note(&format!("{:width$}  {count:>10}  {:>10}", node.name, human_bytes(vacuumed.bytes)));
        }
    }
    let verb = if dry_run { "would be deleted" } else { "deleted" };
    printer.note(&format!("{verb}: {}, {}", plural(files, "file"), human_bytes(bytes)));
    Ok(FINE)
}
