//! Cases recorded from dbt: those that need nothing of a project but its macros and vars.

use std::path::PathBuf;
use std::sync::Arc;

use super::{env_of, render_in};
use crate::jinja::{Args, Interpreter, Map, Object, Options, Result, Value, fail};

#[derive(serde::Deserialize)]
struct Case {
    id: String,
    kind: String,
    template: String,
    #[serde(default)]
    expected: String,
}

fn shared() -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::var_os("C360_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let folder = folder.join("conformance/jinja");
    folder.is_dir().then_some(folder)
}

/// `var('x', default)` with `var.has_var('x')`.
struct Var;

fn var(name: &str) -> Option<Value> {
    let vars = serde_json::json!({
        "start_date": "2024-01-15", "payment_methods": ["card", "cash", "voucher"], "limits": {"low": 1, "high": 10},
        "flag_on": true, "scoped": "from_project_scope", "from_cli": "cv", "num_cli": 41, "has_var": "yes it has",
    });
    vars.get(name).map(Value::from_json)
}

impl Object for Var {
    fn type_name(&self) -> &str {
        "Var"
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }

    fn is_callable(&self) -> bool {
        true
    }

    fn call(&self, _: &mut Interpreter<'_>, args: Args) -> Result {
        let [name, default] = args.bind("var", ["name", "default"])?;
        let name = name.unwrap_or(Value::None);
        var(&name.text()).or(default).ok_or_else(|| fail(format!("required var '{name}' not found")))
    }

    fn methods(&self) -> &[&'static str] {
        &["has_var"]
    }

    fn call_method(&self, _: &mut Interpreter<'_>, _: &str, args: Args) -> Result {
        let [name] = args.required("has_var", ["name"])?;
        Ok(Value::Bool(var(&name.text()).is_some()))
    }
}

/// `adapter.dispatch(name)` over `default__`.
fn dispatch(interp: &mut Interpreter<'_>, args: Args) -> Result {
    let [name, _] = args.bind("dispatch", ["macro_name", "macro_namespace"])?;
    let name = format!("default__{}", name.unwrap_or(Value::None));
    match interp.find_macro(&name, None) {
        Some(item) => Ok(Value::of_macro(item)),
        None => Err(fail(format!("no macro named '{name}'"))),
    }
}

fn lookup(name: &str) -> Option<Value> {
    Some(match name {
        "var" => Value::object(Var),
        "execute" => Value::Bool(true),
        "project_name" => Value::from("jin"),
        "selected_resources" => Value::list([]),
        "log" | "print" | "config" => Value::function("log", |_, _| Ok(Value::from(""))),
        "flags" => Value::dict_of([("FULL_REFRESH", Value::Bool(false))]),
        "is_incremental" => Value::function("is_incremental", |_, _| Ok(Value::Bool(false))),
        "adapter" => Value::dict_of([("dispatch", Value::function("dispatch", dispatch))]),
        "model" => Value::dict(Map::new()),
        "this" => Value::dict_of([("name", Value::from("x"))]),
        _ => return None,
    })
}

/// Names that only a whole project has.
const NEEDS_PROJECT: [&str; 10] =
    ["ref(", "source(", "run_query", "adapter.get", "api.", "this.", "target.", "builtins.", "model.", "dbt."];

#[test]
fn as_recorded_from_dbt() {
    let Some(folder) = shared() else {
        return; // The cases are not part of the repository; without them there is nothing to compare.
    };
    let read = |path: &str| std::fs::read_to_string(folder.join(path)).expect("readable");
    let env = env_of(&read("project/macros/m.sql"));
    let mut wrong = Vec::new();
    let mut ran = 0;
    for line in read("cases.jsonl").lines() {
        let case: Case = serde_json::from_str(line).expect("a case");
        if NEEDS_PROJECT.iter().any(|name| case.template.contains(name)) {
            continue;
        }
        ran += 1;
        let got =
            render_in(&env, &lookup, Options { package: Arc::from("root"), ..Options::default() }, &case.template);
        let fine = match (case.kind.as_str(), &got) {
            ("compiled", Ok(got)) => normal(&got.text) == normal(&case.expected),
            ("error", Err(_)) | ("no_error", Ok(_)) => true,
            _ => false,
        };
        if !fine {
            let got = got.map(|rendered| rendered.text).map_err(|error| error.message);
            wrong.push(format!("{}: {}\n  expected {:?}\n  got      {got:?}", case.id, case.template, case.expected));
        }
    }
    assert!(ran > 30, "only {ran} cases ran");
    assert!(wrong.is_empty(), "{} of {ran} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// White space, double quotes and a semicolon at the end do not count in the recorded texts.
fn normal(text: &str) -> String {
    let text = text.replace('"', "").split_whitespace().collect::<Vec<_>>().join(" ");
    text.trim_end_matches(';').trim_end().to_string()
}
