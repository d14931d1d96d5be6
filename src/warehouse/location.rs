//! Paths and URLs.

use std::path::Path;

use url::Url;

use crate::diag::{Diagnostic, Result, codes};

/// `location` as a URL with a slash at the end: a URL as it is, a path made absolute from `base`.
///
/// # Errors
/// C1004 if it is neither.
pub fn parse_location(location: &str, base: &Path) -> Result<Url> {
    let bad = |why: String| Diagnostic::error(codes::BAD_VALUE, format!("`{location}` is no path or URL: {why}"));
    if location.contains("://") {
        let text = if location.ends_with('/') { location.to_string() } else { format!("{location}/") };
        return Url::parse(&text).map_err(|error| bad(error.to_string()));
    }
    let path = std::path::absolute(base.join(location)).map_err(|error| bad(error.to_string()))?;
    Url::from_directory_path(&path).map_err(|()| bad("not absolute".into()))
}

/// The name of a folder or file for an identifier: letters, digits, `_`, `-` and `.` stay, the rest is `~XX` (not `%`, which URLs would decode).
pub fn segment(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (index, byte) in name.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' || (byte == b'.' && index > 0);
        if plain { out.push(byte as char) } else { out.push_str(&format!("~{byte:02X}")) }
    }
    out
}

/// The identifier behind a [`segment`].
pub(super) fn unsegment(name: &str) -> String {
    unescaped(name, b'~')
}

/// `text` with the bytes that it spells as `mark` and two hexadecimal digits.
pub(super) fn unescaped(text: &str, mark: u8) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match code.filter(|_| *first == mark) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_come_back() {
        for name in ["orders", "tình yêu", "a/b", "../x", "~41", "..", "%20", "A b"] {
            let segment = segment(name);
            assert!(segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.~".contains(&b)), "{segment}");
            assert!(!segment.starts_with('.'), "{segment}");
            assert_eq!(unsegment(&segment), name);
        }
    }

    #[test]
    fn paths_and_urls() {
        let base = Path::new("/projects/a");
        assert_eq!(
            parse_location("warehouse", base).map(|url| url.to_string()),
            Ok("file:///projects/a/warehouse/".into())
        );
        assert_eq!(parse_location("hdfs://nn:9000/w", base).map(|url| url.to_string()), Ok("hdfs://nn:9000/w/".into()));
    }
}
