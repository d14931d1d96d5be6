//! Data tests: queries that should find nothing.

mod contract;
mod data_test;
mod unit_test;
mod verdict;

pub use contract::{contract_schema, has_contract, keep_contract, unique_columns};
pub use data_test::{Found, check_data_test, run_data_test};
pub use unit_test::{UnitFound, UnitJob, check_unit_test, run_unit_test};
pub use verdict::{Verdict, verdict};
