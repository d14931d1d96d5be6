//! What is below a change: columns that hold other values, nodes that have other rows, exposures that read them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use super::state::State;
use crate::artifacts::{Affected, Change, Diff, ExposureDiff, LineageDoc, NodeDiff};

/// A column; without a name the rows of a node.
type Spot<'a> = (&'a str, &'a str);

/// The columns below `changes`, without those that changed themselves.
pub(super) fn affected(
    changes: &BTreeMap<String, NodeDiff>,
    before: &State,
    now: &State,
) -> BTreeMap<String, Affected> {
    let readers = readers(&now.lineage);
    let starts = starts(changes, &now.lineage);
    let mut seen: HashSet<Spot<'_>> = starts.iter().copied().collect();
    let mut queue: VecDeque<Spot<'_>> = starts.iter().copied().collect();
    while let Some(at) = queue.pop_front() {
        for next in readers.get(&at).into_iter().flatten() {
            if seen.insert(*next) {
                queue.push_back(*next);
            }
        }
    }
    let mut out: BTreeMap<String, Affected> = BTreeMap::new();
    let own: HashSet<Spot<'_>> = starts.into_iter().collect();
    for (id, node) in &now.lineage.nodes {
        let is_met = |column: &str| seen.contains(&(id.as_str(), column)) && !own.contains(&(id.as_str(), column));
        let is_new = |column: &str| {
            let of_node = changes.get(id).into_iter().flat_map(|node| &node.columns);
            of_node.filter(|diff| diff.change == Change::Added).any(|diff| diff.name == column)
        };
        let columns = node.columns.keys().filter(|name| is_met(name) && !is_new(name));
        let columns: Vec<String> = columns.cloned().collect();
        let rows = is_met("");
        if columns.is_empty() && !rows {
            continue;
        }
        let entry = now.node(id).or_else(|| before.node(id));
        let published = entry.map(|entry| entry.published().into_iter().map(|(table, _)| table).collect());
        let affected = Affected { name: now.name(id), columns, rows, published: published.unwrap_or_default() };
        out.insert(id.clone(), affected);
    }
    out
}

/// What changed: columns with other values, and the rows of nodes. A node whose template changed and whose lineage did not
/// may differ in what the lineage does not tell, such as a constant of a filter: its rows count as changed.
fn starts<'a>(changes: &'a BTreeMap<String, NodeDiff>, lineage: &'a LineageDoc) -> Vec<Spot<'a>> {
    let mut out = Vec::new();
    for (id, node) in changes.iter().filter(|(_, node)| node.change != Change::Added) {
        let columns = node.columns.iter().filter(|column| column.change != Change::Added);
        out.extend(columns.map(|column| (id.as_str(), column.name.as_str())));
        let is_silent = node.code && node.columns.is_empty();
        if !node.rows.is_empty() || is_silent || node.change == Change::Removed {
            out.push((id.as_str(), ""));
        }
        if is_silent {
            let all = lineage.nodes.get(id).into_iter().flat_map(|node| node.columns.keys());
            out.extend(all.map(|name| (id.as_str(), name.as_str())));
        }
    }
    out
}

/// Who reads a column or the rows of a node.
fn readers(lineage: &LineageDoc) -> HashMap<Spot<'_>, Vec<Spot<'_>>> {
    let mut out: HashMap<Spot<'_>, Vec<Spot<'_>>> = HashMap::new();
    for (id, node) in &lineage.nodes {
        let mut parents: BTreeSet<&str> = BTreeSet::new();
        for (name, column) in &node.columns {
            for input in &column.inputs {
                parents.insert(&input.node);
                out.entry((&input.node, &input.column)).or_default().push((id, name));
            }
        }
        for input in &node.indirect {
            parents.insert(&input.node);
            out.entry((&input.node, &input.column)).or_default().push((id, ""));
        }
        for parent in parents {
            out.entry((parent, "")).or_default().push((id, ""));
        }
    }
    out
}

/// Exposures that read what differs.
pub(super) fn exposures(diff: &Diff, before: &State, now: &State) -> BTreeMap<String, ExposureDiff> {
    let mut out = BTreeMap::new();
    let gone = before.exposures().filter(|(id, _)| !now.exposures().any(|(other, _)| other == *id));
    for (id, exposure) in now.exposures().chain(gone) {
        let (mut reads, mut breaking) = (Vec::new(), false);
        for parent in exposure.parents() {
            let changed = diff.nodes.get(parent).filter(|node| node.change != Change::Added);
            if changed.is_none() && !diff.affected.contains_key(parent) {
                continue;
            }
            reads.push(if now.node(parent).is_some() { now.name(parent) } else { before.name(parent) });
            breaking |= changed.is_some_and(NodeDiff::is_breaking);
        }
        if reads.is_empty() {
            continue;
        }
        let name = exposure.text("name").unwrap_or_default().to_string();
        let label = exposure.text("label").map_or_else(|| name.clone(), str::to_string);
        out.insert(id.to_string(), ExposureDiff { name, label, owner: exposure.owner(), reads, breaking });
    }
    out
}
