//! Marts in MySQL or MariaDB: `C360_TEST_MYSQL_URL` (see `scripts/services`) says where a server is. Without it these
//! tests are skipped, loudly, unless `CI_REQUIRE_SERVICES=1` makes that a failure.

use std::process::Command;

use sqlx::mysql::{MySqlConnectOptions, MySqlRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, Row};

use crate::harness::{Project, bars, skip};

const URL: &str = "C360_TEST_MYSQL_URL";

/// A database of its own on the test server.
pub(crate) struct Server {
    url: url::Url,
    database: String,
}

impl Server {
    pub(crate) fn new(name: &str) -> Option<Server> {
        let Ok(url) = std::env::var(URL) else {
            assert!(std::env::var_os("CI_REQUIRE_SERVICES").is_none_or(|flag| flag != "1"), "{URL} is not set");
            skip(&format!("{URL} is not set; try: eval \"$(scripts/services env)\""));
            return None;
        };
        let server = Server { url: url::Url::parse(&url).expect("a URL"), database: format!("c360_it_{name}") };
        let database = &server.database;
        server.ask_in(None, &format!("drop database if exists {database}"));
        server.ask_in(None, &format!("create database {database}"));
        Some(server)
    }

    fn ask_in(&self, database: Option<&str>, sql: &str) -> Vec<String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut options = MySqlConnectOptions::new()
                .host(self.url.host_str().expect("a host"))
                .port(self.url.port().unwrap_or(3306))
                .username(self.url.username())
                .password(self.url.password().unwrap_or_default())
                .ssl_mode(sqlx::mysql::MySqlSslMode::Disabled)
                .charset("utf8mb4");
            if let Some(database) = database {
                options = options.database(database);
            }
            let mut connection = options.connect().await.expect("logs in");
            let rows = connection.fetch_all(AssertSqlSafe(sql.to_string())).await;
            rows.unwrap_or_else(|error| panic!("{sql}: {error}")).iter().map(row_text).collect()
        })
    }

    pub(crate) fn ask(&self, sql: &str) -> Vec<String> {
        self.ask_in(Some(&self.database), sql)
    }

    /// The destination as a profile has it.
    pub(crate) fn destination(&self) -> String {
        let (host, port) = (self.url.host_str().unwrap_or_default(), self.url.port().unwrap_or(3306));
        let (user, password) = (self.url.username(), self.url.password().unwrap_or_default());
        let database = &self.database;
        format!(
            "{{type: mysql, host: '{host}', port: {port}, user: '{user}', password: '{password}', database: {database}}}"
        )
    }

    /// The settings that the `prod` target of the repository's project reads.
    fn settings(&self, command: &mut Command) {
        let port = self.url.port().unwrap_or(3306).to_string();
        for (name, value) in [
            ("HOST", self.url.host_str().unwrap_or_default()),
            ("PORT", &port),
            ("USER", self.url.username()),
            ("PASSWORD", self.url.password().unwrap_or_default()),
            ("DATABASE", &self.database),
        ] {
            command.env(format!("C360_MYSQL_{name}"), value);
        }
    }

    /// Runs a build that has to exit with `code`.
    fn build(&self, project: &Project, code: i32, args: &[&str]) -> crate::harness::Output {
        let mut command = project.command(&[&["build"], args].concat());
        self.settings(&mut command);
        let output = project.finish(&mut command);
        assert_eq!(output.code, Some(code), "{}", output.all());
        output
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.ask_in(None, &format!("drop database if exists {}", self.database));
        }
    }
}

fn row_text(row: &MySqlRow) -> String {
    let cell =
        |at: usize| row.try_get_unchecked::<Option<String>, _>(at).expect("text").unwrap_or_else(|| "null".into());
    (0..row.len()).map(cell).collect::<Vec<_>>().join("|")
}

/// A project whose mart goes to the server.
fn mart(publish: &str, sql: &str) -> Project {
    let project =
        Project::models(&[("mart", &format!("{{{{ config(materialized='table', publish={publish}) }}}}\n{sql}"))]);
    let bi = "bi: {type: mysql, host: \"{{ env_var('C360_MYSQL_HOST') }}\", port: \"{{ env_var('C360_MYSQL_PORT') | as_number }}\", \
              user: \"{{ env_var('C360_MYSQL_USER') }}\", password: \"{{ env_var('C360_MYSQL_PASSWORD') }}\", \
              database: \"{{ env_var('C360_MYSQL_DATABASE') }}\"}";
    project.edit("profiles.yml", "bi: {type: sqlite, path: bi.db}", bi);
    project
}

