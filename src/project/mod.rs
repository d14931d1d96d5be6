//! Files on disk: the project, its configuration, its packages and the profile.
//!
//! This is the only room below the engine that touches files. What it returns is plain data: texts with their paths
//! ([`crate::diag::SourceFile`]), YAML trees with places ([`yaml::Yaml`]), and the settings that follow from them.
//! Templates inside YAML are rendered by a [`Render`] that the caller hands in, because the template engine stands a
//! layer above.

mod cluster;
mod config;
mod dependencies;
mod files;
mod invocation;
mod packages;
mod profile;
mod properties;
mod render;
pub mod yaml;

use std::path::{Path, PathBuf};

pub use cluster::ClusterOptions;
pub use config::{Dispatch, ProjectConfig, ResourceConfig};
pub use dependencies::{Dependencies, Dependency, PackageSource};
pub use files::{FileKind, ProjectFile};
pub use invocation::Invocation;
pub use profile::{Profile, Target, parse_bytes};
pub use properties::check_keys;
pub use render::{NoRender, Render, render_tree};

use crate::diag::{Diagnostic, Diagnostics, Result, SourceFile, codes};
use crate::node::Node;

/// One project or package: its settings and its files, read into memory.
#[derive(Debug)]
pub struct Package {
    /// Folder that holds `dbt_project.yml`.
    pub root: PathBuf,
    /// Settings.
    pub config: ProjectConfig,
    /// Files by kind, sorted by path.
    pub files: Vec<ProjectFile>,
}

/// The root project and the packages that it has installed.
#[derive(Debug)]
pub struct Project {
    /// The project that the user is in.
    pub root: Package,
    /// Installed packages, sorted by name.
    pub packages: Vec<Package>,
    /// The list in `selectors.yml`, if there is one.
    pub selectors: Option<yaml::Yaml>,
}

impl Project {
    /// Reads the project in `dir` and its installed packages. Packages see the root project's vars through `render`.
    ///
    /// # Errors
    /// A diagnostic if there is no readable `dbt_project.yml`; everything else is collected in `diagnostics`.
    pub fn load(dir: &Path, render: &dyn Render, diagnostics: &mut Diagnostics) -> Result<Project> {
        let config = ProjectConfig::load(dir, render, diagnostics)?;
        let packages = packages::load(dir, &config, render, diagnostics);
        dependencies::check_installed(dir, &config, packages.len(), diagnostics);
        let root = Package::read(dir, config, diagnostics);
        let selectors = selectors(dir, render, diagnostics);
        Ok(Project { root, packages, selectors })
    }

    /// A project without packages whose files, path and text each, are in memory: for fuzzing.
    ///
    /// # Errors
    /// As [`Project::load`].
    #[doc(hidden)]
    pub fn of_texts(texts: &[(String, String)], render: &dyn Render, diagnostics: &mut Diagnostics) -> Result<Project> {
        let text = |wanted: &str| texts.iter().find(|(path, _)| path == wanted).map(|(_, text)| text.clone());
        let config = ProjectConfig::of_text(text("dbt_project.yml").unwrap_or_default(), render, diagnostics)?;
        let files = files::of_texts(&config, texts);
        let selectors = text("selectors.yml").and_then(|text| parse_selectors(text, render, diagnostics));
        Ok(Project { root: Package { root: PathBuf::new(), config, files }, packages: Vec::new(), selectors })
    }

    /// Name of the profile that the project in `dir` asks for, before anything else of it is read.
    ///
    /// # Errors
    /// C1001 or C1002, as [`Project::load`]; C1005 if it names none.
    pub fn profile_name(dir: &Path, render: &dyn Render) -> Result<String> {
        let config = ProjectConfig::load(dir, &NoRender, &mut Diagnostics::default())?;
        let value = config.tree.get("profile").ok_or_else(|| {
            Diagnostic::error(codes::NO_PROFILE, "dbt_project.yml names no profile")
                .label(config.tree.span.clone(), "`profile:` is missing")
                .help("name one here, or pass --profile")
        })?;
        let text = value.scalar().unwrap_or_default();
        Ok(match render.render(&text, &value.span)? {
            serde_json::Value::String(name) => name,
            other => other.to_string(),
        })
    }

