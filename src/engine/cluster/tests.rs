//! Plans as they travel: encoded here, decoded as a server does, with the same rows at the end.

use std::sync::Arc;

use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, collect, displayable};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_proto::physical_plan::AsExecutionPlan;
use datafusion_proto::protobuf::PhysicalPlanNode;

use super::codec::{Codec, file_scan};
use super::prepare::{limits, may_reject, prepare, ships};
use super::session::{client_config, server_config, server_session};
use crate::engine::formats::{self, BadRecords, Format, NoRejects, ScanSpec, rejects_of, spec_of};
use crate::engine::functions;
use crate::project::ClusterOptions;
use crate::warehouse::{PartFilesExec, PartFolder};

const PEOPLE: &str = "{\"id\":1,\"name\":\"Ann\"}\n{\"id\":2,\"name\":\"Bé\"}\n{\"id\":3,\"name\":null}\n";

struct Client {
    folder: tempfile::TempDir,
    context: SessionContext,
}

impl Client {
    /// A session as a client of a cluster has it, with the table `people`.
    async fn new(change: impl FnOnce(&mut ScanSpec)) -> Client {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("people.json"), PEOPLE).expect("a file");
        let options = ClusterOptions { host: "h".into(), port: 1, partitions: Some(3), settings: Vec::new() };
        let config = client_config(SessionConfig::new(), &options, &Default::default()).expect("a configuration");
        let context = SessionContext::new_with_config(config);
        functions::register(&context).expect("functions");
        let location = folder.path().join("*.json").to_string_lossy().into_owned();
        let mut spec = ScanSpec::new("lake.people", location, Format::Json);
        change(&mut spec);
        let opened = formats::open(&context.state(), Arc::new(spec), Arc::new(NoRejects)).await.expect("a source");
        context.register_table("people", opened.provider).expect("a table");
        Client { folder, context }
    }

    async fn plan(&self, sql: &str) -> Arc<dyn ExecutionPlan> {
        let frame = self.context.sql(sql).await.expect("a plan");
        frame.create_physical_plan().await.expect("a physical plan")
    }
}

/// A task of an executor.
fn task(config: SessionConfig) -> Arc<TaskContext> {
    server_session(config).expect("a session").task_ctx()
}

fn travel(plan: &Arc<dyn ExecutionPlan>, task: &TaskContext) -> Arc<dyn ExecutionPlan> {
    let node = PhysicalPlanNode::try_from_physical_plan(Arc::clone(plan), &Codec::default()).expect("encoded");
    let mut bytes = Vec::new();
    node.try_encode(&mut bytes).expect("bytes");
    let node = PhysicalPlanNode::try_decode(&bytes).expect("a message");
    node.try_into_physical_plan(task, &Codec::default()).expect("decoded")
}

async fn rows(plan: &Arc<dyn ExecutionPlan>, task: &Arc<TaskContext>) -> String {
    let batches = collect(Arc::clone(plan), Arc::clone(task)).await.expect("rows");
    pretty_format_batches(&batches).expect("a table").to_string()
}

#[tokio::test]
async fn a_scan_of_ours_gives_the_same_rows_elsewhere() {
    let client = Client::new(|_| ()).await;
    let sql = "select upper(name) as name, checked from (select name, id + 1 as checked from people) \
               where checked > 2 order by checked";
    let plan = client.plan(sql).await;
    assert!(ships(&plan), "{}", displayable(plan.as_ref()).indent(false));
    let task = task(server_config());
    let arrived = travel(&plan, &task);
    let here = rows(&plan, &client.context.task_ctx()).await;
    assert_eq!(rows(&arrived, &task).await, here);
    assert_eq!(
        here.lines().filter(|line| line.contains('|')).collect::<Vec<_>>(),
        ["| name | checked |", "| BÉ   | 3       |", "|      | 4       |"]
    );
}

#[tokio::test]
async fn rejected_records_are_spooled_only_if_somebody_asks() {
    let client = Client::new(|spec| {
        spec.bad_records = BadRecords::Quarantine;
        spec.max_bad_records = Some(7);
    })
    .await;
    std::fs::write(client.folder.path().join("people.json"), format!("{PEOPLE}not json\n")).expect("a file");
    let plan = client.plan("select name from people").await;
    assert!(may_reject(&plan));
    assert_eq!(limits(&plan), [("lake.people".to_string(), 7)].into());
    for (folder, expected) in [("", 0), ("file:///nowhere/", 1)] {
        let mut config = server_config();
        config.options_mut().set("c360.rejects", folder).expect("a setting");
        let task = task(config);
        let arrived = travel(&plan, &task);
        rows(&arrived, &task).await;
        let mut rejected = 0;
        let mut stack = vec![arrived];
        while let Some(node) = stack.pop() {
            stack.extend(node.children().into_iter().cloned());
            let Some(scan) = file_scan(node.as_ref()) else { continue };
            assert_eq!(spec_of(scan.file_source().as_ref()).map(|spec| spec.name.as_str()), Some("lake.people"));
            let events = rejects_of(scan.file_source().as_ref()).map(|sink| sink.take()).unwrap_or_default();
            rejected += events.iter().filter(|event| matches!(event, formats::RejectEvent::Rejected(_))).count();
        }
        assert_eq!(rejected, expected);
    }
}

