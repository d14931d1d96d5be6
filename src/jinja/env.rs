//! The macros of all packages, and which one a name means.

use std::collections::HashMap;
use std::sync::Arc;

use super::syntax::ast::Macro;
use super::value::Value;

/// The package of the macros that c360 brings.
pub const BUILTIN_PACKAGE: &str = "dbt";

/// The adapters whose macros are used here, the own one first.
pub const ADAPTERS: [&str; 3] = ["datafusion", "duckdb", "postgres"];

type Macros = HashMap<Arc<str>, Arc<Macro>>;

/// The macros of all packages. Immutable once it is shared: threads render with one of them.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    root: Arc<str>,
    packages: HashMap<Arc<str>, Macros>,
}

impl Environment {
    /// An environment of a project with the name `root`, without macros.
    pub fn new(root: &str) -> Environment {
        Environment { root: Arc::from(root), packages: HashMap::new() }
    }

    /// Name of the root project.
    pub fn root(&self) -> &Arc<str> {
        &self.root
    }

    /// Makes the namespace of a package known even if it has no macros.
    pub fn add_package(&mut self, package: &str) {
        self.packages.entry(Arc::from(package)).or_default();
    }

    /// Adds a macro to its package and gives back the one of the same name that it replaces there, if any.
    pub fn add_macro(&mut self, item: Arc<Macro>) -> Option<Arc<Macro>> {
        let package = self.packages.entry(Arc::clone(&item.package)).or_default();
        package.insert(Arc::clone(&item.name), item)
    }

    /// True if there is a namespace of this name.
    pub fn has_package(&self, package: &str) -> bool {
        self.packages.contains_key(package)
    }

    /// Names of all packages, in no order.
    pub fn packages(&self) -> impl Iterator<Item = &Arc<str>> {
        self.packages.keys()
    }

    /// The macro `name` of `package` itself.
    pub fn get(&self, package: &str, name: &str) -> Option<&Arc<Macro>> {
        self.packages.get(package)?.get(name)
    }

    /// The macros of a package, in no order.
    pub fn macros_of(&self, package: &str) -> impl Iterator<Item = &Arc<Macro>> {
        self.packages.get(package).into_iter().flat_map(HashMap::values)
    }

    /// The macro that a configuration point such as `generate_schema_name` uses for a node of `package`: the root
    /// project's, else the package's, else the built-in one.
    pub fn find_macro(&self, name: &str, package: Option<&str>) -> Option<&Arc<Macro>> {
        self.get(&self.root, name)
            .or_else(|| package.and_then(|package| self.get(package, name)))
            .or_else(|| self.get(BUILTIN_PACKAGE, name))
    }

    /// The macro that a materialization is, if a project or package has one: for this adapter or one whose SQL is like
    /// its, else for all; of the root project before those of packages. What c360 itself brings is replaced by the root
    /// project alone, unless `packages_replace`.
    pub fn materialization(&self, name: &str, is_builtin: bool, packages_replace: bool) -> Option<&Arc<Macro>> {
        let mut packages: Vec<&Arc<str>> = self.packages.keys().filter(|package| **package != self.root).collect();
        packages.sort();
        ADAPTERS.iter().chain(&["default"]).find_map(|adapter| {
            let full = format!("materialization_{name}_{adapter}");
            let of_package = || packages.iter().find_map(|package| self.get(package, &full));
            self.get(&self.root, &full).or_else(|| if is_builtin && !packages_replace { None } else { of_package() })
        })
    }

    /// The project's macro that a bare name means in a node of `package`: the package's own, else the root project's.
    pub(crate) fn project_macro(&self, name: &str, package: &str) -> Option<&Arc<Macro>> {
        self.get(package, name).or_else(|| self.get(&self.root, name))
    }
}

/// What else a template can name: `ref`, `config`, `this`, `adapter`, ... It lives as long as the rendering.
pub trait Context {
    /// The value of a global name.
    fn lookup(&self, name: &str) -> Option<Value>;

    /// A value that stands before macros of the project; `package.macro` for those of a package.
    fn overridden(&self, _name: &str) -> Option<Value> {
        None
    }

    /// The names that [`Context::lookup`] knows, for "did you mean".
    fn names(&self) -> Vec<String> {
        Vec::new()
    }

    /// Told about each macro of a package that is called, before it runs.
    fn on_macro(&self, _item: &Arc<Macro>) {}
}

/// A context without names.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoContext;

impl Context for NoContext {
    fn lookup(&self, _name: &str) -> Option<Value> {
        None
    }
}

impl<F: Fn(&str) -> Option<Value>> Context for F {
    fn lookup(&self, name: &str) -> Option<Value> {
        self(name)
    }
}
