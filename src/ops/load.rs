//! The front half of every verb: discover, parse, resolve.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value as Json, json};

use super::Options;
use crate::diag::{Diagnostic, Diagnostics, Result, Span, codes};
use crate::jinja::{LogLine, Templates, Vars, World, render_yaml};
use crate::manifest::Manifest;
use crate::node::Relation;
use crate::parse::parse;
use crate::project::yaml::Yaml;
use crate::project::{Invocation, Profile, Project, Render, Target};
use crate::select::check_selectors;

/// A project that is read and resolved.
pub struct Loaded {
    /// Files and settings.
    pub project: Arc<Project>,
    /// Where it runs.
    pub profile: Profile,
    /// The invocation.
    pub invocation: Arc<Invocation>,
    /// Macros.
    pub templates: Templates,
    /// Nodes and edges.
    pub manifest: Arc<Manifest>,
    /// What templates logged while they were read.
    pub logged: Vec<LogLine>,
}

/// Reads the project and resolves it. Everything found is in `diagnostics`; an error means that there is no project.
///
/// # Errors
/// No readable dbt_project.yml or profile.
pub fn load(options: &Options, diagnostics: &mut Diagnostics) -> Result<Loaded> {
    let bare = Bare::new(options);
    let profile_name = match &options.target.profile {
        Some(name) => name.clone(),
        None => Project::profile_name(&options.project_dir, &bare)?,
    };
    let target = options.target.target.as_deref();
    let profile = Profile::load(&options.profiles_dirs, &profile_name, target, &bare, diagnostics)?;
    let invocation = Arc::new(invocation(options, &profile_name, profile.target.clone()));
    let early = Early { world: Arc::new(world(options, &invocation, None)) };
    let project = Arc::new(Project::load(&options.project_dir, &early, diagnostics)?);
    let templates = Templates::read(&project, diagnostics);
    let logged = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&logged);
    let log = Box::new(move |line: LogLine| sink.lock().unwrap_or_else(PoisonError::into_inner).push(line));
    let world = Arc::new(World { log, ..world(options, &invocation, Some((&project, &templates))) });
    let manifest = Arc::new(parse(&project, &templates, &world, diagnostics));
    check_selectors(&manifest, diagnostics);
    let logged = std::mem::take(&mut *logged.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Loaded { project, profile, invocation, templates, manifest, logged })
}

fn invocation(options: &Options, profile_name: &str, target: Target) -> Invocation {
    let mut flags = Map::new();
    flags.insert("FULL_REFRESH".into(), json!(options.full_refresh));
    flags.insert("FAIL_FAST".into(), json!(options.fail_fast));
    flags.insert("EMPTY".into(), json!(options.empty));
    flags.insert("STORE_FAILURES".into(), json!(options.store_failures));
    flags.insert("WARN_ERROR".into(), json!(options.warn_error.promotes(codes::JINJA_WARNED)));
    flags.insert("WHICH".into(), json!(options.command));
    flags.insert("SAMPLE".into(), options.sample.map_or(Json::Null, |(start, end)| json!([start, end])));
    Invocation {
        sample: options.sample,
        profile_name: profile_name.to_string(),
        target,
        vars: options.vars.clone(),
        env: options.env.clone(),
        started_at: options.started_at,
        id: options.invocation_id.clone(),
        command: options.command.clone(),
        flags,
    }
}

/// What templates share before the project is resolved.
fn world(options: &Options, invocation: &Arc<Invocation>, project: Option<(&Project, &Templates)>) -> World {
    let files: Vec<(String, Map<String, Json>)> = project
        .iter()
        .flat_map(|(project, _)| project.all())
        .map(|package| (package.name().to_string(), object(&package.config.vars)))
        .collect();
    let root = project.map_or("", |(project, _)| project.root.name());
    World {
        invocation: Arc::clone(invocation),
        vars: Vars::new(options.vars.clone(), root, &files),
        project_name: root.to_string(),
        resolved: None,
        adapter: None,
        selected: Vec::new(),
        deferred: HashMap::new(),
        log: Box::new(|_: LogLine| {}),
        dispatch: project.map(|(project, _)| project.root.config.dispatch.clone()).unwrap_or_default(),
        environment: project.map(|(_, templates)| templates.environment()).unwrap_or_default(),
    }
}

fn object(yaml: &Yaml) -> Map<String, Json> {
    match yaml.to_json() {
        Json::Object(map) => map,
        _ => Map::new(),
    }
}

impl Loaded {
    /// What templates share once the project is resolved, for `adapter` and the selected nodes.
    pub(super) fn world(
        &self,
        options: &Options,
        adapter: Option<Arc<dyn crate::jinja::Adapter>>,
        selected: Vec<String>,
        deferred: HashMap<String, Relation>,
        log: Box<dyn Fn(LogLine) + Send + Sync>,
    ) -> World {
        let lookup = crate::manifest::Lookup::new(
            self.manifest.nodes.iter().chain(&self.manifest.disabled),
            &self.manifest.project_name,
        );
        World {
            resolved: Some(crate::jinja::Resolved { manifest: Arc::clone(&self.manifest), lookup }),
            adapter,
            selected,
            deferred,
            log,
            ..world(options, &self.invocation, Some((&self.project, &self.templates)))
        }
    }
}

/// Renders `profiles.yml` and the profile's name: environment and vars, secrets included.
pub(super) struct Bare {
    world: Arc<World>,
}

impl Bare {
    pub(super) fn new(options: &Options) -> Bare {
        let invocation = Arc::new(invocation(options, "", Target::unknown()));
        Bare { world: Arc::new(world(options, &invocation, None)) }
    }
}

impl Render for Bare {
    fn render(&self, text: &str, span: &Span) -> Result<Json, Box<Diagnostic>> {
        crate::jinja::render_profile(&self.world, text, span)
    }
}

/// Renders `dbt_project.yml`: the target is known, nodes and macros are not.
struct Early {
    world: Arc<World>,
}

impl Render for Early {
    fn render(&self, text: &str, span: &Span) -> Result<Json, Box<Diagnostic>> {
        render_yaml(&self.world, "", text, span)
    }
}
