//! What two writers of one table do to each other, and what the log tells about it.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use deltalake::delta_datafusion::planner::DeltaPlanner;

use super::{Appended, Base, Commit, Stored, TableVersion, Warehouse};
use crate::diag::codes;
use crate::node::Relation;

struct Room {
    warehouse: Warehouse,
    relation: Relation,
    state: SessionState,
    _folder: tempfile::TempDir,
}

impl Room {
    fn new() -> Room {
        let folder = tempfile::tempdir().expect("a folder");
        let warehouse = Warehouse::open("wh", folder.path(), Default::default()).expect("a warehouse");
        let state = SessionStateBuilder::new().with_default_features().with_query_planner(DeltaPlanner::new()).build();
        Room { warehouse, relation: Relation::new("db", "main", "t"), state, _folder: folder }
    }

    async fn plan(&self, rows: std::ops::Range<i64>) -> Arc<dyn ExecutionPlan> {
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(rows));
        let batch = RecordBatch::try_from_iter_with_nullable([("id", ids, true)]).expect("a batch");
        let frame = SessionContext::new_with_state(self.state.clone()).read_batch(batch).expect("a frame");
        frame.create_physical_plan().await.expect("a plan")
    }

    async fn table(&self) -> TableVersion {
        match self.warehouse.load(&self.relation).await.expect("loads") {
            Some(Stored::Table(table)) => TableVersion::new(table, "main.t".into()),
            _ => panic!("no table"),
        }
    }
}

fn by(run: &str) -> Commit {
    Commit::new("model.t", run)
}

#[tokio::test]
async fn a_rewrite_of_an_older_version_is_refused_and_names_the_winner() {
    let room = Room::new();
    let (warehouse, relation, state) = (&room.warehouse, &room.relation, &room.state);
    let progress = Default::default();
    let first = warehouse.overwrite(state, relation, room.plan(0..3).await, &progress, &by("one")).await.expect("fine");
    warehouse.append(state, relation, room.plan(3..4).await, &progress, &by("two")).await.expect("fine");
    let plan = room.plan(0..1).await;
    let error = warehouse
        .overwrite_on(Base::Version(Some(first.version)), state, relation, plan, &progress, &by("three"))
        .await;
    let error = error.expect_err("refused");
    assert_eq!(error.code, codes::WRITE_CONFLICT);
    let note = "version 1 of it is theirs (write append by invocation two)";
    assert!(error.notes.iter().any(|found| found == note), "{error:?}");
    assert_eq!((room.table().await.number(), room.table().await.count()), (1, Some(4)));
    let plan = room.plan(0..1).await;
    let written = warehouse
        .overwrite_on(Base::Version(Some(1)), state, relation, plan, &progress, &by("three"))
        .await
        .expect("fine");
    assert_eq!((written.version, room.table().await.count()), (2, Some(1)));
}

#[tokio::test]
async fn of_writes_at_the_same_time_all_appends_stay_and_one_overwrite_wins() {
    let room = Room::new();
    let (warehouse, relation, state) = (&room.warehouse, &room.relation, &room.state);
    let progress = Default::default();
    warehouse.overwrite(state, relation, room.plan(0..1).await, &progress, &by("first")).await.expect("fine");
    let runs: Vec<Commit> = (0..6).map(|run| by(&format!("run {run}"))).collect();
    let mut plans = Vec::new();
    for run in 0..6 {
        plans.push(room.plan(10 * run..10 * run + 10).await);
    }
    let appends =
        runs.iter().zip(&plans).map(|(run, plan)| warehouse.append(state, relation, plan.clone(), &progress, run));
    for done in futures::future::join_all(appends).await {
        done.expect("appends do not fight");
    }
    assert_eq!(room.table().await.count(), Some(61));
    let overwrites =
        runs.iter().zip(&plans).map(|(run, plan)| warehouse.overwrite(state, relation, plan.clone(), &progress, run));
    let done = futures::future::join_all(overwrites).await;
    assert!(done.iter().any(Result::is_ok));
    for error in done.into_iter().filter_map(Result::err) {
        assert_eq!(error.code, codes::WRITE_CONFLICT, "{error:?}");
        assert!(error.notes.iter().any(|note| note.contains("by invocation run ")), "{error:?}");
    }
    assert_eq!(room.table().await.count(), Some(10), "the rows of one of them");
}

#[tokio::test]
async fn the_log_tells_what_was_added_and_who_replaced() {
    let room = Room::new();
    let (warehouse, relation, state) = (&room.warehouse, &room.relation, &room.state);
    let progress = Default::default();
    warehouse.overwrite(state, relation, room.plan(0..3).await, &progress, &by("one")).await.expect("fine");
    let id = room.table().await.table_id().expect("an id");
    warehouse.append(state, relation, room.plan(3..5).await, &progress, &by("two")).await.expect("fine");
    let Appended::Rows(tables) = room.table().await.appended(state, 0).await.expect("reads") else {
        panic!("rows were added")
    };
    let mut rows = 0;
    for table in tables {
        let context = SessionContext::new_with_state(state.clone());
        rows += context.read_table(table).expect("a frame").count().await.expect("counts");
    }
    assert_eq!(rows, 2);
    warehouse.overwrite(state, relation, room.plan(0..1).await, &progress, &by("three")).await.expect("fine");
    let Appended::Unclear(why) = room.table().await.appended(state, 0).await.expect("reads") else {
        panic!("rows were replaced")
    };
    assert_eq!(why, "version 2 replaced or removed rows (write overwrite by invocation three)");
    assert_eq!(room.table().await.table_id().expect("an id"), id, "an overwrite makes no other table");
    warehouse.drop_relation(relation).await.expect("dropped");
    warehouse.overwrite(state, relation, room.plan(0..1).await, &progress, &by("four")).await.expect("fine");
    assert_ne!(room.table().await.table_id().expect("an id"), id);
}

