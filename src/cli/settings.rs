//! Arguments, environment and defaults become options.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use chrono::{Days, Months, NaiveDateTime, TimeDelta, Utc};
use serde_json::{Map, Value as Json};

use super::args::{ColorArg, GlobalArgs, LogFormatArg, RunArgs, SelectArgs};
use super::twins::{Twins, is_true, with_twins};
use crate::diag::{Diagnostic, Diagnostics, Result, SourceFile, WarnError, codes};
use crate::node::ResourceType;
use crate::ops::{Options, Target};
use crate::project::yaml::Yaml;
use crate::report::{LogFormat, ReportOptions, colour_wanted};
use crate::run::parse_time;
use crate::select::{Criteria, Indirect};
use crate::stdx::closest;

/// The environment, as the program started with it.
pub(super) struct Environment {
    vars: BTreeMap<String, String>,
}

impl Environment {
    pub(super) fn read() -> Environment {
        let text = |value: OsString| value.to_string_lossy().into_owned();
        Environment { vars: std::env::vars_os().map(|(key, value)| (text(key), text(value))).collect() }
    }

    /// `C360_NAME`, or else `DBT_NAME`; an empty value counts as none.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        let find = |prefix: &str| self.vars.get(&format!("{prefix}_{name}")).map(String::as_str);
        find("C360").or_else(|| find("DBT")).filter(|value| !value.is_empty())
    }

    fn flag(&self, name: &str) -> bool {
        self.option(name).is_some_and(is_true)
    }

    /// `args` with what the environment and the project say of options that they do not name.
    pub(super) fn with_twins(&self, args: Vec<OsString>) -> Vec<OsString> {
        let twins = Twins::new(self.vars.clone(), &self.project_dir(&args));
        with_twins(args, &twins)
    }

    /// The folder of the project, before anything else is read.
    fn project_dir(&self, args: &[OsString]) -> PathBuf {
        let mut args = args.iter().map(|arg| arg.to_string_lossy());
        while let Some(arg) = args.next() {
            match arg.strip_prefix("--project-dir") {
                Some("") => return args.next().map(|dir| PathBuf::from(dir.into_owned())).unwrap_or_default(),
                Some(rest) if rest.starts_with('=') => return PathBuf::from(&rest[1..]),
                _ => {}
            }
        }
        self.option("PROJECT_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from)
    }
}

/// How messages are written.
pub(super) fn report_options(global: &GlobalArgs, env: &Environment) -> ReportOptions {
    let is_terminal = std::io::stderr().is_terminal();
    let never = global.no_use_colors || global.color == Some(ColorArg::Never);
    let always = global.use_colors || global.color == Some(ColorArg::Always);
    let var = |name: &str| env.vars.get(name).cloned();
    let format = global.log_format.or_else(|| match env.option("LOG_FORMAT") {
        Some("json") => Some(LogFormatArg::Json),
        Some("text") => Some(LogFormatArg::Text),
        _ => None,
    });
    ReportOptions {
        format: match format {
            Some(LogFormatArg::Json) => LogFormat::Json,
            Some(LogFormatArg::Text) => LogFormat::Text,
            _ => LogFormat::Auto,
        },
        quiet: global.quiet || env.flag("QUIET"),
        is_terminal,
        colour: !never && (always || colour_wanted(is_terminal, &var)),
        width: width(is_terminal, env),
    }
}

/// Columns of the terminal behind stderr, or of `COLUMNS`.
pub(super) fn width(is_terminal: bool, env: &Environment) -> Option<usize> {
    if !is_terminal {
        return None;
    }
    let stated = env.vars.get("COLUMNS").and_then(|value| value.parse().ok());
    stated.or_else(|| console::Term::stderr().size_checked().map(|(_, columns)| usize::from(columns)))
}

