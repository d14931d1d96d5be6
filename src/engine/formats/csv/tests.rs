//! The rules of delimited text.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Fields, Schema};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use proptest::prelude::*;

use super::super::columns::{StructColumn, Wanted};
use super::super::infer::settle_fields;
use super::super::parse_data_type;
use super::super::records::{Cut, Problem, RecordFormat};
use super::super::spec::CsvOptions;
use super::*;

fn fields(columns: &[(&str, &str)]) -> Fields {
    columns.iter().map(|(name, text)| Field::new(*name, parse_data_type(text).expect("a type"), true)).collect()
}

/// Rows as text (`a|b`, NULL for null), and the reasons of bad records (`!reason`), of `text` given in pieces.
fn read(text: &[u8], columns: &[(&str, &str)], options: CsvOptions, step: usize) -> Vec<String> {
    let schema = Arc::new(Schema::new(fields(columns)));
    let root = StructColumn::new(schema.fields(), &Wanted::All).expect("columns");
    let mut format = Csv::new(options, Arc::clone(&schema), root, "x.csv".to_string());
    let (mut out, mut start, mut end) = (Vec::new(), 0, 0);
    loop {
        match format.cut(&text[start..end], end == text.len()) {
            Cut::End => return out,
            Cut::More if end == text.len() => return out,
            Cut::More => end = (end + step).min(text.len()),
            Cut::Record { start: from, end: to, next, broken } => {
                let record = &text[start + from..start + to];
                let decoded = match broken {
                    Some(reason) => Err(reason.to_string()),
                    None => format.decode(record, true).map_err(|problem| match problem {
                        Problem::Bad(bad) => bad.reason.into_owned(),
                        Problem::Fatal(diagnostic) => diagnostic.message,
                    }),
                };
                match decoded {
                    Ok(true) => {
                        let arrays = format.finish().expect("arrays");
                        let options = FormatOptions::default().with_null("NULL");
                        let shown: Vec<String> = arrays
                            .iter()
                            .map(|array| {
                                let shown = ArrayFormatter::try_new(array, &options);
                                shown.expect("a formatter").value(0).to_string()
                            })
                            .collect();
                        out.push(shown.join("|"));
                    }
                    Ok(false) => {}
                    Err(reason) => out.push(format!("!{reason}")),
                }
                start += next;
            }
        }
    }
}

fn all_steps(text: &str, columns: &[(&str, &str)], options: &CsvOptions, expected: &[&str]) {
    for step in [1, 2, 3, 5, 1000] {
        assert_eq!(read(text.as_bytes(), columns, options.clone(), step), expected, "{text:?} by {step}");
    }
}

const AB: &[(&str, &str)] = &[("a", "varchar"), ("b", "bigint")];

#[test]
fn rfc_4180() {
    let options = CsvOptions::default();
    all_steps("a,b\r\nx,1\r\n\r\n\"y \"\"z\"\", \nw\",2\r\n", AB, &options, &["x|1", "y \"z\", \nw|2"]);
    all_steps("a,b\n,\n\"\",\"\"\nx,3", AB, &options, &["NULL|NULL", "|NULL", "x|3"]);
    all_steps("B,c,A\n1,ignored,x\n", AB, &options, &["x|1"]);
    all_steps(
        "a,b\nx\ny,1,2\nz,1\n",
        AB,
        &options,
        &["!1 fields where 2 are expected", "!3 fields where 2 are expected", "z|1"],
    );
    all_steps(
        "a,b\nx,1x\nx,\" 1\"\nq\"q,1\n",
        AB,
        &options,
        &["!column `b`: \"1x\" is no number", "!column `b`: \" 1\" is no number", "q\"q|1"],
    );
    all_steps("", AB, &options, &[]);
    all_steps("a\nx", AB, &options, &["!`x.csv` has no column `b`", "!`x.csv` has no column `a`"]);
}

#[test]
fn a_broken_quote_costs_one_line() {
    let options = CsvOptions::default();
    let broken = ["!there is text after a closing quote", "y|2"];
    all_steps("a,b\n\"x\"x,1\ny,2\n", AB, &options, &broken);
    all_steps("a,b\n\"x,1\ny,2\n", AB, &options, &["!a quoted field has no closing quote", "y|2"]);
    all_steps("a,b\n\"x,1\n\"y\",2\n", AB, &options, &broken);
}

#[test]
fn options() {
    let options = CsvOptions {
        header: false,
        delimiter: b'\t',
        quote: b'\'',
        escape: Some(b'\\'),
        null_value: Some("\\N".to_string()),
        ..CsvOptions::default()
    };
    all_steps(
        "x\t1\n\\N\t\\N\n'it\\'s\t\\\\'\t2\n'\\N'\t3",
        AB,
        &options,
        &["x|1", "NULL|NULL", "it's\t\\|2", "\\N|3"],
    );
}

#[test]
fn nested_columns_hold_json() {
    let columns = [("a", "int[]"), ("b", "struct<c varchar>")];
    let text = "a,b\n\"[1,2]\",\"{\"\"c\"\":\"\"x\"\"}\"\n[1,\n";
    let found = read(text.as_bytes(), &columns, CsvOptions::default(), 1000);
    assert_eq!(found[0], "[1, 2]|{c: x}");
    assert!(found[1].starts_with("!column `a`"), "{}", found[1]);
}

#[test]
fn types_are_inferred() {
    let text = b"\xef\xbb\xbfid,zip,price,ok,day,at,name,none,big\n\
        1,00123,1.5,true,2022-01-01,2022-01-01 10:00:00,x,,99999999999999999999\n\
        -2,12345,2,FALSE,2022-01-02,2022-01-02,\"1\",,1\n";
    let expected = fields(&[
        ("id", "bigint"),
        ("zip", "varchar"),
        ("price", "double"),
        ("ok", "boolean"),
        ("day", "date"),
        ("at", "timestamp"),
        ("name", "varchar"),
        ("none", "varchar"),
        ("big", "varchar"),
    ]);
    assert_eq!(settle_fields(&infer(text, true, &CsvOptions::default())), expected);
    let options = CsvOptions { header: false, ..CsvOptions::default() };
    assert_eq!(infer(b"1,x\n2,", false, &options), fields(&[("column_1", "bigint"), ("column_2", "varchar")]));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn what_is_written_is_read(rows in proptest::collection::vec(("[a\",\n\r é]{0,6}", any::<i64>()), 1..8), step in 1usize..20) {
        let mut text = "a,b\n".to_string();
        let mut expected = Vec::new();
        for (a, b) in &rows {
            text.push_str(&format!("\"{}\",{b}\n", a.replace('"', "\"\"")));
            expected.push(format!("{a}|{b}"));
        }
        prop_assert_eq!(read(text.as_bytes(), AB, CsvOptions::default(), step), expected);
    }

    #[test]
    fn pieces_do_not_matter_and_nothing_panics(text in "[a1\",\n\r]{0,40}", step in 1usize..10) {
        let text = format!("a,b\n{text}");
        let whole = read(text.as_bytes(), AB, CsvOptions::default(), 1000);
        prop_assert_eq!(read(text.as_bytes(), AB, CsvOptions::default(), step), whole);
    }
}
