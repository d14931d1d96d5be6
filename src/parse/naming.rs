//! Database, schema and alias of a node.
//!
//! dbt lets projects replace the three macros that decide; where nobody does, the same is computed here without
//! rendering anything, since ten thousand nodes are named in every command.

use std::sync::Arc;

use crate::diag::Result;
use crate::jinja::{Args, BUILTIN_PACKAGE, Interpreter, NodeContext, Options, Value, World};
use crate::node::{Node, NodeKind, Relation, ResourceType, plain};

/// The suffix of the schema that tests store their failures in.
const TEST_SCHEMA: &str = "dbt_test__audit";

/// Where `node` is stored; none for what is not stored anywhere.
///
/// # Errors
/// What a macro of the project fails with.
pub(super) fn relation(world: &Arc<World>, node: &Node) -> Result<Option<Relation>> {
    if matches!(node.resource_type, ResourceType::Source | ResourceType::Exposure | ResourceType::UnitTest) {
        return Ok(node.relation.clone());
    }
    let schema_config = match node.resource_type {
        ResourceType::Snapshot => node.config.str("target_schema").or(node.config.str("schema")),
        ResourceType::Test => Some(node.config.str("schema").unwrap_or(TEST_SCHEMA)),
        _ => node.config.str("schema"),
    };
    let database = generated(world, node, "generate_database_name", node.config.str("database"))?;
    let schema = match node.resource_type {
        ResourceType::Snapshot if node.config.str("target_schema").is_some() => {
            node.config.str("target_schema").unwrap_or_default().to_string()
        }
        _ => generated(world, node, "generate_schema_name", schema_config)?,
    };
    let alias = generated(world, node, "generate_alias_name", node.config.str("alias"))?;
    Ok(Some(Relation { database, schema, identifier: alias }))
}

fn generated(world: &Arc<World>, node: &Node, name: &str, custom: Option<&str>) -> Result<String> {
    let custom = custom.map(str::trim).filter(|custom| !custom.is_empty());
    match world.environment.find_macro(name, Some(&node.package)) {
        Some(item) if &*item.package != BUILTIN_PACKAGE => {
            let item = Arc::clone(item);
            let shared = Arc::new(node.clone());
            let context = NodeContext::for_parse(world, Arc::clone(&shared));
            let options = Options { package: Arc::from(node.package.as_str()), map: false, ..Options::default() };
            let mut interpreter = Interpreter::new(&world.environment, &context, options);
            let custom = custom.map_or(Value::None, Value::str);
            let args = Args::positional([custom, Value::from_json(&crate::jinja::node_json(node))]);
            let named = |stop: crate::jinja::Stop| stop.into_diagnostic().of_node(&node.unique_id);
            let value = interpreter.call_definition(&item, args).map_err(named)?;
            Ok(value.text().trim().to_string())
        }
        _ => Ok(default_name(world, node, name, custom)),
    }
}

/// dbt's own rules.
fn default_name(world: &World, node: &Node, name: &str, custom: Option<&str>) -> String {
    let target = &world.invocation.target;
    match (name, custom) {
        ("generate_database_name", custom) => custom.unwrap_or(&target.database).to_string(),
        ("generate_schema_name", None) => target.schema.clone(),
        ("generate_schema_name", Some(custom)) => format!("{}_{custom}", target.schema),
        (_, Some(custom)) => custom.to_string(),
        (_, None) => match &node.kind {
            NodeKind::Model(parts) => match &parts.version {
                Some(version) => format!("{}_v{}", node.name, plain(version).replace('.', "_")),
                None => node.name.clone(),
            },
            _ => node.name.clone(),
        },
    }
}
