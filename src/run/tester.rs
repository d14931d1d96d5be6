//! Runs data tests and unit tests, and says what they found.

use std::path::Path;
use std::sync::Arc;

use super::Status;
use super::executor::{Attempt, Outcome, RunContext};
use crate::check::{UnitJob, Verdict, run_data_test, run_unit_test, verdict};
use crate::compile::compiled_path;
use crate::diag::{Diagnostic, Result, SourceFile, codes};
use crate::engine::Meter;
use crate::manifest::NodeId;
use crate::materialize::{Job, materialize_as};
use crate::node::{Node, Relation, ResourceType};
use crate::stdx::grouped;
use crate::warehouse::Commit;

impl RunContext {
    pub(super) async fn test(self: &Arc<Self>, id: NodeId, attempt: &mut Attempt) -> Result<Outcome> {
        let node = self.manifest.node(id);
        if node.resource_type == ResourceType::UnitTest {
            return self.unit_test(node, attempt).await;
        }
        let mut sql = self.compile(id, attempt).await?;
        let meter = &*attempt.meter.insert(self.engine.meter()?);
        if let Some((relation, kind)) = self.stores(node) {
            sql = self.store_failures(node, relation, kind, &sql, meter).await?;
        }
        let found = run_data_test(&self.engine, meter, &sql, &node.config).await?;
        let mut verdict = verdict(&node.config, &found);
        if verdict.status == Status::Warn && self.warn_error.promotes(codes::TEST_WARNED) {
            verdict.status = Status::Fail;
        }
        let path = self.target_path.join("compiled").join(compiled_path(node));
        let diagnostic = found_rows(node, verdict.status, found.failures, &path);
        Ok(Outcome::Tested { verdict, diagnostic })
    }

    /// Where the rows that a test finds are kept, and as what, if they are.
    fn stores<'a>(&self, node: &'a Node) -> Option<(&'a Relation, &'static str)> {
        let wanted = node.config.bool("store_failures").unwrap_or(self.store_failures);
        let kind = match node.config.str("store_failures_as") {
            Some("view") => Some("view"),
            Some("table") => Some("table"),
            Some(_) => None,
            None => wanted.then_some("table"),
        };
        Some((node.relation.as_ref()?, kind?))
    }

    /// Keeps the rows that a test finds; gives back the query that reads them.
    async fn store_failures(
        &self,
        node: &Node,
        relation: &Relation,
        kind: &str,
        sql: &Arc<SourceFile>,
        meter: &Meter,
    ) -> Result<Arc<SourceFile>> {
        let job = Job {
            engine: &self.engine,
            meter,
            node,
            relation,
            sql,
            seed_file: None,
            progress: &Default::default(),
            commit: Commit::new(&node.unique_id, &self.world.invocation.id),
            full_refresh: true,
            batch: None,
        };
        materialize_as(kind, &job).await?;
        Ok(SourceFile::new(sql.path.clone(), format!("select * from {}", relation.render())))
    }

    async fn unit_test(self: &Arc<Self>, node: &Node, attempt: &mut Attempt) -> Result<Outcome> {
        let meter = &*attempt.meter.insert(self.engine.meter()?);
        let job = UnitJob {
            engine: &self.engine,
            meter,
            world: &self.world,
            manifest: &self.manifest,
            node,
            fixture: &|name| self.project.fixture(name),
        };
        let found = run_unit_test(&job).await?;
        attempt.compiled = Some(found.compiled);
        let status = if found.difference.is_some() { Status::Fail } else { Status::Pass };
        let diagnostic = found.difference.map(|lines| differs(node, &lines));
        Ok(Outcome::Tested { verdict: Verdict { status, failures: u64::from(diagnostic.is_some()) }, diagnostic })
    }
}

/// A unit test whose rows differ.
fn differs(node: &Node, lines: &[String]) -> Box<Diagnostic> {
    let message = format!("unit test `{}`: the model gives other rows than expected", node.name);
    Diagnostic::error(codes::UNIT_TEST_FAILED, message)
        .label(node.place(), "")
        .note(format!("- expected and missing, + there and not expected\n{}", lines.join("\n")))
        .of_node(&node.unique_id)
}

fn found_rows(node: &Node, status: Status, failures: u64, path: &Path) -> Option<Box<Diagnostic>> {
    let found = match failures {
        1 => "found 1 row that it should not find".to_string(),
        failures => format!("found {} rows that it should not find", grouped(failures)),
    };
    let message = format!("test `{}` {found}", node.name);
    let diagnostic = match status {
        Status::Fail => Diagnostic::error(codes::TEST_FAILED, message),
        Status::Warn => Diagnostic::warning(codes::TEST_WARNED, message),
        _ => return None,
    };
    Some(
        diagnostic
            .label(node.place(), "")
            .note(format!("its query is in {}", path.display()))
            .help(format!("`c360 show --select {}` shows the rows", node.name))
            .of_node(&node.unique_id),
    )
}
