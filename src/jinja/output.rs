//! What a rendering writes, and where each byte of it comes from.
//!
//! While text is written, a segment notes its place in a file and the chain of macro calls that led there. The output
//! of a macro is a value like any other; its segments are kept beside it for a while, found by the identity of the
//! text, and spliced in when that very text is written. So `{{ macro() }}`, also through `return(dispatch(..))`, keeps
//! the places inside of the macro, while text that was changed on the way (`~`, filters) is where its `{{ }}` stands.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use crate::diag::{SourceFile, Span};

use super::syntax::ast::Loc;

/// How many macro results remember their places.
const REMEMBERED: usize = 64;

/// A rendered template.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// Where it comes from.
    pub map: SourceMap,
}

/// From bytes of the output to places in files.
#[derive(Debug, Clone, Default)]
pub struct SourceMap {
    segments: Vec<Segment>,
    files: Vec<Arc<SourceFile>>,
    links: Vec<Link>,
}

/// Where some text comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The literal text, or the tag that wrote it.
    pub span: Span,
    /// True for literal text: then `span` is exact to the byte.
    pub literal: bool,
    /// Macro calls that led there, the outermost first: name of the macro and where it is called.
    pub chain: Vec<(Arc<str>, Span)>,
}

/// The output from `start` to the start of the next segment.
#[derive(Debug, Clone, Copy)]
struct Segment {
    start: u32,
    file: u32,
    at: Loc,
    literal: bool,
    /// Index of the innermost link plus one; 0 outside of macros.
    link: u32,
}

/// One macro call, and the link of the call around it.
#[derive(Debug, Clone)]
struct Link {
    outer: u32,
    name: Arc<str>,
    file: u32,
    site: Loc,
}

impl SourceMap {
    /// The map of a text that is, from `at`, the text of `file`.
    pub fn of_file(file: &Arc<SourceFile>, at: Loc) -> SourceMap {
        let segment = Segment { start: 0, file: 0, at, literal: true, link: 0 };
        SourceMap { segments: vec![segment], files: vec![Arc::clone(file)], links: Vec::new() }
    }

    fn find(&self, offset: usize) -> Option<&Segment> {
        let after = self.segments.partition_point(|segment| segment.start as usize <= offset);
        self.segments.get(after.checked_sub(1)?)
    }

    /// Where the byte at `offset` of the output comes from.
    pub fn lookup(&self, offset: usize) -> Option<Origin> {
        self.origin(offset..offset)
    }

    /// Where `range` of the output comes from: the exact text if all of it is literal and from one place, otherwise
    /// what wrote its first byte.
    pub fn origin(&self, range: Range<usize>) -> Option<Origin> {
        let segment = self.find(range.start)?;
        let file = self.files.get(segment.file as usize)?;
        let bytes = if segment.literal {
            let shift = range.start - segment.start as usize;
            let start = (segment.at.start as usize + shift).min(segment.at.end as usize);
            start..(start + range.len()).min(segment.at.end as usize)
        } else {
            segment.at.range()
        };
        Some(Origin { span: Span::new(file, bytes), literal: segment.literal, chain: self.chain(segment.link) })
    }

    fn chain(&self, mut link: u32) -> Vec<(Arc<str>, Span)> {
        let mut out = Vec::new();
        while let Some(entry) = (link as usize).checked_sub(1).and_then(|at| self.links.get(at)) {
            if let Some(file) = self.files.get(entry.file as usize) {
                out.push((Arc::clone(&entry.name), entry.site.span(file)));
            }
            link = entry.outer;
        }
        out.reverse();
        out
    }

    /// The number of segments; for tests of its size.
    pub fn len(&self) -> usize {
        self.segments.len()
    }

    /// True if nothing was written.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }
}

/// Text that is being written, with its segments.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    pub(crate) text: String,
    segments: Vec<Segment>,
}

/// Knows files and calls of one rendering, and the places of recent macro results.
#[derive(Default)]
pub(crate) struct Recorder {
    enabled: bool,
    files: Vec<Arc<SourceFile>>,
    links: Vec<Link>,
    current: u32,
    recent: VecDeque<(Arc<str>, Vec<Segment>)>,
}

impl Recorder {
    pub(crate) fn new(enabled: bool) -> Recorder {
        Recorder { enabled, ..Recorder::default() }
    }

    /// The number of a file.
    pub(crate) fn file(&mut self, file: &Arc<SourceFile>) -> u32 {
        let known = self.files.iter().rposition(|other| Arc::ptr_eq(other, file));
        let at = known.unwrap_or_else(|| {
            self.files.push(Arc::clone(file));
            self.files.len() - 1
        });
        at as u32
    }

    /// Enters a macro; gives back what [`Recorder::leave`] needs.
    pub(crate) fn enter(&mut self, name: &Arc<str>, file: u32, site: Loc) -> u32 {
        let outer = self.current;
        if self.enabled {
            self.links.push(Link { outer, name: Arc::clone(name), file, site });
            self.current = self.links.len() as u32;
        }
        outer
    }

    /// Leaves a macro.
    pub(crate) fn leave(&mut self, outer: u32) {
        self.current = outer;
    }

    /// Notes that what is written to `buffer` next comes from `at`.
    pub(crate) fn mark(&self, buffer: &mut Buffer, file: u32, at: Loc, literal: bool) {
        if !self.enabled {
            return;
        }
        let start = buffer.text.len() as u32;
        let segment = Segment { start, file, at, literal, link: self.current };
        match buffer.segments.last_mut() {
            Some(last) if last.start == start => *last = segment,
            _ => buffer.segments.push(segment),
        }
    }

    /// Remembers the places of a macro's result.
    pub(crate) fn remember(&mut self, text: &Arc<str>, buffer: Buffer) {
        if !self.enabled || buffer.segments.is_empty() {
            return;
        }
        if self.recent.len() == REMEMBERED {
            self.recent.pop_front();
        }
        self.recent.push_back((Arc::clone(text), buffer.segments));
    }

    /// Writes `text` to `buffer`, with its own places if they are known; otherwise it comes from `at`.
    pub(crate) fn write(&self, buffer: &mut Buffer, text: &Arc<str>, file: u32, at: Loc) {
        if self.enabled && !text.is_empty() {
            self.mark(buffer, file, at, false);
            let known = self.recent.iter().rev().find(|(other, _)| Arc::ptr_eq(other, text));
            if let Some((_, segments)) = known {
                let shift = buffer.text.len() as u32;
                if segments.first().is_some_and(|first| first.start == 0) {
                    buffer.segments.pop();
                }
                buffer
                    .segments
                    .extend(segments.iter().map(|segment| Segment { start: segment.start + shift, ..*segment }));
            }
        }
        buffer.text.push_str(text);
    }

    /// The result of the whole rendering.
    pub(crate) fn finish(self, buffer: Buffer) -> Rendered {
        let map = SourceMap { segments: buffer.segments, files: self.files, links: self.links };
        Rendered { text: buffer.text, map }
    }
}
