//! Escapes in string literals, as Python reads them.

/// The value of the inside of a literal. Unknown escapes keep their backslash, so `'\d'` means `\d`.
pub(crate) fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = escape(&rest[at + 1..], &mut out);
    }
    out.push_str(rest);
    out
}

/// Reads what follows a backslash into `out` and gives back the rest.
fn escape<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let Some(first) = rest.chars().next() else {
        out.push('\\');
        return rest;
    };
    let after = &rest[first.len_utf8()..];
    let simple = match first {
        '\n' => return after,
        '\\' | '\'' | '"' => first,
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        'x' => return number(after, 2, 16, first, out),
        'u' => return number(after, 4, 16, first, out),
        'U' => return number(after, 8, 16, first, out),
        '0'..='7' => return octal(rest, out),
        _ => {
            out.push('\\');
            first
        }
    };
    out.push(simple);
    after
}

fn number<'a>(rest: &'a str, digits: usize, radix: u32, letter: char, out: &mut String) -> &'a str {
    let code = rest.get(..digits).and_then(|hex| u32::from_str_radix(hex, radix).ok());
    match code.and_then(char::from_u32) {
        Some(char) => {
            out.push(char);
            &rest[digits..]
        }
        None => {
            out.push('\\');
            out.push(letter);
            rest
        }
    }
}

fn octal<'a>(rest: &'a str, out: &mut String) -> &'a str {
    let len = rest.bytes().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
    let code = u32::from_str_radix(&rest[..len], 8).unwrap_or(0);
    out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
    &rest[len..]
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn escapes_as_python() {
        assert_eq!(unescape(r"a\nb\t\\\'\x41\u00e9\101"), "a\nb\t\\'Aé".to_string() + "A");
        assert_eq!(unescape(r"\d+\.\w \("), r"\d+\.\w \(");
        assert_eq!(unescape(r"\xZZ\u12"), r"\xZZ\u12");
    }
}
