//! The rules of JSON, one by one, and the decoder against another one.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Fields, Int64Type, Schema};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::arrow::util::pretty::pretty_format_batches;
use proptest::prelude::*;

use super::super::columns::{StructColumn, Wanted};
use super::super::parse_data_type;
use super::super::records::{Cut, Problem, RecordFormat};
use super::*;

fn fields(columns: &[(&str, &str)]) -> Fields {
    columns.iter().map(|(name, text)| Field::new(*name, parse_data_type(text).expect("a type"), true)).collect()
}

fn columns(fields: &Fields) -> StructColumn {
    StructColumn::new(fields, &Wanted::All).expect("types that can be read")
}

fn batch(fields: &Fields, arrays: Vec<ArrayRef>) -> RecordBatch {
    RecordBatch::try_new(Arc::new(Schema::new(fields.clone())), arrays).expect("a batch")
}

/// The only column of `line`, as text; or why the line is bad.
fn one(data_type: &str, line: &str) -> Result<String, String> {
    let fields = fields(&[("x", data_type)]);
    let mut format = JsonLines::new(columns(&fields));
    match format.decode(line.as_bytes(), true) {
        Ok(_) => {}
        Err(Problem::Bad(bad)) => {
            assert_eq!(format.rows(), 0, "a bad record leaves nothing behind");
            return Err(format!("{}: {}", bad.at, bad.reason));
        }
        Err(Problem::Fatal(diagnostic)) => return Err(diagnostic.message),
    }
    let batch = batch(&fields, format.finish().expect("arrays"));
    let mut text = Vec::new();
    for row in 0..batch.num_rows() {
        let column = batch.column(0);
        let options = FormatOptions::default().with_null("NULL");
        let shown = ArrayFormatter::try_new(column, &options).expect("formatter");
        text.push(shown.value(row).to_string());
    }
    Ok(text.join("|"))
}

fn ok(data_type: &str, line: &str) -> String {
    one(data_type, line).unwrap_or_else(|error| panic!("{line} as {data_type}: {error}"))
}

