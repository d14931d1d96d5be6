//! Running a schedule: the dispatcher owns what the user sees, the executor owns the units, messages go between them.

mod adapter;
mod clone;
mod custom;
mod dispatcher;
mod event;
mod executor;
mod hooks;
mod microbatch;
mod operations;
mod publisher;
mod quarantine;
mod result;
mod tester;

pub use adapter::EngineAdapter;
pub use dispatcher::{RunOptions, run};
pub use event::{RunEvent, UnitInfo};
pub use executor::RunContext;
pub use microbatch::{Stretch, check_microbatch, parse_time};
pub use result::{Quarantined, RunResult, Status, UnitResult};

pub(crate) use publisher::{jobs as publish_jobs, unknown_destination};
