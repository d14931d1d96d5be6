//! Marts in PostgreSQL: `C360_TEST_POSTGRES_URL` (see `scripts/services`) says where a server is. Without it these tests
//! are skipped, loudly, unless `CI_REQUIRE_SERVICES=1` makes that a failure.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, Row};

use crate::harness::{Project, bars, repository, skip};

const URL: &str = "C360_TEST_POSTGRES_URL";

/// A schema of its own on a server.
struct Server {
    url: url::Url,
    schema: String,
}

/// Where the test server is; none, and a word about it, if there is none.
fn url() -> Option<url::Url> {
    let Ok(url) = std::env::var(URL) else {
        assert!(std::env::var_os("CI_REQUIRE_SERVICES").is_none_or(|flag| flag != "1"), "{URL} is not set");
        skip(&format!("{URL} is not set; try: eval \"$(scripts/services env)\""));
        return None;
    };
    Some(url::Url::parse(&url).expect("a URL"))
}

impl Server {
    fn new(name: &str) -> Option<Server> {
        Some(Server::at(url()?, name))
    }

    fn at(url: url::Url, name: &str) -> Server {
        let server = Server { url, schema: format!("c360_it_{name}") };
        server.ask(&format!("drop schema if exists {} cascade", server.schema));
        server
    }

    fn try_ask(&self, sql: &str) -> Result<Vec<String>, sqlx::Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let options = PgConnectOptions::new_without_pgpass()
                .host(self.url.host_str().expect("a host"))
                .port(self.url.port().unwrap_or(5432))
                .username(self.url.username())
                .password(self.url.password().unwrap_or_default())
                .database(self.url.path().trim_start_matches('/'))
                .options([("search_path", self.schema.as_str()), ("client_min_messages", "error")]);
            let mut connection = options.connect().await?;
            let rows = connection.fetch_all(AssertSqlSafe(sql.to_string())).await?;
            Ok(rows.iter().map(row_text).collect())
        })
    }

    /// The rows of a query whose columns are text.
    fn ask(&self, sql: &str) -> Vec<String> {
        self.try_ask(sql).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The same, for a table as a whole.
    fn table(&self, name: &str) -> Vec<String> {
        let list = self.ask(&format!(
            "select coalesce(string_agg(quote_ident(attname) || '::text', ', ' order by attnum), '') from pg_attribute \
             where attrelid = '{name}'::regclass and attnum > 0 and not attisdropped"
        ));
        let mut rows = self.ask(&format!("select {} from {name}", list[0]));
        rows.sort();
        rows
    }

    /// Makes it the destination `bi` of `project`.
    fn use_in(&self, project: &Project, from: &str) {
        let bi = format!(
            "bi: {{type: postgres, host: {}, port: {}, user: {}, password: \"{{{{ env_var('DBT_ENV_SECRET_PG') }}}}\", database: {}, \
             schema: {}}}",
            self.url.host_str().unwrap_or_default(),
            self.url.port().unwrap_or(5432),
            self.url.username(),
            self.url.path().trim_start_matches('/'),
            self.schema
        );
        project.edit("profiles.yml", from, &bi);
    }

    fn command(&self, project: &Project, args: &[&str]) -> Command {
        let mut command = project.command(args);
        command.env("DBT_ENV_SECRET_PG", self.url.password().unwrap_or_default());
        command
    }

    /// Runs a build that has to exit with `code`.
    fn build(&self, project: &Project, code: i32, args: &[&str]) -> crate::harness::Output {
        let output = project.finish(&mut self.command(project, &[&["build"], args].concat()));
        assert_eq!(output.code, Some(code), "{}", output.all());
        output
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = self.try_ask(&format!("drop schema if exists {} cascade", self.schema));
        }
    }
}

fn row_text(row: &PgRow) -> String {
    let cell =
        |at: usize| row.try_get_unchecked::<Option<String>, _>(at).ok().flatten().unwrap_or_else(|| "null".into());
    (0..row.len()).map(cell).collect::<Vec<_>>().join("|")
}

fn mart(server: &Server, publish: &str, sql: &str) -> Project {
    let project =
        Project::models(&[("mart", &format!("{{{{ config(materialized='table', publish={publish}) }}}}\n{sql}"))]);
    server.use_in(&project, "bi: {type: sqlite, path: bi.db}");
    project
}

#[test]
fn all_marts_of_the_flagship_arrive() {
    let Some(server) = Server::new("customer360") else { return };
    let project = Project::customer360();
    server.use_in(&project, "bi: {type: sqlite, path: warehouse/bi.db}");
    let vars = ["--vars", "{etl_date: 2023-09-14}"];
    server.build(&project, 0, &vars).says(&["Published   bi."]);
    for mart in
        ["customer_behavior", "customer_content", "mart_customer_360", "mart_kpis", "mart_totals", "search_trend"]
    {
        let sql = format!("select * from {{{{ ref('{mart}') }}}}");
        let mut command =
            server.command(&project, &["show", "--inline", &sql, "--output", "jsonl", "--limit", "-1", "--quiet"]);
        let output = project.finish(command.args(vars));
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let rows = output.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        let mut here: Vec<String> = rows.map(|row| bars(&row)).collect();
        here.sort();
        assert!(!here.is_empty(), "{mart}");
        assert_eq!(here, server.table(mart), "{mart}");
    }
    // A second build has nothing new to say.
    server.build(&project, 0, &vars);
    let secret = server.url.password().expect("a password").to_string();
    let mut looked = 0;
    for entry in
        walkdir::WalkDir::new(project.path("target")).into_iter().flatten().filter(|entry| entry.path().is_file())
    {
        let bytes = std::fs::read(entry.path()).expect("a file");
        assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{}", entry.path().display());
        looked += 1;
    }
    assert!(looked > 2, "there are artifacts to look at");
}

