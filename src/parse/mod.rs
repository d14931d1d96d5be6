//! From files to nodes: YAML properties, SQL files, Jinja blocks.
//!
//! Parsing never stops at the first mistake: it returns what it understood and every diagnostic. The order is fixed:
//! macros and docs blocks first (templates need them), then properties files, then every node in two steps. A *draft* has
//! its name, place and the settings of `dbt_project.yml` and the properties file; then its template is rendered once
//! without data (in parallel) to learn what it references and configures, and the node is *finished*: names of schema and
//! alias, checks, defaults.

mod capture;
mod docs;
mod draft;
mod finish;
mod generic;
mod keys;
mod layers;
mod models;
mod naming;
mod others;
mod properties;
mod snapshots;
mod sources;
mod test_names;
mod typos;

use std::sync::Arc;

use serde_json::Value as Json;

use crate::diag::{Diagnostic, Diagnostics, Result, Span, codes};
use crate::jinja::{Templates, World, render_yaml};
use crate::manifest::{Manifest, report_deprecated, resolve};
use crate::node::{Column, Node};
use crate::project::yaml::Yaml;
use crate::project::{Package, Project, Render};

use docs::Docs;
use properties::{Properties, Section};

/// Parses `project` and resolves its references. `world` has no resolved project yet; its environment is that of
/// `templates`.
pub fn parse(project: &Project, templates: &Templates, world: &Arc<World>, diagnostics: &mut Diagnostics) -> Manifest {
    let docs = Docs::read(project, diagnostics);
    let mut properties = Properties::default();
    for package in project.all() {
        let render = YamlRender { world, package: package.name() };
        properties.read(package, &render, diagnostics);
    }
    let mut builder =
        Builder { project, world, templates, docs, properties, diagnostics, drafts: Vec::new(), nodes: Vec::new() };
    builder.models();
    builder.seeds();
    builder.snapshots();
    builder.misplaced_tests();
    builder.analyses();
    builder.singular_tests();
    builder.sources();
    builder.exposures();
    builder.unit_tests();
    builder.operations();
    builder.finish();
    let manifest = builder.into_manifest();
    let manifest = resolve(manifest, diagnostics);
    report_deprecated(&manifest, world.invocation.started_at, diagnostics);
    manifest
}

/// The state of a parse.
struct Builder<'a> {
    project: &'a Project,
    world: &'a Arc<World>,
    templates: &'a Templates,
    docs: Docs,
    properties: Properties,
    diagnostics: &'a mut Diagnostics,
    /// Nodes whose templates have not been looked at.
    drafts: Vec<Node>,
    /// Nodes that are done.
    nodes: Vec<Node>,
}

impl<'a> Builder<'a> {
    fn package(&self, name: &str) -> &'a Package {
        self.project.all().find(|package| package.name() == name).unwrap_or(&self.project.root)
    }

    /// The description of an entry, docs blocks filled in.
    fn description(&mut self, yaml: &Yaml, package: &str) -> String {
        match yaml.get("description") {
            Some(text) => self.describe(text, package),
            None => String::new(),
        }
    }

    /// A text in which `{{ doc('x') }}` may stand.
    fn describe(&mut self, text: &Yaml, package: &str) -> String {
        let raw = text.scalar().unwrap_or_default();
        if !raw.contains("{{") {
            return raw.into_owned();
        }
        let rendered = self.docs.render(&raw, &text.span, package, self.project.root.name());
        self.diagnostics.take(rendered).unwrap_or_default()
    }

    /// The declared columns of an entry, each with its YAML.
    fn columns(&mut self, yaml: &Yaml, package: &str) -> Vec<(Column, Yaml)> {
        let mut columns = properties::columns(yaml, self.diagnostics);
        for (column, yaml) in &mut columns {
            column.description = self.description(yaml, package);
        }
        columns
    }

    fn into_manifest(self) -> Manifest {
        let names = |section: Section| -> Vec<String> {
            let wanted = match section {
                Section::Models => "model",
                Section::Seeds => "seed",
                Section::Snapshots => "snapshot",
                Section::Analyses => "analysis",
                Section::DataTests => "test",
                _ => "macro",
            };
            self.nodes
                .iter()
                .filter(|node| node.resource_type.as_str() == wanted)
                .map(|node| node.name.clone())
                .collect()
        };
        self.properties.report_unused(&names, self.diagnostics);
        typos::report_folders(&self.project.root, self.nodes.iter(), self.diagnostics);
        let mut nodes = self.nodes;
        for node in &mut nodes {
            node.unrendered_config = node.config.written().clone();
        }
        let restricted = self.project.packages.iter().filter(|package| package.config.restrict_access);
        let mut manifest = Manifest {
            restricted: restricted.map(|package| package.name().to_string()).collect(),
            project_name: self.project.root.name().to_string(),
            nodes,
            macros: self.templates.macro_infos(),
            docs: self.docs.into_blocks(),
            selectors: self.project.selectors.clone(),
            kept: self.properties.kept.clone(),
            ..Manifest::default()
        };
        manifest.groups = others::groups(&self.properties);
        others::describe_macros(&mut manifest.macros, &self.properties);
        manifest
    }
}

/// Renders templates in the YAML files of one package.
struct YamlRender<'a> {
    world: &'a Arc<World>,
    package: &'a str,
}

impl Render for YamlRender<'_> {
    fn render(&self, text: &str, span: &Span) -> Result<Json> {
        render_yaml(self.world, self.package, text, span)
    }
}

/// A configuration value that its node cannot have.
fn bad_config(node: &Node, key: &str, message: impl Into<String>) -> Box<Diagnostic> {
    let span = node.config.span(key).cloned().unwrap_or_else(|| node.place());
    Diagnostic::error(codes::BAD_CONFIG, message).label(span, "set here").of_node(&node.unique_id)
}

/// The keys of properties files and the settings of nodes, by family: for the reference.
#[cfg(test)]
pub(crate) fn known_keys() -> Vec<(&'static str, Vec<&'static str>)> {
    let section = |section| keys::of_section(section).to_vec();
    vec![
        ("settings", typos::KNOWN.to_vec()),
        ("file", keys::FILE.to_vec()),
        ("model", section(Section::Models)),
        ("column", keys::COLUMN.to_vec()),
        ("source", section(Section::Sources)),
        ("table", keys::SOURCE_TABLE.to_vec()),
        ("external", keys::EXTERNAL.to_vec()),
        ("exposure", section(Section::Exposures)),
        ("unit test", section(Section::UnitTests)),
        ("macro", section(Section::Macros)),
        ("group", section(Section::Groups)),
    ]
}
