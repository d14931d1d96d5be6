//! What a template calls, found without running it: `ref('x')`, `source('a', 'b')`, `config(..)`, macros.

use crate::diag::{SourceFile, Span};

use super::syntax::ast::{Arg, Call, Expr, ExprKind, Filter, Loc, Macro, Stmt, Template, Test};
use super::value::{Key, Map, Value};

/// A call that stands in a template.
#[derive(Debug, Clone)]
pub struct StaticCall {
    /// What is called: `ref`, `utils.star`, `adapter.dispatch`.
    pub name: String,
    /// The whole call.
    pub at: Loc,
    /// Positional arguments; absent where they are not literals.
    pub args: Vec<Option<serde_json::Value>>,
    /// Keyword arguments; absent where they are not literals.
    pub keywords: Vec<(String, Option<serde_json::Value>)>,
    /// Where the value of each keyword argument stands.
    pub keyword_places: Vec<Loc>,
    /// It has `*args` or `**kwargs`, so there may be further arguments.
    pub splat: bool,
    /// It runs exactly once whenever the template does: it stands in no branch, loop or inner macro.
    pub always: bool,
}

impl StaticCall {
    /// The place of the call.
    pub fn span(&self, file: &std::sync::Arc<SourceFile>) -> Span {
        self.at.span(file)
    }

    /// All positional arguments, if they are literal texts and there is nothing else.
    pub fn texts(&self) -> Option<Vec<&str>> {
        if self.splat || !self.keywords.is_empty() {
            return None;
        }
        self.args.iter().map(|arg| arg.as_ref().and_then(serde_json::Value::as_str)).collect()
    }
}

/// All calls of a template, in the order of the text.
pub fn calls(template: &Template) -> Vec<StaticCall> {
    calls_in(&template.body)
}

/// All calls in the body and the defaults of a macro.
pub fn calls_of_macro(item: &Macro) -> Vec<StaticCall> {
    let mut walker = Walker { out: Vec::new(), always: true };
    walker.inner_macro(item);
    walker.out
}

fn calls_in(body: &[Stmt]) -> Vec<StaticCall> {
    let mut walker = Walker { out: Vec::new(), always: true };
    walker.body(body);
    walker.out
}

struct Walker {
    out: Vec<StaticCall>,
    always: bool,
}

impl Walker {
    /// Walks what may run any number of times.
    fn perhaps(&mut self, walk: impl FnOnce(&mut Walker)) {
        let always = std::mem::replace(&mut self.always, false);
        walk(self);
        self.always = always;
    }

    fn body(&mut self, body: &[Stmt]) {
        for statement in body {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Text(_) | Stmt::Break | Stmt::Continue => {}
            Stmt::Emit(expr, _) | Stmt::Do(expr) | Stmt::Set(_, expr) => self.expr(expr),
            Stmt::For(item) => {
                self.expr(&item.iter);
                self.perhaps(|walker| {
                    item.condition.iter().for_each(|condition| walker.expr(condition));
                    walker.body(&item.body);
                    walker.body(&item.otherwise);
                });
            }
            Stmt::If(item) => {
                for (index, (condition, body)) in item.branches.iter().enumerate() {
                    if index == 0 {
                        self.expr(condition);
                    } else {
                        self.perhaps(|walker| walker.expr(condition));
                    }
                    self.perhaps(|walker| walker.body(body));
                }
                self.perhaps(|walker| walker.body(&item.otherwise));
            }
            Stmt::SetBlock(item) => {
                self.body(&item.body);
                item.filter.iter().for_each(|filter| self.expr(filter));
            }
            Stmt::With(item) => {
                item.assignments.iter().for_each(|(_, value)| self.expr(value));
                self.body(&item.body);
            }
            Stmt::FilterBlock(item) => {
                self.body(&item.body);
                self.expr(&item.filter);
            }
            Stmt::CallBlock(item) => {
                self.call(&item.call, item.at);
                self.perhaps(|walker| walker.inner_macro(&item.caller));
            }
            Stmt::Macro(item) => self.perhaps(|walker| walker.inner_macro(item)),
        }
    }

    fn inner_macro(&mut self, item: &Macro) {
        item.params.iter().filter_map(|param| param.default.as_ref()).for_each(|default| self.expr(default));
        self.body(&item.body);
    }

