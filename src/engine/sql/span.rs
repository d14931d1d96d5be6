//! Places of the SQL parser (lines and columns in characters) as places in a file (bytes).

use std::sync::Arc;

use datafusion::sql::sqlparser::tokenizer::{Location, Span as SqlSpan};

use crate::diag::{SourceFile, Span};

/// The bytes that `span` covers in `file`; `None` for the empty span of a node that no text stands for.
pub fn text_span(file: &Arc<SourceFile>, span: SqlSpan) -> Option<Span> {
    if span.start.line == 0 {
        return None;
    }
    let start = offset(&file.text, span.start.line, span.start.column);
    let end = if span.end.line == 0 { start } else { offset(&file.text, span.end.line, span.end.column) };
    Some(Span::new(file, start..end.max(start)))
}

/// The same for a place that the planner carries.
pub(crate) fn planner_span(file: &Arc<SourceFile>, span: &datafusion::common::Span) -> Option<Span> {
    let location = |at: &datafusion::common::Location| Location { line: at.line, column: at.column };
    text_span(file, SqlSpan { start: location(&span.start), end: location(&span.end) })
}

/// The byte offset of a one-based line and column; a place beyond the text is its end.
pub(super) fn offset(text: &str, line: u64, column: u64) -> usize {
    let line = line.saturating_sub(1) as usize;
    let start = if line == 0 { Some(0) } else { text.match_indices('\n').nth(line - 1).map(|(at, _)| at + 1) };
    let Some(start) = start else { return text.len() };
    let skip = column.saturating_sub(1) as usize;
    text[start..].char_indices().nth(skip).map_or(text.len(), |(at, _)| start + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let text = "select\n  'ế', Tên\nfrom t";
        let at = offset(text, 2, 8);
        assert_eq!(&text[at..at + "Tên".len()], "Tên");
        assert_eq!(offset(text, 9, 1), text.len());
        assert_eq!(offset(text, 1, 1), 0);
    }
}
