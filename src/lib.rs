//! c360: SQL-first pipelines with the engine inside.
//!
//! The crate reads as the route that a project takes: files on disk ([`project`]) are parsed into nodes ([`parse`]),
//! resolved into a [`manifest`], selected ([`select`]), compiled to SQL ([`compile`]), planned, scheduled, run and
//! published. `ARCHITECTURE.md` has the map. Everything above the `engine` feature touches data; what is below it is
//! synchronous and pure.

pub mod diag;
pub mod jinja;
pub mod stdx;
