//! A format specification and how values follow it.

use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Value, char_len, check_length, float_repr};

/// `[[fill]align][sign][#][0][width][grouping][.precision][type]`.
#[derive(Debug, Clone, Default)]
pub(super) struct Spec {
    pub(super) fill: Option<char>,
    pub(super) align: Option<char>,
    pub(super) sign: Option<char>,
    pub(super) alternate: bool,
    pub(super) width: usize,
    pub(super) grouping: Option<char>,
    pub(super) precision: Option<usize>,
    pub(super) kind: Option<char>,
}

impl Spec {
    /// Reads what stands after the colon.
    pub(super) fn parse(text: &str) -> Result<Spec> {
        let mut chars: Vec<char> = text.chars().collect();
        let mut spec = Spec::default();
        if chars.len() > 1 && is_align(chars[1]) {
            spec.fill = Some(chars[0]);
            spec.align = Some(chars[1]);
            chars.drain(..2);
        } else if chars.first().is_some_and(|char| is_align(*char)) {
            spec.align = Some(chars.remove(0));
        }
        let mut rest = chars.into_iter().peekable();
        spec.sign = rest.next_if(|char| matches!(char, '+' | '-' | ' '));
        spec.alternate = rest.next_if_eq(&'#').is_some();
        if rest.next_if_eq(&'0').is_some() && spec.align.is_none() {
            spec.fill = Some('0');
            spec.align = Some('=');
        }
        spec.width = digits(&mut rest)?.unwrap_or(0);
        spec.grouping = rest.next_if(|char| matches!(char, ',' | '_'));
        if rest.next_if_eq(&'.').is_some() {
            spec.precision = Some(digits(&mut rest)?.ok_or_else(|| fail("Format specifier missing precision"))?);
        }
        spec.kind = rest.next();
        match rest.next() {
            None => Ok(spec),
            Some(_) => Err(fail(format!("Invalid format specifier '{text}'"))),
        }
    }

    /// Text in the width.
    pub(super) fn pad(&self, text: &str, default_align: char) -> Result<String> {
        let len = char_len(text);
        if len >= self.width {
            return Ok(text.to_string());
        }
        check_length(self.width)?;
        let space = self.width - len;
        let fill = self.fill.unwrap_or(' ').to_string();
        let align = self.align.unwrap_or(default_align);
        Ok(match align {
            '<' => text.to_string() + &fill.repeat(space),
            '^' => fill.repeat(space / 2) + text + &fill.repeat(space - space / 2),
            '=' => {
                let sign = text.len() - text.trim_start_matches(['+', '-', ' ']).len();
                text[..sign].to_string() + &fill.repeat(space) + &text[sign..]
            }
            _ => fill.repeat(space) + text,
        })
    }

    fn signed(&self, negative: bool, digits: &str) -> String {
        let sign = match (negative, self.sign) {
            (true, _) => "-",
            (false, Some('+')) => "+",
            (false, Some(' ')) => " ",
            _ => "",
        };
        format!("{sign}{digits}")
    }

    fn grouped(&self, digits: String) -> String {
        let Some(separator) = self.grouping else { return digits };
        let (whole, rest) = digits.split_at(digits.find(['.', 'e']).unwrap_or(digits.len()));
        let mut out = String::new();
        for (at, digit) in whole.chars().enumerate() {
            if at > 0 && (whole.len() - at) % 3 == 0 {
                out.push(separator);
            }
            out.push(digit);
        }
        out + rest
    }

    /// A whole number.
    pub(super) fn int(&self, number: i64) -> Result<String> {
        let size = number.unsigned_abs();
        let digits = match self.kind {
            Some('x') => with_prefix(self.alternate, "0x", format!("{size:x}")),
            Some('X') => with_prefix(self.alternate, "0X", format!("{size:X}")),
            Some('o') => with_prefix(self.alternate, "0o", format!("{size:o}")),
            Some('b') => with_prefix(self.alternate, "0b", format!("{size:b}")),
            Some('c') => {
                let char = u32::try_from(number).ok().and_then(char::from_u32);
                return self.pad(&char.ok_or_else(|| fail("%c arg not in range"))?.to_string(), '<');
            }
            _ => self.grouped(size.to_string()),
        };
        self.pad(&self.signed(number < 0, &digits), '>')
    }

