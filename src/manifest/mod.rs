//! The resolved project: every node, every edge. Immutable once [`resolve`](fn@resolve) has made it.

mod access;
mod deprecated;
mod lookup;
mod resolve;

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use crate::diag::Span;
use crate::graph::Dag;
use crate::node::Node;

pub use deprecated::report_deprecated;
pub use lookup::Lookup;
pub use resolve::resolve;

/// A node's number in its manifest.
pub type NodeId = u32;

/// The resolved project.
#[derive(Debug, Default)]
pub struct Manifest {
    /// Name of the root project.
    pub project_name: String,
    /// Enabled nodes, sorted by unique id.
    pub nodes: Vec<Node>,
    /// Disabled nodes.
    pub disabled: Vec<Node>,
    /// Number of each enabled node.
    pub by_id: HashMap<String, NodeId>,
    /// Edges between enabled nodes.
    pub dag: Dag,
    /// Macros, as artifacts describe them.
    pub macros: Vec<MacroInfo>,
    /// Docs blocks: unique id and text.
    pub docs: Vec<DocBlock>,
    /// Groups.
    pub groups: Vec<Group>,
    /// Packages whose models are public or their own (`restrict-access`).
    pub restricted: Vec<String>,
    /// `selectors.yml`, as written.
    pub selectors: Option<crate::project::yaml::Yaml>,
    /// Things that are kept and not interpreted: metrics, semantic models, saved queries, by section of the manifest.
    pub kept: Map<String, Json>,
}

/// What artifacts say of a macro.
#[derive(Debug, Clone)]
pub struct MacroInfo {
    /// `macro.package.name`.
    pub unique_id: String,
    /// Name.
    pub name: String,
    /// Package.
    pub package: String,
    /// Path relative to its project.
    pub original_path: String,
    /// Source.
    pub macro_sql: String,
    /// From a properties file.
    pub description: String,
    /// From a properties file.
    pub meta: Map<String, Json>,
    /// Declared arguments.
    pub arguments: Vec<Json>,
    /// Unique ids of the macros that it calls.
    pub depends_on: Vec<String>,
}

/// A docs block.
#[derive(Debug, Clone)]
pub struct DocBlock {
    /// `doc.package.name`.
    pub unique_id: String,
    /// Name.
    pub name: String,
    /// Package.
    pub package: String,
    /// Path relative to its project.
    pub original_path: String,
    /// Text.
    pub contents: String,
}

/// A group of nodes with an owner.
#[derive(Debug, Clone)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Package.
    pub package: String,
    /// Path relative to its project.
    pub original_path: String,
    /// Owner, as written.
    pub owner: Json,
    /// Where it stands.
    pub span: Span,
}

impl Manifest {
    /// The node with this number.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id as usize]
    }

    /// The enabled node with this unique id.
    pub fn find(&self, unique_id: &str) -> Option<&Node> {
        self.by_id.get(unique_id).map(|id| self.node(*id))
    }

    /// The number of the enabled node with this unique id.
    pub fn id(&self, unique_id: &str) -> Option<NodeId> {
        self.by_id.get(unique_id).copied()
    }

    /// All numbers, in the order of unique ids.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        0..self.nodes.len() as NodeId
    }
}
