//! Node by node, column by column.

use std::collections::BTreeMap;

use super::state::{Entry, State};
use crate::artifacts::{
    Change, ColumnDiff, LineageColumn, LineageInput, LineageNode, NodeDiff, Pair, PublishDiff, RowsDiff,
};

/// Settings of a manifest's `config` that change what a relation is.
const SETTINGS: [&str; 9] = [
    "materialized",
    "incremental_strategy",
    "unique_key",
    "on_schema_change",
    "contract",
    "strategy",
    "schema",
    "alias",
    "enabled",
];

/// The nodes that differ.
pub(super) fn nodes(before: &State, now: &State) -> BTreeMap<String, NodeDiff> {
    let mut out = BTreeMap::new();
    for (id, entry) in now.nodes() {
        let old = before.node(id);
        let columns = (before.lineage.nodes.get(id), now.lineage.nodes.get(id));
        let diff = match old {
            None => Some(added(entry, columns.1)),
            Some(old) => changed(old, entry, columns),
        };
        out.extend(diff.map(|diff| (id.to_string(), diff)));
    }
    for (id, entry) in before.nodes().filter(|(id, _)| now.node(id).is_none()) {
        out.insert(id.to_string(), removed(entry, before.lineage.nodes.get(id)));
    }
    out
}

fn node(entry: Entry<'_>, change: Change, columns: Vec<ColumnDiff>) -> NodeDiff {
    NodeDiff {
        name: entry.name(),
        resource_type: entry.kind().to_string(),
        change,
        code: false,
        columns,
        rows: Vec::new(),
        settings: BTreeMap::new(),
        published: Vec::new(),
    }
}

fn whole(name: &str, change: Change, of: &LineageColumn) -> ColumnDiff {
    let (before, now) = match change {
        Change::Removed => (Some(of.data_type.clone()), None),
        _ => (None, Some(of.data_type.clone())),
    };
    ColumnDiff {
        name: name.to_string(),
        change,
        renamed_from: None,
        data_type: Some(Pair { before, now }),
        nullable: None,
        expression: None,
        breaking: change == Change::Removed,
    }
}

fn added(entry: Entry<'_>, lineage: Option<&LineageNode>) -> NodeDiff {
    let columns = lineage.into_iter().flat_map(|node| &node.columns);
    let columns = columns.map(|(name, of)| whole(name, Change::Added, of)).collect();
    let tables = entry.published().into_iter();
    let published = tables.map(|(table, _)| PublishDiff { table, change: Some(Change::Added) }).collect();
    NodeDiff { published, ..node(entry, Change::Added, columns) }
}

fn removed(entry: Entry<'_>, lineage: Option<&LineageNode>) -> NodeDiff {
    let columns = lineage.into_iter().flat_map(|node| &node.columns);
    let columns = columns.map(|(name, of)| whole(name, Change::Removed, of)).collect();
    let tables = entry.published().into_iter();
    let published = tables.map(|(table, _)| PublishDiff { table, change: Some(Change::Removed) }).collect();
    NodeDiff { published, ..node(entry, Change::Removed, columns) }
}

/// What differs between two entries of one node, if anything does.
fn changed(old: Entry<'_>, new: Entry<'_>, lineage: (Option<&LineageNode>, Option<&LineageNode>)) -> Option<NodeDiff> {
    // Columns that one state does not know cannot be compared.
    let (columns, rows) = match lineage {
        (Some(old), Some(new)) => (columns(old, new), rows(&old.indirect, &new.indirect)),
        _ => (Vec::new(), Vec::new()),
    };
    let mut settings = BTreeMap::new();
    for key in SETTINGS {
        let pair = Pair { before: old.setting(key), now: new.setting(key) };
        if pair.before != pair.now {
            settings.insert(key.to_string(), pair);
        }
    }
    let published = published(old, new);
    let code = old.checksum() != new.checksum();
    let differs = code
        || !columns.is_empty()
        || !rows.is_empty()
        || !settings.is_empty()
        || published.iter().any(|table| table.change.is_some());
    differs.then(|| NodeDiff { code, rows, settings, published, ..node(new, Change::Changed, columns) })
}

