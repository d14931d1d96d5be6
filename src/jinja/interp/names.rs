//! What a name means.

use std::any::Any;
use std::sync::Arc;

use crate::jinja::env::BUILTIN_PACKAGE;
use crate::jinja::functions;
use crate::jinja::stop::Result;
use crate::jinja::syntax::ast::{CompareOp, Macro};
use crate::jinja::value::{Args, Object, Value};

use super::Interpreter;

/// The macros of a package as a value: `utils.star(..)`.
pub(crate) struct PackageNamespace {
    pub(crate) name: Arc<str>,
}

impl Object for PackageNamespace {
    fn type_name(&self) -> &str {
        "MacroNamespace"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// All names as a value: `context['name']`.
pub(crate) struct AllNames;

impl Object for AllNames {
    fn type_name(&self) -> &str {
        "dict"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn methods(&self) -> &[&'static str] {
        &["get"]
    }

    fn call_method(&self, interp: &mut Interpreter<'_>, _name: &str, args: Args) -> Result {
        let [key, default] = args.bind("get", ["key", "default"])?;
        let found = key.as_ref().and_then(Value::as_str).and_then(|key| interp.resolve(key));
        Ok(found.or(default).unwrap_or(Value::None))
    }

    fn is_mapping(&self) -> bool {
        true
    }
}

/// What dbt has as macros and the context has as functions here: `dbt.run_query(..)`.
const MACROS_OF_THE_CONTEXT: &[&str] =
    &["run_query", "statement", "load_relation", "is_incremental", "should_full_refresh"];

impl Interpreter<'_> {
    /// The value of a name: a variable of the frame, or what [`Interpreter::resolve`] finds.
    pub(super) fn lookup(&self, name: &str) -> Option<Value> {
        self.variable(name).or_else(|| self.resolve(name))
    }

    /// The value of a name that was assigned in this template or macro.
    pub fn variable(&self, name: &str) -> Option<Value> {
        self.frame.vars.iter().rev().find(|(other, _)| &**other == name).map(|(_, value)| value.clone())
    }

    /// The value of a global name: macros of the node's package and the root project (they may replace what the
    /// context has, as in dbt), the context, built-in macros, macros of the package of the calling macro, packages,
    /// functions that every template has.
    pub fn resolve(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.context.overridden(name) {
            return Some(value);
        }
        if let Some(item) = self.env.project_macro(name, &self.options.package) {
            return Some(Value::of_macro(Arc::clone(item)));
        }
        if let Some(value) = self.context.lookup(name) {
            return Some(value);
        }
        let item = self.env.get(BUILTIN_PACKAGE, name).or_else(|| self.env.get(&self.frame.package, name));
        if let Some(item) = item {
            return Some(Value::of_macro(Arc::clone(item)));
        }
        if self.env.has_package(name) {
            return Some(Value::object(PackageNamespace { name: Arc::from(name) }));
        }
        match name {
            "context" => Some(Value::object(AllNames)),
            "modules" => self.modules.clone(),
            _ => functions::lookup(name),
        }
    }

    /// The macro `name` of `package`, or the one that a bare name means here.
    pub fn find_macro(&self, name: &str, package: Option<&str>) -> Option<Arc<Macro>> {
        let found = match package {
            Some(package) => self.env.get(package, name),
            None => self
                .env
                .project_macro(name, &self.options.package)
                .or_else(|| self.env.get(BUILTIN_PACKAGE, name))
                .or_else(|| self.env.get(&self.frame.package, name)),
        };
        found.cloned()
    }

    /// The value of a name in an expression; undefined if it means nothing.
    pub(super) fn eval_name(&mut self, name: &str) -> Value {
        if let Some(value) = self.lookup(name) {
            return value;
        }
        if name == "modules" {
            let modules = crate::jinja::modules::modules(self.options.now);
            return self.modules.insert(modules).clone();
        }
        if self.frame.lenient { Value::undefined_leniently(name) } else { Value::undefined(name) }
    }

    /// `name in context`, if the operands are these.
    pub(super) fn names_contain(&self, op: CompareOp, name: &Value, holder: &Value) -> Option<bool> {
        let wanted = match op {
            CompareOp::In => true,
            CompareOp::NotIn => false,
            _ => return None,
        };
        let name = name.as_str()?;
        let found = match holder.as_object::<PackageNamespace>() {
            Some(package) => self.env.get(&package.name, name).is_some(),
            None => holder.as_object::<AllNames>().map(|_| name == "modules" || self.resolve(name).is_some())?,
        };
        Some(found == wanted)
    }

    /// A macro of a package namespace, or a name of the whole context, if `base` is one of these.
    pub(super) fn namespace_member(&mut self, base: &Value, name: &str) -> Option<Option<Value>> {
        if let Some(package) = base.as_object::<PackageNamespace>() {
            if let Some(value) = self.context.overridden(&format!("{}.{name}", package.name)) {
                return Some(Some(value));
            }
            let item = self.env.get(&package.name, name).map(|item| Value::of_macro(Arc::clone(item)));
            let of_context = || {
                let is_one = *package.name == *BUILTIN_PACKAGE && MACROS_OF_THE_CONTEXT.contains(&name);
                is_one.then(|| self.context.lookup(name)).flatten()
            };
            return Some(item.or_else(of_context));
        }
        base.as_object::<AllNames>()?;
        Some(if name == "modules" { Some(self.eval_name(name)) } else { self.resolve(name) })
    }
}
