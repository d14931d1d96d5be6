//! The project as the site numbers it: nodes, tests and macros in a fixed order, and who belongs to whom.

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

use super::read::{Artifacts, ColumnLineage, Macro, Node, NodeLineage};

/// Types of nodes in the order of the site; others stand behind models.
const TYPES: &[&str] = &["source", "seed", "snapshot", "model"];
const LAST_TYPES: &[&str] = &["analysis", "exposure", "destination"];

/// Artifacts with numbers.
pub(super) struct Site<'a> {
    pub(super) artifacts: &'a Artifacts,
    /// What stands in the graph.
    pub(super) nodes: Vec<Entry<'a>>,
    /// Data tests and unit tests.
    pub(super) tests: Vec<Test<'a>>,
    pub(super) macros: Vec<(&'a str, &'a Macro)>,
    /// From, to; each once, sorted.
    pub(super) edges: Vec<(usize, usize)>,
    /// By node: tests on it and tests that read it.
    pub(super) tests_of: Vec<Vec<usize>>,
    node_numbers: HashMap<&'a str, usize>,
    macro_numbers: HashMap<&'a str, usize>,
}

/// A node of the graph.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) id: &'a str,
    pub(super) node: &'a Node,
    /// The name for people, unique enough: sources have two parts, versions are in it.
    pub(super) name: String,
}

/// A test.
#[derive(Debug)]
pub(super) struct Test<'a> {
    pub(super) id: &'a str,
    pub(super) node: &'a Node,
    /// The node that it stands on.
    pub(super) on: Option<usize>,
    /// What else it reads.
    pub(super) uses: Vec<usize>,
}

impl<'a> Site<'a> {
    pub(super) fn new(artifacts: &'a Artifacts) -> Site<'a> {
        let manifest = &artifacts.manifest;
        let mut nodes = Vec::new();
        let mut tests = Vec::new();
        for (id, node) in manifest.all() {
            match &*node.resource_type {
                "test" | "unit_test" => tests.push((id, node)),
                // Hooks are told with their projects.
                "operation" | "sql_operation" | "rpc" => {}
                _ => nodes.push(Entry { id, node, name: name(node) }),
            }
        }
        nodes.sort_by(|a, b| order(a.node).cmp(&order(b.node)).then_with(|| a.name.cmp(&b.name)).then(a.id.cmp(b.id)));
        let node_numbers: HashMap<&str, usize> = nodes.iter().enumerate().map(|(n, entry)| (entry.id, n)).collect();
        let mut edges: Vec<(usize, usize)> = Vec::new();
        for (to, entry) in nodes.iter().enumerate() {
            let parents = entry.node.depends_on.nodes.iter().filter_map(|parent| node_numbers.get(&**parent));
            edges.extend(parents.filter(|from| **from != to).map(|from| (*from, to)));
        }
        edges.sort_unstable();
        edges.dedup();
        let mut tests: Vec<Test<'a>> =
            tests.into_iter().map(|(id, node)| Test::new(id, node, &nodes, &node_numbers)).collect();
        tests.sort_by(|a, b| {
            let key = |test: &Test<'a>| (test.on.unwrap_or(usize::MAX), test.node.name.clone());
            key(a).cmp(&key(b)).then(a.id.cmp(b.id))
        });
        let mut tests_of = vec![Vec::new(); nodes.len()];
        for (number, test) in tests.iter().enumerate() {
            for node in test.on.iter().chain(&test.uses) {
                tests_of[*node].push(number);
            }
        }
        let macros = macros(artifacts);
        let macro_numbers = macros.iter().enumerate().map(|(number, (id, _))| (*id, number)).collect();
        Site { artifacts, nodes, tests, macros, edges, tests_of, node_numbers, macro_numbers }
    }

    /// The number of a node.
    pub(super) fn node(&self, id: &str) -> Option<usize> {
        self.node_numbers.get(id).copied()
    }

    /// The number of a macro that the site shows.
    pub(super) fn number_of_macro(&self, id: &str) -> Option<usize> {
        self.macro_numbers.get(id).copied()
    }

    /// Numbers of the macros that a node or macro calls.
    pub(super) fn macros_of(&self, ids: &[super::read::Text]) -> Vec<usize> {
        let mut numbers: Vec<usize> = ids.iter().filter_map(|id| self.number_of_macro(id)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// `<node>.<column>`, where names may have dots: the longest node that it starts with.
    pub(super) fn column_place<'t>(&self, text: &'t str) -> Option<(usize, &'t str)> {
        let dots = text.match_indices('.').map(|(at, _)| at);
        let found = dots.rev().find_map(|at| Some((self.node(&text[..at])?, &text[at + 1..])));
        found.filter(|(_, column)| !column.is_empty())
    }

    /// The lineage of a node.
    pub(super) fn lineage(&self, id: &str) -> Option<&'a NodeLineage> {
        self.artifacts.lineage.as_ref()?.nodes.get(id)
    }

    /// The lineage of a column, whatever the case that it is declared in.
    pub(super) fn column_lineage(&self, id: &str, column: &str) -> Option<&'a ColumnLineage> {
        let columns = &self.lineage(id)?.columns;
        let same = |(name, _): &(&String, &ColumnLineage)| name.eq_ignore_ascii_case(column);
        columns.get(column).or_else(|| columns.iter().find(same).map(|(_, lineage)| lineage))
    }
}

