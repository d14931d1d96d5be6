//! The whole program on small projects: every promise of the README and the issue tracker that a user can see, asserted
//! through the real binary.
//!
//! One file a room; each test makes the project that it needs in a temporary folder (see [`harness`]). What a person
//! reads (messages with their places) is kept as snapshots under `snapshots/`: look at them when they change, they are
//! the product. `C360_TEST_BINARY` names another binary to test; with `C360_TEST_CLUSTER=df://host:port` all projects run
//! on the cluster there, and nothing else may change: `--skip cluster::` leaves out those that start one of their own.

mod console;
mod harness;

mod artifacts;
mod bad_input;
mod check;
mod check_places;
mod cluster;
mod codes;
mod config_explain;
mod customer360;
mod data_tests;
mod database_sources;
mod dialect;
mod docs;
mod durability;
mod fuzz;
mod graph_errors;
mod history;
mod history_of_rows;
mod identifiers;
mod incremental;
mod kills;
mod lakes;
mod lakes_azure;
mod lakes_hdfs;
mod lakes_s3;
mod lineage;
mod macros;
mod mariadb;
mod materializations;
mod openlineage;
mod packages;
mod profiles;
mod project_errors;
mod publish_faults;
mod publish_files;
mod publish_modes;
mod publish_mysql;
mod publish_postgres;
mod publish_sqlite;
mod quarantine;
mod runner;
mod scheduling;
mod seeds;
mod selection;
mod show;
mod source_formats;
mod sources;
mod spec;
mod sql_errors;
mod state;
mod stores;
mod template_errors;
mod two_writers;
mod unit_tests;
mod verbs;
mod versions;
