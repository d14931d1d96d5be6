//! Files that are not what they should be: each is quarantined or reported with file and place, none is passed over, none makes
//! the program panic. The inputs are made here.

use crate::harness::{Output, Project};

/// The source `lake.t` over `lake/`, its records and the model `m` that reads all of them.
fn source(external: &str, columns: &[(&str, &str)]) -> Project {
    let columns: Vec<String> =
        columns.iter().map(|(name, kind)| format!("{{name: {name}, data_type: '{kind}'}}")).collect();
    let columns = if columns.is_empty() { String::new() } else { format!(", columns: [{}]", columns.join(", ")) };
    Project::models(&[("m", "{{ config(materialized='table') }} select * from {{ source('lake', 't') }}")]).file(
        "models/s.yml",
        format!("sources: [{{name: lake, tables: [{{name: t, external: {{{external}}}{columns}}}]}}]\n"),
    )
}

/// Builds, and fails unless the exit code is 0 or 1 without any sign of a panic.
fn build(project: &Project) -> Output {
    let output = project.run(&["build"]);
    assert!(matches!(output.code, Some(0 | 1)), "{:?}\n{}", output.code, output.stderr);
    for sign in ["panicked", "C9001", "stack backtrace"] {
        assert!(!output.stderr.contains(sign), "{}", output.stderr);
    }
    output
}

/// The build fails and says all of `parts`, the name of the file among them.
fn refused(project: &Project, file: &str, parts: &[&str]) {
    let output = build(project);
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    assert!(output.stderr.contains(file), "{file} is not named:\n{}", output.stderr);
    output.says(parts);
}

/// Line and reason of what is in the quarantine.
fn quarantined(project: &Project) -> Vec<String> {
    project.table("select line, reason from quarantine.lake__t order by line")
}

const JSON: &str = "location: lake/*.json, bad_records: quarantine";
const CSV: &str = "location: lake/*.csv, bad_records: quarantine";

