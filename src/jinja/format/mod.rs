//! Python's text formatting: `'%05.2f' % x` and `'{:>8}'.format(x)`.

mod braces;
mod percent;
mod spec;

pub(crate) use braces::brace_format;
pub(crate) use percent::percent_format;
