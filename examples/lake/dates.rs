//! When a search was made, as text: nearly always `2022-06-15 10:00:00.123`, and else in every way that clients found.

use crate::rng::Rng;

/// The share of oddly written dates.
const ODD: f64 = 0.021;
/// The zeros of the scripts that some clients write digits in. Arabic script comes most, as it does in the field.
const ZEROS: [char; 5] = ['۰', '۰', '٠', '๐', '０'];

/// A day of a month of 2022 and a time.
struct Moment {
    year: u64,
    month: u64,
    day: u64,
    time: String,
}

/// The text of a random moment of the month (6 or 7), or none.
pub(crate) fn draw(rng: &mut Rng, month: u64) -> Option<String> {
    let days = if month == 6 { 30 } else { 31 };
    // People watch in the evening.
    let second = (86_400.0 * (0.72 + 0.17 * rng.normal()).clamp(0.0, 0.999_99)) as u64;
    let time = format!("{:02}:{:02}:{:02}.{:03}", second / 3600, second / 60 % 60, second % 60, rng.below(1000));
    let moment = Moment { year: 2022, month, day: 1 + rng.below(days), time };
    if rng.chance(ODD) { odd(rng, &moment, days) } else { Some(plain(&moment)) }
}

fn plain(m: &Moment) -> String {
    format!("{}-{:02}-{:02} {}", m.year, m.month, m.day, m.time)
}

/// One of the odd ways, all equally likely.
fn odd(rng: &mut Rng, m: &Moment, days: u64) -> Option<String> {
    let Moment { year, month, day, time } = m;
    let date = format!("{year}-{month:02}-{day:02}");
    let text = match rng.below(20) {
        // Digits of another script.
        0..3 => other_digits(&plain(m), *rng.pick(&ZEROS)),
        // Nothing, or no date at all.
        3 => return None,
        4 => String::new(),
        5 => "N/A".to_string(),
        6 => format!("{year}"),
        // The parts in another order or with another mark between them.
        7 => plain(m).replace('-', "/"),
        8 => format!("{day:02}-{month:02}-{year} {time}"),
        // Less than a date and a time, and more.
        9 => format!("{year}-{month}-{day} {time}"),
        10 => format!("{year}-{month:02}"),
        11 => date,
        12 => format!("{date} {}", &time[..5]),
        13 => format!("{date}T{time}Z"),
        14 => format!("  {date} {time} "),
        15 => format!("{date}garbage"),
        16 => format!("{date} garbage"),
        // A day or month that doesn't exist, and dates of another month or year in this month's folder.
        17 => format!("{year}-{month:02}-{} {time}", days + 1),
        18 => format!("{year}-13-01 {time}"),
        _ if rng.chance(0.5) => format!("{}-{month:02}-{day:02} {time}", year - 1),
        _ => format!("{year}-{:02}-{:02} {time}", if *month == 6 { 5 } else { 8 }, 1 + day % 9),
    };
    Some(text)
}

/// The text with its digits counted from another zero.
fn other_digits(text: &str, zero: char) -> String {
    let digit = |c: char| c.to_digit(10).and_then(|d| char::from_u32(u32::from(zero) + d)).unwrap_or(c);
    text.chars().map(digit).collect()
}
