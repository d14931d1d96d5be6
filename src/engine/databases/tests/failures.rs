//! What goes wrong with servers, and what is said about it.

use super::*;

async fn refusal(engine: &Engine) -> Box<Diagnostic> {
    batches(engine, "select * from src.t").await.expect_err("refused")
}

#[tokio::test]
async fn tables_that_are_not_there_have_neighbours() {
    for place in places("missing").await {
        let orders = place.named("orders");
        place.execute(&format!("create table {orders} (id int)")).await;
        let error = refusal(&place.engine(|spec| spec.table.name = "ordres".into())).await;
        assert_eq!(error.code, codes::SOURCE_DATABASE, "{error:?}");
        assert!(error.message.contains("has no table `ordres`"), "{error:?}");
        assert_eq!(error.helps, ["a table named `orders` exists"], "{}", place.kind);
        assert_eq!(error.labels[0].text, "declared here");
        assert!(!format!("{error:?}").contains(place.settings["password"].as_str().unwrap_or("no password")));
        // Whatever its case, and with a guess at the schema that is none.
        let engine = place.engine(|spec| {
            spec.table = TableName { schema: Some("lake".into()), guessed: true, name: "Orders".into() };
        });
        assert_eq!(rows(&engine, "select count(*) from src.t").await, ["0"], "{}", place.kind);
    }
}

#[tokio::test]
async fn no_connection() {
    for mut place in places("refused").await {
        let (key, value, hint) = match place.kind {
            "sqlite" => ("path", json!("/nowhere/shop.db"), "the file has to be there"),
            _ => ("password", json!("guessed-wrong"), "look at `user` and `password`"),
        };
        place.settings[key] = value;
        let error = refusal(&place.engine(|_| {})).await;
        assert_eq!(error.code, codes::SOURCE_DATABASE, "{error:?}");
        assert!(error.message.starts_with("no connection for source `shop.t`"), "{error:?}");
        assert!(error.helps.iter().any(|help| help.contains(hint)), "{error:?}");
        assert!(!format!("{error:?}").contains("guessed-wrong"));
        if place.kind == "sqlite" {
            continue;
        }
        // Nothing listens on a port that was just given back.
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        place.settings["port"] = json!(port.port());
        let error = refusal(&place.engine(|_| {})).await;
        assert!(error.helps.iter().any(|help| help.contains("nothing listens there")), "{error:?}");
    }
}

#[tokio::test]
async fn columns_that_cannot_be_what_is_declared() {
    for place in places("declared").await {
        let t = place.named("t");
        place.execute(&format!("create table {t} (id int, s varchar(10), f double precision)")).await;
        place.execute(&format!("insert into {t} values (1, 'x', 0.5), (200, '7', 1)")).await;
        let error = refusal(&place.engine(|spec| spec.columns = vec![typed("id", "tinyint")])).await;
        assert_eq!(error.code, codes::BAD_RECORD, "{}: {error:?}", place.kind);
        assert!(error.message.contains("column `id`") && error.message.contains("200"), "{error:?}");
        let error = refusal(&place.engine(|spec| spec.columns = vec![typed("ID", "bigint"), typed("S", "int")])).await;
        assert!(error.message.contains("column `s`") && error.message.contains('x'), "{error:?}");
        let error = refusal(&place.engine(|spec| spec.partition_column = Some("f".into()))).await;
        assert_eq!(error.code, codes::BAD_SOURCE);
        assert!(error.message.starts_with("`f` cannot be the partition column"), "{error:?}");
        let error = refusal(&place.engine(|spec| spec.partition_column = Some("idd".into()))).await;
        assert_eq!(error.helps, ["a column named `id` exists"]);
    }
}

/// A connection that the server ends in the middle of a scan fails it, and no row is there twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_ends_the_scan() {
    for kind in ["mysql", "postgres"] {
        let Some(place) = place(kind, "lost").await else { continue };
        let t = place.named("t");
        place.execute(&format!("create table {t} (id bigint primary key, s text)")).await;
        let one = "repeat('x', 1000)";
        match kind {
            "mysql" => place.execute(&format!("insert into {t} select seq, {one} from seq_1_to_60000")).await,
            _ => place.execute(&format!("insert into {t} select g, {one} from generate_series(1, 60000) g")).await,
        }
        let engine = place.engine(|spec| spec.fetch_size = 100);
        let meter = engine.meter().expect("a session");
        let plan = engine.plan(&meter.state, &SourceFile::new("query", "select * from src.t")).await.expect("a plan");
        let scan = engine.physical(&meter.state, &plan).await.expect("a physical plan");
        let mut stream = execute_stream(scan, meter.state.task_ctx()).expect("starts");
        // Most of the 60 MB is still on the server's side, since nobody reads on.
        stream.try_next().await.expect("rows").expect("a batch");
        place.execute(&killer(kind, &t)).await;
        let error = loop {
            match stream.try_next().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("{kind}: the scan ended as if nothing had happened"),
                Err(error) => break crate::engine::execution_error(&error),
            }
        };
        assert_eq!(error.code, codes::SOURCE_DATABASE, "{error:?}");
        assert!(error.message.contains("could not be read to its end"), "{error:?}");
        assert!(error.helps.iter().any(|help| help.contains("run it again")), "{error:?}");
        assert_eq!(rows(&engine, "select count(*) from src.t").await, ["60000"], "the next one works");
    }
}

/// A statement that ends all connections which read from `table`.
fn killer(kind: &str, table: &str) -> String {
    match kind {
        "mysql" => {
            let schema = table.split('.').next().unwrap_or_default();
            format!(
                "begin not atomic for c in (select id from information_schema.processlist where db = '{schema}' \
                 and id <> connection_id()) do kill c.id; end for; end"
            )
        }
        _ => format!(
            "select pg_terminate_backend(pid) from pg_stat_activity where query like '%{}%' and pid <> pg_backend_pid()",
            table.replace('.', "\".\"")
        ),
    }
}
