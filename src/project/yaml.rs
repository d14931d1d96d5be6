//! YAML with places.
//!
//! A tree whose every key and value knows its span, so that an unknown key or a bad value can be pointed at. Plain
//! scalars are resolved by the YAML 1.1 rules that dbt's reader (PyYAML) follows: `yes`/`no`/`on`/`off` are booleans,
//! `~` is null, `0o`-less octals and `1_000` are integers; a date stays a string. Merge keys (`<<`) and aliases work.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};
use serde_json::Value as Json;

use crate::diag::{Diagnostic, Diagnostics, Result, SourceFile, Span, codes};

/// Nesting and expansion limits: a properties file that is deeper or larger is an attack or an accident.
const MAX_DEPTH: usize = 100;
const MAX_NODES: usize = 1_000_000;

/// A value and where it stands.
#[derive(Debug, Clone)]
pub struct Yaml {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub span: Span,
    /// The template that it was before rendering; none for a value that stands in the file as it is.
    pub template: Option<Box<str>>,
}

/// The kinds of value.
#[derive(Debug, Clone)]
pub enum Kind {
    /// `null`, `~` or nothing.
    Null,
    /// `true`, `yes`, `on`, ...
    Bool(bool),
    /// An integer that fits.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Str(String),
    /// A sequence.
    Seq(Vec<Yaml>),
    /// A mapping, in the order of the file; a key stands once.
    Map(Vec<(Key, Yaml)>),
}

/// A key of a mapping.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its text (numbers and booleans are keys by their text).
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

impl Yaml {
    /// Reads the first document of `file`; an empty file is null. Duplicate keys are reported and the last one wins.
    pub fn parse(file: &Arc<SourceFile>, diagnostics: &mut Diagnostics) -> Option<Yaml> {
        diagnostics
            .take(Builder::new(file).and_then(|mut builder| {
                let root = builder.document()?;
                Ok((root, builder.found))
            }))
            .map(|(root, found)| {
                diagnostics.extend(found);
                root
            })
    }

    /// A value that stands at `span` as it is.
    pub fn new(kind: Kind, span: Span) -> Yaml {
        Yaml { kind, span, template: None }
    }

    /// A null at the start of `file`.
    pub fn null(file: &Arc<SourceFile>) -> Yaml {
        Yaml::new(Kind::Null, Span::start_of(file))
    }

    /// True for null.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// The entries of a mapping; none for anything else.
    pub fn entries(&self) -> &[(Key, Yaml)] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a sequence; none for anything else.
    pub fn items(&self) -> &[Yaml] {
        match &self.kind {
            Kind::Seq(items) => items,
            _ => &[],
        }
    }

    /// The value under `name`, unless it is null.
    pub fn get(&self, name: &str) -> Option<&Yaml> {
        self.entries().iter().find(|(key, _)| key.name == name).map(|(_, value)| value).filter(|value| !value.is_null())
    }

    /// The key called `name`.
    pub fn key(&self, name: &str) -> Option<&Key> {
        self.entries().iter().map(|(key, _)| key).find(|key| key.name == name)
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The text of any scalar but null.
    pub fn scalar(&self) -> Option<Cow<'_, str>> {
        match &self.kind {
            Kind::Str(text) => Some(Cow::Borrowed(text)),
            Kind::Bool(value) => Some(Cow::Borrowed(if *value { "True" } else { "False" })),
            Kind::Int(value) => Some(Cow::Owned(value.to_string())),
            Kind::Float(_) => Some(Cow::Borrowed(self.span.text())),
            _ => None,
        }
    }

