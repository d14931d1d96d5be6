//! Text for people: suggestions and quantities.

use std::time::Duration;

/// The candidate that was probably meant by `word`, if one is near enough to be worth naming.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            let other = candidate.to_lowercase();
            let mut score = strsim::damerau_levenshtein(&lower, &other);
            if other.starts_with(&lower) || lower.starts_with(&other) {
                score = score.min(2);
            }
            (score, candidate)
        })
        .filter(|(score, candidate)| *score <= 1 + word.len().max(candidate.len()) / 4)
        .min_by_key(|(score, _)| *score)
        .map(|(_, candidate)| candidate)
}

/// `12`, `3.4k`, `1.2M`: a count that fits in a column.
pub fn human_rows(rows: u64) -> String {
    match rows {
        0..=9_999 => rows.to_string(),
        10_000..=999_999 => format!("{:.1}k", rows as f64 / 1e3),
        1_000_000..=999_999_999 => format!("{:.2}M", rows as f64 / 1e6),
        _ => format!("{:.2}G", rows as f64 / 1e9),
    }
}

/// `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 row`, `1,234 rows`.
pub fn plural(number: u64, word: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {word}{s}", grouped(number))
}

/// `512 B`, `3.4 KB`, `1.2 GB`, in powers of 1024.
pub fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KB", "MB", "GB", "TB", "PB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `35ms`, `1.24s`, `2m03s`, `3h05m`, `9d04h`.
pub fn human_duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 1.0 {
        format!("{}ms", duration.as_millis())
    } else if seconds < 60.0 {
        format!("{seconds:.2}s")
    } else {
        match duration.as_secs() {
            seconds @ 0..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
            seconds @ 3_600..86_400 => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
            seconds => format!("{}d{:02}h", seconds / 86_400, seconds / 3_600 % 24),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_near_and_not_the_far() {
        assert_eq!(closest("stg_order", ["stg_orders", "mart"]), Some("stg_orders"));
        assert_eq!(closest("Matrialized", ["materialized", "tags"]), Some("materialized"));
        assert_eq!(closest("zebra", ["materialized", "tags"]), None);
    }

    #[test]
    fn quantities_are_short() {
        assert_eq!(human_rows(1_234_567), "1.23M");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(plural(1, "row"), "1 row");
        assert_eq!(human_bytes(1536), "1.5 KB");
        assert_eq!(human_duration(Duration::from_millis(61_500)), "1m01s");
    }
}
