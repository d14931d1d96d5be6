//! `strftime` and `strptime`.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::zones::Zone;
use crate::jinja::stop::{Result, fail};

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The moment as `format` says. Unknown directives stay as they are.
pub(super) fn format(moment: &NaiveDateTime, zone: Option<&Zone>, format: &str) -> String {
    let mut out = String::with_capacity(format.len() * 2);
    let mut chars = format.chars();
    while let Some(char) = chars.next() {
        if char != '%' {
            out.push(char);
            continue;
        }
        let Some(directive) = chars.next() else {
            out.push('%');
            break;
        };
        // `%-d`: without leading zeros.
        if directive == '-' {
            let Some(directive) = chars.next() else { break };
            let padded = field(moment, zone, directive);
            let short = padded.trim_start_matches('0');
            out.push_str(if short.is_empty() { "0" } else { short });
        } else {
            out.push_str(&field(moment, zone, directive));
        }
    }
    out
}

fn field(moment: &NaiveDateTime, zone: Option<&Zone>, directive: char) -> String {
    let weekday = moment.weekday();
    let name = |names: &[&str], at: u32| names.get(at as usize).copied().unwrap_or("").to_string();
    let (afternoon, hour) = moment.hour12();
    match directive {
        'Y' => moment.year().to_string(),
        'm' => format!("{:02}", moment.month()),
        'd' => format!("{:02}", moment.day()),
        'e' => format!("{:2}", moment.day()),
        'H' => format!("{:02}", moment.hour()),
        'I' => format!("{hour:02}"),
        'M' => format!("{:02}", moment.minute()),
        'S' => format!("{:02}", moment.second()),
        'f' => format!("{:06}", moment.nanosecond() / 1000 % 1_000_000),
        'p' => if afternoon { "PM" } else { "AM" }.to_string(),
        'y' => format!("{:02}", moment.year().rem_euclid(100)),
        'C' => format!("{:02}", moment.year().div_euclid(100)),
        'j' => format!("{:03}", moment.ordinal()),
        'A' => name(&DAYS, weekday.num_days_from_monday()),
        'a' => name(&DAYS, weekday.num_days_from_monday())[..3].to_string(),
        'B' => name(&MONTHS, moment.month0()),
        'b' | 'h' => name(&MONTHS, moment.month0())[..3].to_string(),
        'w' => weekday.num_days_from_sunday().to_string(),
        'u' => weekday.number_from_monday().to_string(),
        'U' => format!("{:02}", (moment.ordinal() + 6 - weekday.num_days_from_sunday()) / 7),
        'W' => format!("{:02}", (moment.ordinal() + 6 - weekday.num_days_from_monday()) / 7),
        'G' => moment.iso_week().year().to_string(),
        'V' => format!("{:02}", moment.iso_week().week()),
        's' => moment.and_utc().timestamp().to_string(),
        'z' => zone.map_or_else(String::new, |zone| zone.offset_text("")),
        'Z' => zone.map_or_else(String::new, |zone| zone.name.clone()),
        'D' | 'x' => format(moment, zone, "%m/%d/%y"),
        'F' => format(moment, zone, "%Y-%m-%d"),
        'T' | 'X' => format(moment, zone, "%H:%M:%S"),
        'R' => format(moment, zone, "%H:%M"),
        'c' => format(moment, zone, "%a %b %e %H:%M:%S %Y"),
        'n' => "\n".to_string(),
        't' => "\t".to_string(),
        '%' => "%".to_string(),
        other => format!("%{other}"),
    }
}

/// What `strptime` has read so far.
#[derive(Default)]
struct Parsed {
    year: Option<i32>,
    month: Option<u32>,
    day: Option<u32>,
    ordinal: Option<u32>,
    hour: u32,
    minute: u32,
    second: u32,
    micro: u32,
    afternoon: Option<bool>,
    zone: Option<Zone>,
}

/// Reads a moment.
pub(super) fn parse(text: &str, format: &str) -> Result<(NaiveDateTime, Option<Zone>)> {
    let mismatch = || fail(format!("time data '{text}' does not match format '{format}'"));
    let mut parsed = Parsed::default();
    let mut rest = text;
    let mut directives = format.chars();
    while let Some(char) = directives.next() {
        if char == '%' {
            let directive = directives.next().ok_or_else(|| fail(format!("stray % in format '{format}'")))?;
            rest = parsed.read(directive, rest).ok_or_else(mismatch)?;
        } else if char.is_whitespace() {
            rest = rest.trim_start();
        } else {
            rest = rest.strip_prefix(char).ok_or_else(mismatch)?;
        }
    }
    if !rest.is_empty() {
        return Err(fail(format!("unconverted data remains: {rest}")));
    }
    parsed.moment().map(|moment| (moment, parsed.zone)).ok_or_else(mismatch)
}

