//! `docs generate` and `docs serve`.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{loaded, plain_options, runtime};
use crate::cli::args::{GlobalArgs, SelectArgs};
use crate::cli::docs_args::{DocsVerb, GenerateArgs, ServeArgs};
use crate::cli::interrupt::interrupts;
use crate::cli::printer::Printer;
use crate::cli::settings::Environment;
use crate::cli::{FINE, WRONG};
use crate::diag::{Diagnostic, Diagnostics, Result, codes};
use crate::docs::serve::Server;
use crate::docs::{Generated, SiteOptions};
use crate::ops::docs::{DocsOptions, Watch, generate, site_folder};
use crate::ops::{Loaded, Options};
use crate::stdx::plural;

/// How often it is looked whether something has changed.
const LOOK: Duration = Duration::from_millis(500);

pub(in crate::cli) fn docs(verb: DocsVerb, global: &GlobalArgs, env: &Environment, printer: &Printer) -> Result<u8> {
    match verb {
        DocsVerb::Generate(GenerateArgs { artifacts: Some(folder), output, .. }) => {
            from_artifacts(folder, output, printer)
        }
        DocsVerb::Generate(args) => {
            let Some((options, loaded)) = load(global, env, printer)? else { return Ok(WRONG) };
            let docs = docs_options(&args);
            let made = runtime()?.block_on(make(&options, &loaded, &docs, printer))?;
            Ok(if made.is_whole { FINE } else { WRONG })
        }
        DocsVerb::Serve(args) => runtime()?.block_on(serve(args, global, env, printer)),
    }
}

fn load(global: &GlobalArgs, env: &Environment, printer: &Printer) -> Result<Option<(Options, Loaded)>> {
    let options = plain_options("generate", global, &SelectArgs::default(), env)?;
    Ok(loaded(&options, printer)?.map(|loaded| (options, loaded)))
}

fn docs_options(args: &GenerateArgs) -> DocsOptions {
    DocsOptions {
        no_compile: args.no_compile && !args.compile,
        empty_catalog: args.empty_catalog,
        no_samples: args.no_samples,
        // What is named on the command line starts where the program does.
        out: args.output.as_ref().map(|out| std::path::absolute(out).unwrap_or_else(|_| out.clone())),
    }
}

/// The site of artifacts that somebody else has made.
fn from_artifacts(folder: PathBuf, output: Option<PathBuf>, printer: &Printer) -> Result<u8> {
    let start = Instant::now();
    let out = output.unwrap_or_else(|| folder.join("docs"));
    let made = crate::docs::generate(&SiteOptions { artifacts: folder, out, overrides: None })?;
    made.warnings.iter().for_each(|warning| printer.diagnostic(warning));
    printer.note(&told(&made, start.elapsed()));
    Ok(FINE)
}

/// A site that was made.
struct Made {
    /// Nothing of the project had to be left out.
    is_whole: bool,
}

async fn make(options: &Options, loaded: &Loaded, docs: &DocsOptions, printer: &Printer) -> Result<Made> {
    let start = Instant::now();
    let mut diagnostics = Diagnostics::default();
    let made = generate(options, loaded, docs, &mut diagnostics).await;
    for diagnostic in diagnostics.iter_mut() {
        options.warn_error.apply(diagnostic);
    }
    printer.diagnostics(&diagnostics);
    printer.note(&told(&made?, start.elapsed()));
    Ok(Made { is_whole: !diagnostics.has_errors() })
}

fn told(made: &Generated, took: Duration) -> String {
    let count = |count: usize, word| plural(count as u64, word);
    format!(
        "{} of {} and {} written in {:.1} s: {}",
        crate::stdx::human_bytes(made.bytes),
        count(made.nodes, "node"),
        count(made.tests, "test"),
        took.as_secs_f64(),
        made.index.display(),
    )
}

async fn serve(args: ServeArgs, global: &GlobalArgs, env: &Environment, printer: &Printer) -> Result<u8> {
    if let Some(folder) = args.generate.artifacts {
        return Err(Diagnostic::error(codes::BAD_ARGUMENT, "--artifacts is for `docs generate`")
            .note(format!("the folder is `{}`", folder.display()))
            .help("make the site first; any server of static files can serve it"));
    }
    let Some((options, loaded)) = load(global, env, printer)? else { return Ok(WRONG) };
    let docs = docs_options(&args.generate);
    let folder = site_folder(&options, &loaded, &docs);
    let version = args.watch.then(|| Arc::new(AtomicU64::new(1)));
    let mut stopped = interrupts();
    let server = Server::bind(&args.host, args.port, folder.clone(), version.clone()).await?;
    let watch = args.watch.then(|| Watch::new(&options, &loaded));
    if args.watch {
        make(&options, &loaded, &docs, printer).await?;
    } else if !folder.join("index.html").is_file() {
        return Err(Diagnostic::error(codes::FILE_UNREADABLE, format!("there is no site in `{}`", folder.display()))
            .help("make it with `c360 docs generate`, or let `c360 docs serve --watch` do so"));
    }
    let url = server.url();
    printer.note(&format!("the docs are at {url}  (stop with Ctrl-C)"));
    if !args.no_open && std::io::stderr().is_terminal() {
        open(&url);
    }
    let stop = async move { _ = stopped.changed().await };
    // On a thread of its own: pages are answered while the next site is made.
    let served = tokio::spawn(server.run(stop));
    match (watch, version) {
        (Some(watch), Some(version)) => {
            let remake = Remake { global, env, printer, docs: &docs, version };
            tokio::select! {
                _ = served => {}
                () = remake.run(watch) => {}
            }
        }
        _ => _ = served.await,
    }
    Ok(FINE)
}

/// Makes the site again and again.
struct Remake<'a> {
    global: &'a GlobalArgs,
    env: &'a Environment,
    printer: &'a Printer,
    docs: &'a DocsOptions,
    version: Arc<AtomicU64>,
}

impl Remake<'_> {
    async fn run(&self, mut watch: Watch) {
        loop {
            tokio::time::sleep(LOOK).await;
            if !tokio::task::block_in_place(|| watch.has_changed()) {
                continue;
            }
            // A folder that is being written is looked at when it has come to rest.
            while tokio::task::block_in_place(|| watch.has_changed()) {
                tokio::time::sleep(LOOK).await;
            }
            match self.once().await {
                Ok(Some(next)) => watch = next,
                Ok(None) => {}
                Err(error) => self.printer.diagnostic(&error),
            }
        }
    }

    /// Makes the site; the old one stays if the project cannot be read.
    async fn once(&self) -> Result<Option<Watch>> {
        let read = tokio::task::block_in_place(|| load(self.global, self.env, self.printer))?;
        let Some((options, loaded)) = read else { return Ok(None) };
        // What changes from here on is for the next time.
        let watch = Watch::new(&options, &loaded);
        make(&options, &loaded, self.docs, self.printer).await?;
        self.version.fetch_add(1, Ordering::Release);
        Ok(Some(watch))
    }
}

/// Opens a page in the user's browser, if that is easily done.
fn open(url: &str) {
    let (program, args): (&str, &[&str]) = match std::env::consts::OS {
        "macos" => ("open", &[]),
        "windows" => ("cmd", &["/C", "start", ""]),
        _ => ("xdg-open", &[]),
    };
    let null = std::process::Stdio::null;
    // Without such a program there is the address, which was printed.
    let _ = std::process::Command::new(program).args(args).arg(url).stdin(null()).stdout(null()).stderr(null()).spawn();
}