    /// The boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self.kind {
            Kind::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// What kind of thing it is, in words for a message.
    pub fn describe(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "a boolean",
            Kind::Int(_) | Kind::Float(_) => "a number",
            Kind::Str(_) => "a string",
            Kind::Seq(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }

    /// The same value without places, templates in it as they were before rendering.
    pub fn as_written(&self) -> Json {
        match (&self.template, &self.kind) {
            (Some(template), _) => Json::String(template.to_string()),
            (None, Kind::Seq(items)) => Json::Array(items.iter().map(Yaml::as_written).collect()),
            (None, Kind::Map(entries)) => {
                Json::Object(entries.iter().map(|(key, value)| (key.name.clone(), value.as_written())).collect())
            }
            (None, _) => self.to_json(),
        }
    }

    /// The same value without places.
    pub fn to_json(&self) -> Json {
        match &self.kind {
            Kind::Null => Json::Null,
            Kind::Bool(value) => Json::Bool(*value),
            Kind::Int(value) => Json::from(*value),
            Kind::Float(value) => serde_json::Number::from_f64(*value).map_or(Json::Null, Json::Number),
            Kind::Str(text) => Json::String(text.clone()),
            Kind::Seq(items) => Json::Array(items.iter().map(Yaml::to_json).collect()),
            Kind::Map(entries) => {
                Json::Object(entries.iter().map(|(key, value)| (key.name.clone(), value.to_json())).collect())
            }
        }
    }

    /// A string, or a list of strings, as a list.
    pub fn string_list(&self) -> Option<Vec<String>> {
        match &self.kind {
            Kind::Seq(items) => items.iter().map(|item| item.scalar().map(Cow::into_owned)).collect(),
            _ => self.scalar().map(|text| vec![text.into_owned()]),
        }
    }
}

/// Builds the tree from the events of the parser.
struct Builder<'a> {
    file: &'a Arc<SourceFile>,
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    /// Byte offset of each character, if the file is not ASCII (the parser counts characters).
    offsets: Option<Vec<u32>>,
    anchors: HashMap<usize, Yaml>,
    nodes: usize,
    found: Diagnostics,
}

type Next<'a> = (Event<'a>, Range<usize>);

