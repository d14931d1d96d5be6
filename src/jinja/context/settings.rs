//! `var`, `env_var`, `target`, `flags` and the facts of the invocation.

use std::any::Any;
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Map, Value as Json, json};

use super::{NodeContext, SECRET_PREFIXES, Scope};
use crate::diag::{Diagnostic, SourceFile, codes};
use crate::jinja::interp::{Interpreter, Options};
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, Object, Value};
use crate::jinja::{modules, parse_template};
use crate::stdx::closest;

/// Vars by package: those of `--vars` first, then the root project's for the package, then its global ones, then the
/// package's own.
#[derive(Debug, Default)]
pub struct Vars {
    command_line: Map<String, Json>,
    packages: HashMap<String, Map<String, Json>>,
}

impl Vars {
    /// Vars of the command line, and those of `dbt_project.yml` by package (root project and packages).
    pub fn new(command_line: Map<String, Json>, root: &str, files: &[(String, Map<String, Json>)]) -> Vars {
        let names: Vec<&String> = files.iter().map(|(name, _)| name).collect();
        let root_vars = files.iter().find(|(name, _)| name == root).map(|(_, vars)| vars.clone()).unwrap_or_default();
        let global = |vars: &Map<String, Json>| -> Map<String, Json> {
            let own = vars.iter().filter(|(key, value)| !(value.is_object() && names.contains(key)));
            own.map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        let scoped = |vars: &Map<String, Json>, package: &str| match vars.get(package) {
            Some(Json::Object(own)) => own.clone(),
            _ => Map::new(),
        };
        let mut packages = HashMap::new();
        for (package, vars) in files {
            let mut merged = global(vars);
            merged.extend(scoped(vars, package));
            merged.extend(global(&root_vars));
            merged.extend(scoped(&root_vars, package));
            packages.insert(package.clone(), merged);
        }
        Vars { command_line, packages }
    }

    /// The value of `name` for a node of `package`.
    pub fn get(&self, package: &str, name: &str) -> Option<&Json> {
        self.command_line.get(name).or_else(|| self.packages.get(package)?.get(name))
    }

    fn names(&self, package: &str) -> Vec<&str> {
        let own = self.packages.get(package).into_iter().flat_map(Map::keys);
        self.command_line.keys().chain(own).map(String::as_str).collect()
    }
}

pub(super) fn var(scope: &Rc<Scope>) -> Value {
    Value::object(VarValue { scope: Rc::clone(scope) })
}

struct VarValue {
    scope: Rc<Scope>,
}

impl VarValue {
    /// The value of a var that is itself a template: it sees what the template that asks for it sees.
    fn render(&self, interp: &Interpreter<'_>, name: &str, text: &str) -> Result {
        if self.scope.open_vars.borrow().iter().any(|open| open == name) {
            return Err(fail(format!("the value of var `{name}` asks for var `{name}`")));
        }
        let template = parse_template(&SourceFile::new(format!("var {name}"), text))?;
        let context = NodeContext { scope: Rc::clone(&self.scope) };
        let options = Options {
            package: self.scope.package.as_str().into(),
            now: self.scope.world.invocation.started_at,
            lenient: !self.scope.execute,
            map: false,
            ..Options::default()
        };
        self.scope.open_vars.borrow_mut().push(name.to_string());
        let rendered = Interpreter::new(interp.env(), &context, options).render(&template);
        self.scope.open_vars.borrow_mut().pop();
        Ok(Value::str(rendered?.text))
    }
}

impl Object for VarValue {
    fn type_name(&self) -> &str {
        "var"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn methods(&self) -> &[&'static str] {
        &["has_var"]
    }

    fn call_method(&self, _interp: &mut Interpreter<'_>, name: &str, args: Args) -> Result {
        let [key] = args.required(name, ["name"])?;
        let key = key.as_str().ok_or_else(|| fail("has_var() takes a name"))?;
        Ok(Value::Bool(self.scope.world.vars.get(&self.scope.package, key).is_some()))
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn call(&self, interp: &mut Interpreter<'_>, args: Args) -> Result {
        let [name, default] = args.bind("var", ["name", "default"])?;
        let name = name.as_ref().and_then(Value::as_str).ok_or_else(|| fail("var() takes a name"))?;
        let vars = &self.scope.world.vars;
        if let Some(value) = self.scope.overrides.as_ref().and_then(|overrides| overrides.vars.get(name)) {
            return Ok(Value::from_json(value));
        }
        match (vars.get(&self.scope.package, name), default) {
            (Some(Json::String(text)), _) if text.contains("{{") || text.contains("{%") => {
                self.render(interp, name, text)
            }
            (Some(value), _) => Ok(Value::from_json(value)),
            (None, Some(default)) => Ok(default),
            // While parsing, a missing var may still be one that a branch never uses.
            (None, None) if self.scope.node.is_some() && !self.scope.execute => Ok(Value::None),
            (None, None) => {
                let near = closest(name, vars.names(&self.scope.package));
                let site = interp.site();
                let help = match site.file.path.as_str() {
                    // The file that sets vars is read before they are.
                    "dbt_project.yml" => {
                        format!(
                            "here only --vars are known: give a default, `var('{name}', ...)`, or --vars '{{{name}: ...}}'"
                        )
                    }
                    _ => format!("set it under `vars:` in dbt_project.yml, or with --vars '{{{name}: ...}}'"),
                };
                Err(Diagnostic::error(codes::VAR_MISSING, format!("var `{name}` is not set"))
                    .label(site, "asked for here")
                    .maybe_help(near.map(|near| format!("a var named `{near}` exists")))
                    .help(help)
                    .into())
            }
        }
    }
}

pub(super) fn env_var(scope: &Rc<Scope>) -> Value {
    let scope = Rc::clone(scope);
    Value::function("env_var", move |interp, args| {
        let [name, default] = args.bind("env_var", ["var", "default"])?;
        let name = name.as_ref().and_then(Value::as_str).ok_or_else(|| fail("env_var() takes a name"))?;
        if SECRET_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) && !scope.allows_secrets {
            return Err(Diagnostic::error(codes::BAD_VALUE, format!("`{name}` is a secret"))
                .label(interp.site(), "secrets are allowed in profiles.yml and packages.yml alone")
                .into());
        }
        if let Some(value) = scope.overrides.as_ref().and_then(|overrides| overrides.env.get(name)) {
            return Ok(Value::str(crate::node::plain(value)));
        }
        match (scope.world.invocation.env.get(name), default) {
            (Some(value), _) => Ok(Value::str(value)),
            (None, Some(default)) if default.as_str().is_some() => Ok(default),
            (None, Some(default)) => Ok(Value::str(default.text())),
            (None, None) => Err(Diagnostic::error(codes::ENV_VAR_MISSING, format!("`{name}` is not set"))
                .label(interp.site(), "read from the environment here")
                .help(format!("set it, or give a default: env_var('{name}', '...')"))
                .into()),
        }
    })
}

/// `target`: the output of the profile, without what may be secret.
pub(super) fn target(scope: &Rc<Scope>) -> Value {
    let invocation = &scope.world.invocation;
    let target = &invocation.target;
    let mut facts: Map<String, Json> = Map::new();
    for (key, value) in &target.raw {
        if !matches!(key.as_str(), "destinations" | "storage_options" | "stores") {
            facts.insert(key.clone(), value.clone());
        }
    }
    for (key, value) in [
        ("name", json!(target.name)),
        ("target_name", json!(target.name)),
        ("profile_name", json!(invocation.profile_name)),
        ("type", json!("datafusion")),
        ("database", json!(target.database)),
        ("dbname", json!(target.database)),
        ("schema", json!(target.schema)),
        ("threads", json!(target.threads)),
    ] {
        facts.insert(key.into(), value);
    }
    Value::from_json(&Json::Object(facts))
}

pub(super) fn flags(scope: &Rc<Scope>) -> Value {
    let mut flags = scope.world.invocation.flags.clone();
    flags.entry("WHICH").or_insert(json!(scope.world.invocation.command));
    Value::from_json(&Json::Object(flags))
}

pub(super) fn arguments(scope: &Rc<Scope>) -> Value {
    let flags = scope.world.invocation.flags.iter();
    let mut out: Map<String, Json> = flags.map(|(key, value)| (key.to_lowercase(), value.clone())).collect();
    out.insert("which".into(), json!(scope.world.invocation.command));
    Value::from_json(&Json::Object(out))
}

pub(super) fn run_started_at(scope: &Rc<Scope>) -> Value {
    modules::utc_datetime(scope.world.invocation.started_at)
}
