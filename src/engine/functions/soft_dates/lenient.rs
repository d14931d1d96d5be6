//! Dates that are read without a format.

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar; none if there is no such date.
pub(super) fn days_from_civil(year: i64, month: u32, day: u32) -> Option<i32> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if day == 0 || day > last {
        return None;
    }
    // Years begin in March, so that the leap day is the last of its year; eras of 400 years are alike.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let day_of_year = i64::from((153 * ((month + 9) % 12) + 2) / 5 + day - 1);
    let year_of_era = year.rem_euclid(400);
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    i32::try_from(days).ok()
}

/// Takes `least` to `most` ASCII digits from the start of `text`; fails if there are more.
fn digits(text: &[u8], least: usize, most: usize) -> Option<(u32, &[u8])> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if count < least || count > most {
        return None;
    }
    let number = text[..count].iter().fold(0, |number, byte| number * 10 + u32::from(byte - b'0'));
    Some((number, &text[count..]))
}

/// The lenient date that the description of the module above defines, in days from 1970-01-01.
pub(super) fn lenient_date(text: &str) -> Option<i32> {
    let text = text.as_bytes();
    let start = text.iter().position(|byte| *byte > b' ')?;
    let end = text.iter().rposition(|byte| *byte > b' ')? + 1;
    let text = &text[start..end];
    let (sign, text) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        _ => (1, text),
    };
    let (year, rest) = digits(text, 4, 7)?;
    let year = sign * i64::from(year);
    let [b'-', rest @ ..] = rest else {
        return if rest.is_empty() { days_from_civil(year, 1, 1) } else { None };
    };
    let (month, rest) = digits(rest, 1, 2)?;
    let [b'-', rest @ ..] = rest else {
        return if rest.is_empty() { days_from_civil(year, month, 1) } else { None };
    };
    let (day, rest) = digits(rest, 1, 2)?;
    match rest {
        [] | [b' ' | b'T', ..] => days_from_civil(year, month, day),
        _ => None,
    }
}