/// The options of a verb.
pub(super) fn options(
    command: &str,
    global: &GlobalArgs,
    select: &SelectArgs,
    full_refresh: bool,
    fail_fast: bool,
    env: &Environment,
) -> Result<Options> {
    let path = |arg: &Option<PathBuf>, name: &str| arg.clone().or_else(|| env.option(name).map(PathBuf::from));
    let text = |arg: &Option<String>, name: &str| arg.clone().or_else(|| env.option(name).map(str::to_string));
    let project_dir = path(&global.project_dir, "PROJECT_DIR").unwrap_or_else(|| PathBuf::from("."));
    let project_dir = std::path::absolute(&project_dir).map_err(|error| {
        Diagnostic::error(codes::BAD_ARGUMENT, format!("`{}` is no folder: {error}", project_dir.display()))
    })?;
    let profiles_dirs = match path(&global.profiles_dir, "PROFILES_DIR") {
        Some(folder) => vec![folder],
        None => default_profiles_dirs(&project_dir, env),
    };
    let threads = match (global.threads, env.option("THREADS")) {
        (Some(threads), _) => Some(threads),
        (None, Some(text)) => Some(text.parse().map_err(|_| bad("THREADS", text, "a number"))?),
        (None, None) => None,
    };
    if threads == Some(0) {
        return Err(Diagnostic::error(codes::BAD_ARGUMENT, "--threads has to be at least 1"));
    }
    Ok(Options {
        command: command.to_string(),
        project_dir,
        profiles_dirs,
        target: Target { profile: text(&global.profile, "PROFILE"), target: text(&global.target, "TARGET") },
        vars: vars(global.vars.as_deref().or_else(|| env.option("VARS")))?,
        target_path: path(&global.target_path, "TARGET_PATH"),
        threads,
        full_refresh: full_refresh || env.flag("FULL_REFRESH"),
        check: env.option("CHECK").map(|_| env.flag("CHECK")),
        fail_fast: fail_fast || env.flag("FAIL_FAST"),
        criteria: criteria(command, select, env)?,
        state: path(&select.state, "STATE"),
        defer: select.defer || (env.flag("DEFER") && !select.no_defer),
        defer_state: path(&select.defer_state, "DEFER_STATE"),
        favor_state: select.favor_state || env.flag("FAVOR_STATE"),
        empty: env.flag("EMPTY"),
        store_failures: env.flag("STORE_FAILURES"),
        explain_analyze: env.flag("EXPLAIN_ANALYZE"),
        warn_error: warn_error(global, env)?,
        event_time: (None, None),
        sample: None,
        leftover: None,
        env: env.vars.clone(),
        started_at: Utc::now(),
        invocation_id: uuid::Uuid::new_v4().to_string(),
    })
}

/// The options of a verb that runs nodes.
pub(super) fn run_options(
    command: &str,
    global: &GlobalArgs,
    select: &SelectArgs,
    run: &RunArgs,
    env: &Environment,
) -> Result<Options> {
    let mut options = options(command, global, select, run.full_refresh, run.fail_fast, env)?;
    options.empty |= run.empty;
    if run.no_check {
        options.check = Some(false);
    }
    options.store_failures |= run.store_failures;
    options.explain_analyze |= run.explain_analyze;
    let time = |arg: &Option<String>, name: &str| {
        let text = arg.as_deref().or_else(|| env.option(name));
        text.map(|text| parse_time(text).ok_or_else(|| bad(name, text, "a date or a time"))).transpose()
    };
    let sample = run.sample.as_deref().or_else(|| env.option("SAMPLE").filter(|_| may_sample(command)));
    options.sample = sample.map(|text| sample_of(text, options.started_at.naive_utc())).transpose()?;
    if options.sample.is_some() && !may_sample(command) {
        return Err(Diagnostic::error(codes::BAD_ARGUMENT, format!("--sample means nothing to `{command}`"))
            .help("`c360 run` and `c360 build` read samples"));
    }
    options.event_time =
        (time(&run.event_time_start, "EVENT_TIME_START")?, time(&run.event_time_end, "EVENT_TIME_END")?);
    Ok(options)
}

/// True for verbs that run the queries of models.
fn may_sample(command: &str) -> bool {
    matches!(command, "build" | "run" | "retry")
}

/// `--sample`: a stretch of time that ends now (`3 days`), or its start and end (`{start: .., end: ..}`).
fn sample_of(text: &str, now: NaiveDateTime) -> Result<(NaiveDateTime, NaiveDateTime)> {
    let wanted = "`3 days` (hours, days, months, years), or `{start: 2024-01-01, end: 2024-02-01}`";
    let wrong = || bad("--sample", text, wanted);
    if text.trim_start().starts_with('{') {
        let window = mapping("--sample", Some(text))?;
        let time = |key: &str| parse_time(&crate::node::plain(window.get(key)?));
        return time("start").zip(time("end")).ok_or_else(wrong);
    }
    let (count, grain) = text.trim().split_once(' ').ok_or_else(wrong)?;
    let count: u32 = count.trim().parse().map_err(|_| wrong())?;
    let start = match grain.trim().to_lowercase().trim_end_matches('s') {
        "hour" => now.checked_sub_signed(TimeDelta::hours(count.into())),
        "day" => now.checked_sub_days(Days::new(count.into())),
        "month" => now.checked_sub_months(Months::new(count)),
        "year" => now.checked_sub_months(Months::new(count.saturating_mul(12))),
        _ => None,
    };
    Ok((start.ok_or_else(wrong)?, now))
}

