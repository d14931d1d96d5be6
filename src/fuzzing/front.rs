//! Doors of the front end: files of a project, profiles, templates, selections.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use chrono::DateTime;
use serde_json::{Map, Value as Json, json};

use super::{check, check_all};
use crate::compile::compile;
use crate::diag::{Diagnostics, Result, SourceFile, Span};
use crate::jinja::{
    Environment, Interpreter, Limits, NoContext, Options, Resolved, Templates, Vars, World, calls, parse_blocks,
    parse_template, render_profile, render_yaml,
};
use crate::manifest::{Lookup, Manifest};
use crate::parse::parse;
use crate::project::yaml::{Kind, Yaml};
use crate::project::{Invocation, Profile, Project, Render, Target};
use crate::select::{Criteria, Indirect, Inputs, check_selectors, select};

/// A file of YAML.
pub(super) fn yaml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let file = SourceFile::new("models/m.yml", text);
    let mut found = Diagnostics::default();
    if let Some(tree) = Yaml::parse(&file, &mut found) {
        check_tree(&tree, &file);
        assert_eq!(tree.to_json(), tree.clone().to_json());
    }
    check_all(&found);
}

fn check_tree(tree: &Yaml, file: &Arc<SourceFile>) {
    assert!(file.text.get(tree.span.start as usize..tree.span.end as usize).is_some(), "a value is nowhere");
    assert!(!tree.describe().is_empty());
    tree.items().iter().for_each(|item| check_tree(item, file));
    for (key, value) in tree.entries() {
        assert!(file.text.get(key.span.start as usize..key.span.end as usize).is_some(), "a key is nowhere");
        check_tree(value, file);
    }
    if let Kind::Map(entries) = &tree.kind {
        let mut names: Vec<&str> = entries.iter().map(|(key, _)| key.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), entries.len(), "a key stands twice");
    }
}

/// A whole project. A line `=== path` starts a file; what stands before the first one is a properties file.
pub(super) fn project(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut found = Diagnostics::default();
    let early = world(&Vars::default, None);
    let Ok(project) =
        Project::of_texts(&files(text), &Early(Arc::clone(&early)), &mut found).map_err(|error| check(&error))
    else {
        return check_all(&found);
    };
    let templates = Templates::read(&project, &mut found);
    let vars = || {
        let own = match project.root.config.vars.to_json() {
            Json::Object(own) => own,
            _ => Map::new(),
        };
        Vars::new(Map::new(), project.root.name(), &[(project.root.name().to_string(), own)])
    };
    let world = world(&vars, Some((&project, &templates)));
    let manifest = Arc::new(parse(&project, &templates, &world, &mut found));
    check_selectors(&manifest, &mut found);
    check_all(&found);
    check_manifest(&manifest);
    if !found.has_errors() {
        compile_all(&manifest, world);
    }
}

fn files(text: &str) -> Vec<(String, String)> {
    let mut files = vec![("models/_p.yml".to_string(), String::new())];
    for line in text.split_inclusive('\n') {
        match line.strip_prefix("=== ") {
            Some(path) => files.push((path.trim().to_string(), String::new())),
            None => files.iter_mut().next_back().iter_mut().for_each(|(_, text)| text.push_str(line)),
        }
    }
    if !files.iter().any(|(path, _)| path == "dbt_project.yml") {
        files.push(("dbt_project.yml".into(), "name: p\nprofile: p\n".into()));
    }
    files
}

/// What has to hold of every manifest.
fn check_manifest(manifest: &Manifest) {
    let mut ids: Vec<&str> = manifest.nodes.iter().map(|node| node.unique_id.as_str()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "two nodes have the same id");
    let mut found = Diagnostics::default();
    let criteria = Criteria { select: vec!["+*".into()], ..Criteria::default() };
    let selected = select(&criteria, &Inputs::new(manifest), &mut found);
    selected
        .map_err(|error| check(&error))
        .map(|selection| assert!(selection.nodes.len() <= count))
        .unwrap_or_default();
    check_all(&found);
}

