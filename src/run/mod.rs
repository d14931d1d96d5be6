//! Running a schedule: the dispatcher owns what the user sees, the executor owns the units, messages go between them.

mod event;
mod result;

pub use event::{RunEvent, UnitInfo};
pub use result::{Quarantined, RunResult, Status, UnitResult};
