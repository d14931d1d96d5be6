//! What arrives is what was sent, or is refused by name.

use arrow::array::{
    Array, BinaryArray, BooleanArray, Date32Array, Date64Array, Decimal128Array, Decimal256Array, DictionaryArray,
    DurationSecondArray, FixedSizeBinaryArray, Float16Array, Float32Array, Float64Array, Int8Array, Int16Array,
    Int32Array, IntervalMonthDayNanoArray, LargeStringArray, ListArray, MapBuilder, StringBuilder, StringViewArray,
    StructArray, Time32SecondArray, Time64NanosecondArray, TimestampMicrosecondArray, TimestampNanosecondArray,
    TimestampSecondArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array, new_null_array,
};
use arrow::datatypes::{DataType, Field, Int8Type, Int32Type, IntervalMonthDayNano, i256};

use super::*;

/// Publishes one column and gives back its type and its values as text.
async fn round_trip(bench: &mut Bench, array: ArrayRef) -> (String, Vec<String>) {
    let ids = numbers(0..array.len() as i64);
    let rows = frame(vec![("id", ids), ("c", array)]);
    bench.publish(&rows, json!({"to": "bi", "key": "id"})).await.unwrap_or_else(|error| panic!("{error:?}"));
    let sql_type = bench.columns("mart").await.remove(1);
    (sql_type.trim_start_matches("c ").to_string(), bench.ask("select c::text from mart order by id").await)
}

