//! Docs blocks: `{% docs name %} ... {% enddocs %}` in Markdown files, and `doc('name')` in descriptions.

use std::collections::HashMap;

use crate::diag::{Diagnostic, Diagnostics, Result, Span, codes};
use crate::jinja;
use crate::manifest::DocBlock;
use crate::project::{FileKind, Project};
use crate::stdx::closest;

/// All docs blocks.
#[derive(Debug, Default)]
pub(super) struct Docs {
    blocks: Vec<DocBlock>,
    by_name: HashMap<(String, String), usize>,
}

impl Docs {
    /// Reads the Markdown files of all packages.
    pub(super) fn read(project: &Project, diagnostics: &mut Diagnostics) -> Docs {
        let mut docs = Docs::default();
        for package in project.all() {
            for file in package.files_of(FileKind::Docs) {
                for (name, text) in jinja::docs_blocks(&file.source, diagnostics) {
                    let key = (package.name().to_string(), name.clone());
                    if let Some(first) = docs.by_name.get(&key) {
                        let other = docs.blocks[*first].original_path.clone();
                        diagnostics.push(
                            Diagnostic::error(codes::DUPLICATE_NODE, format!("two docs blocks are named `{name}`"))
                                .label(Span::start_of(&file.source), format!("the other one is in `{other}`")),
                        );
                        continue;
                    }
                    docs.by_name.insert(key, docs.blocks.len());
                    docs.blocks.push(DocBlock {
                        unique_id: format!("doc.{}.{name}", package.name()),
                        name,
                        package: package.name().to_string(),
                        original_path: file.original_path.clone(),
                        contents: text.trim().to_string(),
                    });
                }
            }
        }
        docs
    }

    /// `text` with its `doc()` calls replaced.
    pub(super) fn render(&self, text: &str, span: &Span, package: &str, root: &str) -> Result<String> {
        jinja::render_description(text, span, &|in_package, name| {
            let packages = match in_package {
                Some(package) => vec![package.to_string()],
                None => vec![package.to_string(), root.to_string()],
            };
            let found = packages.into_iter().find_map(|package| self.by_name.get(&(package, name.to_string())));
            found.map(|index| self.blocks[*index].contents.clone()).ok_or_else(|| {
                let names = self.blocks.iter().map(|block| block.name.as_str());
                Diagnostic::error(codes::REF_NOT_FOUND, format!("docs block `{name}` not found"))
                    .label(span.clone(), "used here")
                    .maybe_help(closest(name, names).map(|name| format!("a docs block named `{name}` exists")))
            })
        })
    }

    pub(super) fn into_blocks(self) -> Vec<DocBlock> {
        self.blocks
    }
}
