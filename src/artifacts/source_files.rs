//! `source_files.json`: the files of sources, and the days without one.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, SecondsFormat, Utc};
use serde::Serialize;

use super::{Made, Metadata};

/// The files of one source.
#[derive(Debug, Clone, Default)]
pub struct SourceListing {
    /// Where the files are, as it was declared.
    pub location: String,
    /// Their format.
    pub format: String,
    /// The files, sorted by path.
    pub files: Vec<ListedSourceFile>,
}

/// One file.
#[derive(Debug, Clone)]
pub struct ListedSourceFile {
    /// A local path or a URL.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// When it was written.
    pub modified: DateTime<Utc>,
    /// The day that its path spells.
    pub date: Option<NaiveDate>,
}

/// Days without a file that are told; a source with more of them is no daily source.
const MAX_MISSING: usize = 3660;

#[derive(Serialize)]
struct Doc<'a> {
    metadata: Metadata<'a>,
    sources: BTreeMap<&'a str, SourceDoc<'a>>,
}

#[derive(Serialize)]
struct SourceDoc<'a> {
    location: &'a str,
    format: &'a str,
    files: Vec<FileDoc<'a>>,
    missing: Vec<NaiveDateText>,
    from: Option<NaiveDateText>,
    to: Option<NaiveDateText>,
}

#[derive(Serialize)]
struct FileDoc<'a> {
    path: &'a str,
    bytes: u64,
    modified: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<NaiveDateText>,
}

/// `2022-04-01`.
#[derive(Serialize)]
struct NaiveDateText(String);

impl From<NaiveDate> for NaiveDateText {
    fn from(date: NaiveDate) -> NaiveDateText {
        NaiveDateText(date.format("%Y-%m-%d").to_string())
    }
}

/// `source_files.json` of the sources with these unique ids.
pub fn source_files<'a>(listings: &'a BTreeMap<String, SourceListing>, made: &'a Made) -> impl Serialize + use<'a> {
    Doc {
        metadata: Metadata::new("c360/source_files/v1", made),
        sources: listings.iter().map(|(id, listing)| (id.as_str(), doc(listing))).collect(),
    }
}

fn doc(listing: &SourceListing) -> SourceDoc<'_> {
    let dates: Vec<NaiveDate> = listing.files.iter().filter_map(|file| file.date).collect();
    let file = |file: &'_ ListedSourceFile| (file.bytes, file.modified, file.date);
    let files = listing.files.iter().map(|entry| {
        let (bytes, modified, date) = file(entry);
        let modified = modified.to_rfc3339_opts(SecondsFormat::Secs, true);
        FileDoc { path: &entry.path, bytes, modified, date: date.map(Into::into) }
    });
    SourceDoc {
        location: &listing.location,
        format: &listing.format,
        files: files.collect(),
        missing: missing(&dates).into_iter().map(Into::into).collect(),
        from: dates.iter().min().copied().map(Into::into),
        to: dates.iter().max().copied().map(Into::into),
    }
}

/// The days between the first and the last without a file. Files that come by the month (all of the first of one) or by
/// the week are expected no more often than that.
pub fn missing(dates: &[NaiveDate]) -> Vec<NaiveDate> {
    let mut dates: Vec<NaiveDate> = dates.to_vec();
    dates.sort_unstable();
    dates.dedup();
    let (Some(first), Some(last)) = (dates.first().copied(), dates.last().copied()) else { return Vec::new() };
    let gaps = dates.windows(2).map(|pair| (pair[1] - pair[0]).num_days());
    let is_monthly = dates.len() > 1 && dates.iter().all(|date| date.day() == 1);
    let is_weekly = dates.len() > 2 && gaps.fold(0, gcd) % 7 == 0;
    let next = |date: NaiveDate| match () {
        () if is_monthly => date.checked_add_months(Months::new(1)),
        () if is_weekly => date.checked_add_days(Days::new(7)),
        () => date.checked_add_days(Days::new(1)),
    };
    let mut expected = std::iter::successors(next(first), |date| next(*date)).take_while(|date| *date < last);
    let mut missing = Vec::new();
    while let Some(date) = expected.next().filter(|_| missing.len() < MAX_MISSING) {
        if dates.binary_search(&date).is_err() {
            missing.push(date);
        }
    }
    missing
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(texts: &[&str]) -> Vec<NaiveDate> {
        texts.iter().map(|text| text.parse().expect("a date")).collect()
    }

    #[test]
    fn days_are_missing() {
        let found = missing(&days(&["2022-04-03", "2022-04-01", "2022-04-06", "2022-04-03"]));
        assert_eq!(found, days(&["2022-04-02", "2022-04-04", "2022-04-05"]));
        assert_eq!(missing(&days(&["2022-04-01"])), days(&[]));
        assert_eq!(missing(&[]), days(&[]));
        assert_eq!(missing(&days(&["2024-02-28", "2024-03-01"])), days(&["2024-02-29"]));
    }

    #[test]
    fn months_and_weeks_come_as_they_do() {
        assert_eq!(missing(&days(&["2022-06-01", "2022-07-01"])), days(&[]));
        assert_eq!(missing(&days(&["2022-01-01", "2022-04-01"])), days(&["2022-02-01", "2022-03-01"]));
        assert_eq!(missing(&days(&["2022-04-04", "2022-04-11", "2022-04-25"])), days(&["2022-04-18"]));
    }

    #[test]
    fn a_century_is_no_list() {
        assert_eq!(missing(&days(&["1900-01-02", "2022-01-05"])).len(), MAX_MISSING);
    }
}
