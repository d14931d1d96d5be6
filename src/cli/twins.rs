//! Twins of options: `C360_X` in the environment for `--x`, `DBT_X` where dbt reads it, and `flags:` of the project.
//!
//! What is said nowhere on the command line is added to it before it is read, so a twin has the meaning of its option,
//! for every verb that has the option. A switch is added if its twin is true; one that is false leaves it off.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory};

use super::args::Cli;
use crate::diag::{Diagnostics, SourceFile};
use crate::project::yaml::Yaml;

/// Options that are said on the command line or not at all: what one invocation is about, and addresses, whose names in
/// the environment belong to others.
pub(super) const NO_TWIN: [&str; 6] = ["help", "version", "host", "port", "inline", "args"];

/// Variables that dbt itself reads for its options; any other `DBT_X` is somebody's own.
pub(super) const OF_DBT: [&str; 30] = [
    "DEFER",
    "DEFER_STATE",
    "DEBUG",
    "EMPTY",
    "EVENT_TIME_END",
    "EVENT_TIME_START",
    "EXCLUDE_RESOURCE_TYPES",
    "FAIL_FAST",
    "FAVOR_STATE",
    "FULL_REFRESH",
    "INDIRECT_SELECTION",
    "LOG_FORMAT",
    "LOG_LEVEL",
    "LOG_PATH",
    "PRINTER_WIDTH",
    "PRINT",
    "PROFILE",
    "PROFILES_DIR",
    "PROJECT_DIR",
    "QUIET",
    "RESOURCE_TYPES",
    "SAMPLE",
    "STATE",
    "STORE_FAILURES",
    "TARGET",
    "TARGET_PATH",
    "THREADS",
    "USE_COLORS",
    "WARN_ERROR",
    "WARN_ERROR_OPTIONS",
];

/// Flags that dbt_project.yml may set under `flags:` and that are options of ours; it has others, which mean nothing here
/// or change a behaviour.
pub(super) const OF_PROJECT: [&str; 7] =
    ["fail_fast", "indirect_selection", "log_format", "log_level", "quiet", "warn_error", "warn_error_options"];

/// Where twins are looked up.
pub(super) struct Twins {
    pub(super) env: BTreeMap<String, String>,
    /// `flags:` of the project, by upper case names.
    pub(super) flags: BTreeMap<String, String>,
}

impl Twins {
    /// The environment, and what the project at `project_dir` sets; a file that cannot be read sets nothing here, and is
    /// reported where it is read.
    pub(super) fn new(env: BTreeMap<String, String>, project_dir: &Path) -> Twins {
        Twins { env, flags: project_flags(project_dir) }
    }

    fn find(&self, name: &str) -> Option<&str> {
        let of = |prefix: &str| self.env.get(&format!("{prefix}_{name}")).filter(|value| !value.is_empty());
        let found = of("C360").or_else(|| of("DBT").filter(|_| OF_DBT.contains(&name)));
        found.or_else(|| self.flags.get(name)).map(String::as_str)
    }
}

/// The values under `flags:` of dbt_project.yml that are options.
fn project_flags(folder: &Path) -> BTreeMap<String, String> {
    let Ok(text) = std::fs::read_to_string(folder.join("dbt_project.yml")) else { return BTreeMap::new() };
    let file = SourceFile::new("dbt_project.yml", text);
    let tree = Yaml::parse(&file, &mut Diagnostics::default());
    let Some(flags) = tree.as_ref().and_then(|tree| tree.get("flags")) else { return BTreeMap::new() };
    let value = |name: &&str| Some((name.to_uppercase(), crate::node::plain(&flags.get(name)?.to_json())));
    OF_PROJECT.iter().filter_map(value).filter(|(_, value)| !value.is_empty()).collect()
}

/// The names of the twins of `arg`: of its own name, and of its aliases.
pub(super) fn names(arg: &Arg) -> Vec<String> {
    let long = arg.get_long().filter(|long| !NO_TWIN.contains(long));
    let aliases = arg.get_all_aliases().unwrap_or_default();
    let names = long.into_iter().chain(aliases.into_iter().filter(|_| long.is_some()));
    names.map(|name| name.to_uppercase().replace('-', "_")).collect()
}

/// `args` with the twins of what they do not say; as they are, if they cannot be read.
pub(super) fn with_twins(args: Vec<OsString>, twins: &Twins) -> Vec<OsString> {
    let mut command = Cli::command();
    command.build();
    let Ok(matches) = command.clone().try_get_matches_from(&args) else { return args };
    let (mut verb, mut found) = (&command, &matches);
    while let Some((name, inner)) = found.subcommand() {
        let Some(next) = verb.find_subcommand(name) else { break };
        (verb, found) = (next, inner);
    }
    let more = added(verb, found, twins);
    args.into_iter().chain(more).collect()
}

