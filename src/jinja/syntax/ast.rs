//! The tree of a template. It owns everything and is `Send + Sync`; text is kept as ranges of the file.

use std::sync::Arc;

use crate::diag::{SourceFile, Span};

/// A byte range of the file that the tree came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Loc {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Loc {
    /// The range as indexes.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The place in `file`.
    pub fn span(self, file: &Arc<SourceFile>) -> Span {
        Span::new(file, self.range())
    }

    /// From the start of `self` to the end of `other`.
    pub(crate) fn to(self, other: Loc) -> Loc {
        Loc { start: self.start, end: other.end.max(self.start) }
    }
}

/// An expression and its place.
#[derive(Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub at: Loc,
}

/// The forms of expressions.
#[derive(Debug)]
pub enum ExprKind {
    /// `none`.
    None,
    /// `true`, `false`.
    Bool(bool),
    /// `12`.
    Int(i64),
    /// `1.5`.
    Float(f64),
    /// `'text'`, escapes resolved, neighbours joined.
    Str(Arc<str>),
    /// `name`.
    Name(Arc<str>),
    /// `[a, b]`.
    List(Vec<Expr>),
    /// `(a, b)` or `a, b`.
    Tuple(Vec<Expr>),
    /// `{k: v}`.
    Dict(Vec<(Expr, Expr)>),
    /// `not a`.
    Not(Box<Expr>),
    /// `-a`.
    Neg(Box<Expr>),
    /// `+a`.
    Pos(Box<Expr>),
    /// Operators of one precedence, from left to right.
    Binary(Box<Expr>, Vec<(BinaryOp, Expr)>),
    /// `a and b and c`.
    And(Vec<Expr>),
    /// `a or b or c`.
    Or(Vec<Expr>),
    /// `a < b <= c`: true if every neighbouring pair is.
    Compare(Box<Expr>, Vec<(CompareOp, Expr)>),
    /// `a ~ b ~ c`.
    Concat(Vec<Expr>),
    /// `then if condition else other`.
    IfElse(Box<IfElse>),
    /// `a.name`.
    Attr(Box<Expr>, Arc<str>),
    /// `a[index]`.
    Item(Box<Expr>, Box<Expr>),
    /// `a[start:stop:step]`.
    Slice(Box<Slice>),
    /// `f(..)`.
    Call(Box<Call>),
    /// `a | name(..)`.
    Filter(Box<Filter>),
    /// `a is name(..)`.
    Test(Box<Test>),
}

/// `then if condition else other`.
#[derive(Debug)]
pub struct IfElse {
    /// Value if the condition holds.
    pub then: Expr,
    /// The condition.
    pub condition: Expr,
    /// Value otherwise; without it the result is undefined.
    pub other: Option<Expr>,
}

/// `base[start:stop:step]`.
#[derive(Debug)]
pub struct Slice {
    /// What is cut.
    pub base: Expr,
    /// First index.
    pub start: Option<Expr>,
    /// One past the last index.
    pub stop: Option<Expr>,
    /// Stride.
    pub step: Option<Expr>,
}

/// `callee(args)`.
#[derive(Debug)]
pub struct Call {
    /// What is called.
    pub callee: Expr,
    /// With what.
    pub args: Vec<Arg>,
}

/// An argument of a call, a filter or a test.
#[derive(Debug)]
pub enum Arg {
    /// `value`.
    Positional(Expr),
    /// `name=value`.
    Keyword(Arc<str>, Expr),
    /// `*values`.
    Splat(Expr),
    /// `**mapping`.
    KeywordSplat(Expr),
}

/// One filter; several of them nest.
#[derive(Debug)]
pub struct Filter {
    /// What goes in; absent for the first filter of a block.
    pub input: Option<Expr>,
    /// Its name, dots included.
    pub name: Arc<str>,
    /// Where the name stands.
    pub name_at: Loc,
    /// Further arguments.
    pub args: Vec<Arg>,
}

/// `input is [not] name(args)`.
#[derive(Debug)]
pub struct Test {
    /// What is tested.
    pub input: Expr,
    /// Name of the test.
    pub name: Arc<str>,
    /// Where the name stands.
    pub name_at: Loc,
    /// Arguments of the test.
    pub args: Vec<Arg>,
    /// `is not`.
    pub negated: bool,
}

/// Arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `//`
    FloorDiv,
    /// `%`
    Mod,
    /// `**`
    Pow,
}

/// Comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompareOp {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `in`
    In,
    /// `not in`
    NotIn,
}

/// A statement.
#[derive(Debug)]
pub enum Stmt {
    /// Text of the file, copied as it is.
    Text(Loc),
    /// `{{ expression }}`, with the place of the whole tag.
    Emit(Expr, Loc),
    /// `{% for %}`.
    For(Arc<For>),
    /// `{% if %}`.
    If(Box<If>),
    /// `{% set target = value %}`.
    Set(Target, Expr),
    /// `{% set target | filters %}body{% endset %}`.
    SetBlock(Box<SetBlock>),
    /// `{% with a = 1, b = 2 %}`: later values do not see earlier targets, as in Jinja2.
    With(Box<With>),
    /// `{% filter upper %}`.
    FilterBlock(Box<FilterBlock>),
    /// `{% call(args) f() %}`.
    CallBlock(Box<CallBlock>),
    /// A macro inside a template or a macro.
    Macro(Arc<Macro>),
    /// `{% do expression %}`.
    Do(Expr),
    /// `{% break %}`.
    Break,
    /// `{% continue %}`.
    Continue,
}

