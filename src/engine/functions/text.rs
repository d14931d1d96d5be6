//! Text: Unicode forms, digits, spaces, splitting.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Builder, ListBuilder, StringViewBuilder};
use datafusion::arrow::datatypes::{DataType, Field, Float64Type, Int64Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::ScalarUDF;
use unicode_normalization::char::is_combining_mark;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::digits::ascii_digit;
use super::scalar::{Arg, Body, Call, Function, like_first};
use super::{Entry, Kind};

fn unary(name: &'static str, body: Body) -> ScalarUDF {
    Function { name, args: &[Arg::Text], required: 1, variadic: false, returns: like_first, body }.udf()
}

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        name: "nfc",
        signature: "nfc(s)",
        doc: "The text in Unicode normal form C: letters and their accents are one character where there is one.",
        example: "character_length(nfc('e' || chr(769)))",
        result: "1",
        kind: Kind::Scalar(|| unary("nfc", |call| normalized(call, Form::C))),
    },
    Entry {
        name: "nfc_normalize",
        signature: "nfc_normalize(s)",
        doc: "The same as nfc.",
        example: "character_length(nfc_normalize('e' || chr(769)))",
        result: "1",
        kind: Kind::Scalars("nfc"),
    },
    Entry {
        name: "nfd",
        signature: "nfd(s)",
        doc: "The text in Unicode normal form D: letters and their accents are characters of their own.",
        example: "character_length(nfd('é'))",
        result: "2",
        kind: Kind::Scalar(|| unary("nfd", |call| normalized(call, Form::D))),
    },
    Entry {
        name: "nfkc",
        signature: "nfkc(s)",
        doc: "The text in Unicode normal form KC: as nfc, and wide, small, raised and joined forms become plain ones.",
        example: "nfkc('ﬁlm ①')",
        result: "film 1",
        kind: Kind::Scalar(|| unary("nfkc", |call| normalized(call, Form::Kc))),
    },
    Entry {
        name: "nfkd",
        signature: "nfkd(s)",
        doc: "The text in Unicode normal form KD: as nfd, and wide, small, raised and joined forms become plain ones.",
        example: "nfkd('ﬁlm')",
        result: "film",
        kind: Kind::Scalar(|| unary("nfkd", |call| normalized(call, Form::Kd))),
    },
    Entry {
        name: "normalize",
        signature: "normalize(s[, form])",
        doc: "The text in the Unicode normal form 'NFC' (if none is named), 'NFD', 'NFKC' or 'NFKD'.",
        example: "normalize('ﬁlm', 'NFKC')",
        result: "film",
        kind: Kind::Scalar(|| {
            Function {
                name: "normalize",
                args: &[Arg::Text, Arg::Text],
                required: 1,
                variadic: false,
                returns: like_first,
                body: normalize,
            }
            .udf()
        }),
    },
    Entry {
        name: "strip_accents",
        signature: "strip_accents(s)",
        doc: "The text without accents: letters lose their marks. Letters that are not made of others, such as đ, stay.",
        example: "strip_accents('Phim truyện')",
        result: "Phim truyen",
        kind: Kind::Scalar(|| unary("strip_accents", strip_accents)),
    },
    Entry {
        name: "unaccent",
        signature: "unaccent(s)",
        doc: "The same as strip_accents.",
        example: "unaccent('mühle')",
        result: "muhle",
        kind: Kind::Scalars("strip_accents"),
    },
    Entry {
        name: "ascii_digits",
        signature: "ascii_digits(s)",
        doc: "The text with the decimal digits of every script as 0 to 9.",
        example: "ascii_digits('۲۰۲۲-٠٦')",
        result: "2022-06",
        kind: Kind::Scalar(|| {
            unary("ascii_digits", |call| unless_ascii(call, |value, out| out.extend(value.chars().map(ascii_digit))))
        }),
    },
    Entry {
        name: "collapse_spaces",
        signature: "collapse_spaces(s)",
        doc: "The text with each run of white space as one space, and none at the ends.",
        example: "collapse_spaces('  a   b ')",
        result: "a b",
        kind: Kind::Scalar(|| unary("collapse_spaces", |call| call.map_text(collapse_spaces))),
    },
    Entry {
        name: "string_split",
        signature: "string_split(s, separator)",
        doc: "The parts between the separators, as a list. An empty separator splits into characters.",
        example: "string_split('a,b,,c', ',')",
        result: "[a, b, , c]",
        kind: Kind::Scalar(|| {
            Function {
                name: "string_split",
                args: &[Arg::Text, Arg::Text],
                required: 2,
                variadic: false,
                returns: |_| Ok(list_of_text()),
                body: string_split,
            }
            .udf()
        }),
    },
    Entry {
        name: "str_split",
        signature: "str_split(s, separator)",
        doc: "The same as string_split.",
        example: "str_split('a-b', '-')",
        result: "[a, b]",
        kind: Kind::Scalars("string_split"),
    },
    Entry {
        name: "locate",
        signature: "locate(part, s[, start])",
        doc: "Where the part begins in the text, counted in characters from 1, at start or after; 0 if it is not there.",
        example: "locate('b', 'abab', 3)",
        result: "4",
        kind: Kind::Scalar(|| {
            Function {
                name: "locate",
                args: &[Arg::Text, Arg::Text, Arg::Integer],
                required: 2,
                variadic: false,
                returns: |_| Ok(DataType::Int64),
                body: locate,
            }
            .udf()
        }),
    },
    Entry {
        name: "try_divide",
        signature: "try_divide(a, b)",
        doc: "a / b as a double; null if b is 0.",
        example: "try_divide(1, 0)",
        result: "NULL",
        kind: Kind::Scalar(|| {
            Function {
                name: "try_divide",
                args: &[Arg::Double, Arg::Double],
                required: 2,
                variadic: false,
                returns: |_| Ok(DataType::Float64),
                body: try_divide,
            }
            .udf()
        }),
    },
    Entry {
        name: "safe_divide",
        signature: "safe_divide(a, b)",
        doc: "The same as try_divide.",
        example: "safe_divide(1, 4)",
        result: "0.25",
        kind: Kind::Scalars("try_divide"),
    },
];

