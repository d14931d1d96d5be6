//! Selection methods: one file each, one line each in [`METHODS`].
//!
//! A method gets its value and the scope, and answers with the nodes that the value means. It knows nothing of operators
//! and of tests that come along.

mod access;
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
    /// Where the term stands.
    pub(super) span: &'a Span,
}

/// Every method.
pub(super) const METHODS: &[&Method] = &[
    &FQN,
    &TAG,
    &GROUP,
    &ACCESS,
    &SOURCE,
    &PATH,
    &FILE,
    &PACKAGE,
    &CONFIG,
    &TEST_NAME,
    &TEST_TYPE,
    &RESOURCE_TYPE,
    &STATE,
    &RESULT,
    &SOURCE_STATUS,
    &EXPOSURE,
    &VERSION,
    &UNIT_TEST,
    &SELECTOR,
    &METRIC,
    &SEMANTIC_MODEL,
    &SAVED_QUERY,
];

pub(super) static FQN: Method = Method { name: "fqn", takes_arguments: false, find: fqn::find };
static TAG: Method = Method { name: "tag", takes_arguments: false, find: tag::find };
static GROUP: Method = Method { name: "group", takes_arguments: false, find: group::find };
static ACCESS: Method = Method { name: "access", takes_arguments: false, find: access::find };
static SOURCE: Method = Method { name: "source", takes_arguments: false, find: source::find };
pub(super) static PATH: Method = Method { name: "path", takes_arguments: false, find: path::find };
pub(super) static FILE: Method = Method { name: "file", takes_arguments: false, find: file::find };
static PACKAGE: Method = Method { name: "package", takes_arguments: false, find: package::find };
static CONFIG: Method = Method { name: "config", takes_arguments: true, find: config::find };
static TEST_NAME: Method = Method { name: "test_name", takes_arguments: false, find: test_name::find };
static TEST_TYPE: Method = Method { name: "test_type", takes_arguments: false, find: test_type::find };
static RESOURCE_TYPE: Method = Method { name: "resource_type", takes_arguments: false, find: resource_type::find };
static STATE: Method = Method { name: "state", takes_arguments: false, find: state::find };
static RESULT: Method = Method { name: "result", takes_arguments: false, find: result::find };
static SOURCE_STATUS: Method = Method { name: "source_status", takes_arguments: false, find: source_status::find };
static EXPOSURE: Method = Method { name: "exposure", takes_arguments: false, find: exposure::find };
static VERSION: Method = Method { name: "version", takes_arguments: false, find: version::find };
static UNIT_TEST: Method = Method { name: "unit_test", takes_arguments: false, find: unit_test::find };
static SELECTOR: Method = Method { name: "selector", takes_arguments: false, find: selector::find };
static METRIC: Method = Method { name: "metric", takes_arguments: false, find: kept::find };
static SEMANTIC_MODEL: Method = Method { name: "semantic_model", takes_arguments: false, find: kept::find };
static SAVED_QUERY: Method = Method { name: "saved_query", takes_arguments: false, find: kept::find };

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
