//! Real servers: `C360_TEST_MYSQL_URL` and `C360_TEST_POSTGRES_URL` say where they are (see `scripts/services`); SQLite is
//! always there.

mod failures;
mod filters;
mod types;

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::physical_plan::{displayable, execute_stream};
use futures::TryStreamExt;
use serde_json::{Value as Json, json};
use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};

use super::*;
use crate::diag::{SourceFile, Span};
use crate::engine::formats::ColumnSpec;
use crate::engine::{Engine, EngineOptions, SessionOptions, SourceSpec};
use crate::node::Relation;
use crate::publish::DestinationConfig;

/// A server and a database (a schema, a file) of its own there.
pub(super) struct Place {
    pub(super) kind: &'static str,
    pub(super) settings: Json,
    url: String,
    schema: String,
    folder: tempfile::TempDir,
}

/// A database of that name on each server that there is.
pub(super) async fn places(name: &str) -> Vec<Place> {
    let mut places = Vec::new();
    for kind in ["mysql", "postgres", "sqlite"] {
        places.extend(place(kind, name).await);
    }
    places
}

/// An empty database of that name; none, and a word about it, if there is no server.
#[expect(clippy::print_stderr, reason = "a skipped test must not look like one that passed")]
pub(super) async fn place(kind: &'static str, name: &str) -> Option<Place> {
    let folder = tempfile::tempdir().expect("a folder");
    let schema = format!("c360_source_{name}");
    if kind == "sqlite" {
        let file = folder.path().join("shop.db");
        let settings = json!({"type": "sqlite", "path": file});
        let url = file.to_string_lossy().into_owned();
        return Some(Place { kind, settings, url, schema: "main".into(), folder });
    }
    let variable = format!("C360_TEST_{}_URL", kind.to_uppercase());
    let Ok(url) = std::env::var(&variable) else {
        assert!(std::env::var_os("CI_REQUIRE_SERVICES").is_none_or(|flag| flag != "1"), "{variable} is not set");
        eprintln!("skipped: {variable} is not set; try: eval \"$(scripts/services env)\"");
        return None;
    };
    let parsed = url::Url::parse(&url).expect("a URL");
    let database = if kind == "mysql" { schema.clone() } else { parsed.path().trim_start_matches('/').to_string() };
    let mut settings = json!({
        "type": kind, "host": parsed.host_str(), "port": parsed.port(), "user": parsed.username(),
        "password": parsed.password(), "database": database,
    });
    if kind == "postgres" {
        settings["schema"] = json!(schema);
    }
    let place = Place { kind, settings, url, schema: schema.clone(), folder };
    let drop = if kind == "mysql" { "drop database if exists" } else { "drop schema if exists" };
    let cascade = if kind == "mysql" { "" } else { " cascade" };
    place.execute(&format!("{drop} {schema}{cascade}")).await;
    place.execute(&format!("create {} {schema}", if kind == "mysql" { "database" } else { "schema" })).await;
    Some(place)
}

impl Place {
    /// Runs statements as somebody else.
    pub(super) async fn execute(&self, sql: &str) {
        let failed = |error: sqlx::Error| panic!("{}: {sql}: {error}", self.kind);
        let sql = AssertSqlSafe(sql.to_string());
        let done = match self.kind {
            "mysql" => {
                let url: MySqlConnectOptions = self.url.parse().expect("a URL");
                let mut connection =
                    url.ssl_mode(sqlx::mysql::MySqlSslMode::Disabled).connect().await.expect("logs in");
                connection.execute(sql).await.map(drop)
            }
            "postgres" => {
                let url: PgConnectOptions = self.url.parse().expect("a URL");
                let mut connection = url.options([("search_path", &self.schema)]).connect().await.expect("logs in");
                connection.execute(sql).await.map(drop)
            }
            _ => {
                let file = SqliteConnectOptions::new().filename(&self.url).create_if_missing(true);
                let mut connection = file.connect().await.expect("opens");
                connection.execute(sql).await.map(drop)
            }
        };
        done.unwrap_or_else(failed);
    }

