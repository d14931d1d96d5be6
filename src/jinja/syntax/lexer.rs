//! Cuts a range of a file into tokens.
//!
//! Outside of tags there is text; the white space that `-` asks to be removed is already gone from its range. Comments
//! vanish, `raw` blocks arrive as text. A tag ends only where no bracket is open, so `{{ {'a': {}} }}` is one tag.

use super::ast::Loc;

/// A kind of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text between tags.
    Text,
    /// `{{`
    PrintBegin,
    /// `}}`
    PrintEnd,
    /// `{%`
    BlockBegin,
    /// `%}`
    BlockEnd,
    /// An identifier or keyword.
    Name,
    /// A string literal with its quotes.
    Str,
    /// A whole number.
    Int,
    /// A number with a fraction or an exponent.
    Float,
    /// An operator or a bracket.
    Op,
    /// The end of the range.
    Eof,
}

/// A token: its kind and where its text stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) at: Loc,
}

/// Why a range cannot be cut, and where.
#[derive(Debug, Clone)]
pub(crate) struct LexError {
    pub(crate) message: String,
    pub(crate) at: Loc,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    Print,
    Block,
    /// An expression without a tag around it: ends with the text.
    Bare,
}

/// Reads tokens one after the other.
pub(crate) struct Lexer<'a> {
    text: &'a str,
    pos: usize,
    end: usize,
    state: State,
    /// The closers of the brackets that are open in the current tag.
    open: Vec<u8>,
    /// The tag before asked for the white space after it to be removed.
    strip: bool,
    /// Start of the current tag, for messages.
    tag_start: usize,
}

