//! Folders of packages: their checksum, and how they get to their place.

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Checksum of the files below `folder`: their relative paths and contents, in the order of the paths. Folders of git are
/// left out, and so are empty folders.
pub(super) fn checksum(folder: &Path) -> io::Result<String> {
    let mut files: Vec<PathBuf> = Vec::new();
    let entries = walkdir::WalkDir::new(folder).into_iter().filter_entry(|entry| entry.file_name() != ".git");
    for entry in entries {
        let entry = entry.map_err(io::Error::other)?;
        if !entry.file_type().is_dir() {
            files.push(entry.path().to_path_buf());
        }
    }
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let name = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        let text = match file.is_symlink() {
            true => std::fs::read_link(&file)?.to_string_lossy().into_owned().into_bytes(),
            false => std::fs::read(&file)?,
        };
        for part in [name.as_bytes(), &text] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Removes whatever is at `path`: a link itself, not what it leads to.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes `place` lead to `folder`, so that changes there count at once. Where links cannot be made it is a copy.
pub(super) fn link(folder: &Path, place: &Path) -> io::Result<()> {
    remove(place)?;
    #[cfg(unix)]
    if std::os::unix::fs::symlink(folder, place).is_ok() {
        return Ok(());
    }
    copy(folder, place)
}

/// Copies the files below `folder`.
fn copy(folder: &Path, place: &Path) -> io::Result<()> {
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry.map_err(io::Error::other)?;
        let target = place.join(entry.path().strip_prefix(folder).unwrap_or(entry.path()));
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(&target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Unpacks a gzipped tar archive into `folder`, and gives back the folder with `dbt_project.yml`: `folder` itself or the only
/// folder in it. Entries that would land outside of `folder` are refused by the library.
pub(super) fn unpack(archive: &[u8], folder: &Path) -> io::Result<PathBuf> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    archive.set_preserve_permissions(false);
    archive.set_preserve_mtime(false);
    archive.unpack(folder)?;
    if folder.join("dbt_project.yml").is_file() {
        return Ok(folder.to_path_buf());
    }
    let folders: Vec<PathBuf> =
        std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    match folders.as_slice() {
        [only] if only.join("dbt_project.yml").is_file() => Ok(only.clone()),
        _ => Err(io::Error::other("there is no dbt_project.yml in it")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_sees_names_and_contents_and_no_git() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        };
        write("models/a.sql", "select 1");
        let first = checksum(folder.path()).expect("readable");
        write(".git/HEAD", "x");
        assert_eq!(checksum(folder.path()).expect("readable"), first);
        write("models/a.sql", "select 2");
        let second = checksum(folder.path()).expect("readable");
        assert_ne!(second, first);
        std::fs::rename(folder.path().join("models/a.sql"), folder.path().join("models/b.sql")).expect("renamed");
        assert_ne!(checksum(folder.path()).expect("readable"), second);
    }
}
