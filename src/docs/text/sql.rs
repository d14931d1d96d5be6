//! SQL with Jinja in it, cut into words. It never fails: what it does not understand is plain text.

use super::highlight::Class;

/// A stretch of text that is more than plain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) class: Class,
}

impl Token {
    pub(super) fn text<'a>(&self, text: &'a str) -> &'a str {
        &text[self.start..self.end]
    }
}

/// The tokens of `text`, in order and without overlaps.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut cutter = Cutter { text, at: 0, tokens: Vec::new() };
    while cutter.at < text.len() {
        cutter.sql();
    }
    cutter.tokens
}

struct Cutter<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
}

impl Cutter<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// A token from here to `end`.
    fn push(&mut self, end: usize, class: Class) {
        if end > self.at {
            self.tokens.push(Token { start: self.at, end, class });
        }
        self.at = end;
    }

    /// Where `stop` ends, searched from `from` bytes ahead; the end of the text if it is not there.
    fn behind(&self, from: usize, stop: &str) -> usize {
        let start = (self.at + from).min(self.text.len());
        self.text[start..].find(stop).map_or(self.text.len(), |at| start + at + stop.len())
    }

    fn skip(&mut self) {
        self.at += self.rest().chars().next().map_or(1, char::len_utf8);
    }

    fn sql(&mut self) {
        let rest = self.rest();
        match rest.as_bytes() {
            [b'{', b'#', ..] => self.push(self.behind(2, "#}"), Class::Comment),
            [b'{', b'{' | b'%', ..] => self.jinja(),
            [b'-', b'-', ..] => {
                let end = rest.find('\n').map_or(self.text.len(), |at| self.at + at);
                self.push(end, Class::Comment);
            }
            [b'/', b'*', ..] => self.push(self.behind(2, "*/"), Class::Comment),
            [b'\'', ..] => self.string(),
            [quote @ (b'"' | b'`'), ..] => {
                let end = self.quoted_name(char::from(*quote));
                self.push(end, Class::QuotedIdentifier);
            }
            [first, ..] if first.is_ascii_digit() => self.push(self.at + number(rest), Class::Number),
            [first, ..] if is_name_start(*first) => self.word(),
            _ => self.skip(),
        }
    }

    /// A string, perhaps with Jinja inside.
    fn string(&mut self) {
        let mut end = self.at + 1;
        loop {
            let Some(found) = self.text[end..].find(['\'', '{']) else {
                return self.push(self.text.len(), Class::String);
            };
            end += found;
            let here = &self.text.as_bytes()[end..];
            match here {
                [b'\'', b'\'', ..] => end += 2,
                [b'\'', ..] => return self.push(end + 1, Class::String),
                [b'{', b'{' | b'%', ..] => {
                    self.push(end, Class::String);
                    self.jinja();
                    end = self.at;
                }
                _ => end += 1,
            }
        }
    }

    /// The end of a quoted name, or of several with dots between.
    fn quoted_name(&self, quote: char) -> usize {
        let mut end = self.at;
        loop {
            let Some(close) = self.text[end + 1..].find(quote) else { return self.text.len() };
            end += close + 2;
            let rest = &self.text[end..];
            // A doubled quote goes on, and so does a dot with another name.
            if rest.starts_with(quote) {
                continue;
            }
            match rest.strip_prefix('.') {
                Some(next) if next.starts_with(quote) => end += 1,
                _ => return end,
            }
        }
    }

    fn word(&mut self) {
        let rest = self.rest();
        let length = name_length(rest);
        let (word, behind) = rest.split_at(length);
        // Parts of `a.b.c` are names, whatever they spell.
        let is_part = self.text[..self.at].ends_with('.') || behind.starts_with('.');
        let class = match () {
            () if is_part => None,
            () if is_keyword(word) => Some(Class::Keyword),
            () if behind.starts_with('(') => Some(Class::Function),
            () if is_type(word) => Some(Class::Type),
            () => None,
        };
        match class {
            Some(class) => self.push(self.at + length, class),
            None => self.at += length,
        }
    }

    /// `{{ .. }}` or `{% .. %}`.
    fn jinja(&mut self) {
        let stop = if self.rest().starts_with("{{") { "}}" } else { "%}" };
        let open = 2 + usize::from(self.rest()[2..].starts_with(['-', '+']));
        self.push(self.at + open, Class::JinjaDelimiter);
        while self.at < self.text.len() {
            let rest = self.rest();
            let trimmed = usize::from(rest.starts_with(['-', '+']));
            if rest[trimmed..].starts_with(stop) {
                return self.push(self.at + trimmed + 2, Class::JinjaDelimiter);
            }
            match rest.as_bytes() {
                [quote @ (b'\'' | b'"'), ..] => {
                    let end = self.at + literal(rest, *quote);
                    self.push(end, Class::String);
                }
                [first, ..] if first.is_ascii_digit() => self.push(self.at + number(rest), Class::Number),
                [first, ..] if is_name_start(*first) => {
                    let length = name_length(rest);
                    self.push(self.at + length, Class::JinjaName);
                }
                _ => self.skip(),
            }
        }
    }
}