#[tokio::test]
async fn every_arrow_type_survives_with_its_extremes() {
    let Some(mut bench) = bench("kinds").await else { return };
    let decimal = |values: Vec<i128>, precision, scale| -> ArrayRef {
        Arc::new(Decimal128Array::from(values).with_precision_and_scale(precision, scale).expect("fits"))
    };
    let nines = "9".repeat(76);
    let big = i256::from_string(&nines).expect("a number");
    let wide = Decimal256Array::from(vec![big, -big]).with_precision_and_scale(76, 0).expect("fits");
    let dictionary: DictionaryArray<Int8Type> = vec![Some("a"), None, Some("a")].into_iter().collect();
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None]);
    let fields = vec![Field::new("b", DataType::Utf8, true), Field::new("aa", DataType::Int32, true)];
    let record = StructArray::new(
        fields.into(),
        vec![texts(vec![Some("Phở \"bò\"\\\n")]), Arc::new(Int32Array::from(vec![None]))],
        None,
    );
    let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    map.keys().append_value("k");
    map.values().append_value("v");
    map.append(true).expect("appended");
    let cases: Vec<(ArrayRef, &str, Vec<&str>)> = vec![
        (Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])), "boolean", vec!["true", "false", "NULL"]),
        (Arc::new(Int8Array::from(vec![i8::MIN, i8::MAX])), "smallint", vec!["-128", "127"]),
        (Arc::new(Int16Array::from(vec![i16::MIN, i16::MAX])), "smallint", vec!["-32768", "32767"]),
        (Arc::new(Int32Array::from(vec![i32::MIN, i32::MAX])), "integer", vec!["-2147483648", "2147483647"]),
        (numbers([i64::MIN, i64::MAX]), "bigint", vec!["-9223372036854775808", "9223372036854775807"]),
        (Arc::new(UInt8Array::from(vec![u8::MAX])), "smallint", vec!["255"]),
        (Arc::new(UInt16Array::from(vec![u16::MAX])), "integer", vec!["65535"]),
        (Arc::new(UInt32Array::from(vec![u32::MAX])), "bigint", vec!["4294967295"]),
        (Arc::new(UInt64Array::from(vec![0, u64::MAX])), "numeric(20,0)", vec!["0", "18446744073709551615"]),
        (Arc::new(Float16Array::from(vec![half_of(0.5)])), "real", vec!["0.5"]),
        (
            Arc::new(Float32Array::from(vec![f32::MIN, 1e-45, 0.1, -0.0])),
            "real",
            vec!["-3.4028235e+38", "1e-45", "0.1", "-0"],
        ),
        (
            Arc::new(Float64Array::from(vec![f64::MAX, 5e-324, 0.1, 1e22])),
            "double precision",
            vec!["1.7976931348623157e+308", "5e-324", "0.1", "1e+22"],
        ),
        (decimal(vec![1230, -5], 10, 2), "numeric(10,2)", vec!["12.30", "-0.05"]),
        (
            decimal(vec![10_i128.pow(38) - 1], 38, 38),
            "numeric(38,38)",
            vec!["0.99999999999999999999999999999999999999"],
        ),
        (decimal(vec![12], 10, -2), "numeric(12,0)", vec!["1200"]),
        (Arc::new(wide), "numeric(76,0)", vec![&nines, Box::leak(format!("-{nines}").into_boxed_str())]),
        (Arc::new(Date32Array::from(vec![-719_162, 2_932_896])), "date", vec!["0001-01-01", "9999-12-31"]),
        (Arc::new(Date64Array::from(vec![86_400_000])), "date", vec!["1970-01-02"]),
        (
            Arc::new(TimestampSecondArray::from(vec![-62_135_596_800, 253_402_300_799])),
            "timestamp(6) without time zone",
            vec!["0001-01-01 00:00:00", "9999-12-31 23:59:59"],
        ),
        (
            Arc::new(TimestampMicrosecondArray::from(vec![1_650_000_000_123_456]).with_timezone("+07:00")),
            "timestamp(6) without time zone",
            vec!["2022-04-15 05:20:00.123456"],
        ),
        (
            Arc::new(TimestampNanosecondArray::from(vec![-1])),
            "timestamp(6) without time zone",
            vec!["1969-12-31 23:59:59.999999"],
        ),
        (Arc::new(Time32SecondArray::from(vec![0, 86_399])), "time(6) without time zone", vec!["00:00:00", "23:59:59"]),
        (
            Arc::new(Time64NanosecondArray::from(vec![45_296_000_001_999])),
            "time(6) without time zone",
            vec!["12:34:56.000001"],
        ),
        (Arc::new(LargeStringArray::from(vec!["", "\\N", "\\."])), "text", vec!["", "\\N", "\\."]),
        (
            Arc::new(StringViewArray::from(vec!["Trần\t|\u{1}\u{7f}\u{10FFFF}"])),
            "text",
            vec!["Trần\t|\u{1}\u{7f}\u{10FFFF}"],
        ),
        (Arc::new(dictionary), "text", vec!["a", "NULL", "a"]),
        (Arc::new(DurationSecondArray::from(vec![90])), "text", vec!["PT90S"]),
        (
            Arc::new(IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(1, 2, 0)])),
            "text",
            vec!["1 mons 2 days"],
        ),
        (Arc::new(BinaryArray::from(vec![&b"\0\xff'\\"[..], b""])), "bytea", vec!["\\x00ff275c", "\\x"]),
        (
            Arc::new(FixedSizeBinaryArray::try_from_iter([[0_u8, 255]].into_iter()).expect("fits")),
            "bytea",
            vec!["\\x00ff"],
        ),
        (Arc::new(list), "jsonb", vec!["[1, null]", "NULL"]),
        (Arc::new(record), "jsonb", vec![r#"{"b": "Phở \"bò\"\\\n", "aa": null}"#]),
        (Arc::new(map.finish()), "jsonb", vec![r#"{"k": "v"}"#]),
        (new_null_array(&DataType::Null, 2), "text", vec!["NULL", "NULL"]),
    ];
    for (array, sql_type, values) in cases {
        let name = array.data_type().to_string();
        let (found, there) = round_trip(&mut bench, array).await;
        assert_eq!((found.as_str(), there), (sql_type, values.iter().map(|text| text.to_string()).collect()), "{name}");
    }
}

/// The half-precision number `value`, by Arrow's own cast.
fn half_of(value: f32) -> <arrow::datatypes::Float16Type as arrow::array::ArrowPrimitiveType>::Native {
    let single: ArrayRef = Arc::new(Float32Array::from(vec![value]));
    let half = arrow::compute::cast(&single, &DataType::Float16).expect("casts");
    arrow::array::AsArray::as_primitive::<arrow::datatypes::Float16Type>(&half).value(0)
}

#[tokio::test]
async fn what_does_not_fit_is_named_and_leaves_the_old_table() {
    let Some(mut bench) = bench("unfit").await else { return };
    let config = json!({"to": "bi", "key": "Contract"});
    bench.publish(&people(), config.clone()).await.expect("published");
    let two = |taste: ArrayRef| frame(vec![("Contract", texts(vec![Some("b"), Some("a")])), ("Taste", taste)]);
    let declared = |sql: &str| json!({"to": "bi", "key": "Contract", "columns": {"taste": sql}});
    let text = || texts(vec![Some("long enough"), Some("x")]);
    let list = |text: &str| {
        let fields = vec![Field::new("a", DataType::Utf8, true)];
        let values = texts(vec![Some(text), Some("fine")]);
        Arc::new(StructArray::new(fields.into(), vec![values], None)) as ArrayRef
    };
    let huge = Decimal128Array::from(vec![12_345, 1]).with_precision_and_scale(20, 0).expect("fits");
    let cases: Vec<(FrameRows, Value, &str, &str)> = vec![
        (two(text()), declared("varchar(4)"), "column `Taste` cannot hold 'long enough'", "Contract = 'b'"),
        (two(text()), declared("int"), "column `Taste` cannot hold 'x'", "Contract = 'a'"),
        (two(Arc::new(huge)), declared("numeric(3)"), "column `Taste` cannot hold '12345'", "Contract = 'b'"),
        (two(texts(vec![Some("a\0b"), None])), config.clone(), "column `Taste` holds 'a\\0b'", "Contract = 'b'"),
        (two(list("\0")), config.clone(), "column `Taste` cannot hold", "Contract = 'b'"),
        (
            two(Arc::new(Float64Array::from(vec![f64::NAN, 1.0]))),
            config.clone(),
            "column `Taste` holds NaN",
            "Contract = 'b'",
        ),
        (two(Arc::new(Date32Array::from(vec![i32::MAX, 0]))), config.clone(), "column `Taste` holds", "Contract = 'b'"),
        (frame(vec![("Contract", texts(vec![None]))]), config.clone(), "belongs to the key and is NULL", "Contract"),
        (frame(vec![("Contract", texts(vec![Some("x"), Some("x")]))]), config.clone(), "same key", "Contract = 'x'"),
    ];
    for (rows, config, message, note) in cases {
        let error = bench.publish(&rows, config).await.expect_err(message);
        assert!(error.message.contains(message), "{error:?}");
        assert!(error.notes.iter().any(|text| text.contains(note)), "{error:?}");
        assert!([codes::PUBLISH_TYPE, codes::PUBLISH_FAILED].contains(&error.code), "{error:?}");
    }
    assert_eq!(bench.names().await, ["mart", "mart_pkey"]);
    assert_eq!(bench.ask("select count(*)::text from mart").await, ["4"]);
}

#[tokio::test]
async fn a_value_too_long_for_an_index_is_named() {
    let Some(mut bench) = bench("long").await else { return };
    // Text that does not compress, or the server would make it fit.
    let long: String = (0..400_u32)
        .map(|number| format!("{:08x}", number.wrapping_mul(2_654_435_761).rotate_left(number % 32)))
        .collect();
    let rows = frame(vec![("id", texts(vec![Some("b"), Some(&long)])), ("n", numbers([1, 2]))]);
    let error = bench.publish(&rows, json!({"to": "bi", "key": "id"})).await.expect_err("refused");
    assert!(
        error.message.contains("column `id` holds '") && error.message.contains("too long for the key"),
        "{error:?}"
    );
    let error = bench.publish(&rows, json!({"to": "bi", "key": "n", "indexes": ["id"]})).await.expect_err("refused");
    assert!(error.message.contains("too long for the index on \"id\""), "{error:?}");
    assert!(error.notes.iter().any(|note| note.contains("n = '2'")), "{error:?}");
    assert_eq!(bench.names().await, [""; 0]);
}

#[tokio::test]
async fn a_refusal_far_into_the_rows_names_the_right_one() {
    let Some(mut bench) = bench("far").await else { return };
    let count = 200_000;
    let text = |number: i64| if number == 150_003 { "x".to_string() } else { format!("{number:060}") };
    let values: Vec<String> = (0..count).map(text).collect();
    let rows =
        frame(vec![("id", numbers(0..count)), ("n", texts(values.iter().map(|text| Some(text.as_str())).collect()))]);
    let config = json!({"to": "bi", "key": "id", "columns": {"n": "numeric"}});
    let error = bench.publish(&rows, config).await.expect_err("refused");
    assert!(error.message.contains("column `n` cannot hold 'x'"), "{error:?}");
    assert!(error.notes.iter().any(|note| note.contains("id = '150003'")), "{error:?}");
    assert_eq!(bench.names().await, [""; 0]);
}

#[tokio::test]
async fn large_values_and_many_rows_arrive() {
    let Some(mut bench) = bench("large").await else { return };
    let huge = "ế".repeat(700_000);
    let rows = frame(vec![("id", numbers([1, 2])), ("text", texts(vec![Some(&huge), Some("x")]))]);
    bench.publish(&rows, json!({"to": "bi", "key": "id"})).await.expect("published");
    let sql = "select octet_length(text)::text, (text = repeat('ế', 700000))::text from mart order by id";
    assert_eq!(bench.ask(sql).await, ["2100000|true", "1|false"]);
    let count = 300_003;
    let half: ArrayRef = Arc::new(Float64Array::from_iter_values((0..count).map(|number| number as f64 / 3.0)));
    let rows = frame(vec![("id", numbers((0..count).rev())), ("half", half)]);
    let published = bench.publish(&rows, json!({"to": "bi", "key": "id"})).await.expect("published");
    assert_eq!(published.rows, 300_003);
    let sql = "select count(*)::text, sum(id)::text, (max(half) = 300002.0 / 3)::text from mart";
    assert_eq!(bench.ask(sql).await, ["300003|45000750003|true"]);
    // Sums that no double holds are not compared, and do not fail.
    let rows = frame(vec![("n", Arc::new(Float64Array::from(vec![f64::MAX, f64::MAX])) as ArrayRef)]);
    bench.publish(&rows, json!("bi")).await.expect("published");
    let none = frame(vec![("n", Arc::new(Float64Array::from(Vec::<f64>::new())) as ArrayRef)]);
    assert_eq!(bench.publish(&none, json!("bi")).await.expect("published").rows, 0);
    assert_eq!(bench.ask("select count(*)::text from mart").await, ["0"]);
}
