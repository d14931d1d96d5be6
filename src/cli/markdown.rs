//! Markdown for a terminal: headings, paragraphs, lists and blocks of code, wrapped, with colours if they are wanted.
//!
//! It knows what our own pages use; anything else comes out as its text.

use console::measure_text_width;
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Parser, Tag, TagEnd};

/// Lines longer than that are hard to read, however wide the terminal is.
const WIDEST: usize = 100;

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "1;31";
const YELLOW: &str = "1;33";
const BLUE: &str = "1;34";
const CYAN: &str = "36";

/// `text`, which is Markdown, for a terminal with `width` columns.
pub(super) fn for_terminal(text: &str, width: Option<usize>, colour: bool) -> String {
    let width = width.unwrap_or(WIDEST).min(WIDEST);
    let mut page = Page { out: String::new(), line: String::new(), block: None, link: None, indent: 0, width, colour };
    for event in Parser::new(text) {
        page.event(event);
    }
    page.out.trim_end().to_string()
}

/// What is written so far, and where.
struct Page {
    out: String,
    /// The paragraph that is being read.
    line: String,
    /// The kind of the block of code that is being read.
    block: Option<String>,
    /// The page that the link being read leads to, if it is one of ours.
    link: Option<String>,
    indent: usize,
    width: usize,
    colour: bool,
}

impl Page {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                self.block = Some(match kind {
                    CodeBlockKind::Fenced(kind) => kind.to_string(),
                    CodeBlockKind::Indented => String::new(),
                });
            }
            Event::End(TagEnd::CodeBlock) => {
                self.block = None;
                self.out.push('\n');
            }
            Event::Start(Tag::List(_)) => self.indent += 2,
            Event::End(TagEnd::List(_)) => {
                self.indent -= 2;
                self.out.push_str(if self.indent == 0 { "\n" } else { "" });
            }
            Event::Start(Tag::Item) => self.line.push_str("- "),
            // Links into the documentation: a reader has no use for a path that starts at this page.
            Event::Start(Tag::Link { dest_url, .. }) => {
                self.link = (!dest_url.contains("://")).then(|| format!("docs/{}", dest_url.trim_start_matches("../")));
            }
            Event::End(TagEnd::Link) => {
                if let Some(path) = self.link.take() {
                    let path = self.paint(CYAN, &path);
                    self.line.push_str(&path);
                }
            }
            Event::End(TagEnd::Heading(level)) => self.heading(level),
            Event::End(TagEnd::Paragraph | TagEnd::Item) => self.paragraph(),
            Event::Text(text) => self.text(&text),
            Event::Code(text) => {
                // The paragraph is wrapped later: each word carries its style.
                let words = || text.split(' ').map(|word| self.paint(CYAN, word)).collect::<Vec<_>>().join(" ");
                let text = if self.colour { words() } else { format!("`{text}`") };
                self.line.push_str(&text);
            }
            Event::SoftBreak | Event::HardBreak => self.line.push(' '),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        match &self.block {
            None if self.link.is_some() => {}
            None => self.line.push_str(text),
            Some(kind) => {
                let is_console = kind == "console";
                for line in text.lines() {
                    let line = if is_console { self.said(line) } else { line.to_string() };
                    let line = format!("    {line}");
                    self.out.push_str(line.trim_end());
                    self.out.push('\n');
                }
            }
        }
    }

    /// A line of a session: commands and titles of messages stand out.
    fn said(&self, line: &str) -> String {
        let title = |style: &str| match line.split_once(": ") {
            Some((code, rest)) => format!("{}: {}", self.paint(style, code), self.paint(BOLD, rest)),
            None => self.paint(style, line),
        };
        if line.starts_with("$ ") {
            self.paint(BOLD, line)
        } else if line.starts_with("error[") {
            title(RED)
        } else if line.starts_with("warning[") {
            title(YELLOW)
        } else {
            line.to_string()
        }
    }

    fn heading(&mut self, level: HeadingLevel) {
        let line = std::mem::take(&mut self.line);
        let style = if level == HeadingLevel::H1 { BOLD } else { BLUE };
        let line = self.paint(style, &line);
        self.out.push_str(&line);
        self.out.push_str("\n\n");
    }

    fn paragraph(&mut self) {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return;
        }
        let is_item = line.starts_with("- ");
        let indent = " ".repeat(self.indent);
        let hanging = if is_item { "  " } else { "" };
        let mut column = 0;
        for word in line.split_whitespace() {
            let length = measure_text_width(word);
            if column == 0 {
                self.out.push_str(&indent);
                column = indent.len();
            } else if column + 1 + length > self.width {
                self.out.push('\n');
                self.out.push_str(&indent);
                self.out.push_str(hanging);
                column = indent.len() + hanging.len();
            } else {
                self.out.push(' ');
                column += 1;
            }
            self.out.push_str(word);
            column += length;
        }
        self.out.push_str(if is_item { "\n" } else { "\n\n" });
    }

    fn paint(&self, style: &str, text: &str) -> String {
        paint(self.colour, style, text)
    }
}

/// `text` in bold, if there are colours.
pub(super) fn strong(colour: bool, text: &str) -> String {
    paint(colour, BOLD, text)
}

/// `text` less loud, if there are colours.
pub(super) fn faint(colour: bool, text: &str) -> String {
    paint(colour, DIM, text)
}

fn paint(colour: bool, style: &str, text: &str) -> String {
    if colour { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# C1: a title

Some words with `code in it`, and a [link](../reference/config.md)
on two lines.

- one item that is longer than the line is
- two

`models/a.sql`

```sql
select 1

from b
```

```console
$ c360 parse
error[C1]: no
```
";

    #[test]
    fn a_page_is_readable_without_colours() {
        let expected = "\
C1: a title

Some words with `code in it`, and a
docs/reference/config.md on two lines.

  - one item that is longer than the
    line is
  - two

`models/a.sql`

    select 1

    from b

    $ c360 parse
    error[C1]: no";
        let shown = for_terminal(PAGE, Some(40), false);
        assert_eq!(shown.replace("\n\n\n", "\n\n"), expected);
    }

    #[test]
    fn colours_change_no_letter() {
        let plain = for_terminal(PAGE, Some(40), false).replace('`', "");
        let coloured = for_terminal(PAGE, Some(40), true);
        assert!(coloured.contains("\x1b[1;31merror[C1]\x1b[0m"), "{coloured:?}");
        let words = |text: &str| text.split_whitespace().map(str::to_string).collect::<Vec<_>>();
        assert_eq!(words(&console::strip_ansi_codes(&coloured)), words(&plain));
    }
}