/// Length of a literal of a template; a backslash escapes.
fn literal(text: &str, quote: u8) -> usize {
    let bytes = text.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

fn number(text: &str) -> usize {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    match text[whole..].strip_prefix('.').map(digits) {
        Some(fraction) if fraction > 0 => whole + 1 + fraction,
        _ => whole,
    }
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}

fn name_length(text: &str) -> usize {
    text.find(|char: char| !(char.is_alphanumeric() || char == '_' || char == '$'))
        .unwrap_or(text.len())
        // A character that is no letter though it is not ASCII.
        .max(text.chars().next().map_or(1, char::len_utf8))
}

fn is_keyword(word: &str) -> bool {
    found(KEYWORDS, word)
}

fn is_type(word: &str) -> bool {
    found(TYPES, word)
}

fn found(sorted: &[&str], word: &str) -> bool {
    word.len() <= 16 && sorted.binary_search(&word.to_ascii_lowercase().as_str()).is_ok()
}

const KEYWORDS: &[&str] = &[
    "all",
    "and",
    "anti",
    "any",
    "array",
    "as",
    "asc",
    "at",
    "between",
    "both",
    "by",
    "case",
    "cast",
    "cross",
    "cube",
    "current",
    "desc",
    "distinct",
    "else",
    "end",
    "escape",
    "except",
    "exclude",
    "exists",
    "extract",
    "false",
    "fetch",
    "filter",
    "first",
    "following",
    "for",
    "from",
    "full",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "inner",
    "intersect",
    "interval",
    "is",
    "join",
    "last",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "natural",
    "not",
    "null",
    "nulls",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "partition",
    "pivot",
    "preceding",
    "qualify",
    "range",
    "recursive",
    "replace",
    "right",
    "rlike",
    "rollup",
    "row",
    "rows",
    "select",
    "semi",
    "sets",
    "similar",
    "some",
    "struct",
    "tablesample",
    "then",
    "ties",
    "to",
    "trailing",
    "true",
    "try_cast",
    "unbounded",
    "union",
    "unnest",
    "unpivot",
    "using",
    "values",
    "when",
    "where",
    "window",
    "with",
    "within",
];

const TYPES: &[&str] = &[
    "bigint",
    "binary",
    "bool",
    "boolean",
    "bytea",
    "char",
    "date",
    "decimal",
    "double",
    "float",
    "int",
    "int64",
    "integer",
    "json",
    "map",
    "numeric",
    "real",
    "smallint",
    "string",
    "text",
    "time",
    "timestamp",
    "timestamptz",
    "tinyint",
    "uuid",
    "varbinary",
    "varchar",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sorted() {
        assert!(KEYWORDS.is_sorted() && TYPES.is_sorted());
    }
}
