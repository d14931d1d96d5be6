//! What goes wrong on the way: logins, rights, TLS, killed connections, several publishes at once.

use std::sync::atomic::{AtomicBool, Ordering};

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;

use super::super::super::ping;
use super::*;

#[tokio::test]
async fn logins_that_fail_are_explained_without_the_password() {
    let Some(bench) = bench("logins").await else { return };
    let version = ping(&bench.config(&[]), "bi").await.expect("answers");
    assert!(version.starts_with("PostgreSQL 1"), "{version}");
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    /// Settings to change, and parts of the message and of the help.
    type Case<'a> = (&'a [(&'a str, Value)], &'a str, &'a str);
    let cases: [Case<'_>; 6] = [
        (&[("password", json!("hunter2hunter2"))], "password authentication failed", "`user` and `password`"),
        (&[("database", json!("c360_test_nowhere"))], "does not exist", "`database`"),
        (&[("port", json!(port))], "refused", "nothing listens there"),
        (&[("host", json!("no-such-host.invalid"))], "", "`host`"),
        (&[("socket", json!("/nonexistent"))], "No such file", "`socket`"),
        (&[("ssl_mode", json!("verify_identity")), ("ssl_ca", json!("/nonexistent"))], "", "ssl_"),
    ];
    for (changes, said, help) in cases {
        let error = ping(&bench.config(changes), "bi").await.expect_err("refused");
        assert_eq!(error.code, codes::DESTINATION_UNREACHABLE, "{error:?}");
        assert!(error.message.contains(said), "{error:?}");
        assert!(error.helps.iter().any(|text| text.contains(help)), "{error:?}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn tls_is_as_strict_as_asked() {
    let Some(mut bench) = bench("tls").await else { return };
    // Set by scripts/services if it could make certificates for the server.
    let Ok(ca) = std::env::var("C360_TEST_POSTGRES_CA") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let other = folder.path().join("other.pem");
    std::fs::write(&other, "no certificate").expect("written");
    let modes = [
        ("disabled", None, false),
        ("allow", None, false),
        ("prefer", None, true),
        ("required", None, true),
        ("verify_ca", Some(&ca), true),
        ("verify-ca", Some(&ca), true),
        ("verify-full", Some(&ca), true),
    ];
    for (mode, ca, encrypted) in modes {
        let changes = [("ssl_mode", json!(mode)), ("ssl_ca", json!(ca))];
        let DestinationConfig::Postgres(config) = bench.config(&changes) else { panic!("postgres") };
        let mut connection = connect(&config).await.unwrap_or_else(|error| panic!("{mode}: {error:?}"));
        let sql = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
        let row = sqlx::query(sql).fetch_one(&mut connection).await.expect("a row");
        assert_eq!(row.try_get::<bool, _>(0).expect("a flag"), encrypted, "{mode}");
    }
    // The system's authorities do not know the test server's, and a file without certificates names none.
    for (mode, ca) in [("verify-full", None), ("verify_ca", None), ("verify_identity", other.to_str())] {
        let changes = [("ssl_mode", json!(mode)), ("ssl_ca", json!(ca))];
        let error = ping(&bench.config(&changes), "bi").await.expect_err("refused");
        assert_eq!(error.code, codes::DESTINATION_UNREACHABLE);
        assert!(error.helps.iter().any(|help| help.contains("ssl_")), "{error:?}");
    }
    // The certificate is that of 127.0.0.1 alone.
    let changes = |mode| [("host", json!("localhost")), ("ssl_mode", json!(mode)), ("ssl_ca", json!(ca))];
    ping(&bench.config(&changes("verify_ca")), "bi").await.expect("the authority is right");
    ping(&bench.config(&changes("verify_identity")), "bi").await.expect_err("the name is wrong");
    bench.execute("select 1").await;
}

#[tokio::test]
async fn missing_rights_are_explained_and_a_reader_of_the_table_may_fill_it() {
    let Some(mut bench) = bench("rights").await else { return };
    bench.publish(&people(), json!("bi")).await.expect("published");
    bench
        .execute(
            "drop role if exists c360_test_few; create role c360_test_few login password 'few-secret'; \
             grant usage on schema c360_test_rights to c360_test_few",
        )
        .await;
    bench.settings["user"] = json!("c360_test_few");
    bench.settings["password"] = json!("few-secret");
    let new = json!({"to": "bi", "table": "new"});
    for config in [new, json!("bi"), json!({"to": "bi", "table": "c360_test_rights_more.t"})] {
        let error = bench.publish(&people(), config).await.expect_err("no rights");
        assert_eq!(error.code, codes::PUBLISH_FAILED, "{error:?}");
        assert!(error.message.contains("permission denied"), "{error:?}");
        assert!(error.helps[0].contains("the user needs CONNECT"), "{error:?}");
        assert!(!format!("{error:?}").contains("few-secret"), "{error:?}");
    }
    // Somebody else's table cannot be dropped, but filled.
    bench
        .execute(
            "grant select, insert, delete on mart to c360_test_few; \
                 grant select, insert, update on _c360_publish to c360_test_few",
        )
        .await;
    let one = frame(vec![("Contract", texts(vec![Some("z")])), ("Taste", texts(vec![None]))]);
    bench.publish(&one, json!("bi")).await.expect("published");
    assert_eq!(bench.ask("select \"Contract\" from mart").await, ["z"]);
    bench.execute("drop owned by c360_test_few; drop role c360_test_few").await;
}

#[tokio::test]
async fn a_role_that_reads_by_default_can_publish() {
    let Some(mut bench) = bench("readonly").await else { return };
    bench
        .execute(
            "drop role if exists c360_test_ro; create role c360_test_ro login superuser password 'x'; \
             alter role c360_test_ro set default_transaction_read_only = on",
        )
        .await;
    bench.settings["user"] = json!("c360_test_ro");
    bench.settings["password"] = json!("x");
    // The role's own default is overruled; a server that is a replica cannot be.
    bench.publish(&people(), json!("bi")).await.expect("published");
    bench.execute("drop owned by c360_test_ro; drop role c360_test_ro").await;
}

#[tokio::test]
async fn a_held_lock_is_explained() {
    let Some(mut bench) = bench("locks").await else { return };
    bench.publish(&people(), json!("bi")).await.expect("published");
    let table = Table::new(&postgres(&bench.settings), &place()).expect("a name");
    let mut other = connect(&postgres(&bench.settings)).await.expect("logs in");
    begin(&postgres(&bench.settings), &mut other).await.expect("begins");
    table.lock(&postgres(&bench.settings), &place(), &mut other, |_| {}).await.expect("free");
    bench.settings["lock_timeout"] = json!(0);
    let error = bench.publish(&people(), json!("bi")).await.expect_err("locked");
    assert!(
        error.message.contains("another publish of it holds its advisory lock (c360 from 127.0.0.1, process "),
        "{error:?}"
    );
    drop(other);
    bench.settings["lock_timeout"] = json!(20);
    bench.publish(&people(), json!("bi")).await.expect("published");
}

fn place() -> Place {
    Place { destination: "bi".into(), server: "postgres".into(), table: "mart".into(), node: "mart".into() }
}

/// Rows during whose first reading something happens to the publish's connection, once.
struct Sabotage<F> {
    rows: FrameRows,
    harm: Arc<F>,
    done: Arc<AtomicBool>,
}

#[async_trait]
impl<F: AsyncHarm> Rows for Sabotage<F> {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }

    async fn open(&self, order: &[String]) -> Result<SendableRecordBatchStream> {
        let stream = self.rows.open(order).await?;
        let (done, harm, schema) = (Arc::clone(&self.done), Arc::clone(&self.harm), stream.schema());
        let harmed = stream.enumerate().then(move |(number, batch)| {
            let (done, harm) = (Arc::clone(&done), Arc::clone(&harm));
            async move {
                if number == 3 && !done.swap(true, Ordering::SeqCst) {
                    harm.harm().await;
                }
                batch
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, harmed)))
    }
}

/// What happens.
#[async_trait]
trait AsyncHarm: Send + Sync + 'static {
    async fn harm(&self);
}

/// The session is ended by somebody else.
struct Kill(PostgresConfig);

#[async_trait]
impl AsyncHarm for Kill {
    async fn harm(&self) {
        let mut killer = connect(&self.0).await.expect("logs in");
        let lock = Table::new(&self.0, &place()).expect("a name").lock;
        let sql = "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted \
                   and (classid::bigint << 32 | objid::bigint) = $1";
        let killed = sqlx::query(sql).bind(lock).fetch_all(&mut killer).await.expect("killed");
        assert_eq!(killed.len(), 1);
    }
}

/// A way to the server that can be cut without a word.
struct Network {
    port: u16,
    cut: Arc<AtomicBool>,
}

#[async_trait]
impl AsyncHarm for Network {
    async fn harm(&self) {
        self.cut.store(true, Ordering::SeqCst);
    }
}

impl Network {
    async fn to(port: u64) -> Network {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let network = Network { port: listener.local_addr().expect("bound").port(), cut: Arc::default() };
        let cut = Arc::clone(&network.cut);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = tokio::net::TcpStream::connect(("127.0.0.1", port as u16)).await.expect("connects");
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = server.into_split();
                let (one, other) = (Arc::clone(&cut), Arc::clone(&cut));
                tokio::spawn(async move { pass(&mut from_client, &mut to_server, &one).await });
                tokio::spawn(async move { pass(&mut from_server, &mut to_client, &other).await });
            }
        });
        network
    }
}

