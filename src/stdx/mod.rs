//! Small things that the standard library lacks.

mod text;

pub use text::{closest, human_bytes, human_duration, human_rows};
