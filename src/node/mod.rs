//! What a project is made of: models, seeds, sources, snapshots, tests and the rest.
//!
//! One [`Node`] type serves all resources that have a unique id and a place in the DAG; what only some of them have
//! stands in [`NodeKind`]. These types are the program's own: artifacts have serde types of their own.

mod column;
mod config;
mod refs;
mod relation;
mod resource;
mod source;
mod tests_of;

use std::sync::Arc;

pub use column::{Column, Constraint};
pub use config::{Config, Setting, canonical_key};
pub use refs::{RefCall, SourceCall};
pub use relation::{Relation, quote};
pub use resource::ResourceType;
pub use source::{External, Freshness, FreshnessThreshold, SourceTable};
pub use tests_of::{GenericTest, UnitTest};

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use crate::diag::{Diagnostic, SourceFile, Span};

/// A resource of the project.
#[derive(Debug, Clone)]
pub struct Node {
    /// `model.c360.mart_totals`.
    pub unique_id: String,
    /// `mart_totals`.
    pub name: String,
    /// What it is.
    pub resource_type: ResourceType,
    /// The project or package that it belongs to.
    pub package: String,
    /// Path relative to its resource folder, with `/`.
    pub path: String,
    /// Path relative to its project, with `/`.
    pub original_path: String,
    /// Package, folders, name.
    pub fqn: Vec<String>,
    /// Its configuration, layered.
    pub config: Config,
    /// From its properties file.
    pub description: String,
    /// Declared columns, in the order of the file.
    pub columns: Vec<Column>,
    /// The file that it was read from: SQL, or YAML for what lives in properties files.
    pub file: Arc<SourceFile>,
    /// The template, if it has one (for a block inside a file, the body of the block).
    pub raw_code: String,
    /// Where the template starts in `file`, in bytes.
    pub code_start: u32,
    /// The properties entry that describes it.
    pub patch: Option<Span>,
    /// Its place in the warehouse, if it has one.
    pub relation: Option<Relation>,
    /// `ref()` calls of the template.
    pub refs: Vec<RefCall>,
    /// `source()` calls of the template.
    pub sources: Vec<SourceCall>,
    /// Unique ids of the nodes that it depends on; filled by resolve.
    pub depends_on: Vec<String>,
    /// Unique ids of the macros that it uses.
    pub depends_on_macros: Vec<String>,
    /// Expressions as written, before rendering, for state comparison.
    pub unrendered_config: serde_json::Map<String, Json>,
    /// What only its type has.
    pub kind: NodeKind,
}

/// What only some types of resource have.
#[derive(Debug, Clone)]
pub enum NodeKind {
    /// A model.
    Model(ModelParts),
    /// Rows in a file of the project.
    Seed,
    /// A slowly changing dimension.
    Snapshot,
    /// A data test; a singular one has no [`GenericTest`].
    Test(Option<Box<GenericTest>>),
    /// A unit test.
    UnitTest(Box<UnitTest>),
    /// A table of files.
    Source(Box<SourceTable>),
    /// A use of the data outside.
    Exposure(Box<Json>),
    /// A query that is compiled and not run.
    Analysis,
    /// A hook of the project.
    Operation,
}

/// What only models have.
#[derive(Debug, Clone, Default)]
pub struct ModelParts {
    /// Version, if it has several.
    pub version: Option<Json>,
    /// The version that a reference without one means.
    pub latest_version: Option<Json>,
    /// When it goes away.
    pub deprecation_date: Option<DateTime<Utc>>,
    /// Constraints on the relation as a whole.
    pub constraints: Vec<Constraint>,
}

impl Node {
    /// A node of `package` that was read from `file`; everything else is empty, its template too.
    pub fn new(package: &str, name: &str, resource_type: ResourceType, file: &Arc<SourceFile>, kind: NodeKind) -> Node {
        Node {
            unique_id: format!("{resource_type}.{package}.{name}"),
            name: name.to_string(),
            resource_type,
            package: package.to_string(),
            path: file.path.clone(),
            original_path: file.path.clone(),
            fqn: vec![package.to_string(), name.to_string()],
            config: Config::default(),
            description: String::new(),
            columns: Vec::new(),
            file: Arc::clone(file),
            raw_code: String::new(),
            code_start: 0,
            patch: None,
            relation: None,
            refs: Vec::new(),
            sources: Vec::new(),
            depends_on: Vec::new(),
            depends_on_macros: Vec::new(),
            unrendered_config: serde_json::Map::new(),
            kind,
        }
    }

