//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

#[cfg(feature = "cluster")]
use super::cluster_args::ClusterVerb;
use super::docs_args::DocsVerb;

const AFTER_HELP: &str = "\
Selecting nodes:
  --select stg_orders        a node          --select +mart_totals   it and everything above it
  --select staging           a folder        --select stg_orders+    it and everything below it
  --select tag:nightly       a tag           --select 1+mart+2       one step up, two steps down
  --select 'a b'             both            --select 'tag:x,path:models/mart'   what is in both

Environment: most options have a twin C360_OPTION (C360_TARGET, C360_THREADS, ...); DBT_OPTION is read after it.
Exit codes: 0 fine, 1 a node or test failed, 2 the project or the command line is wrong, 130 interrupted.";

const LINEAGE_HELP: &str = "\
copied       the value as it is            transformed  computed from it, row by row
aggregated   an argument of an aggregate   window       partitions or orders a window
condition    decides which value it is

  c360 lineage mart_totals.Total_Duration
  c360 lineage lake.log_content._source.Mac --downstream
  c360 lineage mart_totals --output mermaid
  c360 ls --select column:stg_log_content.duration+";

/// SQL models in, trusted tables out: dbt's workflow with the engine inside.
#[derive(Debug, Parser)]
#[command(name = "c360", bin_name = "c360", version, after_help = AFTER_HELP, max_term_width = 110, subcommand_required = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Options that every verb takes, before or after its name.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every verb")]
pub(crate) struct GlobalArgs {
    /// Folder of the project [default: this folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) project_dir: Option<PathBuf>,
    /// Folder of profiles.yml [default: the project's, then ~/.c360, then ~/.dbt]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) profiles_dir: Option<PathBuf>,
    /// Profile to use [default: the one that dbt_project.yml names]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Output of the profile to use [default: the profile's `target`]
    #[arg(long, short = 't', global = true, value_name = "NAME")]
    pub(crate) target: Option<String>,
    /// Folder for artifacts [default: the project's `target-path`]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) target_path: Option<PathBuf>,
    /// Vars, as YAML: '{lake: /data/lake, parity: false}'
    #[arg(long, global = true, value_name = "YAML")]
    pub(crate) vars: Option<String>,
    /// Nodes that run at the same time [default: the profile's]
    #[arg(long, global = true, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Say nothing but errors; data still goes to stdout
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// How messages are written
    #[arg(long, global = true, value_name = "FORMAT", value_enum)]
    pub(crate) log_format: Option<LogFormatArg>,
    /// How much is logged
    #[arg(long, global = true, value_name = "LEVEL", hide = true)]
    pub(crate) log_level: Option<String>,
    /// Colours: auto, always, never
    #[arg(long, global = true, value_name = "WHEN", value_enum)]
    pub(crate) color: Option<ColorArg>,
    /// Count every warning as an error
    #[arg(long, global = true)]
    pub(crate) warn_error: bool,
    /// Which warnings count as errors, as YAML: '{error: all}' with names under `warn` or `silence`
    #[arg(long, global = true, value_name = "YAML")]
    pub(crate) warn_error_options: Option<String>,
    /// Plain output without colours
    #[arg(long, global = true, hide = true)]
    pub(crate) no_use_colors: bool,
    /// Output with colours
    #[arg(long, global = true, hide = true, overrides_with = "no_use_colors")]
    pub(crate) use_colors: bool,
}

/// `--log-format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormatArg {
    /// A live view on a terminal, plain lines elsewhere
    #[value(alias = "default")]
    Auto,
    /// Plain lines
    Text,
    /// A JSON object a line
    Json,
}

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorArg {
    Auto,
    Always,
    Never,
}

