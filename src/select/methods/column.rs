//! `column:stg_orders.amount+`: nodes by the columns that are made from a column, not by all that their parents give.
//!
//! The operators walk columns: `+` behind follows a column to the columns that are made from it, also those that it only
//! decides about (`case when`, windows). `column.all:` goes on where a column decides about rows, by a filter, a join or a
//! group: then every column of that node counts as made from it.

use super::{Call, Mask, Pattern, Result, Scope};
use crate::diag::{Diagnostic, codes};
use crate::graph::Direction;
use crate::manifest::NodeId;
use crate::node::Node;
use crate::select::fnmatch::has_wildcard;
use crate::stdx::closest;

pub(super) fn find(call: &Call<'_>, scope: &Scope<'_>) -> Result<Mask> {
    let with_rows = match call.arguments {
        [] => false,
        [word] if word == "all" => true,
        [word, ..] => {
            return Err(bad(call, format!("`column` takes no argument `{word}`"), "write `column:` or `column.all:`"));
        }
    };
    let Some((node, column)) = call.value.rsplit_once('.') else {
        return Err(bad(
            call,
            format!("`{}` names no column", call.value),
            "write node and column, `column:stg_orders.amount`",
        ));
    };
    let graph = scope.columns(call.span)?;
    let (nodes, columns) = (Pattern::new(node), Pattern::new(&column.to_lowercase()));
    let mut of_node: Vec<&str> = Vec::new();
    let mut starts = Vec::new();
    for (number, id, name) in graph.columns() {
        if is_called(scope.manifest.node(id), &nodes) {
            of_node.push(name);
            if columns.matches(&name.to_lowercase()) {
                starts.push(number);
            }
        }
    }
    if starts.is_empty() && !of_node.is_empty() && !has_wildcard(column) {
        let near = closest(column, of_node.iter().copied()).map(|near| format!("`{near}` exists"));
        return Err(Diagnostic::error(codes::BAD_SELECTOR, format!("`{node}` has no column `{column}`"))
            .label(call.span.clone(), "")
            .maybe_help(near)
            .help(format!("it has {}", of_node.join(", "))));
    }
    let walkable = graph.dag(with_rows);
    let mut reached = starts.clone();
    if call.steps.childrens_parents {
        let mut family = walkable.reach(&starts, Direction::Downstream, None);
        family.extend(&starts);
        reached.extend(walkable.reach(&family, Direction::Upstream, None));
        reached.extend(family);
    }
    if let Some(steps) = call.steps.parents {
        reached.extend(walkable.reach(&starts, Direction::Upstream, steps.depth()));
    }
    if let Some(steps) = call.steps.children {
        reached.extend(walkable.reach(&starts, Direction::Downstream, steps.depth()));
    }
    let mut mask = scope.none();
    let ids: Vec<NodeId> = reached.into_iter().map(|at| walkable.node(at)).collect();
    ids.into_iter().for_each(|id| mask.insert(id));
    Ok(mask)
}

fn is_called(node: &Node, pattern: &Pattern) -> bool {
    pattern.matches(&node.name)
        || pattern.matches(&node.search_name())
        || pattern.matches(&format!("{}.{}", node.package, node.search_name()))
        || pattern.matches(&node.unique_id)
}

fn bad(call: &Call<'_>, message: String, help: &str) -> Box<Diagnostic> {
    Diagnostic::error(codes::BAD_SELECTOR, message).label(call.span.clone(), "").help(help)
}