    /// A number with a fraction; kinds `e E f F g G %`.
    pub(super) fn float(&self, number: f64) -> Result<String> {
        let precision = self.precision.unwrap_or(6).min(1000);
        let size = number.abs();
        let digits = match self.kind {
            _ if !number.is_finite() => float_repr(size),
            Some('f' | 'F') => format!("{size:.precision$}"),
            Some('e') => exponent(size, precision),
            Some('E') => exponent(size, precision).to_uppercase(),
            Some('%') => format!("{:.precision$}%", size * 100.0),
            Some('G') => general(size, precision, self.alternate).to_uppercase(),
            Some('g') | Some('n') => general(size, precision, self.alternate),
            None if self.precision.is_some() => {
                let text = general(size, precision, false);
                if text.contains(['.', 'e']) { text } else { text + ".0" }
            }
            None => float_repr(size),
            Some(kind) => return Err(fail(format!("Unknown format code '{kind}' for object of type 'float'"))),
        };
        let negative = number.is_sign_negative() && !number.is_nan();
        self.pad(&self.signed(negative, &self.grouped(digits)), '>')
    }

    /// Text; the precision cuts it.
    pub(super) fn text(&self, text: &str) -> Result<String> {
        match self.precision {
            Some(precision) => self.pad(&text.chars().take(precision).collect::<String>(), '<'),
            None => self.pad(text, '<'),
        }
    }
}

/// `format(value, spec)`.
pub(super) fn format_value(value: &Value, text: &str) -> Result<String> {
    if let Value::Object(_) = value
        && !text.is_empty()
        && let Some(formatted) = crate::jinja::modules::format_moment(value, text)
    {
        return formatted;
    }
    if text.is_empty() {
        return Ok(value.text().into_owned());
    }
    let spec = Spec::parse(text)?;
    match (value, spec.kind) {
        (Value::Int(number), Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%')) => spec.float(*number as f64),
        (Value::Int(number), None | Some('d' | 'n' | 'x' | 'X' | 'o' | 'b' | 'c')) => spec.int(*number),
        (Value::Bool(value), Some('d' | 'n' | 'x' | 'X' | 'o' | 'b')) => spec.int(*value as i64),
        (Value::Float(number), _) => spec.float(*number),
        (_, None | Some('s')) => spec.text(&value.text()),
        (_, Some(kind)) => {
            Err(fail(format!("Unknown format code '{kind}' for object of type '{}'", value.type_name())))
        }
    }
}

fn is_align(char: char) -> bool {
    matches!(char, '<' | '>' | '^' | '=')
}

fn digits(rest: &mut std::iter::Peekable<std::vec::IntoIter<char>>) -> Result<Option<usize>> {
    let mut out = None;
    while let Some(char) = rest.next_if(char::is_ascii_digit) {
        let digit = char as usize - '0' as usize;
        let number: usize = out.unwrap_or(0);
        out = Some(number.checked_mul(10).and_then(|number| number.checked_add(digit)).ok_or_else(too_wide)?);
    }
    if let Some(number) = out {
        check_length(number)?;
    }
    Ok(out)
}

fn too_wide() -> crate::jinja::stop::Stop {
    fail("Too many decimal digits in format string")
}

fn with_prefix(prefixed: bool, prefix: &str, digits: String) -> String {
    if prefixed { format!("{prefix}{digits}") } else { digits }
}

/// `1.50e+03`.
fn exponent(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// `%g`: so many significant digits, the shorter of the two forms.
fn general(number: f64, precision: usize, keep_zeros: bool) -> String {
    let precision = precision.max(1);
    let scientific = exponent(number, precision - 1);
    let power: i32 = scientific.split_once('e').and_then(|(_, power)| power.parse().ok()).unwrap_or(0);
    let text = if power < -4 || power >= precision as i32 {
        scientific
    } else {
        let decimals = usize::try_from(precision as i32 - 1 - power).unwrap_or(0);
        format!("{number:.decimals$}")
    };
    if keep_zeros || !text.contains('.') {
        return text;
    }
    let (digits, power) = text.split_at(text.find('e').unwrap_or(text.len()));
    format!("{}{power}", digits.trim_end_matches('0').trim_end_matches('.'))
}