/// Hands bytes on for as long as the network is whole. What comes while it is not is lost, and so is the connection.
async fn pass(
    from: &mut (impl tokio::io::AsyncRead + Unpin),
    to: &mut (impl tokio::io::AsyncWrite + Unpin),
    cut: &AtomicBool,
) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut buffer = vec![0; 65_536];
    let mut lost = false;
    while let Ok(bytes @ 1..) = from.read(&mut buffer).await {
        lost |= cut.load(Ordering::SeqCst);
        if !lost && to.write_all(&buffer[..bytes]).await.is_err() {
            return;
        }
    }
    if lost {
        // The other side never hears of the end.
        std::future::pending::<()>().await;
    }
    let _ = to.shutdown().await;
}

#[tokio::test]
async fn a_load_whose_connection_dies_starts_again() {
    let Some(mut bench) = bench("killed").await else { return };
    bench.publish(&people(), json!("bi")).await.expect("published");
    let rows = Sabotage {
        rows: frame(vec![("id", numbers(0..60_000))]),
        harm: Arc::new(Kill(postgres(&bench.settings))),
        done: Arc::default(),
    };
    let job = PublishJob::parse("mart", "mart", &json!({"to": "bi", "key": "id"})).expect("fine").remove(0);
    let retried = AtomicBool::new(false);
    let told = |progress| {
        if let Progress::Retrying(_) = progress {
            retried.store(true, Ordering::SeqCst);
        }
    };
    let published = publish(&bench.config(&[]), "bi", &job, &timeless(&rows), &told).await.expect("published");
    assert_eq!((published.attempts, retried.load(Ordering::SeqCst)), (2, true));
    assert_eq!(bench.names().await, ["mart", "mart_pkey"]);
    let sums = "select count(*)::text, count(distinct id)::text, sum(id)::text from mart";
    assert_eq!(bench.ask(sums).await, ["60000|60000|1799970000"]);
}

