//! `dbt_project.yml`.

use std::path::Path;

use serde_json::Value as Json;

use super::yaml::{Kind, Yaml};
use super::{Render, check_keys, render_tree};
use crate::diag::{Diagnostic, Diagnostics, Result, SourceFile, codes};

/// The settings of one project or package.
#[derive(Debug)]
pub struct ProjectConfig {
    /// The file itself, for places.
    pub tree: Yaml,
    /// Name: the first part of every fqn and unique id.
    pub name: String,
    /// Version, as written.
    pub version: Option<String>,
    /// Name of the profile in profiles.yml.
    pub profile: Option<String>,
    /// Folders of models.
    pub model_paths: Vec<String>,
    /// Folders of seeds.
    pub seed_paths: Vec<String>,
    /// Folders of tests.
    pub test_paths: Vec<String>,
    /// Folders of snapshots.
    pub snapshot_paths: Vec<String>,
    /// Folders of analyses.
    pub analysis_paths: Vec<String>,
    /// Folders of macros.
    pub macro_paths: Vec<String>,
    /// Folder for artifacts.
    pub target_path: String,
    /// Folder of installed packages.
    pub packages_install_path: String,
    /// Folders that `clean` deletes.
    pub clean_targets: Vec<String>,
    /// `vars:`, unrendered.
    pub vars: Yaml,
    /// Statements before everything else.
    pub on_run_start: Vec<String>,
    /// Statements after everything else.
    pub on_run_end: Vec<String>,
    /// Where macros of a namespace are searched.
    pub dispatch: Vec<Dispatch>,
    /// `flags:`.
    pub flags: Yaml,
    /// Other projects may use the public models of this one alone.
    pub restrict_access: bool,
}

/// One entry of `dispatch:`.
#[derive(Debug, Clone)]
pub struct Dispatch {
    /// Namespace of the call.
    pub macro_namespace: String,
    /// Packages to search, in order.
    pub search_order: Vec<String>,
}

/// The resource types that have a tree of folder configurations in `dbt_project.yml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceConfig {
    /// `models:`
    Models,
    /// `seeds:`
    Seeds,
    /// `snapshots:`
    Snapshots,
    /// `sources:`
    Sources,
    /// `data_tests:` or `tests:`
    DataTests,
    /// `unit_tests:`
    UnitTests,
    /// `exposures:`
    Exposures,
    /// `analyses:`
    Analyses,
}

impl ResourceConfig {
    /// The keys of the tree, the preferred one first.
    pub fn keys(self) -> &'static [&'static str] {
        match self {
            ResourceConfig::Models => &["models"],
            ResourceConfig::Seeds => &["seeds"],
            ResourceConfig::Snapshots => &["snapshots"],
            ResourceConfig::Sources => &["sources"],
            ResourceConfig::DataTests => &["data_tests", "tests"],
            ResourceConfig::UnitTests => &["unit_tests"],
            ResourceConfig::Exposures => &["exposures"],
            ResourceConfig::Analyses => &["analyses"],
        }
    }
}

/// Its keys.
pub(super) const KNOWN: &[&str] = &[
    "name",
    "version",
    "config-version",
    "profile",
    "model-paths",
    "seed-paths",
    "test-paths",
    "snapshot-paths",
    "analysis-paths",
    "macro-paths",
    "docs-paths",
    "asset-paths",
    "function-paths",
    "target-path",
    "log-path",
    "packages-install-path",
    "clean-targets",
    "vars",
    "on-run-start",
    "on-run-end",
    "dispatch",
    "flags",
    "quoting",
    "query-comment",
    "require-dbt-version",
    "restrict-access",
    "dbt-cloud",
    "models",
    "seeds",
    "snapshots",
    "sources",
    "tests",
    "data_tests",
    "unit_tests",
    "exposures",
    "analyses",
    "metrics",
    "semantic-models",
    "saved-queries",
    "functions",
];

