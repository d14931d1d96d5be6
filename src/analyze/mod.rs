//! Plans before anything runs: what every model will hold, and where its columns come from.

pub mod lineage;
