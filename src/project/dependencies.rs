//! `packages.yml` and `dependencies.yml`: the packages that a project asks for.

use std::path::Path;

use sha2::{Digest, Sha256};

use super::yaml::{Kind, Yaml};
use super::{NoRender, ProjectConfig, Render, check_keys, render_tree};
use crate::diag::{Diagnostic, Diagnostics, Result, SourceFile, Span, codes};

/// The files that may list packages, in the order in which they are looked at.
const FILES: [&str; 2] = ["packages.yml", "dependencies.yml"];

/// Where a package comes from. Texts are rendered: they may hold secrets and are not for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackageSource {
    /// A folder, relative to the project that asks for it.
    Local {
        /// The folder.
        path: String,
    },
    /// A git repository.
    Git {
        /// Anything that `git clone` takes.
        url: String,
        /// Branch, tag or commit; none: the default branch.
        revision: Option<String>,
        /// Folder of the repository that is the package.
        subdirectory: Option<String>,
        /// False if being without a revision is meant.
        warn_unpinned: bool,
    },
    /// A gzipped tar archive.
    Tarball {
        /// A URL, or a path.
        url: String,
    },
    /// A package of dbt's hub.
    Hub {
        /// `namespace/name`.
        package: String,
        /// Versions, or comparisons such as `>=1.0.0`; all of them must hold.
        versions: Vec<String>,
        /// Versions that end in `-rc1` and the like count too.
        prerelease: bool,
    },
}

/// One entry of the list.
#[derive(Debug, Clone)]
pub struct Dependency {
    /// Where it comes from.
    pub source: PackageSource,
    /// What the file says, unrendered: for messages and the lock file.
    pub written: String,
    /// Where it stands.
    pub span: Span,
}

/// What a project asks for.
#[derive(Debug, Clone, Default)]
pub struct Dependencies {
    /// In the order of the file.
    pub packages: Vec<Dependency>,
    /// Hash of the list as it is written; empty if there is none.
    pub hash: String,
}

impl Dependencies {
    /// Reads the list of the project in `dir`. Templates in `packages.yml` are rendered by `render`; `dependencies.yml` has
    /// none, as in dbt.
    ///
    /// # Errors
    /// C1002 to C1004 for a file that cannot be read or a list that cannot be right.
    pub fn load(dir: &Path, render: &dyn Render, diagnostics: &mut Diagnostics) -> Result<Dependencies> {
        let Some(list) = list(dir, render, diagnostics)? else { return Ok(Dependencies::default()) };
        let hash = hash(&list);
        let packages = list.items().iter().map(|entry| dependency(entry, diagnostics)).collect::<Result<_>>()?;
        Ok(Dependencies { packages, hash })
    }
}

/// C1013 if fewer packages are installed than the project in `dir` asks for.
pub(super) fn check_installed(dir: &Path, config: &ProjectConfig, installed: usize, diagnostics: &mut Diagnostics) {
    let mut found = Diagnostics::default();
    let Some(Some(list)) = found.take(list(dir, &NoRender, &mut Diagnostics::default())) else { return };
    let asked = list.items().len();
    if asked > installed {
        let folder = &config.packages_install_path;
        diagnostics.push(
            Diagnostic::error(
                codes::PACKAGE_MISSING,
                format!("packages are not installed: `{folder}` holds {installed} of {asked}"),
            )
            .label(list.span.clone(), "asked for here")
            .help("install them: `c360 deps`"),
        );
    }
}

/// The `packages:` list; none if no file has one.
fn list(dir: &Path, render: &dyn Render, diagnostics: &mut Diagnostics) -> Result<Option<Yaml>> {
    let mut found: Option<(Yaml, &str)> = None;
    for name in FILES {
        let Ok(text) = std::fs::read_to_string(dir.join(name)) else { continue };
        let file = SourceFile::new(name, text);
        let mut problems = Diagnostics::default();
        let mut tree = Yaml::parse(&file, &mut problems);
        if let (Some(tree), true) = (&mut tree, name == FILES[0]) {
            render_tree(tree, render, &|_| false, &mut problems);
            check_keys(tree, &["packages"], name, &mut problems);
        }
        if let Some(error) = problems.iter().find(|problem| problem.is_error()) {
            return Err(Box::new(error.clone()));
        }
        diagnostics.extend(problems);
        let Some(packages) = tree.as_ref().and_then(|tree| tree.get("packages")) else { continue };
        if !matches!(packages.kind, Kind::Seq(_)) {
            return Err(Diagnostic::error(codes::BAD_VALUE, "`packages` is a list")
                .label(packages.span.clone(), format!("this is {}", packages.describe())));
        }
        if let Some((_, other)) = &found {
            let message = format!("`{other}` and `{name}` both list packages");
            return Err(Diagnostic::error(codes::BAD_VALUE, message)
                .label(packages.span.clone(), "listed here too")
                .help("keep one of the two lists"));
        }
        found = Some((packages.clone(), name));
    }
    Ok(found.map(|(list, _)| list))
}

