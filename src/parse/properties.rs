//! Properties files: what YAML says of models, sources, tests and the rest.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::keys;
use crate::diag::{Diagnostic, Diagnostics, Span, codes};
use crate::jinja::STACK_SIZE;
use crate::node::{Column, Constraint};
use crate::project::yaml::{Kind, Yaml};
use crate::project::{FileKind, Package, ProjectFile, Render, check_keys, render_tree};
use crate::stdx::in_parallel;

/// The sections of a properties file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Section {
    Models,
    Seeds,
    Snapshots,
    Analyses,
    Macros,
    DataTests,
    Sources,
    Exposures,
    UnitTests,
    Groups,
}

impl Section {
    const ALL: [(Section, &'static str); 10] = [
        (Section::Models, "models"),
        (Section::Seeds, "seeds"),
        (Section::Snapshots, "snapshots"),
        (Section::Analyses, "analyses"),
        (Section::Macros, "macros"),
        (Section::DataTests, "data_tests"),
        (Section::Sources, "sources"),
        (Section::Exposures, "exposures"),
        (Section::UnitTests, "unit_tests"),
        (Section::Groups, "groups"),
    ];

    pub(super) fn key(self) -> &'static str {
        Self::ALL.iter().find(|(section, _)| *section == self).map_or("", |(_, key)| key)
    }
}

/// One entry of a section: the YAML under `- name: ...`.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) section: Section,
    pub(super) name: String,
    pub(super) name_span: Span,
    /// Package that the file belongs to.
    pub(super) package: String,
    /// The file, for paths and for the folder that tests take their fqn from.
    pub(super) file: ProjectFile,
    pub(super) yaml: Yaml,
}

/// All entries of all properties files.
#[derive(Debug, Default)]
pub(super) struct Properties {
    pub(super) entries: Vec<Arc<Entry>>,
    /// Patches by section, package and name.
    index: HashMap<(Section, String, String), usize>,
    used: Vec<bool>,
    /// Sections that are kept as they are: metrics, semantic models, saved queries.
    pub(super) kept: Map<String, Json>,
}

/// Below this many files a second thread is not worth its start.
const FILES_PER_THREAD: usize = 4;

impl Properties {
    /// Reads the properties files of `package`.
    pub(super) fn read(&mut self, package: &Package, render: &dyn Render, diagnostics: &mut Diagnostics) {
        let files: Vec<&ProjectFile> = package.files_of(FileKind::Properties).collect();
        let trees = in_parallel(&files, FILES_PER_THREAD, STACK_SIZE, |file| {
            let mut found = Diagnostics::default();
            (Yaml::parse(&file.source, &mut found), found)
        });
        for (file, (tree, found)) in files.into_iter().zip(trees) {
            diagnostics.extend(found);
            let Some(mut tree) = tree else { continue };
            if tree.is_null() {
                continue;
            }
            if !matches!(tree.kind, Kind::Map(_)) {
                diagnostics.push(
                    Diagnostic::error(codes::BAD_VALUE, format!("`{}` is {}", file.original_path, tree.describe()))
                        .label(tree.span.clone(), "sections such as `models:` or `sources:` are expected"),
                );
                continue;
            }
            render_tree(&mut tree, render, &keys::is_rendered_later, diagnostics);
            check_keys(&tree, keys::FILE, "a properties file", diagnostics);
            self.sections(package, file, &tree, diagnostics);
        }
    }

    fn sections(&mut self, package: &Package, file: &ProjectFile, tree: &Yaml, diagnostics: &mut Diagnostics) {
        for (key, value) in tree.entries() {
            let name = if key.name == "tests" { "data_tests" } else { key.name.as_str() };
            if let Some((section, _)) = Section::ALL.iter().find(|(_, section)| *section == name) {
                self.section(*section, package, file, value, diagnostics);
            } else if matches!(name, "metrics" | "semantic_models" | "saved_queries") {
                let list = self.kept.entry(name.to_string()).or_insert_with(|| Json::Array(Vec::new()));
                let Json::Array(list) = list else { continue };
                for item in value.items() {
                    if let Json::Object(mut entry) = item.to_json() {
                        entry.insert("package_name".into(), package.name().into());
                        entry.insert("original_file_path".into(), file.original_path.as_str().into());
                        list.push(Json::Object(entry));
                    }
                }
            }
        }
    }

    fn section(
        &mut self,
        section: Section,
        package: &Package,
        file: &ProjectFile,
        value: &Yaml,
        diagnostics: &mut Diagnostics,
    ) {
        if !matches!(value.kind, Kind::Seq(_) | Kind::Null) {
            diagnostics.push(
                Diagnostic::error(codes::BAD_VALUE, format!("`{}` is {}", section.key(), value.describe()))
                    .label(value.span.clone(), "a list is expected: each entry starts with `- name:`"),
            );
        }
        for item in value.items() {
            let Some(name) = item.get("name").and_then(Yaml::scalar).filter(|name| !name.is_empty()) else {
                diagnostics.push(
                    Diagnostic::error(codes::BAD_VALUE, format!("an entry of `{}` has no name", section.key()))
                        .label(item.span.clone(), "`name:` is missing"),
                );
                continue;
            };
            let name_span = item.get("name").map_or(item.span.clone(), |name| name.span.clone());
            check_keys(item, keys::of_section(section), keys::describe(section), diagnostics);
            let entry = Entry {
                section,
                name: name.into_owned(),
                name_span,
                package: package.name().to_string(),
                file: file.clone(),
                yaml: item.clone(),
            };
            self.push(entry, diagnostics);
        }
    }

