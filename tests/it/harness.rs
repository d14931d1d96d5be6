//! Projects in temporary folders, runs of the program on them, and what came out.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value as Json;
use tempfile::TempDir;

/// The root of the repository, which is a project itself.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The program under test.
pub(crate) fn binary() -> PathBuf {
    std::env::var_os("C360_TEST_BINARY").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_c360")), PathBuf::from)
}

/// Says why a test does nothing here, so that it does not look like one that passed.
#[expect(clippy::print_stderr, reason = "a skipped test must not look like one that passed")]
pub(crate) fn skip(why: &str) {
    eprintln!("skipped: {why}");
}

/// True if `name`, a variable that says where a server is, is not set: then the test says so and does nothing, or fails if
/// servers are required.
pub(crate) fn without(name: &str) -> bool {
    if std::env::var_os(name).is_some() {
        return false;
    }
    assert!(std::env::var_os("CI_REQUIRE_SERVICES").is_none_or(|flag| flag != "1"), "{name} is not set");
    skip(&format!("{name} is not set; try: eval \"$(scripts/services env)\""));
    true
}

/// A project in a folder of its own.
pub(crate) struct Project {
    folder: TempDir,
    /// What the program finds in its environment beside what everybody's has.
    settings: Vec<(String, String)>,
}

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

const PROJECT: &str = "name: shop\nversion: '1.0'\nprofile: shop\n";
const PROFILE: &str = "\
shop:
  target: dev
  outputs:
    dev:
      type: datafusion
      warehouse: warehouse
      schema: main
      threads: 2
      memory_limit: 1GB
      destinations:
        bi: {type: sqlite, path: bi.db}
";

impl Project {
    /// A project without nodes, with a local warehouse and the SQLite destination `bi`.
    pub(crate) fn new() -> Project {
        Project::empty().file("dbt_project.yml", PROJECT).file("profiles.yml", PROFILE).on_the_cluster()
    }

    /// A project of these models (`name` and SQL).
    pub(crate) fn models(models: &[(&str, &str)]) -> Project {
        models.iter().fold(Project::new(), |project, (name, sql)| project.file(&format!("models/{name}.sql"), sql))
    }

    /// A folder without anything.
    pub(crate) fn empty() -> Project {
        let folder = tempfile::Builder::new().prefix("c360-it").tempdir().expect("a folder");
        Project { folder, settings: Vec::new() }
    }

    /// With a variable in the environment of the program.
    pub(crate) fn setting(mut self, name: &str, value: &str) -> Project {
        self.settings.push((name.to_string(), value.to_string()));
        self
    }

    /// A copy of the repository's own project, with its lake.
    pub(crate) fn customer360() -> Project {
        let project = Project::empty();
        for part in ["models", "macros", "seeds", "tests/data", "data/lake", "dbt_project.yml", "profiles.yml"] {
            copy(&repository().join(part), &project.path(part));
        }
        project.on_the_cluster()
    }

    /// With its target on the cluster whose address is given: nothing else changes.
    pub(crate) fn on_cluster(self, url: &str) -> Project {
        let profile = self.read("profiles.yml");
        self.write("profiles.yml", profile.replace("      threads:", &format!("      cluster: {url}\n      threads:")));
        self
    }

    /// All tests of small projects, on the cluster that `C360_TEST_CLUSTER` names (`df://host:port`).
    fn on_the_cluster(self) -> Project {
        match std::env::var("C360_TEST_CLUSTER") {
            Ok(url) => self.on_cluster(&url),
            Err(_) => self,
        }
    }

