//! The site on disk: written beside its place, then put there.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::assets::Assets;
use super::pages::{Book, Page};
use crate::diag::{Diagnostic, Result, codes};

/// What every site has, by which one is known.
const MARK: &str = "data/index.js";

/// Refuses a folder that holds anything but a site: it would be lost.
///
/// # Errors
/// C1010.
pub(super) fn check(out: &Path) -> Result<()> {
    let refuse = |what: &str| {
        Err(Diagnostic::error(codes::BAD_ARGUMENT, format!("`{}` {what}, and a site would replace it", out.display()))
            .help("name a folder that is new, empty or a site"))
    };
    match std::fs::read_dir(out) {
        Err(_) if out.exists() => refuse("is no folder"),
        Err(_) => Ok(()),
        Ok(mut entries) => {
            let is_site = || out.join(MARK).is_file() && out.join("index.html").is_file();
            if entries.next().is_none() || is_site() { Ok(()) } else { refuse("holds other files") }
        }
    }
}

/// Writes all files and puts them in the place of `out`. Gives their size.
///
/// # Errors
/// C5006.
pub(super) fn write(out: &Path, assets: &Assets, book: &Book<'_>) -> Result<u64> {
    let failed = |path: &Path, error: &std::io::Error| {
        Diagnostic::error(codes::STORE_ERROR, format!("`{}` cannot be written: {error}", path.display()))
    };
    let parent = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(|error| failed(parent, &error))?;
    let staged = staging(parent).map_err(|error| failed(parent, &error))?;
    let size = fill(staged.path(), assets, book).map_err(|(path, error)| failed(&path, &error))?;
    put(staged, parent, out).map_err(|error| failed(out, &error))?;
    Ok(size)
}

fn staging(parent: &Path) -> std::io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".docs").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Others may read a site, as they may a folder that anything else makes.
        builder.permissions(std::fs::Permissions::from_mode(0o777));
    }
    builder.tempdir_in(parent)
}

type Failed = (PathBuf, std::io::Error);

/// Writes all files below `folder`, on all cores. Gives their size.
fn fill(folder: &Path, assets: &Assets, book: &Book<'_>) -> std::result::Result<u64, Failed> {
    for (path, bytes) in assets {
        let path = folder.join(path);
        let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, bytes));
        written.map_err(|error| (path, error))?;
    }
    for name in ["data", "data/nodes", "data/tests", "data/macros"] {
        let path = folder.join(name);
        std::fs::create_dir_all(&path).map_err(|error| (path, error))?;
    }
    let assets: u64 = assets.values().map(|bytes| bytes.len() as u64).sum();
    pages(&folder.join("data"), book).map(|size| assets + size)
}

fn pages(folder: &Path, book: &Book<'_>) -> std::result::Result<u64, Failed> {
    let pages = book.pages();
    let (next, size) = (AtomicUsize::new(0), AtomicU64::new(0));
    let failed: Mutex<Option<Failed>> = Mutex::new(None);
    let keep = |failure| *failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(failure);
    let work = || {
        while let Some(page) = pages.get(next.fetch_add(1, Ordering::Relaxed)) {
            match page_file(folder, book, *page) {
                Ok(bytes) => _ = size.fetch_add(bytes, Ordering::Relaxed),
                Err(failure) => return keep(failure),
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(pages.len().div_ceil(64));
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    match failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        Some(failure) => Err(failure),
        None => Ok(size.into_inner()),
    }
}

fn page_file(folder: &Path, book: &Book<'_>, page: Page) -> std::result::Result<u64, Failed> {
    let path = folder.join(format!("{}.js", page.name()));
    let bytes = book.render(page);
    std::fs::write(&path, &bytes).map(|()| bytes.len() as u64).map_err(|error| (path, error))
}

/// Puts the new folder where the old one is. Between the two renames there is none, never half a site.
fn put(staged: tempfile::TempDir, parent: &Path, out: &Path) -> std::io::Result<()> {
    // Emptied and deleted when it goes out of scope.
    let old = tempfile::Builder::new().prefix(".docs").suffix(".old").tempdir_in(parent)?;
    let aside = old.path().join("site");
    let had_one = match std::fs::rename(out, &aside) {
        Ok(()) => true,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(error),
    };
    if let Err(error) = std::fs::rename(staged.path(), out) {
        if had_one {
            // The old site is better than none.
            let _ = std::fs::rename(&aside, out);
        }
        return Err(error);
    }
    // It is in its place: nothing is left to delete.
    let _ = staged.keep();
    Ok(())
}
