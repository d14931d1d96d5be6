//! `log` and `print`, `render` and `write`.

use std::rc::Rc;

use super::{LogLine, Scope};
use crate::diag::SourceFile;
use crate::jinja::parse_template;
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
        (scope.world.log)(LogLine { message, info: true, print: true });
        Ok(Value::str(""))
    })
}

/// `render(text)`: a template in a text, such as that of a hook.
pub(super) fn render() -> Value {
    Value::function("render", |interp, args| {
        let [text] = args.required("render", ["string"])?;
        let template = parse_template(&SourceFile::new("a text that is rendered", text.text().into_owned()))?;
        Ok(Value::from(interp.render(&template)?.text))
    })
}

/// `write(text)`: dbt keeps a file of it. What a node runs stands in its compiled SQL here.
pub(super) fn write() -> Value {
    Value::function("write", |_, _| Ok(Value::str("")))
}