    /// With one more file, or another text of it.
    pub(crate) fn file(self, path: &str, text: impl AsRef<[u8]>) -> Project {
        self.write(path, text);
        self
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    /// Replaces a part of a file, which has to be there.
    pub(crate) fn edit(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no `{from}`");
        self.write(path, text.replace(from, to));
    }

    /// Text of a file.
    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// A JSON file.
    pub(crate) fn json(&self, path: &str) -> Json {
        serde_json::from_str(&self.read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// A path inside the project.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The program with these arguments, in the project's folder, without the settings of whoever runs the tests.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.here(&binary());
        command.args(args);
        command
    }

    /// A line for the shell, in the project's folder, where `c360` is the program; `bin` is a folder for that name.
    pub(crate) fn shell(&self, line: &str, bin: &Path) -> Command {
        let program = bin.join("c360");
        if !program.exists() {
            std::os::unix::fs::symlink(std::path::absolute(binary()).expect("a path"), &program).expect("a link");
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(bin.to_path_buf()).chain(std::env::split_paths(&path));
        let mut command = self.here(Path::new("/bin/sh"));
        command.args(["-c", line]).env("PATH", std::env::join_paths(folders).expect("a path"));
        command
    }

    /// A program in the project's folder.
    fn here(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).stdin(Stdio::null()).env("HOME", self.folder.path());
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            if ["C360_", "DBT_", "RUST_", "AWS_", "HADOOP_"].iter().any(|prefix| name_text.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        command.env_remove("COLUMNS").env("NO_COLOR", "1");
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs the program.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.finish(&mut self.command(args))
    }

    /// Runs a command.
    pub(crate) fn finish(&self, command: &mut Command) -> Output {
        let output = command.output().expect("the program starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Output { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Starts the program with its JSON log on a pipe.
    pub(crate) fn start(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        command.args(["--log-format", "json"]).stdout(Stdio::null()).stderr(Stdio::piped());
        command.spawn().expect("the program starts")
    }

    /// Runs the program, which has to exit with `code`.
    pub(crate) fn exits(&self, code: i32, args: &[&str]) -> Output {
        let output = self.run(args);
        assert_eq!(output.code, Some(code), "{args:?}\n{}\n{}", output.stdout, output.stderr);
        output
    }

    /// Runs the program, which has to succeed.
    pub(crate) fn ok(&self, args: &[&str]) -> Output {
        self.exits(0, args)
    }

    /// What a run that exits with `code` says, with the changing parts scrubbed: a text for snapshots.
    pub(crate) fn says(&self, code: i32, args: &[&str]) -> String {
        let output = self.exits(code, args);
        self.scrub(&output.stderr)
    }

    /// The events of a run, which has to exit with `code`.
    pub(crate) fn events(&self, code: i32, args: &[&str]) -> Vec<Json> {
        let args: Vec<&str> = args.iter().copied().chain(["--log-format", "json"]).collect();
        let output = self.exits(code, &args);
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        output.stderr.lines().map(parse).collect()
    }

    /// Status of every node and test of a run that exits with `code`, by name.
    pub(crate) fn statuses(&self, code: i32, args: &[&str]) -> Vec<(String, String)> {
        let mut out: Vec<_> = (self.events(code, args).iter())
            .filter(|event| event["event"] == "unit_finished" && event["action"] != "publish")
            .map(|event| (text(&event["name"]), text(&event["status"])))
            .collect();
        out.sort();
        out
    }

    /// The rows of a query.
    pub(crate) fn rows(&self, sql: &str) -> Vec<Json> {
        self.rows_with(sql, &[])
    }

    /// The rows of a query, with more arguments.
    pub(crate) fn rows_with(&self, sql: &str, more: &[&str]) -> Vec<Json> {
        let args = ["show", "--inline", sql, "--output", "jsonl", "--limit", "-1", "--quiet"];
        let output = self.ok(&[&args[..], more].concat());
        output.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// The rows of a query as text, columns joined with a bar, in the order of the query.
    pub(crate) fn table(&self, sql: &str) -> Vec<String> {
        self.rows(sql).iter().map(bars).collect()
    }

    /// The rows of a node, sorted: for comparing.
    pub(crate) fn sorted(&self, node: &str) -> Vec<String> {
        let mut rows: Vec<_> = self.rows(&format!("select * from {{{{ ref('{node}') }}}}")).iter().map(bars).collect();
        rows.sort();
        rows
    }

    /// Versions of a Delta table of the warehouse: its commits.
    pub(crate) fn versions(&self, table: &str) -> usize {
        let log = self.path(&format!("warehouse/{table}/_delta_log"));
        let entries = std::fs::read_dir(&log).map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default();
        entries.iter().filter(|entry| entry.path().extension().is_some_and(|kind| kind == "json")).count()
    }

    /// `text` without folders, times and durations.
    pub(crate) fn scrub(&self, text: &str) -> String {
        let root = self.folder.path().to_string_lossy().into_owned();
        let text = text.replace(&root, "<project>");
        let clock = regex::Regex::new(r"(?m)^\d\d:\d\d:\d\d ").expect("a pattern");
        let took = regex::Regex::new(r" {2,}\d+(\.\d+)?(ms|s)$|\b\d+(\.\d+)?(ms|s): ").expect("a pattern");
        let text = clock.replace_all(&text, "<time> ");
        let lines = text.lines().map(|line| took.replace(line, " <took>").trim_end().to_string());
        lines.collect::<Vec<_>>().join("\n")
    }
}

impl Output {
    /// Both streams.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Fails unless stderr has all of `parts`.
    pub(crate) fn says(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.stderr.contains(part), "no `{part}` in:\n{}", self.stderr);
        }
    }
}

/// A string, or the JSON of anything else.
pub(crate) fn text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}

/// The values of a row, joined with a bar.
pub(crate) fn bars(row: &Json) -> String {
    let row = row.as_object().expect("a row");
    row.values().map(text).collect::<Vec<_>>().join("|")
}

/// Pairs of words as owned pairs, sorted: what [`Project::statuses`] is compared with.
pub(crate) fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut out: Vec<_> = list.iter().map(|(name, status)| (name.to_string(), status.to_string())).collect();
    out.sort();
    out
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).expect("a folder");
        for entry in std::fs::read_dir(from).expect("a folder").flatten() {
            copy(&entry.path(), &to.join(entry.file_name()));
        }
        return;
    }
    std::fs::create_dir_all(to.parent().expect("a parent")).expect("a folder");
    std::fs::copy(from, to).expect("a copy");
}
