//! Selection methods: one file each, one line each in [`METHODS`].
//!
//! A method gets its value and the scope, and answers with the nodes that the value means. It knows nothing of operators
//! and of tests that come along.

mod access;
mod column;
mod config;
mod exposure;
mod file;
mod fqn;
mod group;
mod kept;
mod package;
mod path;
mod resource_type;
mod result;
mod selector;
mod source;
mod source_status;
mod state;
mod tag;
mod test_name;
mod test_type;
mod unit_test;
mod version;

use serde_json::Value as Json;

use super::eval::Scope;
use super::fnmatch::Pattern;
use super::grammar::Steps;
use super::mask::Mask;
use crate::diag::{Diagnostic, Result, Span, codes};
use crate::node::Node;
use crate::stdx::closest;

pub(super) use result::STATUSES;

/// A selection method.
pub(super) struct Method {
    /// Its name before the `:`.
    pub(super) name: &'static str,
    /// True if more names may follow its own, behind dots.
    pub(super) takes_arguments: bool,
    /// True if tests are among its nodes already and no others come along.
    pub(super) brings_tests: bool,
    /// True if it follows the operators itself, along another graph than that of nodes.
    pub(super) walks: bool,
    /// The nodes that a value means.
    pub(super) find: fn(&Call<'_>, &Scope<'_>) -> Result<Mask>,
}

impl std::fmt::Debug for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// What a method is asked.
pub(super) struct Call<'a> {
    /// Names behind the method's own.
    pub(super) arguments: &'a [String],
    /// The text behind the `:`.
    pub(super) value: &'a str,
    /// The same as YAML spells it, if that is a number or boolean.
    pub(super) typed: Option<&'a Json>,
    /// The operators of the term, for a method that [walks](Method::walks).
    pub(super) steps: Operators,
    /// Where the term stands.
    pub(super) span: &'a Span,
}

/// How far a term walks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Operators {
    /// `@`.
    pub(super) childrens_parents: bool,
    /// `N+` before it.
    pub(super) parents: Option<Steps>,
    /// `+N` behind it.
    pub(super) children: Option<Steps>,
}

/// Every method.
pub(super) static METHODS: &[&Method] = &[
    &FQN,
    &plain("tag", tag::find),
    &plain("group", group::find),
    &plain("access", access::find),
    &plain("source", source::find),
    &PATH,
    &FILE,
    &plain("package", package::find),
    &Method { takes_arguments: true, ..plain("config", config::find) },
    &Method { takes_arguments: true, walks: true, ..plain("column", column::find) },
    &plain("test_name", test_name::find),
    &plain("test_type", test_type::find),
    &plain("resource_type", resource_type::find),
    &plain("state", state::find),
    &plain("result", result::find),
    &plain("source_status", source_status::find),
    &plain("exposure", exposure::find),
    &plain("version", version::find),
    &plain("unit_test", unit_test::find),
    &Method { brings_tests: true, ..plain("selector", selector::find) },
    &plain("metric", kept::find),
    &plain("semantic_model", kept::find),
    &plain("saved_query", kept::find),
];

/// A method without arguments.
const fn plain(name: &'static str, find: fn(&Call<'_>, &Scope<'_>) -> Result<Mask>) -> Method {
    Method { name, takes_arguments: false, brings_tests: false, walks: false, find }
}

pub(super) static FQN: Method = plain("fqn", fqn::find);
pub(super) static PATH: Method = plain("path", path::find);
pub(super) static FILE: Method = plain("file", file::find);

/// The method called `name`.
pub(super) fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name).copied()
}

/// A value that is none of the words that a method knows.
fn unknown_value(call: &Call<'_>, what: &str, known: &[&str]) -> Box<Diagnostic> {
    let near = closest(call.value, known.iter().copied());
    Diagnostic::error(codes::BAD_SELECTOR, format!("there is no {what} `{}`", call.value))
        .label(call.span.clone(), "")
        .maybe_help(near.map(|near| format!("`{near}` was probably meant")))
        .help(format!("it is one of {}", known.join(", ")))
}

/// `name` or `package.name`, both with wildcards: the value of methods for one type of resource.
struct Qualified {
    package: Option<Pattern>,
    name: Pattern,
}

impl Qualified {
    fn read(call: &Call<'_>, what: &str) -> Result<Qualified> {
        let parts: Vec<&str> = call.value.split('.').collect();
        match parts[..] {
            [name] => Ok(Qualified { package: None, name: Pattern::new(name) }),
            [package, name] => Ok(Qualified { package: Some(Pattern::new(package)), name: Pattern::new(name) }),
            _ => Err(Diagnostic::error(codes::BAD_SELECTOR, format!("`{}` names no {what}", call.value))
                .label(call.span.clone(), "too many dots")
                .help("write the name, or package and name with a dot between them")),
        }
    }

    fn matches(&self, node: &Node) -> bool {
        self.package.as_ref().is_none_or(|package| package.matches(&node.package)) && self.name.matches(&node.name)
    }
}