/// A list of text.
pub(super) fn list_of_text() -> DataType {
    DataType::List(Field::new_list_field(DataType::Utf8View, true).into())
}

#[derive(Debug, Clone, Copy)]
enum Form {
    C,
    D,
    Kc,
    Kd,
}

impl Form {
    fn write(self, value: &str, out: &mut String) {
        match self {
            // Most text is in this form already, and finding out is quick.
            Form::C if is_nfc_quick(value.chars()) == IsNormalized::Yes => out.push_str(value),
            Form::C => out.extend(value.nfc()),
            Form::D => out.extend(value.nfd()),
            Form::Kc => out.extend(value.nfkc()),
            Form::Kd => out.extend(value.nfkd()),
        }
    }
}

/// As [`Call::map_text`], for changes that leave ASCII alone: whole batches of it come back as they are.
fn unless_ascii(call: &Call, mut change: impl FnMut(&str, &mut String)) -> Result<ArrayRef> {
    if call.text(0)?.is_ascii() {
        return call.array_as(0, call.returns);
    }
    call.map_text(|value, out| if value.is_ascii() { out.push_str(value) } else { change(value, out) })
}

fn normalized(call: &Call, form: Form) -> Result<ArrayRef> {
    unless_ascii(call, |value, out| form.write(value, out))
}

fn normalize(call: &Call) -> Result<ArrayRef> {
    let Some(forms) = call.optional_text(1)? else {
        return normalized(call, Form::C);
    };
    let input = call.text(0)?;
    let mut builder = StringViewBuilder::with_capacity(input.len());
    let mut buffer = String::new();
    for (value, form) in input.iter().zip(&forms) {
        let (Some(value), Some(form)) = (value, form) else {
            builder.append_null();
            continue;
        };
        let form = match form.to_ascii_uppercase().as_str() {
            "NFC" => Form::C,
            "NFD" => Form::D,
            "NFKC" => Form::Kc,
            "NFKD" => Form::Kd,
            other => return exec_err!("normalize: `{other}` is not a normal form; NFC, NFD, NFKC and NFKD are"),
        };
        buffer.clear();
        form.write(value, &mut buffer);
        builder.append_value(&buffer);
    }
    call.finish(builder)
}

fn strip_accents(call: &Call) -> Result<ArrayRef> {
    unless_ascii(call, |value, out| out.extend(value.nfd().filter(|c| !is_combining_mark(*c)).nfc()))
}

fn collapse_spaces(value: &str, out: &mut String) {
    for word in value.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
}

fn string_split(call: &Call) -> Result<ArrayRef> {
    let (input, separators) = (call.text(0)?, call.text(1)?);
    let mut builder = ListBuilder::new(StringViewBuilder::new());
    for (value, separator) in input.iter().zip(&separators) {
        let (Some(value), Some(separator)) = (value, separator) else {
            builder.append_null();
            continue;
        };
        if separator.is_empty() {
            let mut buffer = [0; 4];
            value.chars().for_each(|c| builder.values().append_value(c.encode_utf8(&mut buffer)));
        } else {
            value.split(separator).for_each(|part| builder.values().append_value(part));
        }
        builder.append(true);
    }
    Ok(Arc::new(builder.finish()))
}

fn locate(call: &Call) -> Result<ArrayRef> {
    let (parts, input) = (call.text(0)?, call.text(1)?);
    let starts = if call.args.len() > 2 { Some(call.array_as(2, &DataType::Int64)?) } else { None };
    let starts = starts.as_ref().map(|starts| starts.as_primitive::<Int64Type>());
    let mut places = Int64Builder::with_capacity(input.len());
    for (row, (part, value)) in parts.iter().zip(&input).enumerate() {
        let start = starts.map_or(Some(1), |starts| starts.is_valid(row).then(|| starts.value(row)));
        places.append_option(match (part, value, start) {
            (Some(part), Some(value), Some(start)) => Some(place(part, value, start)),
            _ => None,
        });
    }
    Ok(Arc::new(places.finish()))
}

fn place(part: &str, value: &str, start: i64) -> i64 {
    let Some(skip) = start.checked_sub(1).and_then(|skip| usize::try_from(skip).ok()) else {
        return 0;
    };
    let Some((from, _)) = value.char_indices().chain([(value.len(), ' ')]).nth(skip) else {
        return 0;
    };
    match value[from..].find(part) {
        Some(at) => value[..from + at].chars().count() as i64 + 1,
        None => 0,
    }
}

fn try_divide(call: &Call) -> Result<ArrayRef> {
    let (left, right) = (call.array(0)?, call.array(1)?);
    let pairs = left.as_primitive::<Float64Type>().iter().zip(right.as_primitive::<Float64Type>());
    let quotients = pairs.map(|(left, right)| Some(left? / right.filter(|right| *right != 0.0)?));
    Ok(Arc::new(quotients.collect::<Float64Array>()))
}
