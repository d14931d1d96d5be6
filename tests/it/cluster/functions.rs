//! Functions of ours, over columns: executors find them by name, and states of aggregates travel between them.

use c360::engine::functions::catalog;

use super::{Cluster, Pair};
use crate::harness::Project;

/// A column for every function of a value. Columns: `n` a number, `t` a text with accents, `d` a day as text, `j` a JSON
/// document as text.
const SCALARS: &[&str] = &[
    "try_to_date(d)",
    "try_to_timestamp(d)",
    "strptime(d, '%Y-%m-%d')",
    "try_strptime(t, '%d/%m/%Y')",
    "strftime(try_to_date(d), '%d.%m.%Y')",
    "nfc(t)",
    "nfc_normalize(t)",
    "nfd(t)",
    "nfkc(t)",
    "nfkd(t)",
    "normalize(t, 'NFKC')",
    "strip_accents(t)",
    "unaccent(t)",
    "ascii_digits(t)",
    "collapse_spaces(t)",
    "string_split(t, ' ')",
    "str_split(t, 'i')",
    "locate('i', t)",
    "try_divide(n, n - 3)",
    "safe_divide(n, n - 5)",
    "regexp_extract(d, '(\\d+)-(\\d+)', 2)",
    "regexp_extract_all(d, '\\d+')",
    "regexp_substr(d, '\\d\\d')",
    "regexp_matches(t, 'PHIM', 'i')",
    "regexp_full_match(d, '[\\d-]+')",
    "rlike(t, '^P')",
    "regexp_split_to_array(d, '-')",
    "string_split_regex(t, ' +')",
    "monthname(try_to_date(d))",
    "dayname(try_to_date(d))",
    "epoch(try_to_timestamp(d))",
    "epoch_ms(try_to_date(d))",
    "last_day(try_to_date(d))",
    "date_diff('month', try_to_date(d), date '2023-01-01')",
    "datediff(date '2023-01-01', try_to_date(d))",
    "date_add(try_to_date(d), n)",
    "dateadd('month', n, try_to_date(d))",
    "add_months(try_to_date(d), n)",
    "date_sub(try_to_date(d), n)",
    "year(try_to_date(d)) + quarter(try_to_date(d)) + month(try_to_date(d)) + week(try_to_date(d))",
    "weekofyear(try_to_date(d)) + dayofmonth(try_to_date(d)) + dayofyear(try_to_date(d)) + dayofweek(try_to_date(d))",
    "isodow(try_to_date(d)) + weekday(try_to_date(d)) + isoyear(try_to_date(d))",
    "hour(try_to_timestamp(d)) + minute(try_to_timestamp(d)) + second(try_to_timestamp(d))",
    "iff(n > 3, 'a', 'b') || if(n > 4, 'c', 'd')",
    "ucase(t) || lcase(t) || mid(t, 2, 2)",
    "len(t) + strlen(t)",
    "ceiling(n / 2.0) + sign(n - 5.0)",
    "hash(t)",
    "printf('%s-%03d', t, n)",
    "list_value(n, n + 1)",
    "ifnull(try_divide(1, n), 2) + nvl(try_divide(1, n), 3)",
    "split_part(d, '-', 2)",
    "levenshtein(t, d)",
    "md5(t) || sha1(t) || sha2(t, 256)",
    "generate_series(1, n % 4)",
    "json_extract(j, '$.a[1]') || json_extract_path_text(j, 'b', 'c')",
    "json_extract_string(j, '$.b.c') || get_json_object(j, '$.n') || json_value(j, '$.n')",
    "json_array_length(json_extract(j, '$.a')) + length(json_type(j, '$.a'))",
    "typeof(n) || typeof(try_to_date(d))",
    "age(try_to_timestamp(d), timestamp '2021-06-30 12:00:00')",
    "make_timestamp(2022, 1 + n % 12, 1 + n % 28, n % 24, 0, n % 60)",
    "time_bucket(interval '10 days', try_to_timestamp(d))",
    "json_keys(j)",
    "json_valid(j)",
    "coalesce(try_to_date(t), d)",
    "at_time_zone(try_to_timestamp(d), 'Asia/Ho_Chi_Minh')",
    "multiply_interval(interval '2 hours', n)",
    "truncate(n / 3.0, 1)",
    "prefix(t, 'P') or startswith(t, 'Q') or suffix(t, '1') or endswith(t, '2')",
    "unicode(t) + ord(d) + charindex('i', t) + editdist3(t, d)",
    "length(gen_random_uuid())",
    "date_from_parts(2022, 1 + n % 12, 3)",
    "array_size(string_split(d, '-')) + list_min(list_value(n, 3))",
    "div0null(n, n - 4)",
    // Arithmetic that does not wrap is planned as functions of ours too.
    "n + n * n - 1",
    "-n",
    "n % 3",
];

