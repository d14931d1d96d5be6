//! Filters on text. Other values are taken as the text that they write.

use crate::jinja::Interpreter;
use crate::jinja::format::percent_format;
use crate::jinja::methods;
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, Value, char_len, check_length};

use super::{flag, size};

pub(super) fn string(_: &mut Interpreter<'_>, input: Value, _: Args) -> Result {
    Ok(match input {
        Value::Str(_) => input,
        _ => Value::str(input.text()),
    })
}

pub(super) fn upper(_: &mut Interpreter<'_>, input: Value, _: Args) -> Result {
    Ok(Value::from(input.text().to_uppercase()))
}

pub(super) fn lower(_: &mut Interpreter<'_>, input: Value, _: Args) -> Result {
    Ok(Value::from(input.text().to_lowercase()))
}

pub(super) fn capitalize(_: &mut Interpreter<'_>, input: Value, _: Args) -> Result {
    Ok(Value::from(methods::capitalize(&input.text())))
}

/// Jinja2's own: words start after white space, hyphens and opening brackets, not after apostrophes.
pub(super) fn title(_: &mut Interpreter<'_>, input: Value, _: Args) -> Result {
    let mut out = String::new();
    let mut start = true;
    for char in input.text().chars() {
        if char.is_whitespace() || matches!(char, '-' | '(' | '{' | '[' | '<') {
            out.push(char);
            start = true;
        } else if start {
            out.extend(char.to_uppercase());
            start = false;
        } else {
            out.extend(char.to_lowercase());
        }
    }
    Ok(Value::from(out))
}

pub(super) fn trim(_: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [chars] = args.bind("trim", ["chars"])?;
    let chars = chars.filter(|chars| !chars.is_none()).map(|chars| chars.text().into_owned());
    if let Value::Str(text) = &input
        && chars.is_none()
        && text.trim().len() == text.len()
    {
        return Ok(input);
    }
    Ok(Value::str(methods::strip(&input.text(), chars.as_deref(), true, true)))
}

pub(super) fn center(_: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [width] = args.bind("center", ["width"])?;
    let width = size(width, 80, "width")?;
    check_length(width)?;
    Ok(Value::from(methods::center(&input.text(), width, " ")))
}

pub(super) fn replace(_: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [old, new, count] = args.bind("replace", ["old", "new", "count"])?;
    let (Some(old), Some(new)) = (old, new) else { return Err(fail("replace takes an old and a new text")) };
    let count = count.and_then(|count| count.as_int()).unwrap_or(-1);
    methods::replace_text(&input.text(), &old.text(), &new.text(), count).map(Value::from)
}

pub(super) fn format(_: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    if !args.keyword.is_empty() && !args.positional.is_empty() {
        return Err(fail("can't handle positional and keyword arguments at the same time"));
    }
    let values = if args.keyword.is_empty() { Value::tuple(args.positional) } else { Value::dict_of(args.keyword) };
    percent_format(&input.text(), &values).map(Value::from)
}

pub(super) fn indent(_: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [width, first, blank] = args.bind("indent", ["width", "first", "blank"])?;
    let indent = match width {
        Some(Value::Str(text)) => text.to_string(),
        width => {
            let width = size(width, 4, "width")?;
            check_length(width)?;
            " ".repeat(width)
        }
    };
    let (first, blank) = (flag(first, false), flag(blank, false));
    let text = input.text();
    let mut out = String::new();
    let padded = format!("{text}\n");
    for (index, line) in methods::split_lines(&padded, false).into_iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        if (index > 0 || first) && (blank || !line.is_empty() || (index == 0 && first)) {
            out.push_str(&indent);
        }
        out.push_str(line);
        check_length(out.len())?;
    }
    Ok(Value::from(out))
}

pub(super) fn truncate(_: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [length, killwords, end, leeway] = args.bind("truncate", ["length", "killwords", "end", "leeway"])?;
    let length = size(length, 255, "length")?;
    let end = end.map_or_else(|| "...".to_string(), |end| end.text().into_owned());
    let leeway = size(leeway, 5, "leeway")?;
    let text = input.text();
    if char_len(&text) <= length.saturating_add(leeway) {
        return Ok(Value::str(text));
    }
    let keep = length
        .checked_sub(char_len(&end))
        .ok_or_else(|| fail(format!("expected length >= {}, got {length}", char_len(&end))))?;
    let cut: String = text.chars().take(keep).collect();
    let cut = if flag(killwords, false) { &cut } else { cut.rsplit_once(' ').map_or(cut.as_str(), |(head, _)| head) };
    Ok(Value::from(format!("{cut}{end}")))
}

pub(super) fn wordcount(_: &mut Interpreter<'_>, input: Value, _: Args) -> Result {
    let text = input.text();
    let words = text.split(|char: char| char != '_' && !char.is_alphanumeric()).filter(|word| !word.is_empty());
    Ok(Value::from(words.count()))
}

pub(super) fn wordwrap(_: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [width, break_long, wrap, hyphens] =
        args.bind("wordwrap", ["width", "break_long_words", "wrapstring", "break_on_hyphens"])?;
    let width = size(width, 79, "width")?.max(1);
    let wrap = wrap.filter(|wrap| !wrap.is_none()).map_or_else(|| "\n".to_string(), |wrap| wrap.text().into_owned());
    let (break_long, hyphens) = (flag(break_long, true), flag(hyphens, true));
    let text = input.text();
    let lines: Vec<String> = methods::split_lines(&text, false)
        .into_iter()
        .map(|line| wrap_line(line, width, break_long, hyphens).join(&wrap))
        .collect();
    let out = lines.join(&wrap);
    check_length(out.len())?;
    Ok(Value::from(out))
}

