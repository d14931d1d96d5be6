//! Seeds, analyses, singular tests, exposures, unit tests, hooks of the project, groups and selectors.

use serde_json::{Value as Json, json};

use super::Builder;
use super::draft::{defaults, folders, fqn, node, stem, whole_file};
use super::generic::Subject;
use super::layers::folder_config;
use super::models::patch_config;
use super::properties::{Properties, Section, object};
use crate::diag::{Diagnostic, SourceFile, codes};
use crate::jinja;
use crate::manifest::{Group, MacroInfo};
use crate::node::{NodeKind, ResourceType, UnitTest};
use crate::project::yaml::Yaml;
use crate::project::{FileKind, ProjectFile, ResourceConfig};

impl Builder<'_> {
    /// A node for each seed file.
    pub(super) fn seeds(&mut self) {
        for package in self.project.all() {
            for file in package.files_of(FileKind::Seed) {
                let name = stem(&file.path);
                let fqn = fqn(package, &file.path, name);
                let mut node = whole_file(package.name(), name, ResourceType::Seed, file, fqn, NodeKind::Seed);
                node.config = folder_config(self.project, package, ResourceConfig::Seeds, &node.fqn);
                if let Some(index) = self.properties.patch_index(Section::Seeds, package.name(), name) {
                    let entry = self.properties.entries[index].clone();
                    self.patch(&mut node, &entry, None);
                    let columns = self.columns(&entry.yaml, &entry.package);
                    let subject = Subject {
                        unique_id: node.unique_id.clone(),
                        name: name.to_string(),
                        source: None,
                        call: format!("ref('{name}')"),
                        file_key: format!("seeds.{name}"),
                        version: None,
                    };
                    self.generic_tests(&entry, &entry.yaml.clone(), &columns, &subject);
                }
                self.drafts.push(node);
            }
        }
    }

    /// A draft for each analysis.
    pub(super) fn analyses(&mut self) {
        for package in self.project.all() {
            for file in package.files_of(FileKind::Analysis) {
                let name = stem(&file.path);
                let mut parts = vec![package.name().to_string(), "analysis".to_string()];
                parts.extend(folders(&file.path));
                parts.push(name.to_string());
                let mut node =
                    whole_file(package.name(), name, ResourceType::Analysis, file, parts, NodeKind::Analysis);
                node.path = format!("analysis/{}", file.path);
                node.config = folder_config(self.project, package, ResourceConfig::Analyses, &node.fqn);
                if let Some(index) = self.properties.patch_index(Section::Analyses, package.name(), name) {
                    let entry = self.properties.entries[index].clone();
                    self.patch(&mut node, &entry, None);
                }
                self.drafts.push(node);
            }
        }
    }

    /// A draft for each singular test.
    pub(super) fn singular_tests(&mut self) {
        for package in self.project.all() {
            for file in package.files_of(FileKind::SingularTest) {
                let name = stem(&file.path);
                let fqn = fqn(package, &file.path, name);
                let mut node = whole_file(package.name(), name, ResourceType::Test, file, fqn, NodeKind::Test(None));
                node.config = folder_config(self.project, package, ResourceConfig::DataTests, &node.fqn);
                if let Some(index) = self.properties.patch_index(Section::DataTests, package.name(), name) {
                    let entry = self.properties.entries[index].clone();
                    self.patch(&mut node, &entry, None);
                }
                self.drafts.push(node);
            }
        }
    }

    /// A node for each exposure.
    pub(super) fn exposures(&mut self) {
        for entry in self.properties.of(Section::Exposures).cloned().collect::<Vec<_>>() {
            let package = self.package(&entry.package);
            let fqn = fqn(package, &entry.file.path, &entry.name);
            let parts = Json::Object(object(Some(&entry.yaml)));
            let kind = NodeKind::Exposure(Box::new(parts));
            let mut node = node(&entry.package, &entry.name, ResourceType::Exposure, &entry.file, fqn, kind);
            node.patch = Some(entry.name_span.clone());
            node.description = self.description(&entry.yaml, &entry.package);
            node.config = folder_config(self.project, package, ResourceConfig::Exposures, &node.fqn);
            patch_config(&mut node.config, &entry.yaml);
            if let Some(enabled) = entry.yaml.get("enabled") {
                node.config.set("enabled", enabled.to_json(), Some(enabled.span.clone()));
            }
            defaults(&mut node.config, ResourceType::Exposure);
            for item in entry.yaml.get("depends_on").map(Yaml::items).unwrap_or_default() {
                let text = item.scalar().unwrap_or_default();
                let found = jinja::literal_references(&text, &item.span);
                if text.trim().starts_with("metric(") {
                    continue;
                }
                if found.0.is_empty() && found.1.is_empty() {
                    self.diagnostics.push(
                        Diagnostic::error(codes::BAD_VALUE, format!("exposure `{}` depends on `{text}`", entry.name))
                            .label(item.span.clone(), "`ref('...')` or `source('...', '...')` is expected"),
                    );
                }
                node.refs.extend(found.0);
                node.sources.extend(found.1);
            }
            self.nodes.push(node);
        }
    }

    /// A node for each unit test.
    pub(super) fn unit_tests(&mut self) {
        for entry in self.properties.of(Section::UnitTests).cloned().collect::<Vec<_>>() {
            let package = self.package(&entry.package);
            let model = entry.yaml.get("model").and_then(Yaml::scalar).unwrap_or_default().into_owned();
            let mut fqn = vec![entry.package.clone()];
            fqn.extend(folders(&entry.file.path));
            fqn.extend([model.clone(), entry.name.clone()]);
            let json = |key: &str| entry.yaml.get(key).map_or(Json::Null, Yaml::to_json);
            let given = match json("given") {
                Json::Array(items) => items,
                _ => Vec::new(),
            };
            let unit = UnitTest {
                model: model.clone(),
                given,
                expect: json("expect"),
                overrides: json("overrides"),
                version: None,
            };
            let kind = NodeKind::UnitTest(Box::new(unit));
            let mut node = node(&entry.package, &entry.name, ResourceType::UnitTest, &entry.file, fqn, kind);
            node.unique_id = format!("unit_test.{}.{model}.{}", entry.package, entry.name);
            node.patch = Some(entry.name_span.clone());
            node.description = self.description(&entry.yaml, &entry.package);
            node.config = folder_config(self.project, package, ResourceConfig::UnitTests, &node.fqn);
            patch_config(&mut node.config, &entry.yaml);
            defaults(&mut node.config, ResourceType::UnitTest);
            let span = entry.yaml.get("model").map_or(entry.name_span.clone(), |model| model.span.clone());
            node.refs.push(crate::node::RefCall { package: None, name: model, version: None, span: Some(span) });
            self.nodes.push(node);
        }
    }

    /// `on-run-start` and `on-run-end` of all packages, as operations.
    pub(super) fn operations(&mut self) {
        for package in self.project.all() {
            let hooks = [("on-run-start", &package.config.on_run_start), ("on-run-end", &package.config.on_run_end)];
            for (when, list) in hooks {
                for (index, sql) in list.iter().enumerate() {
                    let name = format!("{}-{when}-{index}", package.name());
                    let file = ProjectFile {
                        kind: FileKind::Macro,
                        path: format!("hooks/{name}.sql"),
                        original_path: "dbt_project.yml".into(),
                        source: SourceFile::new("dbt_project.yml", sql.clone()),
                        size: 0,
                    };
                    let fqn = vec![package.name().to_string(), "hooks".into(), name.clone()];
                    let mut node =
                        whole_file(package.name(), &name, ResourceType::Operation, &file, fqn, NodeKind::Operation);
                    node.config.replace("tags", json!([when]));
                    node.config.replace("index", json!(index));
                    self.drafts.push(node);
                }
            }
        }
    }
}

/// Groups, as declared.
pub(super) fn groups(properties: &Properties) -> Vec<Group> {
    let group = |entry: &std::sync::Arc<super::properties::Entry>| Group {
        name: entry.name.clone(),
        package: entry.package.clone(),
        original_path: entry.file.original_path.clone(),
        owner: entry.yaml.get("owner").map_or(Json::Null, Yaml::to_json),
        span: entry.name_span.clone(),
    };
    properties.of(Section::Groups).map(group).collect()
}

/// What properties files say of macros.
pub(super) fn describe_macros(macros: &mut [MacroInfo], properties: &Properties) {
    for entry in properties.of(Section::Macros) {
        let found = macros.iter_mut().find(|info| info.name == entry.name && info.package == entry.package);
        if let Some(info) = found {
            info.description = entry.yaml.get("description").and_then(Yaml::scalar).unwrap_or_default().into_owned();
            info.meta = object(entry.yaml.get("meta"));
            let arguments = entry.yaml.get("arguments").map(Yaml::items).unwrap_or_default();
            info.arguments = arguments.iter().map(Yaml::to_json).collect();
        }
    }
}