    fn all<'a>(&mut self, items: impl IntoIterator<Item = &'a Expr>) {
        items.into_iter().for_each(|item| self.expr(item));
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Call(call) => self.call(call, expr.at),
            ExprKind::List(items) | ExprKind::Tuple(items) | ExprKind::Concat(items) => self.all(items),
            ExprKind::Dict(entries) => self.all(entries.iter().flat_map(|(key, value)| [key, value])),
            ExprKind::Not(inner) | ExprKind::Neg(inner) | ExprKind::Pos(inner) | ExprKind::Attr(inner, _) => {
                self.expr(inner);
            }
            ExprKind::Binary(first, rest) => {
                self.expr(first);
                self.all(rest.iter().map(|(_, item)| item));
            }
            ExprKind::And(items) | ExprKind::Or(items) => {
                self.all(items.first());
                self.perhaps(|walker| walker.all(items.iter().skip(1)));
            }
            ExprKind::Compare(first, rest) => {
                self.expr(first);
                self.all(rest.iter().map(|(_, item)| item));
            }
            ExprKind::IfElse(item) => {
                self.expr(&item.condition);
                self.perhaps(|walker| {
                    walker.expr(&item.then);
                    walker.all(&item.other);
                });
            }
            ExprKind::Item(base, index) => self.all([&**base, &**index]),
            ExprKind::Slice(item) => {
                self.expr(&item.base);
                self.all([&item.start, &item.stop, &item.step].into_iter().flatten());
            }
            ExprKind::Filter(filter) => self.filter(filter),
            ExprKind::Test(test) => self.test(test),
            ExprKind::None
            | ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Str(_)
            | ExprKind::Name(_) => {}
        }
    }

    fn filter(&mut self, filter: &Filter) {
        self.all(&filter.input);
        self.args(&filter.args);
    }

    fn test(&mut self, test: &Test) {
        self.expr(&test.input);
        self.args(&test.args);
    }

    fn args(&mut self, args: &[Arg]) {
        for arg in args {
            let (Arg::Positional(expr) | Arg::Keyword(_, expr) | Arg::Splat(expr) | Arg::KeywordSplat(expr)) = arg;
            self.expr(expr);
        }
    }

    fn call(&mut self, call: &Call, at: Loc) {
        if let Some(name) = dotted(&call.callee) {
            let mut found = StaticCall {
                name,
                at,
                args: Vec::new(),
                keywords: Vec::new(),
                keyword_places: Vec::new(),
                splat: false,
                always: self.always,
            };
            for arg in &call.args {
                match arg {
                    Arg::Positional(expr) => found.args.push(literal(expr)),
                    Arg::Keyword(name, expr) => {
                        found.keywords.push((name.to_string(), literal(expr)));
                        found.keyword_places.push(expr.at);
                    }
                    Arg::Splat(_) | Arg::KeywordSplat(_) => found.splat = true,
                }
            }
            self.out.push(found);
        }
        self.expr(&call.callee);
        self.args(&call.args);
    }
}

/// `a.b.c` as text.
fn dotted(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Name(name) => Some(name.to_string()),
        ExprKind::Attr(base, name) => Some(format!("{}.{name}", dotted(base)?)),
        _ => None,
    }
}

fn literal(expr: &Expr) -> Option<serde_json::Value> {
    constant(expr).and_then(|value| value.to_json().ok())
}

/// The value of an expression made of literals alone.
pub(crate) fn constant(expr: &Expr) -> Option<Value> {
    let all = |items: &[Expr]| items.iter().map(constant).collect::<Option<Vec<Value>>>();
    Some(match &expr.kind {
        ExprKind::None => Value::None,
        ExprKind::Bool(value) => Value::Bool(*value),
        ExprKind::Int(number) => Value::Int(*number),
        ExprKind::Float(number) => Value::Float(*number),
        ExprKind::Str(text) => Value::Str(std::sync::Arc::clone(text)),
        ExprKind::List(items) => Value::list(all(items)?),
        ExprKind::Tuple(items) => Value::tuple(all(items)?),
        ExprKind::Dict(entries) => Value::dict(
            entries
                .iter()
                .map(|(key, value)| Some((Key::new(constant(key)?).ok()?, constant(value)?)))
                .collect::<Option<Map>>()?,
        ),
        ExprKind::Neg(inner) => match constant(inner)? {
            Value::Int(number) => Value::Int(number.checked_neg()?),
            Value::Float(number) => Value::Float(-number),
            _ => return None,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jinja::parse_template;

    #[test]
    fn finds_calls_with_literal_arguments() {
        let text = "{{ config(materialized='table', tags=['a', 'b'], x=y) }}select * from {{ ref('m') }} join {{ source('s', 't') }}\n\
            {% if execute %}{{ utils.star(from=ref('p', 'n', v=-1)) }}{% endif %}{% set q = ref(name) %}{{ f(*args) | map('x', ref('z')) }}";
        let template = parse_template(&SourceFile::new("m.sql", text)).expect("parses");
        let found = calls(&template);
        let shown: Vec<String> = found
            .iter()
            .map(|call| {
                format!("{} {} {}", call.name, call.always, call.texts().map_or("-".into(), |texts| texts.join(",")))
            })
            .collect();
        let expected = [
            "config true -",
            "ref true m",
            "source true s,t",
            "utils.star false -",
            "ref false -",
            "ref true -",
            "f true -",
            "ref true z",
        ];
        assert_eq!(shown, expected);
        assert_eq!(found[0].keywords[1], ("tags".to_string(), Some(serde_json::json!(["a", "b"]))));
        assert_eq!(found[0].keywords[2], ("x".to_string(), None));
        assert_eq!(&text[found[0].keyword_places[2].range()], "y");
        assert_eq!(found[4].keywords, [("v".to_string(), Some(serde_json::json!(-1)))]);
        assert_eq!(&text[found[1].at.range()], "ref('m')");
    }
}
