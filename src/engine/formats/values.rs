//! Text to values, strictly: what does not spell exactly a value of the type is an error, never a guess.

use std::borrow::Cow;

use chrono::{Datelike, NaiveDate, Utc};
use datafusion::arrow::compute::kernels::cast_utils::{string_to_datetime, string_to_time_nanoseconds};
use datafusion::arrow::datatypes::TimeUnit;

/// Why a text is no value: part of a message, such as `"12x" is no number`.
pub(in crate::engine) type Reason = Cow<'static, str>;

/// An integer. Fractions and exponents are fine as long as the value is integral (`1500.0`, `1.5e3`).
pub(super) fn integer(text: &[u8], min: i64, max: i64) -> Result<i64, Reason> {
    let value = match short_integer(text) {
        Some(value) => value,
        None => {
            let value = scaled(text, 0)?;
            i64::try_from(value).map_err(|_| out_of_range(text))?
        }
    };
    if value < min || value > max { Err(out_of_range(text)) } else { Ok(value) }
}

/// The common case: an optional minus and at most 18 digits.
fn short_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value: i64 = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

/// `value * 10^scale`, exactly. Digits that are lost by that are an error unless they are zeros.
pub(in crate::engine) fn scaled(text: &[u8], scale: i8) -> Result<i128, Reason> {
    let parts = Parts::of(text).ok_or_else(|| no_number(text))?;
    let mut digits: Vec<u8> = parts.whole.iter().chain(parts.fraction).copied().collect();
    let mut exponent = parts.exponent.saturating_sub(parts.fraction.len() as i64);
    while digits.last() == Some(&b'0') {
        digits.pop();
        exponent += 1;
    }
    let leading = digits.iter().take_while(|digit| **digit == b'0').count();
    digits.drain(..leading);
    if digits.is_empty() {
        return Ok(0);
    }
    let shift = exponent.saturating_add(i64::from(scale));
    if shift < 0 {
        return Err(match scale {
            0 => format!("{} is no whole number", quoted(text)).into(),
            _ => format!("{} has more than {scale} digits after the point", quoted(text)).into(),
        });
    }
    if shift + digits.len() as i64 > 38 {
        return Err(out_of_range(text));
    }
    let value = digits.iter().fold(0i128, |value, digit| value * 10 + i128::from(digit - b'0'));
    let value = value * 10i128.pow(shift as u32);
    Ok(if parts.negative { -value } else { value })
}

/// A decimal number taken apart: `-12.5e3`.
struct Parts<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Parts<'a> {
    fn of(text: &'a [u8]) -> Option<Parts<'a>> {
        let (negative, rest) = match text.split_first()? {
            (b'-', rest) => (true, rest),
            (b'+', rest) => (false, rest),
            _ => (false, text),
        };
        let (whole, rest) = digits(rest);
        let (fraction, rest) = match rest.split_first() {
            Some((b'.', rest)) => {
                let (fraction, rest) = digits(rest);
                if fraction.is_empty() {
                    return None;
                }
                (fraction, rest)
            }
            _ => (&[][..], rest),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let exponent = match rest.split_first() {
            None => 0,
            Some((b'e' | b'E', rest)) => exponent(rest)?,
            Some(_) => return None,
        };
        Some(Parts { negative, whole, fraction, exponent })
    }
}

fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// The number after `e`; absurd ones saturate, which makes the value zero or too large as it should be.
fn exponent(text: &[u8]) -> Option<i64> {
    let (negative, rest) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    let (found, rest) = digits(rest);
    if found.is_empty() || !rest.is_empty() {
        return None;
    }
    let value = found.iter().fold(0i64, |value, digit| (value * 10 + i64::from(digit - b'0')).min(1_000_000_000));
    Some(if negative { -value } else { value })
}

/// A double; `NaN` and infinities are no numbers here, because no destination can hold them.
pub(super) fn float(text: &[u8]) -> Result<f64, Reason> {
    let numeric = text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'));
    let parsed = if numeric { std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok()) } else { None };
    match parsed {
        Some(value) if value.is_finite() => Ok(value),
        Some(_) => Err(out_of_range(text)),
        None => Err(no_number(text)),
    }
}

/// `true`, `false`, `t`, `f`, `1`, `0` in any case.
pub(super) fn boolean(text: &[u8]) -> Result<bool, Reason> {
    if text.eq_ignore_ascii_case(b"true") || text.eq_ignore_ascii_case(b"t") || text == b"1" {
        return Ok(true);
    }
    if text.eq_ignore_ascii_case(b"false") || text.eq_ignore_ascii_case(b"f") || text == b"0" {
        return Ok(false);
    }
    Err(format!("{} is neither true nor false", quoted(text)).into())
}

/// Days since 1970 of `YYYY-MM-DD`.
pub(in crate::engine) fn date(text: &[u8]) -> Result<i32, Reason> {
    let parsed = match text {
        [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] => number(&[*y1, *y2, *y3, *y4])
            .zip(number(&[*m1, *m2]))
            .zip(number(&[*d1, *d2]))
            .and_then(|((year, month), day)| NaiveDate::from_ymd_opt(year as i32, month, day)),
        _ => None,
    };
    match parsed {
        Some(date) => Ok(days(date)),
        None => Err(format!("{} is no date (YYYY-MM-DD)", quoted(text)).into()),
    }
}

