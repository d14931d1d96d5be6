//! A cursor over the bytes of one JSON text.
//!
//! It knows JSON's grammar and nothing of columns. Skipping walks containers with a stack of bits on the heap, so no
//! depth of nesting can overflow the call stack. All of the text was checked to be UTF-8 before.

use std::borrow::Cow;

use super::super::values::Reason;

/// What is wrong with a record, and the offset of the byte where it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Bad {
    /// Offset in the record.
    pub(in super::super) at: usize,
    /// A fragment for people.
    pub(in super::super) reason: Reason,
}

impl Bad {
    /// `reason` at the offset `at`.
    pub(in super::super) fn new(at: usize, reason: impl Into<Reason>) -> Bad {
        Bad { at, reason: reason.into() }
    }
}

/// A place in a JSON text.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    pub(super) pos: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Cursor<'a> {
        Cursor { bytes, pos: 0 }
    }

    /// What has not been read.
    #[inline]
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.pos..).unwrap_or(&[])
    }

    /// The bytes from `start` to here.
    pub(super) fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.pos).unwrap_or(&[])
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }

    /// Goes over white space and looks at what follows.
    #[inline]
    pub(super) fn next_token(&mut self) -> Option<u8> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.pos += 1,
                other => return other,
            }
        }
    }

    /// Goes over white space and `wanted`.
    #[inline]
    pub(super) fn expect(&mut self, wanted: u8) -> Result<(), Bad> {
        if self.next_token() == Some(wanted) {
            self.pos += 1;
            return Ok(());
        }
        Err(self.unexpected(&format!("`{}`", wanted as char)))
    }

    /// An error: something else stands here, or nothing.
    #[cold]
    pub(super) fn unexpected(&self, wanted: &str) -> Bad {
        match self.peek() {
            None => Bad::new(self.pos, format!("the text ends where {wanted} is expected")),
            Some(_) => {
                let found = String::from_utf8_lossy(&self.rest()[..self.rest().len().min(8)]);
                let found = found.chars().next().unwrap_or(' ');
                Bad::new(self.pos, format!("{wanted} is expected, not `{}`", found.escape_default()))
            }
        }
    }

    /// Goes over the literal `word`.
    pub(super) fn literal(&mut self, word: &'static str) -> Result<(), Bad> {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(self.unexpected("a value"));
        }
        self.pos += word.len();
        Ok(())
    }

    /// Goes over a number and gives its text.
    pub(super) fn number(&mut self) -> Result<&'a [u8], Bad> {
        let start = self.pos;
        if self.peek() == Some(b'-') {
            self.pos += 1;
        }
        match self.peek() {
            Some(b'0') => self.pos += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.unexpected("a digit")),
        }
        if self.peek() == Some(b'.') {
            self.pos += 1;
            self.some_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.pos += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.pos += 1;
            }
            self.some_digits()?;
        }
        match self.peek() {
            Some(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'_') => {
                Err(self.unexpected("the end of the number"))
            }
            _ => Ok(self.since(start)),
        }
    }

    #[inline]
    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.pos += 1;
        }
    }

    fn some_digits(&mut self) -> Result<(), Bad> {
        match self.peek() {
            Some(b'0'..=b'9') => {
                self.digits();
                Ok(())
            }
            _ => Err(self.unexpected("a digit")),
        }
    }

    /// Goes over a string, whose opening quote is here, and gives its content.
    #[inline]
    pub(super) fn string(&mut self) -> Result<Cow<'a, [u8]>, Bad> {
        let start = self.pos + 1;
        self.pos = start + special(self.bytes.get(start..).unwrap_or(&[]));
        match self.peek() {
            Some(b'"') => {
                let text = self.since(start);
                self.pos += 1;
                Ok(Cow::Borrowed(text))
            }
            _ => self.escaped(start).map(Cow::Owned),
        }
    }

    /// The rest of [`Self::string`] for strings with escapes, and for those that are broken.
    #[cold]
    fn escaped(&mut self, start: usize) -> Result<Vec<u8>, Bad> {
        let mut text = self.since(start).to_vec();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.pos += 1;
                    return Ok(text);
                }
                Some(b'\\') => self.escape(&mut text)?,
                Some(control) => {
                    return Err(Bad::new(self.pos, format!("a string holds the control character 0x{control:02x}")));
                }
                None => return Err(Bad::new(self.pos, "the text ends inside a string")),
            }
            let plain = self.pos;
            self.pos += special(self.rest());
            text.extend_from_slice(self.since(plain));
        }
    }

    /// Goes over one escape and appends what it means.
    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), Bad> {
        let start = self.pos;
        self.pos += 1;
        let Some(kind) = self.peek() else { return Err(Bad::new(self.pos, "the text ends inside a string")) };
        self.pos += 1;
        let plain = match kind {
            b'"' | b'\\' | b'/' => kind,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let character = self.unicode(start)?;
                text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return Err(Bad::new(start, "a string holds an escape that JSON does not have")),
        };
        text.push(plain);
        Ok(())
    }

    /// The character of `\uXXXX`, where the `\u` is behind us, or of two that form a surrogate pair.
    fn unicode(&mut self, start: usize) -> Result<char, Bad> {
        let lone = || Bad::new(start, "a string holds half of a surrogate pair");
        let first = self.hex4(start)?;
        let code = match first {
            0xd800..=0xdbff => {
                if !self.rest().starts_with(b"\\u") {
                    return Err(lone());
                }
                self.pos += 2;
                let second = self.hex4(start)?;
                if !(0xdc00..=0xdfff).contains(&second) {
                    return Err(lone());
                }
                0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            other => other,
        };
        char::from_u32(code).ok_or_else(lone)
    }

    fn hex4(&mut self, start: usize) -> Result<u32, Bad> {
        let bad = || Bad::new(start, "a \\u escape is not followed by four hexadecimal digits");
        let digits = self.rest().get(..4).ok_or_else(bad)?;
        let mut code = 0;
        for digit in digits {
            code = code * 16 + (*digit as char).to_digit(16).ok_or_else(bad)?;
        }
        self.pos += 4;
        Ok(code)
    }

    /// Goes over one value of any kind.
    pub(super) fn skip(&mut self) -> Result<(), Bad> {
        let mut open = Containers::default();
        loop {
            if !self.skip_start(&mut open)? {
                continue;
            }
            // A value has ended: close containers, or go on to their next member.
            loop {
                let Some(object) = open.last() else { return Ok(()) };
                match (self.next_token(), object) {
                    (Some(b','), true) => {
                        self.pos += 1;
                        self.skip_key()?;
                        break;
                    }
                    (Some(b','), false) => {
                        self.pos += 1;
                        break;
                    }
                    (Some(b'}'), true) | (Some(b']'), false) => {
                        self.pos += 1;
                        open.pop();
                    }
                    (_, true) => return Err(self.unexpected("`,` or `}`")),
                    (_, false) => return Err(self.unexpected("`,` or `]`")),
                }
            }
        }
    }

    /// Goes over a scalar, an empty container, or the start of a container. True if a value has ended.
    fn skip_start(&mut self, open: &mut Containers) -> Result<bool, Bad> {
        match self.next_token() {
            Some(b'"') => self.skip_string()?,
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
            }
            Some(b't') => self.literal("true")?,
            Some(b'f') => self.literal("false")?,
            Some(b'n') => self.literal("null")?,
            Some(b'{') => {
                self.pos += 1;
                if self.next_token() != Some(b'}') {
                    open.push(true);
                    self.skip_key()?;
                    return Ok(false);
                }
                self.pos += 1;
            }
            Some(b'[') => {
                self.pos += 1;
                if self.next_token() != Some(b']') {
                    open.push(false);
                    return Ok(false);
                }
                self.pos += 1;
            }
            _ => return Err(self.unexpected("a value")),
        }
        Ok(true)
    }

    fn skip_key(&mut self) -> Result<(), Bad> {
        if self.next_token() != Some(b'"') {
            return Err(self.unexpected("a field's name"));
        }
        self.skip_string()?;
        self.expect(b':')
    }

    fn skip_string(&mut self) -> Result<(), Bad> {
        self.string().map(|_| ())
    }
}