/// A column for every aggregate, in groups and over windows.
const AGGREGATES: &[&str] = &[
    "percentile_disc(0.5) within group (order by n)",
    "quantile_disc(n, 0.9)",
    "mode(n % 3)",
    "max_by(t, n)",
    "arg_max(d, n)",
    "min_by(t, n)",
    "arg_min(d, n)",
    "count_if(n > 4)",
    "count(distinct t)",
    "sum(n)",
    "sum(distinct n % 4)",
    "avg(n)",
    "round(stddev(n), 9)",
    "median(n)",
    "string_agg(t, ',' order by n)",
    "array_agg(n order by n)",
    "approx_distinct(n)",
    "approx_count_distinct(n)",
    "every(n >= 0)",
    "logical_and(n > 3)",
    "logical_or(n > 100)",
    "listagg(t, '-' order by n)",
    "group_concat(t order by n)",
    "arbitrary(length(g))",
    "list(n order by n)",
    "first(t order by n)",
    "last(t order by n)",
    "round(variance(n), 9)",
    "fsum(n)",
    "boolor_agg(n > 100)",
    "booland_agg(n > 3)",
];

const WINDOWS: &[&str] = &[
    "sum(n) over (partition by g order by n)",
    "count_if(n > 4) over (partition by g)",
    "max_by(t, n) over (partition by g)",
];

fn project() -> Project {
    let list = |columns: &[&str]| {
        let column = |(at, sql): (usize, &&str)| format!("{sql} as c{at}");
        columns.iter().enumerate().map(column).collect::<Vec<_>>().join(",\n  ")
    };
    let table = "{{ config(materialized='table') }}";
    let source = "{{ source('lake', 't') }}";
    let mut project = Project::new()
        .file(
            "models/_sources.yml",
            "sources:\n  - name: lake\n    tables:\n      - name: t\n        external: {location: 'lake/*.json'}\n",
        )
        .file("models/scalars.sql", format!("{table} select g, n,\n  {}\nfrom {source}", list(SCALARS)))
        .file("models/groups.sql", format!("{table} select g,\n  {}\nfrom {source} group by g", list(AGGREGATES)))
        .file("models/totals.sql", format!("{table} select\n  {}\nfrom {source}", list(AGGREGATES)))
        .file("models/windows.sql", format!("{table} select g, n,\n  {}\nfrom {source}", list(WINDOWS)));
    for file in 0..6 {
        let line = |n: u32| {
            let day = format!("2022-{:02}-{:02}", 1 + n % 12, 1 + n % 28);
            let json =
                format!("{{\\\"n\\\": {n}, \\\"a\\\": [1, {{\\\"x\\\": {n}}}], \\\"b\\\": {{\\\"c\\\": \\\"é\\\"}}}}");
            format!(
                "{{\"g\": \"{}\", \"n\": {n}, \"t\": \"Phim  truyện ① {n}\", \"d\": \"{day}\", \"j\": \"{json}\"}}\n",
                n % 4
            )
        };
        project = project.file(&format!("lake/{file}.json"), (file * 20..file * 20 + 20).map(line).collect::<String>());
    }
    project
}

#[test]
fn every_function_is_there_on_executors() {
    let all = [SCALARS, AGGREGATES].concat().join(" ");
    let missing: Vec<&str> =
        catalog().map(|entry| entry.name).filter(|name| !all.contains(&format!("{name}("))).collect();
    assert!(missing.is_empty(), "the test lacks {missing:?}");
    let cluster = Cluster::start();
    let pair = Pair::new(&cluster, project);
    pair.ok(&["build"]);
    let found = pair.same(&["scalars", "groups", "totals", "windows"]);
    assert_eq!((found["scalars"].len(), found["groups"].len(), found["windows"].len()), (120, 4, 120));
    assert!(cluster.jobs() >= 4, "{}", cluster.logs());
}