/// Hash of what the file says, so that a lock file can tell whether it belongs to it; secrets are not part of it.
fn hash(list: &Yaml) -> String {
    let text = list.as_written().to_string();
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The kinds of entry, by the key that tells them apart, and the other keys that each may have.
pub(super) const KINDS: [(&str, &[&str]); 4] = [
    ("local", &["name"]),
    ("git", &["name", "revision", "subdirectory", "warn-unpinned", "warn_unpinned"]),
    ("tarball", &["name"]),
    ("package", &["name", "version", "install_prerelease", "install-prerelease"]),
];

fn dependency(entry: &Yaml, diagnostics: &mut Diagnostics) -> Result<Dependency> {
    let kind = KINDS.iter().find(|(key, _)| entry.get(key).is_some());
    let Some((kind, others)) = kind else {
        return Err(Diagnostic::error(codes::BAD_VALUE, "this entry of `packages` does not say where it comes from")
            .label(entry.span.clone(), "")
            .help("an entry has one of the keys `local`, `git`, `tarball` and `package`"));
    };
    let known: Vec<&str> = std::iter::once(*kind).chain(others.iter().copied()).collect();
    check_keys(entry, &known, &format!("a `{kind}` package"), diagnostics);
    let text = |key: &str| entry.get(key).and_then(Yaml::scalar).map(|text| text.into_owned());
    let flag = |keys: [&str; 2]| keys.into_iter().find_map(|key| entry.get(key).and_then(Yaml::as_bool));
    let place = text(kind).filter(|text| !text.is_empty()).ok_or_else(|| {
        Diagnostic::error(codes::BAD_VALUE, format!("`{kind}` is a text")).label(entry.span.clone(), "not so here")
    })?;
    let written = entry.get(kind).map(|value| match &value.template {
        Some(template) => template.to_string(),
        None => place.clone(),
    });
    let source = match *kind {
        "local" => PackageSource::Local { path: place },
        "git" => PackageSource::Git {
            url: place,
            revision: revision(entry)?,
            subdirectory: text("subdirectory").map(|path| path.trim_matches('/').to_string()),
            warn_unpinned: flag(["warn-unpinned", "warn_unpinned"]).unwrap_or(true),
        },
        "tarball" => PackageSource::Tarball { url: place },
        _ => hub(entry, place, flag(["install_prerelease", "install-prerelease"]).unwrap_or(false))?,
    };
    Ok(Dependency { source, written: written.unwrap_or_default(), span: entry.span.clone() })
}

/// A revision, or a list of one.
fn revision(entry: &Yaml) -> Result<Option<String>> {
    let Some(value) = entry.get("revision") else { return Ok(None) };
    match value.string_list().as_deref() {
        Some([one]) => Ok(Some(one.clone())),
        Some([]) => Ok(None),
        _ => Err(Diagnostic::error(codes::BAD_VALUE, "`revision` is one branch, tag or commit")
            .label(value.span.clone(), format!("this is {}", value.describe()))),
    }
}

fn hub(entry: &Yaml, package: String, prerelease: bool) -> Result<PackageSource> {
    let versions = entry.get("version").and_then(Yaml::string_list).unwrap_or_default();
    if versions.is_empty() {
        return Err(Diagnostic::error(codes::BAD_VALUE, format!("`{package}` has no `version`"))
            .label(entry.span.clone(), "")
            .help("a package of the hub needs one, such as `version: 1.3.0` or `version: [\">=1.0.0\", \"<2.0.0\"]`"));
    }
    Ok(PackageSource::Hub { package, versions, prerelease })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Dependencies> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("packages.yml"), text).expect("a file");
        Dependencies::load(folder.path(), &NoRender, &mut Diagnostics::default())
    }

    #[test]
    fn reads_every_kind() {
        let text = "packages:\n  - local: ../shared\n  - git: https://host/a.git\n    revision: v1\n    subdirectory: /dbt/\n\
                    \n  - tarball: https://host/b.tar.gz\n    name: b\n  - package: ns/c\n    version: ['>=1.0.0', '<2.0.0']\n";
        let found = load(text).expect("fine");
        let sources: Vec<PackageSource> = found.packages.into_iter().map(|package| package.source).collect();
        assert_eq!(
            sources,
            [
                PackageSource::Local { path: "../shared".into() },
                PackageSource::Git {
                    url: "https://host/a.git".into(),
                    revision: Some("v1".into()),
                    subdirectory: Some("dbt".into()),
                    warn_unpinned: true
                },
                PackageSource::Tarball { url: "https://host/b.tar.gz".into() },
                PackageSource::Hub {
                    package: "ns/c".into(),
                    versions: vec![">=1.0.0".into(), "<2.0.0".into()],
                    prerelease: false
                },
            ]
        );
    }

    #[test]
    fn says_what_is_wrong() {
        for (text, message) in [
            ("packages:\n  - url: x\n", "does not say where it comes from"),
            ("packages: x\n", "`packages` is a list"),
            ("packages:\n  - package: ns/c\n", "has no `version`"),
            ("packages:\n  - git: x\n    revision: [a, b]\n", "one branch, tag or commit"),
        ] {
            let error = load(text).expect_err("refused");
            assert!(error.message.contains(message), "{text}: {}", error.message);
            assert!(!error.labels.is_empty(), "{text}");
        }
    }

    #[test]
    fn the_hash_is_that_of_the_list() {
        let hash = |text: &str| load(text).expect("fine").hash;
        assert_eq!(hash("packages:\n  - local: a\n"), hash("# note\npackages: [{local: a}]\n"));
        assert_ne!(hash("packages:\n  - local: a\n"), hash("packages:\n  - local: b\n"));
    }
}