impl<'a> Builder<'a> {
    fn new(file: &'a Arc<SourceFile>) -> Result<Builder<'a>> {
        let text = file.text.as_str();
        let offsets = (!text.is_ascii()).then(|| {
            let mut offsets: Vec<u32> = text.char_indices().map(|(at, _)| at as u32).collect();
            offsets.push(text.len() as u32);
            offsets
        });
        let parser = Parser::new_from_str(text);
        Ok(Builder { file, parser, offsets, anchors: HashMap::new(), nodes: 0, found: Diagnostics::default() })
    }

    fn byte(&self, index: usize) -> usize {
        match &self.offsets {
            Some(offsets) => offsets.get(index).or(offsets.last()).copied().unwrap_or(0) as usize,
            None => index,
        }
    }

    fn next(&mut self) -> Result<Next<'a>> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                let range = self.byte(span.start.index())..self.byte(span.end.index());
                Ok((event, range))
            }
            Some(Err(error)) => Err(self.syntax_error(&error)),
            None => Ok((Event::StreamEnd, self.file.text.len()..self.file.text.len())),
        }
    }

    fn syntax_error(&self, error: &ScanError) -> Box<Diagnostic> {
        let at = self.byte(error.marker().index());
        let tab = self.file.text[..at.min(self.file.text.len())].lines().last().is_some_and(|line| line.contains('\t'));
        let letter = self.file.text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        Diagnostic::error(codes::YAML_SYNTAX, format!("`{}` is no valid YAML: {}", self.file.path, error.info()))
            .label(Span::new(self.file, at..at + letter), "the reader stopped here")
            .maybe_help(if tab { Some("YAML is indented with blanks, not with tabs") } else { cure(error.info()) })
    }

    fn document(&mut self) -> Result<Yaml> {
        loop {
            let (event, range) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
                Event::StreamEnd | Event::DocumentEnd => return Ok(Yaml::null(self.file)),
                event => return self.value(event, range, 0),
            }
        }
    }

    fn value(&mut self, event: Event<'a>, range: Range<usize>, depth: usize) -> Result<Yaml> {
        self.nodes += 1;
        if depth > MAX_DEPTH || self.nodes > MAX_NODES {
            return Err(Diagnostic::error(codes::YAML_SYNTAX, "the file is nested too deeply or too large")
                .label(Span::new(self.file, range), ""));
        }
        let (kind, anchor, end) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_text = style != ScalarStyle::Plain || tag.is_some_and(|tag| tag.suffix == "str");
                let kind = if is_text { Kind::Str(text.into_owned()) } else { resolve_plain(&text) };
                (kind, anchor, range.end)
            }
            Event::SequenceStart(anchor, _) => {
                let (items, end) = self.sequence(depth)?;
                (Kind::Seq(items), anchor, end)
            }
            Event::MappingStart(anchor, _) => {
                let (entries, end) = self.mapping(depth)?;
                (Kind::Map(entries), anchor, end)
            }
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor).cloned().unwrap_or_else(|| Yaml::null(self.file));
                self.nodes += count(&value);
                return Ok(value);
            }
            _ => (Kind::Null, 0, range.end),
        };
        let value = Yaml::new(kind, Span::new(self.file, range.start..end.max(range.end)));
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        Ok(value)
    }

    fn sequence(&mut self, depth: usize) -> Result<(Vec<Yaml>, usize)> {
        let mut items: Vec<Yaml> = Vec::new();
        loop {
            let (event, range) = self.next()?;
            if matches!(event, Event::SequenceEnd | Event::StreamEnd) {
                let end = items.last().map_or(range.end, |last| last.span.end as usize);
                return Ok((items, end));
            }
            items.push(self.value(event, range, depth + 1)?);
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<(Vec<(Key, Yaml)>, usize)> {
        let mut entries: Vec<(Key, Yaml)> = Vec::new();
        let mut merged: Vec<(Key, Yaml)> = Vec::new();
        loop {
            let (event, range) = self.next()?;
            if matches!(event, Event::MappingEnd | Event::StreamEnd) {
                let end = entries.last().map_or(range.end, |(_, last)| last.span.end as usize);
                for (key, value) in merged {
                    if !entries.iter().any(|(other, _)| other.name == key.name) {
                        entries.push((key, value));
                    }
                }
                return Ok((entries, end));
            }
            let key = self.value(event, range, depth + 1)?;
            let (event, range) = self.next()?;
            let value = self.value(event, range, depth + 1)?;
            let name = match &key.kind {
                Kind::Null => String::new(),
                _ => key.scalar().map(Cow::into_owned).ok_or_else(|| {
                    Diagnostic::error(codes::YAML_SYNTAX, format!("a key is {}", key.describe()))
                        .label(key.span.clone(), "a key has to be a word")
                        .help("put quotes around a template that stands alone: \"{{ ... }}\"")
                })?,
            };
            if name == "<<" && matches!(value.kind, Kind::Map(_) | Kind::Seq(_)) {
                let maps = if matches!(value.kind, Kind::Seq(_)) { value.items().to_vec() } else { vec![value] };
                merged.extend(maps.iter().flat_map(|map| map.entries().to_vec()));
                continue;
            }
            self.insert(&mut entries, Key { name, span: key.span }, value);
        }
    }

    fn insert(&mut self, entries: &mut Vec<(Key, Yaml)>, key: Key, value: Yaml) {
        if let Some(at) = entries.iter().position(|(other, _)| other.name == key.name) {
            self.found.push(
                Diagnostic::warning(codes::DUPLICATE_KEY, format!("`{}` stands twice in one mapping", key.name))
                    .label(key.span.clone(), "this one is used")
                    .label(entries[at].0.span.clone(), "this one is ignored"),
            );
            entries.remove(at);
        }
        entries.push((key, value));
    }
}

fn count(value: &Yaml) -> usize {
    match &value.kind {
        Kind::Seq(items) => 1 + items.iter().map(count).sum::<usize>(),
        Kind::Map(entries) => 1 + entries.iter().map(|(_, value)| count(value)).sum::<usize>(),
        _ => 1,
    }
}

/// YAML 1.1 resolution of a plain scalar, as PyYAML's safe loader does it (dates stay strings).
fn resolve_plain(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Kind::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => return Kind::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => return Kind::Bool(false),
        ".inf" | ".Inf" | "+.inf" | "-.inf" | ".nan" | ".NaN" => return Kind::Str(text.to_string()),
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return Kind::Str(text.to_string());
    }
    resolve_number(text).unwrap_or_else(|| Kind::Str(text.to_string()))
}

