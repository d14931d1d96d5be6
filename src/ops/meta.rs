//! The project as tables: `c360.meta.nodes`, `edges`, `columns`, `column_edges` and `tests`, beside the runs that
//! `c360.meta.runs` keeps.
//!
//! They are made of the resolved project when a query names them, and are stored nowhere. Columns and what they are made
//! from take an analysis of the whole project, so only a query that names those tables waits for one.

use std::sync::Arc;

use arrow_json::ReaderBuilder;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{MemTable, TableProvider};
use serde_json::{Value as Json, json};

use super::{Loaded, Options, Session, lineage};
use crate::analyze::lineage::Lineage;
use crate::diag::{Diagnostic, Result, codes};
use crate::history::{empty_runs, relation};
use crate::manifest::Manifest;
use crate::node::{Node, NodeKind, ResourceType, plain};

/// A table: its name, and its columns with a letter for the type: text, number, boolean or list of texts.
type Shape = (&'static str, &'static [(&'static str, char)]);

const NODES: Shape = (
    "nodes",
    &[
        ("unique_id", 't'),
        ("name", 't'),
        ("resource_type", 't'),
        ("package", 't'),
        ("path", 't'),
        ("fqn", 'l'),
        ("database", 't'),
        ("schema", 't'),
        ("alias", 't'),
        ("relation", 't'),
        ("materialized", 't'),
        ("description", 't'),
        ("tags", 'l'),
        ("group", 't'),
        ("access", 't'),
        ("version", 't'),
        ("meta", 't'),
        ("config", 't'),
        ("code", 't'),
        ("parents", 'n'),
        ("children", 'n'),
    ],
);

const EDGES: Shape = ("edges", &[("parent", 't'), ("child", 't')]);

const COLUMNS: Shape = (
    "columns",
    &[
        ("unique_id", 't'),
        ("name", 't'),
        ("position", 'n'),
        ("type", 't'),
        ("nullable", 'b'),
        ("declared", 'b'),
        ("description", 't'),
        ("tags", 'l'),
        ("meta", 't'),
        ("expression", 't'),
    ],
);

const COLUMN_EDGES: Shape =
    ("column_edges", &[("from_node", 't'), ("from_column", 't'), ("to_node", 't'), ("to_column", 't'), ("kind", 't')]);

const TESTS: Shape = (
    "tests",
    &[
        ("unique_id", 't'),
        ("name", 't'),
        ("kind", 't'),
        ("test", 't'),
        ("node", 't'),
        ("column", 't'),
        ("severity", 't'),
        ("where", 't'),
        ("tags", 'l'),
        ("package", 't'),
        ("path", 't'),
    ],
);

/// True if `sql` may name one of the tables.
fn is_asked_for(sql: &str, table: &str) -> bool {
    let words = sql.to_lowercase().replace(['"', '`'], "");
    words.contains(&format!("meta.{table}"))
}

/// Makes the tables that `sql` names known to the engine of `session`.
///
/// # Errors
/// What an analysis of the project fails with.
pub(super) async fn offer(options: &Options, loaded: &Loaded, session: &Session, sql: &str) -> Result<()> {
    let manifest = &loaded.manifest;
    let wants = |shape: &Shape| is_asked_for(sql, shape.0);
    let mut tables: Vec<(&str, Arc<dyn TableProvider>)> = Vec::new();
    let simple: [(&Shape, fn(&Manifest) -> Vec<Json>); 3] = [(&NODES, nodes), (&EDGES, edges), (&TESTS, tests)];
    for (shape, rows) in simple {
        if wants(shape) {
            tables.push((shape.0, table(shape, &rows(manifest))?));
        }
    }
    if wants(&COLUMNS) || wants(&COLUMN_EDGES) {
        let lineage = lineage(options, loaded).await?;
        tables.push((COLUMNS.0, table(&COLUMNS, &columns(manifest, &lineage))?));
        tables.push((COLUMN_EDGES.0, table(&COLUMN_EDGES, &column_edges(&lineage))?));
    }
    if is_asked_for(sql, "runs") {
        tables.push(("runs", empty_runs()?));
    }
    let schema = relation(&loaded.invocation.target.database).schema;
    session.engine.offer(&schema, tables);
    Ok(())
}

fn field(&(name, kind): &(&str, char)) -> Field {
    let data_type = match kind {
        'n' => DataType::Int64,
        'b' => DataType::Boolean,
        'l' => DataType::List(Arc::new(Field::new("item", DataType::Utf8, true))),
        _ => DataType::Utf8,
    };
    Field::new(name, data_type, true)
}

fn table(shape: &Shape, rows: &[Json]) -> Result<Arc<dyn TableProvider>> {
    let bad = |error: &dyn std::fmt::Display| {
        Diagnostic::error(codes::INTERNAL, format!("the table `{}` of the project cannot be made: {error}", shape.0))
    };
    let schema: SchemaRef = Arc::new(Schema::new(shape.1.iter().map(field).collect::<Vec<_>>()));
    let decoder = ReaderBuilder::new(Arc::clone(&schema)).with_batch_size(rows.len().max(1)).build_decoder();
    let mut decoder = decoder.map_err(|error| bad(&error))?;
    decoder.serialize(rows).map_err(|error| bad(&error))?;
    let batch = decoder.flush().map_err(|error| bad(&error))?;
    let table = MemTable::try_new(schema, vec![batch.into_iter().collect()]).map_err(|error| bad(&error))?;
    Ok(Arc::new(table))
}

/// A setting as text, if it is set to anything.
fn text(node: &Node, key: &str) -> Option<String> {
    node.config.get(key).filter(|value| !value.is_null()).map(plain)
}

fn nodes(manifest: &Manifest) -> Vec<Json> {
    let row = |id| {
        let node = manifest.node(id);
        let relation = node.relation.as_ref();
        let has_materialization = matches!(
            node.resource_type,
            ResourceType::Model | ResourceType::Seed | ResourceType::Snapshot | ResourceType::Test
        );
        json!({
            "unique_id": node.unique_id,
            "name": node.name,
            "resource_type": node.resource_type.as_str(),
            "package": node.package,
            "path": node.original_path,
            "fqn": node.fqn,
            "database": relation.map(|relation| &relation.database),
            "schema": relation.map(|relation| &relation.schema),
            "alias": relation.map(|relation| &relation.identifier),
            "relation": relation.map(crate::node::Relation::render),
            "materialized": has_materialization.then(|| node.materialized()),
            "description": node.description,
            "tags": node.tags(),
            "group": text(node, "group"),
            "access": text(node, "access").filter(|_| node.resource_type == ResourceType::Model),
            "version": node.as_model().and_then(|model| model.version.as_ref()).map(plain),
            "meta": node.config.get("meta").map(Json::to_string),
            "config": Json::Object(node.config.to_json()).to_string(),
            "code": Some(&node.raw_code).filter(|code| !code.is_empty()),
            "parents": manifest.dag.parents(id).len(),
            "children": manifest.dag.children(id).len(),
        })
    };
    manifest.ids().map(row).collect()
}

fn edges(manifest: &Manifest) -> Vec<Json> {
    let of = |child| {
        let parents = manifest.dag.parents(child).iter();
        let name = |id| &manifest.node(id).unique_id;
        parents.map(move |parent| json!({"parent": name(*parent), "child": name(child)}))
    };
    manifest.ids().flat_map(of).collect()
}

fn tests(manifest: &Manifest) -> Vec<Json> {
    let row = |node: &Node| {
        let (kind, test, subject, column) = match &node.kind {
            NodeKind::Test(Some(test)) => {
                let namespace = test.namespace.as_ref().map(|name| format!("{name}.")).unwrap_or_default();
                let name = format!("{namespace}{}", test.name);
                ("generic", Some(name), Some(test.attached_node.clone()), test.column_name.clone())
            }
            NodeKind::Test(None) => ("singular", None, None, None),
            NodeKind::UnitTest(_) => ("unit", None, node.depends_on.first().cloned(), None),
            _ => return None,
        };
        Some(json!({
            "unique_id": node.unique_id,
            "name": node.name,
            "kind": kind,
            "test": test,
            "node": subject,
            "column": column,
            "severity": text(node, "severity").unwrap_or_else(|| "error".into()).to_lowercase(),
            "where": text(node, "where"),
            "tags": node.tags(),
            "package": node.package,
            "path": node.original_path,
        }))
    };
    manifest.nodes.iter().filter_map(row).collect()
}

/// Columns as they will be, and those that are declared where nobody knows what will be.
fn columns(manifest: &Manifest, lineage: &Lineage) -> Vec<Json> {
    let mut out = Vec::new();
    for node in &manifest.nodes {
        let declared = |name: &str| node.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
        let known = lineage.nodes.get(node.unique_id.as_str());
        for (index, (name, column)) in known.iter().flat_map(|known| known.columns.iter()).enumerate() {
            let own = declared(name);
            out.push(json!({
                "unique_id": node.unique_id,
                "name": name,
                "position": index + 1,
                "type": column.data_type,
                "nullable": column.nullable,
                "declared": own.is_some(),
                "description": own.map(|own| &own.description),
                "tags": own.map(|own| &own.tags).filter(|tags| !tags.is_empty()),
                "meta": own.filter(|own| !own.meta.is_empty()).map(|own| Json::Object(own.meta.clone()).to_string()),
                "expression": column.expression.as_deref(),
            }));
        }
        for (index, own) in node.columns.iter().enumerate().filter(|_| known.is_none()) {
            out.push(json!({
                "unique_id": node.unique_id,
                "name": own.name,
                "position": index + 1,
                "type": own.data_type,
                "declared": true,
                "description": own.description,
                "tags": Some(&own.tags).filter(|tags| !tags.is_empty()),
                "meta": Some(&own.meta).filter(|meta| !meta.is_empty()).map(|meta| Json::Object(meta.clone()).to_string()),
            }));
        }
    }
    out
}

fn column_edges(lineage: &Lineage) -> Vec<Json> {
    let mut out = Vec::new();
    for (id, node) in &lineage.nodes {
        for (name, column) in &node.columns {
            for input in &column.inputs {
                out.push(json!({
                    "from_node": &*input.source.node,
                    "from_column": &*input.source.column,
                    "to_node": &**id,
                    "to_column": name,
                    "kind": input.kind.as_str(),
                }));
            }
        }
    }
    out
}