/// One line in pieces of at most `width` characters.
fn wrap_line(line: &str, width: usize, break_long: bool, hyphens: bool) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut current = String::new();
    for chunk in chunks(line, hyphens) {
        if char_len(&current) + char_len(&chunk) <= width {
            current.push_str(&chunk);
            continue;
        }
        if !current.trim_end().is_empty() {
            out.push(current.trim_end().to_string());
        }
        current = if chunk.trim().is_empty() { String::new() } else { chunk };
        while break_long && char_len(&current) > width {
            let head: String = current.chars().take(width).collect();
            current = current.chars().skip(width).collect();
            out.push(head);
        }
    }
    if !current.trim_end().is_empty() {
        out.push(current.trim_end().to_string());
    }
    out
}

/// Runs of white space, and words (cut after hyphens if asked for).
fn chunks(line: &str, hyphens: bool) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut space = None;
    for char in line.chars() {
        let is_space = char.is_whitespace();
        let after_hyphen =
            hyphens && out.last().is_some_and(|last| last.len() > 1 && last.ends_with('-')) && char.is_alphabetic();
        match out.last_mut() {
            Some(last) if space == Some(is_space) && !after_hyphen => last.push(char),
            _ => out.push(char.to_string()),
        }
        space = Some(is_space);
    }
    out
}

/// The five characters that HTML reserves.
pub(super) fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&#34;"),
            _ => out.push(char),
        }
    }
    out
}

pub(super) fn escape(_: &mut Interpreter<'_>, input: Value, _: Args) -> Result {
    Ok(Value::from(escape_html(&input.text())))
}

pub(super) fn striptags(_: &mut Interpreter<'_>, input: Value, _: Args) -> Result {
    let text = input.text();
    let mut out = String::new();
    let mut rest = &*text;
    while let Some(open) = rest.find('<') {
        out.push_str(&rest[..open]);
        let close = if rest[open..].starts_with("<!--") {
            rest[open..].find("-->").map(|at| at + 2)
        } else {
            rest[open..].find('>')
        };
        match close {
            Some(close) => rest = &rest[open + close + 1..],
            None => break,
        }
    }
    out.push_str(rest);
    let collapsed = out.split_whitespace().collect::<Vec<_>>().join(" ");
    let plain = collapsed.replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'").replace("&#34;", "\"");
    Ok(Value::from(plain.replace("&quot;", "\"").replace("&amp;", "&")))
}

pub(super) fn xmlattr(_: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [autospace] = args.bind("xmlattr", ["autospace"])?;
    let Value::Dict(cell) = &input else { return Err(fail("xmlattr expects a mapping")) };
    let mut parts = Vec::new();
    for (key, value) in cell.borrow().iter() {
        if !value.is_none() && !value.is_undefined() {
            parts.push(format!("{}=\"{}\"", escape_html(&key.value().text()), escape_html(&value.text())));
        }
    }
    let out = parts.join(" ");
    Ok(Value::from(if flag(autospace, true) && !out.is_empty() { format!(" {out}") } else { out }))
}

pub(super) fn urlencode(_: &mut Interpreter<'_>, input: Value, _: Args) -> Result {
    if matches!(&input, Value::Str(_)) || input.items().is_err() {
        return Ok(Value::from(quote(&input.text(), "/")));
    }
    let pairs = methods::entries_of(&input)?;
    let parts: Vec<String> =
        pairs.iter().map(|(key, value)| format!("{}={}", plus(&key.value().text()), plus(&value.text()))).collect();
    Ok(Value::from(parts.join("&")))
}

fn plus(text: &str) -> String {
    quote(text, "").replace("%20", "+")
}

fn quote(text: &str, safe: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let char = char::from(byte);
        if byte.is_ascii_alphanumeric() || matches!(char, '_' | '.' | '-' | '~') || safe.contains(char) {
            out.push(char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

pub(super) fn filesizeformat(_: &mut Interpreter<'_>, input: Value, args: Args) -> Result {
    let [binary] = args.bind("filesizeformat", ["binary"])?;
    let binary = flag(binary, false);
    let bytes = match &input {
        Value::Str(text) => crate::jinja::value::parse_float(text),
        _ => input.as_float(),
    };
    let bytes = bytes.ok_or_else(|| fail("filesizeformat expects a number"))?;
    let base = if binary { 1024.0 } else { 1000.0 };
    if bytes == 1.0 {
        return Ok(Value::str("1 Byte"));
    }
    if bytes < base {
        return Ok(Value::from(format!("{} Bytes", bytes as i64)));
    }
    let mut value = bytes / base;
    let units = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
    let mut unit = 0;
    while value >= base && unit + 1 < units.len() {
        value /= base;
        unit += 1;
    }
    let name = if binary { format!("{}iB", units[unit].to_uppercase()) } else { format!("{}B", units[unit]) };
    Ok(Value::from(format!("{value:.1} {name}")))
}