    /// True if it is enabled.
    pub fn is_enabled(&self) -> bool {
        self.config.bool("enabled").unwrap_or(true)
    }

    /// Its materialization (`table`, `view`, ...); sources and exposures have none.
    pub fn materialized(&self) -> &str {
        match self.resource_type {
            ResourceType::Seed => "seed",
            ResourceType::Snapshot => "snapshot",
            ResourceType::Test => "test",
            ResourceType::Analysis | ResourceType::Operation => "view",
            _ => self.config.str("materialized").unwrap_or("view"),
        }
    }

    /// True for a model that lives only inside the queries of others.
    pub fn is_ephemeral(&self) -> bool {
        self.resource_type == ResourceType::Model && self.materialized() == "ephemeral"
    }

    /// True for a template without a word: nothing is built or compiled of it.
    pub fn is_empty(&self) -> bool {
        let has_template = matches!(
            self.resource_type,
            ResourceType::Model | ResourceType::Snapshot | ResourceType::Test | ResourceType::Analysis
        );
        has_template && self.raw_code.trim().is_empty()
    }

    /// Its tags: those of its configuration, and for a data test those of its column.
    pub fn tags(&self) -> Vec<String> {
        let mut tags = self.config.strings("tags");
        if let Some(test) = self.as_generic_test() {
            tags.extend(test.column_tags.iter().cloned());
        }
        tags
    }

    /// The source behind it, if it is one.
    pub fn as_source(&self) -> Option<&SourceTable> {
        match &self.kind {
            NodeKind::Source(source) => Some(source),
            _ => None,
        }
    }

    /// The generic test behind it, if it is one.
    pub fn as_generic_test(&self) -> Option<&GenericTest> {
        match &self.kind {
            NodeKind::Test(Some(test)) => Some(test),
            _ => None,
        }
    }

    /// The model's own parts, if it is one.
    pub fn as_model(&self) -> Option<&ModelParts> {
        match &self.kind {
            NodeKind::Model(parts) => Some(parts),
            _ => None,
        }
    }

    /// The name that people search by: sources are `source.table`, versions `name.v2`.
    pub fn search_name(&self) -> String {
        match &self.kind {
            NodeKind::Source(source) => format!("{}.{}", source.source_name, self.name),
            NodeKind::Model(ModelParts { version: Some(version), .. }) => {
                format!("{}.v{}", self.name, plain(version))
            }
            _ => self.name.clone(),
        }
    }

    /// Its template as a file: its own file if the template is the whole of it, so that places in it are true.
    pub fn template_file(&self) -> Arc<SourceFile> {
        if self.file.text == self.raw_code {
            return Arc::clone(&self.file);
        }
        if self.code_start > 0 {
            // Blanks in front keep the offsets of a block true; newlines stay, so that lines are.
            let before = self.file.text.get(..self.code_start as usize).unwrap_or_default();
            let blank: String = before.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
            return SourceFile::new(self.original_path.clone(), format!("{blank}{}", self.raw_code));
        }
        SourceFile::new(self.original_path.clone(), self.raw_code.clone())
    }

    /// The template that stands behind a generic test, which nobody wrote, and the place of who asked for it.
    pub fn made_template(&self) -> Option<(Arc<SourceFile>, Span)> {
        matches!(self.kind, NodeKind::Test(Some(_))).then(|| (self.template_file(), self.place()))
    }

    /// A diagnostic of this node, with places in files that people wrote.
    pub fn placed(&self, mut diagnostic: Box<Diagnostic>) -> Box<Diagnostic> {
        if let Some((made, place)) = self.made_template() {
            for label in diagnostic.labels.iter_mut().filter(|label| label.span.file == made) {
                label.span = place.clone();
            }
        }
        diagnostic.of_node(&self.unique_id)
    }

    /// The place to point at when the node as a whole is meant.
    pub fn place(&self) -> Span {
        match self.resource_type {
            ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot | ResourceType::Analysis => {
                Span::start_of(&self.file)
            }
            _ => self.patch.clone().unwrap_or_else(|| Span::start_of(&self.file)),
        }
    }
}

/// The text of a scalar as people write it: no quotes around strings.
pub fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}