/// A number of at most `width` digits, and the rest.
fn number(rest: &str, width: usize) -> Option<(u32, &str)> {
    let len = rest.bytes().take(width).take_while(u8::is_ascii_digit).count();
    Some((rest[..len].parse().ok()?, &rest[len..]))
}

/// The index of the name (long or short) that starts `rest`, and the rest.
fn named<'a>(rest: &'a str, names: &[&str]) -> Option<(u32, &'a str)> {
    let starts = |name: &str| rest.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name));
    for (at, name) in names.iter().enumerate() {
        for form in [*name, &name[..3]] {
            if starts(form) {
                return Some((at as u32, &rest[form.len()..]));
            }
        }
    }
    None
}

impl Parsed {
    fn read<'a>(&mut self, directive: char, rest: &'a str) -> Option<&'a str> {
        let take = |width: usize, store: &mut dyn FnMut(u32)| {
            let (value, rest) = number(rest, width)?;
            store(value);
            Some(rest)
        };
        match directive {
            'Y' => take(4, &mut |value| self.year = Some(value as i32)),
            'y' => take(2, &mut |value| self.year = Some(value as i32 + if value < 69 { 2000 } else { 1900 })),
            'm' => take(2, &mut |value| self.month = Some(value)),
            'd' | 'e' => take(2, &mut |value| self.day = Some(value)),
            'j' => take(3, &mut |value| self.ordinal = Some(value)),
            'H' | 'I' => take(2, &mut |value| self.hour = value),
            'M' => take(2, &mut |value| self.minute = value),
            'S' => take(2, &mut |value| self.second = value),
            'f' => {
                let (value, after) = number(rest, 6)?;
                let digits = (rest.len() - after.len()) as u32;
                self.micro = value * 10_u32.pow(6_u32.saturating_sub(digits));
                Some(after)
            }
            'p' => {
                let (at, after) = match rest.get(..2)?.to_ascii_uppercase().as_str() {
                    "AM" => (false, &rest[2..]),
                    "PM" => (true, &rest[2..]),
                    _ => return None,
                };
                self.afternoon = Some(at);
                Some(after)
            }
            'B' | 'b' | 'h' => {
                let (at, after) = named(rest, &MONTHS)?;
                self.month = Some(at + 1);
                Some(after)
            }
            'A' | 'a' => named(rest, &DAYS).map(|(_, after)| after),
            'z' => {
                let (zone, after) = Zone::parse(rest)?;
                self.zone = Some(zone);
                Some(after)
            }
            'Z' => ["UTC", "GMT"].iter().find_map(|name| rest.strip_prefix(name)),
            'F' => self.read_all("%Y-%m-%d", rest),
            'T' => self.read_all("%H:%M:%S", rest),
            '%' => rest.strip_prefix('%'),
            _ => None,
        }
    }

    fn read_all<'a>(&mut self, format: &str, mut rest: &'a str) -> Option<&'a str> {
        let mut directives = format.chars();
        while let Some(char) = directives.next() {
            rest = if char == '%' { self.read(directives.next()?, rest)? } else { rest.strip_prefix(char)? };
        }
        Some(rest)
    }

    fn moment(&self) -> Option<NaiveDateTime> {
        let year = self.year.unwrap_or(1900);
        let date = match self.ordinal {
            Some(ordinal) => NaiveDate::from_yo_opt(year, ordinal)?,
            None => NaiveDate::from_ymd_opt(year, self.month.unwrap_or(1), self.day.unwrap_or(1))?,
        };
        let hour = match self.afternoon {
            Some(true) => self.hour % 12 + 12,
            Some(false) => self.hour % 12,
            None => self.hour,
        };
        Some(date.and_time(NaiveTime::from_hms_micro_opt(hour, self.minute, self.second, self.micro)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let (moment, zone) = parse("2024-02-05 13:04:09.5 +0700", "%Y-%m-%d %H:%M:%S.%f %z").expect("parses");
        assert_eq!(
            format(&moment, zone.as_ref(), "%d.%m.%y %I:%M %p %f %j %a %A %b %B %w %U %W %V %z"),
            "05.02.24 01:04 PM 500000 036 Mon Monday Feb February 1 05 06 06 +0700"
        );
        assert_eq!(format(&moment, None, "%-d/%-m %% %Q"), "5/2 % %Q");
        assert!(parse("2024-13-01", "%Y-%m-%d").is_err());
        assert!(parse("2024-01-01x", "%Y-%m-%d").is_err());
    }
}
