//! Small things that the standard library lacks.

mod parallel;
mod text;

pub use parallel::in_parallel;
pub use text::{closest, grouped, human_bytes, human_duration, human_rows, plural};
