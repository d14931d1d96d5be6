//! Methods of text.

use std::sync::Arc;

use super::{int_or, text_of};
use crate::jinja::Interpreter;
use crate::jinja::format::brace_format;
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, Value, char_len, check_items, check_length};

pub(super) const NAMES: &[&str] = &[
    "capitalize",
    "casefold",
    "center",
    "count",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "translate",
    "upper",
    "zfill",
];

pub(super) fn call(interp: &mut Interpreter<'_>, text: &Arc<str>, name: &str, args: Args) -> Result {
    interp.spend(text.len() as u64 / 16)?;
    match name {
        "format" => brace_format(text, &args).map(Value::from),
        "format_map" => format_map(text, args),
        "join" => join(interp, text, args),
        "split" | "rsplit" => split(text, name, args),
        "partition" | "rpartition" => partition(text, name, args),
        "strip" | "lstrip" | "rstrip" => {
            let [chars] = args.bind(name, ["chars"])?;
            let chars = chars.filter(|chars| !chars.is_none()).map(|chars| text_of(&chars, name)).transpose()?;
            Ok(Value::str(strip(text, chars.as_deref(), name != "rstrip", name != "lstrip")))
        }
        "replace" => replace(text, args),
        "startswith" | "endswith" => affix(text, name, args),
        "find" | "rfind" | "index" | "rindex" | "count" => search(text, name, args),
        "ljust" | "rjust" | "center" | "zfill" => pad(text, name, args),
        "splitlines" => {
            let [keep] = args.bind(name, ["keepends"])?;
            check_items(text.matches(['\n', '\r']).count())?;
            Ok(Value::list(split_lines(text, keep.is_some_and(|keep| keep.is_true())).into_iter().map(Value::from)))
        }
        "removeprefix" | "removesuffix" => {
            let [part] = args.required(name, ["affix"])?;
            let part = text_of(&part, name)?;
            let rest = if name == "removeprefix" { text.strip_prefix(&*part) } else { text.strip_suffix(&*part) };
            Ok(rest.map_or_else(|| Value::Str(Arc::clone(text)), Value::from))
        }
        "expandtabs" => {
            let [size] = args.bind(name, ["tabsize"])?;
            expand_tabs(text, int_or(size, 8)?)
        }
        "translate" => translate(text, args),
        "encode" => Ok(Value::Str(Arc::clone(text))),
        _ => {
            let [] = args.bind(name, [])?;
            Ok(plain(text, name))
        }
    }
}

/// Methods without arguments.
fn plain(text: &str, name: &str) -> Value {
    let all = |ok: fn(char) -> bool| Value::Bool(!text.is_empty() && text.chars().all(ok));
    match name {
        "upper" => text.to_uppercase().into(),
        "lower" | "casefold" => text.to_lowercase().into(),
        "capitalize" => capitalize(text).into(),
        "title" => title(text).into(),
        "swapcase" => swapcase(text).into(),
        "isdigit" | "isdecimal" => all(|char| char.is_ascii_digit()),
        "isnumeric" => all(char::is_numeric),
        "isalpha" => all(char::is_alphabetic),
        "isalnum" => all(char::is_alphanumeric),
        "isspace" => all(char::is_whitespace),
        "isascii" => Value::Bool(text.is_ascii()),
        "islower" => Value::Bool(text.chars().any(char::is_lowercase) && !text.chars().any(char::is_uppercase)),
        "isupper" => Value::Bool(text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase)),
        "istitle" => Value::Bool(text.chars().any(char::is_alphabetic) && title(text) == text),
        _ => {
            let word = |char: char| char == '_' || char.is_alphanumeric();
            let first = text.chars().next().is_some_and(|char| !char.is_numeric());
            Value::Bool(first && text.chars().all(word))
        }
    }
}

/// The first character upper, the rest lower.
pub(crate) fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars.as_str().to_lowercase().chars()).collect(),
        None => String::new(),
    }
}

/// The first letter of each run of letters upper, the rest lower.
pub(crate) fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for char in text.chars() {
        if inside {
            out.extend(char.to_lowercase());
        } else {
            out.extend(char.to_uppercase());
        }
        inside = char.is_alphabetic();
    }
    out
}

fn swapcase(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_uppercase() {
            out.extend(char.to_lowercase());
        } else {
            out.extend(char.to_uppercase());
        }
    }
    out
}

/// Without the characters of `chars` (white space if there are none given) at the ends.
pub(crate) fn strip<'a>(text: &'a str, chars: Option<&str>, left: bool, right: bool) -> &'a str {
    let matches = |char: char| chars.map_or_else(|| char.is_whitespace(), |chars| chars.contains(char));
    let text = if left { text.trim_start_matches(matches) } else { text };
    if right { text.trim_end_matches(matches) } else { text }
}

