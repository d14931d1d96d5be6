//! What a change does, as Markdown for a pull request: what breaks first.

use std::fmt::Write;

use crate::artifacts::{Change, ColumnDiff, Diff, NodeDiff, Pair};
use crate::stdx::plural;

/// Characters of an expression that are shown.
const SHOWN: usize = 90;

/// How many affected nodes are listed.
const LISTED: usize = 30;

/// `diff` as Markdown.
pub fn diff_markdown(diff: &Diff) -> String {
    let mut out = String::from("## What this change does\n\n");
    if diff.is_empty() {
        out.push_str("Nothing: columns, models, published tables and exposures are as they were.\n");
        unknown(diff, &mut out);
        return out;
    }
    summary(diff, &mut out);
    breaking(diff, &mut out);
    for (title, change) in [("Added", Change::Added), ("Changed", Change::Changed)] {
        let nodes: Vec<&NodeDiff> = diff.nodes.values().filter(|node| node.change == change).collect();
        if !nodes.is_empty() {
            let _ = writeln!(out, "### {title}\n");
            nodes.iter().for_each(|node| one(node, &mut out));
            out.push('\n');
        }
    }
    published(diff, &mut out);
    downstream(diff, &mut out);
    exposures(diff, &mut out);
    unknown(diff, &mut out);
    format!("{}\n", out.trim_end())
}

fn summary(diff: &Diff, out: &mut String) {
    let count = |change: Change| diff.nodes.values().filter(|node| node.change == change).count();
    let breaking = diff.nodes.values().filter(|node| node.is_breaking()).count();
    let mut parts = Vec::new();
    if breaking > 0 {
        parts.push(format!("**{} breaking**", plural(breaking as u64, "node")));
    }
    for (change, word) in [(Change::Changed, "changed"), (Change::Added, "added"), (Change::Removed, "removed")] {
        if count(change) > 0 {
            parts.push(format!("{} {word}", count(change)));
        }
    }
    if !diff.affected.is_empty() {
        parts.push(format!("{} affected downstream", diff.affected.len()));
    }
    if !diff.exposures.is_empty() {
        parts.push(plural(diff.exposures.len() as u64, "exposure"));
    }
    let _ = writeln!(out, "{}\n", parts.join(" · "));
}

fn breaking(diff: &Diff, out: &mut String) {
    let nodes: Vec<&NodeDiff> = diff.nodes.values().filter(|node| node.is_breaking()).collect();
    if nodes.is_empty() {
        return;
    }
    out.push_str("### Breaking\n\n");
    for node in nodes {
        let tables: Vec<&str> = node.published.iter().map(|table| table.table.as_str()).collect();
        let place = if tables.is_empty() { String::new() } else { format!(" (published: {})", code_list(&tables)) };
        if node.change == Change::Removed {
            let _ = writeln!(out, "- {} {} is **removed**{place}", node.resource_type, code(&node.name));
            continue;
        }
        for column in node.columns.iter().filter(|column| column.breaking) {
            let name = code(&format!("{}.{}", node.name, column.renamed_from.as_ref().unwrap_or(&column.name)));
            let _ = writeln!(out, "- {name} {}{place}", broken(column));
        }
        for table in node.published.iter().filter(|table| table.change == Some(Change::Removed)) {
            let _ = writeln!(out, "- {} is no longer published to {}", code(&node.name), code(&table.table));
        }
    }
    out.push('\n');
}

fn broken(column: &ColumnDiff) -> String {
    if column.renamed_from.is_some() {
        return format!("is **renamed** to {}", code(&column.name));
    }
    if column.change == Change::Removed {
        return "is **removed**".to_string();
    }
    match &column.data_type {
        Some(pair) => format!("changes its type: {}", arrow(pair)),
        None => "may be null now".to_string(),
    }
}

/// A node and what differs in it.
fn one(node: &NodeDiff, out: &mut String) {
    let mut notes: Vec<String> = node.settings.iter().map(|(key, pair)| format!("{key} {}", arrow(pair))).collect();
    if node.code && node.columns.is_empty() && node.rows.is_empty() && node.settings.is_empty() {
        notes.push("other code, the same columns".to_string());
    }
    let notes = if notes.is_empty() { String::new() } else { format!(": {}", notes.join("; ")) };
    let columns = match node.change {
        Change::Added => format!(" with {}", plural(node.columns.len() as u64, "column")),
        _ => String::new(),
    };
    let _ = writeln!(out, "- {} {}{columns}{notes}", node.resource_type, code(&node.name));
    if node.change == Change::Added {
        return;
    }
    for column in &node.columns {
        let _ = writeln!(out, "  - {}", column_line(column));
    }
    for rows in &node.rows {
        let word = if rows.change == Change::Added { "now" } else { "no longer" };
        let _ = writeln!(out, "  - rows {word} depend on {} ({})", code(&rows.column), rows.kind);
    }
}

