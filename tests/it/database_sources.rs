//! Sources that are tables of databases: SQLite always, MySQL and PostgreSQL where `C360_TEST_MYSQL_URL` and
//! `C360_TEST_POSTGRES_URL` say that there is one (see `scripts/services`).

use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};

use crate::harness::{Output, Project, skip};

/// A database that has the table `orders`, and a project with the source `shop` that reads it.
struct Shop {
    kind: &'static str,
    project: Project,
    url: String,
    schema: String,
}

/// One shop on every server that there is.
fn shops(name: &str) -> Vec<Shop> {
    ["sqlite", "mysql", "postgres"].into_iter().filter_map(|kind| Shop::new(kind, name)).collect()
}

const ORDERS: &str =
    "id int primary key, customer varchar(20)COLLATION, amount decimal(10, 2), ordered_at TIME, note text";
const ROWS: &str = "(1, 'lan', 12.50, '2026-01-01 10:00:00', null), (2, 'LAN', 8.00, '2026-01-02 10:00:00', 'x'), \
                    (3, 'Minh', -4.25, '2026-01-03 10:00:00', null)";

impl Shop {
    fn new(kind: &'static str, name: &str) -> Option<Shop> {
        let project = Project::new();
        let schema = format!("c360_it_source_{name}");
        let (url, connection) = match kind {
            "sqlite" => {
                let file = project.path("shop.db").to_string_lossy().into_owned();
                (file, "{type: sqlite, path: shop.db}".to_string())
            }
            _ => {
                let variable = format!("C360_TEST_{}_URL", kind.to_uppercase());
                let Ok(url) = std::env::var(&variable) else {
                    let required = std::env::var_os("CI_REQUIRE_SERVICES").is_some_and(|flag| flag == "1");
                    assert!(!required, "{variable} is not set");
                    skip(&format!("{variable} is not set; try: eval \"$(scripts/services env)\""));
                    return None;
                };
                let parsed = url::Url::parse(&url).expect("a URL");
                let database = if kind == "mysql" { "mysql" } else { parsed.path().trim_start_matches('/') };
                let connection = format!(
                    "{{type: {kind}, host: {}, port: {}, user: {}, password: \"{{{{ env_var('SHOP_PASSWORD') }}}}\", \
                     database: {database}}}",
                    parsed.host_str().expect("a host"),
                    parsed.port().expect("a port"),
                    parsed.username(),
                );
                (url, connection)
            }
        };
        let sources = format!(
            "sources:\n  - name: shop\n    schema: {schema}\n    external: {{type: {kind}, connection: shop}}\n    tables:\n      - name: orders\n"
        );
        let project = project.file("models/_sources.yml", sources);
        project.edit(
            "profiles.yml",
            "      destinations:",
            &format!("      connections:\n        shop: {connection}\n      destinations:"),
        );
        let shop = Shop { kind, project, url, schema };
        shop.fill();
        Some(shop)
    }

    fn fill(&self) {
        let (collation, time) = match self.kind {
            "sqlite" => (" collate nocase", "datetime"),
            "mysql" => (" collate utf8mb4_general_ci", "datetime"),
            _ => ("", "timestamp"),
        };
        let columns = ORDERS.replace("COLLATION", collation).replace("TIME", time);
        let table = match self.kind {
            "sqlite" => "orders".to_string(),
            _ => format!("{}.orders", self.schema),
        };
        match self.kind {
            "sqlite" => {}
            "mysql" => {
                self.execute(&format!("drop database if exists {}", self.schema));
                self.execute(&format!("create database {}", self.schema));
            }
            _ => {
                self.execute(&format!("drop schema if exists {} cascade", self.schema));
                self.execute(&format!("create schema {}", self.schema));
            }
        }
        self.execute(&format!("create table {table} ({columns})"));
        self.execute(&format!("insert into {table} values {ROWS}"));
    }

    fn execute(&self, sql: &str) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let sql = AssertSqlSafe(sql.to_string());
        let done = runtime.block_on(async {
            match self.kind {
                "mysql" => {
                    let options: MySqlConnectOptions = self.url.parse().expect("a URL");
                    let mut connection = options.ssl_mode(MySqlSslMode::Disabled).connect().await.expect("logs in");
                    connection.execute(sql).await.map(drop)
                }
                "postgres" => {
                    let options: PgConnectOptions = self.url.parse().expect("a URL");
                    options.connect().await.expect("logs in").execute(sql).await.map(drop)
                }
                _ => {
                    let options = SqliteConnectOptions::new().filename(&self.url).create_if_missing(true);
                    options.connect().await.expect("opens").execute(sql).await.map(drop)
                }
            }
        });
        done.unwrap_or_else(|error| panic!("{}: {error}", self.kind));
    }

    fn password(&self) -> String {
        url::Url::parse(&self.url).ok().and_then(|url| url.password().map(str::to_string)).unwrap_or_default()
    }

    /// Runs the program, which has to exit with `code` and to keep the password to itself.
    fn exits(&self, code: i32, args: &[&str]) -> Output {
        let password = self.password();
        let mut command = self.project.command(args);
        let output = self.project.finish(command.env("SHOP_PASSWORD", &password));
        assert_eq!(output.code, Some(code), "{}: {args:?}\n{}", self.kind, output.all());
        assert!(password.is_empty() || !output.all().contains(&password), "{}", output.all());
        output
    }

    /// The rows of a query as CSV, without its header.
    fn rows(&self, sql: &str) -> Vec<String> {
        let output = self.exits(0, &["show", "--inline", sql, "--output", "csv", "--limit", "-1", "--quiet"]);
        output.stdout.lines().skip(1).map(str::to_string).collect()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            match self.kind {
                "sqlite" => {}
                "mysql" => self.execute(&format!("drop database if exists {}", self.schema)),
                _ => self.execute(&format!("drop schema if exists {} cascade", self.schema)),
            }
        }
    }
}

