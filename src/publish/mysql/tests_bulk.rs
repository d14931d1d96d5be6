//! Inserts and `LOAD DATA` leave the same table, whatever the values are and whatever types the job declares.

use std::sync::Mutex;

use arrow::array::{ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, StringArray};
use std::sync::Arc;

use serde_json::json;

use super::super::source::timeless;
use super::super::{DestinationConfig, FrameRows, Progress, PublishJob, publish};
use super::tests::{Bench, WAYS, bench, frame, texts};
use crate::diag::codes;

/// Publishes by both ways and gives back what each left, asked by `sql`.
async fn both(bench: &mut Bench, rows: &FrameRows, config: serde_json::Value, sql: &str) -> [Vec<String>; 2] {
    let mut found = Vec::new();
    for way in WAYS {
        bench.settings["bulk"] = json!(way);
        bench.publish(rows, config.clone()).await.unwrap_or_else(|error| panic!("{way}: {error:?}"));
        found.push(bench.ask(sql).await);
    }
    found.try_into().expect("two")
}

#[tokio::test]
async fn any_text_and_any_bytes_survive() {
    let Some(mut bench) = bench("bulk_text").await else { return };
    let odd = [
        "", "\\N", "\\", "\\\\", "NULL", "a\tb", "a\nb", "a\r\nb", "\0", "\x1a\x08", "'\"`", " x ", "ế\\ế", "🏐", "\\t",
    ];
    // Every byte, alone and all together.
    let every: Vec<u8> = (0..=255).collect();
    let bytes: Vec<Option<&[u8]>> =
        odd.iter().enumerate().map(|(at, _)| (at != 3).then(|| &every[at * 17..(at + 1) * 17])).collect();
    let rows = frame(vec![
        ("n", Arc::new(Int64Array::from_iter_values(0..odd.len() as i64))),
        ("text", Arc::new(StringArray::from_iter_values(odd))),
        ("raw", Arc::new(BinaryArray::from(bytes))),
    ]);
    let sql = "select concat(hex(text), ' ', coalesce(hex(raw), 'null')) from mart order by n";
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    let expected: Vec<String> = (odd.iter().enumerate())
        .map(|(at, text)| {
            let raw = if at == 3 { "null".to_string() } else { hex(&every[at * 17..(at + 1) * 17]) };
            format!("{} {raw}", hex(text.as_bytes()))
        })
        .collect();
    let [inserted, loaded] = both(&mut bench, &rows, json!({"to": "bi", "key": "n"}), sql).await;
    assert_eq!(inserted, expected);
    assert_eq!(loaded, expected);
}

#[tokio::test]
async fn a_single_column_may_be_empty_or_null() {
    let Some(mut bench) = bench("bulk_single").await else { return };
    let rows = frame(vec![("text", texts(vec![Some(""), None, Some("x"), Some(""), None]))]);
    let sql = "select coalesce(concat('<', text, '>'), 'null') from mart order by text";
    let [inserted, loaded] = both(&mut bench, &rows, json!("bi"), sql).await;
    assert_eq!(inserted, ["null", "null", "<>", "<>", "<x>"]);
    assert_eq!(loaded, inserted);
}

#[tokio::test]
async fn declared_types_get_what_an_insert_gives_them() {
    let Some(mut bench) = bench("bulk_declared").await else { return };
    let flag: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]));
    let number: ArrayRef = Arc::new(Int64Array::from(vec![Some(2), Some(1), None]));
    let day: ArrayRef = Arc::new(Int64Array::from(vec![Some(20_220_401), Some(20_221_231), None]));
    let real: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.1 + 0.2), Some(1e-7), None]));
    let rows = frame(vec![
        ("bit", Arc::clone(&flag)),
        ("enum", Arc::clone(&number)),
        ("word", number),
        ("day", day),
        ("short", Arc::clone(&real)),
        ("real_text", real),
        ("flag", flag),
    ]);
    let columns = json!({"bit": "bit(1)", "enum": "enum('a','b')", "word": "varchar(10)", "day": "date", "short": "decimal(6, 2)",
        "real_text": "varchar(40)", "flag": "int unsigned"});
    let sql = "select concat_ws('|', `bit` + 0, `enum`, word, day, short, real_text, flag) from mart order by day desc";
    let [inserted, loaded] = both(&mut bench, &rows, json!({"to": "bi", "columns": columns}), sql).await;
    assert_eq!(inserted, ["0|a|1|2022-12-31|0.00|0.0000001|0", "1|b|2|2022-04-01|0.30|0.30000000000000004|1", ""]);
    assert_eq!(loaded, inserted);
}

