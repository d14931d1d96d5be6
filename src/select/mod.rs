//! Node selection: which nodes of the manifest an invocation is about.
//!
//! An expression such as `+tag:nightly,config.materialized:table` is read by [`grammar`] into terms with places, a YAML
//! selector by [`selectors`] into the same tree. [`eval`] turns the tree into sets of nodes. Each term asks one method
//! (one file each under `methods/`, one list of them in `methods/mod.rs`) for the nodes that it means, walks the graph
//! from there as `+` and `@` say, and adds tests.
//!
//! Tests are the difficult part. A test is rarely named; it comes along with what it tests, in one of four modes
//! ([`Indirect`]). So every expression has two values: the nodes that it selects, and the tests that touch them but
//! still miss a parent. Set operations combine both, and a test of the second kind is taken in by the union of the
//! command line as soon as the parents that it missed are there too.

#[cfg(test)]
mod algebra;
mod columns;
mod empty;
mod eval;
mod fnmatch;
mod grammar;
mod indirect;
mod mask;
mod methods;
mod selectors;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use crate::diag::{Diagnostic, Diagnostics, Result, SourceFile, Span, codes};
use crate::manifest::{Manifest, NodeId};
use crate::node::{Node, ResourceType};
use crate::state::{PreviousState, SeedChecksum, SourceResults};

use eval::Scope;
use grammar::{Expr, Op};

pub use columns::ColumnGraph;
#[cfg(test)]
pub(crate) use selectors::TERM_KEYS;
pub use selectors::{SelectorInfo, check_selectors, list_selectors};

/// What the command line asks for.
#[derive(Debug, Clone, Default)]
pub struct Criteria {
    /// `--select`, once for each time it is given; each may hold several expressions between blanks.
    pub select: Vec<String>,
    /// `--exclude`, likewise.
    pub exclude: Vec<String>,
    /// `--selector`: a name in `selectors.yml`.
    pub selector: Option<String>,
    /// `--indirect-selection`.
    pub indirect: Indirect,
    /// `--resource-type`: only these; all, if empty.
    pub resource_types: Vec<ResourceType>,
    /// `--exclude-resource-type`: none of these.
    pub exclude_resource_types: Vec<ResourceType>,
}

/// When a test comes along with the nodes that it depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Indirect {
    /// If any of its parents is selected.
    #[default]
    Eager,
    /// If all of its parents are selected.
    Cautious,
    /// If all of its parents are selected or upstream of what is selected.
    Buildable,
    /// Never.
    Empty,
}

impl Indirect {
    /// Every mode, as it is spelled.
    pub const NAMES: [(&'static str, Indirect); 4] = [
        ("eager", Indirect::Eager),
        ("cautious", Indirect::Cautious),
        ("buildable", Indirect::Buildable),
        ("empty", Indirect::Empty),
    ];

    /// The mode called `name`.
    pub fn parse(name: &str) -> Option<Indirect> {
        Self::NAMES.into_iter().find(|(other, _)| *other == name).map(|(_, mode)| mode)
    }
}

/// What a selection looks at. Everything but the manifest is needed by single methods only.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// The project.
    pub manifest: &'a Manifest,
    /// The artifacts of an earlier invocation (`--state`), for `state:`, `result:` and `source_status:`.
    pub previous: Option<&'a PreviousState>,
    /// The `sources.json` of this project's artifact folder, for `source_status:`.
    pub current_sources: Option<&'a SourceResults>,
    /// For `state:modified`; without it, a seed counts as unchanged.
    pub seed_checksum: Option<SeedChecksum<'a>>,
    /// For `column:`; called at most once, and only if it is needed.
    pub columns: Option<&'a dyn Fn() -> Result<ColumnGraph>>,
}

impl<'a> Inputs<'a> {
    /// The manifest alone.
    pub fn new(manifest: &'a Manifest) -> Inputs<'a> {
        Inputs { manifest, previous: None, current_sources: None, seed_checksum: None, columns: None }
    }
}

/// The outcome.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// The selected nodes, in the order of their unique ids.
    pub nodes: Vec<NodeId>,
    /// What each expression of the command line matched by itself, tests included, before types are filtered.
    pub matched: Vec<Matched>,
    /// The YAML selector that was used: the one asked for, or the default one if nothing was asked for.
    pub selector: Option<String>,
}

/// What one expression matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    /// The expression, as written.
    pub expression: String,
    /// True if it stands in `--exclude`.
    pub excluded: bool,
    /// How many nodes it matched.
    pub nodes: usize,
}

/// Selects nodes. An expression that matches nothing is a warning (C1014) in `diagnostics`, not an error.
///
/// # Errors
/// C2009 if an expression cannot be read, with its place; C1010 if it needs artifacts that are not there, or names a YAML
/// selector that is not there.
pub fn select(criteria: &Criteria, inputs: &Inputs<'_>, diagnostics: &mut Diagnostics) -> Result<Selection> {
    let asked = !criteria.select.is_empty() || !criteria.exclude.is_empty();
    let selector = match &criteria.selector {
        Some(name) => {
            if asked {
                diagnostics.push(
                    Diagnostic::warning(codes::BAD_ARGUMENT, "--select and --exclude have no effect beside --selector")
                        .help("put the exclusion into the selector, or select with `--select selector:NAME`"),
                );
            }
            Some(name.clone())
        }
        None if asked => None,
        None => selectors::default_selector(inputs.manifest)?,
    };
    let scope = Scope::new(inputs, criteria.indirect);
    let expr = match &selector {
        Some(name) => {
            let file = SourceFile::new("--selector", name.as_str());
            Expr::Selector { name: name.clone(), span: Span::new(&file, 0..name.len()) }
        }
        None => command_line(criteria)?,
    };
    let mut report = eval::Report::default();
    let selected = scope.eval(&expr, &mut report)?.direct;
    diagnostics.extend(report.warnings);
    let nodes = selected.ids().into_iter().filter(|id| is_wanted(criteria, inputs.manifest.node(*id))).collect();
    Ok(Selection { nodes, matched: report.matched, selector })
}

fn is_wanted(criteria: &Criteria, node: &Node) -> bool {
    let kind = node.resource_type;
    (criteria.resource_types.is_empty() || criteria.resource_types.contains(&kind))
        && !criteria.exclude_resource_types.contains(&kind)
}

/// `--select` minus `--exclude`.
fn command_line(criteria: &Criteria) -> Result<Expr> {
    let included = match criteria.select.is_empty() {
        true => Expr::All,
        false => grammar::parse_union(&criteria.select, "--select", criteria.indirect)?,
    };
    if criteria.exclude.is_empty() {
        return Ok(included);
    }
    let excluded = grammar::parse_union(&criteria.exclude, "--exclude", criteria.indirect)?;
    // What the exclusion leaves takes in no test by itself: tests came along before.
    Ok(Expr::Group { op: Op::Difference, parts: vec![included, excluded], indirect: Indirect::Eager, origin: None })
}