fn resolve_number(text: &str) -> Option<Kind> {
    let digits: String = text.chars().filter(|c| *c != '_').collect();
    let (sign, body) = match digits.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, digits.strip_prefix('+').unwrap_or(&digits)),
    };
    let radix = |prefix: &str, radix: u32| {
        body.strip_prefix(prefix).and_then(|rest| i64::from_str_radix(rest, radix).ok()).map(|n| Kind::Int(sign * n))
    };
    if let Some(kind) = radix("0x", 16).or_else(|| radix("0b", 2)) {
        return Some(kind);
    }
    if body.len() > 1 && body.starts_with('0') && body.bytes().all(|b| b.is_ascii_digit()) {
        return i64::from_str_radix(body, 8).ok().map(|n| Kind::Int(sign * n));
    }
    if !body.is_empty() && body.bytes().all(|b| b.is_ascii_digit()) {
        return match body.parse::<i64>() {
            Ok(n) => Some(Kind::Int(sign * n)),
            Err(_) => body.parse::<f64>().ok().map(|n| Kind::Float(sign as f64 * n)),
        };
    }
    let is_float = body.contains('.')
        && body.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
        && body.bytes().any(|b| b.is_ascii_digit());
    if is_float { body.parse::<f64>().ok().map(|n| Kind::Float(sign as f64 * n)) } else { None }
}

/// What to do about a mistake in the words of the reader, for the usual ones.
fn cure(problem: &str) -> Option<&'static str> {
    let cures = [
        ("quoted scalar", "a quote that opens a text is not closed"),
        (
            "mapping values are not allowed",
            "a text with `: ` in it stands in quotes; or the line has too many blanks before it",
        ),
        ("flow mapping", "a `{` is not closed, or a text that starts with `{{` has no quotes"),
        ("flow sequence", "a `[` is not closed, or a text that starts with `[` has no quotes"),
        ("block mapping", "keys of one mapping start in the same column"),
    ];
    cures.into_iter().find(|(words, _)| problem.contains(words)).map(|(_, cure)| cure)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Yaml, Diagnostics) {
        let file = SourceFile::new("a.yml", text);
        let mut found = Diagnostics::default();
        let root = Yaml::parse(&file, &mut found).unwrap_or_else(|| Yaml::null(&file));
        (root, found)
    }

    #[test]
    fn scalars_resolve_as_in_yaml_1_1() {
        let (root, _) = parse("[yes, 'yes', 010, 0x1f, 1_000, 1.5, 1e3, 2022-06-01, ~, -3, 1.2.3, .5]");
        let expected = serde_json::json!([true, "yes", 8, 31, 1000, 1.5, "1e3", "2022-06-01", null, -3, "1.2.3", 0.5]);
        assert_eq!(root.to_json(), expected);
    }

    #[test]
    fn keys_know_their_place_in_any_script() {
        let (root, _) = parse("a: 'tình yêu'\nmodels:\n  - nmae: x\n");
        let key = root.get("models").and_then(|models| models.items()[0].key("nmae")).expect("the key");
        assert_eq!(key.span.text(), "nmae");
        assert_eq!(key.span.line_col(), (3, 5));
    }

    #[test]
    fn merge_keys_aliases_and_duplicates() {
        let (root, found) = parse("base: &b {x: 1, y: 2}\nc:\n  <<: *b\n  y: 3\nd: 1\nd: 2\n");
        assert_eq!(root.get("c").map(Yaml::to_json), Some(serde_json::json!({"y": 3, "x": 1})));
        assert_eq!(root.get("d").map(Yaml::to_json), Some(serde_json::json!(2)));
        assert_eq!(found.iter().filter(|d| d.code == codes::DUPLICATE_KEY).count(), 1);
    }

    #[test]
    fn broken_files_are_diagnostics_with_places() {
        for text in ["a: [1, 2", "a:\n\t- b", "{{ x }}: 1", "a: b: c", "\u{0}", "- - - -\n -"] {
            let (_, found) = parse(text);
            assert!(found.has_errors() || !text.contains('['), "{text:?}");
        }
        let (_, found) = parse("a:\n  b: 'x\n");
        assert!(found.has_errors());
    }

    #[test]
    fn an_alias_bomb_is_refused() {
        let mut text = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for level in 1..10 {
            let refs = vec![format!("*a{}", level - 1); 10].join(",");
            text.push_str(&format!("a{level}: &a{level} [{refs}]\n"));
        }
        let (_, found) = parse(&text);
        assert!(found.has_errors());
    }
}
