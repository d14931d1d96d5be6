//! From expressions to sets of nodes.

use std::cell::{OnceCell, RefCell};

use super::grammar::{Expr, Op, Term};
use super::mask::Mask;
use super::methods::{Call, Operators};
use super::{ColumnGraph, Indirect, Inputs, Matched, empty, indirect, selectors};
use crate::diag::{Diagnostic, Diagnostics, Result, Span, codes};
use crate::graph::Direction;
use crate::manifest::Manifest;
use crate::node::{Node, NodeKind};
use crate::state::Comparison;

/// The value of an expression.
#[derive(Debug, Clone)]
pub(super) struct Picked {
    /// What it selects.
    pub(super) direct: Mask,
    /// Tests that touch what it selects and miss a parent.
    pub(super) indirect: Mask,
}

/// What is told about a selection beside its nodes.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Expressions that match nothing, and the like.
    pub(super) warnings: Diagnostics,
    /// What each expression of the command line matched.
    pub(super) matched: Vec<Matched>,
}

/// Everything that evaluation looks at, and what it works out only once.
pub(super) struct Scope<'a> {
    /// What the caller gave.
    pub(super) inputs: &'a Inputs<'a>,
    /// The manifest, at hand.
    pub(super) manifest: &'a Manifest,
    /// The mode of the command line.
    pub(super) mode: Indirect,
    comparison: OnceCell<Comparison<'a>>,
    columns: OnceCell<ColumnGraph>,
    /// Names of the YAML selectors that are being evaluated.
    open: RefCell<Vec<String>>,
}

