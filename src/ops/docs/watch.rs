//! Whether the files that a site is made from have changed.
//!
//! Times and sizes are compared every now and then. That works on every file system, the remote ones of containers
//! included, and costs milliseconds for thousands of files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::super::{Loaded, Options};

/// Files of a project beside those in the folders that it names.
const FILES: &[&str] =
    &["dbt_project.yml", "packages.yml", "dependencies.yml", "selectors.yml", "profiles.yml", "package-lock.yml"];
/// Artifacts that other invocations write.
const ARTIFACTS: &[&str] = &["run_results.json", "sources.json"];

/// What was there when it was last looked at.
#[derive(Debug)]
pub struct Watch {
    places: Vec<PathBuf>,
    seen: Snapshot,
}

type Snapshot = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

impl Watch {
    /// Watches the project from now on.
    pub fn new(options: &Options, loaded: &Loaded) -> Watch {
        let root = &loaded.project.root;
        let config = &root.config;
        let folders = [
            &config.model_paths,
            &config.macro_paths,
            &config.seed_paths,
            &config.snapshot_paths,
            &config.test_paths,
            &config.analysis_paths,
        ];
        let mut places: Vec<PathBuf> = folders.into_iter().flatten().map(|folder| root.root.join(folder)).collect();
        places.extend(FILES.iter().map(|file| root.root.join(file)));
        places.push(root.root.join("docs-assets"));
        let artifacts = loaded.project.target_path(options.target_path.as_deref());
        places.extend(ARTIFACTS.iter().map(|name| artifacts.join(name)));
        let seen = look(&places);
        Watch { places, seen }
    }

    /// True if something has changed since it was last asked.
    pub fn has_changed(&mut self) -> bool {
        let now = look(&self.places);
        let changed = now != self.seen;
        self.seen = now;
        changed
    }
}

fn look(places: &[PathBuf]) -> Snapshot {
    places.iter().flat_map(|place| files(place)).collect()
}

fn files(place: &Path) -> impl Iterator<Item = (PathBuf, (Option<SystemTime>, u64))> + use<> {
    // Folders of editors and of version control change without meaning.
    let is_meant =
        |entry: &walkdir::DirEntry| entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.');
    let entries = walkdir::WalkDir::new(place).into_iter().filter_entry(is_meant).flatten();
    entries.filter(|entry| entry.file_type().is_file()).filter_map(|entry| {
        let metadata = entry.metadata().ok()?;
        Some((entry.into_path(), (metadata.modified().ok(), metadata.len())))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_seen_and_editors_are_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
        write("a.sql", "select 1");
        let places = vec![folder.path().to_path_buf(), folder.path().join("not-there")];
        let mut watch = Watch { seen: look(&places), places };
        assert!(!watch.has_changed());
        write("a.sql", "select 12");
        assert!(watch.has_changed());
        assert!(!watch.has_changed());
        write(".a.sql.swp", "x");
        assert!(!watch.has_changed());
        std::fs::remove_file(folder.path().join("a.sql")).expect("it is there");
        assert!(watch.has_changed());
    }
}
