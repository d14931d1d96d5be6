//! The queries of a snapshot: old rows with what ended, then what begins.
//!
//! In them `src` is a row of the source, with its key as `__k0, __k1, ..` and the time of its change as `__at`; `snap` is
//! a row of the snapshot, with its key and whether it is current (`__live`). Rows whose key is null match nothing, as in
//! dbt. Several rows of the source with one key are all kept.

use chrono::NaiveDateTime;
use datafusion::arrow::datatypes::{DataType, SchemaRef};

use super::settings::{HardDeletes, Settings, Strategy, column};
use crate::node::{Relation, quote};

/// What a run after the first one looks at.
pub(super) struct Merge<'a> {
    pub(super) settings: &'a Settings,
    pub(super) target: &'a Relation,
    pub(super) staged: &'a Relation,
    /// Columns of the snapshot.
    pub(super) old: &'a SchemaRef,
    /// Columns of the source.
    pub(super) new: &'a SchemaRef,
    pub(super) now: NaiveDateTime,
}

/// The query of the first run.
pub(super) fn first(settings: &Settings, query: &str, now: NaiveDateTime) -> String {
    let names = &settings.names;
    let mut meta = vec![
        (scd_id(settings, "src", "src.__at"), &names.scd_id),
        ("src.__at".to_string(), &names.updated_at),
        ("src.__at".to_string(), &names.valid_from),
        (valid_to(settings, "src.__at"), &names.valid_to),
    ];
    if settings.hard_deletes == HardDeletes::NewRecord {
        meta.push(("'False'".to_string(), &names.is_deleted));
    }
    let meta: Vec<String> = meta.iter().map(|(value, name)| format!("{value} as {}", quote(name))).collect();
    format!(
        "select src.* exclude ({}), {} from ({}) as src",
        helpers(settings).join(", "),
        meta.join(", "),
        with_helpers(settings, &format!("(\n{query}\n)"), now),
    )
}

/// Names of the helper columns of a row of the source.
fn helpers(settings: &Settings) -> Vec<String> {
    let keys = (0..settings.keys.len()).map(|index| format!("__k{index}"));
    keys.chain(["__at".to_string()]).collect()
}

fn with_helpers(settings: &Settings, from: &str, now: NaiveDateTime) -> String {
    let at = settings.updated_at.as_ref().map_or_else(|| literal(now), |text| format!("({text})"));
    format!("select *, {}, {at} as __at from {from} as __rows", keys(settings))
}

fn keys(settings: &Settings) -> String {
    let keys = settings.keys.iter().enumerate().map(|(index, key)| format!("({key}) as __k{index}"));
    keys.collect::<Vec<_>>().join(", ")
}

fn literal(now: NaiveDateTime) -> String {
    format!("cast('{}' as timestamp)", now.format("%Y-%m-%d %H:%M:%S%.6f"))
}

/// A hash of the key and of the time.
fn scd_id(settings: &Settings, row: &str, at: &str) -> String {
    let keys = (0..settings.keys.len()).map(|index| format!("{row}.__k{index}"));
    let parts = keys.chain([at.to_string()]).map(|part| format!("coalesce(cast({part} as varchar), '')"));
    format!("md5({})", parts.collect::<Vec<_>>().join(" || '|' || "))
}

/// The end of a row that begins at `at`: null, or what marks current rows; in the type of `at`.
fn valid_to(settings: &Settings, at: &str) -> String {
    match &settings.current {
        Some(current) => format!("coalesce(nullif({at}, {at}), {current})"),
        None => format!("nullif({at}, {at})"),
    }
}

/// A column of the snapshot after this run.
struct Target<'a> {
    name: &'a str,
    data_type: &'a DataType,
    in_old: bool,
    /// Its name in the source, if the source has it.
    in_new: Option<&'a str>,
}

