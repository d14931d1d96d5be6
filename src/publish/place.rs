//! Where a publish goes, in words: what every message of this module needs.

use super::PublishJob;
use super::config::DestinationConfig;
use crate::diag::{Code, Diagnostic, codes};

/// A table of a destination, and the node that it gets its rows from.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Name of the destination in the profile.
    pub(super) destination: String,
    /// What and where it is, such as `mysql at app@db:3306/customer360`.
    pub(super) server: String,
    /// The table, as the config spells it.
    pub(super) table: String,
    /// The node.
    pub(super) node: String,
}

impl Place {
    /// The place that `job` publishes to.
    pub(super) fn new(destination: &str, config: &DestinationConfig, job: &PublishJob) -> Place {
        Place {
            destination: destination.to_string(),
            server: format!("{} at {}", config.kind(), config.place()),
            table: job.table.clone(),
            node: job.node.clone(),
        }
    }

    /// The place of a check that is about no table.
    pub(super) fn of_destination(destination: &str, config: &DestinationConfig) -> Place {
        Place {
            destination: destination.to_string(),
            server: format!("{} at {}", config.kind(), config.place()),
            table: String::new(),
            node: String::new(),
        }
    }

    /// A failure whose message starts with node and table.
    pub(super) fn failed(&self, code: Code, problem: impl std::fmt::Display) -> Box<Diagnostic> {
        let Place { destination, server, node, .. } = self;
        if node.is_empty() {
            return Diagnostic::error(code, format!("destination `{destination}`: {problem}"))
                .note(format!("destination `{destination}` is {server}"));
        }
        Diagnostic::error(code, format!("{}{problem}", self.lead()))
            .note(format!("destination `{destination}` is {server}; the table there is as it was"))
    }

    /// How messages about a failed publish begin.
    fn lead(&self) -> String {
        let Place { destination, table, node, .. } = self;
        format!("`{node}` was not published to table `{table}` of `{destination}`: ")
    }

    /// What failed, without what it led to.
    pub(super) fn cause<'a>(&self, failure: &'a Diagnostic) -> &'a str {
        failure.message.strip_prefix(&self.lead()).unwrap_or(&failure.message)
    }

    /// A value or a type that the destination cannot hold.
    pub(super) fn unfit(&self, problem: impl std::fmt::Display) -> Box<Diagnostic> {
        self.failed(codes::PUBLISH_TYPE, problem)
    }
}
