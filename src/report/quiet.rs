//! `--quiet`: failures, and what templates print; nothing else.

use super::Reporter;
use crate::run::RunEvent;

/// Lets through what even a quiet run says.
pub struct Quiet {
    inner: Box<dyn Reporter>,
}

impl Quiet {
    /// `inner`, quietened.
    pub fn new(inner: Box<dyn Reporter>) -> Quiet {
        Quiet { inner }
    }
}

impl Reporter for Quiet {
    fn event(&mut self, event: &RunEvent) {
        let passes = match event {
            RunEvent::UnitFinished { result, .. } => result.status.is_failure(),
            RunEvent::Found(diagnostic) => diagnostic.is_error(),
            RunEvent::Log { print, .. } => *print,
            RunEvent::Started { .. }
            | RunEvent::UnitStarted { .. }
            | RunEvent::UnitProgress { .. }
            | RunEvent::Interrupted
            | RunEvent::Finished { .. } => false,
        };
        if passes {
            self.inner.event(event);
        }
    }
}
