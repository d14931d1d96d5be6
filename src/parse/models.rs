//! Models, with their versions.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde_json::{Value as Json, json};

use super::Builder;
use super::draft::{fqn, stem, whole_file};
use super::generic::Subject;
use super::layers::folder_config;
use super::properties::{self, Entry, Section};
use crate::diag::{Diagnostic, codes};
use crate::node::{Column, Config, ModelParts, Node, NodeKind, ResourceType, plain};
use crate::project::yaml::{Kind, Yaml};
use crate::project::{FileKind, Package, ProjectFile, ResourceConfig};

/// One version of a model, as its properties declare it.
struct Version {
    value: Json,
    file: String,
    yaml: Yaml,
}

impl Builder<'_> {
    /// A draft for each model file. A model with versions has one file for each.
    pub(super) fn models(&mut self) {
        for package in self.project.all() {
            let mut versioned = self.versioned_files(package);
            for file in package.files_of(FileKind::Model) {
                let name = stem(&file.path);
                self.check_file_name(file, name);
                match versioned.iter().position(|(_, version)| version.file == name) {
                    Some(at) => {
                        let (entry, version) = versioned.remove(at);
                        self.model(package, file, &entry.name.clone(), Some(entry), Some(version));
                    }
                    None => {
                        let patch = self.properties.patch_index(Section::Models, package.name(), name);
                        let entry = patch.map(|index| self.properties.entries[index].clone());
                        let entry = entry.filter(|entry| entry.yaml.get("versions").is_none());
                        self.model(package, file, name, entry, None);
                    }
                }
            }
            for (entry, version) in versioned {
                self.diagnostics.push(
                    Diagnostic::error(
                        codes::PATCH_WITHOUT_NODE,
                        format!("no file for version {} of model `{}`", plain(&version.value), entry.name),
                    )
                    .label(version.yaml.span.clone(), format!("`{}.sql` is expected", version.file))
                    .help("name another file with `defined_in:`"),
                );
            }
        }
    }

    fn versioned_files(&mut self, package: &Package) -> Vec<(Arc<Entry>, Version)> {
        let has_versions =
            |entry: &&Arc<Entry>| entry.package == package.name() && entry.yaml.get("versions").is_some();
        let entries: Vec<Arc<Entry>> = self.properties.of(Section::Models).filter(has_versions).cloned().collect();
        let names: Vec<&str> = package.files_of(FileKind::Model).map(|file| stem(&file.path)).collect();
        let mut out = Vec::new();
        for entry in entries {
            self.properties.patch_index(Section::Models, package.name(), &entry.name);
            let latest = latest_version(&entry.yaml);
            for yaml in entry.yaml.get("versions").map(Yaml::items).unwrap_or_default() {
                let Some(value) = yaml.get("v").map(Yaml::to_json) else { continue };
                let text = plain(&value);
                let by_default = format!("{}_v{text}", entry.name);
                let file = match yaml.get("defined_in").and_then(Yaml::scalar) {
                    Some(file) => file.trim_end_matches(".sql").to_string(),
                    // The latest version may keep the file without a suffix.
                    None if !names.contains(&by_default.as_str())
                        && names.contains(&entry.name.as_str())
                        && latest.as_ref() == Some(&value) =>
                    {
                        entry.name.clone()
                    }
                    None => by_default,
                };
                out.push((entry.clone(), Version { value, file, yaml: yaml.clone() }));
            }
        }
        out
    }

    fn check_file_name(&mut self, file: &ProjectFile, name: &str) {
        if name.contains(' ') {
            self.diagnostics.push(
                Diagnostic::error(codes::BAD_VALUE, format!("`{name}` cannot be the name of a model"))
                    .label(crate::diag::Span::start_of(&file.source), "the name of the file is the name of the model")
                    .help("write `_` for spaces"),
            );
        }
    }

    fn model(
        &mut self,
        package: &Package,
        file: &ProjectFile,
        name: &str,
        entry: Option<Arc<Entry>>,
        version: Option<Version>,
    ) {
        let mut fqn = fqn(package, &file.path, name);
        let mut parts = ModelParts::default();
        if let Some(version) = &version {
            fqn.push(format!("v{}", plain(&version.value)));
            parts.version = Some(version.value.clone());
            parts.latest_version = entry.as_ref().and_then(|entry| latest_version(&entry.yaml));
        }
        if let Some(entry) = &entry {
            parts.constraints = properties::constraints(&entry.yaml);
            let own = version.as_ref().and_then(|version| version.yaml.get("deprecation_date"));
            parts.deprecation_date =
                own.or(entry.yaml.get("deprecation_date")).and_then(|date| self.deprecation_date(date));
        }
        let mut node = whole_file(package.name(), name, ResourceType::Model, file, fqn, NodeKind::Model(parts));
        node.config = folder_config(self.project, package, ResourceConfig::Models, &node.fqn);
        if let Some(version) = &version {
            node.unique_id = format!("{}.v{}", node.unique_id, plain(&version.value));
            node.config.set_default("alias", json!(format!("{name}_v{}", plain(&version.value))));
        }
        if let Some(entry) = &entry {
            let columns = self.patch(&mut node, entry, version.as_ref().map(|version| &version.yaml));
            let yaml = version.as_ref().map_or(&entry.yaml, |version| &version.yaml);
            self.model_tests(&node, entry, yaml, version.as_ref(), &columns);
        }
        self.drafts.push(node);
    }

    /// A day, or a moment.
    fn deprecation_date(&mut self, yaml: &Yaml) -> Option<DateTime<Utc>> {
        let text = plain(&yaml.to_json());
        let day = || NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
        let moment = || {
            let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
            formats.iter().find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok())
        };
        let exact =
            DateTime::parse_from_rfc3339(&text).or_else(|_| DateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S%.f%:z"));
        let date = exact.map(|date| date.to_utc()).ok().or_else(|| day().or_else(moment).map(|date| date.and_utc()));
        if date.is_none() && !text.is_empty() && text != "null" {
            self.diagnostics.push(
                Diagnostic::error(codes::BAD_VALUE, format!("`deprecation_date` is `{text}`"))
                    .label(yaml.span.clone(), "a date is expected: 2025-12-31"),
            );
        }
        date
    }

    fn model_tests(
        &mut self,
        node: &Node,
        entry: &Entry,
        yaml: &Yaml,
        version: Option<&Version>,
        columns: &[(Column, Yaml)],
    ) {
        let has_own = |yaml: &Yaml| yaml.get("data_tests").is_some() || yaml.get("tests").is_some();
        let tests = if has_own(yaml) { yaml } else { &entry.yaml };
        let text = version.map(|version| plain(&version.value));
        let subject = Subject {
            unique_id: node.unique_id.clone(),
            name: node.name.clone(),
            source: None,
            call: match &text {
                Some(version) => format!("ref('{}', version='{version}')", node.name),
                None => format!("ref('{}')", node.name),
            },
            file_key: format!("{}.{}", entry.section.key(), node.name),
            version: text.map(|version| format!("v{version}")),
        };
        self.generic_tests(entry, tests, columns, &subject);
    }

    /// Applies what a properties file says of `node` (and of its version) to it; its columns are returned with their YAML.
    pub(super) fn patch(&mut self, node: &mut Node, entry: &Entry, version: Option<&Yaml>) -> Vec<(Column, Yaml)> {
        node.patch = Some(entry.name_span.clone());
        node.description = self.description(&entry.yaml, &entry.package);
        patch_config(&mut node.config, &entry.yaml);
        if let Some(version) = version {
            if version.get("description").is_some() {
                node.description = self.description(version, &entry.package);
            }
            patch_config(&mut node.config, version);
        }
        let columns = self.version_columns(entry, version);
        node.columns = columns.iter().map(|(column, _)| column.clone()).collect();
        columns
    }

    /// The columns of an entry; those of a version stand over them, or choose from them with `include`.
    fn version_columns(&mut self, entry: &Entry, version: Option<&Yaml>) -> Vec<(Column, Yaml)> {
        let shared = self.columns(&entry.yaml, &entry.package);
        let Some(list) = version.and_then(|version| version.get("columns")) else { return shared };
        let Some(yaml) = version else { return shared };
        let own = self.own_version_columns(yaml, &entry.package);
        let choice = list.items().iter().find(|item| item.get("include").is_some());
        let included = choice.and_then(|item| item.get("include"));
        let excluded = choice.and_then(|item| item.get("exclude")).and_then(Yaml::string_list).unwrap_or_default();
        let keep = |name: &str| match included.map(|value| (&value.kind, value.string_list())) {
            Some((Kind::Str(word), _)) if word == "*" || word == "all" => !excluded.contains(&name.to_string()),
            Some((_, Some(names))) => names.iter().any(|other| other == name),
            _ => own.is_empty(),
        };
        let mut columns: Vec<(Column, Yaml)> = shared.into_iter().filter(|(column, _)| keep(&column.name)).collect();
        columns.retain(|(column, _)| !own.iter().any(|(other, _)| other.name == column.name));
        columns.extend(own);
        columns
    }

    fn own_version_columns(&mut self, version: &Yaml, package: &str) -> Vec<(Column, Yaml)> {
        let named = Yaml {
            kind: match &version.kind {
                Kind::Map(entries) => Kind::Map(
                    entries
                        .iter()
                        .map(|(key, value)| match &value.kind {
                            Kind::Seq(items) if key.name == "columns" => {
                                let items = items.iter().filter(|item| item.get("name").is_some()).cloned().collect();
                                (key.clone(), Yaml::new(Kind::Seq(items), value.span.clone()))
                            }
                            _ => (key.clone(), value.clone()),
                        })
                        .collect(),
                ),
                other => other.clone(),
            },
            ..version.clone()
        };
        self.columns(&named, package)
    }
}