#[tokio::test]
async fn what_the_server_would_bend_is_refused_with_its_place() {
    let Some(mut bench) = bench("bulk_bent").await else { return };
    let many = 20_000;
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..many));
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(
        (0..many).map(|id| if id == 17_321 { "much too long".to_string() } else { format!("n{}", id % 10) }),
    ));
    let rows = frame(vec![("id", ids), ("name", names)]);
    for way in WAYS {
        bench.settings["bulk"] = json!(way);
        let fit = json!({"to": "bi", "key": "id", "columns": {"name": "varchar(20)"}});
        bench.publish(&rows, fit).await.expect("published");
        let tight = json!({"to": "bi", "key": "id", "columns": {"name": "varchar(4)"}});
        let error = bench.publish(&rows, tight).await.expect_err("refused");
        assert_eq!(error.code, codes::PUBLISH_TYPE, "{way}: {error:?}");
        assert!(error.message.contains("column `name` cannot hold 'much too long'"), "{way}: {error:?}");
        assert!(error.notes.iter().any(|note| note.contains("id = '17321'")), "{way}: {error:?}");
        // Texts that a collation takes for one are one key, and the second row would be skipped.
        let folded = json!({"to": "bi", "key": "k", "columns": {"k": "varchar(9) collate utf8mb4_general_ci"}});
        let twins = frame(vec![("k", texts(vec![Some("a"), Some("A")]))]);
        let error = bench.publish(&twins, folded).await.expect_err("refused");
        assert!(error.message.contains("two rows have the same key"), "{way}: {error:?}");
        assert_eq!(bench.ask("select cast(count(*) as char) from mart").await, ["20000"], "{way}");
        assert_eq!(bench.tables().await, ["mart"], "{way}");
    }
}

#[tokio::test]
async fn the_way_is_told() {
    let Some(bench) = bench("bulk_way").await else { return };
    let rows = frame(vec![("n", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]);
    let job = PublishJob::parse("mart", "mart", &json!("bi")).expect("fine").remove(0);
    for (wish, expected) in [(json!(null), "LOAD DATA LOCAL over"), (json!("insert"), "")] {
        let mut settings = bench.settings.clone();
        settings["bulk"] = wish;
        let config = DestinationConfig::parse("bi", &settings).expect("fine");
        let told = Mutex::new(String::new());
        let progress = |progress| {
            if let Progress::Loading(how) = progress {
                *told.lock().expect("a lock") = how;
            }
        };
        publish(&config, "bi", &job, &timeless(&rows), &progress).await.expect("published");
        let told = told.into_inner().expect("a lock");
        assert!(told.starts_with(expected) && told.is_empty() == expected.is_empty(), "{told}");
    }
}

#[tokio::test]
async fn load_data_speaks_tls_as_strictly_as_inserts() {
    let Some(mut bench) = bench("bulk_tls").await else { return };
    let Ok(ca) = std::env::var("C360_TEST_MYSQL_CA") else { return };
    // A user who may come by TLS alone proves that the line is encrypted.
    bench.execute("drop user if exists 'c360_tls'@'127.0.0.1'").await;
    bench.execute("create user 'c360_tls'@'127.0.0.1' identified by 'tls-secret' require ssl").await;
    bench.execute("grant all on c360_test_bulk_tls.* to 'c360_tls'@'127.0.0.1'").await;
    bench.settings["user"] = json!("c360_tls");
    bench.settings["password"] = json!("tls-secret");
    let rows = frame(vec![("n", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]);
    for way in WAYS {
        bench.settings["bulk"] = json!(way);
        for (mode, ca) in
            [("preferred", None), ("required", None), ("verify_ca", Some(&ca)), ("verify_identity", Some(&ca))]
        {
            bench.settings["ssl_mode"] = json!(mode);
            bench.settings["ssl_ca"] = json!(ca);
            bench.publish(&rows, json!("bi")).await.unwrap_or_else(|error| panic!("{way} {mode}: {error:?}"));
        }
        bench.settings["ssl_ca"] = json!(null);
        bench.settings["ssl_mode"] = json!("disabled");
        let error = bench.publish(&rows, json!("bi")).await.expect_err("the server wants TLS");
        assert_eq!(error.code, codes::DESTINATION_UNREACHABLE, "{error:?}");
        assert!(!format!("{error:?}").contains("tls-secret"), "{error:?}");
    }
    bench.execute("drop user 'c360_tls'@'127.0.0.1'").await;
}