mod profiles {
    use super::super::profile::{Profiling, TableProfile};
    use super::*;

    fn profiled(run: &str, hidden: &[&str]) -> Commit {
        by(run).profiled(Profiling::On { hidden: hidden.iter().map(ToString::to_string).collect() })
    }

    async fn profile(room: &Room) -> TableProfile {
        room.warehouse.profile(&room.relation).await.expect("reads").expect("there is one")
    }

    async fn write(room: &Room, appends: bool, rows: std::ops::Range<i64>, commit: &Commit) {
        let (warehouse, relation, state) = (&room.warehouse, &room.relation, &room.state);
        let (plan, progress) = (room.plan(rows).await, Default::default());
        let done = match appends {
            true => warehouse.append(state, relation, plan, &progress, commit).await,
            false => warehouse.overwrite(state, relation, plan, &progress, commit).await,
        };
        done.expect("written");
    }

    fn told(profile: &TableProfile) -> (u64, u64, Option<String>, Option<String>, Option<u64>) {
        let column = profile.column("id").expect("the column").clone();
        (profile.version, profile.rows, column.min, column.max, column.distinct)
    }

    #[tokio::test]
    async fn a_profile_follows_its_table() {
        let room = Room::new();
        write(&room, false, 0..10, &profiled("one", &[])).await;
        assert_eq!(told(&profile(&room).await), (0, 10, Some("0".into()), Some("9".into()), Some(10)));
        write(&room, true, 5..20, &profiled("two", &[])).await;
        assert_eq!(told(&profile(&room).await), (1, 25, Some("0".into()), Some("19".into()), Some(20)));
        // A statement replaces the rows: it keeps what there is.
        write(&room, false, 3..5, &by("three").profiled(Profiling::AsBefore)).await;
        assert_eq!(told(&profile(&room).await), (2, 2, Some("3".into()), Some("4".into()), Some(2)));
    }

    #[tokio::test]
    async fn what_was_not_counted_leaves_a_profile_behind() {
        let room = Room::new();
        write(&room, false, 0..10, &profiled("one", &[])).await;
        write(&room, true, 10..20, &by("somebody")).await;
        assert_eq!((profile(&room).await.version, room.table().await.number()), (0, 1));
        // Nothing true can be said of rows that nobody counted.
        write(&room, true, 20..30, &profiled("two", &[])).await;
        assert_eq!((profile(&room).await.version, room.table().await.number()), (0, 2));
        write(&room, false, 0..1, &profiled("three", &[])).await;
        assert_eq!(profile(&room).await.version, 3);
    }

    #[tokio::test]
    async fn no_value_of_a_hidden_column_is_kept() {
        let room = Room::new();
        write(&room, false, 987_654_321_001..987_654_321_002, &profiled("one", &["ID"])).await;
        write(&room, true, 987_654_321_001..987_654_321_003, &profiled("two", &["ID"])).await;
        let found = profile(&room).await;
        let column = found.column("id").expect("the column");
        assert!(column.hidden);
        assert_eq!((column.rows, column.nulls, column.distinct), (3, 0, Some(2)));
        assert_eq!((&column.min, &column.max, column.mean, &column.top), (&None, &None, None, &None));
        assert!(column.histogram.is_none() && column.quantiles.is_none());
        let file = room.warehouse.table_url(&room.relation).to_file_path().expect("a path").join("_c360/profile.json");
        assert!(!std::fs::read_to_string(file).expect("the file").contains("98765432"));
    }

    /// The file is nobody's row, and `vacuum` leaves it alone.
    #[tokio::test]
    async fn readers_and_vacuum_do_not_see_the_file() {
        let room = Room::new();
        write(&room, false, 0..10, &profiled("one", &[])).await;
        write(&room, false, 0..5, &profiled("two", &[])).await;
        let Some(Stored::Table(table)) = room.warehouse.load(&room.relation).await.expect("loads") else {
            panic!("no table")
        };
        let vacuum = table.vacuum().with_retention_period(chrono::Duration::zero());
        let vacuum = vacuum.with_mode(deltalake::operations::vacuum::VacuumMode::Full);
        let (_, done) = vacuum.with_enforce_retention_duration(false).await.expect("vacuums");
        assert!(done.files_deleted.iter().all(|file| file.ends_with(".parquet")), "{:?}", done.files_deleted);
        assert!(!done.files_deleted.is_empty());
        assert_eq!(profile(&room).await.rows, 5);
        assert_eq!(room.table().await.count(), Some(5));
        room.warehouse.drop_relation(&room.relation).await.expect("drops");
        assert!(room.warehouse.profile(&room.relation).await.expect("reads").is_none());
    }
}
