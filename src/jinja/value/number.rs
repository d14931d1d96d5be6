//! Numbers in and out of text, as Python reads and writes them.

/// The shortest text that reads back as `value`: `1.0`, `1e-05`, `1e+16`, `inf`.
pub(crate) fn float_repr(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_string();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf".to_string() } else { "-inf".to_string() };
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{value}");
        return if plain.contains('.') { plain } else { format!("{plain}.0") };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// `int(text, base)`.
pub(crate) fn parse_int(text: &str, base: u32) -> Option<i64> {
    let trimmed = text.trim();
    let (negative, digits) = match trimmed.as_bytes().first()? {
        b'-' => (true, &trimmed[1..]),
        b'+' => (false, &trimmed[1..]),
        _ => (false, trimmed),
    };
    let digits = match (base, digits.get(..2)) {
        (16, Some("0x" | "0X")) | (8, Some("0o" | "0O")) | (2, Some("0b" | "0B")) => &digits[2..],
        _ => digits,
    };
    if digits.starts_with(['-', '+', '_']) || digits.ends_with('_') || !(2..=36).contains(&base) {
        return None;
    }
    let clean = digits.replace('_', "");
    let number = i128::from_str_radix(&clean, base).ok()?;
    i64::try_from(if negative { -number } else { number }).ok()
}

/// `float(text)`.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let trimmed = text.trim();
    if trimmed.starts_with('_') || trimmed.ends_with('_') {
        return None;
    }
    trimmed.replace('_', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_as_python() {
        for (value, text) in [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (-2.5, "-2.5"),
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1e100, "1e+100"),
            (-0.0, "-0.0"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(float_repr(value), text);
        }
    }

    #[test]
    fn numbers_from_text() {
        assert_eq!(parse_int(" -12 ", 10), Some(-12));
        assert_eq!(parse_int("ff", 16), Some(255));
        assert_eq!(parse_int("1.5", 10), None);
        assert_eq!(parse_float(" 1e3 "), Some(1000.0));
        assert_eq!(parse_float("x"), None);
    }
}
