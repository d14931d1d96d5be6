use super::*;
use chrono::{Datelike, NaiveDate};

#[test]
fn days_agree_with_the_calendar() {
    let first = NaiveDate::from_ymd_opt(1580, 1, 1).expect("a date");
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).expect("a date");
    for date in first.iter_days().take(250_000) {
        let days = days_from_civil(i64::from(date.year()), date.month(), date.day());
        assert_eq!(days.map(i64::from), Some((date - epoch).num_days()), "{date}");
    }
    assert_eq!(days_from_civil(2023, 2, 29), None);
    assert_eq!(days_from_civil(0, 2, 29), days_from_civil(0, 3, 1).map(|day| day - 1));
}

#[test]
fn lenient_dates() {
    let day = |text: &str| lenient_date(text).map(|days| days - 19_144);
    for text in
        ["2022-06-01", "2022-6-1", " 2022-06-01\t", "2022-06", "2022-06-01T10:00Z", "2022-06-01 garbage", "+2022-06-1"]
    {
        assert_eq!(day(text), Some(0), "{text}");
    }
    assert_eq!(day("2022"), Some(-151));
    for text in [
        "",
        " ",
        "-",
        "2022/06/01",
        "01-06-2022",
        "2022-06-01garbage",
        "2022-06-31",
        "2022-13-01",
        "2022-",
        "2022-6-",
        "222-06-01",
        "22222222-01-01",
        "٢٠٢٢-٠٦-٠١",
        "2022-006-01",
        "2022-06-001",
        "null",
        "9999999-01-01",
    ] {
        assert_eq!(day(text), None, "{text}");
    }
}

#[test]
fn formats_read_and_write() {
    let format = |text: &str| Format::new("strptime", text).expect("a format");
    let micros = 1_654_077_600_000_000; // 2022-06-01 10:00
    assert_eq!(format("%Y-%m-%d %H:%M").read("2022-06-01 10:00"), Some(micros));
    assert_eq!(format("%Y%m%d").read("20220601"), Some(micros - 10 * 3_600_000_000));
    assert_eq!(format("%Y-%m").read("2022-06"), Some(micros - 10 * 3_600_000_000));
    assert_eq!(format("%d.%m.%y %I:%M %p").read("01.06.22 10:00 AM"), Some(micros));
    assert_eq!(format("%Y-%m-%dT%H:%M:%S.%f").read("2022-06-01T10:00:00.25"), Some(micros + 250_000));
    assert_eq!(format("%Y-%m-%d %H:%M %z").read("2022-06-01 12:00 +0200"), Some(micros));
    assert_eq!(format("%Y-%m-%d").read("2022-06-01 "), None);
    assert_eq!(format("%Y-%j").read("2022-152"), Some(micros - 10 * 3_600_000_000));
    assert!(Format::new("strptime", "%Y-%").is_err());
    let mut text = String::new();
    let moment = DateTime::from_timestamp_micros(micros + 5).expect("a time").naive_utc();
    format("%d %b %Y %H:%M:%S.%f").write(&moment, &mut text).expect("writes");
    assert_eq!(text, "01 Jun 2022 10:00:00.000005");
}

#[test]
fn lenient_timestamps() {
    let times = TIMES.map(|text| Format::new("try_to_timestamp", text).expect("a format"));
    let read = |text: &str| lenient_timestamp(text, &times).map(|micros| micros - 1_654_077_600_000_000);
    for text in [
        "2022-06-01 10:00",
        "2022-6-1T10:00:00",
        " 2022-06-01T10:00:00.000Z",
        "2022-06-01 12:00:00+02:00",
        "2022-06-01 12:00+02",
    ] {
        assert_eq!(read(text), Some(0), "{text}");
    }
    assert_eq!(read("2022-06-01"), Some(-36_000_000_000));
    assert_eq!(read("2022-06-01 25:00"), None);
    assert_eq!(read("2022-06-31 10:00"), None);
}
