//! What is no node: macros, docs blocks and groups.

use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::parts::{CREATED_AT, Docs};
use crate::manifest::{DocBlock, Group, MacroInfo};

/// A value of `macros`.
#[derive(Debug, Serialize)]
pub(super) struct MacroDoc<'a> {
    name: &'a str,
    resource_type: &'static str,
    package_name: &'a str,
    path: &'a str,
    original_file_path: &'a str,
    unique_id: &'a str,
    macro_sql: &'a str,
    depends_on: MacrosOf<'a>,
    description: &'a str,
    meta: &'a Map<String, Json>,
    docs: Docs,
    config: MacroConfig<'a>,
    patch_path: Option<&'a str>,
    arguments: Vec<Argument>,
    created_at: f64,
    supported_languages: Option<&'a [String]>,
}

#[derive(Debug, Serialize)]
struct MacrosOf<'a> {
    macros: &'a [String],
}

#[derive(Debug, Serialize)]
struct MacroConfig<'a> {
    meta: &'a Map<String, Json>,
    docs: Docs,
}

#[derive(Debug, Serialize)]
struct Argument {
    name: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    description: String,
}

impl<'a> MacroDoc<'a> {
    pub(super) fn of(info: &'a MacroInfo) -> MacroDoc<'a> {
        let docs = || Docs { show: true, node_color: None };
        MacroDoc {
            name: &info.name,
            resource_type: "macro",
            package_name: &info.package,
            path: &info.original_path,
            original_file_path: &info.original_path,
            unique_id: &info.unique_id,
            macro_sql: &info.macro_sql,
            depends_on: MacrosOf { macros: &info.depends_on },
            description: &info.description,
            meta: &info.meta,
            docs: docs(),
            config: MacroConfig { meta: &info.meta, docs: docs() },
            patch_path: None,
            arguments: info.arguments.iter().map(Argument::of).collect(),
            created_at: CREATED_AT,
            supported_languages: None,
        }
    }
}

impl Argument {
    fn of(written: &Json) -> Argument {
        let text = |key: &str| written.get(key).filter(|value| !value.is_null()).map(crate::node::plain);
        Argument {
            name: text("name").unwrap_or_else(|| crate::node::plain(written)),
            kind: text("type"),
            description: text("description").unwrap_or_default(),
        }
    }
}

/// A value of `docs`.
#[derive(Debug, Serialize)]
pub(super) struct BlockDoc<'a> {
    name: &'a str,
    resource_type: &'static str,
    package_name: &'a str,
    path: &'a str,
    original_file_path: &'a str,
    unique_id: &'a str,
    block_contents: &'a str,
}

impl<'a> BlockDoc<'a> {
    pub(super) fn of(block: &'a DocBlock) -> BlockDoc<'a> {
        BlockDoc {
            name: &block.name,
            resource_type: "doc",
            package_name: &block.package,
            path: block.original_path.split_once('/').map_or(&block.original_path, |(_, path)| path),
            original_file_path: &block.original_path,
            unique_id: &block.unique_id,
            block_contents: &block.contents,
        }
    }
}

/// A value of `groups`.
#[derive(Debug, Serialize)]
pub(super) struct GroupDoc<'a> {
    name: &'a str,
    resource_type: &'static str,
    package_name: &'a str,
    path: &'a str,
    original_file_path: &'a str,
    unique_id: String,
    owner: Json,
    description: Option<&'a str>,
    config: Json,
}

impl<'a> GroupDoc<'a> {
    pub(super) fn of(group: &'a Group) -> GroupDoc<'a> {
        GroupDoc {
            name: &group.name,
            resource_type: "group",
            package_name: &group.package,
            path: group.original_path.split_once('/').map_or(&group.original_path, |(_, path)| path),
            original_file_path: &group.original_path,
            unique_id: GroupDoc::unique_id(group),
            owner: if group.owner.is_object() { group.owner.clone() } else { json!({}) },
            description: None,
            config: json!({"meta": {}}),
        }
    }

    pub(super) fn unique_id(group: &Group) -> String {
        format!("group.{}.{}", group.package, group.name)
    }
}
