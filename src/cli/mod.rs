//! The shell: arguments in, exit codes out. The only room that knows clap, and with `report` the only one that writes to
//! stdout and stderr.

mod args;
#[cfg(feature = "cluster")]
mod cluster_args;
mod docs_args;
mod foreign;
mod interrupt;
mod markdown;
mod panics;
mod printer;
#[cfg(test)]
mod reference;
mod settings;
mod twins;
mod verbs;

use std::process::ExitCode;

use clap::Parser;

use crate::diag::{Code, Diagnostic, Shelf};

use args::{Cli, ConfigVerb, SourceVerb, Verb};
use printer::Printer;
use settings::Environment;

/// Everything was fine; warnings count as fine.
pub(crate) const FINE: u8 = 0;
/// A node or test failed.
pub(crate) const FAILED: u8 = 1;
/// The project, its configuration or the command line is wrong.
pub(crate) const WRONG: u8 = 2;
/// Interrupted.
pub(crate) const INTERRUPTED: u8 = 130;

/// Runs the program.
pub fn main() -> ExitCode {
    // Two providers of cryptography are compiled in; which one is used has to be said once.
    let _ = rustls::crypto::ring::default_provider().install_default();
    panics::quiet();
    let env = Environment::read();
    let args = env.with_twins(foreign::without_foreign(std::env::args_os().collect()));
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no mistakes.
            let code = if error.use_stderr() { WRONG } else { FINE };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let printer = Printer::new(settings::report_options(&cli.global, &env));
    logging(&env);
    let code = match run(cli, &env, &printer) {
        Ok(code) => code,
        Err(diagnostic) => {
            printer.diagnostic(&diagnostic);
            exit_code(&diagnostic)
        }
    };
    ExitCode::from(code)
}

/// The exit code of a failure follows from whose failure it is.
pub(crate) fn exit_code(diagnostic: &Diagnostic) -> u8 {
    exit_code_of(diagnostic.code)
}

/// The exit code of failures with this code.
pub(crate) fn exit_code_of(code: Code) -> u8 {
    match code.shelf {
        Shelf::User => WRONG,
        Shelf::World | Shelf::Bug => FAILED,
    }
}

/// The log of libraries, for whoever asks with `C360_LOG=debug`.
fn logging(env: &Environment) {
    if let Some(filter) = env.option("LOG") {
        let filter = tracing_subscriber::EnvFilter::new(filter);
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    }
}

fn run(cli: Cli, env: &Environment, printer: &Printer) -> crate::diag::Result<u8> {
    let global = &cli.global;
    match cli.verb {
        Verb::Build { select, run } => verbs::build(global, &select, &run, crate::schedule::Mode::Build, env, printer),
        Verb::Run { select, run } => verbs::build(global, &select, &run, crate::schedule::Mode::Run, env, printer),
        Verb::Test { select, run } => verbs::build(global, &select, &run, crate::schedule::Mode::Test, env, printer),
        Verb::Publish { select, run } => {
            verbs::build(global, &select, &run, crate::schedule::Mode::Publish, env, printer)
        }
        Verb::Seed { select, run, show } => verbs::seed(global, &select, &run, show, env, printer),
        Verb::Snapshot { select, run } => {
            verbs::build(global, &select, &run, crate::schedule::Mode::Snapshot, env, printer)
        }
        Verb::Clone { select, run } => verbs::build(global, &select, &run, crate::schedule::Mode::Clone, env, printer),
        Verb::Retry { state, run } => verbs::retry(global, state, &run, env, printer),
        Verb::RunOperation { name, args } => verbs::run_operation(global, &name, args.as_deref(), env, printer),
        Verb::Source { verb: SourceVerb::Freshness { select, output } } => {
            verbs::freshness(global, &select, output.as_deref(), env, printer)
        }
        Verb::Ls { select, output, output_keys } => verbs::ls(global, &select, output, output_keys, env, printer),
        Verb::Check { select, output } => verbs::check(global, &select, output, env, printer),
        Verb::Lineage { of, downstream, output } => {
            verbs::lineage(global, of.as_deref(), downstream, output, env, printer)
        }
        Verb::Diff { state, output } => verbs::diff(global, state, output, env, printer),
        Verb::Parse => verbs::parse(global, env, printer),
        Verb::Compile { select, inline, full_refresh, empty, output } => {
            let request = verbs::CompileRequest { inline, full_refresh, empty, output };
            verbs::compile(global, &select, request, env, printer)
        }
        Verb::Show { select, inline, inline_direct, full_refresh, limit, output } => {
            let direct = inline_direct.map(|sql| format!("{{% raw %}}{sql}{{% endraw %}}"));
            let request = verbs::ShowRequest { inline: inline.or(direct), full_refresh, limit, output };
            verbs::show(global, &select, request, env, printer)
        }
        #[cfg(feature = "cluster")]
        Verb::Cluster { verb } => verbs::cluster(verb, env),
        Verb::Debug { config_dir: true, .. } => verbs::config_dir(global, env, printer),
        Verb::Debug { output, .. } => verbs::debug(global, output, env, printer),
        Verb::Deps { upgrade, lock } => {
            verbs::deps(global, crate::ops::DepsOptions { upgrade, lock_only: lock }, env, printer)
        }
        Verb::Config { verb: ConfigVerb::Explain { node, output } } => {
            verbs::explain_config(global, node, output, env, printer)
        }
        Verb::Docs { verb } => verbs::docs(verb, global, env, printer),
        Verb::History { node, limit, output } => verbs::history(global, &node, limit, output, env, printer),
        Verb::Restore { node, version, no_publish } => {
            verbs::restore(global, &node, version, !no_publish, env, printer)
        }
        Verb::Vacuum { select, retention_hours, dry_run } => {
            verbs::vacuum(global, &select, retention_hours, dry_run, env, printer)
        }
        Verb::Clean { orphans: false, .. } => verbs::clean(global, env, printer),
        Verb::Clean { older_than, dry_run, .. } => verbs::clean_orphans(global, older_than, dry_run, env, printer),
        Verb::Init { name } => verbs::init(&name, printer),
        Verb::Explain { codes, output } => verbs::explain(global, &codes, output, printer),
    }
}
