//! Templates: dbt's Jinja, with Python's manners and places for everything.
//!
//! SQL files are Jinja2 templates. What projects write in them leans on Python: lists that change in place
//! (`{% do x.append(1) %}`), dicts that keep their order, `str()` of nested values, `%` and `.format`, macros that return
//! real values. A template engine whose values are immutable cannot give that, so this one is our own, from the text up:
//!
//! | step | where | in -> out |
//! |---|---|---|
//! | blocks | [`blocks`] | a file -> its macros, tests, materializations, snapshots, docs |
//! | parse | [`syntax`] | text -> an owned tree with byte ranges; `Send + Sync`, parsed once, rendered often |
//! | calls | [`mod@calls`] | tree -> what it calls, without running it |
//! | render | [`Interpreter`] | tree + [`Environment`] + [`Context`] -> text with a [`SourceMap`], or a diagnostic |
//!
//! The grammar is Jinja2's with its extensions `do` and loop controls. Its corners are kept where projects stand in
//! them: unknown escapes in strings keep their backslash (`'\d'` in regular expressions), `{% do %}` takes any
//! expression, `{{ a, b }}` is a tuple, a sign binds tighter than a filter.
//!
//! **Values** ([`Value`]) live for one rendering on one thread and are shared by `Rc`; data crosses the border as
//! [`serde_json::Value`]. What the program offers (`ref`, `adapter`, relations, query results) implements [`Object`], or
//! is a function that gets the interpreter, so that it can call macros back.
//!
//! **Names** are looked up in this order: variables; macros of the node's package and of the root project (they may
//! replace what the context has, as in dbt); the [`Context`]; built-in macros; macros of the package of the running
//! macro; package namespaces; functions that every template has. A macro does not see variables of its caller.
//!
//! **Undefined** is dbt's: a name that is not there writes nothing, its attributes and calls are errors; while dbt
//! parses, they are undefined as well ([`Options::lenient`]).
//!
//! **Return.** `return(x)` is a [`Stop`] that unwinds to the call of the macro. Everything that can fail gives a `Stop`;
//! the interpreter adds the place of the innermost expression and the chain of macro calls.
//!
//! **Limits.** Templates are code that strangers write. Steps, depth, native stack, size of values and of the output are
//! bounded ([`Limits`]); trees are flat where texts are long; values are dropped without recursion.

pub mod blocks;
mod builtin;
pub mod calls;
pub mod context;
pub mod env;
mod filters;
mod format;
mod functions;
mod interp;
mod limits;
mod methods;
mod modules;
pub mod output;
mod predicates;
pub mod stop;
pub mod syntax;
mod templates;
pub mod value;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use blocks::{Block, BlockKind, Blocks, parse_blocks};
pub use builtin::BUILTIN_FOLDER;
pub use calls::{StaticCall, calls, calls_of_macro};
pub use context::{
    Adapter, AdapterColumn, BatchTimes, Captured, LogLine, NodeContext, Overrides, QueryTable, RelationValue, Resolved,
    Vars, World,
};
pub use env::{BUILTIN_PACKAGE, Context, Environment, NoContext};
pub use interp::{Interpreter, Options};
pub use limits::{Limits, STACK_SIZE};
pub use output::{Origin, Rendered, SourceMap};
pub use stop::{Result, Stop, fail};
pub use syntax::ast::{Loc, Macro, MacroKind, Template};
pub use templates::{
    SnapshotBlock, Templates, docs_blocks, literal_references, render_description, render_profile, render_yaml,
    snapshot_blocks,
};
pub use value::{Args, Function, Key, MacroValue, Map, Object, Value};

#[cfg(feature = "engine")]
pub(crate) use context::within;
pub(crate) use context::{EPHEMERAL_PREFIX, cte_name, node_json};
pub(crate) use interp::compared;

use crate::diag::SourceFile;

/// Parses all of `file` as a template.
pub fn parse_template(file: &Arc<SourceFile>) -> crate::diag::Result<Template> {
    syntax::parser::parse_template(file)
}

/// Parses all of `file` as one expression, without tags around it.
pub fn parse_expression(file: &Arc<SourceFile>) -> crate::diag::Result<syntax::ast::Expr> {
    syntax::parser::parse_expression(file)
}

/// The value of a literal, if the text is one.
pub(crate) fn constant(text: &str) -> Option<Value> {
    let expr = parse_expression(&SourceFile::new("", text)).ok()?;
    calls::constant(&expr)
}
