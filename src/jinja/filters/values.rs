//! Filters on single values.

use crate::jinja::Interpreter;
use crate::jinja::functions::{from_json, to_json_text};
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, Value, float_repr, parse_float, parse_int};

pub(super) fn default(_: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [value, boolean] = args.bind("default", ["default_value", "boolean"])?;
    let missing = input.is_undefined() || (super::flag(boolean, false) && !input.is_true());
    Ok(if missing { value.unwrap_or_else(|| Value::str("")) } else { input })
}

pub(super) fn abs(_: &mut Interpreter<'_>, input: Value, _: Args) -> Result {
    match (&input, input.as_int()) {
        (Value::Float(number), _) => Ok(Value::Float(number.abs())),
        (_, Some(number)) => number.checked_abs().map(Value::Int).ok_or_else(|| fail("the result is too large")),
        (Value::Undefined(undefined), _) => Err(undefined.error()),
        _ => Err(fail(format!("bad operand type for abs(): '{}'", input.type_name()))),
    }
}

pub(super) fn attr(interp: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [name] = args.required("attr", ["name"])?;
    interp.get_attr(&input, &name.text())
}

pub(super) fn int(_: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [default, base] = args.bind("int", ["default", "base"])?;
    let default = default.unwrap_or(Value::Int(0));
    let base = u32::try_from(super::size(base, 10, "base")?).unwrap_or(10);
    let number = match &input {
        Value::Undefined(undefined) => return Err(undefined.error()),
        Value::Str(text) => parse_int(text, base).or_else(|| parse_float(text).and_then(truncated)),
        Value::Float(number) => truncated(*number),
        Value::Object(object) => object.to_json().and_then(|json| json.as_i64().or(json.as_f64().and_then(truncated))),
        _ => input.as_int(),
    };
    Ok(number.map_or(default, Value::Int))
}

fn truncated(number: f64) -> Option<i64> {
    (number.is_finite() && number.abs() < 9.2e18).then_some(number as i64)
}

pub(super) fn float(_: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [default] = args.bind("float", ["default"])?;
    let number = match &input {
        Value::Undefined(undefined) => return Err(undefined.error()),
        Value::Str(text) => parse_float(text),
        Value::Object(object) => object.to_json().and_then(|json| json.as_f64()),
        _ => input.as_float(),
    };
    Ok(number.map_or(default.unwrap_or(Value::Float(0.0)), Value::Float))
}

pub(super) fn round(_: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [precision, method] = args.bind("round", ["precision", "method"])?;
    let precision = precision.map_or(Some(0), |value| value.as_int());
    let precision =
        precision.and_then(|number| i32::try_from(number).ok()).ok_or_else(|| fail("precision must be an integer"))?;
    let number = match (&input, input.as_float()) {
        (Value::Undefined(undefined), _) => return Err(undefined.error()),
        (_, Some(number)) => number,
        _ => return Err(fail(format!("type {} doesn't define __round__ method", input.type_name()))),
    };
    let method = method.map_or_else(|| "common".to_string(), |method| method.text().into_owned());
    let scale = 10_f64.powi(precision.clamp(-300, 300));
    match (method.as_str(), &input) {
        ("common", Value::Float(_)) => Ok(Value::Float(round_half_even(number, precision))),
        ("common", _) if precision >= 0 => Ok(input),
        ("common", _) => Ok(truncated(round_half_even(number, precision)).map_or(input, Value::Int)),
        ("ceil", _) => Ok(Value::Float((number * scale).ceil() / scale)),
        ("floor", _) => Ok(Value::Float((number * scale).floor() / scale)),
        _ => Err(fail("method must be common, ceil or floor")),
    }
}

/// Python's `round`: exact decimal value, ties to even.
fn round_half_even(number: f64, precision: i32) -> f64 {
    if !number.is_finite() {
        return number;
    }
    match usize::try_from(precision) {
        Ok(precision) => format!("{number:.*}", precision.min(330)).parse().unwrap_or(number),
        Err(_) => {
            let scale = 10_f64.powi(precision.saturating_neg().min(300));
            (number / scale).round_ties_even() * scale
        }
    }
}

pub(super) fn pprint(_: &mut Interpreter<'_>, input: Value, _: Args) -> Result {
    Ok(Value::from(input.repr()))
}

/// Jinja2's own form: keys sorted, safe inside of HTML.
pub(super) fn tojson(_: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [indent] = args.bind("tojson", ["indent"])?;
    let indent = indent.filter(|indent| !indent.is_none()).and_then(|indent| indent.as_int());
    let text = to_json_text(&input, true, indent.and_then(|indent| usize::try_from(indent).ok()))?;
    let safe = text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").replace('\'', "\\u0027");
    Ok(Value::from(safe))
}

pub(super) fn fromjson(_: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [default] = args.bind("fromjson", ["default"])?;
    Ok(from_json(&input.text()).unwrap_or(default.unwrap_or(Value::None)))
}

pub(super) fn as_text(interp: &mut Interpreter<'_>, input: Value, _: Args) -> Result {
    Ok(if interp.options().native { Value::str(input.text()) } else { input })
}

pub(super) fn as_bool(interp: &mut Interpreter<'_>, input: Value, _: Args) -> Result {
    native(interp, input, |value| matches!(value, Value::Bool(_)), "bool")
}

pub(super) fn as_number(interp: &mut Interpreter<'_>, input: Value, _: Args) -> Result {
    native(interp, input, |value| matches!(value, Value::Int(_) | Value::Float(_)), "number")
}

pub(super) fn as_native(interp: &mut Interpreter<'_>, input: Value, _: Args) -> Result {
    native(interp, input, |_| true, "native")
}

/// Reads the text of a value as a literal; only where configuration is rendered.
fn native(interp: &mut Interpreter<'_>, input: Value, fits: fn(&Value) -> bool, kind: &str) -> Result {
    if !interp.options().native {
        return Ok(input);
    }
    let text = input.text();
    let value = literal(&text).unwrap_or_else(|| Value::str(&text));
    if fits(&value) { Ok(value) } else { Err(fail(format!("Could not convert value '{text}' into type '{kind}'"))) }
}

/// A Python literal: numbers, text, truth values, `None`, lists, tuples, dicts.
fn literal(text: &str) -> Option<Value> {
    let trimmed = text.trim();
    match trimmed {
        "True" => return Some(Value::Bool(true)),
        "False" => return Some(Value::Bool(false)),
        "None" => return Some(Value::None),
        "true" | "false" | "none" => return None,
        _ => {}
    }
    if let Some(number) = parse_int(trimmed, 10) {
        return Some(Value::Int(number));
    }
    if trimmed.starts_with(|char: char| char.is_ascii_digit() || matches!(char, '-' | '.'))
        && let Some(number) = parse_float(trimmed)
    {
        return (float_repr(number) != "nan").then_some(Value::Float(number));
    }
    crate::jinja::constant(trimmed)
}