fn compile_all(manifest: &Arc<Manifest>, world: Arc<World>) {
    let lookup = Lookup::new(manifest.nodes.iter().chain(&manifest.disabled), &manifest.project_name);
    let Ok(world) = Arc::try_unwrap(world).map_err(|_| ()) else { return };
    let world = World { resolved: Some(Resolved { manifest: Arc::clone(manifest), lookup }), ..world };
    let world = Arc::new(world);
    for node in &manifest.nodes {
        match compile(&world, node) {
            Ok(compiled) => {
                let end = compiled.sql.text.len();
                let place = Span::new(&compiled.sql, end..end);
                let error = crate::diag::Diagnostic::error(crate::diag::codes::SQL_SYNTAX, "here").label(place, "");
                check(&compiled.locate(error));
            }
            Err(error) => check(&error),
        }
    }
}

/// A `profiles.yml` with the profile `p`.
pub(super) fn profiles(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let world = world(&Vars::default, None);
    let mut found = Diagnostics::default();
    let path = PathBuf::from("profiles.yml");
    let profile = Profile::of_text(path, text.to_string(), "p", None, &Bare(world), &mut found);
    match profile {
        Ok(profile) => assert!((1..=1024).contains(&profile.target.threads)),
        Err(error) => {
            assert!(!error.to_string().contains(SECRET), "a secret is shown: {error}");
            check(&error);
        }
    }
    check_all(&found);
}

/// A file of macros.
pub(super) fn blocks(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let blocks = parse_blocks(&SourceFile::new("macros/m.sql", text), "p");
    for block in &blocks.blocks {
        assert!(block.raw().contains(block.inner_text()));
        assert!(block.raw().contains(&block.name));
        let _ = block.template().map_err(|error| check(&error));
    }
    check_all(&blocks.diagnostics);
}

/// A template, with macros of its own.
pub(super) fn template(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let file = SourceFile::new("models/m.sql", text);
    let mut env = Environment::new("p");
    for item in parse_blocks(&SourceFile::new("macros/m.sql", text), "p").macros() {
        env.add_macro(Arc::clone(item));
    }
    let template = match parse_template(&file) {
        Ok(template) => template,
        Err(error) => return check(&error),
    };
    for call in calls(&template) {
        assert!(!call.name.is_empty());
    }
    let limits = Limits { fuel: 100_000, output: 1 << 20, ..Limits::default() };
    for lenient in [true, false] {
        let options = Options { limits, lenient, native: !lenient, ..Options::default() };
        match Interpreter::new(&env, &NoContext, options).render(&template) {
            Ok(rendered) => {
                for (at, _) in rendered.text.char_indices().take(200) {
                    if let Some(origin) = rendered.map.lookup(at) {
                        let (start, end) = (origin.span.start as usize, origin.span.end as usize);
                        assert!(origin.span.file.text.get(start..end).is_some(), "text comes from nowhere");
                    }
                }
            }
            Err(error) => check(&error),
        }
    }
}

/// The first line is `--select`, the second `--exclude`, what follows is a `selectors.yml`.
pub(super) fn selection(data: &[u8]) {
    thread_local! {
        static SHOP: RefCell<Manifest> = RefCell::new(shop());
    }
    SHOP.with_borrow_mut(|manifest| select_from(manifest, data));
}

