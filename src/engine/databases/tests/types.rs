//! Every type of every server, at its ends.

use super::*;

/// Names of columns with their types here, and the rows.
async fn table(engine: &Engine, order: &str) -> (Vec<String>, Vec<String>) {
    let schema = engine.schema_of(&Relation::new("c360", "src", "t")).await.expect("a schema").expect("a table");
    let fields = schema.fields().iter();
    let types =
        fields.map(|field| format!("{} {}", field.name(), crate::engine::type_name(field.data_type()))).collect();
    (types, rows(engine, &format!("select * from src.t order by {order}")).await)
}

#[tokio::test]
async fn mysql_types() {
    let Some(place) = place("mysql", "types").await else { return };
    let t = place.named("t");
    place
        .execute(&format!(
            "create table {t} (id int primary key, i8 tinyint, u8 tinyint unsigned, i16 smallint, u16 smallint unsigned, \
             i24 mediumint, u24 mediumint unsigned, u32 int unsigned, i64 bigint, u64 bigint unsigned, ok tinyint(1), \
             b1 bit(1), b20 bit(20), f float, d double, m decimal(10, 2), big decimal(65, 30), day date, dt datetime, \
             dt6 datetime(6), ts timestamp(6) null, tm time(6), y year, c char(5), v varchar(20), l varchar(5) \
             character set latin1, tx longtext, en enum('a', 'b'), st set('x', 'y'), js json, vb varbinary(4), bl blob)"
        ))
        .await;
    place
        .execute(&format!(
            "insert into {t} values \
             (1, -128, 0, -32768, 0, -8388608, 0, 0, -9223372036854775808, 0, 0, b'0', b'0', -1.5, -1e300, -99999999.99, \
             -12345678901234567890123456789012345.000000000000000000000000000001, '1000-01-01', '1000-01-01 00:00:00', \
             '1000-01-01 00:00:00.000001', '1970-01-01 00:00:01.5', '00:00:00', 1901, 'a', '', 'é', '', 'a', '', '{{}}', '', ''), \
             (2, 127, 255, 32767, 65535, 8388607, 16777215, 4294967295, 9223372036854775807, 18446744073709551615, 1, \
             b'1', b'11111111111111111111', 0.1, 0.1, 99999999.99, 1, '9999-12-31', '9999-12-31 23:59:59', \
             '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07', '23:59:59.999999', 2155, 'abcde', 'phở 😀', 'ü', 'x\\ny', \
             'b', 'x,y', '{{\"a\": [1, null]}}', x'00ff', x'00'), \
             (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, \
             null, null, null, null, null, null, null, null, null, null, null, null, null)"
        ))
        .await;
    let (types, found) = table(&place.engine(|_| {}), "id").await;
    let expected = "id integer, i8 tinyint, u8 tinyint unsigned, i16 smallint, u16 smallint unsigned, i24 integer, \
                    u24 integer unsigned, u32 integer unsigned, i64 bigint, u64 bigint unsigned, ok boolean, b1 boolean, \
                    b20 bigint unsigned, f float, d double, m decimal(10, 2), big decimal(65, 30), day date, \
                    dt timestamp, dt6 timestamp, ts timestamp with time zone, tm time, y smallint, c varchar, v varchar, \
                    l varchar, tx varchar, en varchar, st varchar, js varchar, vb binary, bl binary";
    assert_eq!(types.join(", "), expected);
    assert_eq!(
        found,
        [
            "1|-128|0|-32768|0|-8388608|0|0|-9223372036854775808|0|false|false|0|-1.5|-1e300|-99999999.99|\
             -12345678901234567890123456789012345.000000000000000000000000000001|1000-01-01|1000-01-01T00:00:00|\
             1000-01-01T00:00:00.000001|1970-01-01T00:00:01.500Z|00:00:00|1901|a||é||a||{}||",
            "2|127|255|32767|65535|8388607|16777215|4294967295|9223372036854775807|18446744073709551615|true|true|\
             1048575|0.1|0.1|99999999.99|1.000000000000000000000000000000|9999-12-31|9999-12-31T23:59:59|\
             9999-12-31T23:59:59.999999|2038-01-19T03:14:07Z|23:59:59.999999|2155|abcde|phở 😀|ü|x\ny|b|x,y|\
             {\"a\": [1, null]}|00ff|00",
            &format!("3{}", "|null".repeat(31)),
        ]
    );
}

