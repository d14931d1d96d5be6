//! `'{} {name:>8}'.format(..)`.

use super::spec::format_value;
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, Value, check_length, get_index};

/// Fills `args` into `format`.
pub(crate) fn brace_format(format: &str, args: &Args) -> Result<String> {
    Filler { args, next: 0 }.fill(format, 0)
}

struct Filler<'a> {
    args: &'a Args,
    next: usize,
}

impl Filler<'_> {
    fn fill(&mut self, format: &str, depth: u32) -> Result<String> {
        if depth > 2 {
            return Err(fail("Max string recursion exceeded"));
        }
        let mut out = String::with_capacity(format.len());
        let mut rest = format;
        while let Some(at) = rest.find(['{', '}']) {
            out.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            let after = &rest[at + 1..];
            if let Some(doubled) = after.strip_prefix(brace) {
                out.push_str(brace);
                rest = doubled;
            } else if brace == "{" {
                let close = closing(after).ok_or_else(|| fail("expected '}' before end of string"))?;
                out.push_str(&self.field(&after[..close], depth)?);
                check_length(out.len())?;
                rest = &after[close + 1..];
            } else {
                return Err(fail("Single '}' encountered in format string"));
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    /// The inside of a pair of braces.
    fn field(&mut self, field: &str, depth: u32) -> Result<String> {
        let colon = outside_brackets(field, ':');
        let (head, spec) = colon.map_or((field, ""), |at| (&field[..at], &field[at + 1..]));
        let bang = outside_brackets(head, '!');
        let (path, conversion) = bang.map_or((head, ""), |at| (&head[..at], &head[at + 1..]));
        let value = self.value(path)?;
        let spec = if spec.contains('{') { self.fill(spec, depth + 1)? } else { spec.to_string() };
        let value = match conversion {
            "" => value,
            "s" => Value::str(value.text()),
            "r" | "a" => Value::from(value.repr()),
            other => return Err(fail(format!("Unknown conversion specifier '{other}'"))),
        };
        format_value(&value, &spec)
    }

    fn value(&mut self, path: &str) -> Result {
        let end = path.find(['.', '[']).unwrap_or(path.len());
        let mut value = self.argument(&path[..end])?;
        let mut rest = &path[end..];
        while !rest.is_empty() {
            let (key, after) = if let Some(attr) = rest.strip_prefix('.') {
                let end = attr.find(['.', '[']).unwrap_or(attr.len());
                (Value::str(&attr[..end]), &attr[end..])
            } else {
                let inner =
                    rest.strip_prefix('[').ok_or_else(|| fail("only '.' or '[' may follow ']' in format field"))?;
                let end = inner.find(']').ok_or_else(|| fail("Missing ']' in format string"))?;
                let key = inner[..end].parse().map_or_else(|_| Value::str(&inner[..end]), Value::Int);
                (key, &inner[end + 1..])
            };
            value = step(&value, &key)?;
            rest = after;
        }
        Ok(value)
    }

    fn argument(&mut self, name: &str) -> Result {
        let index = if name.is_empty() {
            self.next += 1;
            Some(self.next - 1)
        } else {
            name.parse::<usize>().ok()
        };
        let found = match index {
            Some(index) => self.args.positional.get(index).cloned(),
            None => self.args.keyword.iter().find(|(key, _)| &**key == name).map(|(_, value)| value.clone()),
        };
        found.ok_or_else(|| match index {
            Some(index) => fail(format!("Replacement index {index} out of range for positional args tuple")),
            None => fail(format!("KeyError: '{name}'")),
        })
    }
}

fn step(value: &Value, key: &Value) -> Result {
    if let (Value::Object(object), Value::Str(name)) = (value, key)
        && let Some(found) = object.get_attr(name)
    {
        return Ok(found);
    }
    get_index(value, key)?
        .ok_or_else(|| fail(format!("'{}' object has no attribute {}", value.type_name(), key.repr())))
}

/// The brace that closes the field that starts `text`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, char) in text.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn outside_brackets(text: &str, wanted: char) -> Option<usize> {
    let mut inside = false;
    for (at, char) in text.char_indices() {
        match char {
            '[' => inside = true,
            ']' => inside = false,
            _ if char == wanted && !inside => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(text: &str, args: Args) -> String {
        brace_format(text, &args).unwrap_or_else(|stop| stop.message().to_string())
    }

    #[test]
    fn as_python() {
        let args = || Args::positional([Value::from("a"), Value::Int(1234567)]).with("n", Value::Float(2.5));
        assert_eq!(format("{} {} {n}", args()), "a 1234567 2.5");
        assert_eq!(format("{1:,} {1:>10}|{0:^5}|{0:<3}|", args()), "1,234,567    1234567|  a  |a  |");
        assert_eq!(format("{n:.2f} {n:08.3f} {n:e} {0!r} {{x}}", args()), "2.50 0002.500 2.500000e+00 'a' {x}");
        let nested = Args::positional([Value::dict_of([("k", Value::list([Value::Int(5)]))])]);
        assert_eq!(format("{0[k][0]:03d}", nested), "005");
        assert_eq!(format("{2}", args()), "Replacement index 2 out of range for positional args tuple");
        assert_eq!(format("{x}", args()), "KeyError: 'x'");
    }
}
