//! Regular expressions, in the syntax of the `regex` crate (RE2-like: no look-around, no back references).

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanBuilder, ListBuilder, StringViewBuilder};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ScalarUDF;
use regex::{Regex, RegexBuilder};

use super::scalar::{Arg, Body, Call, Function, Memo, Returns, like_first};
use super::text::list_of_text;
use super::{Entry, Kind};

const PATTERN_AND_GROUP: &[Arg] = &[Arg::Text, Arg::Text, Arg::Integer];
const PATTERN_AND_OPTIONS: &[Arg] = &[Arg::Text, Arg::Text, Arg::Text];

fn function(name: &'static str, args: &'static [Arg], returns: Returns, body: Body) -> ScalarUDF {
    Function { name, args, required: 2, variadic: false, returns, body }.udf()
}

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "regexp_extract",
        signature: "regexp_extract(s, pattern[, group])",
        doc: "What the group matched in the first match, '' if there is none. Group 0 is the whole match. Without a group: \
              the first one, or the whole match if the pattern has no groups.",
        example: "regexp_extract('log_20220601.json', '(\\d{4})(\\d{2})', 2)",
        result: "06",
        kind: Kind::Scalar(|| function("regexp_extract", PATTERN_AND_GROUP, like_first, extract)),
    },
    Entry {
        name: "regexp_extract_all",
        signature: "regexp_extract_all(s, pattern[, group])",
        doc: "What the group matched in every match, as a list.",
        example: "regexp_extract_all('a1b22', '\\d+')",
        result: "[1, 22]",
        kind: Kind::Scalar(|| function("regexp_extract_all", PATTERN_AND_GROUP, |_| Ok(list_of_text()), extract_all)),
    },
    Entry {
        name: "regexp_substr",
        signature: "regexp_substr(s, pattern)",
        doc: "The first match, or null.",
        example: "regexp_substr('a1b22', '\\d\\d')",
        result: "22",
        kind: Kind::Scalar(|| function("regexp_substr", &[Arg::Text, Arg::Text], like_first, substr)),
    },
    Entry {
        name: "regexp_matches",
        signature: "regexp_matches(s, pattern[, options])",
        doc: "True if the pattern matches somewhere in the text. Options: i (any case), s (a dot matches a new line too), \
              m (^ and $ match at lines), x (spaces in the pattern do not count).",
        example: "regexp_matches('Phim hay', 'HAY$', 'i')",
        result: "true",
        kind: Kind::Scalar(|| {
            function("regexp_matches", PATTERN_AND_OPTIONS, |_| Ok(DataType::Boolean), |call| matches(call, false))
        }),
    },
    Entry {
        name: "regexp_full_match",
        signature: "regexp_full_match(s, pattern[, options])",
        doc: "True if the pattern matches the whole text.",
        example: "regexp_full_match('2022-06', '\\d+')",
        result: "false",
        kind: Kind::Scalar(|| {
            function("regexp_full_match", PATTERN_AND_OPTIONS, |_| Ok(DataType::Boolean), |call| matches(call, true))
        }),
    },
    Entry {
        name: "rlike",
        signature: "rlike(s, pattern[, options])",
        doc: "The same as regexp_matches.",
        example: "rlike('abc', '^a')",
        result: "true",
        kind: Kind::Scalars("regexp_matches"),
    },
    Entry {
        name: "regexp_split_to_array",
        signature: "regexp_split_to_array(s, pattern)",
        doc: "The parts between the matches, as a list.",
        example: "regexp_split_to_array('a, b;c', '[,;] ?')",
        result: "[a, b, c]",
        kind: Kind::Scalar(|| {
            function("regexp_split_to_array", &[Arg::Text, Arg::Text], |_| Ok(list_of_text()), split)
        }),
    },
    Entry {
        name: "string_split_regex",
        signature: "string_split_regex(s, pattern)",
        doc: "The same as regexp_split_to_array.",
        example: "string_split_regex('a1b', '\\d')",
        result: "[a, b]",
        kind: Kind::Scalars("regexp_split_to_array"),
    },
];

fn pattern(name: &str, text: &str) -> Result<Regex> {
    match Regex::new(text) {
        Ok(regex) => Ok(regex),
        Err(error) => exec_err!("{name}: `{text}` is not a regular expression: {}", reason(&error)),
    }
}

/// The last line of the message, which says what is wrong; the others draw the pattern.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_string()
}

/// The group that was asked for, or the one that is meant.
fn group(name: &str, regex: &Regex, asked: Option<i64>) -> Result<usize> {
    let groups = regex.captures_len() - 1;
    match asked {
        None => Ok(groups.min(1)),
        Some(asked) => match usize::try_from(asked) {
            Ok(group) if group <= groups => Ok(group),
            _ => exec_err!("{name}: there is no group {asked} in `{}`, which has {groups}", regex.as_str()),
        },
    }
}

