//! Units of time: `'day'`, `'month'`, ...

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveDateTime, TimeDelta};

const MICROS_OF_DAY: i64 = 86_400_000_000;

/// A unit: so many months, or so many microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Months: month, quarter, year, decade, century, millennium.
    Months(u32),
    /// Microseconds, from weeks down.
    Micros(i64),
}

impl Unit {
    /// The unit with this name, in any case, singular or plural.
    pub(super) fn parse(name: &str) -> Option<Unit> {
        let name = name.trim().to_ascii_lowercase();
        Some(match name.strip_suffix('s').filter(|name| name.len() > 2).unwrap_or(&name) {
            "millennium" | "millennia" => Unit::Months(12_000),
            "century" | "centurie" => Unit::Months(1200),
            "decade" => Unit::Months(120),
            "year" | "yr" | "yyyy" | "yy" | "y" => Unit::Months(12),
            "quarter" | "qtr" | "q" | "qq" => Unit::Months(3),
            "month" | "mon" | "mm" => Unit::Months(1),
            "week" | "w" | "wk" | "ww" => Unit::Micros(7 * MICROS_OF_DAY),
            "day" | "d" | "dd" => Unit::Micros(MICROS_OF_DAY),
            "hour" | "hr" | "h" | "hh" => Unit::Micros(3_600_000_000),
            "minute" | "min" | "mi" | "n" => Unit::Micros(60_000_000),
            "second" | "sec" | "s" | "ss" => Unit::Micros(1_000_000),
            "millisecond" | "msec" | "ms" => Unit::Micros(1000),
            "microsecond" | "usec" | "us" => Unit::Micros(1),
            _ => return None,
        })
    }

    /// True if a date plus this is a date again.
    pub(super) fn keeps_dates(self) -> bool {
        match self {
            Unit::Months(_) => true,
            Unit::Micros(micros) => micros % MICROS_OF_DAY == 0,
        }
    }

    /// The number of the unit in which `micros` (from 1970-01-01) lies: neighbours differ by one. Weeks begin on Mondays.
    fn number(self, micros: i64) -> Option<i64> {
        match self {
            Unit::Months(months) => {
                let date = moment(micros)?.date();
                let month = i64::from(date.year()) * 12 + i64::from(date.month0());
                Some(month.div_euclid(i64::from(months)))
            }
            // 1970-01-01 was a Thursday.
            Unit::Micros(unit) if unit == 7 * MICROS_OF_DAY => {
                Some((micros.div_euclid(MICROS_OF_DAY) + 3).div_euclid(7))
            }
            Unit::Micros(unit) => Some(micros.div_euclid(unit)),
        }
    }

    /// How many borders between units lie between two moments.
    pub(super) fn borders(self, start: i64, end: i64) -> Option<i64> {
        self.number(end)?.checked_sub(self.number(start)?)
    }

    /// How many whole units lie between two moments, towards zero.
    pub(super) fn whole(self, start: i64, end: i64) -> Option<i64> {
        match self {
            Unit::Micros(unit) => Some(end.checked_sub(start)? / unit),
            Unit::Months(unit) => {
                let (first, last) = (start.min(end), start.max(end));
                let mut months = Unit::Months(1).borders(first, last)?;
                if Unit::Months(1).plus(first, months)? > last {
                    months -= 1;
                }
                let whole = months / i64::from(unit);
                Some(if start <= end { whole } else { -whole })
            }
        }
    }

    /// The moment plus `count` units.
    pub(super) fn plus(self, micros: i64, count: i64) -> Option<i64> {
        match self {
            Unit::Micros(unit) => micros.checked_add(unit.checked_mul(count)?),
            Unit::Months(unit) => {
                let months = i64::from(unit).checked_mul(count)?;
                let by = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
                let moment = moment(micros)?;
                let moved = if months < 0 { moment.checked_sub_months(by) } else { moment.checked_add_months(by) };
                Some(moved?.and_utc().timestamp_micros())
            }
        }
    }
}

/// Microseconds from 1970-01-01 as a calendar shows them.
pub(super) fn moment(micros: i64) -> Option<NaiveDateTime> {
    Some(DateTime::from_timestamp_micros(micros)?.naive_utc())
}

/// The last day of the month, in days from 1970-01-01.
pub(super) fn last_day(micros: i64) -> Option<i32> {
    let date = moment(micros)?.date();
    let first = NaiveDate::from_ymd_opt(date.year(), date.month(), 1)?;
    let last = first.checked_add_months(Months::new(1))?.checked_sub_signed(TimeDelta::days(1))?;
    i32::try_from(last.signed_duration_since(NaiveDate::from_ymd_opt(1970, 1, 1)?).num_days()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<NaiveDateTime>().expect("a moment").and_utc().timestamp_micros()
    }

    #[test]
    fn borders_and_whole_units() {
        let (a, b) = (at("2022-01-31T23:00:00"), at("2022-03-01T01:00:00"));
        let unit = |name: &str| Unit::parse(name).expect("a unit");
        assert_eq!(unit("month").borders(a, b), Some(2));
        assert_eq!(unit("months").whole(a, b), Some(1));
        assert_eq!(unit("MONTH").whole(b, a), Some(-1));
        assert_eq!(unit("day").borders(a, b), Some(29));
        assert_eq!(unit("day").whole(a, b), Some(28));
        assert_eq!(unit("week").borders(at("2022-06-05T00:00:00"), at("2022-06-06T00:00:00")), Some(1));
        assert_eq!(unit("year").borders(at("2021-12-31T00:00:00"), at("2022-01-01T00:00:00")), Some(1));
        assert_eq!(unit("hour").borders(at("1969-12-31T23:59:00"), at("1970-01-01T00:01:00")), Some(1));
        assert_eq!(unit("month").plus(at("2024-01-31T00:00:00"), 1), Some(at("2024-02-29T00:00:00")));
        assert_eq!(unit("day").plus(i64::MAX, 1), None);
        assert_eq!(Unit::parse("fortnight"), None);
        assert_eq!(Unit::parse("s"), Some(Unit::Micros(1_000_000)));
    }
}
