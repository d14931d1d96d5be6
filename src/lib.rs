//! c360: SQL-first pipelines with the engine inside.
//!
//! The crate reads as the route that a project takes: files on disk ([`project`]) are parsed into nodes ([`parse`]),
//! resolved into a [`manifest`], selected ([`select`]), compiled to SQL ([`compile`]), planned, scheduled, run and
//! published. `ARCHITECTURE.md` has the map. Everything above the `engine` feature touches data; what is below it is
//! synchronous and pure.

#[cfg(feature = "engine")]
pub mod artifacts;
pub mod diag;
#[cfg(feature = "engine")]
pub mod engine;
pub mod graph;
pub mod manifest;
pub mod node;
pub mod project;
#[cfg(feature = "engine")]
pub mod report;
#[cfg(feature = "engine")]
pub mod run;
pub mod stdx;
#[cfg(feature = "engine")]
pub mod warehouse;