/// The rows of a call with a pattern and perhaps a group: `each` gets null, or the text, the pattern and the group.
fn for_each(call: &Call, mut each: impl FnMut(Option<(&str, &Regex, usize)>)) -> Result<()> {
    let (input, patterns) = (call.text(0)?, call.text(1)?);
    let groups = if call.args.len() > 2 { Some(call.array_as(2, &DataType::Int64)?) } else { None };
    let groups = groups.as_ref().map(|groups| groups.as_primitive::<Int64Type>());
    let mut memo = Memo::new();
    for (row, (value, text)) in input.iter().zip(&patterns).enumerate() {
        let null_group = groups.is_some_and(|groups| groups.is_null(row));
        let (Some(value), Some(text), false) = (value, text, null_group) else {
            each(None);
            continue;
        };
        let regex = memo.get(text, |text| pattern(call.name, text))?;
        let group = group(call.name, regex, groups.map(|groups| groups.value(row)))?;
        each(Some((value, regex, group)));
    }
    Ok(())
}

fn extract(call: &Call) -> Result<ArrayRef> {
    let mut builder = StringViewBuilder::with_capacity(call.rows);
    for_each(call, |row| {
        builder.append_option(row.map(|(value, regex, group)| {
            let found = if group == 0 {
                regex.find(value)
            } else {
                regex.captures(value).and_then(|captures| captures.get(group))
            };
            found.map_or("", |found| found.as_str())
        }));
    })?;
    call.finish(builder)
}

fn substr(call: &Call) -> Result<ArrayRef> {
    let mut builder = StringViewBuilder::with_capacity(call.rows);
    for_each(call, |row| {
        builder.append_option(row.and_then(|(value, regex, _)| regex.find(value)).map(|found| found.as_str()));
    })?;
    call.finish(builder)
}

fn extract_all(call: &Call) -> Result<ArrayRef> {
    let mut builder = ListBuilder::new(StringViewBuilder::new());
    for_each(call, |row| {
        if let Some((value, regex, group)) = row {
            for captures in regex.captures_iter(value) {
                builder.values().append_value(captures.get(group).map_or("", |found| found.as_str()));
            }
        }
        builder.append(row.is_some());
    })?;
    Ok(Arc::new(builder.finish()))
}

fn split(call: &Call) -> Result<ArrayRef> {
    let mut builder = ListBuilder::new(StringViewBuilder::new());
    for_each(call, |row| {
        if let Some((value, regex, _)) = row {
            regex.split(value).for_each(|part| builder.values().append_value(part));
        }
        builder.append(row.is_some());
    })?;
    Ok(Arc::new(builder.finish()))
}

fn with_options(name: &str, text: &str, options: &str, whole: bool) -> Result<Regex> {
    pattern(name, text)?;
    let anchored = if whole {
        format!(r"\A(?:{text}{})\z", if options.contains('x') { "\n" } else { "" })
    } else {
        text.to_string()
    };
    let mut builder = RegexBuilder::new(&anchored);
    for option in options.chars() {
        match option {
            'i' => builder.case_insensitive(true),
            's' => builder.dot_matches_new_line(true),
            'm' => builder.multi_line(true),
            'x' => builder.ignore_whitespace(true),
            'c' | 'g' => &mut builder,
            other => return exec_err!("{name}: `{other}` is not an option; i, s, m and x are"),
        };
    }
    match builder.build() {
        Ok(regex) => Ok(regex),
        Err(error) => exec_err!("{name}: `{text}` is not a regular expression: {}", reason(&error)),
    }
}

fn matches(call: &Call, whole: bool) -> Result<ArrayRef> {
    let (input, patterns) = (call.text(0)?, call.text(1)?);
    let options = call.optional_text(2)?;
    let mut memo = Memo::new();
    let mut builder = BooleanBuilder::with_capacity(input.len());
    for (row, (value, text)) in input.iter().zip(&patterns).enumerate() {
        let options = match &options {
            None => "",
            Some(options) if options.is_null(row) => "",
            Some(options) => options.value(row),
        };
        let (Some(value), Some(text)) = (value, text) else {
            builder.append_null();
            continue;
        };
        let key = if options.is_empty() { text } else { &format!("{options}\u{0}{text}") };
        let regex = memo.get(key, |_| with_options(call.name, text, options, whole))?;
        builder.append_value(regex.is_match(value));
    }
    Ok(Arc::new(builder.finish()))
}
