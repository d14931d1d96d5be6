//! JSON in text columns: what DuckDB, Postgres and Spark have for it. A value of JSON is its text; there is no type for it.
//!
//! Paths are `$.a.b[0]`, `/a/b/0`, or one key as it is. What is no JSON gives null, as in Spark, except where a function
//! asks whether it is.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, BooleanBuilder, Int64Builder, ListBuilder, StringViewArray, StringViewBuilder,
};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;
use serde_json::Value as Json;

use super::scalar::{Arg, Body, Call, Function, Memo, Returns};
use super::text::list_of_text;
use super::{Entry, Kind};

fn text_type(_: &datafusion::logical_expr::ReturnFieldArgs) -> Result<DataType> {
    Ok(DataType::Utf8View)
}

const fn function(name: &'static str, args: &'static [Arg], required: usize, returns: Returns, body: Body) -> Function {
    Function { name, args, required, variadic: false, returns, body }
}

/// `->`: a part as JSON.
pub(super) fn extract() -> ScalarUDF {
    function("json_extract", &[Arg::Text, Arg::Text], 2, text_type, |call| part(call, false)).udf()
}

/// `->>`: a part as text.
pub(super) fn extract_string() -> ScalarUDF {
    function("json_extract_string", &[Arg::Text, Arg::Text], 2, text_type, |call| part(call, true)).udf()
}

fn path_text() -> ScalarUDF {
    let body: Body = |call| keys_down(call);
    Function {
        name: "json_extract_path_text",
        args: &[Arg::Text, Arg::Text],
        required: 2,
        variadic: true,
        returns: text_type,
        body,
    }
    .udf()
}

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "json_extract",
        signature: "json_extract(json, path), json -> path",
        doc: "The part of the JSON at the path, as JSON; null if there is none.",
        example: "json_extract('{\"a\": [1, {\"b\": \"x\"}]}', '$.a[1]')",
        result: "{\"b\":\"x\"}",
        kind: Kind::Scalar(extract),
    },
    Entry {
        name: "json_extract_string",
        signature: "json_extract_string(json, path), json ->> path",
        doc: "The part of the JSON at the path, as text; null if there is none.",
        example: "json_extract_string('{\"a\": {\"b\": \"x\"}}', '$.a.b')",
        result: "x",
        kind: Kind::Scalar(extract_string),
    },
    Entry {
        name: "get_json_object",
        signature: "get_json_object(json, path)",
        doc: "The same as json_extract_string.",
        example: "get_json_object('{\"a\": 1}', '$.a')",
        result: "1",
        kind: Kind::Scalars("json_extract_string"),
    },
    Entry {
        name: "json_value",
        signature: "json_value(json, path)",
        doc: "The same as json_extract_string.",
        example: "json_value('{\"a\": true}', '$.a')",
        result: "true",
        kind: Kind::Scalars("json_extract_string"),
    },
    Entry {
        name: "json_extract_path_text",
        signature: "json_extract_path_text(json, key, ...)",
        doc: "The part of the JSON under the keys, one after the other, as text.",
        example: "json_extract_path_text('{\"a\": {\"b\": 2}}', 'a', 'b')",
        result: "2",
        kind: Kind::Scalar(path_text),
    },
    Entry {
        name: "json_array_length",
        signature: "json_array_length(json[, path])",
        doc: "How many items the array has; null for what is no array.",
        example: "json_array_length('[1, 2]')",
        result: "2",
        kind: Kind::Scalar(|| {
            function("json_array_length", &[Arg::Text, Arg::Text], 1, |_| Ok(DataType::Int64), array_length).udf()
        }),
    },
    Entry {
        name: "json_keys",
        signature: "json_keys(json[, path])",
        doc: "The keys of the object as a list of text.",
        example: "json_keys('{\"a\": 1, \"b\": 2}')",
        result: "[a, b]",
        kind: Kind::Scalar(|| function("json_keys", &[Arg::Text, Arg::Text], 1, |_| Ok(list_of_text()), keys).udf()),
    },
    Entry {
        name: "json_type",
        signature: "json_type(json[, path])",
        doc: "OBJECT, ARRAY, VARCHAR, BIGINT, DOUBLE, BOOLEAN or NULL.",
        example: "json_type('{\"a\": [1]}', '$.a')",
        result: "ARRAY",
        kind: Kind::Scalar(|| function("json_type", &[Arg::Text, Arg::Text], 1, text_type, type_of).udf()),
    },
    Entry {
        name: "json_valid",
        signature: "json_valid(s)",
        doc: "True if the text is JSON.",
        example: "json_valid('{a}')",
        result: "false",
        kind: Kind::Scalar(|| function("json_valid", &[Arg::Text], 1, |_| Ok(DataType::Boolean), valid).udf()),
    },
];

/// One step of a path.
enum Step {
    Key(String),
    Index(i64),
}

