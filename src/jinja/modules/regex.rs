//! `modules.re`, on the `regex` crate: linear time, hence no look-around and no back-references in patterns.

use std::any::Any;
use std::rc::Rc;
use std::sync::Arc;

use ::regex::{Captures, Regex, RegexBuilder};

use super::Native;
use super::matches::matched;
use crate::jinja::Interpreter;
use crate::jinja::functions::iterator;
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, Object, Value, check_items, check_length};

pub(super) const FUNCTIONS: &[(&str, Native)] = &[
    ("compile", |_, args| {
        let [pattern, flags] = args.bind("compile", ["pattern", "flags"])?;
        Ok(Value::object(Pattern(compile(pattern, flags)?)))
    }),
    ("escape", escape),
    ("findall", |interp, args| with_pattern(interp, "findall", args)),
    ("finditer", |interp, args| with_pattern(interp, "finditer", args)),
    ("fullmatch", |interp, args| with_pattern(interp, "fullmatch", args)),
    ("match", |interp, args| with_pattern(interp, "match", args)),
    ("search", |interp, args| with_pattern(interp, "search", args)),
    ("split", |interp, args| with_pattern(interp, "split", args)),
    ("sub", |interp, args| with_pattern(interp, "sub", args)),
    ("subn", |interp, args| with_pattern(interp, "subn", args)),
];

const IGNORECASE: i64 = 2;
const MULTILINE: i64 = 8;
const DOTALL: i64 = 16;
const VERBOSE: i64 = 64;
const ASCII: i64 = 256;

/// Flags.
pub(super) fn constant(name: &str) -> Option<Value> {
    Some(Value::Int(match name {
        "I" | "IGNORECASE" => IGNORECASE,
        "M" | "MULTILINE" => MULTILINE,
        "S" | "DOTALL" => DOTALL,
        "X" | "VERBOSE" => VERBOSE,
        "A" | "ASCII" => ASCII,
        "U" | "UNICODE" => 32,
        _ => return None,
    }))
}

/// A pattern: as the regex crate has it, as it was written, and its flags.
struct Compiled {
    regex: Regex,
    source: Arc<str>,
    flags: i64,
}

fn build(pattern: &str, flags: i64) -> std::result::Result<Regex, ::regex::Error> {
    RegexBuilder::new(pattern)
        .case_insensitive(flags & IGNORECASE != 0)
        .multi_line(flags & MULTILINE != 0)
        .dot_matches_new_line(flags & DOTALL != 0)
        .ignore_whitespace(flags & VERBOSE != 0)
        .build()
}

fn compile(pattern: Option<Value>, flags: Option<Value>) -> Result<Rc<Compiled>> {
    let pattern = pattern.ok_or_else(|| fail("missing required argument: 'pattern'"))?;
    if let Some(pattern) = pattern.as_object::<Pattern>() {
        return Ok(Rc::clone(&pattern.0));
    }
    let Value::Str(text) = &pattern else {
        return Err(fail(format!("first argument must be string or compiled pattern, not {}", pattern.type_name())));
    };
    let flags = flags.and_then(|flags| flags.as_int()).unwrap_or(0);
    let built = build(&translated(text), flags);
    let built = built.map(|regex| Rc::new(Compiled { regex, source: Arc::clone(text), flags }));
    built.map_err(|error| {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or("not a pattern").trim_start_matches("error: ").to_string();
        fail(format!("the pattern {} cannot be used: {reason}", pattern.repr()))
    })
}

/// Python's `\Z` is the end of the text, and its `{` is itself where no count follows.
fn translated(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    let mut in_class = false;
    while let Some(char) = chars.next() {
        match char {
            '[' => in_class = true,
            ']' => in_class = false,
            '{' if !in_class && !is_count(chars.as_str()) => out.push('\\'),
            _ => {}
        }
        out.push(char);
        if char == '\\'
            && let Some(next) = chars.next()
        {
            out.push(if next == 'Z' { 'z' } else { next });
        }
    }
    out
}

