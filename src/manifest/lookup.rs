//! What a reference means.

use std::collections::HashMap;

use crate::diag::{Diagnostic, codes};
use crate::node::{Node, NodeKind, RefCall, ResourceType, SourceCall, plain};
use crate::stdx::closest;

/// Finds the nodes that `ref()` and `source()` mean. Built once, over enabled and disabled nodes.
#[derive(Debug, Default)]
pub struct Lookup {
    refables: HashMap<String, Vec<Target>>,
    sources: HashMap<(String, String), Vec<Target>>,
    root: String,
}

#[derive(Debug, Clone)]
struct Target {
    unique_id: String,
    package: String,
    version: Option<String>,
    is_latest: bool,
    enabled: bool,
}

impl Lookup {
    /// A lookup over `nodes`; `root` is the name of the root project.
    pub fn new<'a>(nodes: impl Iterator<Item = &'a Node>, root: &str) -> Lookup {
        let mut lookup = Lookup { root: root.to_string(), ..Lookup::default() };
        for node in nodes {
            let (version, latest) = match &node.kind {
                NodeKind::Model(parts) => (parts.version.as_ref().map(plain), parts.latest_version.as_ref().map(plain)),
                _ => (None, None),
            };
            let target = Target {
                unique_id: node.unique_id.clone(),
                package: node.package.clone(),
                is_latest: version.is_none() || version == latest,
                version,
                enabled: node.is_enabled(),
            };
            match &node.kind {
                NodeKind::Source(source) => {
                    let key = (source.source_name.clone(), node.name.clone());
                    lookup.sources.entry(key).or_default().push(target);
                }
                _ if node.resource_type.is_refable() => {
                    lookup.refables.entry(node.name.clone()).or_default().push(target);
                }
                _ => {}
            }
        }
        lookup
    }

    /// Unique id of the node that `call`, standing in package `from`, means.
    ///
    /// # Errors
    /// C2001 or C2002, with the place of the call and a suggestion.
    pub fn find_ref(&self, call: &RefCall, from: &str) -> Result<&str, Box<Diagnostic>> {
        let candidates = self.refables.get(&call.name).map(Vec::as_slice).unwrap_or_default();
        let version = call.version.as_ref().map(plain);
        let fits = |target: &&Target| {
            call.package.as_ref().is_none_or(|package| *package == target.package)
                && match &version {
                    Some(version) => target.version.as_ref() == Some(version),
                    None => target.is_latest,
                }
        };
        let fitting: Vec<&Target> = candidates.iter().filter(fits).collect();
        // Without a package in the call: own package first, then the root project, then any other.
        let rank = |target: &&&Target| match &target.package {
            package if package == from => 0,
            package if *package == self.root => 1,
            _ => 2,
        };
        if let Some(target) = fitting.iter().filter(|target| target.enabled).min_by_key(rank) {
            return Ok(&target.unique_id);
        }
        let shown = match (&call.package, &version) {
            (Some(package), None) => format!("{package}.{}", call.name),
            (_, Some(version)) => format!("{}.v{version}", call.name),
            (None, None) => call.name.clone(),
        };
        Err(if fitting.is_empty() {
            let names = self.refables.keys().map(String::as_str);
            let mut diagnostic = Diagnostic::error(codes::REF_NOT_FOUND, format!("model `{shown}` not found"));
            if let Some(span) = &call.span {
                diagnostic = diagnostic.label(span.clone(), "referenced here");
            }
            if candidates.is_empty() {
                diagnostic.maybe_help(closest(&call.name, names).map(|name| format!("a model named `{name}` exists")))
            } else {
                let found: Vec<String> = candidates.iter().map(|target| format!("`{}`", target.unique_id)).collect();
                diagnostic.note(format!("there is {}", found.join(", ")))
            }
        } else {
            let mut diagnostic = Diagnostic::error(codes::REF_DISABLED, format!("model `{shown}` is disabled"));
            if let Some(span) = &call.span {
                diagnostic = diagnostic.label(span.clone(), "referenced here");
            }
            diagnostic.help("set `enabled: true` for it, or remove the reference")
        })
    }

    /// Unique id of the source table that `call`, standing in package `from`, means.
    ///
    /// # Errors
    /// C2003 or C2002, with the place of the call and a suggestion.
    pub fn find_source(&self, call: &SourceCall, from: &str) -> Result<&str, Box<Diagnostic>> {
        let key = (call.source.clone(), call.table.clone());
        let candidates = self.sources.get(&key).map(Vec::as_slice).unwrap_or_default();
        let rank = |target: &&Target| usize::from(target.package != from) + usize::from(target.package != self.root);
        if let Some(target) = candidates.iter().filter(|target| target.enabled).min_by_key(rank) {
            return Ok(&target.unique_id);
        }
        let shown = format!("{}.{}", call.source, call.table);
        let mut diagnostic = match candidates.is_empty() {
            true => Diagnostic::error(codes::SOURCE_NOT_FOUND, format!("source `{shown}` not found")),
            false => Diagnostic::error(codes::REF_DISABLED, format!("source `{shown}` is disabled")),
        };
        if let Some(span) = &call.span {
            diagnostic = diagnostic.label(span.clone(), "referenced here");
        }
        let names: Vec<String> = self.sources.keys().map(|(source, table)| format!("{source}.{table}")).collect();
        let near = closest(&shown, names.iter().map(String::as_str));
        Err(diagnostic
            .maybe_help(near.map(|name| format!("a source named `{name}` exists")))
            .maybe_help(near.is_none().then_some("declare it in a properties file under `sources:`")))
    }
}

/// Types that share one namespace of names: `ref('x')` would be ambiguous otherwise.
pub(super) fn shares_namespace(kind: ResourceType) -> bool {
    kind.is_refable()
}
