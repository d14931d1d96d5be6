//! What was found out about files, remembered between invocations.
//!
//! Finding out columns that nobody declared reads samples of files, or their footers. What came of it is kept as an Arrow
//! stream without rows in the folder of artifacts, one file for each source, with a fingerprint of the files that were
//! looked at: their names, sizes, times and entity tags. As long as a listing gives the same fingerprint, no file is read.

use std::path::{Path, PathBuf};

use datafusion::arrow::datatypes::{Fields, Schema};
use datafusion::arrow::ipc::reader::StreamReader;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::catalog::Session;
use sha2::{Digest, Sha256};

use super::ScanSpec;
use super::table::SourceFile;

/// The key of the fingerprint in the stream's metadata.
const FINGERPRINT: &str = "c360.fingerprint";

/// A folder where columns of sources are remembered; an extension of the session's configuration.
#[derive(Debug)]
pub(crate) struct Remembered {
    folder: PathBuf,
}

impl Remembered {
    /// The columns in `folder`, which need not be there yet.
    pub(crate) fn new(folder: &Path) -> Remembered {
        Remembered { folder: folder.to_path_buf() }
    }
}

/// The place of one source's columns, and what its files are now.
pub(super) struct Slot {
    path: PathBuf,
    fingerprint: String,
}

impl Slot {
    /// The slot of `spec`, if the session remembers. `what` tells apart what is remembered of the same source.
    pub(super) fn of(session: &dyn Session, spec: &ScanSpec, files: &[SourceFile], what: &str) -> Option<Slot> {
        let remembered = session.config().get_extension::<Remembered>()?;
        let declaration = format!("{what} {:?} {} {:?} {:?}", spec.format, spec.location, spec.options, spec.columns);
        let mut digest = Sha256::new();
        digest.update(env!("CARGO_PKG_VERSION"));
        for SourceFile { meta, .. } in files {
            let (time, tag) = (meta.last_modified.timestamp_micros(), meta.e_tag.as_deref().unwrap_or_default());
            digest.update(format!("{}\n{}\n{time}\n{tag}\n", meta.location, meta.size));
        }
        let path = remembered.folder.join(format!("{}.arrow", &hex(&Sha256::digest(declaration))[..32]));
        Some(Slot { path, fingerprint: hex(&digest.finalize()) })
    }

    /// The columns, if they were found out for the very same files.
    pub(super) fn recall(&self) -> Option<Fields> {
        let bytes = std::fs::read(&self.path).ok()?;
        let schema = StreamReader::try_new(bytes.as_slice(), None).ok()?.schema();
        let same = schema.metadata().get(FINGERPRINT) == Some(&self.fingerprint);
        same.then(|| schema.fields().clone())
    }

    /// Remembers columns. That this fails is no reason for anything to fail: they are found out again.
    pub(super) fn keep(&self, fields: &Fields) {
        let metadata = [(FINGERPRINT.to_string(), self.fingerprint.clone())].into();
        let schema = Schema::new_with_metadata(fields.clone(), metadata);
        let write = || -> Result<(), Box<dyn std::error::Error>> {
            let mut bytes = Vec::new();
            StreamWriter::try_new(&mut bytes, &schema)?.finish()?;
            if let Some(folder) = self.path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            // A reader sees all of it or the one before.
            let unique = self.path.with_extension(format!("{}.tmp", uuid::Uuid::new_v4()));
            std::fs::write(&unique, bytes)?;
            std::fs::rename(&unique, &self.path)?;
            Ok(())
        };
        if let Err(error) = write() {
            tracing::debug!("columns of a source were not remembered: {error}");
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