    /// The name of table `t` for [`Place::execute`].
    pub(super) fn named(&self, table: &str) -> String {
        format!("{}.{table}", self.schema)
    }

    /// A declaration of table `t`, changed by `change`.
    pub(super) fn spec(&self, change: impl FnOnce(&mut DatabaseSpec)) -> DatabaseSpec {
        let file = SourceFile::new("models/_sources.yml", "external: here");
        let mut spec = DatabaseSpec {
            name: "shop.t".into(),
            connection: "bi".into(),
            config: DestinationConfig::parse("bi", &self.settings).expect("a configuration"),
            table: TableName { schema: None, guessed: false, name: "t".into() },
            partition_column: None,
            partitions: None,
            fetch_size: 8192,
            zero_dates: ZeroDates::Fail,
            columns: Vec::new(),
            span: Span::new(&file, 0..8),
        };
        change(&mut spec);
        spec
    }

    /// An engine whose relation `src.t` is that declaration.
    pub(super) fn engine(&self, change: impl FnOnce(&mut DatabaseSpec)) -> Engine {
        let spec = SourceSpec::Database(Arc::new(self.spec(change)));
        Engine::open(EngineOptions {
            cluster: None,
            session: SessionOptions {
                database: "c360".into(),
                schema: "main".into(),
                memory_limit: Some(1 << 28),
                spill_dir: None,
            },
            warehouse: "warehouse".into(),
            base: self.folder.path().to_path_buf(),
            storage_options: Default::default(),
            sources: vec![(Relation::new("c360", "src", "t"), Ok(spec))],
            memory: None,
            built_by: Vec::new(),
        })
        .expect("an engine")
    }
}

/// The rows of a query.
pub(super) async fn batches(engine: &Engine, sql: &str) -> Result<Vec<RecordBatch>> {
    let meter = engine.meter()?;
    let plan = engine.plan(&meter.state, &SourceFile::new("query", sql)).await?;
    let physical = engine.physical(&meter.state, &plan).await?;
    let stream =
        execute_stream(physical, meter.state.task_ctx()).map_err(|error| crate::engine::execution_error(&error))?;
    stream.try_collect().await.map_err(|error| crate::engine::execution_error(&error))
}

/// The rows of a query as text, in their order.
pub(super) async fn rows(engine: &Engine, sql: &str) -> Vec<String> {
    let batches = batches(engine, sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    batches.iter().flat_map(texts).collect()
}

/// The rows of a batch as text, values apart by bars.
pub(super) fn texts(batch: &RecordBatch) -> Vec<String> {
    let cell = |row: usize, at: usize| match batch.column(at).is_null(row) {
        true => "null".to_string(),
        false => array_value_to_string(batch.column(at), row).expect("text"),
    };
    let line = |row: usize| (0..batch.num_columns()).map(|at| cell(row, at)).collect::<Vec<_>>().join("|");
    (0..batch.num_rows()).map(line).collect()
}

/// What the plan of a query says about its scan.
pub(super) async fn scan_of(engine: &Engine, sql: &str) -> String {
    let meter = engine.meter().expect("a session");
    let plan = engine.plan(&meter.state, &SourceFile::new("query", sql)).await.expect("a plan");
    let physical = engine.physical(&meter.state, &plan).await.expect("a physical plan");
    let text = displayable(physical.as_ref()).indent(false).to_string();
    let line = text.lines().find(|line| line.contains("DatabaseScan")).unwrap_or_else(|| panic!("{text}"));
    let filter = if text.contains("FilterExec") { " and a filter here" } else { "" };
    format!("{}{filter}", line.trim())
}

/// A declared type of a column.
pub(super) fn typed(name: &str, data_type: &str) -> ColumnSpec {
    ColumnSpec::new(name, data_type)
}