/// True for what follows the brace of `{2}`, `{2,}`, `{,3}` and `{2,3}`.
fn is_count(rest: &str) -> bool {
    let Some((count, _)) = rest.split_once('}') else { return false };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    match count.split_once(',') {
        Some((least, most)) => digits(least) && digits(most) && !(least.is_empty() && most.is_empty()),
        None => !count.is_empty() && digits(count),
    }
}

fn escape(_: &mut Interpreter<'_>, args: Args) -> Result {
    let [pattern] = args.required("escape", ["pattern"])?;
    let mut out = String::new();
    for char in pattern.text().chars() {
        if "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}".contains(char) {
            out.push('\\');
        }
        out.push(char);
    }
    Ok(Value::from(out))
}

/// `re.name(pattern, ..)` as `compile(pattern).name(..)`.
fn with_pattern(interp: &mut Interpreter<'_>, name: &str, mut args: Args) -> Result {
    let flags = args.take("flags");
    let pattern = args.take("pattern").or_else(|| (!args.positional.is_empty()).then(|| args.positional.remove(0)));
    let used = match name {
        "sub" | "subn" => 3,
        "split" => 2,
        _ => 1,
    };
    let flags = flags.or_else(|| (args.positional.len() > used).then(|| args.positional.remove(used)));
    let compiled = compile(pattern, flags)?;
    interp.spend(200)?;
    run(interp, &compiled, name, args)
}

struct Pattern(Rc<Compiled>);

