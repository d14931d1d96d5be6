//! `check`.

use indexmap::IndexMap;

use super::{loaded_where, plain_options, runtime};
use crate::cli::args::{CheckOutput, GlobalArgs, SelectArgs};
use crate::cli::printer::Printer;
use crate::cli::settings::Environment;
use crate::cli::{FINE, WRONG};
use crate::diag::{Diagnostics, Result};
use crate::manifest::NodeId;
use crate::node::ResourceType;
use crate::ops::{self, Checked, Loaded};
use crate::report::{findings, sarif};
use crate::stdx::plural;

/// How many reasons are told why nodes were not checked, and how many names each.
const REASONS: usize = 20;
const NAMES: usize = 3;

pub(in crate::cli) fn check(
    global: &GlobalArgs,
    select: &SelectArgs,
    output: CheckOutput,
    env: &Environment,
    printer: &Printer,
) -> Result<u8> {
    let options = plain_options("check", global, select, env)?;
    let mut diagnostics = Diagnostics::default();
    let loaded = load_into(&options, printer, output, &mut diagnostics)?;
    let checked = match &loaded {
        Some(loaded) => Some(runtime()?.block_on(ops::check(&options, loaded, None, &mut diagnostics))?),
        None => None,
    };
    match output {
        CheckOutput::Text if loaded.is_none() => return Ok(WRONG),
        CheckOutput::Text => printer.diagnostics(&diagnostics),
        CheckOutput::Json => printer.data(&findings(&diagnostics).to_string()),
        CheckOutput::Sarif => printer.data(&sarif(&diagnostics).to_string()),
    }
    if let (Some(loaded), Some(checked)) = (&loaded, &checked) {
        summary(loaded, checked, &diagnostics, printer);
    }
    // The program is about to end: the system frees a large project faster than we do, piece by piece.
    std::mem::forget((loaded, checked));
    Ok(if diagnostics.has_errors() { WRONG } else { FINE })
}

/// Loads the project. What is found is printed, or goes into the document with what the check finds.
fn load_into(
    options: &ops::Options,
    printer: &Printer,
    output: CheckOutput,
    diagnostics: &mut Diagnostics,
) -> Result<Option<Loaded>> {
    if output == CheckOutput::Text {
        return loaded_where(options, printer, |_| {});
    }
    let loaded = ops::load(options, diagnostics);
    for diagnostic in diagnostics.iter_mut() {
        options.warn_error.apply(diagnostic);
    }
    match loaded {
        Ok(_) if diagnostics.has_errors() => Ok(None),
        Ok(loaded) => Ok(Some(loaded)),
        Err(error) => {
            diagnostics.push(error);
            Ok(None)
        }
    }
}

/// Which nodes were not checked: one line a reason.
fn not_checked(loaded: &Loaded, unchecked: &[(NodeId, &str)], printer: &Printer) {
    let mut reasons: IndexMap<&str, Vec<String>> = IndexMap::new();
    for (id, why) in unchecked {
        let node = loaded.manifest.node(*id);
        reasons.entry(why).or_default().push(format!("{} {}", node.resource_type, node.search_name()));
    }
    for (why, names) in reasons.iter().take(REASONS) {
        let mut list = names.iter().take(NAMES).cloned().collect::<Vec<_>>().join(", ");
        if names.len() > NAMES {
            list.push_str(&format!(" and {} more", names.len() - NAMES));
        }
        printer.note(&format!("not checked: {list}: {why}"));
    }
    if reasons.len() > REASONS {
        printer.note(&format!("not checked, for {} more reasons", reasons.len() - REASONS));
    }
}

/// What was checked, what was not, and what came of it.
fn summary(loaded: &Loaded, checked: &Checked, diagnostics: &Diagnostics, printer: &Printer) {
    let unchecked: Vec<_> = checked.analysis.unchecked(&checked.selected).collect();
    not_checked(loaded, &unchecked, printer);
    let count = |kinds: &[ResourceType]| {
        let nodes = checked.selected.iter().map(|id| loaded.manifest.node(*id));
        nodes.filter(|node| kinds.contains(&node.resource_type)).count() as u64
    };
    let (models, tests) = (count(&[ResourceType::Model]), count(&[ResourceType::Test, ResourceType::UnitTest]));
    let others = checked.selected.len() as u64 - models - tests;
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count() as u64;
    let warnings = diagnostics.iter().count() as u64 - errors;
    let mut line = format!(
        "checked {}, {} and {} in {:.2}s: {}, {}",
        plural(models, "model"),
        plural(tests, "test"),
        plural(others, "other node"),
        checked.took.as_secs_f64(),
        plural(errors, "error"),
        plural(warnings, "warning"),
    );
    if !unchecked.is_empty() {
        line.push_str(&format!(", {} not checked", unchecked.len()));
    }
    printer.note(&line);
}
