//! Data tests: queries that should find nothing.

mod data_test;
mod verdict;

pub use data_test::{Found, run_data_test};
pub use verdict::{Verdict, verdict};
