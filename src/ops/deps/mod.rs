//! `deps`: fetches the packages that `packages.yml` asks for, and what these ask for in turn.
//!
//! The list is resolved once and written to `package-lock.yml` with commits and checksums. As long as the list stays the
//! same, everybody who types `c360 deps` gets what the lock says, and packages that are in their place with the right
//! checksum are not fetched again: then no network is needed. A package is fetched beside the others and moved to
//! `<packages-install-path>/<name>` when it is whole. Packages that are folders are linked, so that changes count at once.

mod fetch;
mod folder;
mod hub;
mod lock;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use super::Options;
use super::load::Bare;
use crate::diag::{Diagnostic, Diagnostics, Result, SourceFile, Span, codes};
use crate::project::{Dependencies, Dependency, NoRender, PackageSource, ProjectConfig};
use fetch::{Repository, unreachable};
use lock::{Lock, Locked};

/// How often constraints of nested packages may change the choice of a version.
const ROUNDS: usize = 20;

/// A package in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// Its name.
    pub name: String,
    /// Where it came from, for people.
    pub from: String,
    /// It was there already.
    pub unchanged: bool,
}

/// What `deps` does beside installing what is locked.
#[derive(Debug, Clone, Copy, Default)]
pub struct DepsOptions {
    /// Resolve the list anew although the lock file belongs to it.
    pub upgrade: bool,
    /// Write the lock file alone.
    pub lock_only: bool,
}

/// Installs the packages of the project.
///
/// # Errors
/// What the list is wrong with; C1015 for packages that contradict each other, C1016 for one that cannot be fetched, C1017
/// for one with another checksum than the lock file says. Packages that were installed stay as they were.
pub async fn deps(
    options: &Options,
    DepsOptions { upgrade, lock_only }: DepsOptions,
    diagnostics: &mut Diagnostics,
) -> Result<Vec<Installed>> {
    let dir = &options.project_dir;
    let config = ProjectConfig::load(dir, &NoRender, &mut Diagnostics::default())?;
    let wanted = Dependencies::load(dir, &Bare::new(options), diagnostics)?;
    let place = dir.join(&config.packages_install_path);
    if wanted.packages.is_empty() {
        return Ok(Vec::new());
    }
    let failed = |error: std::io::Error| {
        Diagnostic::error(codes::FILE_UNREADABLE, format!("`{}` cannot be written: {error}", place.display()))
    };
    std::fs::create_dir_all(&place).map_err(failed)?;
    // Beside the packages, so that moving one is renaming it.
    let scratch = tempfile::Builder::new().prefix(".fetching-").tempdir_in(&place).map_err(failed)?;
    let mut work =
        Work { options, dir, place: &place, scratch: scratch.path(), root: &config.name, wanted: &wanted, number: 0 };
    let lock = lock::read(dir)?.filter(|lock| lock.list_sha256 == wanted.hash && !upgrade);
    let fetched = match &lock {
        Some(lock) => work.as_locked(lock).await?,
        None => work.resolve(diagnostics).await?,
    };
    let installed = match lock_only {
        true => fetched.iter().map(locked).collect(),
        false => install(&place, &fetched).map_err(failed)?,
    };
    let mut packages: Vec<Locked> = fetched.into_iter().map(|package| package.locked).collect();
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    lock::write(dir, &Lock { packages, list_sha256: wanted.hash.clone() })?;
    Ok(installed)
}

/// A package that was fetched, or is in its place already.
#[derive(Debug)]
struct Fetched {
    locked: Locked,
    /// Where it is; none: where it should be.
    folder: Option<PathBuf>,
    /// Versions of the hub that somebody asked for.
    span: Span,
}

/// A package that is locked and stays where it is.
fn locked(package: &Fetched) -> Installed {
    Installed { name: package.locked.name.clone(), from: origin(&package.locked), unchanged: package.folder.is_none() }
}

/// Moves everything to its place and removes packages that nobody asks for any more.
fn install(place: &Path, fetched: &[Fetched]) -> std::io::Result<Vec<Installed>> {
    for entry in std::fs::read_dir(place)?.flatten() {
        let known = fetched.iter().any(|package| *package.locked.name == *entry.file_name());
        if !known && entry.path().join("dbt_project.yml").is_file() {
            folder::remove(&entry.path())?;
        }
    }
    let mut installed = Vec::new();
    for package in fetched {
        let target = place.join(&package.locked.name);
        match (&package.folder, &package.locked.local) {
            (Some(source), Some(_)) => folder::link(source, &target)?,
            (Some(source), None) => {
                folder::remove(&target)?;
                std::fs::rename(source, &target)?;
            }
            (None, _) => {}
        }
        installed.push(Installed {
            name: package.locked.name.clone(),
            from: origin(&package.locked),
            unchanged: package.folder.is_none(),
        });
    }
    Ok(installed)
}

