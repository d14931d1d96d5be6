//! `cli.md`: verbs and options, from clap's types.

use std::collections::BTreeSet;

use clap::{Arg, ArgAction, Command, CommandFactory};

use super::{check, table};
use crate::cli::args::Cli;
use crate::cli::twins::names;

/// The names that the environment is asked for (`C360_NAME`, then `DBT_NAME`).
fn twins() -> BTreeSet<String> {
    let asked = regex::Regex::new(r#"(?:option|flag)\("([A-Z_]+)"\)|, "([A-Z_]+)"\)"#).expect("a pattern");
    let found = asked.captures_iter(include_str!("../settings.rs"));
    found.filter_map(|found| found.get(1).or(found.get(2)).map(|name| name.as_str().to_string())).collect()
}

#[test]
fn options_are_listed() {
    let mut cli = Cli::command();
    cli.build();
    let mut out = String::from(
        "# Command line\n\nVerbs and options, as `c360 VERB --help` prints them. An option wins over its variable in the \
         environment; `DBT_X` is read where there is no `C360_X`.\n\nExit codes: 0 fine (warnings included), 1 a \
         node, a test, a file or a server failed, 2 the project, its configuration or the command line is wrong, 130 \
         interrupted.\n\nData (rows, lists, SQL) goes to stdout, everything else to stderr. `NO_COLOR` and `CLICOLOR_FORCE` \
         are respected. `C360_LOG=debug` prints what libraries log.\n\n",
    );
    let verbs: Vec<&Command> = cli.get_subcommands().filter(|verb| verb.get_name() != "help").collect();
    let row = |verb: &&Command| {
        let name = verb.get_name();
        vec![format!("[`{name}`](#c360-{name})"), about(verb)]
    };
    out.push_str(&table(&["verb", "what"], verbs.iter().map(row).collect::<Vec<_>>()));
    out.push_str("\n## Options of every verb\n\nBefore or after the name of the verb.\n\n");
    out.push_str(&options(cli.get_arguments().filter(|arg| arg.is_global_set())));
    for verb in verbs {
        section(verb, &[], &mut out);
    }
    check("cli.md", &out);
}

#[test]
fn twins_are_options() {
    let mut cli = Cli::command();
    cli.build();
    let mut names = Vec::new();
    collect(&cli, &mut names);
    let twins = twins();
    assert!(twins.contains("TARGET") && twins.contains("FULL_REFRESH"), "{twins:?}");
    for twin in twins {
        let id = twin.to_lowercase();
        let is_option =
            names.iter().any(|name| [id.clone(), format!("no_{id}")].contains(name) || format!("{name}s") == id);
        assert!(is_option, "C360_{twin} is the twin of no option");
    }
}

fn collect(command: &Command, names: &mut Vec<String>) {
    names.extend(command.get_arguments().map(|arg| arg.get_id().as_str().to_string()));
    command.get_subcommands().for_each(|verb| collect(verb, names));
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

/// A verb, and what is below it.
fn section(command: &Command, above: &[&str], out: &mut String) {
    if command.get_name() == "help" {
        return;
    }
    let path: Vec<&str> = above.iter().copied().chain([command.get_name()]).collect();
    let text = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    out.push_str(&format!("\n## c360 {}\n\n{}\n", path.join(" "), sentences(&text)));
    let aliases: Vec<_> = command.get_all_aliases().map(|alias| format!("`{alias}`")).collect();
    if !aliases.is_empty() {
        out.push_str(&format!("\nAlso {}.\n", aliases.join(", ")));
    }
    let own = || command.get_arguments().filter(|arg| !arg.is_global_set());
    if own().any(is_shown) {
        out.push_str(&format!("\n{}", options(own())));
    }
    command.get_subcommands().for_each(|verb| section(verb, &path, out));
}

/// clap takes the full stop of the first sentence.
fn sentences(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| match paragraph.ends_with(['.', ':']) {
        true => paragraph.to_string(),
        false => format!("{paragraph}."),
    });
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

fn is_shown(arg: &Arg) -> bool {
    !arg.is_hide_set() && !matches!(arg.get_action(), ArgAction::Help | ArgAction::HelpShort | ArgAction::Version)
}

fn options<'a>(args: impl Iterator<Item = &'a Arg>) -> String {
    let row = |arg: &Arg| vec![spelling(arg), meaning(arg), twin(arg)];
    let rows: Vec<_> = args.filter(|arg| is_shown(arg)).map(row).collect();
    table(&["option", "what", "environment"], rows)
}

/// `-s`, `--select <EXPR>...`
fn spelling(arg: &Arg) -> String {
    let values: Vec<_> = arg.get_value_names().unwrap_or_default().iter().map(|name| format!("<{name}>")).collect();
    let many = arg.get_num_args().is_some_and(|range| range.max_values() > 1);
    let value = if arg.get_action().takes_values() { values.join(" ") } else { String::new() };
    let value = format!("{value}{}", if many && !value.is_empty() { "..." } else { "" });
    let names = match (arg.get_short(), arg.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long}"),
        (None, Some(long)) => format!("--{long}"),
        (Some(short), None) => format!("-{short}"),
        (None, None) => String::new(),
    };
    format!("`{}`", format!("{names} {value}").trim())
}

fn meaning(arg: &Arg) -> String {
    let mut text = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<_> = match arg.get_action().takes_values() {
        true => arg.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect(),
        false => Vec::new(),
    };
    let are_told = values.iter().all(|value| text.contains(value.trim_matches('`')));
    if !values.is_empty() && !are_told {
        text.push_str(&format!(": {}", values.join(", ")));
    }
    let defaults: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if !defaults.is_empty() && arg.get_action().takes_values() && !arg.is_hide_default_value_set() {
        text.push_str(&format!(" [default: `{}`]", defaults.join(" ")));
    }
    text
}

fn twin(arg: &Arg) -> String {
    names(arg).first().map(|name| format!("`C360_{name}`")).unwrap_or_default()
}
