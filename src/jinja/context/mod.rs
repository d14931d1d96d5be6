//! dbt's names for templates: `ref`, `source`, `config`, `var`, `this`, `target`, `adapter` and the rest.
//!
//! A template is rendered twice. While the project is parsed there is no data: references and settings are captured, and
//! what cannot be known is `None` or undefined. When a node is compiled everything is known, and queries run through an
//! [`Adapter`]. Both are the same [`NodeContext`]; what differs is what its [`World`] holds.

mod adapter;
mod answers;
mod api;
mod builtins;
mod cells;
mod config;
mod exceptions;
mod graph;
mod output;
mod overrides;
mod query;
mod refs;
mod relation;
mod settings;
mod table;
mod tests_of;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::diag::{Diagnostic, Span};
use crate::manifest::{Lookup, Manifest};
use crate::node::{Node, RefCall, Relation, SourceCall};
use crate::project::Invocation;

use super::env::{Context, Environment};
use super::syntax::ast::Macro;
use super::value::Value;

pub(crate) use graph::node_json;
pub(crate) use refs::{EPHEMERAL_PREFIX, cte_name};

pub use adapter::{Adapter, AdapterColumn, QueryTable};
#[cfg(feature = "engine")]
pub(crate) use overrides::within;
pub use overrides::{BatchTimes, Overrides};
pub use relation::RelationValue;
pub use settings::Vars;

/// Prefix of environment variables that are secret: allowed in profiles alone.
pub const SECRET_PREFIXES: [&str; 2] = ["DBT_ENV_SECRET_", "C360_ENV_SECRET_"];

/// What all templates of an invocation share.
pub struct World {
    /// The invocation.
    pub invocation: Arc<Invocation>,
    /// Vars of the project and its packages.
    pub vars: Vars,
    /// Name of the root project.
    pub project_name: String,
    /// The resolved project; none while parsing.
    pub resolved: Option<Resolved>,
    /// Runs queries; none if there is no data.
    pub adapter: Option<Arc<dyn Adapter>>,
    /// Unique ids that are selected.
    pub selected: Vec<String>,
    /// Relations of another state that stand for nodes that were not built here, by unique id.
    pub deferred: HashMap<String, Relation>,
    /// Receives `log` and `print`.
    pub log: Box<dyn Fn(LogLine) + Send + Sync>,
    /// Where `adapter.dispatch` looks for macros of a namespace.
    pub dispatch: Vec<crate::project::Dispatch>,
    /// Macros of all packages.
    pub environment: Arc<Environment>,
}

impl World {
    /// Drops the temporary tables of the template that this thread has rendered. That it fails is nobody's failure.
    pub fn end_session(&self) {
        let Some(adapter) = &self.adapter else { return };
        for relation in adapter.end_session() {
            let _ = adapter.drop_relation(&relation);
        }
    }
}

/// The resolved project and how to find nodes in it.
pub struct Resolved {
    /// The project.
    pub manifest: Arc<Manifest>,
    /// What references mean.
    pub lookup: Lookup,
}

/// A line that a template logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The text.
    pub message: String,
    /// Show it to the user (`info=true`), not in the log file alone.
    pub info: bool,
    /// `print`: it goes to stdout.
    pub print: bool,
}

/// What one rendering told about its node.
#[derive(Debug, Default)]
pub struct Captured {
    /// `ref()` calls, each once.
    pub refs: Vec<RefCall>,
    /// `source()` calls, each once.
    pub sources: Vec<SourceCall>,
    /// Settings of `config()` calls, in order.
    pub config: Vec<(String, Json, Span)>,
    /// Macros of packages that were called: `macro.package.name`.
    pub macros: BTreeSet<String>,
    /// Unique ids of ephemeral models whose query has to be put in front.
    pub ephemerals: Vec<String>,
    /// Warnings that the template raised.
    pub warnings: Vec<Diagnostic>,
}

/// The names that the template of one node sees.
pub struct NodeContext {
    scope: Rc<Scope>,
}

/// Shared by the functions of one rendering.
pub(crate) struct Scope {
    pub(crate) world: Arc<World>,
    /// The node, or what stands for it where there is none (YAML, operations).
    pub(crate) node: Option<Arc<Node>>,
    /// Package whose vars and macros count.
    pub(crate) package: String,
    /// True if everything is known (`execute`).
    pub(crate) execute: bool,
    pub(crate) captured: RefCell<Captured>,
    /// Results of statements, by name.
    pub(crate) results: RefCell<HashMap<String, Value>>,
    /// Environment variables with a secret prefix may be read.
    pub(crate) allows_secrets: bool,
    /// What this rendering sees differently.
    pub(crate) overrides: Option<Arc<Overrides>>,
    /// Vars whose templates are being rendered, the outermost first.
    pub(crate) open_vars: RefCell<Vec<String>>,
    /// A failure in a place that cannot raise one; it is raised when the rendering ends.
    pub(crate) failure: RefCell<Option<Box<Diagnostic>>>,
}

impl Scope {
    pub(crate) fn this(&self) -> Option<Relation> {
        self.node.as_ref().and_then(|node| node.relation.clone())
    }
}

impl NodeContext {
    /// The context of `node` while the project is parsed.
    pub fn for_parse(world: &Arc<World>, node: Arc<Node>) -> NodeContext {
        let package = node.package.clone();
        NodeContext::new(world, Some(node), package, false, None)
    }

    /// The context of `node` when it is compiled.
    pub fn for_execute(world: &Arc<World>, node: Arc<Node>) -> NodeContext {
        let package = node.package.clone();
        NodeContext::new(world, Some(node), package, true, None)
    }

