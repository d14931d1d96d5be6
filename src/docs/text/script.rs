//! Data as scripts: a page that was opened from a disk may load scripts and nothing else.
//!
//! A file is one call, `c360Data("nodes/12", {...});`. The value is JSON with every character escaped that means
//! something to a parser of HTML or of old JavaScript, so that no text of a project can end the script or the string.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// The bytes of the data file `name` with `value` in it.
pub(crate) fn script(name: &str, value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::with_capacity(4096);
    out.extend_from_slice(b"c360Data(");
    json(&name, &mut out);
    out.push(b',');
    json(value, &mut out);
    out.extend_from_slice(b");\n");
    out
}

/// Appends `value`. Our types have text keys and finite numbers, so nothing can fail; if it did, the value would be null.
fn json(value: &impl Serialize, out: &mut Vec<u8>) {
    let start = out.len();
    if value.serialize(&mut Serializer::with_formatter(&mut *out, Escaped)).is_err() {
        out.truncate(start);
        out.extend_from_slice(b"null");
    }
}

/// Compact JSON in which `<`, `>`, `&` and the line ends that only Unicode knows are escaped.
struct Escaped;

impl Formatter for Escaped {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            writer.write_all(&rest.as_bytes()[..at])?;
            let Some(special) = rest[at..].chars().next() else { break };
            write!(writer, "\\u{:04x}", u32::from(special))?;
            rest = &rest[at + special.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::*;

    /// The value of a data file, as a reader of JSON sees it.
    fn read(bytes: &[u8]) -> Json {
        let text = std::str::from_utf8(bytes).expect("UTF-8");
        let inner = text.strip_prefix("c360Data(\"x\",").and_then(|text| text.strip_suffix(");\n")).expect("one call");
        serde_json::from_str(inner).expect("JSON")
    }

    #[test]
    fn nothing_ends_the_script() {
        let hostile = "</script><script>alert(1)</script><!-- \u{2028}\u{2029} ]]> \" \\ ' ` ${x} &lt;";
        let bytes = script("x", &json!({ hostile: [hostile] }));
        let text = String::from_utf8(bytes.clone()).expect("UTF-8");
        for forbidden in ["<", ">", "&", "\u{2028}", "\u{2029}"] {
            assert!(!text.contains(forbidden), "{forbidden:?} in {text}");
        }
        assert_eq!(read(&bytes), json!({ hostile: [hostile] }));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(text in any::<String>()) {
            let bytes = script("x", &text);
            prop_assert!(!bytes.iter().any(|byte| b"<>&".contains(byte)));
            prop_assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 1);
            prop_assert_eq!(read(&bytes), Json::String(text));
        }
    }
}