#[tokio::test]
async fn part_files_are_named_by_what_comes_out() {
    let client = Client::new(|_| ()).await;
    let plan = client.plan("select * from people").await;
    let table = url::Url::from_directory_path(client.folder.path().join("table")).expect("a URL");
    let target = PartFolder::new(table);
    let plan: Arc<dyn ExecutionPlan> = Arc::new(PartFilesExec::new(plan, target.clone()));
    let task = task(server_config());
    let arrived = travel(&plan, &task);
    let batches = collect(arrived, Arc::clone(&task)).await.expect("rows");
    let lines: Vec<String> = batches
        .iter()
        .flat_map(|batch| datafusion::common::cast::as_string_array(batch.column(0)).expect("text").iter())
        .flatten()
        .map(String::from)
        .collect();
    assert_eq!(lines.len(), 1);
    let add: serde_json::Value = serde_json::from_str(&lines[0]).expect("JSON");
    let path = add["path"].as_str().expect("a path");
    assert!(path.starts_with(&format!("{}/", target.folder)), "{path}");
    let file = client.folder.path().join("table").join(path);
    assert_eq!(std::fs::metadata(&file).expect("a file").len(), add["size"].as_u64().expect("a size"));
    let stats: serde_json::Value = serde_json::from_str(add["stats"].as_str().expect("statistics")).expect("JSON");
    assert_eq!((&stats["numRecords"], &stats["maxValues"]["id"]), (&3.into(), &3.into()));
}

#[tokio::test]
async fn joins_that_mark_their_left_rows_run_in_one_task() {
    let client = Client::new(|_| ()).await;
    for name in ["b.json", "c.json"] {
        std::fs::write(client.folder.path().join(name), PEOPLE).expect("a file");
    }
    let location = client.folder.path().join("*.json").to_string_lossy().into_owned();
    let spec = Arc::new(ScanSpec::new("lake.more", location, Format::Json));
    let opened = formats::open(&client.context.state(), spec, Arc::new(NoRejects)).await.expect("a source");
    client.context.register_table("more", opened.provider).expect("a table");
    let sql = "select * from people a where not exists (select 1 from more b where b.id > a.id)";
    let plan = prepare(client.plan(sql).await).expect("a plan");
    let mut stack = vec![Arc::clone(&plan)];
    let mut joins = 0;
    while let Some(node) = stack.pop() {
        if node.name() == "NestedLoopJoinExec" && node.children()[1].output_partitioning().partition_count() == 1 {
            joins += 1;
        }
        stack.extend(node.children().into_iter().cloned());
    }
    assert_eq!(joins, 1, "{}", displayable(plan.as_ref()).indent(false));
}

#[tokio::test]
async fn rows_that_are_made_up_arrive() {
    let client = Client::new(|_| ()).await;
    let sql = "select * from (select name from people union all select 'lit' union all select name from people where 1 > 2) \
               order by name nulls last";
    let plan = prepare(client.plan(sql).await).expect("a plan");
    let shown = displayable(plan.as_ref()).indent(false).to_string();
    assert!(!shown.contains("PlaceholderRow") && !shown.contains("EmptyExec"), "{shown}");
    let task = task(server_config());
    let shown = rows(&travel(&plan, &task), &task).await;
    let lines: Vec<&str> = shown.lines().filter(|line| line.contains('|')).collect();
    assert_eq!(lines, ["| name |", "| Ann  |", "| Bé   |", "| lit  |", "|      |"]);
}

#[tokio::test]
async fn what_is_bound_to_this_process_stays_here() {
    let client = Client::new(|_| ()).await;
    for sql in [
        "select 1",
        "with recursive n as (select 1 as i union all select i + 1 from n where i < 3) select * from n, people",
        "explain analyze select * from people",
    ] {
        let plan = client.plan(sql).await;
        assert!(!ships(&plan), "{}", displayable(plan.as_ref()).indent(false));
    }
}

#[tokio::test]
async fn a_plain_delta_table_travels_as_a_list_of_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = url::Url::from_directory_path(folder.path()).expect("a URL");
    let client = Client::new(|_| ()).await;
    let batch = client.context.table("people").await.expect("a table").collect().await.expect("rows").remove(0);
    let table = deltalake::DeltaTableBuilder::from_url(url).and_then(|builder| builder.build()).expect("a table");
    let table = table.write(vec![batch]).with_partition_columns(["id"]).await.expect("written");
    let files = formats::delta_files(&table, "t").expect("files").expect("a plain table");
    let names: Vec<String> = files.schema().fields().iter().map(|field| field.name().clone()).collect();
    assert_eq!(names, ["id", "name"]);
    client.context.register_table("t", files).expect("a table");
    let plan = client.plan("select id, name from t where id > 1 order by id").await;
    assert!(ships(&plan), "{}", displayable(plan.as_ref()).indent(false));
    let task = task(server_config());
    let shown = rows(&travel(&plan, &task), &task).await;
    assert_eq!(shown.lines().filter(|line| line.starts_with("| 2 ") || line.starts_with("| 3 ")).count(), 2, "{shown}");
}
