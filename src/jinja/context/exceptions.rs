//! `exceptions.*`.

use std::rc::Rc;

use super::Scope;
use crate::diag::{Diagnostic, codes};
use crate::jinja::interp::Interpreter;
use crate::jinja::stop::Result;
use crate::jinja::value::{Args, Value};

type Raise = fn(&mut Interpreter<'_>, &Scope, Args) -> Result;

/// Name, and what it does.
const EXCEPTIONS: &[(&str, Raise)] = &[
    ("raise_compiler_error", |interp, _, args| raise(interp, args)),
    ("raise_not_implemented", |interp, _, args| raise(interp, args)),
    ("raise_database_error", |interp, _, args| raise(interp, args)),
    ("raise_parsing_error", |interp, _, args| raise(interp, args)),
    ("raise_dependency_error", |interp, _, args| raise(interp, args)),
    ("raise_fail_fast_error", |interp, _, args| raise(interp, args)),
    ("raise_contract_error", |interp, _, args| raise(interp, args)),
    ("column_type_missing", |interp, _, args| raise(interp, args)),
    ("relation_wrong_type", |interp, _, args| raise(interp, args)),
    ("missing_config", |interp, _, args| raise(interp, args)),
    ("missing_materialization", |interp, _, args| raise(interp, args)),
    ("warn", warn),
    ("warn_snapshot_timestamp_data_types", |_, _, _| Ok(Value::str(""))),
];

pub(super) fn value(scope: &Rc<Scope>) -> Value {
    Value::dict_of(EXCEPTIONS.iter().map(|(name, run)| {
        let scope = Rc::clone(scope);
        (*name, Value::function(name, move |interp, args| run(interp, &scope, args)))
    }))
}

fn message(args: Args) -> String {
    let values = args.positional.into_iter().chain(args.keyword.into_iter().map(|(_, value)| value));
    let mut parts = Vec::new();
    for value in values.filter(|value| !value.is_none()) {
        // `node` may follow the message; it is known already.
        if matches!(value, Value::Str(_)) || parts.is_empty() {
            parts.push(value.to_string());
        }
    }
    parts.join(": ")
}

fn raise(interp: &mut Interpreter<'_>, args: Args) -> Result {
    Err(interp.raised(message(args)))
}

fn warn(interp: &mut Interpreter<'_>, scope: &Scope, args: Args) -> Result {
    let site = interp.site();
    let message = message(args);
    if scope.world.invocation.flag("WARN_ERROR") {
        return Err(Diagnostic::error(codes::JINJA_WARNED, message).label(site, "warned here").into());
    }
    let warning = Diagnostic::warning(codes::JINJA_WARNED, message).label(site, "warned here");
    scope.captured.borrow_mut().warnings.push(*warning);
    Ok(Value::str(""))
}

/// `try_or_compiler_error(message, function, args...)`.
pub(super) fn try_or_compiler_error() -> Value {
    Value::function("try_or_compiler_error", |interp, mut args| {
        if args.positional.len() < 2 {
            return Err(crate::jinja::stop::fail("try_or_compiler_error() takes a message and a function"));
        }
        let message = args.positional.remove(0).to_string();
        let function = args.positional.remove(0);
        interp.call(&function, args).map_err(|_| interp.raised(message))
    })
}