    fn push(&mut self, entry: Entry, diagnostics: &mut Diagnostics) {
        let is_patch = !matches!(entry.section, Section::Sources);
        let key = (entry.section, entry.package.clone(), entry.name.clone());
        if is_patch && let Some(first) = self.index.get(&key) {
            let what = keys::describe(entry.section);
            diagnostics.push(
                Diagnostic::error(codes::DUPLICATE_PATCH, format!("{what} `{}` is described twice", entry.name))
                    .label(entry.name_span.clone(), "here")
                    .label(self.entries[*first].name_span.clone(), "and here")
                    .help("put everything about it into one place"),
            );
            return;
        }
        self.index.insert(key, self.entries.len());
        self.entries.push(Arc::new(entry));
        self.used.push(false);
    }

    /// Number of the entry that describes `name`, which is then taken as used.
    pub(super) fn patch_index(&mut self, section: Section, package: &str, name: &str) -> Option<usize> {
        let index = *self.index.get(&(section, package.to_string(), name.to_string()))?;
        self.used[index] = true;
        Some(index)
    }

    /// Numbers of the entries of one section that describe nothing so far.
    pub(super) fn unused(&self, section: Section) -> Vec<usize> {
        let unused =
            |(index, entry): (usize, &Arc<Entry>)| (entry.section == section && !self.used[index]).then_some(index);
        self.entries.iter().enumerate().filter_map(unused).collect()
    }

    /// Takes an entry as used, although it describes nothing.
    pub(super) fn take(&mut self, index: usize) {
        self.used[index] = true;
    }

    /// Entries of one section.
    pub(super) fn of(&self, section: Section) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.iter().filter(move |entry| entry.section == section)
    }

    /// Reports entries that describe something that is not there.
    pub(super) fn report_unused(&self, names: &dyn Fn(Section) -> Vec<String>, diagnostics: &mut Diagnostics) {
        for (entry, used) in self.entries.iter().zip(&self.used) {
            let is_patch =
                matches!(entry.section, Section::Models | Section::Seeds | Section::Analyses | Section::DataTests);
            let is_snapshot_patch = entry.section == Section::Snapshots && entry.yaml.get("relation").is_none();
            if *used || !(is_patch || is_snapshot_patch) {
                continue;
            }
            let what = keys::describe(entry.section);
            let names = names(entry.section);
            let near = crate::stdx::closest(&entry.name, names.iter().map(String::as_str));
            diagnostics.push(
                Diagnostic::warning(codes::PATCH_WITHOUT_NODE, format!("no file for {what} `{}`", entry.name))
                    .label(entry.name_span.clone(), "described here, found nowhere")
                    .maybe_help(near.map(|name| format!("`{name}` exists"))),
            );
        }
    }
}

/// The declared columns of an entry.
pub(super) fn columns(yaml: &Yaml, diagnostics: &mut Diagnostics) -> Vec<(Column, Yaml)> {
    let mut out: Vec<(Column, Yaml)> = Vec::new();
    for item in yaml.get("columns").map(Yaml::items).unwrap_or_default() {
        let Some(name) = item.get("name").and_then(Yaml::scalar) else {
            diagnostics.push(
                Diagnostic::error(codes::BAD_VALUE, "a column has no name")
                    .label(item.span.clone(), "`name:` is missing"),
            );
            continue;
        };
        check_keys(item, keys::COLUMN, "a column", diagnostics);
        let config = item.get("config");
        let from = |key: &str| item.get(key).or_else(|| config.and_then(|config| config.get(key)));
        let mut meta = object(config.and_then(|config| config.get("meta")));
        meta.extend(object(item.get("meta")));
        let column = Column {
            name: name.into_owned(),
            description: String::new(),
            data_type: item.get("data_type").and_then(Yaml::scalar).map(std::borrow::Cow::into_owned),
            meta,
            tags: from("tags").and_then(Yaml::string_list).unwrap_or_default(),
            quote: item.get("quote").and_then(Yaml::as_bool),
            constraints: constraints(item),
            span: item.span.clone(),
        };
        out.push((column, item.clone()));
    }
    out
}

/// The constraints of a model or column.
pub(super) fn constraints(yaml: &Yaml) -> Vec<Constraint> {
    let items = yaml.get("constraints").map(Yaml::items).unwrap_or_default();
    let text = |item: &Yaml, key: &str| item.get(key).and_then(Yaml::scalar).map(std::borrow::Cow::into_owned);
    items
        .iter()
        .filter_map(|item| {
            Some(Constraint {
                kind: text(item, "type")?,
                name: text(item, "name"),
                expression: text(item, "expression"),
                columns: item.get("columns").and_then(Yaml::string_list).unwrap_or_default(),
            })
        })
        .collect()
}

/// A mapping as an object; empty for anything else.
pub(super) fn object(yaml: Option<&Yaml>) -> Map<String, Json> {
    match yaml.map(Yaml::to_json) {
        Some(Json::Object(map)) => map,
        _ => Map::new(),
    }
}