/// Lines as Python sees them.
pub(crate) fn split_lines(text: &str, keep: bool) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let ends = |char: char| {
            matches!(char, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
        };
        let Some(at) = rest.find(ends) else {
            out.push(rest);
            break;
        };
        let len = if rest[at..].starts_with("\r\n") { 2 } else { rest[at..].chars().next().map_or(1, char::len_utf8) };
        out.push(&rest[..if keep { at + len } else { at }]);
        rest = &rest[at + len..];
    }
    out
}

fn format_map(text: &str, args: Args) -> Result {
    let [map] = args.required("format_map", ["mapping"])?;
    let Value::Dict(cell) = &map else { return Err(fail("format_map() argument must be a mapping")) };
    let mut named = Args::none();
    for (key, value) in cell.borrow().iter() {
        named = named.with(&key.value().text(), value.clone());
    }
    brace_format(text, &named).map(Value::from)
}

fn join(interp: &mut Interpreter<'_>, separator: &str, args: Args) -> Result {
    let [items] = args.required("join", ["iterable"])?;
    let items = items.items().map_err(|_| fail("can only join an iterable"))?;
    interp.spend(items.len() as u64)?;
    let mut out = String::new();
    for (index, item) in items.iter().enumerate() {
        let Value::Str(text) = item else {
            let kind = item.type_name();
            return Err(fail(format!("sequence item {index}: expected str instance, {kind} found")));
        };
        if index > 0 {
            out.push_str(separator);
        }
        out.push_str(text);
        check_length(out.len())?;
    }
    Ok(Value::from(out))
}

fn split(text: &str, name: &str, args: Args) -> Result {
    let [separator, limit] = args.bind(name, ["sep", "maxsplit"])?;
    let limit = usize::try_from(int_or(limit, -1)?).ok().map(|limit| limit.saturating_add(1));
    let Some(separator) = separator.filter(|separator| !separator.is_none()) else {
        check_items(text.len() / 2)?;
        return Ok(Value::list(split_spaces(text, limit, name == "rsplit").into_iter().map(Value::from)));
    };
    let separator = text_of(&separator, name)?;
    if separator.is_empty() {
        return Err(fail("empty separator"));
    }
    check_items(text.matches(&*separator).count())?;
    let mut parts: Vec<&str> = match (limit, name) {
        (Some(limit), "split") => text.splitn(limit, &*separator).collect(),
        (Some(limit), _) => text.rsplitn(limit, &*separator).collect(),
        (None, _) => text.split(&*separator).collect(),
    };
    if name == "rsplit" && limit.is_some() {
        parts.reverse();
    }
    Ok(Value::list(parts.into_iter().map(Value::from)))
}

/// At most `limit` parts, cut at runs of white space.
fn split_spaces(text: &str, limit: Option<usize>, from_right: bool) -> Vec<&str> {
    let limit = limit.unwrap_or(usize::MAX);
    let mut out = Vec::new();
    let mut rest = if from_right { text.trim_end() } else { text.trim_start() };
    while !rest.is_empty() {
        let at = if from_right { rest.rfind(char::is_whitespace) } else { rest.find(char::is_whitespace) };
        let Some(at) = at.filter(|_| out.len() + 1 < limit) else {
            out.push(rest);
            break;
        };
        if from_right {
            let space = rest[at..].chars().next().map_or(1, char::len_utf8);
            out.push(&rest[at + space..]);
            rest = rest[..at].trim_end();
        } else {
            out.push(&rest[..at]);
            rest = rest[at..].trim_start();
        }
    }
    if from_right {
        out.reverse();
    }
    out
}

fn partition(text: &str, name: &str, args: Args) -> Result {
    let [separator] = args.required(name, ["sep"])?;
    let separator = text_of(&separator, name)?;
    if separator.is_empty() {
        return Err(fail("empty separator"));
    }
    let found = if name == "partition" { text.split_once(&*separator) } else { text.rsplit_once(&*separator) };
    let parts = match (found, name) {
        (Some((before, after)), _) => [before, &separator, after],
        (None, "partition") => [text, "", ""],
        (None, _) => ["", "", text],
    };
    Ok(Value::tuple(parts.map(Value::from)))
}

fn replace(text: &str, args: Args) -> Result {
    let [old, new, count] = args.bind("replace", ["old", "new", "count"])?;
    let (Some(old), Some(new)) = (old, new) else {
        return Err(fail("replace expected at least 2 arguments"));
    };
    let (old, new) = (text_of(&old, "replace")?, text_of(&new, "replace")?);
    replace_text(text, &old, &new, int_or(count, -1)?).map(Value::from)
}

/// `text.replace(old, new, count)`, all of them if `count` is negative.
pub(crate) fn replace_text(text: &str, old: &str, new: &str, count: i64) -> Result<String> {
    let found = if old.is_empty() { text.chars().count() + 1 } else { text.matches(old).count() };
    check_length(text.len().saturating_add(found.saturating_mul(new.len())))?;
    Ok(match usize::try_from(count) {
        Ok(count) => text.replacen(old, new, count),
        Err(_) => text.replace(old, new),
    })
}

