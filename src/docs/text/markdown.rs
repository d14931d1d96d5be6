//! Descriptions, written in Markdown, as HTML that can do nothing but be read.
//!
//! The parser gives events, and only events that are on our list become HTML: raw HTML of the author becomes the text
//! that it is, images their alternative text, links to anything but web pages, mail addresses and places on the page the
//! text of the link. No element has a class, a style, an id or a handler.

use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, html};

/// Descriptions that are longer are cut: a page is no place for a book.
const MAX_BYTES: usize = 256 * 1024;

/// `text` as HTML; none if there is nothing to show.
pub(crate) fn to_html(text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return None;
    }
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    html::push_html(&mut out, Harmless { events: parser(text), open: Vec::new(), image: 0 });
    Some(out.trim_end().to_string()).filter(|html| !html.is_empty())
}

/// `text` without its markup, blanks and line ends as single blanks.
pub(crate) fn to_text(text: &str) -> String {
    let mut out = String::new();
    for event in parser(text) {
        match event {
            Event::Text(part) | Event::Code(part) | Event::Html(part) | Event::InlineHtml(part) => out.push_str(&part),
            Event::SoftBreak | Event::HardBreak | Event::End(TagEnd::TableCell) => out.push(' '),
            Event::End(end) if !is_inline(end) => out.push(' '),
            _ => {}
        }
    }
    words(&out)
}

/// The first sentence of `text`, at most `length` characters of it.
pub(crate) fn summary(text: &str, length: usize) -> Option<String> {
    // Only the first paragraph matters, and it is short.
    let first = text.trim_start().split("\n\n").next().unwrap_or_default();
    let plain = to_text(first);
    let sentence = match sentence_end(&plain) {
        Some(end) => &plain[..end],
        None => plain.as_str(),
    };
    let cut = match sentence.char_indices().nth(length) {
        None => sentence.to_string(),
        Some(_) => {
            let end = sentence.char_indices().nth(length.saturating_sub(1)).map_or(0, |(at, _)| at);
            let end = sentence[..end].rfind(' ').filter(|blank| *blank > end / 2).unwrap_or(end);
            format!("{}…", sentence[..end].trim_end_matches([',', ';', ' ']))
        }
    };
    Some(cut).filter(|text| !text.is_empty())
}

/// Where the first sentence ends: behind a mark that a capital follows.
fn sentence_end(text: &str) -> Option<usize> {
    text.match_indices(". ").map(|(at, _)| at + 1).find(|end| {
        let next = text[*end..].trim_start().chars().next();
        let word = text[..*end - 1].rsplit(' ').next().unwrap_or_default();
        // `e.g. X` and initials end nothing.
        next.is_some_and(|next| !next.is_lowercase()) && word.chars().count() > 1 && !word.contains('.')
    })
}

fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

fn is_inline(end: TagEnd) -> bool {
    matches!(end, TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image)
}

fn parser(text: &str) -> Parser<'_> {
    let end = (0..=text.len().min(MAX_BYTES)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    Parser::new_ext(&text[..end], Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH)
}

/// Events that are safe to write as HTML.
struct Harmless<'a> {
    events: Parser<'a>,
    /// For each link that is open, whether it is written.
    open: Vec<bool>,
    /// Images that are open: their alternative text is shown as text.
    image: usize,
}

impl<'a> Iterator for Harmless<'a> {
    type Item = Event<'a>;

    fn next(&mut self) -> Option<Event<'a>> {
        loop {
            let event = self.events.next()?;
            if let Some(event) = self.harmless(event) {
                return Some(event);
            }
        }
    }
}

impl<'a> Harmless<'a> {
    fn harmless(&mut self, event: Event<'a>) -> Option<Event<'a>> {
        match event {
            Event::Text(_) | Event::Code(_) | Event::SoftBreak | Event::HardBreak | Event::Rule => Some(event),
            // What the author wrote as HTML is text.
            Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
            Event::Start(tag) => self.start(tag),
            Event::End(end) => self.end(end),
            _ => None,
        }
    }

    fn start(&mut self, tag: Tag<'a>) -> Option<Event<'a>> {
        let tag = match tag {
            Tag::Heading { level, .. } => {
                Tag::Heading { level: below(level), id: None, classes: Vec::new(), attrs: Vec::new() }
            }
            Tag::CodeBlock(_) => Tag::CodeBlock(CodeBlockKind::Indented),
            // Alignment would be an inline style.
            Tag::Table(columns) => Tag::Table(vec![pulldown_cmark::Alignment::None; columns.len()]),
            Tag::Link { link_type, dest_url, .. } => return self.link(link_type, &dest_url),
            Tag::Image { .. } => {
                self.image += 1;
                return None;
            }
            Tag::Paragraph
            | Tag::BlockQuote(None)
            | Tag::List(_)
            | Tag::Item
            | Tag::TableHead
            | Tag::TableRow
            | Tag::TableCell
            | Tag::Emphasis
            | Tag::Strong
            | Tag::Strikethrough => tag,
            _ => return None,
        };
        Some(Event::Start(tag))
    }

    fn end(&mut self, end: TagEnd) -> Option<Event<'a>> {
        match end {
            TagEnd::Link => self.open.pop().unwrap_or(false).then(|| Event::InlineHtml("</a>".into())),
            TagEnd::Image => {
                self.image = self.image.saturating_sub(1);
                None
            }
            TagEnd::Heading(level) => Some(Event::End(TagEnd::Heading(below(level)))),
            TagEnd::Paragraph
            | TagEnd::BlockQuote(None)
            | TagEnd::CodeBlock
            | TagEnd::List(_)
            | TagEnd::Item
            | TagEnd::Table
            | TagEnd::TableHead
            | TagEnd::TableRow
            | TagEnd::TableCell
            | TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough => Some(Event::End(end)),
            _ => None,
        }
    }

    fn link(&mut self, kind: LinkType, url: &str) -> Option<Event<'a>> {
        let target = if kind == LinkType::Email { Some(format!("mailto:{url}")) } else { safe_url(url) };
        self.open.push(target.is_some());
        let target = target?;
        Some(Event::InlineHtml(CowStr::from(format!(
            "<a href=\"{}\" rel=\"noopener noreferrer\">",
            attribute(&target)
        ))))
    }
}

/// `url` if it leads to a web page, a mail address or a place on the page. Anything else, and anything that a browser
/// could read as something else, is none.
pub(crate) fn safe_url(url: &str) -> Option<String> {
    let lower = url.to_ascii_lowercase();
    let known = ["https://", "http://", "mailto:", "#"].iter().any(|start| lower.starts_with(start));
    (known && !url.chars().any(|char| char.is_control() || char.is_whitespace())).then(|| url.to_string())
}

fn attribute(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
    out
}

/// Headings of a description stand below those of the page.
fn below(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H3,
        HeadingLevel::H2 => HeadingLevel::H4,
        HeadingLevel::H3 => HeadingLevel::H5,
        _ => HeadingLevel::H6,
    }
}

#[cfg(test)]
pub(in crate::docs) mod tests;
