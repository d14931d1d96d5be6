//! Where columns come from, read off logical plans.
//!
//! [`of_plan`] walks one plan from its scans to its top, once. Each operator has a value for every column that it gives
//! (module `value`): the columns of relations that the value is made from, each with a [`Kind`], and the expression that
//! made it. What decides about rows and not about values (filters, join keys, grouping, sorting) is kept beside the
//! columns, for the result as a whole. Expressions are in module `expr`, operators in `plan`, text in `text`.
//!
//! The walk ends at relations that are nodes of the project: a scan, the plan of a view that was put in place of its
//! name, or the common table expression `__dbt__cte__x` that stands for an ephemeral model. [`Names`] tells which they
//! are. So the lineage of a node speaks of its parents alone; chains are made by putting nodes together (module
//! `project`).
//!
//! Plans share what is used more than once (a common table expression is one `Arc`, referenced by every reader), and
//! expressions are kept by reference, so the cost is that of the plan as it is stored, not of the tree that it unfolds to.
//!
//! What counts as what:
//!
//! | kind | is | tags |
//! |---|---|---|
//! | copied | a column, field of a struct or element of a list as it is; a cast that loses nothing; a look-up by a scalar subquery | flow |
//! | transformed | anything computed from the value, row by row | flow, but through predicates |
//! | aggregated | an argument of an aggregate | flow through `min`, `max`, `any_value` and others that give one of their values |
//! | window | a column that partitions or orders the window of a function | stop |
//! | condition | a column that only decides which value it is: `case when`, `filter (where)`, what a scalar subquery filters by | stop |
//!
//! If a column reaches another one in two ways, the one further down in the order condition, window, copied,
//! transformed, aggregated counts.
//!
//! The plan is the one before DataFusion's analyzer: expressions are still what the analyst wrote.

mod casts;
mod collect;
mod expr;
mod flow;
mod functions;
mod names;
mod plan;
mod project;
mod relations;
mod rows;
#[cfg(test)]
mod tests;
mod text;
mod trace;
mod value;

use std::sync::Arc;

pub use collect::Collector;
pub use names::ProjectNames;
pub use project::{Column, Described, Lineage, NodeLineage};
pub use trace::{Edge, EdgeKind, Graph, NotFound, Target};

use datafusion::common::TableReference;
use datafusion::logical_expr::LogicalPlan;

/// How a column takes part in another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// It decides which value it is.
    Condition,
    /// It partitions or orders a window.
    Window,
    /// Its value arrives as it is.
    Copied,
    /// Its value is computed with, row by row.
    Transformed,
    /// Its values are aggregated.
    Aggregated,
}

impl Kind {
    /// The name in artifacts.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Condition => "condition",
            Kind::Window => "window",
            Kind::Copied => "copied",
            Kind::Transformed => "transformed",
            Kind::Aggregated => "aggregated",
        }
    }

    /// True if the value itself takes part.
    pub fn is_direct(self) -> bool {
        self >= Kind::Copied
    }
}

/// How a column decides about the rows of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKind {
    /// Rows are kept by it.
    Filter,
    /// Rows are joined, intersected or multiplied by it.
    Join,
    /// Rows are gathered by it.
    Group,
    /// Rows are sorted by it.
    Sort,
    /// Rows are kept by a window function that it partitions, orders or is an argument of.
    Window,
}

impl RowKind {
    /// The name in artifacts.
    pub fn as_str(self) -> &'static str {
        match self {
            RowKind::Filter => "filter",
            RowKind::Join => "join",
            RowKind::Group => "group",
            RowKind::Sort => "sort",
            RowKind::Window => "window",
        }
    }
}

/// A column of a relation, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Source {
    /// What [`Names`] calls the relation.
    pub node: Arc<str>,
    /// The column.
    pub column: Arc<str>,
    /// Fields inside of the column, the outermost first; `[]` stands for the elements of a list.
    pub path: Vec<String>,
}

/// One column that another is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The column.
    pub source: Source,
    /// How it takes part.
    pub kind: Kind,
    /// True if values of it can be read off the result, so that what is said of it holds there too.
    pub carries: bool,
}

/// Where one column of a result comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnLineage {
    /// Its name.
    pub name: String,
    /// What it is made from, in the order of the expression.
    pub inputs: Vec<Input>,
    /// What makes it, as SQL; none if it is one column as it is.
    pub expression: Option<Arc<str>>,
    /// True if every value is the value of an input as it is.
    pub is_copy: bool,
}

/// Where the columns and rows of a plan come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanLineage {
    /// Its columns, in order.
    pub columns: Vec<ColumnLineage>,
    /// What decides about its rows, sorted.
    pub rows: Vec<(Source, RowKind)>,
}

/// Tells which relations are nodes.
pub trait Names {
    /// What the relation is called in a lineage; none for what is no relation, such as a table function.
    fn relation(&self, table: &TableReference) -> Option<Arc<str>>;

    /// The node behind the name of a common table expression, if it is an ephemeral model.
    fn ephemeral(&self, cte: &str) -> Option<Arc<str>>;
}

/// The lineage of `plan`.
///
/// # Errors
/// Words on why it cannot be told, if the plan has an operator or a name that is not known here.
pub fn of_plan(plan: &LogicalPlan, names: &dyn Names) -> Result<PlanLineage, String> {
    plan::Walk::new(names).lineage(plan)
}