fn select_from(manifest: &mut Manifest, data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut parts = text.splitn(3, '\n');
    let mut argument = || parts.next().filter(|text| !text.is_empty()).map(str::to_string).into_iter().collect();
    let (chosen, exclude): (Vec<String>, Vec<String>) = (argument(), argument());
    let mut found = Diagnostics::default();
    let file = SourceFile::new("selectors.yml", parts.next().unwrap_or_default());
    manifest.selectors = Yaml::parse(&file, &mut found);
    check_selectors(manifest, &mut found);
    let named = crate::select::list_selectors(manifest).into_iter().map(|info| info.name);
    for (_, indirect) in Indirect::NAMES {
        let criteria = Criteria { select: chosen.clone(), exclude: exclude.clone(), indirect, ..Criteria::default() };
        let _ = select(&criteria, &Inputs::new(manifest), &mut found).map_err(|error| check(&error));
    }
    for selector in named.map(Some) {
        let criteria = Criteria { selector, ..Criteria::default() };
        let _ = select(&criteria, &Inputs::new(manifest), &mut found).map_err(|error| check(&error));
    }
    check_all(&found);
}

/// A few nodes of many kinds.
fn shop() -> Manifest {
    let text = "\
sources: [{name: lake, tables: [{name: orders}]}]
models:
  - name: stg_orders
    config: {tags: [nightly, pii], meta: {owner: finance}}
    columns: [{name: id, data_tests: [unique, not_null]}]
  - name: orders
    config: {materialized: incremental, group: sales}
    data_tests: [{relationships: {name: rel, arguments: {to: ref('stg_orders'), field: id, column_name: id}}}]
groups: [{name: sales, owner: {name: x}}]
exposures: [{name: board, type: dashboard, owner: {name: x}, depends_on: [ref('kpis')]}]
unit_tests: [{name: u, model: orders, given: [{input: ref('stg_orders'), rows: []}], expect: {rows: []}}]
=== models/staging/stg_orders.sql
select * from {{ source('lake', 'orders') }}
=== models/orders.sql
select * from {{ ref('stg_orders') }}
=== models/mart/kpis.sql
select * from {{ ref('orders') }}
=== tests/assert_kpis.sql
select * from {{ ref('kpis') }} join {{ ref('stg_orders') }} using (id)
=== seeds/codes.csv
";
    let mut found = Diagnostics::default();
    let early = Early(world(&Vars::default, None));
    let project = Project::of_texts(&files(text), &early, &mut found);
    let manifest = project.map(|project| {
        let templates = Templates::read(&project, &mut found);
        let world = world(&Vars::default, Some((&project, &templates)));
        parse(&project, &templates, &world, &mut found)
    });
    let said: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(said.is_empty(), "the project of this test has mistakes: {said:?}");
    manifest.unwrap_or_default()
}

const SECRET: &str = "hunter2-hunter2";

fn world(vars: &dyn Fn() -> Vars, project: Option<(&Project, &Templates)>) -> Arc<World> {
    let env = [("HOME", "/home/user"), ("DBT_ENV_SECRET_PASSWORD", SECRET)];
    let invocation = Invocation {
        profile_name: "p".into(),
        target: Target::unknown(),
        vars: Map::new(),
        env: env.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect::<BTreeMap<_, _>>(),
        started_at: DateTime::UNIX_EPOCH,
        id: "0".into(),
        command: "parse".into(),
        flags: Map::from_iter([("FULL_REFRESH".to_string(), json!(false))]),
        sample: None,
    };
    Arc::new(World {
        invocation: Arc::new(invocation),
        vars: vars(),
        project_name: project.map(|(project, _)| project.root.name().to_string()).unwrap_or_default(),
        resolved: None,
        adapter: None,
        selected: Vec::new(),
        deferred: HashMap::new(),
        log: Box::new(|_| {}),
        dispatch: Vec::new(),
        environment: project.map(|(_, templates)| templates.environment()).unwrap_or_default(),
    })
}

struct Early(Arc<World>);

impl Render for Early {
    fn render(&self, text: &str, span: &Span) -> Result<Json> {
        render_yaml(&self.0, "", text, span)
    }
}

struct Bare(Arc<World>);

impl Render for Bare {
    fn render(&self, text: &str, span: &Span) -> Result<Json> {
        render_profile(&self.0, text, span)
    }
}
