//! YAML selectors: `selectors.yml`.
//!
//! A definition is a word (`tag:nightly+`, one term, taken whole), a pair (`tag: nightly`), a full term (`method`, `value`
//! and operators by name), or a `union` or `intersection` of definitions, the last of which may be an `exclude`. The term
//! `method: selector` stands for what another definition selects. Operators by name are those of the command line.

use super::Indirect;
use super::fnmatch::Pattern;
use super::grammar::{self, Expr, Op, Steps, Term};
use crate::diag::{Diagnostic, Diagnostics, Result, Span, codes};
use crate::manifest::Manifest;
use crate::project::check_keys;
use crate::project::yaml::{Kind, Yaml};
use crate::stdx::closest;

/// Keys of a definition.
pub(crate) const TERM_KEYS: &[&str] = &[
    "method",
    "value",
    "childrens_parents",
    "parents",
    "parents_depth",
    "children",
    "children_depth",
    "indirect_selection",
    "exclude",
];

/// What a project says of one of its selectors.
#[derive(Debug, Clone)]
pub struct SelectorInfo {
    /// Its name.
    pub name: String,
    /// Its description, if it has one.
    pub description: Option<String>,
    /// True if it is used when nothing else is asked for.
    pub is_default: bool,
    /// Its entry, without places.
    pub entry: serde_json::Value,
}

/// The selectors of the project, in the order of the file. An entry without a name is left out.
pub fn list_selectors(manifest: &Manifest) -> Vec<SelectorInfo> {
    named(manifest)
        .map(|(name, entry)| SelectorInfo {
            name,
            description: entry.get("description").and_then(Yaml::scalar).map(Into::into),
            is_default: is_default(entry).unwrap_or(false),
            entry: entry.to_json(),
        })
        .collect()
}

/// Reads every selector and reports what is wrong with any: C2009 for what cannot be read, C1003 for unknown keys.
pub fn check_selectors(manifest: &Manifest, diagnostics: &mut Diagnostics) {
    for entry in entries(manifest) {
        check_keys(entry, &["name", "description", "default", "definition"], "a selector", diagnostics);
        if let Some(definition) = entry.get("definition") {
            check_term_keys(definition, diagnostics);
        }
        match entry.get("name").and_then(Yaml::scalar) {
            Some(name) => {
                let read = definition(manifest, &name, &entry.span, Indirect::default());
                if let Some(expr) = diagnostics.take(read) {
                    diagnostics.take(check_references(manifest, &expr, &mut vec![name.to_string()]));
                }
            }
            None => diagnostics.push(wrong(entry, "a selector has no name").help("every selector has a `name:`")),
        }
    }
    diagnostics.take(default_selector(manifest));
}

/// The name of the default selector, if there is one.
///
/// # Errors
/// C2009 if there are two.
pub(super) fn default_selector(manifest: &Manifest) -> Result<Option<String>> {
    let mut found: Option<(String, &Yaml)> = None;
    for (name, entry) in named(manifest) {
        if !is_default(entry)? {
            continue;
        }
        if let Some((first, place)) = &found {
            return Err(wrong(entry, format!("`{first}` and `{name}` are both the default selector"))
                .label(place.span.clone(), "the other one")
                .help("only one selector may say `default: true`"));
        }
        found = Some((name, entry));
    }
    Ok(found.map(|(name, _)| name))
}

/// The definition of the selector called `name`; `span` is where it is asked for, `mode` the mode of terms without one.
///
/// # Errors
/// C1010 if there is no such selector, C2009 if it cannot be read.
pub(super) fn definition(manifest: &Manifest, name: &str, span: &Span, mode: Indirect) -> Result<Expr> {
    let Some((_, entry)) = named(manifest).find(|(other, _)| other == name) else {
        let names: Vec<String> = named(manifest).map(|(name, _)| name).collect();
        let near = closest(name, names.iter().map(String::as_str));
        return Err(Diagnostic::error(codes::BAD_ARGUMENT, format!("there is no selector `{name}`"))
            .label(span.clone(), "")
            .maybe_help(near.map(|near| format!("`{near}` was probably meant")))
            .maybe_help(names.is_empty().then_some("selectors are defined in selectors.yml, beside dbt_project.yml")));
    };
    match entry.get("definition") {
        Some(definition) => Reader { mode }.expr(definition),
        None => Err(wrong(entry, format!("selector `{name}` has no definition"))),
    }
}

