//! What all sites share: HTML, CSS and JS. They are files of `src/docs/assets`, as they are, inside of the binary; a
//! project may put files of the same path in the place of single ones.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use include_dir::{Dir, File, include_dir};

use crate::diag::{Diagnostic, Result, codes};

/// Path in the site and bytes.
pub(super) type Assets = BTreeMap<String, Cow<'static, [u8]>>;

/// The embedded files.
static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/docs/assets");

/// All files of the folder and of those in it.
fn files(folder: &'static Dir<'static>) -> Vec<&'static File<'static>> {
    folder.files().chain(folder.dirs().flat_map(files)).collect()
}

fn embedded() -> Assets {
    let named = |file: &'static File<'static>| {
        let parts: Vec<_> = file.path().iter().map(|part| part.to_string_lossy()).collect();
        (place(&parts.join("/")), Cow::Borrowed(file.contents()))
    };
    files(&EMBEDDED).into_iter().map(named).collect()
}

/// The path of an embedded file in the site: all but the first page stand in `assets/`.
fn place(path: &str) -> String {
    if path == "index.html" { path.to_string() } else { format!("assets/{path}") }
}

/// The assets, with the project's own in the place of those that they override. `index.html` and `assets/...` may stand
/// there, also files that do not exist here, such as a logo.
///
/// # Errors
/// C1009 if a file of the folder cannot be read.
pub(super) fn all(overrides: Option<&Path>) -> Result<Assets> {
    let mut assets: Assets = embedded();
    let Some(folder) = overrides else { return Ok(assets) };
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let unreadable = |path: PathBuf, error: String| {
            Diagnostic::error(codes::FILE_UNREADABLE, format!("`{}` cannot be read: {error}", path.display()))
        };
        let entry =
            entry.map_err(|error| unreadable(error.path().unwrap_or(folder).to_path_buf(), error.to_string()))?;
        let Ok(below) = entry.path().strip_prefix(folder) else { continue };
        if !entry.file_type().is_file() || below.components().any(is_hidden) {
            continue;
        }
        let bytes =
            std::fs::read(entry.path()).map_err(|error| unreadable(entry.path().to_path_buf(), error.to_string()))?;
        let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
        assets.insert(parts.join("/"), Cow::Owned(bytes));
    }
    Ok(assets)
}

fn is_hidden(part: std::path::Component<'_>) -> bool {
    part.as_os_str().to_string_lossy().starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_of_the_folder_are_embedded() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/docs/assets");
        let mut found = Vec::new();
        for entry in walkdir::WalkDir::new(&folder) {
            let entry = entry.expect("a readable folder");
            if entry.file_type().is_file() {
                let below = entry.path().strip_prefix(&folder).expect("below the folder");
                found.push(below.to_string_lossy().replace('\\', "/"));
            }
        }
        let mut expected: Vec<String> = found.iter().map(|path| place(path)).collect();
        expected.sort();
        assert_eq!(embedded().into_keys().collect::<Vec<_>>(), expected);
        assert!(expected.contains(&"index.html".to_string()));
    }

    #[test]
    fn a_project_overrides_single_files() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("assets")).expect("a folder");
        std::fs::write(folder.path().join("assets/logo.svg"), "<svg/>").expect("a file");
        std::fs::write(folder.path().join("index.html"), "mine").expect("a file");
        std::fs::write(folder.path().join(".hidden"), "x").expect("a file");
        let assets = all(Some(folder.path())).expect("assets");
        assert_eq!(&*assets["index.html"], b"mine");
        assert_eq!(&*assets["assets/logo.svg"], b"<svg/>");
        assert!(!assets.contains_key(".hidden"));
        assert_eq!(assets.len(), embedded().len() + 1);
    }
}
