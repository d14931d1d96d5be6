//! Functions that every template has.

mod data;
mod helpers;
mod iterators;

use super::Interpreter;
use super::stop::{Result, Stop, fail};
use super::value::{Args, Map, Value};

pub(crate) use data::{from_json, to_json_text};
pub(crate) use helpers::Namespace;
pub(crate) use iterators::{iterator, take_items};

type Native = fn(&mut Interpreter<'_>, Args) -> Result;

macro_rules! functions {
    ($($name:literal => $function:path,)*) => {
        /// Names of all functions.
        pub(crate) const NAMES: &[&str] = &[$($name),*];

        fn find(name: &str) -> Option<(&'static str, Native)> {
            Some(match name {
                $($name => ($name, $function as Native),)*
                _ => return None,
            })
        }
    };
}

functions! {
    "cycler" => helpers::cycler,
    "dict" => dict,
    "diff_of_two_dicts" => data::diff_of_two_dicts,
    "fromjson" => data::fromjson,
    "fromyaml" => data::fromyaml,
    "joiner" => helpers::joiner,
    "local_md5" => data::local_md5,
    "namespace" => helpers::namespace,
    "range" => iterators::range,
    "return" => return_value,
    "set" => data::set,
    "set_strict" => data::set_strict,
    "tojson" => data::tojson,
    "toyaml" => data::toyaml,
    "try_or_compiler_error" => try_or_compiler_error,
    "zip" => data::zip,
    "zip_strict" => data::zip_strict,
}

/// The function with this name.
pub(crate) fn lookup(name: &str) -> Option<Value> {
    let (name, function) = find(name)?;
    Some(Value::function(name, function))
}

/// `return(value)`: the macro that is running gives this value.
fn return_value(_: &mut Interpreter<'_>, args: Args) -> Result {
    let [value] = args.bind("return", ["data"])?;
    Err(Stop::Return(Box::new(value.unwrap_or(Value::None))))
}

fn dict(_: &mut Interpreter<'_>, args: Args) -> Result {
    let mut map = match args.positional.as_slice() {
        [] => Map::new(),
        [value] => super::methods::entries_of(value)?,
        more => return Err(fail(format!("dict expected at most 1 argument, got {}", more.len()))),
    };
    map.extend(args.keyword.into_iter().map(|(key, value)| (super::value::Key::text(&key), value)));
    Ok(Value::dict(map))
}

/// `try_or_compiler_error(message, function, *args)`: calls the function, with a message of its own if it fails.
fn try_or_compiler_error(interp: &mut Interpreter<'_>, mut args: Args) -> Result {
    if args.positional.len() < 2 {
        return Err(fail("try_or_compiler_error() takes a message and a function"));
    }
    let message = args.positional.remove(0);
    let function = args.positional.remove(0);
    match interp.call(&function, args) {
        Err(Stop::Error(cause)) if cause.code != crate::diag::codes::JINJA_LIMIT => {
            let diagnostic = crate::diag::Diagnostic::error(crate::diag::codes::JINJA_RAISED, message.text());
            Err(diagnostic.note(format!("the cause: {}", cause.message)).into())
        }
        other => other,
    }
}