/// What `set`, `for` and `with` assign to.
#[derive(Debug)]
pub enum Target {
    /// A name.
    Name(Arc<str>, Loc),
    /// An attribute of a namespace: `ns.total`.
    Attr(Arc<str>, Arc<str>, Loc),
    /// Names that a sequence is unpacked into.
    Tuple(Vec<Target>, Loc),
}

/// `{% for target in iter if condition recursive %}body{% else %}otherwise{% endfor %}`.
#[derive(Debug)]
pub struct For {
    /// What each item is bound to.
    pub target: Target,
    /// What is walked.
    pub iter: Expr,
    /// Items for which it does not hold are left out.
    pub condition: Option<Expr>,
    /// True if `loop(..)` may be called.
    pub recursive: bool,
    /// Run for each item.
    pub body: Vec<Stmt>,
    /// Run if there was no item.
    pub otherwise: Vec<Stmt>,
    /// True if the name `loop` occurs in the body.
    pub uses_loop: bool,
}

/// `{% if %}{% elif %}{% else %}{% endif %}`.
#[derive(Debug)]
pub struct If {
    /// Conditions and their bodies, in order.
    pub branches: Vec<(Expr, Vec<Stmt>)>,
    /// Without a condition; may be empty.
    pub otherwise: Vec<Stmt>,
}

/// `{% set x %}body{% endset %}`.
#[derive(Debug)]
pub struct SetBlock {
    /// What the text is bound to.
    pub target: Target,
    /// Filters that the text goes through; the innermost has no input.
    pub filter: Option<Expr>,
    /// What makes the text.
    pub body: Vec<Stmt>,
}

/// `{% with %}`.
#[derive(Debug)]
pub struct With {
    /// Targets and values.
    pub assignments: Vec<(Target, Expr)>,
    /// Sees the targets.
    pub body: Vec<Stmt>,
}

/// `{% filter %}`.
#[derive(Debug)]
pub struct FilterBlock {
    /// Filters that the text goes through; the innermost has no input.
    pub filter: Expr,
    /// What makes the text.
    pub body: Vec<Stmt>,
}

/// `{% call(params) callee(args) %}body{% endcall %}`.
#[derive(Debug)]
pub struct CallBlock {
    /// What is called.
    pub call: Call,
    /// Where the call stands.
    pub at: Loc,
    /// The body, as the macro `caller`.
    pub caller: Arc<Macro>,
}

/// What sort of block made a macro.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MacroKind {
    /// `{% macro %}`.
    Macro,
    /// `{% test %}`.
    Test,
    /// `{% materialization %}`.
    Materialization,
    /// The body of a `{% call %}`.
    Caller,
}

/// A parameter of a macro.
#[derive(Debug)]
pub struct Param {
    /// Its name.
    pub name: Arc<str>,
    /// Evaluated at each call that does not give it.
    pub default: Option<Expr>,
    /// Where the name stands.
    pub at: Loc,
}

/// A macro of whatever kind.
#[derive(Debug)]
pub struct Macro {
    /// Its name: `test_unique` for a test, `materialization_table_default` for a materialization.
    pub name: Arc<str>,
    /// The package that it belongs to; empty for macros inside templates.
    pub package: Arc<str>,
    /// What sort of block made it.
    pub kind: MacroKind,
    /// Where it was written.
    pub file: Arc<SourceFile>,
    /// The whole block.
    pub at: Loc,
    /// Its name in the block.
    pub name_at: Loc,
    /// Parameters in order.
    pub params: Vec<Param>,
    /// What it renders.
    pub body: Vec<Stmt>,
    /// It takes any further positional arguments.
    pub uses_varargs: bool,
    /// It takes any further keyword arguments.
    pub uses_kwargs: bool,
    /// It may be used with `{% call %}`.
    pub uses_caller: bool,
    /// `supported_languages` of a materialization.
    pub languages: Vec<String>,
}

impl Macro {
    /// The place of its name.
    pub fn name_span(&self) -> Span {
        self.name_at.span(&self.file)
    }

    /// The place of the whole block.
    pub fn span(&self) -> Span {
        self.at.span(&self.file)
    }

    /// The text of the whole block.
    pub fn raw(&self) -> &str {
        self.file.text.get(self.at.range()).unwrap_or("")
    }
}

/// A template that can be rendered any number of times, by any thread.
#[derive(Debug)]
pub struct Template {
    /// The file that it was read from.
    pub file: Arc<SourceFile>,
    /// What it renders.
    pub body: Vec<Stmt>,
    /// True if it has no tag at all: the text is its own rendering.
    pub plain: bool,
}
