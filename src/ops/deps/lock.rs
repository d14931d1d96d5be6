//! `package-lock.yml`: what was installed, exactly.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::diag::{Diagnostic, Result, codes};

/// Name of the file, in the project's folder.
pub(super) const FILE: &str = "package-lock.yml";

const HEADER: &str = "# Written by `c360 deps`. Keep it under version control: it makes everybody install the same.\n";

/// The file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lock {
    /// Every package, in the order of their names.
    #[serde(default)]
    pub(super) packages: Vec<Locked>,
    /// Hash of the list that the packages were resolved from.
    #[serde(default)]
    pub(super) list_sha256: String,
}

/// One package. Exactly one of `local`, `git`, `tarball` and `package` is there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Locked {
    /// Its name, and the folder that it is installed in.
    pub(super) name: String,
    /// Folder, from the project's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) local: Option<String>,
    /// Repository, as the project writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) git: Option<String>,
    /// Commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) revision: Option<String>,
    /// Folder of the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) subdirectory: Option<String>,
    /// Archive, as the project writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tarball: Option<String>,
    /// Package of the hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) package: Option<String>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    /// Checksum of the files; none for a folder, which may change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<String>,
}

impl Locked {
    /// True if both are the same place, whatever the version.
    pub(super) fn same_place(&self, other: &Locked) -> bool {
        (&self.local, &self.git, &self.subdirectory, &self.tarball, &self.package)
            == (&other.local, &other.git, &other.subdirectory, &other.tarball, &other.package)
    }
}

/// The lock file of the project in `dir`, if it is there and can be read.
///
/// # Errors
/// C1002 for a file that is no lock file.
pub(super) fn read(dir: &Path) -> Result<Option<Lock>> {
    let Ok(text) = std::fs::read_to_string(dir.join(FILE)) else { return Ok(None) };
    let lock = serde_yaml::from_str(&text).map_err(|error| {
        Diagnostic::error(codes::YAML_SYNTAX, format!("`{FILE}` cannot be read: {error}"))
            .help("delete it and run `c360 deps`")
    })?;
    Ok(Some(lock))
}

/// Writes the lock file, in one step.
///
/// # Errors
/// C1009 if it cannot be written.
pub(super) fn write(dir: &Path, lock: &Lock) -> Result<()> {
    let failed =
        |error: String| Diagnostic::error(codes::FILE_UNREADABLE, format!("`{FILE}` cannot be written: {error}"));
    let text = serde_yaml::to_string(lock).map_err(|error| failed(error.to_string()))?;
    let write = || -> std::io::Result<()> {
        let file = tempfile::NamedTempFile::new_in(dir)?;
        std::fs::write(file.path(), format!("{HEADER}{text}"))?;
        file.persist(dir.join(FILE)).map(drop).map_err(|error| error.error)
    };
    write().map_err(|error| failed(error.to_string()))
}
