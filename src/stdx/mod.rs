//! Small things that the standard library lacks.

mod text;

pub use text::{closest, grouped, human_bytes, human_duration, human_rows, plural};