    /// The context of `node` when it is compiled, with some names replaced.
    pub fn with_overrides(world: &Arc<World>, node: Arc<Node>, overrides: Option<Arc<Overrides>>) -> NodeContext {
        let package = node.package.clone();
        NodeContext::new(world, Some(node), package, true, overrides)
    }

    /// The context of a value in a YAML file of `package`; profiles may read secrets.
    pub fn for_yaml(world: &Arc<World>, package: &str, allows_secrets: bool) -> NodeContext {
        let mut context = NodeContext::new(world, None, package.to_string(), false, None);
        if let Some(scope) = Rc::get_mut(&mut context.scope) {
            scope.allows_secrets = allows_secrets;
        }
        context
    }

    fn new(
        world: &Arc<World>,
        node: Option<Arc<Node>>,
        package: String,
        execute: bool,
        overrides: Option<Arc<Overrides>>,
    ) -> NodeContext {
        let scope = Scope {
            world: Arc::clone(world),
            node,
            package,
            execute,
            captured: RefCell::default(),
            results: RefCell::default(),
            allows_secrets: false,
            overrides,
            open_vars: RefCell::default(),
            failure: RefCell::default(),
        };
        NodeContext { scope: Rc::new(scope) }
    }

    /// What the rendering has told; to be asked once, at its end.
    pub fn take_captured(&self) -> Captured {
        std::mem::take(&mut *self.scope.captured.borrow_mut())
    }

    /// Rows that the statement `main` wrote, if they are known; none if the template has run no statement of that name.
    pub fn main_rows(&self) -> Option<Option<u64>> {
        let response = query::main_response(&self.scope)?;
        Some(response.rows.and_then(|rows| u64::try_from(rows).ok()))
    }

    /// A failure that could not be raised where it happened.
    pub fn take_failure(&self) -> Option<Box<Diagnostic>> {
        self.scope.failure.borrow_mut().take()
    }
}

/// Every name of the context, for suggestions and for `lookup`.
const NAMES: &[&str] = &[
    "ref",
    "source",
    "config",
    "var",
    "env_var",
    "this",
    "target",
    "model",
    "graph",
    "builtins",
    "execute",
    "flags",
    "invocation_id",
    "run_started_at",
    "dbt_version",
    "project_name",
    "thread_id",
    "selected_resources",
    "log",
    "print",
    "exceptions",
    "run_query",
    "statement",
    "load_result",
    "store_result",
    "store_raw_result",
    "render",
    "write",
    "adapter",
    "api",
    "is_incremental",
    "should_full_refresh",
    "load_relation",
    "database",
    "schema",
    "invocation_args_dict",
    "try_or_compiler_error",
    "dbt_metadata_envs",
    "_dbt_generic_test_kwargs",
];

impl Context for NodeContext {
    fn lookup(&self, name: &str) -> Option<Value> {
        let scope = &self.scope;
        let value = match name {
            "ref" => refs::ref_function(scope),
            "source" => refs::source_function(scope),
            "config" => config::value(scope),
            "var" => settings::var(scope),
            "env_var" => settings::env_var(scope),
            "this" => match scope.this() {
                Some(relation) => RelationValue::value(relation, scope.execute),
                None => Value::None,
            },
            "target" => settings::target(scope),
            "flags" => settings::flags(scope),
            "model" => graph::model(scope),
            "graph" => graph::graph(scope),
            "builtins" => builtins::value(scope),
            "execute" => Value::Bool(scope.execute),
            "invocation_id" => Value::str(&scope.world.invocation.id),
            "run_started_at" => settings::run_started_at(scope),
            "dbt_version" => Value::str(crate::DBT_VERSION),
            "project_name" => Value::str(&scope.world.project_name),
            "thread_id" => Value::str("Thread-1"),
            "selected_resources" => Value::list(scope.world.selected.iter().map(Value::str)),
            "invocation_args_dict" => settings::arguments(scope),
            "dbt_metadata_envs" => Value::dict_of::<&str>([]),
            "log" => output::log(scope),
            "print" => output::print(scope),
            "exceptions" => exceptions::value(scope),
            "try_or_compiler_error" => exceptions::try_or_compiler_error(),
            "run_query" => query::run_query(scope),
            "statement" => query::statement(scope),
            "load_result" => query::load_result(scope),
            "store_result" => query::store_result(scope),
            "store_raw_result" => query::store_raw_result(scope),
            "render" => output::render(),
            "write" => output::write(),
            "adapter" => adapter::value(scope),
            "api" => api::api(),
            "is_incremental" => adapter::is_incremental(scope),
            "should_full_refresh" => adapter::should_full_refresh(scope),
            "load_relation" => adapter::load_relation(scope),
            "database" => Value::str(&scope.world.invocation.target.database),
            "schema" => Value::str(&scope.world.invocation.target.schema),
            "_dbt_generic_test_kwargs" => return tests_of::kwargs(scope),
            _ => return None,
        };
        Some(value)
    }

    fn overridden(&self, name: &str) -> Option<Value> {
        self.scope.overridden(name)
    }

    fn names(&self) -> Vec<String> {
        NAMES.iter().filter(|name| !name.starts_with('_')).map(ToString::to_string).collect()
    }

    fn on_macro(&self, item: &Arc<Macro>) {
        let id = format!("macro.{}.{}", item.package, item.name);
        self.scope.captured.borrow_mut().macros.insert(id);
    }
}