#[test]
fn missing_null_and_empty() {
    assert_eq!(ok("int", "{}"), "NULL");
    assert_eq!(ok("int", r#"{"x":null}"#), "NULL");
    assert_eq!(ok("int", r#" {"y": {"deep": [1, "}"]}, "x" : 1 } "#), "1");
    assert_eq!(ok("int", " \t\r"), "");
    assert_eq!(ok("struct<a int>", r#"{"x":null}"#), "NULL");
    assert_eq!(ok("struct<a int>", r#"{"x":{}}"#), "{a: NULL}");
}

#[test]
fn numbers_where_text_is_declared_and_the_other_way_round() {
    assert_eq!(ok("varchar", r#"{"x":7}"#), "7");
    assert_eq!(ok("varchar", r#"{"x":1500.0}"#), "1500.0");
    assert_eq!(ok("varchar", r#"{"x":true}"#), "true");
    assert_eq!(ok("varchar", r#"{"x": {"a" : [1]} }"#), r#"{"a" : [1]}"#);
    assert_eq!(ok("bigint", r#"{"x":1.5e3}"#), "1500");
    assert_eq!(ok("bigint", r#"{"x":1500.0}"#), "1500");
    assert_eq!(ok("bigint", r#"{"x":"12"}"#), "12");
    assert_eq!(ok("double", r#"{"x":3}"#), "3.0");
    assert_eq!(ok("decimal(5,2)", r#"{"x":3.1}"#), "3.10");
    assert_eq!(ok("date", r#"{"x":"2022-04-01"}"#), "2022-04-01");
    assert_eq!(ok("timestamp", r#"{"x":"2022-04-01 10:00:00.5"}"#), "2022-04-01T10:00:00.500");
    assert_eq!(ok("boolean", r#"{"x":"false"}"#), "false");
    for (data_type, value) in [
        ("bigint", "1.5"),
        ("bigint", "\"12x\""),
        ("bigint", "\"\""),
        ("bigint", "true"),
        ("bigint", "9223372036854775808"),
        ("tinyint", "128"),
        ("float", "1e39"),
        ("boolean", "1"),
        ("date", "20220401"),
        ("date", "\"2022-02-30\""),
        ("struct<a int>", "7"),
        ("int[]", "{}"),
        ("bigint", "{}"),
        ("decimal(5,2)", "1000.00"),
    ] {
        assert!(one(data_type, &format!("{{\"x\":{value}}}")).is_err(), "{value} as {data_type}");
    }
}

#[test]
fn names_match_exactly_else_by_any_case_and_the_last_wins() {
    assert_eq!(ok("int", r#"{"X":1}"#), "1");
    assert_eq!(ok("int", r#"{"X":1,"x":2}"#), "2");
    assert_eq!(ok("int", r#"{"x":2,"X":1}"#), "2");
    assert_eq!(ok("int", r#"{"x":1,"x":2,"x":3}"#), "3");
    assert_eq!(ok("struct<a int, b int[]>", r#"{"x":{"a":1,"b":[1,2]},"x":{"b":[3]}}"#), "{a: NULL, b: [3]}");
    assert_eq!(ok("int", r#"{"\u0078":5}"#), "5");
}

#[test]
fn nested_types() {
    assert_eq!(ok("int[]", r#"{"x":[1, null ,3]}"#), "[1, NULL, 3]");
    assert_eq!(ok("int[][]", r#"{"x":[[],[1]]}"#), "[[], [1]]");
    assert_eq!(ok("map<varchar,int>", r#"{"x":{"a":1,"b":null}}"#), "{a: 1, b: NULL}");
    assert_eq!(ok("struct<a struct<b varchar>>[]", r#"{"x":[{"a":{"b":"é"}},null]}"#), "[{a: {b: é}}, NULL]");
}

#[test]
fn broken_text_says_what_and_where() {
    for (line, expected) in [
        (r#"{"x":1"#, "6: the text ends where `,` or `}` is expected"),
        (r#"{"x":1} {"x":2}"#, "8: there is more text after the object"),
        ("hello", "0: no JSON object"),
        ("null", "0: no JSON object"),
        ("[1]", "0: a list where an object is expected"),
        (r#"{"x":1,}"#, "7: a field's name is expected, not `}`"),
        (r#"{"x" 1}"#, "5: `:` is expected, not `1`"),
        (r#"{"x":}"#, "5: a value is expected, not `}`"),
        (r#"{"x":01}"#, "6: the end of the number is expected, not `1`"),
        (r#"{"x":"a"}"#, "5: \"a\" is no number"),
        (r#"{"y":nul}"#, "5: a value is expected, not `n`"),
    ] {
        assert_eq!(one("int", line).expect_err(line), expected, "{line}");
    }
    let fields = fields(&[("x", "varchar")]);
    let mut format = JsonLines::new(columns(&fields));
    let Err(Problem::Bad(bad)) = format.decode(b"{\"y\":\"\xff\"}", true) else { panic!("broken UTF-8 is bad") };
    assert_eq!((bad.at, bad.reason.as_ref()), (6, "the text is not valid UTF-8"));
    assert!(one("int", &("{\"x\":".to_string() + &"[".repeat(1_000_000))).is_err());
    assert!(one("varchar", &("{\"x\":".to_string() + &"[".repeat(1_000_000))).is_err());
}

#[test]
fn a_bad_record_leaves_no_trace_in_nested_columns() {
    let fields = fields(&[("a", "struct<n int, l struct<s varchar>[]>"), ("m", "map<varchar,int>"), ("t", "varchar")]);
    let mut format = JsonLines::new(columns(&fields));
    let good = r#"{"a":{"n":1,"l":[{"s":"a long enough string"}]},"m":{"k":1},"t":"x"}"#;
    for line in [
        good,
        r#"{"a":{"n":2,"l":[{"s":"gone gone gone gone"},{"s":"gone"}]},"m":{"k":1,"j":"x"},"t":"x"}"#,
        r#"{"a":{"n":2,"l":[{"s":"gone gone gone gone"},7]}}"#,
        r#"{"t":"gone","a":{"l":[{"s":"gone"}],"n":"x"}}"#,
        good,
    ] {
        let _ = format.decode(line.as_bytes(), true);
    }
    assert_eq!(format.rows(), 2);
    let both = batch(&fields, format.finish().expect("arrays"));
    let mut alone = JsonLines::new(columns(&fields));
    for _ in 0..2 {
        assert!(matches!(alone.decode(good.as_bytes(), true), Ok(true)));
    }
    assert_eq!(both, batch(&fields, alone.finish().expect("arrays")));
}

#[test]
fn columns_that_nobody_wants_are_checked_all_the_same() {
    let fields = fields(&[("a", "struct<n int, s varchar>"), ("b", "bigint")]);
    let mut wanted = Wanted::Nothing;
    wanted.add(&["a", "s"]);
    let mut format = JsonLines::new(StructColumn::new(&fields, &wanted).expect("columns"));
    assert!(matches!(format.decode(br#"{"a":{"n":1,"s":"x"},"b":1}"#, true), Ok(true)));
    assert!(format.decode(br#"{"a":{"n":1,"s":"x"},"b":"no"}"#, true).is_err());
    assert!(format.decode(br#"{"a":{"n":"no","s":"x"},"b":1}"#, true).is_err());
    let arrays = format.finish().expect("arrays");
    assert_eq!(arrays.len(), 1);
    assert_eq!(arrays[0].data_type(), &parse_data_type("struct<s varchar>").expect("a type"));
    assert_eq!(arrays[0].len(), 1);
}

/// The texts of the records that `format` cuts out of `text`, given in pieces of `step` bytes more each time.
fn cuts(format: &mut impl RecordFormat, text: &[u8], step: usize) -> Vec<(String, Option<&'static str>)> {
    let (mut found, mut start, mut end) = (Vec::new(), 0, 0);
    loop {
        match format.cut(&text[start..end], end == text.len()) {
            Cut::End => return found,
            Cut::More if end == text.len() => return found,
            Cut::More => end = (end + step).min(text.len()),
            Cut::Record { start: from, end: to, next, broken } => {
                found.push((String::from_utf8_lossy(&text[start + from..start + to]).into_owned(), broken));
                start += next;
            }
        }
    }
}

#[test]
fn arrays_give_their_elements_and_say_where_they_break() {
    for step in 1..8 {
        let cut = |text: &str| cuts(&mut JsonArray::new(columns(&fields(&[("x", "int")]))), text.as_bytes(), step);
        let good: Vec<String> =
            cut(" [ {\"x\":\"]}\"} ,\n{\"x\":[2]}, 7 ] ").into_iter().map(|(text, _)| text).collect();
        assert_eq!(good, [r#"{"x":"]}"}"#, r#"{"x":[2]}"#, "7 "]);
        assert!(cut("[]").is_empty() && cut("").is_empty() && cut(" ").is_empty());
        for (text, records, reason) in [
            ("{}", 1, "the file is declared to be one array, but does not start with `[`"),
            ("[{} {}]", 2, "`,` or `]` is expected after an element"),
            ("[{}", 2, "the file ends before the array does"),
            ("[{},{\"x\":", 2, "the file ends inside an element"),
            ("[{}] x", 2, "there is more text after the array"),
        ] {
            let found = cut(text);
            let last = found.last().expect("a record");
            assert_eq!((found.len(), last.1), (records, Some(reason)), "{text} by {step}");
        }
    }
}

#[test]
fn types_are_inferred_from_all_records_of_a_sample() {
    let sample = br#"{"a":1,"b":{"c":true,"d":[]},"e":null,"f":"2022-01-01"}
not json
{"a":2.5,"b":{"d":[{"g":1}],"h":"x"},"i":9223372036854775807}
{"a":1,"cut":"#;
    let found = super::super::infer::settle_fields(&infer(sample, false, false));
    let expected = fields(&[
        ("a", "double"),
        ("b", "struct<c boolean, d struct<g bigint>[], h varchar>"),
        ("e", "varchar"),
        ("f", "varchar"),
        ("i", "bigint"),
    ]);
    assert_eq!(found, expected);
    assert_eq!(infer(br#"[{"a":1},{"a":"x"},{"a":"#, false, true), fields(&[("a", "varchar")]));
}

/// Good rows for a fixed schema, with what a writer may do: any order of fields, spaces, escapes, nulls, absences.
fn rows() -> impl Strategy<Value = Vec<String>> {
    let text =
        prop_oneof!["[a-zA-Z0-9 ]{0,20}", "\\PC{0,12}", Just("quote \" slash \\ tab \t newline \n é 😀".to_string()),];
    let nested = (proptest::option::of(text.clone()), proptest::option::of(any::<i64>()));
    let list = proptest::collection::vec(proptest::option::of(any::<i32>()), 0..5);
    let row = (
        proptest::option::of(any::<i64>()),
        proptest::option::of(text),
        proptest::option::of(any::<bool>()),
        proptest::option::of(-1e300..1e300f64),
        proptest::option::of(nested),
        proptest::option::of(list),
        any::<u8>(),
    );
    let row = row.prop_map(|(i, s, b, f, nested, list, style)| {
        let nested = nested.map(|(s, n)| serde_json::json!({"s": s, "n": n}));
        let mut members = vec![
            ("i", serde_json::json!(i)),
            ("s", serde_json::json!(s)),
            ("b", serde_json::json!(b)),
            ("f", serde_json::json!(f)),
            ("o", serde_json::json!(nested)),
            ("l", serde_json::json!(list)),
            ("unknown", serde_json::json!({"x": [1, "}"]})),
        ];
        let len = members.len();
        members.rotate_left(usize::from(style) % len);
        if style & 1 == 1 {
            members.retain(|(_, value)| !value.is_null());
        }
        let space = if style & 2 == 2 { " " } else { "" };
        let members: Vec<String> =
            members.iter().map(|(name, value)| format!("{space}\"{name}\"{space}:{space}{value}{space}")).collect();
        format!("{{{}}}", members.join(","))
    });
    proptest::collection::vec(row, 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn equals_the_reader_of_arrow(rows in rows()) {
        let fields = fields(&[
            ("i", "bigint"), ("s", "varchar"), ("b", "boolean"), ("f", "double"),
            ("o", "struct<s varchar, n bigint>"), ("l", "int[]"),
        ]);
        let mut format = JsonLines::new(columns(&fields));
        for row in &rows {
            prop_assert!(matches!(format.decode(row.as_bytes(), true), Ok(true)), "{}", row);
        }
        let ours = batch(&fields, format.finish().expect("arrays"));
        let text = rows.join("\n");
        let schema = Arc::new(Schema::new(fields));
        let mut reader = arrow_json::ReaderBuilder::new(schema).build(text.as_bytes()).expect("a reader");
        let theirs = reader.next().expect("a batch").expect("good rows");
        let show = |batch: &RecordBatch| pretty_format_batches(std::slice::from_ref(batch)).expect("text").to_string();
        prop_assert_eq!(show(&ours), show(&theirs));
    }

    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..200) {
        let fields = fields(&[("i", "bigint"), ("o", "struct<s varchar, l int[]>"), ("d", "timestamp"), ("t", "time")]);
        let mut format = JsonLines::new(columns(&fields));
        let _ = format.decode(&bytes, true);
        let mut good = br#"{"i":1,"o":{"s":"\u00e9\ud83d\ude00","l":[1,-2e1]},"d":"2022-01-01T00:00:00.123Z","t":"10:00"}"#.to_vec();
        let at = cut % good.len();
        if let Some(byte) = bytes.first() {
            good[at] = *byte;
        }
        let _ = format.decode(&good, true);
        let _ = format.decode(&good[..at], true);
        let rows = format.rows();
        let arrays = format.finish().expect("arrays");
        prop_assert!(arrays.iter().all(|array| array.len() == rows));
    }
}

#[test]
fn integers_are_not_rounded() {
    let fields = fields(&[("x", "bigint")]);
    let mut format = JsonLines::new(columns(&fields));
    assert!(matches!(format.decode(br#"{"x":9007199254740993}"#, true), Ok(true)));
    let arrays = format.finish().expect("arrays");
    assert_eq!(arrays[0].as_primitive::<Int64Type>().value(0), 9_007_199_254_740_993);
    assert_eq!(arrays[0].data_type(), &DataType::Int64);
}
