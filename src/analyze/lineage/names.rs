//! Relations of a project by the names that plans have for them.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::TableReference;

use super::Names;
use crate::jinja::{EPHEMERAL_PREFIX, cte_name};
use crate::manifest::Manifest;
use crate::node::Relation;

/// The nodes of a project, by relation and by the names of their common table expressions.
#[derive(Debug, Default)]
pub struct ProjectNames {
    /// By schema and identifier, in lower case.
    relations: HashMap<(String, String), Arc<str>>,
    ephemerals: HashMap<String, Arc<str>>,
    default_schema: String,
}

impl ProjectNames {
    /// The names in `manifest`. What is `deferred` is also found where the other state has it. A relation without a
    /// schema is in `default_schema`.
    pub fn new(manifest: &Manifest, deferred: &HashMap<String, Relation>, default_schema: &str) -> ProjectNames {
        let mut names = ProjectNames { default_schema: default_schema.to_lowercase(), ..ProjectNames::default() };
        for node in &manifest.nodes {
            let id: Arc<str> = Arc::from(node.unique_id.as_str());
            if node.is_ephemeral() {
                names.ephemerals.insert(cte_name(node), id);
                continue;
            }
            for relation in node.relation.iter().chain(deferred.get(&node.unique_id)) {
                let key = (relation.schema.to_lowercase(), relation.identifier.to_lowercase());
                names.relations.insert(key, Arc::clone(&id));
            }
        }
        names
    }
}

impl Names for ProjectNames {
    /// A relation that no node builds is called as the query calls it.
    fn relation(&self, table: &TableReference) -> Option<Arc<str>> {
        let schema = table.schema().map_or_else(|| self.default_schema.clone(), str::to_lowercase);
        match self.relations.get(&(schema, table.table().to_lowercase())) {
            Some(id) => Some(Arc::clone(id)),
            None => table.schema().map(|schema| Arc::from(format!("{schema}.{}", table.table()))),
        }
    }

    fn ephemeral(&self, cte: &str) -> Option<Arc<str>> {
        self.ephemerals.get(cte.strip_prefix(EPHEMERAL_PREFIX)?).map(Arc::clone)
    }
}
