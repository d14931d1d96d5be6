//! Spreadsheets.

use super::*;

use rust_xlsxwriter::{ExcelDateTime, Format as Style, Formula, Workbook};

pub(super) fn book() -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("Data").expect("a name");
    let date = Style::new().set_num_format("yyyy-mm-dd");
    let time = Style::new().set_num_format("yyyy-mm-dd hh:mm:ss");
    for (at, name) in ["id", "Tên", "price", "ok", "day", "at", "sum"].iter().enumerate() {
        sheet.write(0, at as u16, *name).expect("a cell");
    }
    for row in 1..=2u32 {
        sheet.write(row, 0, row).expect("a cell");
        sheet.write(row, 1, if row == 1 { "Phở" } else { "00123" }).expect("a cell");
        sheet.write(row, 2, f64::from(row) + 0.5).expect("a cell");
        sheet.write(row, 3, row == 1).expect("a cell");
        let day = ExcelDateTime::from_ymd(2022, 4, row as u8).expect("a day");
        sheet.write_with_format(row, 4, &day, &date).expect("a cell");
        let at = ExcelDateTime::from_ymd(2022, 4, row as u8).and_then(|day| day.and_hms(10, 30, 0.0)).expect("a time");
        sheet.write_with_format(row, 5, &at, &time).expect("a cell");
        sheet.write(row, 6, Formula::new("=A2+1").set_result("2")).expect("a cell");
    }
    sheet.write(4, 0, 3).expect("a cell");
    book.add_worksheet().set_name("Other").and_then(|sheet| sheet.write(2, 1, "x")).expect("a sheet");
    book.save_to_buffer().expect("a book")
}

#[tokio::test]
async fn sheets_are_tables() {
    let lake = Lake::new();
    lake.write("x.xlsx", book());
    lake.table(lake.spec("x.xlsx", Format::Xlsx, &[])).await.expect("a table");
    let rows = lake.rows(r#"select * from t order by id"#).await;
    assert_eq!(rows[0], "1|Phở|1.5|true|2022-04-01|2022-04-01T10:30:00|2");
    assert_eq!(rows[1], "2|00123|2.5|false|2022-04-02|2022-04-02T10:30:00|2");
    assert_eq!(rows[2], "3|NULL|NULL|NULL|NULL|NULL|NULL");
    lake.table(lake.spec("x.xlsx", Format::Xlsx, &[("ID", "varchar"), ("price", "decimal(9,2)")]))
        .await
        .expect("a table");
    assert_eq!(lake.rows(r#"select "ID", price from t where "ID" = '1'"#).await, ["1|1.50"]);
    let mut spec = lake.spec("x.xlsx", Format::Xlsx, &[]);
    spec.options.xlsx =
        XlsxOptions { sheet: Some("Data".to_string()), range: Some("B2:C3".to_string()), header: false };
    lake.table(spec.clone()).await.expect("a table");
    assert_eq!(lake.rows("select column_2, column_1 from t").await, ["1.5|Phở", "2.5|00123"]);
    spec.options.xlsx.sheet = Some("Othr".to_string());
    let (code, message, _) = lake.refusal(spec).await;
    assert_eq!(code, codes::SOURCE_FILES_MISSING, "{message}");
}

#[tokio::test]
async fn bad_cells_are_named() {
    let lake = Lake::new();
    lake.write("x.xlsx", book());
    let mut spec = lake.spec("x.xlsx", Format::Xlsx, &[("Tên", "int")]);
    spec.bad_records = BadRecords::Quarantine;
    lake.table(spec.clone()).await.expect("a table");
    assert_eq!(lake.rows(r#"select * from t"#).await, ["123", "NULL"]);
    assert_eq!(lake.rejects.lines(), [(2, "cell B2: \"Phở\" is no number".to_string())]);
    spec.columns = Some(vec![ColumnSpec::new("no", "int")]);
    lake.table(spec).await.expect("a table");
    assert_eq!(lake.failure("select * from t").await.code, codes::SCHEMA_MISMATCH);
}
