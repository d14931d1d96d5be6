//! The engine: DataFusion with our catalog, functions, formats and limits.

mod error;

pub use error::{datafusion_error, diagnostic_of, execution_error};
