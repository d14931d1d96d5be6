//! Pieces that several kinds of node have.

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use crate::node::{Column, Constraint, Node, RefCall, SourceCall};

/// Times of creation are no property of a project: a constant keeps the bytes equal.
pub(super) const CREATED_AT: f64 = 0.0;

#[derive(Debug, Serialize)]
pub(super) struct Checksum {
    name: &'static str,
    checksum: String,
}

impl Checksum {
    /// The hash of a text without blanks around it, as dbt takes it.
    pub(super) fn of(text: &str) -> Checksum {
        Checksum::sha256(sha256(text.trim()))
    }

    /// A hash that was taken elsewhere.
    pub(super) fn sha256(checksum: String) -> Checksum {
        Checksum { name: "sha256", checksum }
    }

    /// For a file whose content nobody has looked at.
    pub(super) fn path(path: &str) -> Checksum {
        Checksum { name: "path", checksum: path.to_string() }
    }

    /// For what is no file of its own.
    pub(super) fn none() -> Checksum {
        Checksum { name: "none", checksum: String::new() }
    }
}

pub(super) fn sha256(text: &str) -> String {
    use sha2::Digest;
    hex(&sha2::Sha256::digest(text.as_bytes()))
}

pub(super) fn md5(text: &str) -> String {
    use md5::Digest;
    hex(&md5::Md5::digest(text.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[derive(Debug, Serialize)]
pub(super) struct DependsOn<'a> {
    pub(super) macros: &'a [String],
    pub(super) nodes: &'a [String],
}

impl<'a> DependsOn<'a> {
    pub(super) fn of(node: &'a Node) -> DependsOn<'a> {
        DependsOn { macros: &node.depends_on_macros, nodes: &node.depends_on }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Docs {
    pub(super) show: bool,
    pub(super) node_color: Option<String>,
}

impl Docs {
    /// The `docs` of a configuration.
    pub(super) fn of(node: &Node) -> Docs {
        let docs = node.config.get("docs");
        let get = |key| docs.and_then(|docs| docs.get(key));
        Docs {
            show: get("show").and_then(Json::as_bool).unwrap_or(true),
            node_color: get("node_color").and_then(Json::as_str).map(str::to_string),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Ref<'a> {
    name: &'a str,
    package: Option<&'a str>,
    version: Option<&'a Json>,
}

pub(super) fn refs(calls: &[RefCall]) -> Vec<Ref<'_>> {
    calls.iter().map(Ref::of).collect()
}

impl<'a> Ref<'a> {
    fn of(call: &'a RefCall) -> Ref<'a> {
        Ref { name: &call.name, package: call.package.as_deref(), version: call.version.as_ref() }
    }
}

pub(super) fn sources(calls: &[SourceCall]) -> Vec<[&str; 2]> {
    calls.iter().map(|call| [call.source.as_str(), call.table.as_str()]).collect()
}

#[derive(Debug, Serialize)]
pub(super) struct ConstraintDoc<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    name: Option<&'a str>,
    expression: Option<&'a str>,
    warn_unenforced: bool,
    warn_unsupported: bool,
    to: Option<&'a str>,
    to_columns: [&'a str; 0],
    /// On the level of a model alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    columns: Option<&'a [String]>,
}

impl<'a> ConstraintDoc<'a> {
    pub(super) fn of_model(constraint: &'a Constraint) -> ConstraintDoc<'a> {
        ConstraintDoc { columns: Some(&constraint.columns), ..ConstraintDoc::of_column(constraint) }
    }

    fn of_column(constraint: &'a Constraint) -> ConstraintDoc<'a> {
        let kind = match constraint.kind.as_str() {
            known @ ("check" | "not_null" | "unique" | "primary_key" | "foreign_key") => known,
            _ => "custom",
        };
        ConstraintDoc {
            kind,
            name: constraint.name.as_deref(),
            expression: constraint.expression.as_deref(),
            warn_unenforced: true,
            warn_unsupported: true,
            to: None,
            to_columns: [],
            columns: None,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct ColumnDoc<'a> {
    name: &'a str,
    description: &'a str,
    meta: &'a Map<String, Json>,
    data_type: Option<&'a str>,
    constraints: Vec<ConstraintDoc<'a>>,
    quote: Option<bool>,
    config: ColumnConfig<'a>,
    tags: &'a [String],
    granularity: Option<&'a str>,
    doc_blocks: [&'a str; 0],
}

#[derive(Debug, Serialize)]
struct ColumnConfig<'a> {
    meta: &'a Map<String, Json>,
    tags: &'a [String],
}

/// Declared columns by name.
pub(super) fn columns(columns: &[Column]) -> IndexMap<&str, ColumnDoc<'_>> {
    columns.iter().map(|column| (column.name.as_str(), ColumnDoc::of(column))).collect()
}

impl<'a> ColumnDoc<'a> {
    fn of(column: &'a Column) -> ColumnDoc<'a> {
        ColumnDoc {
            name: &column.name,
            description: &column.description,
            meta: &column.meta,
            data_type: column.data_type.as_deref(),
            constraints: column.constraints.iter().map(ConstraintDoc::of_column).collect(),
            quote: column.quote,
            config: ColumnConfig { meta: &column.meta, tags: &column.tags },
            tags: &column.tags,
            granularity: None,
            doc_blocks: [],
        }
    }
}

/// `meta` of a configuration.
pub(super) fn meta(node: &Node) -> Map<String, Json> {
    node.config.get("meta").and_then(Json::as_object).cloned().unwrap_or_default()
}
