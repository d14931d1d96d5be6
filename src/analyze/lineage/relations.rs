//! Where the walk ends: relations, whose columns are the origins of everything.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{FieldRef, Fields};
use datafusion::logical_expr::{LogicalPlan, SubqueryAlias, TableScan};

use super::plan::Walk;
use super::rows::Rows;
use super::text;
use super::value::{Origin, Output, Uses, Value};
use super::{RowKind, Source};

/// The relations that a plan reads, and the parts of their columns that it looks into.
#[derive(Debug, Default)]
pub(super) struct Relations {
    relations: Vec<Relation>,
    by_name: HashMap<Arc<str>, u32>,
    /// Path 0 is that of a whole column.
    paths: Vec<Vec<String>>,
    by_path: HashMap<(u32, String), u32>,
}

#[derive(Debug)]
struct Relation {
    name: Arc<str>,
    columns: Vec<Arc<str>>,
}

impl Relations {
    /// The number of the relation `name` with these columns.
    fn add(&mut self, name: Arc<str>, fields: &Fields) -> u32 {
        if let Some(number) = self.by_name.get(&name) {
            return *number;
        }
        let number = self.relations.len() as u32;
        let columns = fields.iter().map(|field| Arc::from(field.name().as_str())).collect();
        self.relations.push(Relation { name: Arc::clone(&name), columns });
        self.by_name.insert(name, number);
        number
    }

    /// The number of the column `name` of a relation.
    fn column(&mut self, relation: u32, index: usize, name: &str) -> u32 {
        let columns = &mut self.relations[relation as usize].columns;
        if columns.get(index).is_some_and(|column| **column == *name) {
            return index as u32;
        }
        let found = columns.iter().position(|column| **column == *name);
        found.unwrap_or_else(|| {
            columns.push(Arc::from(name));
            columns.len() - 1
        }) as u32
    }

    /// `origin` with one more step into it.
    fn inside(&mut self, origin: Origin, field: &str) -> Origin {
        if self.paths.is_empty() {
            self.paths.push(Vec::new());
        }
        let key = (origin.path, field.to_string());
        let path = match self.by_path.get(&key) {
            Some(path) => *path,
            None => {
                let mut path = self.paths[origin.path as usize].clone();
                path.push(field.to_string());
                self.paths.push(path);
                let number = self.paths.len() as u32 - 1;
                self.by_path.insert(key, number);
                number
            }
        };
        Origin { path, ..origin }
    }

    /// What `origin` stands for.
    pub(super) fn source(&self, origin: Origin) -> Source {
        let relation = &self.relations[origin.relation as usize];
        Source {
            node: Arc::clone(&relation.name),
            column: Arc::clone(&relation.columns[origin.column as usize]),
            path: self.paths.get(origin.path as usize).cloned().unwrap_or_default(),
        }
    }
}

impl Walk<'_> {
    /// The columns of a scan. A filter on a scan decides about its rows.
    pub(super) fn scan(&mut self, scan: &TableScan) -> Arc<Output> {
        let name = scan.table_name.table();
        if scan.table_name.schema().is_none()
            && let Some((_, output)) = self.working.iter().rev().find(|(other, _)| other == name)
        {
            return Arc::clone(output);
        }
        let fields = scan.projected_schema.fields();
        let Some(node) = self.names.relation(&scan.table_name) else {
            let text = text::named(name);
            let column = |_| Arc::new(Value { text: Some(text.clone()), ..Value::default() });
            return Arc::new(Output { columns: fields.iter().map(column).collect(), rows: Rows::default() });
        };
        let output = self.origins(node, &scan.source.schema().fields().clone(), fields);
        if scan.filters.is_empty() {
            return output;
        }
        let frame = vec![(Arc::clone(&scan.projected_schema), Arc::clone(&output))];
        let mut rows = Rows::default();
        for filter in &scan.filters {
            rows = rows.and(&self.uses(filter, &frame), RowKind::Filter);
        }
        Arc::new(Output { columns: output.columns.clone(), rows })
    }

    /// The columns of a node whose plan stands here in place of its name: a view, or an ephemeral model.
    pub(super) fn boundary(&mut self, alias: &SubqueryAlias) -> Option<Arc<Output>> {
        let name = match alias.alias.schema() {
            // Only names of relations have several parts.
            Some(_) if !matches!(*alias.input, LogicalPlan::TableScan(_)) => self.names.relation(&alias.alias)?,
            Some(_) => return None,
            None => self.names.ephemeral(alias.alias.table())?,
        };
        let fields = alias.schema.fields();
        Some(self.origins(name, fields, fields))
    }

    fn origins(&mut self, name: Arc<str>, all: &Fields, fields: &Fields) -> Arc<Output> {
        let relation = self.relations.add(name, all);
        let column = |(index, field): (usize, &FieldRef)| {
            let column = self.relations.column(relation, index, field.name());
            let uses = Uses::one(Origin { relation, column, path: 0 });
            Arc::new(Value { uses, is_copy: true, ..Value::default() })
        };
        let columns = fields.iter().enumerate().map(column).collect();
        Arc::new(Output { columns, rows: Rows::default() })
    }

    /// A part of an origin.
    pub(super) fn inside(&mut self, origin: Origin, field: &str) -> Origin {
        self.relations.inside(origin, field)
    }
}
