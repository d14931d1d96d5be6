//! Everything that touches data.

pub mod functions;
