//! `on_schema_change`: what becomes of a table that stays (modes append and upsert) when the relation's columns are no
//! longer its own.
//!
//! A type has changed when the kind of the values has (see `kind`), not when texts have grown: a destination whose types have
//! a length makes room by itself.

use std::sync::Arc;

use super::ledger::{Entry, lower_names};
use super::place::Place;
use super::rows::{Projected, Rows};
use super::shape::Shape;
use super::{OnSchemaChange, PublishJob};
use crate::diag::{Diagnostic, Result, codes};

/// What has to happen to a table before rows are loaded, and which columns are loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Evolution {
    /// Columns to add, by their position in the relation.
    pub(super) add: Vec<usize>,
    /// Columns to drop, by the name that the table has for them.
    pub(super) drop: Vec<String>,
    /// Columns whose type changes, by their position in the relation.
    pub(super) retype: Vec<usize>,
    /// Positions in the relation of the columns that are loaded.
    pub(super) load: Vec<usize>,
    /// Names and kinds of the table's columns afterwards, for the ledger.
    pub(super) columns: Vec<(String, String)>,
}

impl Evolution {
    /// Compares the table's columns `there` with those of `shape`; `entry` remembers the kinds of the former.
    pub(super) fn of(
        place: &Place,
        job: &PublishJob,
        shape: &Shape,
        there: &[String],
        entry: Option<&Entry>,
    ) -> Result<Evolution> {
        let has = lower_names(there.iter().map(String::as_str));
        let wants = lower_names(shape.fields.iter().map(|field| field.name.as_str()));
        let kind_there = |name: &str| {
            let known = entry.map(|entry| entry.columns.as_slice()).unwrap_or_default();
            known.iter().find(|(other, _)| other.to_lowercase() == name.to_lowercase()).map(|(_, kind)| kind.clone())
        };
        let is_there = |at: &usize| has.contains(&shape.fields[*at].name.to_lowercase());
        let all: Vec<usize> = (0..shape.fields.len()).collect();
        let (common, added): (Vec<usize>, Vec<usize>) = all.iter().copied().partition(is_there);
        let gone: Vec<String> = there.iter().filter(|name| !wants.contains(&name.to_lowercase())).cloned().collect();
        let is_retyped = |at: &usize| {
            let field = &shape.fields[*at];
            kind_there(&field.name).is_some_and(|kind| kind != field.kind.to_string())
        };
        let retyped: Vec<usize> = common.iter().copied().filter(is_retyped).collect();
        refuse_keys(place, shape, &added)?;
        let policy = job.on_schema_change;
        if policy == OnSchemaChange::Fail && !(added.is_empty() && gone.is_empty() && retyped.is_empty()) {
            return Err(changed(place, shape, &added, &gone, &retyped));
        }
        let syncs = policy == OnSchemaChange::SyncAllColumns;
        let adds = syncs || policy == OnSchemaChange::AppendNewColumns;
        let mut out = Evolution {
            add: if adds { added } else { Vec::new() },
            drop: if syncs { gone.clone() } else { Vec::new() },
            retype: if syncs { retyped } else { Vec::new() },
            load: if adds { all } else { common },
            columns: Vec::new(),
        };
        for at in &out.load {
            let field = &shape.fields[*at];
            let kept = kind_there(&field.name).filter(|_| !syncs);
            out.columns.push((field.name.clone(), kept.unwrap_or_else(|| field.kind.to_string())));
        }
        let kept = gone.into_iter().filter(|_| !syncs);
        out.columns.extend(kept.filter_map(|name| kind_there(&name).map(|kind| (name, kind))));
        Ok(out)
    }

    /// `rows` as far as they are loaded.
    pub(super) fn project<'a>(&self, rows: &'a dyn Rows) -> Projected<'a> {
        Projected { rows, columns: self.load.clone() }
    }

    /// The job without what it says about columns that are not loaded.
    pub(super) fn job(&self, job: &PublishJob, rows: &dyn Rows) -> PublishJob {
        let schema = rows.schema();
        let loaded = lower_names(self.load.iter().map(|at| schema.field(*at).name().as_str()));
        let mut job = job.clone();
        job.columns.retain(|name, _| loaded.contains(&name.to_lowercase()));
        job.indexes.retain(|index| index.iter().all(|name| loaded.contains(&name.to_lowercase())));
        job
    }
}