impl<'a> Test<'a> {
    fn new(id: &'a str, node: &'a Node, nodes: &[Entry<'a>], numbers: &HashMap<&str, usize>) -> Test<'a> {
        let read: Vec<usize> =
            node.depends_on.nodes.iter().filter_map(|parent| numbers.get(&**parent).copied()).collect();
        let attached = node.attached_node.some().and_then(|on| numbers.get(on).copied());
        let unit =
            || read.iter().copied().find(|n| node.model.some().is_some_and(|model| *nodes[*n].node.name == *model));
        // Manifests from before dbt 1.5 do not say what a generic test is on: it is the last that it reads.
        let last = || node.test_metadata.as_ref().and(read.last().copied());
        let on = attached.or_else(unit).or_else(last);
        let mut seen = HashSet::new();
        let uses = read.into_iter().filter(|n| Some(*n) != on && seen.insert(*n)).collect();
        Test { id, node, on, uses }
    }

    /// `generic`, `singular` or `unit`.
    pub(super) fn kind(&self) -> &'static str {
        match (&*self.node.resource_type, &self.node.test_metadata) {
            ("unit_test", _) => "unit",
            (_, Some(_)) => "generic",
            _ => "singular",
        }
    }

    /// The test's name as it is written: `not_null`, `pkg.name`, or that of its file.
    pub(super) fn short_name(&self) -> String {
        match &self.node.test_metadata {
            Some(metadata) => match metadata.namespace.some() {
                Some(namespace) => format!("{namespace}.{}", metadata.name),
                None => metadata.name.to_string(),
            },
            None => self.node.name.to_string(),
        }
    }
}

/// Macros of the project and its packages. Those that come with dbt and its adapters are dbt's to explain.
fn macros(artifacts: &Artifacts) -> Vec<(&str, &Macro)> {
    let manifest = &artifacts.manifest;
    let adapter = format!("dbt_{}", manifest.metadata.adapter_type);
    let is_shown = |entry: &Macro| {
        let package = &*entry.package_name;
        package != "dbt" && package != adapter && !entry.name.starts_with("test_dbt__")
    };
    let mut macros: Vec<(&str, &Macro)> =
        manifest.macros.iter().filter(|(_, entry)| is_shown(entry)).map(|(id, entry)| (id.as_str(), entry)).collect();
    let own = |entry: &Macro| *entry.package_name != *manifest.metadata.project_name;
    macros.sort_by(|a, b| {
        let key = |entry: &Macro| (own(entry), entry.package_name.clone(), entry.name.clone());
        key(a.1).cmp(&key(b.1)).then(a.0.cmp(b.0))
    });
    macros
}

fn order(node: &Node) -> (usize, &str) {
    let kind = &*node.resource_type;
    let place = |list: &[&str]| list.iter().position(|known| *known == kind);
    let place = place(TYPES).or_else(|| place(LAST_TYPES).map(|at| TYPES.len() + 1 + at)).unwrap_or(TYPES.len());
    (place, kind)
}

fn name(node: &Node) -> String {
    let versioned = |version: &str| format!("{}.v{version}", node.name);
    match &*node.resource_type {
        "source" => format!("{}.{}", node.source_name, node.name),
        "exposure" => node.label.some().unwrap_or(&node.name).to_string(),
        _ => node.version.some().map_or_else(|| node.name.to_string(), versioned),
    }
}

/// Who answers for a node: the owner of its group, of its `meta`, or an exposure's own.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(super) struct Owner {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
}

impl Owner {
    pub(super) fn of(node: &Node, artifacts: &Artifacts) -> Option<Owner> {
        let group = node.group.some().or_else(|| node.config.get("group").and_then(Json::as_str));
        let group = group.and_then(|name| artifacts.manifest.groups.values().find(|group| *group.name == *name));
        let in_config = || node.config.get("meta").and_then(|meta| meta.get("owner"));
        Owner::read(&node.owner)
            .or_else(|| Owner::read(node.meta.get("owner").or_else(in_config)?))
            .or_else(|| Owner::read(&group?.owner))
    }

    fn read(value: &Json) -> Option<Owner> {
        let text = |value: Option<&Json>| match value {
            Some(Json::String(text)) => Some(text.trim().to_string()).filter(|text| !text.is_empty()),
            Some(Json::Array(items)) => Some(items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(", ")),
            _ => None,
        };
        let owner = match value {
            Json::Object(map) => Owner { name: text(map.get("name")), email: text(map.get("email")) },
            other => Owner { name: text(Some(other)), email: None },
        };
        (owner != Owner::default()).then_some(owner)
    }

    /// The name, or else the address.
    pub(super) fn text(&self) -> Option<&str> {
        self.name.as_deref().or(self.email.as_deref())
    }
}