impl ProjectConfig {
    /// Reads `dir/dbt_project.yml`.
    ///
    /// # Errors
    /// C1001 if it is not there, C1002 if it is no YAML, C1004 if it has no name.
    pub fn load(dir: &Path, render: &dyn Render, diagnostics: &mut Diagnostics) -> Result<ProjectConfig> {
        let path = dir.join("dbt_project.yml");
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(dir, &error))?;
        Self::of_text(text, render, diagnostics)
    }

    /// Reads the text of a `dbt_project.yml`.
    ///
    /// # Errors
    /// C1002 if it is no YAML, C1004 if it has no name.
    pub(super) fn of_text(text: String, render: &dyn Render, diagnostics: &mut Diagnostics) -> Result<ProjectConfig> {
        let file = SourceFile::new("dbt_project.yml", text);
        let mut found = Diagnostics::default();
        let Some(mut tree) = Yaml::parse(&file, &mut found) else {
            return Err(found.into_iter().next().map_or_else(|| missing_name(&Yaml::null(&file)), Box::new));
        };
        diagnostics.extend(found);
        if !matches!(tree.kind, Kind::Map(_)) {
            return Err(missing_name(&tree));
        }
        check_keys(&tree, KNOWN, "dbt_project.yml", diagnostics);
        render_tree(&mut tree, render, &is_rendered_later, diagnostics);
        Self::from_tree(tree, diagnostics)
    }

    fn from_tree(tree: Yaml, diagnostics: &mut Diagnostics) -> Result<ProjectConfig> {
        let name = tree.get("name").and_then(Yaml::scalar).ok_or_else(|| missing_name(&tree))?.into_owned();
        if !name.chars().all(|c| c.is_alphanumeric() || c == '_') || name.starts_with(|c: char| c.is_ascii_digit()) {
            let span = tree.get("name").map_or(tree.span.clone(), |value| value.span.clone());
            return Err(Diagnostic::error(codes::BAD_VALUE, format!("`{name}` cannot be the name of a project"))
                .label(span, "letters, digits and `_` alone"));
        }
        let text = |key: &str| tree.get(key).and_then(Yaml::scalar).map(std::borrow::Cow::into_owned);
        let mut paths = |key: &str, default: &str| string_list(&tree, key, diagnostics).unwrap_or(vec![default.into()]);
        let target_path = text("target-path").unwrap_or_else(|| "target".into());
        let packages_install_path = text("packages-install-path").unwrap_or_else(|| "dbt_packages".into());
        Ok(ProjectConfig {
            version: text("version"),
            profile: text("profile"),
            model_paths: paths("model-paths", "models"),
            seed_paths: paths("seed-paths", "seeds"),
            test_paths: paths("test-paths", "tests"),
            snapshot_paths: paths("snapshot-paths", "snapshots"),
            analysis_paths: paths("analysis-paths", "analyses"),
            macro_paths: paths("macro-paths", "macros"),
            clean_targets: paths("clean-targets", &target_path),
            on_run_start: string_list(&tree, "on-run-start", diagnostics).unwrap_or_default(),
            on_run_end: string_list(&tree, "on-run-end", diagnostics).unwrap_or_default(),
            vars: vars(&tree, diagnostics),
            flags: tree.get("flags").cloned().unwrap_or_else(|| Yaml::null(&tree.span.file)),
            dispatch: dispatch(&tree),
            restrict_access: tree.get("restrict-access").is_some_and(|flag| flag.to_json().as_bool() == Some(true)),
            target_path,
            packages_install_path,
            name,
            tree,
        })
    }

    /// The tree of folder configurations of one resource type, if the file has one.
    pub fn resource_tree(&self, resource: ResourceConfig) -> Option<&Yaml> {
        resource.keys().iter().find_map(|key| self.tree.get(key))
    }
}

/// Hooks are SQL templates, and vars may be anything: they are rendered where they are used.
fn is_rendered_later(path: &[String]) -> bool {
    let last = path.last().map_or("", |key| key.trim_start_matches('+'));
    matches!(path.first().map(String::as_str), Some("vars" | "on-run-start" | "on-run-end" | "query-comment"))
        || matches!(last, "pre-hook" | "post-hook" | "pre_hook" | "post_hook")
}

fn dispatch(tree: &Yaml) -> Vec<Dispatch> {
    let entries = tree.get("dispatch").map(Yaml::items).unwrap_or_default();
    entries
        .iter()
        .filter_map(|entry| {
            Some(Dispatch {
                macro_namespace: entry.get("macro_namespace")?.as_str()?.to_string(),
                search_order: entry.get("search_order")?.string_list()?,
            })
        })
        .collect()
}

fn vars(tree: &Yaml, diagnostics: &mut Diagnostics) -> Yaml {
    let vars = tree.get("vars").cloned().unwrap_or_else(|| Yaml::null(&tree.span.file));
    if !matches!(vars.to_json(), Json::Null | Json::Object(_)) {
        diagnostics.push(
            Diagnostic::error(codes::BAD_VALUE, format!("`vars` is {}", vars.describe()))
                .label(vars.span.clone(), "a mapping of names to values is expected"),
        );
    }
    vars
}

fn string_list(tree: &Yaml, key: &str, diagnostics: &mut Diagnostics) -> Option<Vec<String>> {
    let value = tree.get(key)?;
    let list = value.string_list();
    if list.is_none() {
        diagnostics.push(
            Diagnostic::error(codes::BAD_VALUE, format!("`{key}` is {}", value.describe()))
                .label(value.span.clone(), "a list of strings is expected"),
        );
    }
    list
}

fn unreadable(dir: &Path, error: &std::io::Error) -> Box<Diagnostic> {
    if error.kind() == std::io::ErrorKind::NotFound {
        let above = dir.ancestors().skip(1).find(|above| above.join("dbt_project.yml").is_file());
        return Diagnostic::error(codes::NO_PROJECT, format!("no dbt_project.yml in `{}`", dir.display()))
            .maybe_help(above.map(|above| format!("there is one in `{}`: pass --project-dir", above.display())))
            .help("`c360 init` makes a new project");
    }
    Diagnostic::error(codes::FILE_UNREADABLE, format!("dbt_project.yml cannot be read: {error}"))
}

fn missing_name(tree: &Yaml) -> Box<Diagnostic> {
    Diagnostic::error(codes::BAD_VALUE, "dbt_project.yml has no `name`")
        .label(tree.span.clone(), "")
        .help("every project has a name: `name: customer360`")
}
