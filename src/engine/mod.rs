//! Everything that plans and runs on DataFusion.

pub mod sql;
