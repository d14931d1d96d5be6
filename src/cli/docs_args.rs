//! The command line of `docs`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do with the docs site.
#[derive(Debug, Subcommand)]
pub(crate) enum DocsVerb {
    /// Write the site: pages that open from the disk, without a server and without a network
    ///
    /// It is made from the artifacts, which are brought up to date first: what the nodes compile to, their columns and
    /// where those come from, what the warehouse holds, which files the sources have, what runs did.
    Generate(GenerateArgs),
    /// Serve the site on this machine
    ///
    /// With --watch the site is made first, and again whenever a file of the project or the outcome of a run changes;
    /// open pages show it at once.
    Serve(ServeArgs),
}

/// `docs generate`.
#[derive(Debug, Args, Default)]
pub(crate) struct GenerateArgs {
    /// Take manifest.json as it is, without compiling anything
    #[arg(long)]
    pub(crate) no_compile: bool,
    /// Compile; the opposite of --no-compile
    #[arg(long, overrides_with = "no_compile", hide = true)]
    pub(crate) compile: bool,
    /// Look at no table and no source: the site then tells what is declared
    #[arg(long)]
    pub(crate) empty_catalog: bool,
    /// Show no rows of tables
    #[arg(long)]
    pub(crate) no_samples: bool,
    /// Write the site into this folder [default: `docs` in the artifact folder]
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Make the site of the artifacts in this folder alone, without a project; they may be dbt's
    #[arg(long, value_name = "DIR", conflicts_with_all = ["no_compile", "empty_catalog", "no_samples"])]
    pub(crate) artifacts: Option<PathBuf>,
    /// The site is static as it is
    #[arg(long = "static", hide = true)]
    pub(crate) is_static: bool,
}

/// `docs serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Port to listen on; 0 for any that is free
    #[arg(long, default_value_t = 8080, value_name = "PORT")]
    pub(crate) port: u16,
    /// Address to listen on. There is no login: other than this machine only a trusted network should reach it
    #[arg(long, default_value = "127.0.0.1", value_name = "HOST")]
    pub(crate) host: String,
    /// Make the site again when something changes
    #[arg(long)]
    pub(crate) watch: bool,
    /// Do not open a browser
    #[arg(long, alias = "no-browser")]
    pub(crate) no_open: bool,
    #[command(flatten)]
    pub(crate) generate: GenerateArgs,
}
