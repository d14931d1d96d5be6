//! `docs`: brings the artifacts up to date that need the project or the engine, then makes the site from them.

mod catalog;
mod files;
pub(super) mod hidden;
mod plans;
mod samples;
mod watch;

use std::path::PathBuf;

use super::{Loaded, Options, Session};
use crate::diag::{Diagnostics, Result};
use crate::docs::{Generated, SiteOptions, generate as write_site, overrides};

pub use watch::Watch;

/// What `docs generate` does and leaves out.
#[derive(Debug, Clone, Default)]
pub struct DocsOptions {
    /// Take manifest.json as it is.
    pub no_compile: bool,
    /// Do not look at the warehouse and the sources: their relations, files and rows are not in the site.
    pub empty_catalog: bool,
    /// Read no rows.
    pub no_samples: bool,
    /// Where the site goes, if that is not the folder `docs` among the artifacts.
    pub out: Option<PathBuf>,
}

/// Makes the site. What goes wrong on the way (a node that cannot be compiled, a source without files) is in
/// `diagnostics`, and the site goes without it.
///
/// # Errors
/// The engine cannot start, an artifact cannot be written, or what [`crate::docs::generate`] fails with.
pub async fn generate(
    options: &Options,
    loaded: &Loaded,
    docs: &DocsOptions,
    diagnostics: &mut Diagnostics,
) -> Result<Generated> {
    let artifacts = loaded.project.target_path(options.target_path.as_deref());
    if !docs.no_compile {
        super::compile(options, loaded, None, &mut |_| {}, diagnostics).await?;
    }
    let session = Session::open(options, loaded, Vec::new()).await?;
    // Plans and lineage are of what is written, whatever the warehouse holds.
    plans::write(options, loaded, &session, &artifacts).await?;
    if docs.empty_catalog {
        catalog::forget(&artifacts)?;
    } else {
        catalog::refresh(loaded, &session, &artifacts, diagnostics).await?;
        files::write(loaded, &session, &artifacts, diagnostics).await?;
        match docs.no_samples {
            true => catalog::remove(&artifacts, "samples.json")?,
            false => samples::write(loaded, &session, &artifacts).await?,
        }
    }
    let site = SiteOptions {
        out: site_folder(options, loaded, docs),
        overrides: overrides(&loaded.project.root.root),
        artifacts,
    };
    let mut generated = tokio::task::block_in_place(|| write_site(&site))?;
    for warning in generated.warnings.drain(..) {
        diagnostics.push(Box::new(warning));
    }
    Ok(generated)
}

/// The folder of the site.
pub fn site_folder(options: &Options, loaded: &Loaded, docs: &DocsOptions) -> PathBuf {
    match &docs.out {
        Some(out) => loaded.project.root.root.join(out),
        None => loaded.project.target_path(options.target_path.as_deref()).join("docs"),
    }
}
