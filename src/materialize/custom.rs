//! Materializations that are macros of the project or of a package: which one builds a node. `run` runs it.

use std::sync::Arc;

use super::{MATERIALIZATIONS, incremental};
use crate::jinja::{BUILTIN_PACKAGE, Environment, Macro};
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
    let own = environment.materialization(name, MATERIALIZATIONS.contains(&name), packages_replace);
    own.or_else(|| by_strategy(environment, node))
}

/// The materialization for an incremental model whose strategy is a macro, `get_incremental_<name>_sql`.
fn by_strategy<'a>(environment: &'a Environment, node: &Node) -> Option<&'a Arc<Macro>> {
    let strategy = node.config.str("incremental_strategy").filter(|_| node.materialized() == "incremental")?;
    if incremental::is_ours(strategy) {
        return None;
    }
    let name = format!("get_incremental_{}_sql", strategy.replace('+', "_"));
    environment.find_macro(&name, Some(&node.package))?;
    environment.get(BUILTIN_PACKAGE, "materialization_by_strategy_default")
}