fn published(old: Entry<'_>, new: Entry<'_>) -> Vec<PublishDiff> {
    let (before, now) = (old.published(), new.published());
    let gone = before.iter().filter(|(table, _)| !now.iter().any(|(other, _)| other == table));
    let gone = gone.map(|(table, _)| PublishDiff { table: table.clone(), change: Some(Change::Removed) });
    let here = now.iter().map(|(table, settings)| {
        let change = match before.iter().find(|(other, _)| other == table) {
            None => Some(Change::Added),
            Some((_, other)) if other != settings => Some(Change::Changed),
            Some(_) => None,
        };
        PublishDiff { table: table.clone(), change }
    });
    gone.chain(here).collect()
}

fn columns(old: &LineageNode, new: &LineageNode) -> Vec<ColumnDiff> {
    let gone: Vec<&String> = old.columns.keys().filter(|name| !new.columns.contains_key(*name)).collect();
    let mut renamed: Vec<&String> = Vec::new();
    let mut out = Vec::new();
    for (name, now) in &new.columns {
        if let Some(before) = old.columns.get(name) {
            out.extend(column(name, before, now));
            continue;
        }
        // The same type, made of the same in the same way, is the same column.
        let same = |other: &&&String| {
            let before = &old.columns[**other];
            let is_made = !now.inputs.is_empty() || now.expression.is_some();
            is_made
                && before.data_type == now.data_type
                && before.expression == now.expression
                && before.inputs == now.inputs
        };
        let before = gone.iter().filter(|other| !renamed.contains(other)).find(same).copied();
        let diff = whole(name, Change::Added, now);
        out.push(match before {
            Some(before) => {
                renamed.push(before);
                let renamed_from = Some(before.clone());
                ColumnDiff { change: Change::Changed, renamed_from, data_type: None, breaking: true, ..diff }
            }
            None => diff,
        });
    }
    let gone = gone.into_iter().filter(|name| !renamed.contains(name));
    out.extend(gone.map(|name| whole(name, Change::Removed, &old.columns[name])));
    out
}

fn column(name: &str, before: &LineageColumn, now: &LineageColumn) -> Option<ColumnDiff> {
    let data_type = (before.data_type != now.data_type)
        .then(|| Pair { before: Some(before.data_type.clone()), now: Some(now.data_type.clone()) });
    let nullable = (before.nullable != now.nullable).then_some(now.nullable);
    let differs = before.expression != now.expression || before.inputs != now.inputs;
    let expression = differs.then(|| Pair { before: Some(made(before)), now: Some(made(now)) });
    let breaking = data_type.is_some() || nullable == Some(true);
    (data_type.is_some() || nullable.is_some() || expression.is_some()).then(|| ColumnDiff {
        name: name.to_string(),
        change: Change::Changed,
        renamed_from: None,
        data_type,
        nullable,
        expression,
        breaking,
    })
}

/// What makes a column, for people: its expression, or what it is a copy of.
fn made(column: &LineageColumn) -> String {
    match (&column.expression, column.inputs.as_slice()) {
        (Some(expression), _) => expression.clone(),
        (None, []) => "as it is".to_string(),
        (None, inputs) => inputs.iter().map(short).collect::<Vec<_>>().join(" union "),
    }
}

/// `node.column` with the node's short name.
pub(super) fn short(input: &LineageInput) -> String {
    let parts: Vec<&str> = input.node.splitn(3, '.').collect();
    let name = parts.get(2).unwrap_or(&input.node.as_str()).to_string();
    let path: String = input.path.iter().map(|step| format!(".{step}")).collect();
    format!("{name}.{}{path}", input.column)
}

fn rows(old: &[LineageInput], new: &[LineageInput]) -> Vec<RowsDiff> {
    let diff = |change: Change, one: &LineageInput| RowsDiff { change, kind: one.kind.clone(), column: short(one) };
    let gone = old.iter().filter(|one| !new.contains(one)).map(|one| diff(Change::Removed, one));
    let here = new.iter().filter(|one| !old.contains(one)).map(|one| diff(Change::Added, one));
    gone.chain(here).collect()
}
