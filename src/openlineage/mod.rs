//! OpenLineage: what a run reads and writes, told to a catalogue of the company (Marquez, DataHub, Atlan, ...).
//!
//! An [`Emitter`] listens to the events of a run as reporters do. It hands them through a bounded queue to a task of its
//! own, which looks up what they are about (columns, statistics, lineage), makes events of the specification 2-0-2 of
//! them and sends them to a file or to an HTTP endpoint, several at a time. A run never waits for it: what does not fit
//! into the queue is dropped, and when the run is over there are some seconds left to send the rest. What was not sent is
//! told in one warning.
//!
//! | unit | job | inputs | outputs |
//! |---|---|---|---|
//! | the run | `<project>.<verb>` | | |
//! | a model, seed or snapshot | its unique id | what it depends on, through ephemeral models | its relation |
//! | a test | its unique id | what it tests, with the assertion and its outcome | |
//! | a publish | `<unique id>.publish` | the relation of its node | the tables of the destinations |
//!
//! Each of them starts, and completes, fails or is aborted. Runs of units name the run as their parent, and the run that
//! of `OPENLINEAGE_PARENT_ID`, which schedulers set.

mod dataset;
mod emitter;
mod event;
mod facets;
mod lineage;
mod settings;
#[cfg(test)]
mod tests;
mod transport;

pub use emitter::{Emitter, Surroundings};
pub use settings::{Parent, Settings};

use serde_json::{Value as Json, json};

/// Who made an event or a facet.
fn producer() -> String {
    format!("urn:c360:{}", env!("CARGO_PKG_VERSION"))
}

/// A facet: what is common to all of them, and `parts`.
fn facet(schema: &str, parts: Json) -> Json {
    let (file, version) = schema.split_once(' ').unwrap_or((schema, "1-0-0"));
    let mut facet = json!({
        "_producer": producer(),
        "_schemaURL": format!("https://openlineage.io/spec/facets/{version}/{file}.json#/$defs/{file}"),
    });
    if let (Some(facet), Json::Object(parts)) = (facet.as_object_mut(), parts) {
        facet.extend(parts);
    }
    facet
}