fn entries(manifest: &Manifest) -> &[Yaml] {
    manifest.selectors.as_ref().map(|file| file.get("selectors").unwrap_or(file).items()).unwrap_or_default()
}

fn named(manifest: &Manifest) -> impl Iterator<Item = (String, &Yaml)> {
    entries(manifest).iter().filter_map(|entry| Some((entry.get("name")?.scalar()?.into_owned(), entry)))
}

fn is_default(entry: &Yaml) -> Result<bool> {
    entry.get("default").map_or(Ok(false), |value| boolean(value, "default"))
}

fn boolean(value: &Yaml, key: &str) -> Result<bool> {
    let text = value.scalar().unwrap_or_default().to_lowercase();
    match text.as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(wrong(value, format!("`{key}` is {}", value.describe())).help("it is `true` or `false`")),
    }
}

fn wrong(place: &Yaml, message: impl Into<String>) -> Box<Diagnostic> {
    Diagnostic::error(codes::BAD_SELECTOR, message).label(place.span.clone(), "")
}

fn check_term_keys(definition: &Yaml, diagnostics: &mut Diagnostics) {
    if definition.key("method").is_some() && definition.entries().len() > 1 {
        check_keys(definition, TERM_KEYS, "a selection term", diagnostics);
    }
    for inner in definition.items().iter().chain(definition.entries().iter().map(|(_, value)| value)) {
        check_term_keys(inner, diagnostics);
    }
}

/// Follows the selectors that `expr` names; `open` are those on the way.
fn check_references(manifest: &Manifest, expr: &Expr, open: &mut Vec<String>) -> Result<()> {
    let term = match expr {
        Expr::Term(term) if term.method.name == "selector" => term,
        Expr::Group { parts, .. } => {
            return parts.iter().try_for_each(|part| check_references(manifest, part, open));
        }
        _ => return Ok(()),
    };
    for name in meant(manifest, &term.value) {
        if open.contains(&name) {
            return Err(refers_to_itself(&name, &term.span));
        }
        let inner = definition(manifest, &name, &term.span, Indirect::default())?;
        open.push(name);
        check_references(manifest, &inner, open)?;
        open.pop();
    }
    Ok(())
}

/// The names that fit `text`, which may have wildcards; `text` itself if none does.
pub(super) fn meant(manifest: &Manifest, text: &str) -> Vec<String> {
    let pattern = Pattern::new(text);
    let names: Vec<String> = named(manifest).map(|(name, _)| name).filter(|name| pattern.matches(name)).collect();
    if names.is_empty() { vec![text.to_string()] } else { names }
}

/// A selector that leads back to itself.
pub(super) fn refers_to_itself(name: &str, span: &Span) -> Box<Diagnostic> {
    Diagnostic::error(codes::BAD_SELECTOR, format!("selector `{name}` refers to itself"))
        .label(span.clone(), "leads back to where it started")
}

/// Reads definitions.
struct Reader {
    /// The mode of terms that do not name one.
    mode: Indirect,
}

impl Reader {
    fn expr(&self, definition: &Yaml) -> Result<Expr> {
        match &definition.kind {
            Kind::Str(text) => {
                grammar::parse_term(text, definition.span.clone(), self.mode).map(|term| Expr::Term(Box::new(term)))
            }
            Kind::Map(_) if definition.key("union").is_some() => self.set(definition, "union", Op::Union),
            Kind::Map(_) if definition.key("intersection").is_some() => {
                self.set(definition, "intersection", Op::Intersection)
            }
            Kind::Map(_) => self.mapping(definition),
            _ => Err(wrong(definition, format!("a selection is {}", definition.describe()))
                .help("write `tag:nightly+`, `tag: nightly`, or `method:` and `value:`; several go under `union:`")),
        }
    }

    /// `union:` or `intersection:`
    fn set(&self, definition: &Yaml, key: &str, op: Op) -> Result<Expr> {
        if let Some((other, _)) = definition.entries().iter().find(|(other, _)| other.name != key) {
            return Err(Diagnostic::error(codes::BAD_SELECTOR, format!("`{}` stands beside `{key}`", other.name))
                .label(other.span.clone(), "")
                .help(format!("put it into the list under `{key}:`")));
        }
        let mut parts = Vec::new();
        let mut excluded: Option<Expr> = None;
        for part in self.list(definition, key)? {
            if part.entries().len() == 1 && part.key("exclude").is_some() {
                if excluded.is_some() {
                    return Err(wrong(part, format!("there are two `exclude` in one `{key}`"))
                        .help("one `exclude` takes a list"));
                }
                excluded = Some(self.union(part, "exclude")?);
            } else {
                parts.push(self.expr(part)?);
            }
        }
        Ok(without(group(op, parts), excluded))
    }