#[tokio::test]
async fn publishes_of_one_table_follow_each_other() {
    let Some(mut bench) = bench("two").await else { return };
    bench.execute("drop schema c360_test_two").await;
    let all = (0..4).map(|_| frame(vec![("id", numbers(0..20_000))])).collect::<Vec<_>>();
    let jobs = all.iter().map(|rows| bench.publish(rows, json!({"to": "bi", "key": "id"})));
    for published in futures::future::join_all(jobs).await {
        assert_eq!(published.expect("published").rows, 20_000);
    }
    assert_eq!(bench.names().await, ["mart", "mart_pkey"]);
    assert_eq!(bench.ask("select count(*)::text from c360_test_two.mart").await, ["20000"]);
}

#[tokio::test]
async fn a_network_that_swallows_everything_is_noticed() {
    let Some(mut bench) = bench("silent").await else { return };
    let network = Arc::new(Network::to(bench.settings["port"].as_u64().expect("a port")).await);
    let rows =
        Sabotage { rows: frame(vec![("id", numbers(0..60_000))]), harm: Arc::clone(&network), done: Arc::default() };
    let changes = [("port", json!(network.port)), ("read_timeout", json!(1)), ("connect_timeout", json!(1))];
    let job = PublishJob::parse("mart", "mart", &json!({"to": "bi", "key": "id"})).expect("fine").remove(0);
    let told = |progress| {
        if let Progress::Retrying(why) = progress {
            assert!(why.contains("no answer for more than 1 s"), "{why}");
            network.cut.store(false, Ordering::SeqCst);
        }
    };
    let published = publish(&bench.config(&changes), "bi", &job, &timeless(&rows), &told).await.expect("published");
    assert_eq!((published.rows, published.attempts), (60_000, 2));
    assert_eq!(bench.ask("select count(*)::text, sum(id)::text from mart").await, ["60000|1799970000"]);
}