/// The version that a reference without one means: declared, or the greatest.
fn latest_version(yaml: &Yaml) -> Option<Json> {
    if let Some(latest) = yaml.get("latest_version") {
        return Some(latest.to_json());
    }
    let versions = yaml.get("versions").map(Yaml::items).unwrap_or_default();
    let values: Vec<Json> = versions.iter().filter_map(|version| version.get("v").map(Yaml::to_json)).collect();
    let number = |value: &Json| plain(value).parse::<f64>().ok();
    match values.iter().all(|value| number(value).is_some()) {
        true => {
            values.into_iter().max_by(|a, b| number(a).partial_cmp(&number(b)).unwrap_or(std::cmp::Ordering::Equal))
        }
        false => values.into_iter().max_by_key(plain),
    }
}

/// `config:` of an entry, and the settings that may stand beside it.
pub(super) fn patch_config(config: &mut Config, yaml: &Yaml) {
    for key in ["meta", "docs", "tags", "access", "group", "publish"] {
        if let Some(value) = yaml.get(key) {
            config.set_written(key, value.to_json(), value.as_written(), Some(value.span.clone()));
        }
    }
    if let Some(own) = yaml.get("config") {
        for (key, value) in own.entries() {
            config.set_written(&key.name, value.to_json(), value.as_written(), Some(key.span.clone()));
        }
    }
}