#[test]
fn broken_json_of_every_kind() {
    let bad: &[(&[u8], &str)] = &[
        (br#"{"id":"#, "the text ends where a value is expected"),
        (br#"{"id":2"#, "the text ends where `,` or `}` is expected"),
        (br#"{"id":3}}"#, "there is more text after the object"),
        (br#"{"id":3} {"id":4}"#, "there is more text after the object"),
        (b"[1]", "a list where an object is expected"),
        (b"null", "no JSON object"),
        (b"\"x\"", "no JSON object"),
        (br#"{"id":"x"}"#, "\"x\" is no number"),
        (br#"{'id':4}"#, "a field's name is expected, not `\\'`"),
        (br#"{"id":NaN}"#, "a value is expected, not `N`"),
        (br#"{"id":01}"#, "the end of the number is expected, not `1`"),
        (br#"{"id":1e99}"#, "does not fit into the column's type"),
        (br#"{"id":1,}"#, "a field's name is expected, not `}`"),
        (br#"{"id" 1}"#, "`:` is expected, not `1`"),
        (b"{\"s\":\"\xff\"}", "the text is not valid UTF-8"),
        (br#"{"s":"\ud800"}"#, "a surrogate"),
        (br#"{"s":"\x"}"#, "escape"),
        (b"{\"s\":\"a\tb\"}", "control character"),
        (br#"{"s":"open}"#, "the text ends"),
        (br#"{"s":tru}"#, "a value is expected"),
    ];
    let mut file: Vec<u8> = b"{\"id\":1,\"s\":\"first\"}\n".to_vec();
    for (line, _) in bad {
        file.extend_from_slice(line);
        file.push(b'\n');
    }
    file.extend_from_slice(b"\r\n   \n{\"id\":99,\"s\":\"last\"}");
    let project = source(JSON, &[("id", "bigint"), ("s", "varchar")]).file("lake/a.json", &file);
    build(&project);
    assert_eq!(project.sorted("m"), ["1|first", "99|last"]);
    let found = quarantined(&project);
    assert_eq!(found.len(), bad.len(), "{found:?}");
    for (at, (row, (line, reason))) in found.iter().zip(bad).enumerate() {
        let start = format!("{}|", at + 2);
        let line = String::from_utf8_lossy(line);
        assert!(row.starts_with(&start) && row.contains(reason), "{line}: {row}, and not {reason}");
    }
    project.edit("models/s.yml", "bad_records: quarantine", "bad_records: fail");
    refused(&project, "lake/a.json:2:7", &["C5002", "the text ends where a value is expected"]);
}

#[test]
fn deep_nesting_is_read_or_reported() {
    let nest = |open: &str, close: &str, depth: usize| {
        format!("{{\"id\":1,\"x\":{}1{}}}\n", open.repeat(depth), close.repeat(depth))
    };
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for depth in [10, 31, 40, 100, 1_000, 100_000] {
            let file = nest(open, close, depth) + "{\"id\":2}\n";
            for columns in [&[][..], &[("id", "bigint")], &[("id", "bigint"), ("x", "varchar")]] {
                let project = source(JSON, columns).file("lake/a.json", &file);
                build(&project);
                assert_eq!(
                    project.table("select id from {{ ref('m') }} order by id"),
                    ["1", "2"],
                    "{depth} {columns:?}"
                );
            }
        }
    }
    let deep = |depth: usize| format!("{}int{}", "struct<a ".repeat(depth), ">".repeat(depth));
    let project = source(JSON, &[("x", &deep(40))]).file("lake/a.json", "{}\n");
    let output = build(&project);
    output.says(&["C5005", "nests deeper than"]);
    let project = source(JSON, &[("x", &deep(30))]).file("lake/a.json", "{}\n");
    assert_eq!(build(&project).code, Some(0));
}

#[test]
fn other_encodings() {
    let utf16 = |text: &str| -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    for (external, file, text) in [(JSON, "lake/a.json", "{\"id\": 1}\n"), (CSV, "lake/a.csv", "id\n1\n")] {
        for columns in [&[][..], &[("id", "bigint")]] {
            let project = source(external, columns).file(file, utf16(text));
            refused(&project, file, &["C5006", "UTF-16", "iconv"]);
            let with_mark = [b"\xef\xbb\xbf", text.as_bytes()].concat();
            let project = source(external, columns).file(file, with_mark);
            build(&project);
            assert_eq!(project.sorted("m"), ["1"]);
        }
    }
    let latin = b"id,s\n1,\xe9\n2,x\n";
    let project = source(CSV, &[("id", "bigint"), ("s", "varchar")]).file("lake/a.csv", latin);
    build(&project);
    assert_eq!(
        (project.sorted("m"), quarantined(&project)),
        (vec!["2|x".into()], vec!["2|the text is not valid UTF-8".into()])
    );
    let project = source("location: lake/*.csv, encoding: latin1", &[("id", "bigint"), ("s", "varchar")])
        .file("lake/a.csv", latin);
    build(&project);
    assert_eq!(project.sorted("m"), ["1|é", "2|x"]);
    for noise in [b"\0\x01\x02\xff\xfe\xfd".repeat(500), b"\x89PNG\r\n\x1a\n".to_vec(), b"PK\x03\x04".to_vec()] {
        for external in [JSON, "location: lake/*.json, file_format: csv"] {
            build(&source(external, &[]).file("lake/a.json", &noise));
        }
    }
}

#[test]
fn csv_with_broken_quotes_and_headers() {
    let text = "a,b\n1,\"x\n2,y\n3,\"z\"z\n4,\"ok\"\n5,\"un\nclosed\n6,7,8\n7\n\"8,\"\"";
    let project = source(CSV, &[("a", "bigint"), ("b", "varchar")]).file("lake/a.csv", text);
    build(&project);
    assert_eq!(project.sorted("m"), ["2|y", "4|ok"]);
    let lines: Vec<String> =
        quarantined(&project).iter().map(|row| row.split('|').next().expect("a line").into()).collect();
    assert_eq!(lines, ["2", "4", "6", "7", "8", "9", "10"]);

    let headless = source(CSV, &[]).file("lake/a.csv", ",b\n1,2\n");
    build(&headless);
    assert_eq!(headless.rows("select column_1, b from {{ ref('m') }}"), [serde_json::json!({"column_1": 1, "b": 2})]);
    let doubled = source(CSV, &[]).file("lake/a.csv", "a,b,a\n1,2,3\n");
    refused(&doubled, "lake/a.csv", &["C5004", "two columns named `a`"]);
    let declared = source(CSV, &[("a", "bigint")]).file("lake/a.csv", "a,b,a\n1,2,3\n");
    build(&declared);
    assert_eq!(declared.sorted("m"), ["1"]);
    refused(&source(CSV, &[]).file("lake/a.csv", "\n\n"), "models/s.yml", &["C5005", "no columns"]);
    let other = source(CSV, &[("a", "bigint"), ("b", "bigint")]).file("lake/a.csv", "a;b\n1;2\n");
    refused(&other, "lake/a.csv", &["C5004", "its header names a;b", "delimiter"]);
    let empty = source(CSV, &[("a", "bigint")]).file("lake/a.csv", "");
    build(&empty);
    assert!(empty.sorted("m").is_empty());
}

#[test]
fn names_dates_and_digits_of_all_scripts() {
    let header = "tên khách,名前,اسم,имя,🙂,\"q\"\"q\",a.b,\"x\ny\",  sp  ";
    let project = source(CSV, &[]).file("lake/a.csv", format!("{header}\n1,2,3,4,5,6,7,8,9\n"));
    build(&project);
    let row = &project.rows("select * from {{ ref('m') }}")[0];
    let names: Vec<&String> = row.as_object().expect("a row").keys().collect();
    assert_eq!(names, ["tên khách", "名前", "اسم", "имя", "🙂", "q\"q", "a.b", "x\ny", "  sp  "]);
    assert_eq!(project.table("select \"名前\" + \"имя\" as n from {{ ref('m') }}"), ["6"]);

    let good = ["2565-04-01", "0001-01-01", "9999-12-31", "1401-01-01", "2024-02-29"];
    let bad = [
        "2022-02-30",
        "2023-02-29",
        "10000-01-01",
        "-0044-03-15",
        "٢٠٢٢-٠٤-٠١",
        "２０２２-04-01",
        "2022-4-1",
        "01/04/2022",
        "20220401",
        "0",
    ];
    let project =
        source(CSV, &[("d", "date")]).file("lake/a.csv", format!("d\n{}\n{}\n", good.join("\n"), bad.join("\n")));
    build(&project);
    assert_eq!(project.table("select count(*) as n from {{ ref('m') }}"), ["5"]);
    let reasons = quarantined(&project);
    assert_eq!(reasons.len(), bad.len());
    assert!(reasons.iter().all(|row| row.contains("is no date")), "{reasons:?}");
    let project = source(CSV, &[("n", "bigint")]).file("lake/a.csv", "n\n٣\n１\n1 000\n1,5\n+7\n-0\n0x10\n1e3\n");
    build(&project);
    assert_eq!(project.sorted("m"), ["0", "1000", "7"]);
    assert_eq!(quarantined(&project).len(), 5);
}

#[test]
fn columns_that_change_their_type_between_files() {
    for (first, second) in
        [("{\"a\":1}", "{\"a\":\"x\"}"), ("{\"a\":1}", "{\"a\":{\"b\":1}}"), ("{\"a\":[1]}", "{\"a\":[true]}")]
    {
        let project = source(JSON, &[]).file("lake/a.json", first).file("lake/b.json", second);
        refused(&project, "lake/b.json", &["C5004", "changes its type between files", "data_type: varchar"]);
        let project = source(JSON, &[("a", "varchar")]).file("lake/a.json", first).file("lake/b.json", second);
        build(&project);
        assert_eq!(project.sorted("m").len(), 2);
    }
    let project = source(JSON, &[]).file("lake/a.json", "{\"a\":1}").file("lake/b.json", "{\"a\":1.5}");
    build(&project);
    assert_eq!(project.sorted("m"), ["1.0", "1.5"]);
    // Within one file the column becomes text.
    let project = source(JSON, &[]).file("lake/a.json", "{\"a\":1}\n{\"a\":{\"b\":2}}\n{\"a\":\"x\"}\n");
    build(&project);
    assert_eq!(project.sorted("m"), ["1", "x", "{\"b\":2}"]);
}

/// What the warehouse of a small project holds: a real Parquet file.
fn parquet() -> Vec<u8> {
    let project = Project::models(&[(
        "m",
        "{{ config(materialized='table') }} select value as id, 'a long enough text ' || value as s from generate_series(1, 2000)",
    )]);
    project.ok(&["build"]);
    let files = std::fs::read_dir(project.path("warehouse/main/m")).expect("a folder").flatten();
    let file = files.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|kind| kind == "parquet"));
    std::fs::read(file.expect("a file")).expect("a file")
}

#[test]
fn damaged_parquet() {
    let good = parquet();
    let footer_of = |length: u32| [&good[..good.len() - 8], &length.to_le_bytes(), b"PAR1"].concat();
    let cut = |end: usize| good[..end].to_vec();
    let files: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"hello, this is text".to_vec(),
        b"PAR1".to_vec(),
        b"PAR1PAR1".to_vec(),
        cut(good.len() - 1),
        cut(good.len() - 20),
        cut(good.len() / 2),
        cut(12),
        footer_of(u32::MAX),
        footer_of(i32::MAX as u32),
        footer_of(0),
        footer_of(7),
    ];
    let parquet = "location: lake/*.parquet, bad_records: quarantine";
    for (at, file) in files.iter().enumerate() {
        for columns in [&[][..], &[("id", "bigint"), ("s", "varchar")]] {
            let project = source(parquet, columns).file("lake/a.parquet", file);
            refused(&project, "lake/a.parquet", &["C5006"]);
            assert!(!project.path("warehouse/main/m").exists(), "{at}: a table came of it");
        }
    }
    // Bytes that are wrong in the middle: rows, or an error that says so.
    for at in (4..good.len() - 8).step_by((good.len() / 40).max(1)) {
        let mut file = good.clone();
        file[at..at + 4].iter_mut().for_each(|byte| *byte ^= 0x5a);
        let project = source(parquet, &[]).file("lake/a.parquet", &file);
        let output = build(&project);
        assert!(output.code == Some(0) || !output.stderr.contains("C4003"), "{at}: {}", output.stderr);
    }
}

/// A spreadsheet.
fn sheet(write: impl Fn(&mut rust_xlsxwriter::Worksheet) -> Result<(), rust_xlsxwriter::XlsxError>) -> Vec<u8> {
    let mut book = rust_xlsxwriter::Workbook::new();
    write(book.add_worksheet()).expect("cells");
    book.save_to_buffer().expect("a file")
}

#[test]
fn spreadsheets_with_formulas_and_merged_cells() {
    let file = sheet(|sheet| {
        for (column, name) in ["id", "name", "total", "note"].iter().enumerate() {
            sheet.write(0, column as u16, *name)?;
        }
        sheet.write(1, 0, 1)?.write(1, 1, "a")?;
        sheet.write_formula(1, 2, rust_xlsxwriter::Formula::new("=A2*2").set_result("2"))?;
        sheet.write(2, 0, 2)?;
        sheet.write_formula(2, 2, rust_xlsxwriter::Formula::new("=1/0").set_result("#DIV/0!"))?;
        sheet.merge_range(3, 1, 4, 3, "merged", &rust_xlsxwriter::Format::new())?;
        sheet.write(3, 0, 3)?.write(4, 0, 4)?;
        Ok(())
    });
    let xlsx = "location: lake/*.xlsx, bad_records: quarantine";
    let columns = [("id", "bigint"), ("name", "varchar"), ("total", "bigint"), ("note", "varchar")];
    let project = source(xlsx, &columns).file("lake/a.xlsx", &file);
    build(&project);
    assert_eq!(project.sorted("m"), ["1|a|2|null", "3|merged|null|null", "4|null|null|null"]);
    let found = quarantined(&project);
    assert!(found.len() == 1 && found[0].starts_with("3|cell C3: "), "{found:?}");

    for broken in [Vec::new(), b"hello".to_vec(), file[..file.len() / 2].to_vec(), file[..file.len() - 30].to_vec()] {
        refused(&source(xlsx, &[]).file("lake/a.xlsx", broken), "lake/a.xlsx", &["C5006"]);
    }
    for at in (0..file.len() - 16).step_by((file.len() / 30).max(1)) {
        let mut flipped = file.clone();
        flipped[at..at + 8].iter_mut().for_each(|byte| *byte ^= 0x5a);
        build(&source(xlsx, &[]).file("lake/a.xlsx", flipped));
    }
}

/// Programs that write files without calculating leave formulas without a value.
#[test]
fn formulas_that_nobody_has_calculated() {
    let project = source("location: lake/*.xlsx, bad_records: quarantine", &[]);
    std::fs::create_dir_all(project.path("lake")).expect("a folder");
    let python = "import openpyxl, sys\n\
        book = openpyxl.Workbook()\n\
        for row in (['id', 'total'], [1, '=A2*2'], [2, 4]): book.active.append(row)\n\
        book.save(sys.argv[1])\n";
    let made = std::process::Command::new("python3").args(["-c", python]).arg(project.path("lake/a.xlsx")).output();
    if !made.is_ok_and(|made| made.status.success()) {
        return crate::harness::skip("python3 with openpyxl is missing");
    }
    build(&project);
    assert_eq!(project.sorted("m"), ["2|4"]);
    let found = quarantined(&project);
    assert!(found.len() == 1 && found[0].starts_with("2|cell B2: the formula has no value"), "{found:?}");
}

#[test]
fn damaged_archives() {
    let good = b"id\n1\n2\n".repeat(2_000);
    let mut encoder = gzip(&good);
    let whole = encoder.clone();
    for (name, bytes) in [
        ("text", b"id\n1\n".to_vec()),
        ("half", encoder.split_off(encoder.len() / 2)),
        ("cut", whole[..whole.len() - 4].to_vec()),
        ("head", whole[..4].to_vec()),
    ] {
        let project = source("location: lake/*.csv.gz", &[("id", "varchar")]).file("lake/a.csv.gz", bytes);
        refused(&project, "lake/a.csv.gz", &["C5006"]);
        assert_eq!(project.versions("main/m"), 0, "{name}");
    }
}

/// What `gzip` makes of `bytes`.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut child = std::process::Command::new("gzip")
        .arg("-c")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("gzip starts");
    let mut input = child.stdin.take().expect("a pipe");
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&bytes));
    let output = child.wait_with_output().expect("an end");
    writer.join().expect("the writer ends").expect("all is written");
    output.stdout
}

/// A long line is read whole, or is one bad record; `C360_LONG_LINE=100000000` for the size that nobody wants to wait for.
#[test]
fn a_long_line() {
    let size = std::env::var("C360_LONG_LINE").ok().map_or(3_000_000, |text| text.parse().expect("a number"));
    let text = "x".repeat(size);
    let file = format!("{{\"id\":1,\"s\":\"{text}\"}}\n{{\"id\":2,\"s\":\"{text}\n{{\"id\":3}}\n");
    for columns in [&[][..], &[("id", "bigint"), ("s", "varchar")]] {
        let project = source(JSON, columns).file("lake/a.json", &file);
        build(&project);
        let rows = project.table("select id, length(s) as n from {{ ref('m') }} order by id");
        assert_eq!(rows, [format!("1|{size}"), "3|null".to_string()]);
        assert_eq!(quarantined(&project).len(), 1);
    }
    let project = source(CSV, &[]).file("lake/a.csv", format!("id,s\n1,{text}\n2,\"{text}\n3,y\n"));
    build(&project);
    assert_eq!(
        project.table("select id, length(s) as n from {{ ref('m') }} order by id"),
        [format!("1|{size}"), "3|1".to_string()]
    );
}

#[test]
fn what_a_record_says_cannot_steer_a_terminal() {
    let project =
        source("location: lake/*.csv", &[("a", "bigint")]).file("lake/a.csv", "a\n\x1b]0;owned\x07\x1b[31mred\n");
    let output = build(&project);
    assert_eq!(output.code, Some(1));
    assert!(!output.stderr.contains('\x1b') && !output.stderr.contains('\x07'), "{:?}", output.stderr);
    let project = source(CSV, &[("a", "bigint")]).file("lake/a.csv", "a\n\x1b[31mred\n");
    build(&project);
    let shown = project.ok(&["show", "--inline", "select reason, text from quarantine.lake__t"]);
    assert!(!shown.stdout.contains('\x1b'), "{:?}", shown.stdout);
}

/// Whenever it is cut, all rows are there, or those of the file that is left, or the build says why not: nothing between.
#[test]
fn a_file_that_is_cut_while_it_is_read() {
    let record = |id: usize| format!("{id},{}\n", "x".repeat(100));
    let text = format!("id,s\n{}", (0..60_000).map(record).collect::<String>());
    let sql = "{{ config(materialized='table') }} select id, md5(s) as m from {{ source('lake', 't') }}";
    let project = source("location: lake/*.csv", &[("id", "bigint"), ("s", "varchar")]).file("models/m.sql", sql);
    for share in [1, 2, 3, 4, 5, 6, 7] {
        project.write("lake/a.csv", &text);
        let cut = text[..text.len() * share / 8].rfind('\n').expect("a record") + 1;
        let left = text[..cut].lines().count() - 1;
        let mut child = project.start(&["build"]);
        let stderr = child.stderr.take().expect("a pipe");
        let mut said = String::new();
        for line in std::io::BufRead::lines(std::io::BufReader::new(stderr)) {
            let line = line.expect("a line");
            if line.contains("\"unit_started\"") {
                // Somewhere in the middle of the scan, or before or after it: no row may be lost in any case.
                let file = std::fs::OpenOptions::new().write(true).open(project.path("lake/a.csv")).expect("a file");
                file.set_len(cut as u64).expect("a shorter file");
            }
            said += &line;
            said.push('\n');
        }
        if child.wait().expect("an end").success() {
            let rows = project.table("select count(*) as n from {{ ref('m') }}");
            assert!(rows == ["60000"] || rows == [left.to_string()], "{share}: {rows:?}");
        } else {
            assert!(said.contains("lake/a.csv") && said.contains("changed while it was read"), "{share}: {said}");
        }
    }
}
