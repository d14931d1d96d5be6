//! Draws a diagnostic for a terminal.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Severity, Span};

/// How to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Letters alone.
    Plain,
    /// With colours of the terminal.
    Colour,
}

/// The text of one diagnostic: title with code, snippets, notes and helps, without a newline at the end.
pub fn render(diagnostic: &Diagnostic, style: Style) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group = Group::with_title(level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.id));
    for snippet in snippets(diagnostic) {
        group = group.element(snippet);
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(note.as_str()));
    }
    for help in &diagnostic.helps {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Colour => Renderer::styled(),
    };
    renderer.render(&[group]).to_string()
}

/// One snippet a file, the primary file first, with all labels of the file in it.
fn snippets(diagnostic: &Diagnostic) -> Vec<Snippet<'_, annotate_snippets::Annotation<'_>>> {
    let mut files: Vec<&Span> = Vec::new();
    for label in &diagnostic.labels {
        if !files.iter().any(|span| span.file == label.span.file) {
            files.push(&label.span);
        }
    }
    files
        .into_iter()
        .map(|first| {
            let mut snippet = Snippet::source(first.file.text.as_str()).path(first.file.path.as_str()).fold(true);
            let labels = diagnostic.labels.iter().filter(|label| label.span.file == first.file);
            for (index, label) in labels.enumerate() {
                let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
                let mut annotation = kind.span(visible(&label.span));
                if !label.text.is_empty() {
                    annotation = annotation.label(label.text.as_str());
                }
                snippet = snippet.annotation(annotation);
            }
            snippet
        })
        .collect()
}

/// The span, cut to its first line so that a block does not fill the screen, and on character borders.
fn visible(span: &Span) -> std::ops::Range<usize> {
    let text = &span.file.text;
    let mut start = (span.start as usize).min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = (span.end as usize).clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    if let Some(newline) = text[start..end].find('\n') {
        end = start + newline;
    }
    start..end
}

#[cfg(test)]
mod tests {
    use super::super::{Diagnostic, SourceFile, Span, codes};
    use super::*;

    #[test]
    fn draws_code_place_and_help() {
        let file = SourceFile::new("models/mart.sql", "select *\nfrom {{ ref('stg_order') }}\n");
        let at = file.text.find("stg_order").expect("there");
        let diagnostic = Diagnostic::error(codes::REF_NOT_FOUND, "model `stg_order` not found")
            .label(Span::new(&file, at..at + 9), "referenced here")
            .help("a model named `stg_orders` exists");
        let expected = "\
error[C2001]: model `stg_order` not found
 --> models/mart.sql:2:14
  |
2 | from {{ ref('stg_order') }}
  |              ^^^^^^^^^ referenced here
  |
  = help: a model named `stg_orders` exists";
        assert_eq!(render(&diagnostic, Style::Plain), expected);
    }
}
