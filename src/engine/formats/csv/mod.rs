//! Delimited text as RFC 4180 describes it: `cut` finds records and their fields, `decode` makes rows of them, `infer`
//! finds types in a sample.

mod cut;
mod decode;
mod infer;
#[cfg(test)]
mod tests;
mod text;

pub(super) use decode::Csv;
pub(super) use infer::infer;
pub use text::csv_records;
