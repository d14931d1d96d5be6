//! Unit tests: planned, and not run.

use super::nodes::Analyzer;
use super::{Analyzed, State};
use crate::check::{UnitJob, check_unit_test};
use crate::diag::{Result, Shelf};
use crate::node::Node;

impl Analyzer {
    /// Plans a unit test: its rows name columns that are there, and the model's query fits them.
    pub(super) fn unit_test(&self, node: &Node) -> Analyzed {
        let mut found = Analyzed::default();
        match self.runtime.block_on(self.plan_unit_test(node)) {
            Ok(()) => {}
            Err(error) if error.code.shelf == Shelf::World => found.state = State::Unknown(error.message),
            Err(error) => found.push(error.of_node(&node.unique_id)),
        }
        found
    }

    async fn plan_unit_test(&self, node: &Node) -> Result<()> {
        let request = &self.request;
        let meter = request.engine.meter()?;
        let job = UnitJob {
            engine: &request.engine,
            meter: &meter,
            world: &request.world,
            manifest: &request.manifest,
            node,
            fixture: &|name| request.project.fixture(name),
        };
        check_unit_test(&job).await
    }
}
