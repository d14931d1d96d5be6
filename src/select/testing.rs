//! Hand-made manifests for tests.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::{Criteria, Inputs, select};
use crate::diag::{Diagnostic, Diagnostics, SourceFile, Span};
use crate::manifest::{Group, Manifest, resolve};
use crate::node::{GenericTest, ModelParts, Node, NodeKind, RefCall, ResourceType, SourceCall, SourceTable, UnitTest};
use crate::project::yaml::Yaml;

/// A node of the root project `acme` from the path of its file: folders and name follow from it.
pub(crate) fn node(kind: ResourceType, path: &str) -> Node {
    let (folder, inside) = path.split_once('/').unwrap_or(("", path));
    let stem = inside.rsplit_once('.').map_or(inside, |(stem, _)| stem);
    let name = stem.rsplit('/').next().unwrap_or(stem).to_string();
    let mut fqn = vec!["acme".to_string()];
    fqn.extend(stem.split('/').map(str::to_string));
    if folder == "snapshots" {
        fqn.push(name.clone());
    }
    let file = SourceFile::new(path, "select 1");
    let parts = match kind {
        ResourceType::Model => NodeKind::Model(ModelParts::default()),
        ResourceType::Seed => NodeKind::Seed,
        ResourceType::Snapshot => NodeKind::Snapshot,
        ResourceType::Test => NodeKind::Test(None),
        ResourceType::Exposure => NodeKind::Exposure(Box::new(json!({"type": "dashboard"}))),
        _ => NodeKind::Analysis,
    };
    let raw_code = file.text.clone();
    Node { path: inside.into(), fqn, raw_code, ..Node::new("acme", &name, kind, &file, parts) }
}

/// Builds on a node.
pub(crate) trait Build: Sized {
    fn refs(self, names: &[&str]) -> Self;
    fn source(self, source: &str, table: &str) -> Self;
    fn set(self, key: &str, value: Json) -> Self;
    fn versioned(self, version: i64, latest: i64) -> Self;
    fn in_package(self, package: &str) -> Self;
}

impl Build for Node {
    fn refs(mut self, names: &[&str]) -> Node {
        let call = |name: &&str| RefCall { package: None, name: (*name).into(), version: None, span: None };
        self.refs.extend(names.iter().map(call));
        self
    }

    fn source(mut self, source: &str, table: &str) -> Node {
        self.sources.push(SourceCall { source: source.into(), table: table.into(), span: None });
        self
    }

    fn set(mut self, key: &str, value: Json) -> Node {
        self.config.set(key, value.clone(), None);
        self.unrendered_config.insert(key.into(), value);
        self
    }

    fn versioned(mut self, version: i64, latest: i64) -> Node {
        self.kind = NodeKind::Model(ModelParts {
            version: Some(version.into()),
            latest_version: Some(latest.into()),
            ..ModelParts::default()
        });
        self.unique_id = format!("{}.v{version}", self.unique_id);
        self.fqn.push(format!("v{version}"));
        self
    }

    fn in_package(mut self, package: &str) -> Node {
        self.unique_id = self.unique_id.replacen("acme", package, 1);
        self.fqn[0] = package.into();
        self.package = package.into();
        self
    }
}

/// A model at a path.
pub(crate) fn model(path: &str) -> Node {
    node(ResourceType::Model, path)
}

/// A table of a source, declared in `path`.
pub(crate) fn source(path: &str, source: &str, table: &str) -> Node {
    let mut node = node(ResourceType::Source, path);
    node.unique_id = format!("source.acme.{source}.{table}");
    node.fqn.pop();
    node.fqn.extend([source.to_string(), table.to_string()]);
    node.name = table.into();
    node.kind = NodeKind::Source(Box::new(SourceTable {
        source_name: source.into(),
        source_description: String::new(),
        identifier: table.into(),
        loader: String::new(),
        loaded_at_field: None,
        loaded_at_query: None,
        freshness: None,
        external: None,
        source_meta: Map::new(),
    }));
    node
}

/// A generic test of `tested`, declared in `path`.
pub(crate) fn generic_test(path: &str, name: &str, test: &str, tested: &[&str]) -> Node {
    let mut node = node(ResourceType::Test, path).refs(tested);
    node.unique_id = format!("test.acme.{name}");
    node.name = name.into();
    node.fqn.pop();
    node.fqn.push(name.into());
    node.kind = NodeKind::Test(Some(Box::new(GenericTest {
        name: test.into(),
        namespace: None,
        kwargs: Map::new(),
        column_name: None,
        attached_node: format!("model.acme.{}", tested[0]),
        file_key_name: format!("models.{}", tested[0]),
        column_tags: Vec::new(),
    })));
    node
}

/// A unit test of `tested`, declared in `path`.
pub(crate) fn unit_test(path: &str, name: &str, tested: &str) -> Node {
    let mut node = node(ResourceType::UnitTest, path).refs(&[tested]);
    node.unique_id = format!("unit_test.acme.{tested}.{name}");
    node.name = name.into();
    node.fqn.pop();
    node.fqn.extend([tested.to_string(), name.to_string()]);
    node.kind = NodeKind::UnitTest(Box::new(UnitTest {
        model: tested.into(),
        given: vec![json!({"input": "ref('x')", "rows": [{"id": 1}]})],
        expect: json!({"rows": [{"id": 1}]}),
        overrides: Json::Null,
        version: None,
    }));
    node
}

/// The resolved manifest of `nodes`.
pub(crate) fn manifest(nodes: Vec<Node>) -> Manifest {
    let mut found = Diagnostics::default();
    let file = SourceFile::new("models/_groups.yml", "");
    let group = |name: &str| Group {
        name: name.into(),
        package: "acme".into(),
        original_path: file.path.clone(),
        owner: Json::Null,
        span: Span::start_of(&file),
    };
    let groups = vec![group("finance")];
    let manifest = resolve(Manifest { project_name: "acme".into(), nodes, groups, ..Manifest::default() }, &mut found);
    assert!(!found.has_errors(), "{:?}", found.iter().map(ToString::to_string).collect::<Vec<_>>());
    manifest
}

/// The text of a `selectors.yml`.
pub(crate) fn selectors(text: &str) -> Option<Yaml> {
    Yaml::parse(&SourceFile::new("selectors.yml", text), &mut Diagnostics::default())
}

/// `--select` with these arguments.
pub(crate) fn selecting(arguments: &[&str]) -> Criteria {
    Criteria { select: arguments.iter().map(ToString::to_string).collect(), ..Criteria::default() }
}

/// The last parts of the unique ids of what `criteria` selects.
pub(crate) fn names(criteria: &Criteria, inputs: &Inputs<'_>) -> Result<BTreeSet<String>, Box<Diagnostic>> {
    let selection = select(criteria, inputs, &mut Diagnostics::default())?;
    Ok(selection.nodes.iter().map(|id| short(&inputs.manifest.node(*id).unique_id)).collect())
}

fn short(unique_id: &str) -> String {
    let parts: Vec<&str> = unique_id.splitn(3, '.').collect();
    parts.last().map(ToString::to_string).unwrap_or_default()
}

/// A place for an entry of a properties file.
pub(crate) fn place(path: &str) -> Span {
    Span::start_of(&SourceFile::new(path, "version: 2"))
}
