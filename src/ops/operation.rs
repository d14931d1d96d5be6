//! `run-operation`: calls a macro, for what it does.

use std::sync::Arc;
use std::time::Instant;

use chrono::Utc;
use serde_json::{Map, Value as Json};

use super::{Loaded, Options, Session, write_run_results};
use crate::compile::render_text;
use crate::diag::{Diagnostic, Result, codes};
use crate::jinja::{LogLine, Overrides};
use crate::run::{RunResult, Status, UnitResult};
use crate::stdx::closest;

/// The name under which a template sees the arguments.
const ARGUMENTS: &str = "__operation_arguments";

/// Calls the macro `name` (or `package.name`) with `args`; `log` receives what it logs.
///
/// # Errors
/// C3006 if there is no such macro; what the macro fails with.
pub async fn run_operation(
    options: &Options,
    loaded: &Loaded,
    name: &str,
    args: Map<String, Json>,
    log: &mut (dyn FnMut(LogLine) + Send),
) -> Result<()> {
    let callee = callee(loaded, name)?;
    let mut session = Session::open(options, loaded, Vec::new()).await?;
    let mut names = Map::new();
    names.insert(ARGUMENTS.into(), Json::Object(args.clone()));
    let world = Arc::clone(&session.world);
    let node = super::show::inline_node(loaded, "");
    let text = format!("{{{{ {callee}(**{ARGUMENTS}) }}}}");
    let title = format!("run-operation {name}");
    let (started_at, start) = (Utc::now(), Instant::now());
    let overrides = Overrides { names, ..Overrides::default() };
    let call = tokio::task::spawn_blocking(move || {
        let rendered = render_text(&world, &node, &title, &text, overrides);
        world.end_session();
        rendered
    });
    tokio::pin!(call);
    let called = loop {
        tokio::select! {
            called = &mut call => break called,
            Some(line) = session.logs.recv() => log(line),
        }
    };
    while let Ok(line) = session.logs.try_recv() {
        log(line);
    }
    let called = called
        .map_err(|error| Diagnostic::error(codes::INTERNAL, format!("a template could not be rendered: {error}")))?;
    let package = &loaded.manifest.project_name;
    let short = name.rsplit('.').next().unwrap_or(name);
    let mut result = UnitResult::new(&format!("operation.{package}.{short}"), Status::Success);
    result.started_at = started_at;
    result.execute_time = start.elapsed();
    if let Err(error) = &called {
        result.status = Status::Error;
        result.message = Some(format!("{}: {}", error.code.id, error.message));
    }
    let mut run = RunResult::nothing(&loaded.invocation.id);
    run.elapsed = start.elapsed();
    run.args.insert("which".into(), "run-operation".into());
    run.args.insert("macro".into(), name.into());
    run.args.insert("args".into(), Json::Object(args));
    run.args.insert("vars".into(), Json::Object(options.vars.clone()));
    run.results.push(result);
    let target_path = loaded.project.target_path(options.target_path.as_deref());
    super::write_manifest(&target_path, loaded, &Default::default())?;
    write_run_results(&target_path, loaded, &run)?;
    called.map(drop)
}

/// What a template calls for the macro `name`, which has to be there. Without a package it may be one of any package; the
/// root project's own comes first.
fn callee(loaded: &Loaded, name: &str) -> Result<String> {
    let (package, short) = match name.split_once('.') {
        Some((package, short)) => (Some(package), short),
        None => (None, name),
    };
    let root = loaded.manifest.project_name.as_str();
    let fits = |info: &&crate::manifest::MacroInfo| {
        info.name == short && package.is_none_or(|package| info.package == package)
    };
    let mut found = loaded.manifest.macros.iter().filter(fits).map(|info| info.package.as_str());
    let first = found.next();
    match first {
        Some(first) if package.is_none() && first != root && found.all(|other| other != root) => {
            return Ok(format!("{first}.{short}"));
        }
        Some(_) => return Ok(name.to_string()),
        None if package == Some("dbt") => return Ok(name.to_string()),
        None => {}
    }
    let names = loaded.manifest.macros.iter().map(|info| info.name.as_str());
    Err(Diagnostic::error(codes::MACRO_NOT_FOUND, format!("there is no macro `{name}`"))
        .maybe_help(closest(short, names).map(|near| format!("a macro named `{near}` exists"))))
}
