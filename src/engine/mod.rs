//! The engine: what c360 puts around DataFusion.

pub mod formats;
