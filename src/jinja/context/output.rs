//! `log` and `print`.

use std::rc::Rc;

use super::{LogLine, Scope};
use crate::jinja::value::Value;

pub(super) fn log(scope: &Rc<Scope>) -> Value {
    let scope = Rc::clone(scope);
    Value::function("log", move |_, args| {
        let [message, info] = args.bind("log", ["msg", "info"])?;
        let message = message.unwrap_or(Value::None).to_string();
        let info = info.is_some_and(|info| info.is_true());
        (scope.world.log)(LogLine { message, info, print: false });
        Ok(Value::str(""))
    })
}

pub(super) fn print(scope: &Rc<Scope>) -> Value {
    let scope = Rc::clone(scope);
    Value::function("print", move |_, args| {
        let [message] = args.bind("print", ["msg"])?;
        let message = message.unwrap_or(Value::None).to_string();
        if scope.execute {
            (scope.world.log)(LogLine { message, info: true, print: true });
        }
        Ok(Value::str(""))
    })
}
