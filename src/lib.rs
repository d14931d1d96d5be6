//! c360: SQL-first pipelines with the engine inside.
//!
//! The crate reads as the route that a project takes: files on disk ([`project`]) are parsed into nodes ([`parse`]),
//! resolved into a [`manifest`], selected ([`select`]), compiled to SQL ([`compile`]), planned, scheduled, run and
//! published. `ARCHITECTURE.md` has the map. Everything above the `engine` feature touches data; what is below it is
//! synchronous and pure.

// The docs are for people who work on the code: they are made with private items.
#![allow(rustdoc::private_intra_doc_links)]

// Ground.
pub mod diag;
pub mod graph;
pub mod stdx;
// Model.
pub mod manifest;
pub mod node;
pub mod project;
// Front.
pub mod compile;
pub mod jinja;
pub mod parse;
pub mod select;
pub mod state;
// Engine.
#[cfg(feature = "engine")]
pub mod analyze;
#[cfg(feature = "engine")]
pub mod check;
#[cfg(feature = "engine")]
pub mod engine;
#[cfg(feature = "engine")]
pub mod failure;
#[cfg(feature = "engine")]
pub mod materialize;
#[cfg(feature = "engine")]
pub mod publish;
#[cfg(feature = "engine")]
pub mod statement;
#[cfg(feature = "engine")]
pub mod stores;
#[cfg(feature = "engine")]
pub mod warehouse;
// Run.
#[cfg(feature = "engine")]
pub mod run;
#[cfg(feature = "engine")]
pub mod schedule;
// Outputs.
#[cfg(feature = "engine")]
pub mod artifacts;
#[cfg(feature = "engine")]
pub mod docs;
#[cfg(feature = "engine")]
pub mod history;
#[cfg(feature = "engine")]
pub mod openlineage;
#[cfg(feature = "engine")]
pub mod report;
// Shell.
#[cfg(feature = "engine")]
pub mod cli;
#[cfg(feature = "engine")]
pub mod ops;
// For tests alone.
#[cfg(feature = "engine")]
#[doc(hidden)]
pub mod fuzzing;

/// The version of dbt whose language and artifacts this is measured against.
pub const DBT_VERSION: &str = "1.11.0";