fn affix(text: &str, name: &str, args: Args) -> Result {
    let [affix, start, stop] = args.bind(name, ["prefix", "start", "end"])?;
    let affix = affix.ok_or_else(|| fail(format!("{name} expected at least 1 argument, got 0")))?;
    let part = window(text, start, stop)?.map_or("", |(_, part)| part);
    let matches = |affix: &Value| -> Result<bool> {
        let affix = text_of(affix, name)?;
        Ok(if name == "startswith" { part.starts_with(&*affix) } else { part.ends_with(&*affix) })
    };
    if let Value::Tuple(items) = &affix {
        for item in items.iter() {
            if matches(item)? {
                return Ok(Value::Bool(true));
            }
        }
        return Ok(Value::Bool(false));
    }
    matches(&affix).map(Value::Bool)
}

/// The part of `text` between two character positions, and where it starts. Nothing if they cross.
fn window(text: &str, start: Option<Value>, stop: Option<Value>) -> Result<Option<(usize, &str)>> {
    if start.is_none() && stop.is_none() {
        return Ok(Some((0, text)));
    }
    let len = char_len(text) as i64;
    let place = |index: i64| if index < 0 { (index + len).max(0) } else { index.min(len) };
    let (from, to) = (place(int_or(start, 0)?), place(int_or(stop, len)?));
    if from > to {
        return Ok(None);
    }
    let byte = |at: i64| text.char_indices().nth(at as usize).map_or(text.len(), |(byte, _)| byte);
    Ok(Some((from as usize, &text[byte(from)..byte(to)])))
}

fn search(text: &str, name: &str, args: Args) -> Result {
    let [part, start, stop] = args.bind(name, ["sub", "start", "end"])?;
    let part = text_of(&part.ok_or_else(|| fail(format!("{name} expected at least 1 argument, got 0")))?, name)?;
    let window = window(text, start, stop)?;
    if name == "count" {
        let count =
            window.map_or(
                0,
                |(_, inside)| {
                    if part.is_empty() { inside.chars().count() + 1 } else { inside.matches(&*part).count() }
                },
            );
        return Ok(Value::from(count));
    }
    let found = window.and_then(|(from, inside)| {
        let at = if name.starts_with('r') { inside.rfind(&*part) } else { inside.find(&*part) };
        at.map(|at| from + char_len(&inside[..at]))
    });
    match found {
        Some(at) => Ok(Value::from(at)),
        None if name.ends_with("find") => Ok(Value::Int(-1)),
        None => Err(fail("substring not found")),
    }
}

fn pad(text: &str, name: &str, args: Args) -> Result {
    let [width, fill] = args.bind(name, ["width", "fillchar"])?;
    let width = usize::try_from(int_or(width, 0)?).unwrap_or(0);
    check_length(width)?;
    let fill = fill.map(|fill| text_of(&fill, name)).transpose()?;
    let fill = fill.as_deref().unwrap_or(" ");
    if char_len(fill) != 1 {
        return Err(fail("The fill character must be exactly one character long"));
    }
    let space = width.saturating_sub(char_len(text));
    Ok(Value::from(match name {
        "ljust" => format!("{text}{}", fill.repeat(space)),
        "rjust" => format!("{}{text}", fill.repeat(space)),
        "center" => center(text, width, fill),
        _ => {
            let sign = text.starts_with(['+', '-']) as usize;
            format!("{}{}{}", &text[..sign], "0".repeat(space), &text[sign..])
        }
    }))
}

/// Text in the middle of `width`; an odd rest goes where Python puts it.
pub(crate) fn center(text: &str, width: usize, fill: &str) -> String {
    let len = char_len(text);
    let space = width.saturating_sub(len);
    let left = space / 2 + (space & width & 1);
    format!("{}{text}{}", fill.repeat(left), fill.repeat(space - left))
}

fn expand_tabs(text: &str, size: i64) -> Result {
    let size = usize::try_from(size).unwrap_or(0);
    check_length(size.saturating_mul(text.len()))?;
    let mut out = String::with_capacity(text.len());
    let mut column = 0;
    for char in text.chars() {
        match char {
            '\t' => {
                let space = if size == 0 { 0 } else { size - column % size };
                out.extend(std::iter::repeat_n(' ', space));
                column += space;
            }
            _ => {
                out.push(char);
                column = if matches!(char, '\n' | '\r') { 0 } else { column + 1 };
            }
        }
    }
    Ok(Value::from(out))
}

/// `translate({ord: text or ord or None})`.
fn translate(text: &str, args: Args) -> Result {
    let [table] = args.required("translate", ["table"])?;
    let Value::Dict(cell) = &table else { return Err(fail("translate() argument must be a mapping")) };
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        let key = crate::jinja::value::Key::new(Value::Int(char as i64))?;
        match cell.borrow().get(&key) {
            None => out.push(char),
            Some(Value::None) => {}
            Some(Value::Int(code)) => out.extend(u32::try_from(*code).ok().and_then(char::from_u32)),
            Some(other) => out.push_str(&other.text()),
        }
        check_length(out.len())?;
    }
    Ok(Value::from(out))
}