fn column_line(column: &ColumnDiff) -> String {
    let name = code(&column.name);
    match (column.change, &column.renamed_from) {
        (_, Some(from)) => format!("renamed {} → {name}", code(from)),
        (Change::Added, _) => {
            let data_type = column.data_type.as_ref().and_then(|pair| pair.now.clone()).unwrap_or_default();
            format!("+ {name} {data_type}")
        }
        (Change::Removed, _) => format!("− {name}"),
        (Change::Changed, _) => {
            let mut parts = Vec::new();
            parts.extend(column.data_type.as_ref().map(|pair| format!("type {}", arrow(pair))));
            parts.extend(column.nullable.map(|may| if may { "may be null" } else { "never null" }.to_string()));
            parts.extend(column.expression.as_ref().map(arrow));
            format!("{name}: {}", parts.join(", "))
        }
    }
}

fn published(diff: &Diff, out: &mut String) {
    let mut lines = Vec::new();
    for node in diff.nodes.values() {
        for table in &node.published {
            let of = code(&node.name);
            let table_name = code(&table.table);
            lines.extend(match table.change {
                Some(Change::Added) => Some(format!("- + {table_name}, from {of}")),
                Some(Change::Removed) => Some(format!("- − {table_name}, from {of}")),
                Some(Change::Changed) => Some(format!("- {table_name}: other settings of its publish")),
                None if !node.columns.is_empty() => {
                    let names: Vec<String> = node.columns.iter().map(sign).collect();
                    Some(format!("- {table_name}: {}", names.join(", ")))
                }
                None => None,
            });
        }
    }
    if !lines.is_empty() {
        let _ = writeln!(out, "### Published tables\n\n{}\n", lines.join("\n"));
    }
}

fn sign(column: &ColumnDiff) -> String {
    let sign = match column.change {
        Change::Added => "+ ",
        Change::Removed => "− ",
        Change::Changed => "",
    };
    format!("{sign}{}", code(&column.name))
}

fn downstream(diff: &Diff, out: &mut String) {
    if diff.affected.is_empty() {
        return;
    }
    out.push_str("### Downstream\n\nNobody touched these, and their values may be others:\n\n");
    for node in diff.affected.values().take(LISTED) {
        let columns: Vec<&str> = node.columns.iter().map(String::as_str).collect();
        let mut parts = Vec::new();
        if !columns.is_empty() {
            parts.push(code_list(&columns));
        }
        if node.rows {
            parts.push("its rows".to_string());
        }
        let tables: Vec<&str> = node.published.iter().map(String::as_str).collect();
        let place = if tables.is_empty() { String::new() } else { format!(" → {}", code_list(&tables)) };
        let _ = writeln!(out, "- {}: {}{place}", code(&node.name), parts.join(", "));
    }
    if diff.affected.len() > LISTED {
        let _ = writeln!(out, "- and {} more", diff.affected.len() - LISTED);
    }
    out.push('\n');
}

fn exposures(diff: &Diff, out: &mut String) {
    if diff.exposures.is_empty() {
        return;
    }
    out.push_str("### Exposures\n\n");
    for exposure in diff.exposures.values() {
        let reads: Vec<&str> = exposure.reads.iter().map(String::as_str).collect();
        let owner = exposure.owner.as_ref().map(|owner| format!(", owned by {}", plain(owner))).unwrap_or_default();
        let breaks = if exposure.breaking { ", **may break**" } else { "" };
        let _ = writeln!(out, "- {}{owner}{breaks}: reads {}", plain(&exposure.label), code_list(&reads));
    }
    out.push('\n');
}

fn unknown(diff: &Diff, out: &mut String) {
    if diff.unknown.is_empty() {
        return;
    }
    out.push_str("### Not compared\n\n");
    for (id, why) in &diff.unknown {
        let _ = writeln!(out, "- {}: {}", code(id), plain(why));
    }
}

fn arrow(pair: &Pair) -> String {
    let side = |side: &Option<String>| side.as_deref().map_or_else(|| "nothing".to_string(), code);
    format!("{} → {}", side(&pair.before), side(&pair.now))
}

fn code_list(names: &[&str]) -> String {
    names.iter().map(|name| code(name)).collect::<Vec<_>>().join(", ")
}

/// `text` as code, whatever is in it: the fence is longer than any run of backticks inside.
fn code(text: &str) -> String {
    let mut text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = text.char_indices().nth(SHOWN) {
        text.truncate(end);
        text.push('…');
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let blank = if longest > 0 { " " } else { "" };
    format!("{fence}{blank}{text}{blank}{fence}")
}

/// `text` that stays text.
fn plain(text: &str) -> String {
    let special = ['\\', '`', '*', '_', '[', ']', '<', '>', '#', '|', '!'];
    let mut out = String::new();
    for c in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        if special.contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