/// Which nodes.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Which nodes")]
pub(crate) struct SelectArgs {
    /// Nodes to take; may be repeated
    #[arg(long, short = 's', value_name = "EXPR", num_args = 1..)]
    pub(crate) select: Vec<String>,
    /// The old spelling of --select
    #[arg(long, short = 'm', alias = "model", value_name = "EXPR", num_args = 1.., hide = true)]
    pub(crate) models: Vec<String>,
    /// Nodes to leave out; may be repeated
    #[arg(long, value_name = "EXPR", num_args = 1..)]
    pub(crate) exclude: Vec<String>,
    /// A selector of selectors.yml
    #[arg(long, value_name = "NAME")]
    pub(crate) selector: Option<String>,
    /// Which tests follow the nodes that they test: eager, cautious, buildable, empty
    #[arg(long, value_name = "MODE")]
    pub(crate) indirect_selection: Option<String>,
    /// Types of resource to take; may be repeated
    #[arg(long, alias = "resource-types", value_name = "TYPE", num_args = 1..)]
    pub(crate) resource_type: Vec<String>,
    /// Types of resource to leave out; may be repeated
    #[arg(long, alias = "exclude-resource-types", value_name = "TYPE", num_args = 1..)]
    pub(crate) exclude_resource_type: Vec<String>,
    /// Folder with the artifacts of an earlier run, for `state:`, `result:` and --defer
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Read what is not built here, and not selected, from where the state has it
    #[arg(long)]
    pub(crate) defer: bool,
    /// Read what is here
    #[arg(long, overrides_with = "defer", hide = true)]
    pub(crate) no_defer: bool,
    /// The state to defer to, if it is not the one of --state
    #[arg(long, value_name = "DIR")]
    pub(crate) defer_state: Option<PathBuf>,
    /// With --defer: read from the state also what is built here
    #[arg(long)]
    pub(crate) favor_state: bool,
}

impl SelectArgs {
    /// What `--select` and its old spelling ask for.
    pub(crate) fn expressions(&self) -> Vec<String> {
        self.select.iter().chain(&self.models).cloned().collect()
    }
}

