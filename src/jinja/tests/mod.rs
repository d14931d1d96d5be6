//! Whole templates. Most cases are data: what Jinja2 itself makes of them was recorded (`record.py`).

mod behaviour;
mod conformance;
mod limits;
mod python;
mod source_map;

use std::sync::Arc;

use crate::diag::{Diagnostic, SourceFile};

use super::{Context, Environment, Interpreter, NoContext, Options, Rendered, parse_blocks, parse_template};

/// An environment of the project `root` with the macros of `text`.
fn env_of(text: &str) -> Environment {
    let mut env = Environment::new("root");
    add_macros(&mut env, "root", "macros/m.sql", text);
    env
}

fn add_macros(env: &mut Environment, package: &str, path: &str, text: &str) {
    for item in parse_blocks(&SourceFile::new(path, text), package).macros() {
        env.add_macro(Arc::clone(item));
    }
}

fn render_in(
    env: &Environment,
    context: &dyn Context,
    options: Options,
    text: &str,
) -> Result<Rendered, Box<Diagnostic>> {
    let template = parse_template(&SourceFile::new("models/t.sql", text))?;
    Interpreter::new(env, context, options).render(&template)
}

/// The text, or the message of the error.
fn render_with(macros: &str, text: &str) -> String {
    match render_in(&env_of(macros), &NoContext, Options::default(), text) {
        Ok(rendered) => rendered.text,
        Err(error) => format!("{}: {}", error.code.id, error.message),
    }
}