fn added(verb: &Command, found: &ArgMatches, twins: &Twins) -> Vec<OsString> {
    let is_said = |arg: &Arg| found.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
    let mut out = Vec::new();
    for arg in verb.get_arguments().filter(|arg| !is_said(arg)) {
        let Some(long) = arg.get_long() else { continue };
        // `--no-x` on the command line is heard.
        let is_denied = verb.get_arguments().any(|other| {
            is_said(other) && other.get_long().is_some_and(|other| other.strip_prefix("no-") == Some(long))
        });
        let Some(value) = names(arg).iter().find_map(|name| twins.find(name)).filter(|_| !is_denied) else { continue };
        match arg.get_action() {
            ArgAction::SetTrue if is_true(value) => out.push(format!("--{long}").into()),
            ArgAction::SetTrue => {
                let opposite = format!("no-{long}");
                if verb.get_arguments().any(|other| other.get_long() == Some(&opposite)) {
                    out.push(format!("--{opposite}").into());
                }
            }
            ArgAction::Append => {
                out.extend(value.split_whitespace().map(|value| OsString::from(format!("--{long}={value}"))));
            }
            _ => out.push(format!("--{long}={value}").into()),
        }
    }
    out
}

/// True for what people write for true.
pub(super) fn is_true(value: &str) -> bool {
    matches!(value.to_lowercase().as_str(), "1" | "true" | "yes" | "on" | "t" | "y")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every option of every verb, with the words that lead to the verb.
    fn options() -> Vec<(Vec<String>, Arg)> {
        fn collect(command: &Command, path: &[String], out: &mut Vec<(Vec<String>, Arg)>) {
            out.extend(command.get_arguments().map(|arg| (path.to_vec(), arg.clone())));
            for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
                let path: Vec<String> = path.iter().cloned().chain([verb.get_name().to_string()]).collect();
                collect(verb, &path, out);
            }
        }
        let mut cli = Cli::command();
        cli.build();
        let mut out = Vec::new();
        collect(&cli, &[], &mut out);
        out
    }

    fn read(path: &[String], twins: &Twins) -> Option<Vec<String>> {
        let words = std::iter::once("c360").chain(path.iter().map(String::as_str)).map(OsString::from).collect();
        let args: Vec<String> =
            with_twins(words, twins).into_iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
        Some(args[path.len() + 1..].to_vec())
    }

    #[test]
    fn every_option_has_a_twin() {
        let mut seen = 0;
        for (path, arg) in options().into_iter().filter(|(path, _)| !path.is_empty()) {
            let Some(long) = arg.get_long().filter(|long| !NO_TWIN.contains(long)) else { continue };
            let text = arg.get_possible_values().first().map_or_else(|| "1".to_string(), |v| v.get_name().to_string());
            let (value, wanted) = match arg.get_action() {
                ArgAction::SetTrue => ("true".to_string(), format!("--{long}")),
                _ => (text.clone(), format!("--{long}={text}")),
            };
            let required =
                Cli::command().try_get_matches_from(std::iter::once("c360".to_string()).chain(path.iter().cloned()));
            if required.is_err() {
                // It needs more words; what is read of the environment is the same.
                continue;
            }
            let twin = names(&arg).remove(0);
            let dbt = OF_DBT.contains(&twin.as_str());
            for (prefix, is_read) in [("C360", true), ("DBT", dbt)] {
                let env = BTreeMap::from([(format!("{prefix}_{twin}"), value.clone())]);
                let read = read(&path, &Twins { env, flags: BTreeMap::new() }).expect("arguments");
                assert_eq!(read.contains(&wanted), is_read, "{prefix}_{twin} of {path:?}: {read:?}");
            }
            seen += 1;
        }
        assert!(seen > 100, "{seen}");
    }

    #[test]
    fn the_command_line_is_heard_first_then_c360_then_dbt_then_the_project() {
        let flags = BTreeMap::from([("FAIL_FAST".into(), "true".into()), ("LOG_FORMAT".into(), "text".into())]);
        let env = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        let twins = Twins { env: env(&[("C360_TARGET", "a"), ("DBT_TARGET", "b"), ("DBT_DEFER", "1")]), flags };
        let read = |line: &str| {
            let words = line.split(' ').map(OsString::from).collect();
            let args = with_twins(words, &twins);
            args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(read("c360 run"), "c360 run --defer --fail-fast --target=a --log-format=text");
        let said = read("c360 run -t c -x --no-defer --log-format json");
        assert_eq!(said, "c360 run -t c -x --no-defer --log-format json");
        assert_eq!(read("c360 no-such-verb"), "c360 no-such-verb");
    }
}