    fn union(&self, definition: &Yaml, key: &str) -> Result<Expr> {
        let parts = self.list(definition, key)?.iter().map(|part| self.expr(part)).collect::<Result<Vec<Expr>>>()?;
        Ok(group(Op::Union, parts))
    }

    fn list<'a>(&self, definition: &'a Yaml, key: &str) -> Result<&'a [Yaml]> {
        match definition.get(key) {
            Some(Yaml { kind: Kind::Seq(items), .. }) => Ok(items),
            Some(other) => Err(wrong(other, format!("`{key}` is {}", other.describe())).help("it is a list")),
            None => Err(wrong(definition, format!("`{key}` is empty")).help("it is a list")),
        }
    }

    /// `tag: nightly`, or `method:`, `value:` and operators.
    fn mapping(&self, definition: &Yaml) -> Result<Expr> {
        let pair = match definition.entries() {
            [(key, value)] if !TERM_KEYS.contains(&key.name.as_str()) => Some((key, value)),
            _ => None,
        };
        if let Some((key, value)) = pair {
            return self.term(definition, &key.name, &key.span, value);
        }
        let (Some(method), Some(value)) = (definition.get("method"), definition.get("value")) else {
            return Err(wrong(definition, "a selection has no `method` or no `value`")
                .help("write `method: tag` and `value: nightly`, or `tag: nightly`"));
        };
        let name = method
            .scalar()
            .ok_or_else(|| wrong(method, format!("`method` is {}", method.describe())).help("it is a word"))?;
        let included = self.term(definition, &name, &method.span, value)?;
        let excluded = definition.get("exclude").map(|_| self.union(definition, "exclude")).transpose()?;
        Ok(without(included, excluded))
    }

    fn term(&self, definition: &Yaml, name: &str, name_span: &Span, value: &Yaml) -> Result<Expr> {
        let text = value
            .scalar()
            .ok_or_else(|| wrong(value, format!("the value of `{name}` is {}", value.describe())))?
            .into_owned();
        let (method, arguments) = grammar::find_method(name, name_span)?;
        let flag = |key: &str| definition.get(key).map_or(Ok(false), |value| boolean(value, key));
        let steps = |key: &str, depth: &str| match flag(key)? {
            true => self.depth(definition, depth).map(Some),
            false => Ok(None),
        };
        let term = Term {
            childrens_parents: flag("childrens_parents")?,
            parents: steps("parents", "parents_depth")?,
            children: steps("children", "children_depth")?,
            method,
            arguments,
            typed: (!matches!(value.kind, Kind::Str(_))).then(|| value.to_json()),
            value: text,
            indirect: self.indirect(definition)?,
            span: value.span.clone(),
        };
        if term.childrens_parents && term.children.is_some() {
            return Err(wrong(definition, "`childrens_parents` and `children` do not go together")
                .help("`childrens_parents` includes the children already"));
        }
        Ok(Expr::Term(Box::new(term)))
    }

    fn depth(&self, definition: &Yaml, key: &str) -> Result<Steps> {
        let Some(value) = definition.get(key) else { return Ok(Steps::All) };
        let text = value.scalar().unwrap_or_default();
        text.parse().map(Steps::Most).map_err(|_| {
            wrong(value, format!("`{key}` is no number of steps"))
                .help("it is a whole number; leave it out for all steps")
        })
    }

    fn indirect(&self, definition: &Yaml) -> Result<Indirect> {
        let Some(value) = definition.get("indirect_selection") else { return Ok(self.mode) };
        let text = value.scalar().unwrap_or_default();
        Indirect::parse(&text).ok_or_else(|| {
            wrong(value, format!("`{text}` is no mode of indirect selection"))
                .help(format!("it is one of {}", Indirect::NAMES.map(|(name, _)| name).join(", ")))
        })
    }
}

/// Sets of YAML selectors do not take in tests by themselves; their terms do.
fn group(op: Op, parts: Vec<Expr>) -> Expr {
    Expr::Group { op, parts, indirect: Indirect::Eager, origin: None }
}

fn without(included: Expr, excluded: Option<Expr>) -> Expr {
    match excluded {
        Some(excluded) => group(Op::Difference, vec![included, excluded]),
        None => included,
    }
}
