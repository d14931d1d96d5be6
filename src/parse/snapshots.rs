//! Snapshots: blocks in SQL files, or entries of properties files with a `relation`.

use std::sync::Arc;

use serde_json::json;

use super::Builder;
use super::draft::{folders, node};
use super::generic::Subject;
use super::layers::folder_config;
use super::properties::{Entry, Section};
use crate::jinja;
use crate::node::{Node, NodeKind, ResourceType};
use crate::project::yaml::Yaml;
use crate::project::{FileKind, ResourceConfig};

impl Builder<'_> {
    /// A draft for each snapshot.
    pub(super) fn snapshots(&mut self) {
        for package in self.project.all() {
            for file in package.files_of(FileKind::Snapshot) {
                for block in jinja::snapshot_blocks(&file.source, self.diagnostics) {
                    let mut fqn = vec![package.name().to_string()];
                    fqn.extend(folders(&file.path));
                    fqn.extend([super::draft::stem(&file.path).to_string(), block.name.clone()]);
                    let name = block.name.clone();
                    let mut node = node(package.name(), &name, ResourceType::Snapshot, file, fqn, NodeKind::Snapshot);
                    node.raw_code = block.text;
                    node.code_start = block.start as u32;
                    node.config = folder_config(self.project, package, ResourceConfig::Snapshots, &node.fqn);
                    if let Some(index) = self.properties.patch_index(Section::Snapshots, package.name(), &name) {
                        let entry = self.properties.entries[index].clone();
                        self.patch(&mut node, &entry, None);
                        self.snapshot_tests(&node, &entry);
                    }
                    self.drafts.push(node);
                }
            }
        }
        let entries: Vec<Arc<Entry>> = self.properties.of(Section::Snapshots).cloned().collect();
        for entry in entries.iter().filter(|entry| entry.yaml.get("relation").is_some()) {
            self.yaml_snapshot(entry);
        }
    }

    fn yaml_snapshot(&mut self, entry: &Entry) {
        let package = self.package(&entry.package);
        let mut fqn = vec![entry.package.clone()];
        fqn.extend(folders(&entry.file.path));
        fqn.push(entry.name.clone());
        let kind = NodeKind::Snapshot;
        let mut node = node(&entry.package, &entry.name, ResourceType::Snapshot, &entry.file, fqn, kind);
        let relation = entry.yaml.get("relation").and_then(Yaml::scalar).unwrap_or_default();
        node.raw_code = format!("select * from {{{{ {relation} }}}}");
        node.config = folder_config(self.project, package, ResourceConfig::Snapshots, &node.fqn);
        node.config.set_default("relation", json!(relation));
        self.patch(&mut node, entry, None);
        self.snapshot_tests(&node, entry);
        self.drafts.push(node);
    }

    fn snapshot_tests(&mut self, node: &Node, entry: &Entry) {
        let columns = self.columns(&entry.yaml, &entry.package);
        let subject = Subject {
            unique_id: node.unique_id.clone(),
            name: node.name.clone(),
            source: None,
            call: format!("ref('{}')", node.name),
            file_key: format!("snapshots.{}", node.name),
            version: None,
        };
        self.generic_tests(entry, &entry.yaml, &columns, &subject);
    }
}