fn warn_error(global: &GlobalArgs, env: &Environment) -> Result<WarnError> {
    let stated = global.warn_error_options.as_deref().or_else(|| env.option("WARN_ERROR_OPTIONS"));
    match stated {
        _ if global.warn_error => Ok(WarnError::all()),
        Some(text) => WarnError::read(&Json::Object(mapping("--warn-error-options", Some(text))?)),
        None if env.flag("WARN_ERROR") => Ok(WarnError::all()),
        None => Ok(WarnError::default()),
    }
}

fn default_profiles_dirs(project_dir: &Path, env: &Environment) -> Vec<PathBuf> {
    let home = env.vars.get("HOME").map(PathBuf::from);
    let of_home = [".c360", ".dbt"].into_iter().filter_map(|name| home.as_ref().map(|home| home.join(name)));
    std::iter::once(project_dir.to_path_buf()).chain(of_home).collect()
}

fn bad(name: &str, value: &str, wanted: &str) -> Box<Diagnostic> {
    Diagnostic::error(codes::BAD_ARGUMENT, format!("{name} is `{value}`, and has to be {wanted}"))
}

/// `--vars`: a YAML mapping.
fn vars(text: Option<&str>) -> Result<Map<String, Json>> {
    mapping("--vars", text)
}

/// The YAML mapping behind the option `name`.
pub(super) fn mapping(name: &str, text: Option<&str>) -> Result<Map<String, Json>> {
    let Some(text) = text else { return Ok(Map::new()) };
    let file = SourceFile::new(name, text);
    let mut found = Diagnostics::default();
    let tree = Yaml::parse(&file, &mut found);
    if let Some(error) = found.into_iter().find(Diagnostic::is_error) {
        return Err(Box::new(error).help(format!("write it as YAML: {name} '{{key: value}}'")));
    }
    match tree.map(|tree| (tree.to_json(), tree)) {
        Some((Json::Object(map), _)) => Ok(map),
        None | Some((Json::Null, _)) => Ok(Map::new()),
        Some((_, tree)) => Err(Diagnostic::error(codes::BAD_ARGUMENT, format!("{name} is {}", tree.describe()))
            .label(tree.span.clone(), "a mapping is expected")
            .help(format!("write it as YAML: {name} '{{key: value}}'"))),
    }
}

fn criteria(command: &str, select: &SelectArgs, env: &Environment) -> Result<Criteria> {
    let types = |names: &[String], option: &str| -> Result<Option<Vec<ResourceType>>> {
        let stated: Vec<String> = match env.option(option) {
            Some(text) if names.is_empty() => text.split_whitespace().map(str::to_string).collect(),
            _ => names.to_vec(),
        };
        if stated.is_empty() {
            return Ok(None);
        }
        let mut out = Vec::new();
        for name in stated.iter().flat_map(|text| text.split_whitespace()) {
            match name {
                "all" => out.extend(ResourceType::ALL),
                "default" => out.extend(ResourceType::ALL.into_iter().filter(|kind| kind.is_listed())),
                // Kept in the manifest and never nodes of the DAG.
                "metric" | "semantic_model" | "saved_query" | "function" => {}
                name => out.push(ResourceType::parse(name).ok_or_else(|| {
                    let names = ResourceType::ALL.map(ResourceType::as_str);
                    Diagnostic::error(codes::BAD_ARGUMENT, format!("there is no resource type `{name}`"))
                        .maybe_help(closest(name, names).map(|near| format!("`{near}` exists")))
                })?),
            }
        }
        Ok(Some(out))
    };
    let mode = select.indirect_selection.as_deref().or_else(|| env.option("INDIRECT_SELECTION"));
    let indirect = match mode {
        None => Indirect::default(),
        Some(name) => Indirect::parse(name)
            .ok_or_else(|| bad("--indirect-selection", name, "eager, cautious, buildable or empty"))?,
    };
    let included = types(&select.resource_type, "RESOURCE_TYPES")?;
    let mut exclude_resource_types =
        types(&select.exclude_resource_type, "EXCLUDE_RESOURCE_TYPES")?.unwrap_or_default();
    if included.as_ref().is_some_and(Vec::is_empty) {
        // Only types were asked for of which there are no nodes.
        exclude_resource_types.extend(ResourceType::ALL);
    }
    let mut resource_types = included.unwrap_or_default();
    // The old spelling of --select; to `ls` it means models alone.
    if command == "list" && !select.models.is_empty() {
        if !select.select.is_empty() || !select.resource_type.is_empty() {
            return Err(Diagnostic::error(codes::BAD_ARGUMENT, "--models stands beside --select or --resource-type")
                .help("--models X is --select X --resource-type model"));
        }
        resource_types = vec![ResourceType::Model];
    }
    Ok(Criteria {
        select: select.expressions(),
        exclude: select.exclude.clone(),
        selector: select.selector.clone(),
        indirect,
        resource_types,
        exclude_resource_types,
    })
}
