//! Writing an artifact in one step.

use std::io::{BufWriter, Error, ErrorKind, Write};
use std::path::Path;

use serde::Serialize;
use tempfile::{Builder, NamedTempFile};

use crate::diag::{Diagnostic, Result, codes};

/// Writes `artifact` as compact JSON to `path`. A reader sees the old file or the whole new one, never a part. Folders
/// that are missing are made.
///
/// # Errors
/// C5006 with the path and what the system says.
pub fn write(path: &Path, artifact: &impl Serialize) -> Result<()> {
    replace(path, artifact)
        .map_err(|error| Diagnostic::error(codes::STORE_ERROR, format!("cannot write `{}`: {error}", path.display())))
}

fn replace(path: &Path, artifact: &impl Serialize) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = BufWriter::with_capacity(1 << 16, temporary(folder)?);
    serde_json::to_writer(&mut file, artifact).map_err(|error| match error.io_error_kind() {
        Some(kind) => Error::from(kind),
        None => Error::new(ErrorKind::InvalidData, error.to_string()),
    })?;
    file.flush()?;
    file.into_inner().map_err(|error| error.into_error())?.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// A file beside the artifact with the rights that a new file has (a temporary one is its owner's alone otherwise).
fn temporary(folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(".artifact").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}
