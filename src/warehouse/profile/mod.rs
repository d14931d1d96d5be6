//! Column profiles: what is in a table, counted while it is written.
//!
//! Every batch that goes into a table passes [`crate::warehouse::TapExec`], and a [`Profiler`] looks at it there: no second
//! scan is needed, and what is counted is what is stored. It has to cost next to nothing beside the encoding of Parquet
//! (a hundred nanoseconds a value), so per value it does this and no more:
//!
//! - rows, nulls, the smallest and the largest value, sums: passes over plain slices that a processor does eight at a time;
//!   of texts the first eight bytes are compared, as a number;
//! - different values: one hash. While there are few ([`distinct`]) each has a count, which gives exact numbers and the
//!   most frequent values; while there are some thousand the number stays exact; then the hash goes into 2048
//!   [`registers`];
//! - quantiles and histograms: nothing, for most rows. A reservoir ([`sample`]) knows which value it will take next.
//!
//! Partitions run at the same time and count for themselves; what they have counted is put together at the end. The same
//! sum puts rows that are appended to what was kept of those before ([`kept`]): the smallest form of all of the above.
//!
//! Of columns that are tagged as personal ([`HIDDEN_TAGS`]) nothing is kept that shows a value.

mod column;
mod distinct;
mod file;
mod kept;
mod numbers;
mod profiler;
mod registers;
mod result;
mod sample;
mod spread;
mod steps;
#[cfg(test)]
mod tests;
mod texts;

use crate::node::{Node, ResourceType};

pub use file::TableProfile;
pub use profiler::{Part, Profiler};
pub use result::{ColumnProfile, Histogram, Length, Quantiles};

pub(super) use file::Counted;

/// Tags of columns whose values are nobody's business.
pub const HIDDEN_TAGS: &[&str] = &["pii", "sensitive"];

/// Stands for all columns of a table, among those that are hidden.
pub const EVERY_COLUMN: &str = "*";

/// Whether the rows of a write are counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Profiling {
    /// No: nobody will look.
    #[default]
    Off,
    /// Yes.
    On {
        /// Columns of which no value is kept.
        hidden: Vec<String>,
    },
    /// If the table has a profile, with the same columns hidden: for statements that change a table of somebody else's.
    AsBefore,
}

impl Profiling {
    /// What the configuration of `node` asks for: `profile: false` (also under `meta`) switches it off.
    pub fn of(node: &Node) -> Profiling {
        let builds = matches!(node.resource_type, ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot);
        if !builds || node.config.bool("profile") == Some(false) {
            return Profiling::Off;
        }
        let is_hidden = |tags: &[String]| tags.iter().any(|tag| HIDDEN_TAGS.contains(&tag.to_lowercase().as_str()));
        let hidden = node.columns.iter().filter(|column| is_hidden(&column.tags));
        Profiling::On { hidden: hidden.map(|column| column.name.clone()).collect() }
    }

    /// The same, with more columns hidden.
    #[must_use]
    pub fn hiding(mut self, columns: &[String]) -> Profiling {
        if let Profiling::On { hidden } = &mut self {
            hidden.extend_from_slice(columns);
        }
        self
    }
}