#[tokio::test]
async fn mysql_values_that_are_none() {
    let Some(place) = place("mysql", "odd").await else { return };
    let t = place.named("t");
    place.execute(&format!("create table {t} (id int primary key, d date, n tinyint(1), tm time)")).await;
    place
        .execute(&format!(
            "set sql_mode = ''; insert into {t} values (1, '2020-01-01', 1, '10:00:00'), (7, 0, 2, '-30:00:00')"
        ))
        .await;
    let fails = async |change: fn(&mut DatabaseSpec), sql: &str| {
        batches(&place.engine(change), sql).await.expect_err("a misfit")
    };
    let error = fails(|_| {}, "select id, d from src.t").await;
    assert_eq!(error.code, codes::BAD_RECORD);
    assert!(error.message.contains("column `d`") && error.message.contains("0000-00-00"), "{error:?}");
    assert!(error.notes[0].contains("the row with `id` = 7"), "{error:?}");
    assert!(fails(|_| {}, "select n from src.t").await.message.contains("2 is neither 0 nor 1"));
    assert!(fails(|_| {}, "select tm from src.t").await.message.contains("outside of a day"));
    let null = place.engine(|spec| spec.zero_dates = ZeroDates::Null);
    assert_eq!(rows(&null, "select id from src.t where d is null").await, ["7"]);
    assert_eq!(rows(&null, "select id from src.t where d < date '2021-01-01'").await, ["1"]);
    let typed = place.engine(|spec| spec.columns = vec![typed("N", "int"), typed("tm", "varchar")]);
    assert_eq!(rows(&typed, "select n + 1 as m, tm from src.t order by 1").await, ["2|10:00:00", "3|-30:00:00"]);
}

#[tokio::test]
async fn postgres_types() {
    let Some(place) = place("postgres", "types").await else { return };
    let t = place.named("t");
    place
        .execute(&format!(
            "create type {0}.mood as enum ('sad', 'ok'); create domain {0}.money2 as numeric(12, 2); \
             create type {0}.pair as (a int, b text); \
             create table {t} (id int primary key, ok bool, i16 int2, i64 int8, f float4, d float8, m numeric(10, 2), \
             big numeric(76, 30), any_n numeric, dom {0}.money2, day date, ts timestamp, tz timestamptz, tm time, tmz timetz, \
             iv interval, c char(3), v varchar(10), tx text, by bytea, js json, jb jsonb, u uuid, en {0}.mood, ar int[], \
             pr {0}.pair, ip inet, rg int4range, o oid)",
            place.schema
        ))
        .await;
    place
        .execute(&format!(
            "insert into {t} values \
             (1, false, -32768, -9223372036854775808, -1.5, -1e300, -99999999.99, \
             -1234567890123456789012345678901234567890.000000000000000000000000000001, 0.0000000001, -9999999999.99, \
             '0001-01-01', '0001-01-01 00:00:00', '0001-01-01 00:00:00+00', '00:00', '12:00:00+02', '1 day 2 hours', 'a', '', '', \
             '', '1', '{{}}', '00000000-0000-0000-0000-000000000001', 'sad', '{{1, null}}', row(1, 'x'), '127.0.0.1', '[1,3)', 0), \
             (2, true, 32767, 9223372036854775807, 0.1, 'NaN', 99999999.99, 1, 12345, 1, '9999-12-31', \
             '9999-12-31 23:59:59.999999', '2022-04-01 12:00:00+07', '23:59:59.999999', '00:00:00+00', '1 mon', 'abc', 'phở 😀', 'x', \
             '\\x00ff', '{{\"b\":1,\"a\":2}}', '{{\"b\":1,\"a\":2}}', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'ok', '{{}}', \
             row(null, 'y'), '::1', 'empty', 4294967295), \
             (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, \
             null, null, null, null, null, null, null, null, null)"
        ))
        .await;
    let (types, found) = table(&place.engine(|_| {}), "id").await;
    let expected = "id integer, ok boolean, i16 smallint, i64 bigint, f float, d double, m decimal(10, 2), \
                    big decimal(76, 30), any_n decimal(38, 10), dom decimal(12, 2), day date, ts timestamp, \
                    tz timestamp with time zone, tm time, tmz varchar, iv varchar, c varchar, v varchar, tx varchar, \
                    by binary, js varchar, jb varchar, u varchar, en varchar, ar varchar, pr varchar, ip varchar, \
                    rg varchar, o integer unsigned";
    assert_eq!(types.join(", "), expected);
    assert_eq!(
        found,
        [
            "1|false|-32768|-9223372036854775808|-1.5|-1e300|-99999999.99|\
             -1234567890123456789012345678901234567890.000000000000000000000000000001|0.0000000001|-9999999999.99|\
             0001-01-01|0001-01-01T00:00:00|0001-01-01T00:00:00Z|00:00:00|12:00:00+02|1 day 02:00:00|a  ||||1|{}|\
             00000000-0000-0000-0000-000000000001|sad|[1,null]|{\"a\":1,\"b\":\"x\"}|127.0.0.1/32|[1,3)|0",
            "2|true|32767|9223372036854775807|0.1|NaN|99999999.99|1.000000000000000000000000000000|12345.0000000000|1.00|\
             9999-12-31|9999-12-31T23:59:59.999999|2022-04-01T05:00:00Z|23:59:59.999999|00:00:00+00|1 mon|abc|phở 😀|x|\
             00ff|{\"b\":1,\"a\":2}|{\"a\": 2, \"b\": 1}|ffffffff-ffff-ffff-ffff-ffffffffffff|ok|[]|{\"a\":null,\"b\":\"y\"}|\
             ::1/128|empty|4294967295",
            &format!("3{}", "|null".repeat(28)),
        ]
    );
    place.execute(&format!("insert into {t} (id, day, ts, any_n) values (4, 'infinity', '-infinity', 'NaN')")).await;
    for column in ["day", "ts", "any_n"] {
        let error =
            batches(&place.engine(|_| {}), &format!("select id, {column} from src.t")).await.expect_err("a misfit");
        assert_eq!(error.code, codes::BAD_RECORD, "{error:?}");
        assert!(error.notes[0].contains("the row with `id` = 4"), "{error:?}");
    }
    let text = place.engine(|spec| spec.columns = vec![typed("day", "varchar"), typed("any_n", "text")]);
    assert_eq!(rows(&text, "select day, any_n from src.t where id = 4").await, ["infinity|NaN"]);
}

