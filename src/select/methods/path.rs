//! `path:models/staging`: nodes by the path of their file, of a folder above it, or of the properties file that
//! describes them.
//!
//! A value is a glob over the files of the project (`*` stays within a folder, `**` is any number of folders). A node of
//! a package is found by its path inside the package, but only if the project has that path too: the glob runs over the
//! project alone.

use std::cell::OnceCell;
use std::collections::HashSet;

use super::super::fnmatch::Pattern;
use super::{Call, Mask, Result, Scope};
use crate::diag::{Diagnostic, codes};
use crate::manifest::Manifest;
use crate::node::{Node, ResourceType};

pub(super) fn find(call: &Call<'_>, scope: &Scope<'_>) -> Result<Mask> {
    if call.value.starts_with('/') {
        return Err(Diagnostic::error(codes::BAD_SELECTOR, format!("`{}` is an absolute path", call.value))
            .label(call.span.clone(), "")
            .help("paths are relative to the project, such as `path:models/staging`"));
    }
    let glob = Glob::new(call.value);
    let project: OnceCell<HashSet<&str>> = OnceCell::new();
    let manifest = scope.manifest;
    let exists = |node: &Node, path: &str| {
        node.package == manifest.project_name || project.get_or_init(|| project_paths(manifest)).contains(path)
    };
    Ok(scope.filter(|node| {
        let file = &node.original_path;
        with_folders(file).any(|path| glob.matches(path) && exists(node, path))
            || described_in(node).is_some_and(|path| glob.matches(path) && exists(node, path))
    }))
}

/// The properties file with the entry of a node that has a file of its own.
fn described_in(node: &Node) -> Option<&str> {
    let has_own_file = matches!(
        node.resource_type,
        ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot | ResourceType::Analysis
    );
    node.patch.as_ref().filter(|_| has_own_file).map(|span| span.file.path.as_str())
}

/// The path and all folders above it, nearest first; the last one is the project itself, as an empty path.
fn with_folders(path: &str) -> impl Iterator<Item = &str> {
    let mut next = Some(path);
    std::iter::from_fn(move || {
        let current = next?;
        next = match current.rsplit_once('/') {
            Some((folder, _)) => Some(folder),
            None if current.is_empty() => None,
            None => Some(""),
        };
        Some(current)
    })
}

/// Every file and folder of the project that the manifest knows of.
fn project_paths(manifest: &Manifest) -> HashSet<&str> {
    let own = |package: &str| package == manifest.project_name;
    let nodes = manifest.nodes.iter().chain(&manifest.disabled).filter(|node| own(&node.package));
    let macros = manifest.macros.iter().filter(|info| own(&info.package)).map(|info| info.original_path.as_str());
    let docs = manifest.docs.iter().filter(|doc| own(&doc.package)).map(|doc| doc.original_path.as_str());
    nodes
        .flat_map(|node| [Some(node.original_path.as_str()), described_in(node)])
        .flatten()
        .chain(macros)
        .chain(docs)
        .flat_map(with_folders)
        .collect()
}

/// A glob, folder by folder.
struct Glob {
    parts: Vec<Part>,
}

enum Part {
    /// `**`: any number of folders, also none.
    Folders,
    /// One name.
    Name(Pattern),
}

impl Glob {
    /// `./` and a `/` at the end mean nothing, nor does `**` behind `**`.
    fn new(text: &str) -> Glob {
        let mut names: Vec<&str> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        names.dedup_by(|next, previous| *next == "**" && *previous == "**");
        let part = |name: &str| if name == "**" { Part::Folders } else { Part::Name(Pattern::new(name)) };
        Glob { parts: names.into_iter().map(part).collect() }
    }

    fn matches(&self, path: &str) -> bool {
        let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
        Self::matches_parts(&self.parts, &names)
    }

    fn matches_parts(parts: &[Part], names: &[&str]) -> bool {
        match parts.split_first() {
            None => names.is_empty(),
            Some((Part::Folders, rest)) => (0..=names.len()).any(|skip| Self::matches_parts(rest, &names[skip..])),
            Some((Part::Name(pattern), rest)) => match names.split_first() {
                Some((name, names)) => pattern.matches(name) && Self::matches_parts(rest, names),
                None => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(glob: &str, path: &str) -> bool {
        let glob = Glob::new(glob);
        with_folders(path).any(|path| glob.matches(path))
    }

    #[test]
    fn globs_find_files_and_folders() {
        let path = "models/marts/ops/legacy/nested/old.sql";
        for (glob, expected) in [
            ("models", true),
            ("models/", true),
            ("./models/marts", true),
            ("model", false),
            ("models/marts/o*", true),
            ("models/*/ops", true),
            ("models/*/legacy", false),
            ("models/**/nested", true),
            ("models/**", true),
            ("**/nested", true),
            ("**", true),
            ("**/**/old.sql", true),
            ("models/**/marts/ops/*/*/old.sql", true),
            ("models/**/*.sql", true),
            ("models/**/*.csv", false),
            ("marts", false),
            ("models/marts/ops/legacy/nested/old.sql", true),
            ("models/marts/ops/legacy/nested/old.sql/x", false),
            (".", true),
        ] {
            assert_eq!(finds(glob, path), expected, "{glob}");
        }
    }
}