/// The key cannot be added later.
fn refuse_keys(place: &Place, shape: &Shape, added: &[usize]) -> Result<()> {
    match added.iter().find(|at| shape.key.contains(at)) {
        None => Ok(()),
        Some(at) => {
            let problem = format!("the table there has no column `{}`, which is in the key", shape.fields[*at].name);
            Err(place.failed(codes::PUBLISH_FAILED, problem).help("run with --full-refresh to build the table again"))
        }
    }
}

fn changed(place: &Place, shape: &Shape, added: &[usize], gone: &[String], retyped: &[usize]) -> Box<Diagnostic> {
    let names = |positions: &[usize]| positions.iter().map(|at| shape.fields[*at].name.clone()).collect::<Vec<_>>();
    let mut diagnostic = place.failed(codes::PUBLISH_SCHEMA, "the relation has other columns than the table there");
    for (what, names) in [("new", names(added)), ("gone", gone.to_vec()), ("of another type", names(retyped))] {
        if !names.is_empty() {
            diagnostic = diagnostic.note(format!("{what}: {}", names.join(", ")));
        }
    }
    diagnostic.help(
        "run with --full-refresh to build the table again, or set `on_schema_change` of `publish` to ignore, \
         append_new_columns or sync_all_columns",
    )
}

/// The shape of the columns that are loaded, and those rows.
pub(super) fn loaded<'a>(
    place: &Place,
    job: &PublishJob,
    evolution: &Evolution,
    rows: &'a dyn Rows,
) -> Result<(Arc<Shape>, Projected<'a>)> {
    let projected = evolution.project(rows);
    let shape = Shape::resolve(&evolution.job(job, rows), &projected.schema(), place)?;
    Ok((Arc::new(shape), projected))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field, Schema};
    use serde_json::json;

    use super::super::source::Origin;
    use super::*;

    fn place() -> Place {
        Place { destination: "bi".into(), server: "sqlite".into(), table: "t".into(), node: "m".into() }
    }

    fn evolve(policy: &str, there: &[&str]) -> Result<Evolution> {
        let config = json!({"to": "bi", "key": "id", "mode": "upsert", "on_schema_change": policy});
        let job = PublishJob::parse("m", "t", &config).expect("fine").remove(0);
        let fields = [("ID", DataType::Int64), ("name", DataType::Utf8), ("new", DataType::Int32)];
        let schema = Schema::new(fields.map(|(name, kind)| Field::new(name, kind, true)).to_vec());
        let shape = Shape::resolve(&job, &schema, &place()).expect("fine");
        let origin = Origin { relation: "main.m".into(), version: None, run: "r".into(), full_refresh: false };
        let kinds = [("id", "int64"), ("name", "int32"), ("old", "date")];
        let kinds = kinds.map(|(name, kind)| (name.to_string(), kind.to_string())).to_vec();
        let entry = Entry::new("t", &job, &origin, kinds);
        let there: Vec<String> = there.iter().map(|name| name.to_string()).collect();
        Evolution::of(&place(), &job, &shape, &there, Some(&entry))
    }

    #[test]
    fn each_policy_does_what_dbt_says() {
        let there = ["id", "name", "old"];
        let error = evolve("fail", &there).expect_err("refused");
        assert_eq!(error.notes[1..], ["new: new", "gone: old", "of another type: name"]);
        let ignore = evolve("ignore", &there).expect("fine");
        assert_eq!((ignore.load, ignore.add.len(), ignore.drop.len(), ignore.retype.len()), (vec![0, 1], 0, 0, 0));
        let append = evolve("append_new_columns", &there).expect("fine");
        assert_eq!((append.load, append.add, append.drop.len(), append.retype.len()), (vec![0, 1, 2], vec![2], 0, 0));
        let sync = evolve("sync_all_columns", &there).expect("fine");
        assert_eq!((sync.add, sync.drop, sync.retype), (vec![2], vec!["old".to_string()], vec![1]));
        let names = |columns: &[(String, String)]| columns.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&append.columns), ["ID", "name", "new", "old"]);
        assert_eq!(names(&sync.columns), ["ID", "name", "new"]);
    }

    #[test]
    fn a_key_is_not_added_later() {
        assert!(evolve("sync_all_columns", &["name"]).expect_err("refused").message.contains("no column `ID`"));
    }
}
