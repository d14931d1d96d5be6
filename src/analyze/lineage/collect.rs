//! Plans become the lineage of a project, one by one while they exist.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{ColumnLineage, Kind, Lineage, NodeLineage, PlanLineage, ProjectNames, of_plan};
use crate::analyze::{Analysis, Analyzed, State, Visit, Visitor};
use crate::engine::type_name;
use crate::manifest::{Manifest, NodeId};
use crate::node::{Node, ResourceType};

/// Takes plans from several threads, and keeps what is said of their columns.
#[derive(Debug)]
pub struct Collector {
    names: ProjectNames,
    found: Mutex<HashMap<NodeId, Found>>,
}

/// What a plan says, and whether its columns may be null.
type Found = Result<(PlanLineage, Vec<bool>), String>;

impl Collector {
    /// A collector for relations that are called as `names` says.
    pub fn new(names: ProjectNames) -> Arc<Collector> {
        Arc::new(Collector { names, found: Mutex::default() })
    }

    /// What an analysis calls for each plan.
    pub fn visitor(self: &Arc<Collector>) -> Visitor {
        let collector = Arc::clone(self);
        Arc::new(move |visit| collector.visit(visit))
    }

    /// Takes one plan. The second query of an incremental model adds to the first.
    pub fn visit(&self, visit: &Visit<'_>) {
        if !matches!(visit.node.resource_type, ResourceType::Model | ResourceType::Snapshot) {
            return;
        }
        let found = of_plan(visit.plan, &self.names).map(|lineage| {
            let nullable = visit.analyzed.schema().fields().iter().map(|field| field.is_nullable()).collect();
            (without_itself(lineage, &visit.node.unique_id), nullable)
        });
        let mut all = self.found.lock();
        let merged = match (all.remove(&visit.id), found) {
            (Some(Ok(first)), Ok(second)) => Ok(merged(first, second)),
            (Some(Err(why)), _) | (_, Err(why)) => Err(why),
            (None, found) => found,
        };
        all.insert(visit.id, merged);
    }

    /// The lineage of all that was analyzed. Descriptions and tags have flowed.
    pub fn finish(&self, manifest: &Manifest, analysis: &Analysis) -> Lineage {
        let mut found = std::mem::take(&mut *self.found.lock());
        let mut lineage = Lineage::default();
        for (id, analyzed) in &analysis.nodes {
            let node = manifest.node(*id);
            let is_data = matches!(
                node.resource_type,
                ResourceType::Model | ResourceType::Snapshot | ResourceType::Seed | ResourceType::Source
            );
            if !is_data {
                continue;
            }
            match columns(node, analyzed, found.remove(id)) {
                Ok(of_node) => drop(lineage.nodes.insert(Arc::from(node.unique_id.as_str()), of_node)),
                Err(why) => drop(lineage.unknown.insert(node.unique_id.clone(), why)),
            }
        }
        super::flow::fill(manifest, &mut lineage);
        lineage
    }
}

/// The columns that a node will have, with what its plan says of them.
fn columns(node: &Node, analyzed: &Analyzed, found: Option<Found>) -> Result<NodeLineage, String> {
    let schema = match &analyzed.state {
        State::Known(schema) => schema,
        State::Unknown(why) => return Err(why.clone()),
        State::Given => return Err("it is taken as the warehouse has it".to_string()),
    };
    let has_query = matches!(node.resource_type, ResourceType::Model | ResourceType::Snapshot);
    let (mut plan, nullable) = match found {
        Some(found) => found?,
        None if has_query => return Err("its query could not be planned".to_string()),
        None => (PlanLineage::default(), Vec::new()),
    };
    let mut out = NodeLineage { rows: std::mem::take(&mut plan.rows), ..NodeLineage::default() };
    for field in schema.fields() {
        // A contract may name columns in another order and another case.
        let position = |same: &dyn Fn(&ColumnLineage) -> bool| plan.columns.iter().position(same);
        let at = position(&|column| column.name == *field.name())
            .or_else(|| position(&|column| column.name.eq_ignore_ascii_case(field.name())));
        let mut column = super::Column {
            data_type: type_name(field.data_type()),
            nullable: at.and_then(|at| nullable.get(at)).copied().unwrap_or(true),
            ..super::Column::default()
        };
        if let Some(of) = at.map(|at| &mut plan.columns[at]) {
            column.inputs = std::mem::take(&mut of.inputs);
            column.expression = of.expression.take();
            column.is_copy = of.is_copy;
        }
        out.columns.insert(field.name().clone(), column);
    }
    Ok(out)
}

/// Without what a node reads of itself: it holds nothing that was not put there by this very query.
fn without_itself(mut lineage: PlanLineage, id: &str) -> PlanLineage {
    for column in &mut lineage.columns {
        column.inputs.retain(|input| *input.source.node != *id);
    }
    lineage.rows.retain(|(source, _)| *source.node != *id);
    lineage
}

/// Both queries of a node together; what is written for the first build is shown.
fn merged(mut first: (PlanLineage, Vec<bool>), second: (PlanLineage, Vec<bool>)) -> (PlanLineage, Vec<bool>) {
    for mut other in second.0.columns {
        let Some(column) = first.0.columns.iter_mut().find(|column| column.name == other.name) else { continue };
        for input in other.inputs.drain(..) {
            match column.inputs.iter_mut().find(|mine| mine.source == input.source) {
                Some(mine) => {
                    mine.kind = mine.kind.max(input.kind);
                    mine.carries |= input.carries;
                }
                None => column.inputs.push(input),
            }
        }
        column.is_copy &= other.is_copy && column.inputs.iter().any(|input| input.kind == Kind::Copied);
    }
    first.0.rows.extend(second.0.rows);
    first.0.rows.sort();
    first.0.rows.dedup();
    for (may, other) in first.1.iter_mut().zip(second.1) {
        *may |= other;
    }
    first
}
