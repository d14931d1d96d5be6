//! `lineage`.

use std::collections::BTreeMap;

use super::{loaded, plain_options, runtime};
use crate::cli::args::{GlobalArgs, LineageOutput, SelectArgs};
use crate::cli::printer::Printer;
use crate::cli::settings::Environment;
use crate::cli::{FINE, WRONG};
use crate::diag::Result;
use crate::graph::Direction;
use crate::manifest::Manifest;
use crate::node::{Node, ResourceType};
use crate::ops;
use crate::report::lineage::{LineageForm, LineageStyle, LineageView};
use crate::stdx::plural;

pub(in crate::cli) fn lineage(
    global: &GlobalArgs,
    of: Option<&str>,
    downstream: bool,
    output: LineageOutput,
    env: &Environment,
    printer: &Printer,
) -> Result<u8> {
    let options = plain_options("lineage", global, &SelectArgs::default(), env)?;
    let Some(loaded) = loaded(&options, printer)? else { return Ok(WRONG) };
    let lineage = runtime()?.block_on(ops::lineage(&options, &loaded))?;
    let target_path = loaded.project.target_path(options.target_path.as_deref());
    let path = ops::write_lineage(&target_path, &loaded, &lineage)?;
    for (id, why) in &lineage.unknown {
        printer.note(&format!("not known: {id}: {why}"));
    }
    let Some(of) = of else {
        let (nodes, columns) = (plural(lineage.nodes.len() as u64, "node"), plural(lineage.len() as u64, "column"));
        printer.note(&format!("{}: {nodes}, {columns}", path.display()));
        return Ok(FINE);
    };
    let target = ops::lineage_target(of, &loaded, &lineage)?;
    let view = LineageView {
        lineage: &lineage,
        names: names(&loaded.manifest),
        published: published(&loaded.manifest),
        exposures: exposures(&loaded.manifest),
        direction: if downstream { Direction::Downstream } else { Direction::Upstream },
    };
    let form = match output {
        LineageOutput::Text => LineageForm::Text,
        LineageOutput::Json => LineageForm::Json,
        LineageOutput::Mermaid => LineageForm::Mermaid,
        LineageOutput::Dot => LineageForm::Dot,
    };
    let style = LineageStyle { colour: printer.colour(), width: printer.width() };
    printer.data(view.draw(&target, form, style).trim_end());
    Ok(FINE)
}

/// Names of nodes for people; models need no word before them.
fn names(manifest: &Manifest) -> BTreeMap<&str, String> {
    let name = |node: &Node| match node.resource_type {
        ResourceType::Model => node.search_name(),
        kind => format!("{kind} {}", node.search_name()),
    };
    manifest.nodes.iter().map(|node| (node.unique_id.as_str(), name(node))).collect()
}

/// The tables that nodes are published to. A configuration that cannot be right is `check`'s to tell.
fn published(manifest: &Manifest) -> BTreeMap<&str, Vec<String>> {
    let tables = |node: &Node| {
        let jobs = crate::run::publish_jobs(node).unwrap_or_default();
        jobs.iter().map(|job| format!("{}: {}", job.to, job.table)).collect()
    };
    manifest.nodes.iter().map(|node| (node.unique_id.as_str(), tables(node))).collect()
}

fn exposures(manifest: &Manifest) -> BTreeMap<&str, Vec<String>> {
    let mut out: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for node in manifest.nodes.iter().filter(|node| node.resource_type == ResourceType::Exposure) {
        for parent in &node.depends_on {
            out.entry(parent).or_default().push(format!("exposure {}", node.name));
        }
    }
    out
}
