//! `'%s of %d' % (a, b)` and `'%(name)s' % {..}`.

use std::iter::Peekable;
use std::str::CharIndices;

use super::spec::Spec;
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Value, check_length};

/// Fills `args` into `format`.
pub(crate) fn percent_format(format: &str, args: &Value) -> Result<String> {
    let mut state = State { args, next: 0, named: false };
    let mut out = String::with_capacity(format.len());
    let mut chars = format.char_indices().peekable();
    while let Some((_, char)) = chars.next() {
        if char == '%' {
            let part = state.conversion(format, &mut chars)?;
            check_length(out.len() + part.len())?;
            out.push_str(&part);
        } else {
            out.push(char);
        }
    }
    let unused = match args {
        Value::Tuple(items) => state.next < items.len(),
        Value::Dict(_) | Value::List(_) => false,
        _ => state.next == 0,
    };
    if unused && !state.named {
        return Err(fail("not all arguments converted during string formatting"));
    }
    Ok(out)
}

struct State<'a> {
    args: &'a Value,
    next: usize,
    named: bool,
}

impl State<'_> {
    fn take(&mut self) -> Result {
        let at = self.next;
        self.next += 1;
        let value = match self.args {
            Value::Tuple(items) => items.get(at).cloned(),
            other if at == 0 => Some(other.clone()),
            _ => None,
        };
        value.ok_or_else(|| fail("not enough arguments for format string"))
    }

    fn named(&mut self, name: &str) -> Result {
        self.named = true;
        match self.args {
            Value::Dict(cell) => cell.get(name).ok_or_else(|| fail(format!("KeyError: '{name}'"))),
            _ => Err(fail("format requires a mapping")),
        }
    }

    /// What follows a `%`.
    fn conversion(&mut self, format: &str, chars: &mut Peekable<CharIndices<'_>>) -> Result<String> {
        let named = match chars.next_if(|(_, char)| *char == '(') {
            Some((open, _)) => {
                let close =
                    chars.by_ref().find(|(_, char)| *char == ')').ok_or_else(|| fail("incomplete format key"))?.0;
                Some(self.named(&format[open + 1..close])?)
            }
            None => None,
        };
        let mut spec = Spec::default();
        let mut left = false;
        let mut zero = false;
        while let Some((_, flag)) = chars.next_if(|(_, char)| matches!(char, '-' | '+' | ' ' | '#' | '0')) {
            match flag {
                '-' => left = true,
                '0' => zero = true,
                '#' => spec.alternate = true,
                '+' => spec.sign = Some('+'),
                _ => spec.sign = spec.sign.or(Some(' ')),
            }
        }
        spec.width = self.number(chars)?.unwrap_or(0);
        if chars.next_if(|(_, char)| *char == '.').is_some() {
            spec.precision = Some(self.number(chars)?.unwrap_or(0));
        }
        while chars.next_if(|(_, char)| matches!(char, 'l' | 'h' | 'L')).is_some() {}
        let Some((at, kind)) = chars.next() else { return Err(fail("incomplete format")) };
        if kind == '%' {
            return Ok("%".to_string());
        }
        spec.align = Some(if left { '<' } else { '>' });
        if zero && !left && !matches!(kind, 's' | 'r' | 'a' | 'c') {
            spec.align = Some('=');
            spec.fill = Some('0');
        }
        let value = match named {
            Some(value) => value,
            None => self.take()?,
        };
        convert(&value, kind, at, spec)
    }

    fn number(&mut self, chars: &mut Peekable<CharIndices<'_>>) -> Result<Option<usize>> {
        if chars.next_if(|(_, char)| *char == '*').is_some() {
            let value = self.take()?;
            let number = value.as_int().ok_or_else(|| fail("* wants int"))?;
            return Ok(Some(usize::try_from(number).unwrap_or(0)));
        }
        let mut out: Option<usize> = None;
        while let Some((_, char)) = chars.next_if(|(_, char)| char.is_ascii_digit()) {
            let digit = char as usize - '0' as usize;
            out = Some(out.unwrap_or(0).saturating_mul(10).saturating_add(digit));
            check_length(out.unwrap_or(0))?;
        }
        Ok(out)
    }
}

fn convert(value: &Value, kind: char, at: usize, mut spec: Spec) -> Result<String> {
    spec.kind = Some(kind);
    match kind {
        's' => spec.text(&value.text()),
        'r' | 'a' => spec.text(&value.repr()),
        'd' | 'i' | 'u' => {
            spec.kind = None;
            match (value.as_int(), value) {
                (Some(number), _) => spec.int(number),
                (None, Value::Float(number)) if number.is_finite() => spec.int(*number as i64),
                _ => Err(fail(format!("%{kind} format: a real number is required, not {}", value.type_name()))),
            }
        }
        'x' | 'X' | 'o' => match value.as_int() {
            Some(number) => spec.int(number),
            None => Err(fail(format!("%{kind} format: an integer is required, not {}", value.type_name()))),
        },
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => match value.as_float() {
            Some(number) => spec.float(number),
            None => Err(fail(format!("must be real number, not {}", value.type_name()))),
        },
        'c' => match value {
            Value::Str(text) if text.chars().count() == 1 => spec.pad(text, '>'),
            Value::Int(number) => spec.int(*number),
            _ => Err(fail("%c requires int or char")),
        },
        _ => Err(fail(format!("unsupported format character '{kind}' (0x{:x}) at index {at}", kind as u32))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(text: &str, args: Value) -> String {
        percent_format(text, &args).unwrap_or_else(|stop| stop.message().to_string())
    }

    #[test]
    fn as_python() {
        let pair = || Value::tuple([Value::from("a"), Value::Int(7)]);
        assert_eq!(format("%s=%d", pair()), "a=7");
        assert_eq!(format("%5s|%-5d|", pair()), "    a|7    |");
        assert_eq!(format("%05.1f %x %%", Value::tuple([Value::Float(2.345), Value::Int(255)])), "002.3 ff %");
        assert_eq!(format("%(k)s", Value::dict_of([("k", Value::Int(1))])), "1");
        assert_eq!(format("%r", "x".into()), "'x'");
        assert_eq!(format("%02d", Value::Int(-3)), "-3");
        assert_eq!(format("%g %e", Value::tuple([Value::Float(0.0001), Value::Float(1500.0)])), "0.0001 1.500000e+03");
        assert_eq!(format("%s %s", pair()), "a 7");
        assert_eq!(format("%s", pair()), "not all arguments converted during string formatting");
        assert_eq!(format("%s %s %s", pair()), "not enough arguments for format string");
    }
}
