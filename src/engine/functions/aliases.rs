//! Names that people know from DuckDB, Spark, MySQL or PostgreSQL for functions that are there under another name.

use super::{Entry, Kind};

macro_rules! alias {
    ($kind:ident $name:literal for $known:literal, $args:literal, $example:literal => $result:literal) => {
        Entry {
            name: $name,
            signature: concat!($name, $args),
            doc: concat!("The same as ", $known, "."),
            example: $example,
            result: $result,
            kind: Kind::$kind($known),
        }
    };
}

macro_rules! present {
    ($name:literal, $args:literal, $doc:literal, $example:literal => $result:literal) => {
        Entry {
            name: $name,
            signature: concat!($name, $args),
            doc: $doc,
            example: $example,
            result: $result,
            kind: Kind::Present,
        }
    };
}

pub(super) const ENTRIES: &[Entry] = &[
    alias!(Scalars "iff" for "if", "(condition, a, b)", "iff(1 < 2, 'a', 'b')" => "a"),
    alias!(Scalars "ucase" for "upper", "(s)", "ucase('a')" => "A"),
    alias!(Scalars "lcase" for "lower", "(s)", "lcase('A')" => "a"),
    alias!(Scalars "mid" for "substr", "(s, start, length)", "mid('abcd', 2, 2)" => "bc"),
    alias!(Scalars "strlen" for "octet_length", "(s)", "strlen('é')" => "2"),
    alias!(Scalars "ceiling" for "ceil", "(x)", "ceiling(1.2)" => "2.0"),
    alias!(Scalars "sign" for "signum", "(x)", "sign(-2.5)" => "-1.0"),
    alias!(Scalars "hash" for "xxhash64", "(x, ...)", "hash('a') = hash('a')" => "true"),
    alias!(Scalars "truncate" for "trunc", "(x[, places])", "truncate(1.78, 1)" => "1.7"),
    alias!(Scalars "prefix" for "starts_with", "(s, start)", "prefix('abc', 'a')" => "true"),
    alias!(Scalars "startswith" for "starts_with", "(s, start)", "startswith('abc', 'b')" => "false"),
    alias!(Scalars "suffix" for "ends_with", "(s, end)", "suffix('abc', 'c')" => "true"),
    alias!(Scalars "endswith" for "ends_with", "(s, end)", "endswith('abc', 'b')" => "false"),
    alias!(Scalars "unicode" for "ascii", "(s)", "unicode('a')" => "97"),
    alias!(Scalars "ord" for "ascii", "(s)", "ord('a')" => "97"),
    alias!(Scalars "split" for "string_split", "(s, separator)", "split('a-b', '-')" => "[a, b]"),
    alias!(Scalars "charindex" for "locate", "(part, s)", "charindex('b', 'abc')" => "2"),
    alias!(Scalars "editdist3" for "levenshtein", "(a, b)", "editdist3('ab', 'ac')" => "1"),
    alias!(Scalars "gen_random_uuid" for "uuid", "()", "length(gen_random_uuid())" => "36"),
    alias!(Scalars "date_from_parts" for "make_date", "(year, month, day)", "date_from_parts(2020, 1, 2)" => "2020-01-02"),
    alias!(Scalars "time_bucket" for "date_bin", "(width, moment)", "time_bucket(interval '15 minutes', timestamp '2022-06-09 10:20:30')" => "2022-06-09T10:15:00"),
    alias!(Scalars "array_size" for "array_length", "(list)", "array_size([1, 2])" => "2"),
    alias!(Scalars "list_min" for "array_min", "(list)", "list_min([2, 1])" => "1"),
    alias!(Scalars "div0null" for "try_divide", "(a, b)", "div0null(1, 0)" => "NULL"),
    alias!(Scalars "printf" for "format_string", "(format, x, ...)", "printf('%s-%03d', 'a', 7)" => "a-007"),
    alias!(Scalars "list_value" for "make_array", "(x, ...)", "list_value(1, 2)" => "[1, 2]"),
    alias!(Aggregates "every" for "bool_and", "(condition)", "every(x > 0) from (values (1), (2)) t(x)" => "true"),
    alias!(Aggregates "logical_and" for "bool_and", "(condition)", "logical_and(x > 1) from (values (1), (2)) t(x)" => "false"),
    alias!(Aggregates "logical_or" for "bool_or", "(condition)", "logical_or(x > 1) from (values (1), (2)) t(x)" => "true"),
    alias!(Aggregates "listagg" for "string_agg", "(x[, separator])", "listagg(x, '-') from (values ('a')) t(x)" => "a"),
    alias!(Aggregates "group_concat" for "string_agg", "(x[, separator])", "group_concat(x order by x) from (values ('b'), ('a')) t(x)" => "a,b"),
    alias!(Aggregates "arbitrary" for "any_value", "(x)", "arbitrary(x) from (values (1)) t(x)" => "1"),
    alias!(Aggregates "approx_count_distinct" for "approx_distinct", "(x)", "approx_count_distinct(x) from (values (1), (2)) t(x)" => "2"),
    alias!(Aggregates "list" for "array_agg", "(x)", "list(x order by x) from (values (2), (1)) t(x)" => "[1, 2]"),
    alias!(Aggregates "first" for "first_value", "(x order by y)", "first(x order by x) from (values (2), (1)) t(x)" => "1"),
    alias!(Aggregates "last" for "last_value", "(x order by y)", "last(x order by x) from (values (2), (1)) t(x)" => "2"),
    // Not `Aggregates`: a wrapped sum would have no accumulator for sliding frames.
    alias!(Same "fsum" for "sum", "(x)", "fsum(x) from (values (1), (3)) t(x)" => "4"),
    alias!(Aggregates "boolor_agg" for "bool_or", "(condition)", "boolor_agg(x > 1) from (values (1), (2)) t(x)" => "true"),
    alias!(Aggregates "booland_agg" for "bool_and", "(condition)", "booland_agg(x > 1) from (values (1), (2)) t(x)" => "false"),
    alias!(Aggregates "variance" for "var", "(x)", "variance(x) from (values (1), (3)) t(x)" => "2.0"),
    present!("if", "(condition, a, b)", "a if the condition holds, otherwise b.", "if(null, 1, 2)" => "2"),
    present!("ifnull", "(x, other)", "x, or the other if x is null.", "ifnull(null, 2)" => "2"),
    present!("nvl", "(x, other)", "x, or the other if x is null.", "nvl(1, 2)" => "1"),
    present!("split_part", "(s, separator, n)", "Part n, counted from 1, between separators.", "split_part('a-b-c', '-', 2)" => "b"),
    present!("levenshtein", "(a, b)", "How many characters must change to make b of a.", "levenshtein('kitten', 'sitting')" => "3"),
    present!("md5", "(s)", "The MD5 hash in hexadecimal digits.", "md5('a')" => "0cc175b9c0f1b6a831c399e269772661"),
    present!("sha1", "(s)", "The SHA-1 hash in hexadecimal digits.", "sha1('a')" => "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
    present!("sha2", "(s, bits)", "The SHA-2 hash of 224, 256, 384 or 512 bits in hexadecimal digits.", "substr(sha2('a', 256), 1, 8)" => "ca978112"),
    present!("generate_series", "(start, end[, step])", "The numbers or dates from start to end, as a list; also a table function.", "generate_series(1, 3)" => "[1, 2, 3]"),
];