#[test]
fn the_prod_target_fills_the_server() {
    let Some(server) = Server::new("customer360") else { return };
    let project = Project::customer360();
    let vars = ["--target", "prod", "--vars", "{etl_date: 2023-09-14}"];
    server.build(&project, 0, &vars).says(&["Published   bi."]);
    let tables = server.ask("show tables where tables_in_c360_it_customer360 <> '_c360_publish'");
    let marts =
        ["customer_behavior", "customer_content", "mart_customer_360", "mart_kpis", "mart_totals", "search_trend"];
    assert_eq!(tables, marts, "and nothing beside them");
    for mart in marts {
        let sql = format!("select * from {{{{ ref('{mart}') }}}}");
        let mut command = project.command(&["show", "--inline", &sql, "--output", "jsonl", "--limit", "-1", "--quiet"]);
        server.settings(command.args(vars));
        let output = project.finish(&mut command);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let rows = output.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        let mut here: Vec<String> = rows.map(|row| bars(&row)).collect();
        let mut there = server.ask(&server_text(&server, mart));
        here.sort();
        there.sort();
        assert!(!here.is_empty(), "{mart}");
        assert_eq!(here, there, "{mart}");
    }
    let types = server.ask(
        "select data_type, count(*) from information_schema.columns where table_schema = database() \
         and table_name <> '_c360_publish' and data_type in ('longtext', 'double') group by 1",
    );
    assert_eq!(types, [""; 0], "no number is a text and no text is boundless");
    let keys = server.ask(
        "select table_name, column_name from information_schema.key_column_usage where table_schema = database() \
         and constraint_name = 'PRIMARY' order by table_name, ordinal_position",
    );
    assert!(keys.contains(&"mart_kpis|kpi".into()) && keys.contains(&"customer_content|Contract".into()), "{keys:?}");
}

/// A query for all rows of a table as text.
fn server_text(server: &Server, table: &str) -> String {
    let columns = server.ask(&format!(
        "select column_name from information_schema.columns where table_schema = database() and table_name = '{table}' \
         order by ordinal_position"
    ));
    let list: Vec<String> = columns.iter().map(|name| format!("cast(`{name}` as char)")).collect();
    format!("select {} from {table}", list.join(", "))
}

#[test]
fn types_are_exact_and_text_survives() {
    let Some(server) = Server::new("types") else { return };
    let sql = "select cast(1 as int) as i, cast(9223372036854775807 as bigint) as b, cast(0.1 as double) as d, \
               cast('12.30' as decimal(10, 2)) as m, 'Tiếng Việt: Phở bò tái 😀' as s, true as ok, date '2022-04-01' as day, \
               timestamp '2022-04-01 10:00:00.5' as at";
    server.build(&mart("{'to': 'bi', 'key': ['i']}", sql), 0, &[]);
    let types = server.ask(
        "select column_name, data_type from information_schema.columns where table_schema = database() and table_name = 'mart' \
         order by ordinal_position",
    );
    assert_eq!(
        types,
        ["i|int", "b|bigint", "d|double", "m|decimal", "s|varchar", "ok|tinyint", "day|date", "at|datetime"]
    );
    let row = server.ask(&server_text(&server, "mart"));
    assert_eq!(
        row,
        ["1|9223372036854775807|0.1|12.30|Tiếng Việt: Phở bò tái 😀|1|2022-04-01|2022-04-01 10:00:00.500000"]
    );
    let charset = "select distinct character_set_name from information_schema.columns where table_schema = database() \
                   and table_name = 'mart' and character_set_name is not null";
    assert_eq!(server.ask(charset), ["utf8mb4"]);
}

#[test]
fn what_fails_leaves_the_old_table() {
    let Some(server) = Server::new("swap") else { return };
    let project = mart("{'to': 'bi', 'key': ['id']}", "select * from (values (1, 'a'), (2, 'b')) as t(id, name)");
    server.build(&project, 0, &[]);
    let rows = || server.ask("select id, name from mart order by id");
    assert_eq!(rows(), ["1|a", "2|b"]);
    project.edit("models/mart.sql", "(2, 'b')", "(null, 'c')");
    let output = server.build(&project, 1, &[]);
    assert!(output.stderr.contains("C600"), "{}", output.stderr);
    assert_eq!(rows(), ["1|a", "2|b"]);
    project.write("models/m.yml", "models:\n  - name: mart\n    columns: [{name: id, data_tests: [not_null]}]\n");
    server.build(&project, 1, &[]).says(&["C7001", "because not_null_mart_id failed"]);
    assert_eq!(rows(), ["1|a", "2|b"]);
    project.edit("models/mart.sql", "(null, 'c')", "(3, 'c')");
    server.build(&project, 0, &[]);
    assert_eq!(rows(), ["1|a", "3|c"]);
    assert_eq!(server.ask("show tables"), ["_c360_publish", "mart"], "nothing is left beside it");
}
