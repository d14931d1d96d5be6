//! `build`, `run`, `test`, `seed`.

use serde_json::{Map, json};

use super::{loaded, runtime};
use crate::cli::args::{GlobalArgs, RunArgs, SelectArgs, ShowOutput};
use crate::cli::interrupt::interrupts;
use crate::cli::printer::Printer;
use crate::cli::settings::{Environment, run_options};
use crate::cli::{FAILED, FINE, INTERRUPTED, WRONG};
use crate::diag::{Diagnostics, Result};
use crate::ops::{self, Build, Loaded, Options};
use crate::report::{Reporter, Tee, events_file, operators_text};
use crate::run::RunEvent;
use crate::schedule::Mode;

pub(in crate::cli) fn build(
    global: &GlobalArgs,
    select: &SelectArgs,
    run: &RunArgs,
    mode: Mode,
    env: &Environment,
    printer: &Printer,
) -> Result<u8> {
    let options = run_options(mode.verb(), global, select, run, env)?;
    run_mode(&options, select, mode, run.dry_run, printer)
}

/// Loads seeds, and shows the first rows of them if `show`.
pub(in crate::cli) fn seed(
    global: &GlobalArgs,
    select: &SelectArgs,
    run: &RunArgs,
    show: bool,
    env: &Environment,
    printer: &Printer,
) -> Result<u8> {
    let code = build(global, select, run, Mode::Seed, env, printer)?;
    if !show || code != FINE || run.dry_run {
        return Ok(code);
    }
    let expressions = select.expressions();
    let wanted = if expressions.is_empty() { vec!["*".to_string()] } else { expressions };
    let select = SelectArgs {
        select: wanted,
        exclude: select.exclude.clone(),
        selector: select.selector.clone(),
        resource_type: vec!["seed".into()],
        state: select.state.clone(),
        ..SelectArgs::default()
    };
    let request = super::ShowRequest { inline: None, full_refresh: false, limit: 10, output: ShowOutput::Text };
    super::show(global, &select, request, env, printer)
}

/// Runs what the options say.
pub(super) fn run_mode(options: &Options, select: &SelectArgs, mode: Mode, dry: bool, printer: &Printer) -> Result<u8> {
    let Some(loaded) = loaded(options, printer)? else { return Ok(WRONG) };
    if dry {
        return dry_run(options, &loaded, mode, printer);
    }
    runtime()?.block_on(async {
        let events_path = loaded.project.target_path(options.target_path.as_deref()).join("events.jsonl");
        let mut reporter = Tee::new(vec![printer.reporter(), Box::new(events_file(&events_path)?)]);
        let mut diagnostics = Diagnostics::default();
        let mut events = |event: RunEvent| reporter.event(&event);
        let request = Build { mode, args: args(options, select), events: &mut events, interrupts: interrupts() };
        let result = ops::build(options, &loaded, request, &mut diagnostics).await;
        printer.diagnostics(&diagnostics);
        let result = result?;
        result.results.iter().filter_map(operators_text).for_each(|text| printer.note(&text));
        if diagnostics.has_errors() {
            let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count() as u64;
            printer.note(&format!("nothing was run: {} in what is selected", crate::stdx::plural(errors, "error")));
        }
        Ok(match () {
            () if diagnostics.has_errors() => WRONG,
            () if result.interrupted => INTERRUPTED,
            () if result.has_failures() => FAILED,
            () => FINE,
        })
    })
}

/// Prints the schedule: one line a unit, in an order that respects the DAG.
fn dry_run(options: &Options, loaded: &Loaded, mode: Mode, printer: &Printer) -> Result<u8> {
    let mut diagnostics = Diagnostics::default();
    let schedule = ops::preview(options, loaded, mode, &mut diagnostics)?;
    printer.diagnostics(&diagnostics);
    for unit in &schedule.order {
        let unit = &schedule.units[*unit as usize];
        let node = loaded.manifest.node(unit.node);
        printer.data(&format!("{:<12} {}", unit.action(&loaded.manifest), node.search_name()));
    }
    printer.note(&format!("{} would run", crate::stdx::plural(schedule.units.len() as u64, "unit")));
    Ok(FINE)
}

fn args(options: &Options, select: &SelectArgs) -> Map<String, serde_json::Value> {
    let mut args = Map::new();
    args.insert("which".into(), json!(options.command));
    args.insert("select".into(), json!(select.expressions()));
    args.insert("exclude".into(), json!(select.exclude));
    args.insert("full_refresh".into(), json!(options.full_refresh));
    args.insert("fail_fast".into(), json!(options.fail_fast));
    args.insert("vars".into(), json!(options.vars));
    args.insert("empty".into(), json!(options.empty));
    args.insert("store_failures".into(), json!(options.store_failures));
    args.insert("defer".into(), json!(options.defer));
    args.insert("favor_state".into(), json!(options.favor_state));
    if let Some(state) = &options.state {
        args.insert("state".into(), json!(state));
    }
    if let Some((start, end)) = options.sample {
        args.insert("sample".into(), json!({"start": start, "end": end}));
    }
    for (name, time) in [("event_time_start", options.event_time.0), ("event_time_end", options.event_time.1)] {
        if let Some(time) = time {
            args.insert(name.into(), json!(time));
        }
    }
    args
}
