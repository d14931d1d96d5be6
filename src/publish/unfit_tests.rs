//! Values that no destination, or not this one, can hold: the error names column, value and key, and the old table stays.
//! On SQLite always, on MySQL where there is a server.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal256Array, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow::datatypes::i256;
use datafusion::prelude::SessionContext;
use serde_json::{Value, json};

use super::source::timeless;
use super::{DestinationConfig, FrameRows, PublishJob, Published, publish};
use crate::diag::{Diagnostic, Result, codes};

/// Destinations to test.
fn destinations(folder: &std::path::Path) -> Vec<DestinationConfig> {
    let sqlite = json!({"type": "sqlite", "path": folder.join("bi.db")});
    let mysql = std::env::var("C360_TEST_MYSQL_URL").ok().map(|url| {
        let url = url::Url::parse(&url).expect("a URL");
        json!({"type": "mysql", "host": url.host_str(), "port": url.port(), "user": url.username(),
            "password": url.password(), "database": url.path().trim_start_matches('/')})
    });
    let parse = |value: Value| DestinationConfig::parse("bi", &value).expect("fine");
    [Some(sqlite), mysql].into_iter().flatten().map(parse).collect()
}

async fn send(config: &DestinationConfig, value: ArrayRef, more: Value) -> Result<Published> {
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..value.len() as i64));
    let batch =
        RecordBatch::try_from_iter_with_nullable([("id", ids, true), ("amount", value, true)]).expect("a batch");
    let rows = FrameRows(SessionContext::new().read_batch(batch).expect("a frame"));
    let mut job = json!({"to": "bi", "table": "unfit_values", "key": "id"});
    more.as_object().expect("a map").iter().for_each(|(key, value)| job[key] = value.clone());
    let job = PublishJob::parse("mart", "mart", &job).expect("fine").remove(0);
    publish(config, "bi", &job, &timeless(&rows), &|_| {}).await
}

fn all(error: &Diagnostic) -> String {
    format!("{} {}", error.message, error.notes.join(" "))
}

#[tokio::test]
async fn values_without_a_counterpart_are_named_with_their_key() {
    let folder = tempfile::tempdir().expect("a folder");
    for config in destinations(folder.path()) {
        send(&config, Arc::new(Int64Array::from(vec![7])), json!({})).await.expect("published");
        let cases: [(ArrayRef, &str); 7] = [
            (Arc::new(Float64Array::from(vec![1.0, f64::NAN])), "NaN, which is not a number"),
            (Arc::new(Float64Array::from(vec![1.0, f64::INFINITY])), "inf, which is infinite"),
            (Arc::new(Float32Array::from(vec![1.0, f32::NEG_INFINITY])), "-inf, which is infinite"),
            (Arc::new(Date32Array::from(vec![0, -719_529])), "outside of the years 1 to 9999"),
            (Arc::new(Date32Array::from(vec![0, 2_932_897])), "outside of the years 1 to 9999"),
            (Arc::new(TimestampMicrosecondArray::from(vec![0, i64::MAX])), "outside of the years 1 to 9999"),
            (Arc::new(Time64MicrosecondArray::from(vec![0, 86_400_000_000])), "no time of a day"),
        ];
        for (value, says) in cases {
            let error = send(&config, value, json!({})).await.expect_err("refused");
            assert_eq!(error.code, codes::PUBLISH_TYPE, "{error:?}");
            let said = all(&error);
            assert!(said.contains("column `amount`") && said.contains(says), "{}: {said}", config.kind());
            assert!(said.contains("in the row with the key id = '1'"), "{}: {said}", config.kind());
        }
        // The table is the one of the first publish.
        let again = send(&config, Arc::new(Int64Array::from(vec![7])), json!({})).await.expect("published");
        assert_eq!(again.rows, 1);
    }
}

#[tokio::test]
async fn what_mysql_cannot_hold_is_named_with_its_key() {
    let folder = tempfile::tempdir().expect("a folder");
    for config in destinations(folder.path()).into_iter().filter(|config| config.kind() == "mysql") {
        let large = |digits: u8| -> ArrayRef {
            let values = Decimal256Array::from(vec![i256::from_i128(1), i256::from_i128(2)]);
            Arc::new(values.with_precision_and_scale(digits, 31).expect("fits"))
        };
        let error = send(&config, large(70), json!({})).await.expect_err("refused");
        assert!(error.message.contains("column `amount` is decimal(70, 31)"), "{error:?}");
        let number = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec!["1", text])) };
        for (value, declared) in [("123456.78", "decimal(5, 2)"), ("300", "tinyint"), ("2023-02-30", "date")] {
            let value = if declared == "date" {
                Arc::new(StringArray::from(vec!["2023-02-01", value])) as ArrayRef
            } else {
                number(value)
            };
            let error = send(&config, value, json!({"columns": {"amount": declared}})).await.expect_err("refused");
            assert_eq!(error.code, codes::PUBLISH_TYPE, "{error:?}");
            let said = all(&error);
            assert!(said.contains("column `amount` cannot hold '"), "{declared}: {said}");
            assert!(said.contains("in the row with the key id = '1'"), "{declared}: {said}");
        }
        let long = "k".repeat(800);
        let error = send(&config, number(&long), json!({"key": "amount"})).await.expect_err("refused");
        assert!(error.message.contains("column `amount` is too long for a key"), "{error:?}");
        assert!(all(&error).contains("800 characters: 'kkk"), "{error:?}");
    }
}