/// The steps of a path, in any of its spellings.
fn steps(path: &str) -> Vec<Step> {
    if let Some(pointer) = path.strip_prefix('/') {
        let unescaped = |key: &str| key.replace("~1", "/").replace("~0", "~");
        return pointer.split('/').map(|key| Step::Key(unescaped(key))).collect();
    }
    let Some(mut rest) = path.strip_prefix('$') else {
        return vec![path.parse().map_or_else(|_| Step::Key(path.to_string()), Step::Index)];
    };
    let mut out = Vec::new();
    while !rest.is_empty() {
        let (step, after) = if let Some(inner) = rest.strip_prefix('[') {
            let (inner, after) = inner.split_once(']').unwrap_or((inner, ""));
            let key = inner.trim().trim_matches(['\'', '"']);
            (inner.trim().parse().map_or_else(|_| Step::Key(key.to_string()), Step::Index), after)
        } else {
            let plain = rest.strip_prefix('.').unwrap_or(rest);
            match plain.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
                Some((key, after)) => (Step::Key(key.to_string()), after),
                None => {
                    let end = plain.find(['.', '[']).unwrap_or(plain.len());
                    (Step::Key(plain[..end].to_string()), &plain[end..])
                }
            }
        };
        out.push(step);
        rest = after;
    }
    out
}

/// The value behind the steps. Negative indexes count from the end.
fn walk<'a>(json: &'a Json, steps: &[Step]) -> Option<&'a Json> {
    steps.iter().try_fold(json, |json, step| match (json, step) {
        (Json::Object(map), Step::Key(key)) => map.get(key),
        (Json::Object(map), Step::Index(index)) => map.get(&index.to_string()),
        (Json::Array(items), Step::Index(index)) => {
            let index = if *index < 0 { *index + items.len() as i64 } else { *index };
            items.get(usize::try_from(index).ok()?)
        }
        (Json::Array(items), Step::Key(key)) => items.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Text without quotes, everything else as JSON; null is null.
fn as_text(json: &Json) -> Option<String> {
    match json {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn part(call: &Call, as_plain_text: bool) -> Result<ArrayRef> {
    let (input, paths) = (call.text(0)?, call.text(1)?);
    let mut memo = Memo::new();
    let mut builder = StringViewBuilder::with_capacity(input.len());
    for (value, path) in input.iter().zip(&paths) {
        let found = match (value, path) {
            (Some(value), Some(path)) => {
                let steps = memo.get(path, |path| Ok(steps(path)))?;
                let json: Option<Json> = serde_json::from_str(value).ok();
                json.as_ref().and_then(|json| walk(json, steps)).and_then(|found| match as_plain_text {
                    true => as_text(found),
                    false => Some(found.to_string()),
                })
            }
            _ => None,
        };
        builder.append_option(found);
    }
    call.finish(builder)
}

fn keys_down(call: &Call) -> Result<ArrayRef> {
    let input = call.text(0)?;
    let keys: Vec<StringViewArray> = (1..call.args.len()).map(|index| call.text(index)).collect::<Result<_>>()?;
    let mut builder = StringViewBuilder::with_capacity(input.len());
    for (row, value) in input.iter().enumerate() {
        let json: Option<Json> = value.and_then(|value| serde_json::from_str(value).ok());
        let step = |keys: &StringViewArray| {
            let key = keys.is_valid(row).then(|| keys.value(row))?;
            Some(key.parse().map_or_else(|_| Step::Key(key.to_string()), Step::Index))
        };
        let steps: Option<Vec<Step>> = keys.iter().map(step).collect();
        let found = json.as_ref().zip(steps).and_then(|(json, steps)| walk(json, &steps));
        builder.append_option(found.and_then(as_text));
    }
    call.finish(builder)
}

/// The JSON of every row, at its path if one is given, handed to `each`.
fn each(call: &Call, mut each: impl FnMut(Option<&Json>)) -> Result<()> {
    let (input, paths) = (call.text(0)?, call.optional_text(1)?);
    for (row, value) in input.iter().enumerate() {
        let json: Option<Json> = value.and_then(|value| serde_json::from_str(value).ok());
        let path = paths.as_ref().map(|paths| paths.is_valid(row).then(|| steps(paths.value(row))));
        each(match (&json, path) {
            (Some(json), None) => Some(json),
            (Some(json), Some(Some(steps))) => walk(json, &steps),
            _ => None,
        });
    }
    Ok(())
}

fn array_length(call: &Call) -> Result<ArrayRef> {
    let mut builder = Int64Builder::new();
    each(call, |json| builder.append_option(json.and_then(Json::as_array).map(|items| items.len() as i64)))?;
    Ok(Arc::new(builder.finish()))
}

fn keys(call: &Call) -> Result<ArrayRef> {
    let mut builder = ListBuilder::new(StringViewBuilder::new());
    each(call, |json| match json.and_then(Json::as_object) {
        None => builder.append_null(),
        Some(map) => {
            map.keys().for_each(|key| builder.values().append_value(key));
            builder.append(true);
        }
    })?;
    Ok(Arc::new(builder.finish()))
}

fn type_of(call: &Call) -> Result<ArrayRef> {
    let mut builder = StringViewBuilder::new();
    let name = |json: &Json| match json {
        Json::Null => "NULL",
        Json::Bool(_) => "BOOLEAN",
        Json::Number(number) if number.is_f64() => "DOUBLE",
        Json::Number(_) => "BIGINT",
        Json::String(_) => "VARCHAR",
        Json::Array(_) => "ARRAY",
        Json::Object(_) => "OBJECT",
    };
    each(call, |json| builder.append_option(json.map(name)))?;
    call.finish(builder)
}

fn valid(call: &Call) -> Result<ArrayRef> {
    let input = call.text(0)?;
    let mut builder = BooleanBuilder::with_capacity(input.len());
    for value in &input {
        builder.append_option(value.map(|value| serde_json::from_str::<serde::de::IgnoredAny>(value).is_ok()));
    }
    Ok(Arc::new(builder.finish()))
}
