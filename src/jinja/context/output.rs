//! `log` and `print`.

use std::rc::Rc;

use super::{LogLine, Scope};
use crate::jinja::value::Value;

pub(super) fn log(scope: &Rc<Scope>) -> Value {
    let scope = Rc::clone(scope);
    Value::function("log", move |interp, args| {
        let [message, info] = args.bind("log", ["msg", "info"])?;
        let message = message.unwrap_or(Value::None).to_str(interp)?;
        let info = info.is_some_and(|info| info.is_true());
        (scope.world.log)(LogLine { message: message.to_string(), info, print: false });
        Ok(Value::str(""))
    })
}

pub(super) fn print(scope: &Rc<Scope>) -> Value {
    let scope = Rc::clone(scope);
    Value::function("print", move |interp, args| {
        let [message] = args.bind("print", ["msg"])?;
        let message = message.unwrap_or(Value::None).to_str(interp)?;
        if scope.execute {
            (scope.world.log)(LogLine { message: message.to_string(), info: true, print: true });
        }
        Ok(Value::str(""))
    })
}