impl<'a> Scope<'a> {
    /// A scope over `inputs`.
    pub(super) fn new(inputs: &'a Inputs<'a>, mode: Indirect) -> Scope<'a> {
        Scope {
            inputs,
            manifest: inputs.manifest,
            mode,
            comparison: OnceCell::new(),
            columns: OnceCell::new(),
            open: RefCell::default(),
        }
    }

    /// No node.
    pub(super) fn none(&self) -> Mask {
        Mask::none(self.manifest.nodes.len())
    }

    /// The nodes for which `is_meant` holds.
    pub(super) fn filter(&self, is_meant: impl Fn(&Node) -> bool) -> Mask {
        let mut mask = self.none();
        for id in self.manifest.ids() {
            if is_meant(self.manifest.node(id)) {
                mask.insert(id);
            }
        }
        mask
    }

    /// The comparison with the previous manifest.
    ///
    /// # Errors
    /// C1010 at `span` if there is none.
    pub(super) fn comparison(&self, span: &Span) -> Result<&Comparison<'a>> {
        let Some(previous) = self.inputs.previous.and_then(|previous| previous.manifest.as_ref()) else {
            return Err(Diagnostic::error(codes::BAD_ARGUMENT, "`state:` has no earlier manifest to compare with")
                .label(span.clone(), "compares with an earlier state")
                .help("pass --state with a folder that holds the manifest.json of an earlier invocation"));
        };
        Ok(self.comparison.get_or_init(|| Comparison::new(self.manifest, previous, self.inputs.seed_checksum)))
    }

    /// The columns of the project.
    ///
    /// # Errors
    /// What making their lineage fails with; C1010 at `span` if nobody can.
    pub(super) fn columns(&self, span: &Span) -> Result<&ColumnGraph> {
        if let Some(graph) = self.columns.get() {
            return Ok(graph);
        }
        let Some(make) = self.inputs.columns else {
            return Err(Diagnostic::error(codes::BAD_ARGUMENT, "`column:` cannot be used here")
                .label(span.clone(), "asks for the lineage of columns"));
        };
        let graph = make()?;
        Ok(self.columns.get_or_init(|| graph))
    }

    /// The value of an expression.
    ///
    /// # Errors
    /// What a method refuses (C2009), or artifacts that are not there (C1010).
    pub(super) fn eval(&self, expr: &Expr, report: &mut Report) -> Result<Picked> {
        match expr {
            Expr::All => Ok(Picked { direct: Mask::all(self.manifest.nodes.len()), indirect: self.none() }),
            Expr::Term(term) => self.term(term, report),
            Expr::Selector { name, span } => self.selector(name, span, report),
            Expr::Group { op, parts, indirect, origin } => {
                let picked = self.group(*op, parts, *indirect, report)?;
                if let Some(span) = origin {
                    self.note(parts, span, &picked, report);
                }
                Ok(picked)
            }
        }
    }

    /// All that the YAML selector called `name` selects.
    pub(super) fn selector(&self, name: &str, span: &Span, report: &mut Report) -> Result<Picked> {
        if self.open.borrow().iter().any(|open| open == name) {
            return Err(selectors::refers_to_itself(name, span));
        }
        let expr = selectors::definition(self.manifest, name, span, self.mode)?;
        self.open.borrow_mut().push(name.to_string());
        let picked = self.eval(&expr, report);
        self.open.borrow_mut().pop();
        picked
    }

    fn group(&self, op: Op, parts: &[Expr], mode: Indirect, report: &mut Report) -> Result<Picked> {
        let mut parts = parts.iter();
        let Some(first) = parts.next() else { return Ok(Picked { direct: self.none(), indirect: self.none() }) };
        let Picked { mut direct, indirect: touched } = self.eval(first, report)?;
        // From here on `reach` is what is selected or touched: a set operation applies to both sides alike.
        let mut reach = direct.clone();
        reach.add(&touched);
        for part in parts {
            let other = self.eval(part, report)?;
            let mut other_reach = other.direct.clone();
            other_reach.add(&other.indirect);
            let combine = match op {
                Op::Union => Mask::add,
                Op::Intersection => Mask::keep,
                Op::Difference => Mask::remove,
            };
            combine(&mut direct, &other.direct);
            combine(&mut reach, &other_reach);
        }
        indirect::incorporate(self.manifest, &mut direct, &reach, mode);
        Ok(Picked { direct, indirect: reach })
    }

    fn term(&self, term: &Term, report: &mut Report) -> Result<Picked> {
        let steps =
            Operators { childrens_parents: term.childrens_parents, parents: term.parents, children: term.children };
        let call = Call {
            arguments: &term.arguments,
            value: &term.value,
            typed: term.typed.as_ref(),
            steps,
            span: &term.span,
        };
        if !term.arguments.is_empty() && !term.method.takes_arguments {
            report.warnings.push(
                Diagnostic::warning(codes::BAD_SELECTOR, format!("`{}` takes no argument", term.method.name))
                    .label(term.span.clone(), format!("read as `{}:{}`", term.method.name, term.value)),
            );
        }
        let mut selected = (term.method.find)(&call, self)?;
        if !term.method.walks {
            self.walk(term, &mut selected);
        }
        // A selector has taken in its tests, and may have left some out on purpose.
        let mode = if term.method.brings_tests { Indirect::Empty } else { term.indirect };
        Ok(indirect::expand(self.manifest, selected, mode))
    }

    /// Adds what the operators of `term` reach.
    fn walk(&self, term: &Term, selected: &mut Mask) {
        let reach = |starts: &Mask, direction, depth| {
            Mask::from_flags(&self.manifest.dag.reach(&starts.ids(), direction, depth))
        };
        let starts = selected.clone();
        if term.childrens_parents {
            let mut family = reach(&starts, Direction::Downstream, None);
            family.add(&starts);
            let ancestors = reach(&family, Direction::Upstream, None);
            selected.add(&family);
            selected.add(&ancestors);
        }
        if let Some(steps) = term.parents {
            selected.add(&reach(&starts, Direction::Upstream, steps.depth()));
        }
        if let Some(steps) = term.children {
            selected.add(&reach(&starts, Direction::Downstream, steps.depth()));
        }
    }

    /// Reports what an expression of the command line matched.
    fn note(&self, parts: &[Expr], span: &Span, picked: &Picked, report: &mut Report) {
        report.matched.push(Matched {
            expression: span.text().to_string(),
            excluded: span.file.path == "--exclude",
            nodes: picked.direct.count(),
        });
        if picked.direct.is_empty() {
            report.warnings.push(empty::warning(self.manifest, parts, span));
        }
    }
}

/// True for what SQL is rendered for: everything but sources, exposures and unit tests.
pub(super) fn is_parsed(node: &Node) -> bool {
    !matches!(node.kind, NodeKind::Source(_) | NodeKind::Exposure(_) | NodeKind::UnitTest(_))
}
