//! Arguments of calls, bound as Python binds them.

use std::sync::Arc;

use super::Value;
use crate::jinja::stop::{Result, fail};

/// Positional and keyword arguments of one call.
#[derive(Clone, Default)]
pub struct Args {
    /// In order.
    pub positional: Vec<Value>,
    /// By name, in the order of the call.
    pub keyword: Vec<(Arc<str>, Value)>,
}

impl Args {
    /// No arguments.
    pub fn none() -> Args {
        Args::default()
    }

    /// Positional arguments alone.
    pub fn positional(values: impl IntoIterator<Item = Value>) -> Args {
        Args { positional: values.into_iter().collect(), keyword: Vec::new() }
    }

    /// Adds a keyword argument.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Args {
        self.keyword.push((Arc::from(name), value));
        self
    }

    /// Takes the keyword argument `name` out.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.keyword.iter().position(|(key, _)| &**key == name)?;
        Some(self.keyword.remove(at).1)
    }

    /// Binds to the parameters `names` of `function`. Too many, unknown or doubled arguments are errors.
    pub fn bind<const N: usize>(self, function: &str, names: [&str; N]) -> Result<[Option<Value>; N]> {
        if self.positional.len() > N {
            let given = self.positional.len();
            let plural = if N == 1 { "" } else { "s" };
            return Err(fail(format!("{function}() takes at most {N} argument{plural} ({given} given)")));
        }
        let mut out = [const { None }; N];
        for (slot, value) in out.iter_mut().zip(self.positional) {
            *slot = Some(value);
        }
        for (key, value) in self.keyword {
            let Some(at) = names.iter().position(|name| **name == *key) else {
                return Err(fail(format!("{function}() got an unexpected keyword argument '{key}'")));
            };
            if out[at].is_some() {
                return Err(fail(format!("{function}() got multiple values for argument '{key}'")));
            }
            out[at] = Some(value);
        }
        Ok(out)
    }

    /// As [`Args::bind`], and the first `N` parameters must be given.
    pub fn required<const N: usize>(self, function: &str, names: [&str; N]) -> Result<[Value; N]> {
        let bound = self.bind(function, names)?;
        let mut missing = None;
        let values = std::array::from_fn(|at| match &bound[at] {
            Some(value) => value.clone(),
            None => {
                missing.get_or_insert(names[at]);
                Value::None
            }
        });
        match missing {
            None => Ok(values),
            Some(name) => Err(missing_argument(function, name)),
        }
    }
}

/// The error for a parameter that was not given.
pub(crate) fn missing_argument(function: &str, name: &str) -> crate::jinja::stop::Stop {
    fail(format!("{function}() missing 1 required positional argument: '{name}'"))
}