/// The kinds of the containers around a place, outermost first: true for objects. One bit each.
#[derive(Default)]
struct Containers {
    bits: Vec<u64>,
    depth: usize,
}

impl Containers {
    fn push(&mut self, object: bool) {
        let (word, bit) = (self.depth / 64, self.depth % 64);
        if word == self.bits.len() {
            self.bits.push(0);
        }
        self.bits[word] = (self.bits[word] & !(1 << bit)) | (u64::from(object) << bit);
        self.depth += 1;
    }

    fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    fn last(&self) -> Option<bool> {
        let at = self.depth.checked_sub(1)?;
        Some(self.bits[at / 64] >> (at % 64) & 1 == 1)
    }
}

/// How many bytes come before the first quote, backslash or control character. Eight at a time: strings are mostly too
/// short for a vectorised search to pay.
#[inline]
fn special(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut at = 0;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let quote = word ^ (ONES * b'"' as u64);
        let slash = word ^ (ONES * b'\\' as u64);
        // A byte's high bit is set if it is special; bytes above a special one may be wrong, but the lowest is right.
        let found = (quote.wrapping_sub(ONES) & !quote)
            | (slash.wrapping_sub(ONES) & !slash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        let found = found & HIGH;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or(&[]);
    at + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skips(text: &str) -> bool {
        let mut cursor = Cursor::new(text.as_bytes());
        cursor.skip().is_ok() && cursor.next_token().is_none()
    }

    #[test]
    fn skipping_knows_the_grammar() {
        for good in [
            r#"{"a": [1, {"b": null}, []], "c": "x\"y"}"#,
            "[]",
            "{}",
            "-0.5e+3",
            "\"\u{e9}\"",
            "[[[1]], {}]",
            " true ",
        ] {
            assert!(skips(good), "{good}");
        }
        for bad in [
            "",
            "{",
            "[1,]",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "[1 2]",
            "[1}",
            "01",
            "1.",
            "nul",
            "\"a",
            "\"\t\"",
            "{\"a\":1,}",
            "1x",
        ] {
            assert!(!skips(bad), "{bad}");
        }
    }

    #[test]
    fn depth_does_not_matter() {
        let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
        assert!(skips(&deep));
        assert!(!skips(&"{\"a\":".repeat(1_000_000)));
    }

    #[test]
    fn strings_are_unescaped() {
        let text = r#""a\u00e9\ud83d\ude00\n\/""#;
        let mut cursor = Cursor::new(text.as_bytes());
        assert_eq!(cursor.string().expect("a string").as_ref(), "aé😀\n/".as_bytes());
        for bad in [r#""\ud83d""#, r#""\ud83dx""#, r#""\ude00""#, r#""\u12""#, r#""\x""#, r#""\"#] {
            assert!(Cursor::new(bad.as_bytes()).string().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_first_special_byte_is_found_at_every_place() {
        for len in 0..40 {
            for special_byte in [b'"', b'\\', 0x1f, 0x00] {
                let mut bytes = vec![b'\xc3'; len];
                assert_eq!(special(&bytes), len);
                bytes.push(special_byte);
                bytes.extend_from_slice(b"xx\"\\\x01xxxxxx");
                assert_eq!(special(&bytes), len);
            }
        }
    }
}
