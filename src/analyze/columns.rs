//! Columns that a node's configuration names: they have to be there.

use datafusion::arrow::datatypes::Schema;

use super::{Analyzed, Scope};
use crate::diag::{Code, Diagnostic, Span, codes};
use crate::node::{Node, ResourceType};
use crate::publish::PublishJob;
use crate::stdx::closest;

/// How many names of columns a note lists.
const LISTED: usize = 12;

/// Looks up what the configuration of `node` names among the columns that it will have.
pub(super) fn check(node: &Node, schema: &Schema, scope: Scope, found: &mut Analyzed) {
    let mut lookup = Lookup { node, schema, found };
    if !matches!(scope, Scope::Run { publishes: false, .. }) {
        lookup.publish();
    }
    match node.resource_type {
        ResourceType::Model if node.materialized() == "incremental" => lookup.incremental(),
        ResourceType::Snapshot => lookup.snapshot(),
        _ => {}
    }
}

struct Lookup<'a> {
    node: &'a Node,
    schema: &'a Schema,
    found: &'a mut Analyzed,
}

impl Lookup<'_> {
    fn incremental(&mut self) {
        let config = &self.node.config;
        for key in ["unique_key", "merge_update_columns", "merge_exclude_columns"] {
            self.all(key, &config.strings(key));
        }
        match config.str("incremental_strategy") {
            Some("insert_overwrite") => {
                let field = config.get("partition_by").and_then(|by| by.get("field")).map(crate::node::plain);
                let names = field.map_or_else(|| config.strings("partition_by"), |field| vec![field]);
                self.all("partition_by", &names);
            }
            Some("microbatch") => self.all("event_time", &config.strings("event_time")),
            _ => {}
        }
    }

    fn snapshot(&mut self) {
        let config = &self.node.config;
        if config.str("strategy") == Some("check") {
            let columns = config.strings("check_cols");
            if columns.iter().all(|name| name != "all") {
                self.all("check_cols", &columns);
            }
        }
    }

    fn publish(&mut self) {
        let Some(value) = self.node.config.get("publish") else { return };
        // A configuration that cannot be read is reported where it is.
        let Ok(jobs) = PublishJob::parse(&self.node.unique_id, &self.node.name, value) else { return };
        for job in jobs {
            let parts = job.partitions.iter().flat_map(|parts| &parts.columns);
            let settings = [
                ("key", job.key.iter().collect::<Vec<_>>()),
                ("indexes", job.indexes.iter().flatten().collect()),
                ("columns", job.columns.keys().collect()),
                ("partitions", parts.collect()),
            ];
            for (setting, names) in settings {
                for name in names {
                    let what = format!("`{setting}` of its publish to `{}`", job.to);
                    self.one(codes::PUBLISH_CONFIG, "publish", &what, name);
                }
            }
        }
    }

    fn all(&mut self, key: &str, names: &[String]) {
        for name in names {
            self.one(codes::COLUMN_NOT_FOUND, key, &format!("its `{key}`"), name.trim_matches('"'));
        }
    }

    fn one(&mut self, code: Code, key: &str, what: &str, name: &str) {
        if has(self.schema, name) {
            return;
        }
        let span = self.node.config.span(key).map_or_else(|| self.node.place(), |span| word(span, name));
        let message = format!("`{}` has no column `{name}`, which {what} names", self.node.search_name());
        self.found.push(listed(Diagnostic::error(code, message).label(span, "named here"), name, self.schema));
    }
}

/// A mistake in an expression that the configuration of a snapshot spells: its place is there, and not in the query that
/// was made of it.
pub(super) fn of_setting(node: &Node, mut error: Box<Diagnostic>) -> Box<Diagnostic> {
    let Some(name) = error.labels.first().map(|label| label.span.text().to_string()) else { return error };
    let spells = |key: &&str| node.config.strings(key).iter().any(|value| find_word(value, &name).is_some());
    let key = ["unique_key", "updated_at", "dbt_valid_to_current"].into_iter().find(spells);
    let span = key.and_then(|key| node.config.span(key)).map_or_else(|| node.place(), |span| word(span, &name));
    error.labels.clear();
    error.label(span, key.map_or_else(String::new, |key| format!("in its `{key}`")))
}

/// True if `schema` has a column of that name, whatever its case.
pub(super) fn has(schema: &Schema, name: &str) -> bool {
    schema.fields().iter().any(|field| field.name().to_lowercase() == name.to_lowercase())
}

/// Adds which columns there are, and which one was probably meant.
pub(super) fn listed(diagnostic: Box<Diagnostic>, name: &str, schema: &Schema) -> Box<Diagnostic> {
    let names = || schema.fields().iter().map(|field| field.name().as_str());
    let mut list = names().take(LISTED).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if schema.fields().len() > LISTED {
        list.push_str(&format!(" and {} more", schema.fields().len() - LISTED));
    }
    let near = closest(name, names()).map(|near| format!("did you mean `{near}`?"));
    diagnostic.note(format!("there are: {list}")).maybe_help(near)
}

/// The place of `name` in the setting at `span`, or all of the setting. A setting may go on behind its place, as the items
/// of a YAML list do.
pub(super) fn word(span: &Span, name: &str) -> Span {
    let text = &span.file.text;
    let start = span.start as usize;
    let inside = text.get(start..span.end as usize).and_then(|inside| find_word(inside, name));
    // The next lines, as far as they belong to the setting: an item or a deeper key.
    let behind = || text.get(start..).and_then(|rest| find_word(rest, name));
    match inside.or_else(behind) {
        Some(at) => Span::new(&span.file, start + at..start + at + name.len()),
        None => span.clone(),
    }
}

fn find_word(text: &str, name: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name)
        .map(|(at, _)| at)
        .find(|at| !text[..*at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part) && !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::SourceFile;

    #[test]
    fn words_are_found_whole() {
        let file = SourceFile::new("m.sql", "config(unique_key=['ids', 'id'])");
        let all = Span::new(&file, 7..31);
        assert_eq!(word(&all, "id").line_col(), (1, 28));
        assert_eq!(word(&all, "nothing"), all);
    }
}
