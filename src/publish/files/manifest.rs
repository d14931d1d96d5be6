//! The manifest: which files a table consists of, and the ledger of how they came to be.

use serde::{Deserialize, Serialize};

use super::super::ledger::Entry;

/// Number of the manifest's own format.
const FORMAT: u32 = 1;

/// What a table is, as of one publish.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// Number of this format.
    pub(super) manifest_format: u32,
    /// The version of the table: one more with each publish.
    pub(super) version: u64,
    /// Tells two publishes of the same version apart.
    pub(super) id: String,
    /// `parquet`, `csv` or `json`.
    pub(super) format: String,
    /// `none`, `gzip`, `zstd` or `snappy`.
    pub(super) compression: String,
    /// Names and types of the columns, those of folders included.
    pub(super) columns: Vec<ManifestColumn>,
    /// Columns that are folders (`column=value/`), outermost first.
    pub(super) partitions: Vec<String>,
    /// Rows in all files.
    pub(super) rows: u64,
    /// Bytes of all files.
    pub(super) bytes: u64,
    /// The files, by paths from the table's folder.
    pub(super) files: Vec<ManifestFile>,
    /// Files of the version before that are no longer part of the table.
    pub(super) replaced: Vec<String>,
    /// What was published, from which version of which relation, by which run.
    pub(super) published: Noted,
}

/// A column, for readers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ManifestColumn {
    pub(super) name: String,
    /// Arrow's name of the type.
    #[serde(rename = "type")]
    pub(super) data_type: String,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ManifestFile {
    pub(super) path: String,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    /// Of the file as it is stored, in hexadecimal.
    pub(super) sha256: String,
}

/// The row of the ledger: [`Entry`] with names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Noted {
    pub(super) destination_table: String,
    pub(super) node: String,
    pub(super) warehouse_relation: String,
    pub(super) warehouse_table_id: Option<String>,
    pub(super) warehouse_version: Option<u64>,
    pub(super) mode: String,
    pub(super) is_exact: bool,
    pub(super) config: String,
    pub(super) kinds: Vec<(String, String)>,
    pub(super) sent_rows: u64,
    pub(super) run_id: String,
    pub(super) published_at: String,
}

impl Noted {
    /// What `entry` says.
    pub(super) fn of(entry: &Entry) -> Noted {
        Noted {
            destination_table: entry.table.clone(),
            node: entry.node.clone(),
            warehouse_relation: entry.relation.clone(),
            warehouse_table_id: entry.table_id.clone(),
            warehouse_version: entry.version,
            mode: entry.mode.clone(),
            is_exact: entry.exact,
            config: entry.config.clone(),
            kinds: entry.columns.clone(),
            sent_rows: entry.sent,
            run_id: entry.run.clone(),
            published_at: entry.at.clone(),
        }
    }
}

impl Manifest {
    /// The manifest of a version with these files.
    pub(super) fn new(version: u64, entry: &Entry, files: Vec<ManifestFile>) -> Manifest {
        Manifest {
            manifest_format: FORMAT,
            version,
            id: entry.token.clone(),
            format: String::new(),
            compression: String::new(),
            columns: Vec::new(),
            partitions: Vec::new(),
            rows: files.iter().map(|file| file.rows).sum(),
            bytes: files.iter().map(|file| file.bytes).sum(),
            files,
            replaced: Vec::new(),
            published: Noted::of(entry),
        }
    }

    /// The ledger's row.
    pub(super) fn entry(&self) -> Entry {
        let noted = &self.published;
        Entry {
            table: noted.destination_table.clone(),
            token: self.id.clone(),
            node: noted.node.clone(),
            relation: noted.warehouse_relation.clone(),
            table_id: noted.warehouse_table_id.clone(),
            version: noted.warehouse_version,
            mode: noted.mode.clone(),
            exact: noted.is_exact,
            config: noted.config.clone(),
            columns: noted.kinds.clone(),
            rows: self.rows,
            sent: noted.sent_rows,
            run: noted.run_id.clone(),
            at: noted.published_at.clone(),
        }
    }

    /// As JSON, for people too.
    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).unwrap_or_default();
        json.push(b'\n');
        json
    }

    /// Reads JSON; none if it is no manifest of ours.
    pub(super) fn from_json(json: &[u8]) -> Option<Manifest> {
        serde_json::from_slice(json).ok().filter(|manifest: &Manifest| manifest.manifest_format == FORMAT)
    }
}
