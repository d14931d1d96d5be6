//! The docs site: a function from artifacts on disk to static files.
//!
//! Nothing of the program's other stages is known here: [`generate`] reads `manifest.json` and whatever else lies in the
//! artifact folder ([`read`]), numbers the project ([`site`]), and writes one data file for each node beside the assets
//! ([`pages`], [`assets`]). A site can so be made from artifacts of another machine, or of dbt.
//!
//! | module | what |
//! |---|---|
//! | `read` | artifacts as values; anything may be missing |
//! | `site`, `results` | nodes, tests and macros in a fixed order; what the last runs did |
//! | `pages` | the data files, in the words of the contract (docs/site-data.md) |
//! | `layout` | where nodes stand in the lineage graph |
//! | `text` | Markdown, code and data on their way into a page: every door that something hostile could come through |
//! | `assets` | HTML, CSS and JS: real files, embedded |
//! | `write` | the folder, replaced in one step |
//! | `serve` | the same files over HTTP |
//!
//! The same artifacts give the same bytes: all order is by name, and the only time on a page is one that an artifact says.

mod assets;
mod layout;
mod pages;
mod read;
mod results;
pub mod serve;
mod site;
#[cfg(test)]
mod tests;
mod text;
mod write;

use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, Result};

use pages::Book;
use read::Artifacts;

/// What a site is made from and where it goes.
#[derive(Debug, Clone)]
pub struct SiteOptions {
    /// The folder with the artifacts.
    pub artifacts: PathBuf,
    /// The folder that becomes the site.
    pub out: PathBuf,
    /// A folder with files that stand in for assets of the same path, if there is one.
    pub overrides: Option<PathBuf>,
}

/// A site that was written.
#[derive(Debug)]
pub struct Generated {
    /// Its first page.
    pub index: PathBuf,
    /// Nodes of the graph.
    pub nodes: usize,
    /// Tests.
    pub tests: usize,
    /// Macros.
    pub macros: usize,
    /// Size of all files.
    pub bytes: u64,
    /// What is wrong with artifacts that the site goes without.
    pub warnings: Vec<Diagnostic>,
}

/// Makes the site. A reader of the folder sees the old site or the new one, never a part.
///
/// # Errors
/// C1009 if there is no manifest, C5006 if the site cannot be written, C1010 if its folder holds something else.
pub fn generate(options: &SiteOptions) -> Result<Generated> {
    write::check(&options.out)?;
    let mut warnings = Vec::new();
    let artifacts = Artifacts::read(&options.artifacts, &mut warnings)?;
    let book = Book::new(&artifacts);
    let assets = assets::all(options.overrides.as_deref())?;
    let bytes = write::write(&options.out, &assets, &book)?;
    let [nodes, tests, macros] = book.counts();
    Ok(Generated { index: options.out.join("index.html"), nodes, tests, macros, bytes, warnings })
}

/// The folder of overridden assets of a project, if it has one.
pub fn overrides(project: &Path) -> Option<PathBuf> {
    Some(project.join("docs-assets")).filter(|folder| folder.is_dir())
}
