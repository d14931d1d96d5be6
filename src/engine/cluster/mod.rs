//! The engine on many machines: Apache DataFusion Ballista runs the plans.
//!
//! **What travels.** The client plans as it always does: names, functions, pruning of files and the optimizer are its
//! own, and so is the right to read the warehouse's log. The finished *physical* plan goes to the scheduler, which cuts
//! it into stages where rows have to meet (hash repartitions, merges) and hands the stages, partition by partition, to
//! executors. So nothing but physical plans has to be encoded: DataFusion's own nodes by `datafusion-proto`, scans of our
//! formats and the writing of part files by [`codec`], functions by their names. Delta tables are planned as lists of
//! Parquet files ([`formats::delta_files`](super::formats)), for which DataFusion's own scan is enough.
//!
//! **What a plan must be.** A partition of a plan may run anywhere, at any time, twice. Operators that share state between
//! partitions of one process are put into one partition, or planned otherwise ([`prepare`], [`session`]). What cannot be
//! shipped at all (recursive queries, rows that are in memory here, Delta tables with deletion vectors) runs in this
//! process, as without a cluster.
//!
//! **What comes back.** Rows, streamed from the executors that hold them; for a write, one row a file that an executor has
//! written, which this process commits ([`PartFilesExec`](crate::warehouse)). Errors come back as the diagnostics that
//! they were ([`envelope`]). Records that scans reject are spooled to files in the warehouse ([`spool`]).
//!
//! | module | what |
//! |---|---|
//! | `session` | how plans for a cluster are made; what scheduler and executors share |
//! | `prepare` | which plans are shipped, and what is changed before |
//! | `codec` | our nodes as bytes |
//! | `client`, `job`, `wire` | plans become jobs: submit, wait, cancel, fetch |
//! | `envelope` | diagnostics as text in other people's errors |
//! | `spool` | rejected records on their way |
//! | `stage`, `pool` | what an executor does around a stage, and between stages |
//! | `server`, `recovery` | the processes; what becomes of jobs when an executor is lost |

mod client;
mod codec;
mod envelope;
mod job;
mod pool;
mod prepare;
mod recovery;
mod server;
mod session;
mod spool;
mod stage;
#[cfg(test)]
mod tests;
mod wire;

pub(super) use client::Cluster;
pub use server::{ExecutorOptions, SchedulerOptions, run_executor, run_scheduler};
pub(super) use session::client_config;