#[tokio::test]
async fn sqlite_types() {
    let place = place("sqlite", "types").await.expect("always there");
    place
        .execute(
            "create table t (id integer primary key, n int, ok boolean, r real, m decimal(10, 2), x numeric, day date, \
             at datetime, tm time, s varchar(10), b blob, js json, free)",
        )
        .await;
    place
        .execute(
            "insert into t values \
             (1, -9223372036854775808, 0, -1.5, -99999999.99, 2, '0001-01-01', '2022-04-01 12:00:00', '10:00', '', x'', \
             '{\"a\": 1}', 5), \
             (2, 9223372036854775807, 1, 3, 12.5, 0.1, '9999-12-31', '2022-04-01T12:00:00.000001+07:00', '23:59:59.5', 'phở', \
             x'00ff', '12', 7), \
             (3, null, null, null, null, null, null, null, null, null, null, null, null)",
        )
        .await;
    let (types, found) = table(&place.engine(|_| {}), "id").await;
    let expected = "id bigint, n bigint, ok boolean, r double, m decimal(10, 2), x double, day date, at timestamp, \
                    tm time, s varchar, b binary, js varchar, free bigint";
    assert_eq!(types.join(", "), expected);
    assert_eq!(
        found,
        [
            "1|-9223372036854775808|false|-1.5|-99999999.99|2.0|0001-01-01|2022-04-01T12:00:00|10:00:00|||{\"a\": 1}|5",
            "2|9223372036854775807|true|3.0|12.50|0.1|9999-12-31|2022-04-01T05:00:00.000001|23:59:59.500|phở|00ff|12|7",
            &format!("3{}", "|null".repeat(12)),
        ]
    );
}

#[tokio::test]
async fn sqlite_values_of_another_type_fail_whatever_the_filter() {
    let place = place("sqlite", "odd").await.expect("always there");
    place.execute("create table t (id integer primary key, n int, d date, s text, ok boolean)").await;
    place.execute("insert into t values (1, 5, '2020-01-01', 'a', 1), (2, 'five', '2020-1-1', x'00', 2)").await;
    let engine = place.engine(|_| {});
    for (filter, column) in [
        ("n < 6", "n"),
        ("n = 5", "n"),
        ("d = date '2020-01-01'", "d"),
        ("s < 'b'", "s"),
        ("not ok", "ok"),
        ("ok", "ok"),
    ] {
        let sql = format!("select id, {column} from src.t where {filter}");
        let error = batches(&engine, &sql).await.expect_err(filter);
        assert_eq!(error.code, codes::BAD_RECORD, "{filter}");
        assert!(error.message.contains(&format!("column `{column}`")), "{error:?}");
        assert!(error.notes[0].contains("the row with `id` = 2"), "{error:?}");
    }
    let typed = place.engine(|spec| spec.columns = vec![typed("n", "varchar"), typed("d", "text"), typed("OK", "int")]);
    assert_eq!(rows(&typed, "select n, d, ok from src.t order by id").await, ["5|2020-01-01|1", "five|2020-1-1|2"]);
    let error =
        batches(&place.engine(|spec| spec.columns = vec![super::typed("m", "int")]), "select * from src.t").await;
    let error = error.expect_err("no such column");
    assert_eq!((error.code, error.message.as_str()), (codes::SCHEMA_MISMATCH, "`t` has no column `m`"));
}
