//! Materializations that are macros of the project or of a package: which one builds a node. `run` runs it.

use std::sync::Arc;

use super::MATERIALIZATIONS;
use crate::jinja::{Environment, Macro};
use crate::node::{Node, ResourceType};
use crate::project::Project;

/// The flag of a project with which packages, too, replace what c360 brings, if it is false.
const PACKAGES_MUST_NOT_REPLACE: &str = "require_explicit_package_overrides_for_builtin_materializations";

/// The macro that builds `node`, unless c360 does.
pub fn by_macro<'a>(project: &Project, environment: &'a Environment, node: &Node) -> Option<&'a Arc<Macro>> {
    if node.resource_type != ResourceType::Model || node.is_ephemeral() {
        return None;
    }
    let flag = project.root.config.flags.get(PACKAGES_MUST_NOT_REPLACE);
    let packages_replace = flag.and_then(|flag| flag.to_json().as_bool()) == Some(false);
    let name = node.materialized();
    environment.materialization(name, MATERIALIZATIONS.contains(&name), packages_replace)
}