#[test]
fn a_model_joins_a_database_with_a_file() {
    for shop in shops("join") {
        let sources = shop.project.read("models/_sources.yml");
        let lake = "  - name: lake\n    tables:\n      - name: cities\n        external: {location: lake/cities.csv}\n";
        shop.project.write("models/_sources.yml", format!("{sources}{lake}"));
        shop.project.write("lake/cities.csv", "who,city\nlan,Hue\nMinh,Da Nang\n");
        shop.project.write(
            "models/by_city.sql",
            "{{ config(materialized='table') }} select c.city, o.id, o.amount from {{ source('shop', 'orders') }} o \
             join {{ source('lake', 'cities') }} c on c.who = o.Customer where o.amount > -100",
        );
        shop.exits(0, &["build"]);
        assert_eq!(shop.rows("select * from {{ ref('by_city') }} order by id"), ["Hue,1,12.50", "Da Nang,3,-4.25"]);
        // Letters of another case are other letters here, whatever the column's collation says.
        let of_lan = "select id from {{ source('shop', 'orders') }} where customer = 'lan'";
        assert_eq!(shop.rows(of_lan), ["1"], "{}", shop.kind);
        let plan = shop.rows(&format!("explain {of_lan}")).join("\n");
        assert!(plan.contains("DatabaseScan") && plan.contains(" where "), "{plan}");
        let shown = shop.exits(0, &["show", "--select", "source:shop.orders", "--output", "csv", "--quiet"]);
        assert_eq!(shown.stdout.lines().count(), 4, "{}", shown.stdout);
        assert!(shown.stdout.starts_with("id,customer,amount,ordered_at,note\n"), "{}", shown.stdout);
    }
}

#[test]
fn tests_freshness_and_debug_know_databases() {
    for shop in shops("checks") {
        shop.project.edit(
            "models/_sources.yml",
            "      - name: orders\n",
            "      - name: orders\n        loaded_at_field: ordered_at\n        freshness: {error_after: {count: 1, period: day}}\n        \
             columns:\n          - {name: ID, data_type: bigint, data_tests: [unique, not_null]}\n          - name: note\n            data_tests: [not_null]\n",
        );
        let output = shop.exits(1, &["build"]);
        output.says(&["source_not_null_shop_orders_note", "2 failures"]);
        shop.exits(1, &["source", "freshness"]);
        let sources = shop.project.json("target/sources.json");
        assert_eq!(sources["results"][0]["max_loaded_at"], "2026-01-03T10:00:00.000000Z", "{sources}");
        let debug = shop.exits(0, &["debug"]).all();
        assert!(debug.contains("connection shop"), "{debug}");
        assert_eq!(shop.rows("select arrow_typeof(id) from {{ source('shop', 'orders') }} limit 1"), ["Int64"]);
    }
}

#[test]
fn declarations_that_cannot_be_right() {
    let Some(shop) = Shop::new("sqlite", "wrong") else { return };
    shop.project.write("models/m.sql", "select * from {{ source('shop', 'orders') }}");
    let external = "{type: sqlite, connection: shop}";
    let mut before = external.to_string();
    for (after, code, parts) in [
        (
            "{type: sqlite, connection: shpo}",
            2,
            &["C5005", "no connection `shpo`", "a connection named `shop` exists"][..],
        ),
        ("{type: mysql, connection: shop}", 2, &["C5005", "`type` is `mysql`", "of the type `sqlite`"]),
        ("{type: sqlite}", 2, &["C5005", "a `type` and no `connection`"]),
        ("{type: sqlite, connection: shop, location: x.csv}", 2, &["C5005", "`location` is for files"]),
        ("{connection: shop, partitions: 0}", 2, &["C5005", "`partitions` is 0"]),
        ("{connection: shop, table: ordesr}", 1, &["C5020", "no table `ordesr`", "a table named `orders` exists"]),
        ("{connection: shop, partition_colum: id}", 0, &["C1003", "`partition_column`"]),
    ] {
        shop.project.edit("models/_sources.yml", &before, after);
        before = after.to_string();
        let output = shop.exits(code, &["build"]);
        output.says(parts);
        output.says(&["_sources.yml:4"]);
    }
}

#[test]
fn destinations_can_be_read_from_and_names_match_in_any_case() {
    let Some(shop) = Shop::new("sqlite", "names") else { return };
    shop.project.edit("models/_sources.yml", "{type: sqlite, connection: shop}", "{connection: bi}");
    shop.project.edit("models/_sources.yml", "- name: orders", "- name: sold\n        identifier: ORDERS");
    std::fs::copy(shop.project.path("shop.db"), shop.project.path("bi.db")).expect("a copy");
    assert_eq!(shop.rows("select count(*) from {{ source('shop', 'sold') }}"), ["3"]);
    assert_eq!(shop.rows("select Amount from {{ source('shop', 'sold') }} where ID = 2"), ["8.00"]);
}
