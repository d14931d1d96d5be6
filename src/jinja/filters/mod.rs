//! Filters: `value | name(args)`.

mod sequences;
mod texts;
mod values;

use super::Interpreter;
use super::stop::Result;
use super::value::{Args, Value};

/// A filter: gets its input and the further arguments.
pub(crate) type Filter = fn(&mut Interpreter<'_>, Value, Args) -> Result;

macro_rules! filters {
    ($($name:literal => $function:path,)*) => {
        /// Names of all filters.
        pub(crate) const NAMES: &[&str] = &[$($name),*];

        /// The filter with this name.
        pub(crate) fn find(name: &str) -> Option<Filter> {
            Some(match name {
                $($name => $function,)*
                _ => return None,
            })
        }
    };
}

filters! {
    "abs" => values::abs,
    "as_bool" => values::as_bool,
    "as_native" => values::as_native,
    "as_number" => values::as_number,
    "as_text" => values::as_text,
    "attr" => values::attr,
    "batch" => sequences::batch,
    "capitalize" => texts::capitalize,
    "center" => texts::center,
    "count" => sequences::length,
    "d" => values::default,
    "default" => values::default,
    "dictsort" => sequences::dictsort,
    "e" => texts::escape,
    "escape" => texts::escape,
    "filesizeformat" => texts::filesizeformat,
    "first" => sequences::first,
    "float" => values::float,
    "forceescape" => texts::escape,
    "format" => texts::format,
    "fromjson" => values::fromjson,
    "groupby" => sequences::groupby,
    "indent" => texts::indent,
    "int" => values::int,
    "items" => sequences::items,
    "join" => sequences::join,
    "last" => sequences::last,
    "length" => sequences::length,
    "list" => sequences::list,
    "lower" => texts::lower,
    "map" => sequences::map,
    "max" => sequences::max,
    "min" => sequences::min,
    "pprint" => values::pprint,
    "random" => sequences::random,
    "reject" => sequences::reject,
    "rejectattr" => sequences::rejectattr,
    "replace" => texts::replace,
    "reverse" => sequences::reverse,
    "round" => values::round,
    "safe" => texts::string,
    "select" => sequences::select,
    "selectattr" => sequences::selectattr,
    "slice" => sequences::slice,
    "sort" => sequences::sort,
    "string" => texts::string,
    "striptags" => texts::striptags,
    "sum" => sequences::sum,
    "title" => texts::title,
    "tojson" => values::tojson,
    "trim" => texts::trim,
    "truncate" => texts::truncate,
    "unique" => sequences::unique,
    "upper" => texts::upper,
    "urlencode" => texts::urlencode,
    "wordcount" => texts::wordcount,
    "wordwrap" => texts::wordwrap,
    "xmlattr" => texts::xmlattr,
}

/// An optional argument as a truth value.
fn flag(value: Option<Value>, default: bool) -> bool {
    value.map_or(default, |value| value.is_true())
}

/// An optional argument as a whole number that is not negative.
fn size(value: Option<Value>, default: usize, what: &str) -> Result<usize> {
    match value {
        None | Some(Value::None) => Ok(default),
        Some(value) => match value.as_int() {
            Some(number) => Ok(usize::try_from(number).unwrap_or(0)),
            None => Err(super::stop::fail(format!("{what} must be an integer, not {}", value.type_name()))),
        },
    }
}
