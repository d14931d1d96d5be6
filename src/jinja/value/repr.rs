//! `str()` and `repr()`.

use std::borrow::Cow;
use std::fmt::Write;

use super::{Key, Value, float_repr};

/// How deep containers are written; what is deeper, and what contains itself, is `...`.
const MAX_DEPTH: usize = 100;

impl Value {
    /// What `{{ value }}` writes; borrowed if it is text.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Value::Str(text) => Cow::Borrowed(text),
            Value::Undefined(_) => Cow::Borrowed(""),
            Value::None => Cow::Borrowed("None"),
            Value::Bool(true) => Cow::Borrowed("True"),
            Value::Bool(false) => Cow::Borrowed("False"),
            Value::Object(object) => Cow::Owned(object.str()),
            _ => Cow::Owned(self.repr()),
        }
    }

    /// What it looks like inside of a list: text in quotes.
    pub fn repr(&self) -> String {
        let mut out = String::new();
        write_repr(self, &mut out, &mut Vec::new());
        out
    }
}

/// Identity of a container that is being written.
fn address(value: &Value) -> usize {
    match value {
        Value::List(cell) => std::rc::Rc::as_ptr(cell) as usize,
        Value::Dict(cell) => std::rc::Rc::as_ptr(cell) as usize,
        Value::Tuple(cell) => std::rc::Rc::as_ptr(cell) as usize,
        _ => 0,
    }
}

fn write_repr(value: &Value, out: &mut String, open: &mut Vec<usize>) {
    // Writing to a string cannot fail.
    let _ = match value {
        Value::Undefined(_) => write!(out, "Undefined"),
        Value::None => write!(out, "None"),
        Value::Bool(value) => write!(out, "{}", if *value { "True" } else { "False" }),
        Value::Int(number) => write!(out, "{number}"),
        Value::Float(number) => write!(out, "{}", float_repr(*number)),
        Value::Str(text) => {
            write_str(text, out);
            Ok(())
        }
        Value::Function(function) => write!(out, "<function {}>", function.name()),
        Value::Macro(item) => write!(out, "<macro {}>", item.definition().name),
        Value::Method(method) => write!(out, "<method {}>", method.name),
        Value::Object(object) => write!(out, "{}", object.repr()),
        Value::List(_) | Value::Tuple(_) | Value::Dict(_) | Value::Set(_) => {
            write_container(value, out, open);
            Ok(())
        }
    };
}

fn write_container(value: &Value, out: &mut String, open: &mut Vec<usize>) {
    let address = address(value);
    if open.len() >= MAX_DEPTH || (address != 0 && open.contains(&address)) {
        out.push_str(match value {
            Value::Dict(_) => "{...}",
            Value::Tuple(_) => "(...)",
            _ => "[...]",
        });
        return;
    }
    open.push(address);
    match value {
        Value::List(cell) => {
            out.push('[');
            write_items(cell.borrow().iter(), out, open);
            out.push(']');
        }
        Value::Tuple(items) => {
            out.push('(');
            write_items(items.iter(), out, open);
            out.push_str(if items.len() == 1 { ",)" } else { ")" });
        }
        Value::Set(cell) if cell.borrow().is_empty() => out.push_str("set()"),
        Value::Set(cell) => {
            out.push('{');
            write_items(cell.borrow().iter().map(Key::value), out, open);
            out.push('}');
        }
        Value::Dict(cell) => {
            out.push('{');
            for (index, (key, value)) in cell.borrow().iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_repr(key.value(), out, open);
                out.push_str(": ");
                write_repr(value, out, open);
            }
            out.push('}');
        }
        _ => {}
    }
    open.pop();
}

fn write_items<'a>(items: impl Iterator<Item = &'a Value>, out: &mut String, open: &mut Vec<usize>) {
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write_repr(item, out, open);
    }
}

/// Single quotes, unless the text has some and no double ones.
fn write_str(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for char in text.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if char == quote => {
                out.push('\\');
                out.push(char);
            }
            _ if char.is_control() || is_unprintable(char) => escape_code(char, out),
            _ => out.push(char),
        }
    }
    out.push(quote);
}

/// Separators other than the plain space, and zero-width marks, which Python shows by their code.
fn is_unprintable(char: char) -> bool {
    (char.is_whitespace() && char != ' ')
        || matches!(char, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

fn escape_code(char: char, out: &mut String) {
    let code = char as u32;
    let _ = match code {
        0..=0xff => write!(out, "\\x{code:02x}"),
        0x100..=0xffff => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_python_writes_it() {
        let dict = Value::dict_of([("k", Value::Float(1.0))]);
        let list = Value::list(["a".into(), Value::Int(1), Value::None, Value::Bool(true), dict]);
        assert_eq!(list.text(), "['a', 1, None, True, {'k': 1.0}]");
        assert_eq!(Value::tuple([Value::Int(1)]).text(), "(1,)");
        assert_eq!(Value::tuple([]).text(), "()");
        let texts = ["it's", "say \"x\"", "both ' and \"", "a\\b\n\u{1}é\u{a0}"].map(Value::from);
        assert_eq!(Value::list(texts).text(), r#"["it's", 'say "x"', 'both \' and "', 'a\\b\n\x01é\xa0']"#);
    }

    #[test]
    fn a_list_in_itself_ends() {
        let list = Value::list([Value::Int(1)]);
        let Value::List(cell) = &list else { return };
        cell.with(|items| items.push(list.clone()));
        assert_eq!(list.text(), "[1, [...]]");
        cell.with(Vec::clear);
    }

    #[test]
    fn deep_values_are_dropped_without_recursion() {
        let mut list = Value::list([]);
        for _ in 0..1_000_000 {
            list = Value::list([list]);
        }
        drop(list);
    }
}