#[test]
fn what_fails_leaves_the_old_table_and_says_no_secret() {
    let Some(server) = Server::new("swap") else { return };
    let project =
        mart(&server, "{'to': 'bi', 'key': ['id']}", "select * from (values (1, 'a'), (2, 'b')) as t(id, name)");
    server.build(&project, 0, &[]);
    assert_eq!(server.table("mart"), ["1|a", "2|b"]);
    project.edit("models/mart.sql", "(2, 'b')", "(null, 'c')");
    server.build(&project, 1, &[]).says(&["C6004", "belongs to the key and is NULL"]);
    project.write("models/m.yml", "models:\n  - name: mart\n    columns: [{name: id, data_tests: [not_null]}]\n");
    server.build(&project, 1, &[]).says(&["because not_null_mart_id failed"]);
    assert_eq!(server.table("mart"), ["1|a", "2|b"]);
    project.edit("models/mart.sql", "(null, 'c')", "(3, 'c')");
    let output = project.finish(server.command(&project, &["build"]).env("DBT_ENV_SECRET_PG", "hunter2hunter2"));
    assert_eq!(output.code, Some(1), "{}", output.all());
    output.says(&["C6002", "password authentication failed", "`user` and `password`"]);
    assert!(!output.all().contains("hunter2"), "{}", output.all());
    let output = project.finish(&mut server.command(&project, &["debug"]));
    assert!(output.code == Some(0) && output.all().contains("PostgreSQL "), "{}", output.all());
    server.build(&project, 0, &[]);
    assert_eq!(server.table("mart"), ["1|a", "3|c"]);
}

/// A server of its own, which may be killed.
struct Own {
    folder: PathBuf,
    _root: tempfile::TempDir,
}

impl Own {
    fn start() -> Own {
        let root = tempfile::Builder::new().prefix("c360-pg").tempdir().expect("a folder");
        // The server runs as another user where tests run as root.
        let open = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o711);
        std::fs::set_permissions(root.path(), open).expect("permissions");
        let own = Own { folder: root.path().join("s"), _root: root };
        own.services("start");
        own
    }

    fn services(&self, verb: &str) -> String {
        let mut command = Command::new(repository().join("scripts/services"));
        let output = command.args([verb, "postgres"]).env("C360_SERVICES_DIR", &self.folder).output().expect("starts");
        assert!(output.status.success(), "{verb}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn url(&self) -> url::Url {
        let text = self.services("env");
        let line = text.lines().find_map(|line| line.strip_prefix("export C360_TEST_POSTGRES_URL=")).expect("a URL");
        url::Url::parse(line).expect("a URL")
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let script: &Path = &repository().join("scripts/services");
        let _ = Command::new(script).args(["stop", "postgres"]).env("C360_SERVICES_DIR", &self.folder).output();
    }
}

/// Waits until a load is going on, and gives back the process that serves it.
fn loading(server: &Server) -> i32 {
    let started = Instant::now();
    loop {
        let sql = "select pid::text from pg_stat_activity where application_name = 'c360' and query like 'copy %'";
        if let Ok(pids) = server.try_ask(sql)
            && let Some(pid) = pids.first()
        {
            return pid.parse().expect("a number");
        }
        assert!(started.elapsed() < Duration::from_secs(60), "no load began");
        std::thread::yield_now();
    }
}

#[test]
fn a_server_that_dies_or_restarts_in_the_middle_is_waited_for() {
    if url().is_none() {
        return;
    }
    let own = Own::start();
    let server = Server::at(own.url(), "restart");
    let sql = "select value as id, repeat('x', 60) || value as name, '{{ var('round', 0) }}' as round \
               from generate_series(1, 400000)";
    let project = mart(&server, "{'to': 'bi', 'key': ['id']}", sql);
    server.build(&project, 0, &[]);
    for (round, kill) in [("1", true), ("2", false)] {
        let vars = format!("{{round: {round}}}");
        let mut command = server.command(&project, &["build", "--vars", &vars]);
        let child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn();
        let child = child.expect("starts");
        let pid = loading(&server);
        if kill {
            // One process of a server that dies takes all others with it; the server recovers as after a crash.
            let status = Command::new("kill").args(["-9", &pid.to_string()]).status().expect("kill");
            assert!(status.success());
        } else {
            own.services("restart");
        }
        let output = child.wait_with_output().expect("ends");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{text}");
        let sql = "select count(*)::text, count(distinct id)::text, min(round), max(round) from mart";
        assert_eq!(server.ask(sql), [format!("400000|400000|{round}|{round}")], "{text}");
        let tables = "select relname::text from pg_class where relnamespace = current_schema()::regnamespace and relkind = 'r' order by 1";
        assert_eq!(server.ask(tables), ["_c360_publish", "mart"]);
    }
}
