//! The files of a project, by kind.

use std::path::Path;
use std::sync::Arc;

use walkdir::WalkDir;

use super::ProjectConfig;
use crate::diag::{Diagnostic, Diagnostics, SourceFile, codes};

/// What a file is for; it follows from the folder that it lies in and from its extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// `.sql` under the model paths.
    Model,
    /// `.csv`, `.tsv`, ... under the seed paths. Their content is not read here.
    Seed,
    /// `.sql` under the snapshot paths.
    Snapshot,
    /// `.sql` under the test paths, outside `generic/`.
    SingularTest,
    /// `.sql` under the analysis paths.
    Analysis,
    /// `.sql` under the macro paths or `generic/` of the test paths.
    Macro,
    /// `.yml` or `.yaml` under any of these.
    Properties,
    /// `.md` under any of these.
    Docs,
    /// A unit test's rows under `fixtures/` of the test paths.
    Fixture,
}

/// One file.
#[derive(Debug, Clone)]
pub struct ProjectFile {
    /// What it is for.
    pub kind: FileKind,
    /// Path relative to its resource folder (`staging/stg_a.sql` in `models/`), with `/`.
    pub path: String,
    /// Path relative to the project (`models/staging/stg_a.sql`), with `/`.
    pub original_path: String,
    /// Path and content; a seed's content is left empty.
    pub source: Arc<SourceFile>,
    /// Size in bytes.
    pub size: u64,
}

/// Seeds may be any of these.
const SEED_EXTENSIONS: [&str; 7] = ["csv", "tsv", "json", "jsonl", "parquet", "xlsx", "arrow"];

/// The resource folders, and what a file in them is.
fn folders(config: &ProjectConfig) -> [(&[String], FileKind); 6] {
    [
        (&config.model_paths, FileKind::Model),
        (&config.seed_paths, FileKind::Seed),
        (&config.snapshot_paths, FileKind::Snapshot),
        (&config.test_paths, FileKind::SingularTest),
        (&config.analysis_paths, FileKind::Analysis),
        (&config.macro_paths, FileKind::Macro),
    ]
}

/// Everything under the resource folders of `config`, sorted by path. Unreadable files are diagnostics.
pub(super) fn discover(root: &Path, config: &ProjectConfig, diagnostics: &mut Diagnostics) -> Vec<ProjectFile> {
    let mut found: Vec<ProjectFile> = Vec::new();
    for (paths, kind) in folders(config) {
        for folder in paths {
            walk(root, folder, kind, &mut found, diagnostics);
        }
    }
    found.sort_by(|a, b| (a.kind, &a.original_path).cmp(&(b.kind, &b.original_path)));
    found.dedup_by(|a, b| a.original_path == b.original_path && a.kind == b.kind);
    found
}

/// The files of a project that is in memory: those of `texts` (path and text) that stand in its resource folders.
pub(super) fn of_texts(config: &ProjectConfig, texts: &[(String, String)]) -> Vec<ProjectFile> {
    let mut found: Vec<ProjectFile> = Vec::new();
    for (original_path, text) in texts {
        for (paths, folder) in folders(config) {
            let inside = paths.iter().find_map(|path| original_path.strip_prefix(path.as_str())?.strip_prefix('/'));
            let Some((path, kind)) = inside.and_then(|path| Some((path, kind_of(path, folder)?))) else { continue };
            found.push(ProjectFile {
                kind,
                path: path.to_string(),
                original_path: original_path.clone(),
                source: SourceFile::new(original_path.clone(), text.clone()),
                size: text.len() as u64,
            });
        }
    }
    found.sort_by(|a, b| (a.kind, &a.original_path).cmp(&(b.kind, &b.original_path)));
    found.dedup_by(|a, b| a.original_path == b.original_path && a.kind == b.kind);
    found
}

fn walk(root: &Path, folder: &str, kind: FileKind, found: &mut Vec<ProjectFile>, diagnostics: &mut Diagnostics) {
    let base = root.join(folder);
    let visible =
        |entry: &walkdir::DirEntry| entry.depth() == 0 || !entry.file_name().to_string_lossy().starts_with('.');
    for entry in WalkDir::new(&base).follow_links(true).sort_by_file_name().into_iter().filter_entry(visible) {
        let Ok(entry) = entry else { continue };
        if !entry.file_type().is_file() {
            continue;
        }
        let (Ok(inside), Ok(relative)) = (entry.path().strip_prefix(&base), entry.path().strip_prefix(root)) else {
            continue;
        };
        let (path, original_path) = (slashes(inside), slashes(relative));
        let Some(kind) = kind_of(&path, kind) else { continue };
        let size = entry.metadata().map_or(0, |meta| meta.len());
        let text = match kind {
            FileKind::Seed => Ok(String::new()),
            _ => read_text(entry.path()),
        };
        match text {
            Ok(text) => {
                let source = SourceFile::new(original_path.clone(), text);
                found.push(ProjectFile { kind, path, original_path, source, size });
            }
            Err(error) => diagnostics.push(
                Diagnostic::error(codes::FILE_UNREADABLE, format!("`{original_path}` cannot be read: {error}"))
                    .help("files of a project are UTF-8 text: save it as such"),
            ),
        }
    }
}

/// The text of a file, or why it cannot be had: the line that is no UTF-8, since an editor shows it as a question mark.
fn read_text(path: &Path) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| {
        let (before, rest) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("the byte 0x{:02x} in line {line} is no UTF-8", rest.first().copied().unwrap_or_default())
    })
}

/// The kind of a file at `path` inside a folder for `folder` resources, if it is one of ours.
fn kind_of(path: &str, folder: FileKind) -> Option<FileKind> {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    match extension.as_str() {
        "yml" | "yaml" => Some(FileKind::Properties),
        "md" => Some(FileKind::Docs),
        _ if folder == FileKind::SingularTest && path.starts_with("fixtures/") => {
            matches!(extension.as_str(), "csv" | "sql").then_some(FileKind::Fixture)
        }
        "sql" => match folder {
            FileKind::SingularTest if path.starts_with("generic/") => Some(FileKind::Macro),
            FileKind::Seed => None,
            other => Some(other),
        },
        extension if folder == FileKind::Seed && SEED_EXTENSIONS.contains(&extension) => Some(FileKind::Seed),
        _ => None,
    }
}

fn slashes(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