/// Days since 1970.
pub(super) fn days(date: NaiveDate) -> i32 {
    date.num_days_from_ce() - 719_163
}

/// The date so many days after 1970.
pub(super) fn date_of(days: i32) -> Option<NaiveDate> {
    NaiveDate::from_num_days_from_ce_opt(days.checked_add(719_163)?)
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0')))
}

/// Units since 1970 of an ISO 8601 date and time; text with an offset is brought to UTC, text without one is taken as is.
pub(in crate::engine) fn timestamp(text: &[u8], unit: TimeUnit) -> Result<i64, Reason> {
    let no_time = || -> Reason { format!("{} is no timestamp (YYYY-MM-DD HH:MM:SS)", quoted(text)).into() };
    let text = std::str::from_utf8(text).ok().filter(|text| text.is_ascii()).ok_or_else(no_time)?;
    let time = string_to_datetime(&Utc, text).map_err(|_| no_time())?;
    match unit {
        TimeUnit::Second => Ok(time.timestamp()),
        TimeUnit::Millisecond => Ok(time.timestamp_millis()),
        TimeUnit::Microsecond => Ok(time.timestamp_micros()),
        TimeUnit::Nanosecond => time.timestamp_nanos_opt().ok_or_else(|| out_of_range(text.as_bytes())),
    }
}

/// Microseconds since midnight of `HH:MM[:SS[.ffffff]]`.
pub(in crate::engine) fn time(text: &[u8]) -> Result<i64, Reason> {
    let parsed = std::str::from_utf8(text).ok().filter(|text| text.is_ascii());
    match parsed.and_then(|text| string_to_time_nanoseconds(text).ok()) {
        Some(nanoseconds) => Ok(nanoseconds / 1000),
        None => Err(format!("{} is no time (HH:MM:SS)", quoted(text)).into()),
    }
}

fn no_number(text: &[u8]) -> Reason {
    format!("{} is no number", quoted(text)).into()
}

fn out_of_range(text: &[u8]) -> Reason {
    format!("{} does not fit into the column's type", quoted(text)).into()
}

/// The text in quotes, cut short, for messages.
pub(in crate::engine) fn quoted(text: &[u8]) -> String {
    let shown = String::from_utf8_lossy(&text[..text.len().min(200)]);
    let shown: String = shown.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match shown.char_indices().nth(40) {
        Some((end, _)) => format!("\"{}...\"", &shown[..end]),
        None => format!("\"{shown}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(text: &str) -> Result<i64, Reason> {
        integer(text.as_bytes(), i64::MIN, i64::MAX)
    }

    #[test]
    fn integers_are_exact() {
        assert_eq!(int("-12"), Ok(-12));
        assert_eq!(int("1.5e3"), Ok(1500));
        assert_eq!(int("1500.00"), Ok(1500));
        assert_eq!(int("9007199254740993.0"), Ok(9_007_199_254_740_993));
        assert_eq!(int("9223372036854775807"), Ok(i64::MAX));
        assert_eq!(int("-9223372036854775808"), Ok(i64::MIN));
        assert_eq!(int("+007"), Ok(7));
        assert_eq!(int("0e999999999999"), Ok(0));
        for bad in
            ["", "-", "12x", " 12", "1.5", "9223372036854775808", "1e30", "1e-1", ".", "5.", "0x10", "1_000", "1e"]
        {
            assert!(int(bad).is_err(), "{bad}");
        }
        assert!(integer(b"128", -128, 127).is_err());
    }

    #[test]
    fn decimals_keep_every_digit_or_fail() {
        assert_eq!(scaled(b"12.30", 2), Ok(1230));
        assert_eq!(scaled(b"12.300", 2), Ok(1230));
        assert_eq!(scaled(b"-.5", 1), Ok(-5));
        assert!(scaled(b"12.305", 2).is_err());
        assert!(scaled(b"1e38", 2).is_err());
    }

    #[test]
    fn other_values() {
        assert_eq!(float(b"1e3"), Ok(1000.0));
        assert!(float(b"nan").is_err() && float(b"1e999").is_err() && float(b"").is_err());
        assert_eq!(boolean(b"TRUE"), Ok(true));
        assert!(boolean(b"yep").is_err());
        assert_eq!(date(b"1970-01-02"), Ok(1));
        assert!(date(b"2022-02-30").is_err() && date(b"2022-2-3").is_err());
        assert_eq!(timestamp(b"1970-01-01T00:00:01Z", TimeUnit::Microsecond), Ok(1_000_000));
        assert_eq!(timestamp(b"1970-01-01 01:00:00+01:00", TimeUnit::Second), Ok(0));
        assert!(timestamp("1970-01-01 00:00:01é".as_bytes(), TimeUnit::Second).is_err());
        assert_eq!(time(b"00:00:01.5"), Ok(1_500_000));
    }
}