    /// The root project, then its packages.
    pub fn all(&self) -> impl Iterator<Item = &Package> {
        std::iter::once(&self.root).chain(&self.packages)
    }

    /// The file of `node`, in the folder of its package.
    pub fn file_of(&self, node: &Node) -> PathBuf {
        let package = self.all().find(|package| package.name() == node.package);
        package.unwrap_or(&self.root).root.join(&node.original_path)
    }

    /// A switch that is on unless the target, or else the `flags:` of the project, says `false`.
    pub fn is_on(&self, switch: &str, target: &Target) -> bool {
        let told = target.raw.get(switch).cloned().or_else(|| Some(self.root.config.flags.get(switch)?.to_json()));
        match told {
            Some(serde_json::Value::Bool(on)) => on,
            Some(serde_json::Value::String(text)) => !text.trim().eq_ignore_ascii_case("false"),
            _ => true,
        }
    }

    /// The text of a fixture: a file of that name in a folder `fixtures` of the tests.
    pub fn fixture(&self, name: &str) -> Option<String> {
        let folders = self.all().flat_map(|package| {
            package.config.test_paths.iter().map(|path| package.root.join(path)).collect::<Vec<_>>()
        });
        let is_wanted = |path: &Path| {
            let extension = path.extension().and_then(|extension| extension.to_str());
            path.file_stem().is_some_and(|stem| stem == name)
                && matches!(extension, Some("csv" | "sql"))
                && path.components().any(|part| part.as_os_str() == "fixtures")
        };
        let mut files = folders.flat_map(|folder| walkdir::WalkDir::new(folder).into_iter().flatten());
        files.find(|file| is_wanted(file.path())).and_then(|file| std::fs::read_to_string(file.path()).ok())
    }

    /// Folder for artifacts, with `override_path` (from the command line) before the project's own.
    pub fn target_path(&self, override_path: Option<&Path>) -> PathBuf {
        self.root.root.join(override_path.unwrap_or(Path::new(&self.root.config.target_path)))
    }
}

impl Package {
    fn read(dir: &Path, config: ProjectConfig, diagnostics: &mut Diagnostics) -> Package {
        let files = files::discover(dir, &config, diagnostics);
        Package { root: dir.to_path_buf(), config, files }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Its files of one kind.
    pub fn files_of(&self, kind: FileKind) -> impl Iterator<Item = &ProjectFile> {
        self.files.iter().filter(move |file| file.kind == kind)
    }
}

/// The list of `selectors.yml`. Templates in it see the environment and the command line's vars.
fn selectors(dir: &Path, render: &dyn Render, diagnostics: &mut Diagnostics) -> Option<yaml::Yaml> {
    let text = std::fs::read_to_string(dir.join("selectors.yml")).ok()?;
    parse_selectors(text, render, diagnostics)
}

fn parse_selectors(text: String, render: &dyn Render, diagnostics: &mut Diagnostics) -> Option<yaml::Yaml> {
    let file = SourceFile::new("selectors.yml", text);
    let mut tree = yaml::Yaml::parse(&file, diagnostics)?;
    render_tree(&mut tree, render, &|_| false, diagnostics);
    check_keys(&tree, &["selectors", "version"], "selectors.yml", diagnostics);
    tree.get("selectors").cloned()
}

/// The keys of the project's files, by family: for the reference.
#[cfg(test)]
pub(crate) fn known_keys() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut packages: Vec<&str> = Vec::new();
    for key in dependencies::KINDS.iter().flat_map(|(kind, others)| std::iter::once(kind).chain(others.iter())) {
        if !packages.contains(key) {
            packages.push(key);
        }
    }
    vec![
        ("project", config::KNOWN.to_vec()),
        ("output", profile::KNOWN.to_vec()),
        ("cluster", cluster::KEYS.to_vec()),
        ("package", packages),
    ]
}