impl Object for Pattern {
    fn type_name(&self) -> &str {
        "re.Pattern"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_attr(&self, name: &str) -> Option<Value> {
        match name {
            "pattern" => Some(Value::Str(Arc::clone(&self.0.source))),
            "groups" => Some(Value::from(self.0.regex.captures_len() - 1)),
            _ => None,
        }
    }

    fn methods(&self) -> &[&'static str] {
        &["findall", "finditer", "fullmatch", "match", "search", "split", "sub", "subn"]
    }

    fn call_method(&self, interp: &mut Interpreter<'_>, name: &str, args: Args) -> Result {
        run(interp, &self.0, name, args)
    }

    fn repr(&self) -> String {
        format!("re.compile({})", Value::str(&self.0.source).repr())
    }
}

fn subject(value: Option<Value>) -> Result<Arc<str>> {
    match value {
        Some(Value::Str(text)) => Ok(text),
        Some(Value::Undefined(undefined)) => Err(undefined.error()),
        Some(other) => Err(fail(format!("expected string or bytes-like object, got '{}'", other.type_name()))),
        None => Err(fail("missing required argument: 'string'")),
    }
}

fn run(interp: &mut Interpreter<'_>, compiled: &Compiled, name: &str, args: Args) -> Result {
    let regex = &compiled.regex;
    match name {
        "sub" | "subn" => {
            let [replacement, text, count] = args.bind(name, ["repl", "string", "count"])?;
            let count = count.and_then(|count| count.as_int()).unwrap_or(0);
            let text = subject(text)?;
            let (out, made) = substitute(interp, regex, &text, replacement.unwrap_or(Value::None), count)?;
            Ok(if name == "sub" { out } else { Value::tuple([out, Value::from(made)]) })
        }
        "split" => {
            let [text, limit] = args.bind(name, ["string", "maxsplit"])?;
            let limit = limit.and_then(|limit| limit.as_int()).unwrap_or(0);
            let text = subject(text)?;
            interp.spend(text.len() as u64)?;
            check_items(text.len() / 4)?;
            Ok(Value::list(split(regex, &text, limit)))
        }
        "findall" | "finditer" => {
            let [text] = args.bind(name, ["string"])?;
            let text = subject(text)?;
            interp.spend(text.len() as u64)?;
            check_items(text.len() / 4)?;
            let found: Vec<Value> = regex
                .captures_iter(&text)
                .map(|captures| if name == "findall" { groups_of(&captures) } else { matched(regex, &text, &captures) })
                .collect();
            Ok(if name == "findall" { Value::list(found) } else { iterator("callable_iterator", found) })
        }
        _ => {
            let [text] = args.bind(name, ["string"])?;
            let text = subject(text)?;
            interp.spend(text.len() as u64 / 16)?;
            let found = match name {
                "search" => regex.captures(&text),
                // A match at the start, if there is one, is the leftmost.
                "match" => regex.captures(&text).filter(|found| found.get(0).is_some_and(|all| all.start() == 0)),
                _ => whole(compiled)?.captures(&text),
            };
            Ok(found.map_or(Value::None, |captures| matched(regex, &text, &captures)))
        }
    }
}

/// The same pattern, for the whole text alone.
fn whole(compiled: &Compiled) -> Result<Regex> {
    // The line break ends a comment of a verbose pattern.
    let end = if compiled.flags & VERBOSE != 0 { "\n" } else { "" };
    let pattern = format!(r"\A(?:{}{end})\z", compiled.regex.as_str());
    build(&pattern, compiled.flags).map_err(|_| fail("the pattern cannot be used for fullmatch"))
}

/// What `findall` gives for a match: the match, its only group, or a tuple of its groups.
fn groups_of(captures: &Captures<'_>) -> Value {
    let group = |at: usize| Value::from(captures.get(at).map_or("", |group| group.as_str()));
    match captures.len() {
        1 => group(0),
        2 => group(1),
        len => Value::tuple((1..len).map(group)),
    }
}

fn split(regex: &Regex, text: &str, limit: i64) -> Vec<Value> {
    let limit = if limit <= 0 { usize::MAX } else { limit as usize };
    let mut out = Vec::new();
    let mut last = 0;
    for captures in regex.captures_iter(text).take(limit) {
        let Some(whole) = captures.get(0) else { continue };
        out.push(Value::from(&text[last..whole.start()]));
        out.extend((1..captures.len()).map(|at| Value::from(captures.get(at).map(|group| group.as_str()))));
        last = whole.end();
    }
    out.push(Value::from(&text[last..]));
    out
}

fn substitute(
    interp: &mut Interpreter<'_>,
    regex: &Regex,
    text: &Arc<str>,
    replacement: Value,
    count: i64,
) -> Result<(Value, usize)> {
    let limit = if count <= 0 { usize::MAX } else { count as usize };
    let mut out = String::with_capacity(text.len());
    let (mut last, mut made) = (0, 0);
    interp.spend(text.len() as u64 / 16)?;
    for captures in regex.captures_iter(text).take(limit) {
        let Some(whole) = captures.get(0) else { continue };
        out.push_str(&text[last..whole.start()]);
        match &replacement {
            Value::Str(template) => expand(template, &captures, &mut out)?,
            function if function.is_callable() => {
                let result = interp.call(function, Args::positional([matched(regex, text, &captures)]))?;
                out.push_str(&result.text());
            }
            other => return Err(fail(format!("expected str or a function as replacement, got {}", other.type_name()))),
        }
        check_length(out.len())?;
        last = whole.end();
        made += 1;
    }
    out.push_str(&text[last..]);
    Ok((Value::from(out), made))
}

/// Python's replacement templates: `\1`, `\g<name>`, `\n`.
fn expand(template: &str, captures: &Captures<'_>, out: &mut String) -> Result<()> {
    let mut rest = template;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let digits = after.bytes().take(2).take_while(u8::is_ascii_digit).count();
        if let Some(name) = after.strip_prefix("g<") {
            let end = name.find('>').ok_or_else(|| fail("missing >, unterminated name"))?;
            let group = match name[..end].parse::<usize>() {
                Ok(number) if number < captures.len() => captures.get(number),
                Err(_) => captures.name(&name[..end]),
                Ok(number) => return Err(fail(format!("invalid group reference {number}"))),
            };
            out.push_str(group.map_or("", |group| group.as_str()));
            rest = &name[end + 1..];
        } else if digits > 0 {
            let number: usize = after[..digits].parse().unwrap_or(0);
            if number >= captures.len() {
                return Err(fail(format!("invalid group reference {number}")));
            }
            out.push_str(captures.get(number).map_or("", |group| group.as_str()));
            rest = &after[digits..];
        } else {
            let char = after.chars().next();
            match char {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some('\\') | None => out.push('\\'),
                Some(other) => out.extend(['\\', other]),
            }
            rest = &after[char.map_or(0, char::len_utf8)..];
        }
    }
    out.push_str(rest);
    Ok(())
}