impl Merge<'_> {
    /// The whole snapshot after this run.
    pub(super) fn sql(&self) -> String {
        let mut parts = vec![self.kept(), self.begun()];
        if self.settings.hard_deletes == HardDeletes::NewRecord {
            parts.push(self.deletion_records());
        }
        format!(
            "with src as ({}),\nsnap as ({}),\nended as ({})\n{}",
            with_helpers(self.settings, &self.staged.render(), self.now),
            self.snap(),
            self.ended(),
            parts.join("\nunion all\n"),
        )
    }

    fn snap(&self) -> String {
        let valid_to = quote(&self.settings.names.valid_to);
        let live = match &self.settings.current {
            Some(current) => format!("({valid_to} is null or {valid_to} = {current})"),
            None => format!("{valid_to} is null"),
        };
        format!("select *, {}, {live} as __live from {} as __rows", keys(self.settings), self.target.render())
    }

    /// Current rows that end in this run, by their `scd_id`, and when.
    fn ended(&self) -> String {
        let id = column("snap", &self.settings.names.scd_id);
        let mut sql = format!(
            "select {id} as __id, min(src.__at) as __at from snap join src on {} where snap.__live and ({}) group by 1",
            self.same_key(),
            self.changed(),
        );
        if self.settings.hard_deletes != HardDeletes::Ignore {
            sql = format!("{sql} union all select {id} as __id, {} as __at {}", literal(self.now), self.gone());
        }
        sql
    }

    /// Current rows that the source no longer has.
    fn gone(&self) -> String {
        let marked = match self.settings.hard_deletes {
            HardDeletes::NewRecord => format!(" and {} <> 'True'", column("snap", &self.settings.names.is_deleted)),
            _ => String::new(),
        };
        format!("from snap where snap.__live{marked} and not exists (select 1 from src where {})", self.same_key())
    }

    /// Old rows; those that ended get their end.
    fn kept(&self) -> String {
        let names = &self.settings.names;
        let list = self.columns().into_iter().map(|target| {
            let value = match target.in_old {
                true if target.name.eq_ignore_ascii_case(&names.valid_to) => {
                    let own = column("snap", target.name);
                    format!("case when ended.__id is not null then ended.__at else {own} end")
                }
                true => column("snap", target.name),
                false => "null".into(),
            };
            target.cast(&value)
        });
        let list = list.collect::<Vec<_>>().join(", ");
        let id = column("snap", &names.scd_id);
        format!("select {list} from snap left join ended on snap.__live and {id} = ended.__id")
    }

    /// Rows of the source that are new, or no longer what the snapshot has.
    fn begun(&self) -> String {
        let list = self.columns().into_iter().map(|target| {
            let value = self.meta_value(target.name, "src", "src.__at", "False");
            let value = value.or_else(|| target.in_new.map(|name| column("src", name)));
            target.cast(&value.unwrap_or_else(|| "null".into()))
        });
        format!(
            "select {} from src where not exists (select 1 from snap where {} and snap.__live and not ({}))",
            list.collect::<Vec<_>>().join(", "),
            self.same_key(),
            self.changed(),
        )
    }

    /// For each row that is gone, a row that says so.
    fn deletion_records(&self) -> String {
        let now = literal(self.now);
        let list = self.columns().into_iter().map(|target| {
            let value = self.meta_value(target.name, "snap", &now, "True");
            let own = target.in_old.then(|| column("snap", target.name));
            target.cast(&value.or(own).unwrap_or_else(|| "null".into()))
        });
        format!("select {} {}", list.collect::<Vec<_>>().join(", "), self.gone())
    }

    /// The value of a column that the snapshot adds, for a row that begins at `at`.
    fn meta_value(&self, name: &str, row: &str, at: &str, deleted: &str) -> Option<String> {
        let names = &self.settings.names;
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        match () {
            () if is(&names.scd_id) => Some(scd_id(self.settings, row, at)),
            () if is(&names.updated_at) || is(&names.valid_from) => Some(at.to_string()),
            () if is(&names.valid_to) => Some(valid_to(self.settings, at)),
            () if is(&names.is_deleted) && self.settings.hard_deletes == HardDeletes::NewRecord => {
                Some(format!("'{deleted}'"))
            }
            () => None,
        }
    }

    fn same_key(&self) -> String {
        let equal = (0..self.settings.keys.len()).map(|index| format!("src.__k{index} = snap.__k{index}"));
        equal.collect::<Vec<_>>().join(" and ")
    }

    /// True, never null, if the row of the source is not the current row of the snapshot any more.
    fn changed(&self) -> String {
        let names = &self.settings.names;
        let changed = match &self.settings.strategy {
            Strategy::Timestamp => {
                format!("coalesce({} < src.__at, false)", column("snap", &names.valid_from))
            }
            Strategy::Check(columns) => self.differs(columns.as_deref()),
        };
        match self.settings.hard_deletes {
            // What comes back after it was deleted begins again.
            HardDeletes::NewRecord => format!("{changed} or {} = 'True'", column("snap", &names.is_deleted)),
            _ => changed,
        }
    }

    /// A column that the snapshot lacks counts as a change of every row.
    fn differs(&self, columns: Option<&[String]>) -> String {
        let all: Vec<String> = self.new.fields().iter().map(|field| field.name().clone()).collect();
        let find = |schema: &SchemaRef, name: &str| {
            schema
                .fields()
                .iter()
                .find(|field| field.name().eq_ignore_ascii_case(name))
                .map(|field| field.name().clone())
        };
        let mut tests = Vec::new();
        for name in columns.unwrap_or(&all) {
            let (Some(new), Some(old)) = (find(self.new, name), find(self.old, name)) else { return "true".into() };
            tests.push(format!("({} is distinct from {})", column("src", &new), column("snap", &old)));
        }
        format!("({})", tests.join(" or "))
    }

    /// The columns of the snapshot after this run: those that it has, then those that the source has gained.
    fn columns(&self) -> Vec<Target<'_>> {
        let find = |schema: &'_ SchemaRef, name: &str| {
            schema.fields().iter().position(|field| field.name().eq_ignore_ascii_case(name))
        };
        let old = self.old.fields().iter().map(|field| Target {
            name: field.name(),
            data_type: field.data_type(),
            in_old: true,
            in_new: find(self.new, field.name()).map(|index| self.new.field(index).name().as_str()),
        });
        let gained = self.new.fields().iter().filter(|field| find(self.old, field.name()).is_none());
        let gained = gained.map(|field| Target {
            name: field.name(),
            data_type: field.data_type(),
            in_old: false,
            in_new: Some(field.name()),
        });
        old.chain(gained).collect()
    }
}

impl Target<'_> {
    fn cast(&self, value: &str) -> String {
        format!("arrow_cast({value}, '{}') as {}", self.data_type, quote(self.name))
    }
}
