//! Files that people wrote, and places in them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A text file of the project: its path as people know it (relative to the project, with `/`) and its content.
#[derive(PartialEq, Eq)]
pub struct SourceFile {
    /// Path relative to the project's root, or a name such as `--inline` for text that is no file.
    pub path: String,
    /// The whole text.
    pub text: String,
}

impl SourceFile {
    /// A file in memory.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Arc<SourceFile> {
        Arc::new(SourceFile { path: path.into(), text: text.into() })
    }

    /// One-based line and column (in characters) of a byte offset.
    pub fn line_col(&self, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceFile({})", self.path)
    }
}

/// A byte range of a [`SourceFile`]. Cheap to clone; carries its file, so nobody needs a table to draw it.
#[derive(Clone, PartialEq, Eq)]
pub struct Span {
    /// The file.
    pub file: Arc<SourceFile>,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes `range` of `file`.
    pub fn new(file: &Arc<SourceFile>, range: Range<usize>) -> Span {
        let clamp = |at: usize| at.min(file.text.len()) as u32;
        Span { file: Arc::clone(file), start: clamp(range.start), end: clamp(range.end.max(range.start)) }
    }

    /// The start of `file`: for findings about a file as a whole.
    pub fn start_of(file: &Arc<SourceFile>) -> Span {
        Span::new(file, 0..0)
    }

    /// One-based line and column of the start.
    pub fn line_col(&self) -> (usize, usize) {
        self.file.line_col(self.start as usize)
    }

    /// One-based line and column behind the end.
    pub fn end_line_col(&self) -> (usize, usize) {
        self.file.line_col(self.end as usize)
    }

    /// The text in the range.
    pub fn text(&self) -> &str {
        self.file.text.get(self.start as usize..self.end as usize).unwrap_or("")
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, col) = self.line_col();
        write!(f, "{}:{line}:{col}", self.file.path)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