impl<'a> Lexer<'a> {
    /// Cuts `text[start..end]`; positions are those of `text`.
    pub(crate) fn new(text: &'a str, start: usize, end: usize) -> Lexer<'a> {
        Lexer { text, pos: start, end, state: State::Text, open: Vec::new(), strip: false, tag_start: start }
    }

    /// Cuts all of `text` as the inside of a tag.
    pub(crate) fn expression(text: &'a str) -> Lexer<'a> {
        Lexer { state: State::Bare, ..Lexer::new(text, 0, text.len()) }
    }

    /// Goes on at `pos`, outside of tags, after something went wrong.
    pub(crate) fn resume(&mut self, pos: usize) {
        self.pos = pos.min(self.end);
        self.state = State::Text;
        self.open.clear();
        self.strip = false;
    }

    /// Where the tag that is being read starts.
    pub(crate) fn tag_start(&self) -> usize {
        self.tag_start
    }

    fn rest(&self) -> &'a str {
        &self.text[self.pos..self.end]
    }

    fn loc(&self, start: usize, end: usize) -> Loc {
        Loc { start: start as u32, end: end as u32 }
    }

    fn error<T>(&self, message: impl Into<String>, start: usize, end: usize) -> Result<T, LexError> {
        Err(LexError { message: message.into(), at: self.loc(start, end) })
    }

    /// The next token.
    pub(crate) fn next(&mut self) -> Result<Token, LexError> {
        match self.state {
            State::Text => self.next_outside(),
            State::Print | State::Block | State::Bare => self.next_inside(),
        }
    }

    fn next_outside(&mut self) -> Result<Token, LexError> {
        loop {
            if self.strip {
                self.strip = false;
                let rest = self.rest();
                self.pos += rest.len() - rest.trim_start().len();
            }
            let start = self.pos;
            let Some(tag) = find_tag(self.text.as_bytes(), start, self.end) else {
                self.pos = self.end;
                let kind = if start < self.end { Kind::Text } else { Kind::Eof };
                return Ok(Token { kind, at: self.loc(start, self.end) });
            };
            let removes = self.text.as_bytes().get(tag + 2) == Some(&b'-') && tag + 2 < self.end;
            let text_end = if removes { start + self.text[start..tag].trim_end().len() } else { tag };
            if text_end > start {
                self.pos = tag;
                return Ok(Token { kind: Kind::Text, at: self.loc(start, text_end) });
            }
            self.pos = tag;
            if let Some(token) = self.open_tag(tag)? {
                return Ok(token);
            }
        }
    }

    /// Enters the tag at `tag`. Comments and empty `raw` blocks give no token.
    fn open_tag(&mut self, tag: usize) -> Result<Option<Token>, LexError> {
        self.tag_start = tag;
        let kind = self.text.as_bytes()[tag + 1];
        if kind == b'#' {
            return self.skip_comment(tag).map(|()| None);
        }
        let mut begin = tag + 2;
        if begin < self.end && matches!(self.text.as_bytes()[begin], b'-' | b'+') {
            begin += 1;
        }
        if kind == b'%'
            && let Some((after, strip)) = basic_tag(&self.text[begin..self.end], "raw")
        {
            return self.raw_block(tag, begin + after, strip);
        }
        self.pos = begin;
        self.open.clear();
        let (state, token) =
            if kind == b'%' { (State::Block, Kind::BlockBegin) } else { (State::Print, Kind::PrintBegin) };
        self.state = state;
        Ok(Some(Token { kind: token, at: self.loc(tag, begin) }))
    }

    fn skip_comment(&mut self, tag: usize) -> Result<(), LexError> {
        match self.text[tag + 2..self.end].find("#}") {
            Some(len) => {
                let close = tag + 2 + len;
                self.strip = len > 0 && self.text.as_bytes()[close - 1] == b'-';
                self.pos = close + 2;
                Ok(())
            }
            None => {
                self.pos = self.end;
                self.error("a comment is not closed: `#}` is missing", tag, tag + 2)
            }
        }
    }

    /// `inside` is the first byte after the tag `raw`.
    fn raw_block(&mut self, tag: usize, inside: usize, strip: bool) -> Result<Option<Token>, LexError> {
        let mut from = inside;
        while let Some(found) = self.text[from..self.end].find("{%") {
            let open = from + found;
            let mut body = open + 2;
            let removes = self.text.as_bytes().get(body) == Some(&b'-');
            if body < self.end && matches!(self.text.as_bytes()[body], b'-' | b'+') {
                body += 1;
            }
            if let Some((after, strip_next)) = basic_tag(&self.text[body..self.end], "endraw") {
                self.pos = body + after;
                self.strip = strip_next;
                let mut text = &self.text[inside..open];
                let mut start = inside;
                if strip {
                    start += text.len() - text.trim_start().len();
                    text = text.trim_start();
                }
                if removes {
                    text = text.trim_end();
                }
                let at = self.loc(start, start + text.len());
                return Ok((!text.is_empty()).then_some(Token { kind: Kind::Text, at }));
            }
            from = open + 2;
        }
        self.pos = self.end;
        self.error("a raw block is not closed: `{% endraw %}` is missing", tag, inside)
    }

    fn next_inside(&mut self) -> Result<Token, LexError> {
        let rest = self.rest();
        self.pos += rest.len() - rest.trim_start().len();
        let start = self.pos;
        let bytes = &self.text.as_bytes()[..self.end];
        let Some(&first) = bytes.get(start) else {
            if self.state == State::Bare {
                return Ok(Token { kind: Kind::Eof, at: self.loc(start, start) });
            }
            let tag = if self.state == State::Print { "}}" } else { "%}" };
            self.state = State::Text;
            return self.error(format!("a tag is not closed: `{tag}` is missing"), self.tag_start, self.tag_start + 2);
        };
        if self.state != State::Bare
            && self.open.is_empty()
            && let Some(token) = self.close_tag(start)
        {
            return Ok(token);
        }
        match first {
            b'\'' | b'"' => self.string(start, first),
            b'0'..=b'9' => Ok(self.number(start)),
            b'_' | b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => self.name(start),
            _ => self.operator(start),
        }
    }

    fn close_tag(&mut self, start: usize) -> Option<Token> {
        let close = if self.state == State::Print { "}}" } else { "%}" };
        let rest = self.rest();
        let sign = rest.starts_with(['-', '+']) as usize;
        if !rest[sign..].starts_with(close) {
            return None;
        }
        self.strip = rest.starts_with('-');
        self.pos = start + sign + 2;
        let kind = if self.state == State::Print { Kind::PrintEnd } else { Kind::BlockEnd };
        self.state = State::Text;
        Some(Token { kind, at: self.loc(start, self.pos) })
    }

    fn string(&mut self, start: usize, quote: u8) -> Result<Token, LexError> {
        let bytes = &self.text.as_bytes()[..self.end];
        let mut at = start + 1;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'\\' => at += 2,
                _ if byte == quote => {
                    self.pos = at + 1;
                    return Ok(Token { kind: Kind::Str, at: self.loc(start, at + 1) });
                }
                _ => at += 1,
            }
        }
        self.error("a string is not closed", start, start + 1)
    }

    fn number(&mut self, start: usize) -> Token {
        let bytes = &self.text.as_bytes()[..self.end];
        let digits = |mut at: usize, ok: fn(&u8) -> bool| {
            while bytes.get(at).is_some_and(|b| ok(b) || *b == b'_') {
                at += 1;
            }
            at
        };
        let radix: Option<fn(&u8) -> bool> = match bytes.get(start..start + 2) {
            Some(b"0x" | b"0X") => Some(u8::is_ascii_hexdigit),
            Some(b"0b" | b"0B" | b"0o" | b"0O") => Some(u8::is_ascii_digit),
            _ => None,
        };
        if let Some(ok) = radix {
            self.pos = digits(start + 2, ok);
            return Token { kind: Kind::Int, at: self.loc(start, self.pos) };
        }
        let mut at = digits(start, u8::is_ascii_digit);
        let mut kind = Kind::Int;
        // After a dot a number is an index: `row.0.1`.
        let index = start > 0 && bytes[start - 1] == b'.';
        if !index && bytes.get(at) == Some(&b'.') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
            at = digits(at + 1, u8::is_ascii_digit);
            kind = Kind::Float;
        }
        if !index && matches!(bytes.get(at), Some(b'e' | b'E')) {
            let sign = matches!(bytes.get(at + 1), Some(b'+' | b'-')) as usize;
            if bytes.get(at + 1 + sign).is_some_and(u8::is_ascii_digit) {
                at = digits(at + 1 + sign, u8::is_ascii_digit);
                kind = Kind::Float;
            }
        }
        self.pos = at;
        Token { kind, at: self.loc(start, at) }
    }

    fn name(&mut self, start: usize) -> Result<Token, LexError> {
        let rest = self.rest();
        let len = rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len());
        if len == 0 {
            return self.unexpected(start);
        }
        self.pos = start + len;
        Ok(Token { kind: Kind::Name, at: self.loc(start, self.pos) })
    }

    fn unexpected(&self, start: usize) -> Result<Token, LexError> {
        let char = self.rest().chars().next().unwrap_or(' ');
        self.error(format!("unexpected character `{char}`"), start, start + char.len_utf8())
    }

    fn operator(&mut self, start: usize) -> Result<Token, LexError> {
        let rest = self.rest();
        let two = rest.get(..2).filter(|two| matches!(*two, "//" | "**" | "==" | "!=" | "<=" | ">="));
        let len = match (two, rest.as_bytes()[0]) {
            (Some(_), _) => 2,
            (None, b'+' | b'-' | b'*' | b'/' | b'%' | b'~' | b'<' | b'>' | b'=' | b'.' | b':' | b',' | b'|' | b';') => {
                1
            }
            (None, byte @ (b'(' | b'[' | b'{')) => {
                self.open.push(match byte {
                    b'(' => b')',
                    b'[' => b']',
                    _ => b'}',
                });
                1
            }
            (None, byte @ (b')' | b']' | b'}')) => {
                match self.open.pop() {
                    Some(expected) if expected == byte => {}
                    Some(expected) => {
                        let message = format!("unexpected '{}', expected '{}'", byte as char, expected as char);
                        return self.error(message, start, start + 1);
                    }
                    None => return self.error(format!("unexpected '{}'", byte as char), start, start + 1),
                }
                1
            }
            _ => return self.unexpected(start),
        };
        self.pos = start + len;
        Ok(Token { kind: Kind::Op, at: self.loc(start, self.pos) })
    }
}

/// The start of the next `{{`, `{%` or `{#` in `bytes[start..end]`.
pub(crate) fn find_tag(bytes: &[u8], start: usize, end: usize) -> Option<usize> {
    let mut from = start;
    while let Some(found) = memchr::memchr(b'{', &bytes[from..end]) {
        let at = from + found;
        if at + 1 < end && matches!(bytes[at + 1], b'{' | b'%' | b'#') {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// If `rest` (what follows `{%`) is the whole tag `name`: its length, and whether it removes the space after it.
fn basic_tag(rest: &str, name: &str) -> Option<(usize, bool)> {
    let after = rest.trim_start().strip_prefix(name)?.trim_start();
    let (after, strip) = match after.as_bytes().first() {
        Some(b'-') => (&after[1..], true),
        Some(b'+') => (&after[1..], false),
        _ => (after, false),
    };
    let after = after.strip_prefix("%}")?;
    Some((rest.len() - after.len(), strip))
}