/// How to run.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "How to run")]
pub(crate) struct RunArgs {
    /// Rebuild incremental models from nothing
    #[arg(long, short = 'f')]
    pub(crate) full_refresh: bool,
    /// Start although what is selected has mistakes: nodes that have none are built
    #[arg(long)]
    pub(crate) no_check: bool,
    /// Start nothing after the first failure
    #[arg(long, short = 'x')]
    pub(crate) fail_fast: bool,
    /// Plan and build everything, and read no row
    #[arg(long)]
    pub(crate) empty: bool,
    /// Read of parents with an `event_time` rows of this time alone: '3 days', or '{start: 2024-01-01, end: 2024-02-01}'
    #[arg(long, value_name = "WINDOW")]
    pub(crate) sample: Option<String>,
    /// Keep the rows that tests find, in tables of their own
    #[arg(long)]
    pub(crate) store_failures: bool,
    /// Microbatch models: from which time on
    #[arg(long, value_name = "TIME")]
    pub(crate) event_time_start: Option<String>,
    /// Microbatch models: until which time
    #[arg(long, value_name = "TIME")]
    pub(crate) event_time_end: Option<String>,
    /// Print what would run, in which order, and run nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Tell where time and memory went: the operators of each node, with rows, seconds, bytes read and spilled
    #[arg(long)]
    pub(crate) explain_analyze: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Build models and seeds, test them, publish what passed
    ///
    /// Runs in the order of the DAG, several nodes at a time. The tests of a node run before anything below it; a node
    /// that fails, or a failing test, skips what is below. A mart is published only after its tests have passed.
    Build {
        #[command(flatten)]
        select: SelectArgs,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Build models, without tests and without publishing
    Run {
        #[command(flatten)]
        select: SelectArgs,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Run data tests on what is built
    Test {
        #[command(flatten)]
        select: SelectArgs,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Test what is built, and publish what passed; builds nothing
    Publish {
        #[command(flatten)]
        select: SelectArgs,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Load the files under seeds/ into tables
    Seed {
        #[command(flatten)]
        select: SelectArgs,
        #[command(flatten)]
        run: RunArgs,
        /// Print the first rows of what was loaded
        #[arg(long)]
        show: bool,
    },
    /// Bring the history of snapshots up to date
    Snapshot {
        #[command(flatten)]
        select: SelectArgs,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Take over what another state has built, under the names that nodes have here
    ///
    /// Tables are copied with all rows, since a Delta table cannot safely share files with another; a view becomes a view
    /// of the other one. What is there already stays, unless --full-refresh asks for it.
    Clone {
        #[command(flatten)]
        select: SelectArgs,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Run again what failed or was skipped in the invocation before
    Retry {
        /// Folder with the artifacts of that invocation [default: the project's own]
        #[arg(long, value_name = "DIR")]
        state: Option<PathBuf>,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Call a macro
    RunOperation {
        /// Its name, or `package.name`
        name: String,
        /// Arguments, as YAML: '{schema: old, dry_run: true}'
        #[arg(long, value_name = "YAML")]
        args: Option<String>,
    },
    /// Look at sources
    Source {
        #[command(subcommand)]
        verb: SourceVerb,
    },
    /// List nodes
    ///
    /// What it prints can be pasted back as a selector.
    #[command(alias = "list")]
    Ls {
        #[command(flatten)]
        select: SelectArgs,
        /// What to print of each node
        #[arg(long, value_enum, default_value = "selector")]
        output: ListOutput,
        /// Keys of JSON objects, such as `unique_id name`
        #[arg(long, num_args = 1.., value_name = "KEY")]
        output_keys: Vec<String>,
    },
    /// Find every mistake in the SQL of nodes, without running anything
    ///
    /// Plans each selected node against the columns that the nodes above it will have, and reports what cannot work and
    /// what probably does not do what was meant.
    Check {
        #[command(flatten)]
        select: SelectArgs,
        /// How to print what is found; JSON and SARIF go to stdout
        #[arg(long, value_enum, default_value = "text")]
        output: CheckOutput,
    },
    /// Show where a column comes from, down to the field of a file, or where it goes
    ///
    /// The plans of all models are read; nothing runs. Writes lineage.json into the artifact folder.
    #[command(after_help = LINEAGE_HELP)]
    Lineage {
        /// A column, `mart_totals.Total_Duration`; or a node, `mart_totals`; without one, lineage.json is written
        #[arg(value_name = "NODE[.COLUMN]")]
        of: Option<String>,
        /// Follow it to the columns that are made from it, and to what is published
        #[arg(long)]
        downstream: bool,
        /// How to print it
        #[arg(long, value_enum, default_value = "text")]
        output: LineageOutput,
    },
    /// Say what a change does to columns, models, published tables and exposures
    ///
    /// Compares manifest.json and lineage.json of another state with the project as it is, as Markdown for a pull
    /// request. What breaks stands first.
    Diff {
        /// Folder with manifest.json and lineage.json of the other state
        #[arg(long, value_name = "DIR")]
        state: Option<PathBuf>,
        /// How to print it
        #[arg(long, value_enum, default_value = "markdown")]
        output: DiffOutput,
    },
    /// Read the project, report every mistake, write manifest.json
    Parse,
    /// Write the SQL of nodes into the artifact folder, or print it
    Compile {
        #[command(flatten)]
        select: SelectArgs,
        /// A template to compile instead of nodes
        #[arg(long, value_name = "SQL")]
        inline: Option<String>,
        /// Compile incremental models as if they were built from nothing
        #[arg(long, short = 'f')]
        full_refresh: bool,
        /// Compile references as those of --empty
        #[arg(long)]
        empty: bool,
        /// Print one node's SQL as text or JSON
        #[arg(long, value_enum, default_value = "text")]
        output: CompileOutput,
    },
    /// Print rows of a node or of a query
    Show {
        #[command(flatten)]
        select: SelectArgs,
        /// A query instead of a node; may use {{ ref('x') }}
        #[arg(long, value_name = "SQL")]
        inline: Option<String>,
        /// A query without a template, as it is
        #[arg(long, value_name = "SQL", conflicts_with = "inline")]
        inline_direct: Option<String>,
        /// Show incremental models as if they were built from nothing
        #[arg(long, short = 'f')]
        full_refresh: bool,
        /// How many rows; -1 for all
        #[arg(long, default_value_t = 5, allow_negative_numbers = true, value_name = "N")]
        limit: i64,
        /// How to print them
        #[arg(long, value_enum, default_value = "text")]
        output: ShowOutput,
    },
    /// Run a part of a cluster
    ///
    /// With `cluster: df://host:port` in the profile's target, plans run on the executors of the scheduler there.
    #[cfg(feature = "cluster")]
    Cluster {
        #[command(subcommand)]
        verb: ClusterVerb,
    },
    /// Show what c360 sees, and whether it reaches the warehouse, the sources and the destinations, and how fast
    Debug {
        /// Print the folder of profiles.yml, and look at nothing else
        #[arg(long)]
        config_dir: bool,
        /// How to print it
        #[arg(long, value_enum, default_value = "text")]
        output: CompileOutput,
    },
    /// Install the packages that packages.yml asks for
    ///
    /// What is installed is written to package-lock.yml and installed again the same way until packages.yml changes.
    Deps {
        /// Resolve packages.yml anew, although package-lock.yml belongs to it
        #[arg(long)]
        upgrade: bool,
        /// Write package-lock.yml, and install nothing
        #[arg(long)]
        lock: bool,
    },
    /// Make the docs site of the project, or serve it
    Docs {
        #[command(subcommand)]
        verb: DocsVerb,
    },
    /// Look at configurations
    Config {
        #[command(subcommand)]
        verb: ConfigVerb,
    },
    /// List the versions of a node's table, newest first
    History {
        /// The node
        node: String,
        /// How many
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: usize,
        /// How to print them
        #[arg(long, value_enum, default_value = "text")]
        output: ShowOutput,
    },
    /// Bring back an earlier version of a node's table, test it, and publish it again
    ///
    /// Nothing is copied or lost: the versions since then stay in the history, and can be restored as well.
    Restore {
        /// The node
        node: String,
        /// The version to bring back; `c360 history NODE` lists them
        #[arg(long, value_name = "N")]
        version: u64,
        /// Leave its published tables as they are
        #[arg(long)]
        no_publish: bool,
    },
    /// Delete files that only old versions of tables need, and those that no version ever named
    ///
    /// Versions whose files are gone can no longer be restored or read. A node's setting `retention_hours` keeps them
    /// for longer.
    Vacuum {
        #[command(flatten)]
        select: SelectArgs,
        /// Keep what versions of the last hours need
        #[arg(long, default_value_t = crate::ops::RETENTION_HOURS, value_name = "HOURS")]
        retention_hours: u32,
        /// Only say what would be deleted
        #[arg(long)]
        dry_run: bool,
    },
    /// Delete the folders that `clean-targets` names
    Clean {
        /// Instead: what builds that were killed have left in the warehouse, and no version of a table names
        #[arg(long)]
        orphans: bool,
        /// With --orphans: leave what was written in the last hours, which a build may be using
        #[arg(long, default_value_t = crate::ops::ORPHAN_HOURS, value_name = "HOURS")]
        older_than: u32,
        /// With --orphans: only say what would be deleted
        #[arg(long, requires = "orphans")]
        dry_run: bool,
    },
    /// Make a new project that builds at once
    Init {
        /// Name of the project and of its folder
        name: String,
    },
    /// Explain error codes: what happened, an example, how to mend it
    Explain {
        /// Codes such as C2001; without one, all are listed
        #[arg(value_name = "CODE")]
        codes: Vec<String>,
        /// How to print them
        #[arg(long, value_enum, default_value = "text")]
        output: ExplainOutput,
    },
}

/// What can be done with sources.
#[derive(Debug, Subcommand)]
pub(crate) enum SourceVerb {
    /// Say how old the newest rows of sources are; fails if one is older than its `error_after`
    #[command(alias = "snapshot-freshness")]
    Freshness {
        #[command(flatten)]
        select: SelectArgs,
        /// File to write instead of sources.json in the artifact folder
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// What can be done with configurations.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigVerb {
    /// Print every setting of a node with the file and line that set it
    Explain {
        /// A selector, such as the node's name
        node: String,
        /// How to print them
        #[arg(long, value_enum, default_value = "text")]
        output: CompileOutput,
    },
}

/// `ls --output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListOutput {
    Selector,
    Name,
    Path,
    Json,
}

/// `explain --output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExplainOutput {
    /// For a terminal
    Text,
    /// As the pages are written
    Markdown,
    /// A list of objects
    Json,
}

/// `compile --output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompileOutput {
    Text,
    Json,
}

/// `diff --output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiffOutput {
    /// For a pull request
    Markdown,
    /// One JSON object
    Json,
}

/// `lineage --output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LineageOutput {
    /// A tree, or the columns of a node
    Text,
    /// Columns and edges as one JSON object
    Json,
    /// A flowchart for Markdown
    Mermaid,
    /// A graph for Graphviz
    Dot,
}

/// `check --output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckOutput {
    /// Messages with places and snippets
    Text,
    /// One JSON array of findings
    Json,
    /// SARIF 2.1.0, for code review and CI
    Sarif,
}

/// `show --output`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowOutput {
    /// A table
    Text,
    /// One JSON document
    Json,
    /// A JSON object a line
    Jsonl,
    /// RFC 4180, with a header
    Csv,
}