/// Where a package comes from, for people.
fn origin(locked: &Locked) -> String {
    let commit = || locked.revision.as_deref().map_or("", |revision| &revision[..revision.len().min(12)]);
    if let Some(path) = &locked.local {
        return format!("<local @ {path}>");
    }
    if let Some(url) = &locked.git {
        return format!("{url} at {}", commit());
    }
    if let Some(package) = &locked.package {
        return format!("{package} {}", locked.version.as_deref().unwrap_or_default());
    }
    locked.tarball.clone().unwrap_or_default()
}

/// What fetching needs.
struct Work<'a> {
    options: &'a Options,
    dir: &'a Path,
    place: &'a Path,
    scratch: &'a Path,
    /// Name of the root project.
    root: &'a str,
    wanted: &'a Dependencies,
    number: usize,
}

/// What nested packages ask of a package of the hub.
type Constraints = BTreeMap<String, Vec<String>>;

impl Work<'_> {
    /// Fetches what the lock file says, unless it is in its place.
    async fn as_locked(&mut self, lock: &Lock) -> Result<Vec<Fetched>> {
        let file = SourceFile::new(lock::FILE, "");
        let mut fetched = Vec::new();
        for locked in &lock.packages {
            let span = Span::start_of(&file);
            let target = self.place.join(&locked.name);
            if let Some(expected) = &locked.sha256
                && folder::checksum(&target).is_ok_and(|found| found == *expected)
            {
                fetched.push(Fetched { locked: locked.clone(), folder: None, span });
                continue;
            }
            let folder = self.fetch_locked(locked, &span).await?;
            if let Some(expected) = &locked.sha256 {
                let found = folder::checksum(&folder).map_err(|error| unreachable(&locked.name, &span, error))?;
                if found != *expected {
                    return Err(changed(locked, &found));
                }
            }
            fetched.push(Fetched { locked: locked.clone(), folder: Some(folder), span });
        }
        Ok(fetched)
    }

    async fn fetch_locked(&mut self, locked: &Locked, span: &Span) -> Result<PathBuf> {
        if let Some(path) = &locked.local {
            return local(&self.dir.join(path), path, span);
        }
        if let Some(written) = &locked.git {
            let url = self.unrendered(written, span)?;
            let revision = locked.revision.as_deref();
            let folder = self.folder(&locked.name, span)?;
            Repository { url: &url, written, revision, span }.checkout(&folder)?;
            return Ok(subfolder(folder, locked.subdirectory.as_deref()));
        }
        if let Some(package) = &locked.package {
            let version = locked.version.clone().unwrap_or_default();
            let release = hub::newest(&self.hub(), package, &[version], true, span).await?;
            let folder = self.folder(&locked.name, span)?;
            return fetch::tarball(&release.tarball, package, span, &folder).await;
        }
        let written = locked.tarball.clone().unwrap_or_default();
        let url = self.unrendered(&written, span)?;
        let folder = self.folder(&locked.name, span)?;
        fetch::tarball(&self.path_or_url(&url), &written, span, &folder).await
    }

    /// The text behind a template of the list; the lock file keeps templates, because they may name secrets.
    fn unrendered(&self, written: &str, span: &Span) -> Result<String> {
        use crate::project::Render;
        match Bare::new(self.options).render(written, span)? {
            serde_json::Value::String(text) => Ok(text),
            other => Ok(other.to_string()),
        }
    }

    /// Resolves the list from nothing. What a nested package asks of the hub may change an earlier choice; then everything
    /// starts again with what is known by then.
    async fn resolve(&mut self, diagnostics: &mut Diagnostics) -> Result<Vec<Fetched>> {
        let mut constraints = Constraints::new();
        for _ in 0..ROUNDS {
            let known = constraints.clone();
            let fetched = self.round(&mut constraints, diagnostics).await?;
            if constraints == known || !fetched.iter().any(|package| package.locked.package.is_some()) {
                return Ok(fetched);
            }
        }
        Err(Diagnostic::error(codes::PACKAGE_CONFLICT, "the versions that packages ask for never settle")
            .help("name exact versions in packages.yml"))
    }

    async fn round(&mut self, constraints: &mut Constraints, diagnostics: &mut Diagnostics) -> Result<Vec<Fetched>> {
        let mut fetched: Vec<Fetched> = Vec::new();
        let mut queue: VecDeque<(Dependency, PathBuf)> =
            self.wanted.packages.iter().map(|package| (package.clone(), self.dir.to_path_buf())).collect();
        while let Some((dependency, base)) = queue.pop_front() {
            let place = self.identity(&dependency, &base);
            if let PackageSource::Hub { package, versions, .. } = &dependency.source {
                let all = constraints.entry(package.clone()).or_default();
                all.extend(versions.iter().filter(|version| !all.contains(version)).cloned().collect::<Vec<_>>());
            }
            if let Some(twin) = fetched.iter().find(|other| other.locked.same_place(&place)) {
                self.check_twin(&dependency, twin)?;
                continue;
            }
            let (mut locked, folder) = self.fetch(&dependency, place, &base, constraints).await?;
            let config = ProjectConfig::load(&folder, &NoRender, &mut Diagnostics::default())
                .map_err(|error| error.label(dependency.span.clone(), "of the package asked for here"))?;
            locked.name = config.name.clone();
            self.check_name(&locked, &fetched, &dependency.span)?;
            if locked.local.is_none() {
                let checksum = folder::checksum(&folder);
                locked.sha256 = Some(checksum.map_err(|error| unreachable(&locked.name, &dependency.span, error))?);
            }
            let nested = Dependencies::load(&folder, &Bare::new(self.options), &mut Diagnostics::default())?;
            queue.extend(nested.packages.into_iter().map(|package| (package, folder.clone())));
            self.warn_unpinned(&dependency, diagnostics);
            fetched.push(Fetched { locked, folder: Some(folder), span: dependency.span.clone() });
        }
        Ok(fetched)
    }

    /// The place of a package without name and version.
    fn identity(&self, dependency: &Dependency, base: &Path) -> Locked {
        let written = || Some(dependency.written.clone());
        match &dependency.source {
            PackageSource::Local { path } => {
                Locked { local: Some(self.relative(&base.join(path))), ..Locked::default() }
            }
            PackageSource::Git { subdirectory, .. } => {
                Locked { git: written(), subdirectory: subdirectory.clone(), ..Locked::default() }
            }
            PackageSource::Tarball { .. } => Locked { tarball: written(), ..Locked::default() },
            PackageSource::Hub { .. } => Locked { package: written(), ..Locked::default() },
        }
    }

    /// `path` as the lock file writes it: from the project's folder, if it is below or beside it.
    fn relative(&self, path: &Path) -> String {
        let absolute = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let (path, root) = (absolute(path), absolute(self.dir));
        let shared = path.components().zip(root.components()).take_while(|(a, b)| a == b).count();
        let up = root.components().skip(shared).map(|_| PathBuf::from(".."));
        let down = path.components().skip(shared).map(|part| PathBuf::from(part.as_os_str()));
        let found: PathBuf = up.chain(down).collect();
        found.to_string_lossy().replace('\\', "/")
    }

    async fn fetch(
        &mut self,
        dependency: &Dependency,
        mut locked: Locked,
        base: &Path,
        constraints: &Constraints,
    ) -> Result<(Locked, PathBuf)> {
        let (written, span) = (&dependency.written, &dependency.span);
        let folder = match &dependency.source {
            PackageSource::Local { path } => local(&base.join(path), written, span)?,
            PackageSource::Git { url, revision, subdirectory, .. } => {
                let folder = self.folder(written, span)?;
                let repository = Repository { url, written, revision: revision.as_deref(), span };
                locked.revision = Some(repository.checkout(&folder)?);
                subfolder(folder, subdirectory.as_deref())
            }
            PackageSource::Tarball { url } => {
                let folder = self.folder(written, span)?;
                fetch::tarball(&self.path_or_url(url), written, span, &folder).await?
            }
            PackageSource::Hub { package, versions, prerelease } => {
                let wanted = constraints.get(package).unwrap_or(versions);
                let release = hub::newest(&self.hub(), package, wanted, *prerelease, span).await?;
                locked.version = Some(release.version);
                let folder = self.folder(written, span)?;
                fetch::tarball(&release.tarball, package, span, &folder).await?
            }
        };
        Ok((locked, folder))
    }

    /// Two entries for one place must want the same of it.
    fn check_twin(&self, dependency: &Dependency, twin: &Fetched) -> Result<()> {
        let PackageSource::Git { revision: Some(revision), .. } = &dependency.source else { return Ok(()) };
        let commit = twin.locked.revision.as_deref().unwrap_or_default();
        let first = self.wanted.packages.iter().find_map(|other| match &other.source {
            PackageSource::Git { revision, .. } if other.written == dependency.written => revision.as_deref(),
            _ => None,
        });
        if commit.starts_with(revision.as_str()) || first == Some(revision) {
            return Ok(());
        }
        let problem = format!("`{}` is asked for at `{revision}` and at another revision", dependency.written);
        Err(Diagnostic::error(codes::PACKAGE_CONFLICT, problem)
            .label(twin.span.clone(), format!("here at {}", &commit[..commit.len().min(12)]))
            .label(dependency.span.clone(), format!("here at {revision}"))
            .help("name one revision in packages.yml"))
    }

    /// Two packages cannot have one name.
    fn check_name(&self, locked: &Locked, fetched: &[Fetched], span: &Span) -> Result<()> {
        let name = &locked.name;
        let problem = |problem: String| {
            Err(Diagnostic::error(codes::PACKAGE_CONFLICT, problem)
                .label(span.clone(), "asked for here")
                .help("a package is called by the `name` in its dbt_project.yml: leave one of the two out"))
        };
        if name == self.root {
            return problem(format!("a package is called `{name}`, as the project itself"));
        }
        match fetched.iter().find(|other| other.locked.name == *name) {
            Some(other) => {
                problem(format!("two packages are called `{name}`: {} and {}", origin(&other.locked), origin(locked)))
            }
            None => Ok(()),
        }
    }

    fn warn_unpinned(&self, dependency: &Dependency, diagnostics: &mut Diagnostics) {
        if let PackageSource::Git { revision: None, warn_unpinned: true, .. } = &dependency.source {
            let problem =
                format!("`{}` has no `revision`, so `deps --upgrade` takes whatever is newest", dependency.written);
            diagnostics.push(
                Diagnostic::warning(codes::BAD_VALUE, problem)
                    .label(dependency.span.clone(), "")
                    .help("name a tag or a commit, or set `warn-unpinned: false`"),
            );
        }
    }

    /// A new folder to fetch into.
    fn folder(&mut self, what: &str, span: &Span) -> Result<PathBuf> {
        self.number += 1;
        let folder = self.scratch.join(self.number.to_string());
        std::fs::create_dir_all(&folder).map_err(|error| unreachable(what, span, error))?;
        Ok(folder)
    }

    fn hub(&self) -> String {
        let names = ["C360_PACKAGE_HUB_URL", "DBT_PACKAGE_HUB_URL"];
        names.iter().find_map(|name| self.options.env.get(*name)).cloned().unwrap_or_else(|| hub::HUB.to_string())
    }

    /// A path is meant from the project's folder.
    fn path_or_url(&self, url: &str) -> String {
        if url.contains("://") { url.to_string() } else { self.dir.join(url).to_string_lossy().into_owned() }
    }
}

/// The folder of a local package.
fn local(folder: &Path, written: &str, span: &Span) -> Result<PathBuf> {
    let folder = folder.canonicalize().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            unreachable(written, span, "there is no such folder").help("a local path starts at the project's folder")
        }
        _ => unreachable(written, span, error),
    })?;
    match folder.join("dbt_project.yml").is_file() {
        true => Ok(folder),
        false => Err(unreachable(written, span, "there is no dbt_project.yml in that folder")),
    }
}

fn subfolder(folder: PathBuf, subdirectory: Option<&str>) -> PathBuf {
    subdirectory.map_or_else(|| folder.clone(), |subdirectory| folder.join(subdirectory))
}

fn changed(locked: &Locked, found: &str) -> Box<Diagnostic> {
    let name = &locked.name;
    Diagnostic::error(codes::PACKAGE_CHANGED, format!("package `{name}` is not what `{}` says", lock::FILE))
        .note(format!("its files have the checksum {found}"))
        .help("if that is meant, resolve anew: `c360 deps --upgrade`")
}
