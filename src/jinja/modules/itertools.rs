//! `modules.itertools`. Results are made at once; endless iterators give items to `islice`, `zip` and `zip_longest`.

use std::any::Any;
use std::cell::Cell;

use super::Native;
use crate::jinja::Interpreter;
use crate::jinja::functions::{iterator, take_items};
use crate::jinja::stop::{Result, fail};
use crate::jinja::syntax::ast::BinaryOp;
use crate::jinja::value::{Args, Object, Value, binary, check_length, equals};

pub(super) const FUNCTIONS: &[(&str, Native)] = &[
    ("accumulate", accumulate),
    ("chain", chain),
    ("combinations", combinations),
    ("combinations_with_replacement", combinations_with_replacement),
    ("compress", compress),
    ("count", count),
    ("cycle", cycle),
    ("dropwhile", dropwhile),
    ("filterfalse", filterfalse),
    ("groupby", groupby),
    ("islice", islice),
    ("permutations", permutations),
    ("product", product),
    ("repeat", repeat),
    ("starmap", starmap),
    ("takewhile", takewhile),
    ("tee", tee),
    ("zip_longest", zip_longest),
];

/// `count`, `cycle` and `repeat` without an end.
pub(crate) struct Endless {
    kind: &'static str,
    items: Vec<Value>,
    step: Value,
    at: Cell<usize>,
}

impl Endless {
    /// The next items.
    pub(crate) fn take(&self, count: usize) -> Result<Vec<Value>> {
        if count > 1_000_000 {
            return Err(self.endless());
        }
        let from = self.at.replace(self.at.get().saturating_add(count));
        (from..from + count)
            .map(|at| match self.kind {
                "count" => {
                    let steps = binary(BinaryOp::Mul, &self.step, &Value::from(at))?;
                    binary(BinaryOp::Add, &self.items[0], &steps)
                }
                _ => self.items.get(at % self.items.len().max(1)).cloned().ok_or_else(|| self.endless()),
            })
            .collect()
    }

    fn endless(&self) -> crate::jinja::stop::Stop {
        fail(format!("`{}` never ends: take some of it with `itertools.islice`", self.kind))
    }
}

impl Object for Endless {
    fn type_name(&self) -> &str {
        self.kind
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn iterate(&self) -> Option<Result<Vec<Value>>> {
        Some(Err(self.endless()))
    }

    fn is_iterable(&self) -> bool {
        true
    }
}

fn endless(kind: &'static str, items: Vec<Value>, step: Value) -> Value {
    Value::object(Endless { kind, items, step, at: Cell::new(0) })
}

fn count(_: &mut Interpreter<'_>, args: Args) -> Result {
    let [start, step] = args.bind("count", ["start", "step"])?;
    Ok(endless("count", vec![start.unwrap_or(Value::Int(0))], step.unwrap_or(Value::Int(1))))
}

fn cycle(_: &mut Interpreter<'_>, args: Args) -> Result {
    let [items] = args.required("cycle", ["iterable"])?;
    Ok(endless("cycle", items.items()?, Value::None))
}

fn repeat(interp: &mut Interpreter<'_>, args: Args) -> Result {
    let [item, times] = args.bind("repeat", ["object", "times"])?;
    let item = item.ok_or_else(|| fail("repeat() missing required argument 'object'"))?;
    match times {
        None => Ok(endless("repeat", vec![item], Value::None)),
        Some(times) => {
            let times = natural(Some(&times), 0)?;
            interp.spend(times as u64)?;
            check_length(times.saturating_mul(32))?;
            Ok(iterator("repeat", vec![item; times]))
        }
    }
}

/// An optional argument as a count.
fn natural(value: Option<&Value>, default: usize) -> Result<usize> {
    match value {
        None | Some(Value::None) => Ok(default),
        Some(value) => {
            let number =
                value.as_int().ok_or_else(|| fail(format!("expected an integer, got {}", value.type_name())))?;
            usize::try_from(number).map_err(|_| fail("must be non-negative"))
        }
    }
}

fn chain(interp: &mut Interpreter<'_>, args: Args) -> Result {
    let mut out = Vec::new();
    for value in &args.positional {
        let items = value.items()?;
        interp.spend(items.len() as u64)?;
        out.extend(items);
    }
    Ok(iterator("itertools.chain", out))
}

fn islice(_: &mut Interpreter<'_>, args: Args) -> Result {
    let (values, start, stop, step) = match args.positional.as_slice() {
        [values, stop] => (values, 0, Some(stop), 1),
        [values, start, stop] => (values, natural(Some(start), 0)?, Some(stop), 1),
        [values, start, stop, step] => (values, natural(Some(start), 0)?, Some(stop), natural(Some(step), 1)?),
        _ => return Err(fail("islice takes an iterable, an optional start, a stop and an optional step")),
    };
    let stop = natural(stop, usize::MAX)?;
    let items = take_items(values, stop)?;
    Ok(iterator("itertools.islice", items.into_iter().skip(start).step_by(step.max(1)).collect()))
}

fn accumulate(interp: &mut Interpreter<'_>, args: Args) -> Result {
    let [values, function, initial] = args.bind("accumulate", ["iterable", "func", "initial"])?;
    let function = function.filter(|function| !function.is_none());
    let mut total = initial.filter(|initial| !initial.is_none());
    let mut out: Vec<Value> = total.iter().cloned().collect();
    for item in values.unwrap_or(Value::None).items()? {
        let next = match (total, &function) {
            (None, _) => item,
            (Some(total), None) => binary(BinaryOp::Add, &total, &item)?,
            (Some(total), Some(function)) => interp.call(function, Args::positional([total, item]))?,
        };
        out.push(next.clone());
        total = Some(next);
    }
    Ok(iterator("itertools.accumulate", out))
}

fn compress(_: &mut Interpreter<'_>, args: Args) -> Result {
    let [data, selectors] = args.required("compress", ["data", "selectors"])?;
    let kept = data.items()?.into_iter().zip(selectors.items()?).filter(|(_, keep)| keep.is_true());
    Ok(iterator("itertools.compress", kept.map(|(item, _)| item).collect()))
}

fn starmap(interp: &mut Interpreter<'_>, args: Args) -> Result {
    let [function, rows] = args.required("starmap", ["function", "iterable"])?;
    let mut out = Vec::new();
    for row in rows.items()? {
        out.push(interp.call(&function, Args::positional(row.items()?))?);
    }
    Ok(iterator("itertools.starmap", out))
}

/// Items with the answer of a function for each.
fn answers(interp: &mut Interpreter<'_>, args: Args, name: &str) -> Result<Vec<(Value, bool)>> {
    let [function, values] = args.required(name, ["predicate", "iterable"])?;
    let mut out = Vec::new();
    for item in values.items()? {
        let answer = match &function {
            Value::None => item.is_true(),
            function => interp.call(function, Args::positional([item.clone()]))?.is_true(),
        };
        out.push((item, answer));
    }
    Ok(out)
}

fn takewhile(interp: &mut Interpreter<'_>, args: Args) -> Result {
    let answers = answers(interp, args, "takewhile")?;
    Ok(iterator("itertools.takewhile", answers.into_iter().take_while(|(_, yes)| *yes).map(|(item, _)| item).collect()))
}

fn dropwhile(interp: &mut Interpreter<'_>, args: Args) -> Result {
    let answers = answers(interp, args, "dropwhile")?;
    Ok(iterator("itertools.dropwhile", answers.into_iter().skip_while(|(_, yes)| *yes).map(|(item, _)| item).collect()))
}

fn filterfalse(interp: &mut Interpreter<'_>, args: Args) -> Result {
    let answers = answers(interp, args, "filterfalse")?;
    Ok(iterator("itertools.filterfalse", answers.into_iter().filter(|(_, yes)| !yes).map(|(item, _)| item).collect()))
}

fn groupby(interp: &mut Interpreter<'_>, args: Args) -> Result {
    let [values, key] = args.bind("groupby", ["iterable", "key"])?;
    let key = key.filter(|key| !key.is_none());
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for item in values.unwrap_or(Value::None).items()? {
        let by = match &key {
            Some(key) => interp.call(key, Args::positional([item.clone()]))?,
            None => item.clone(),
        };
        match groups.last_mut() {
            Some((other, list)) if equals(other, &by) => list.push(item),
            _ => groups.push((by, vec![item])),
        }
    }
    let pairs = groups.into_iter().map(|(key, list)| Value::tuple([key, iterator("itertools._grouper", list)]));
    Ok(iterator("itertools.groupby", pairs.collect()))
}

fn tee(_: &mut Interpreter<'_>, args: Args) -> Result {
    let [values, count] = args.bind("tee", ["iterable", "n"])?;
    let items = values.unwrap_or(Value::None).items()?;
    let count = natural(count.as_ref(), 2)?.min(1000);
    Ok(Value::tuple((0..count).map(|_| iterator("itertools._tee", items.clone()))))
}

fn zip_longest(interp: &mut Interpreter<'_>, mut args: Args) -> Result {
    let fill = args.take("fillvalue").unwrap_or(Value::None);
    let longest = args.positional.iter().filter(|value| value.as_object::<Endless>().is_none());
    let mut columns = Vec::new();
    let mut length = 0;
    for value in longest {
        let items = value.items()?;
        length = length.max(items.len());
        columns.push(items);
    }
    if columns.len() < args.positional.len() {
        return Err(fail("zip_longest cannot take an endless iterator"));
    }
    interp.spend((length as u64).saturating_mul(columns.len() as u64))?;
    let rows = (0..length)
        .map(|row| Value::tuple(columns.iter().map(|column| column.get(row).unwrap_or(&fill).clone())))
        .collect();
    Ok(iterator("itertools.zip_longest", rows))
}

fn product(interp: &mut Interpreter<'_>, mut args: Args) -> Result {
    let repeat = natural(args.take("repeat").as_ref(), 1)?;
    let pools: Vec<Vec<Value>> = args.positional.iter().map(Value::items).collect::<Result<_>>()?;
    interp.spend((pools.len() as u64).saturating_mul(repeat as u64))?;
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for _ in 0..repeat {
        for pool in &pools {
            spend_rows(interp, rows.len(), pool.len(), rows[0].len())?;
            if pool.is_empty() {
                return Ok(iterator("itertools.product", Vec::new()));
            }
            rows = rows.iter().flat_map(|row| pool.iter().map(move |item| extended(row, item))).collect();
        }
    }
    Ok(iterator("itertools.product", rows.into_iter().map(Value::tuple).collect()))
}

/// Counts the making of `rows * choices` rows that are one longer than `length`.
fn spend_rows(interp: &mut Interpreter<'_>, rows: usize, choices: usize, length: usize) -> Result<()> {
    let made = (rows as u64).saturating_mul(choices as u64);
    interp.spend(made.saturating_mul(length as u64 + 2).saturating_mul(2))
}

fn extended(row: &[Value], item: &Value) -> Vec<Value> {
    let mut out = Vec::with_capacity(row.len() + 1);
    out.extend_from_slice(row);
    out.push(item.clone());
    out
}

/// Rows of `length` positions out of `count`, in order; `allowed` says which positions may follow a row.
fn rows_of(
    interp: &mut Interpreter<'_>,
    count: usize,
    length: usize,
    allowed: fn(&[usize], usize) -> bool,
) -> Result<Vec<Vec<usize>>> {
    let mut rows: Vec<Vec<usize>> = vec![Vec::new()];
    interp.spend(length as u64)?;
    for done in 0..length {
        spend_rows(interp, rows.len(), count, done)?;
        rows = rows
            .iter()
            .flat_map(|row| {
                (0..count).filter(|at| allowed(row, *at)).map(move |at| {
                    let mut longer = row.clone();
                    longer.push(at);
                    longer
                })
            })
            .collect();
        if rows.is_empty() {
            break;
        }
    }
    Ok(rows)
}

fn picked(kind: &'static str, items: &[Value], rows: Vec<Vec<usize>>) -> Value {
    let rows = rows.into_iter().map(|row| Value::tuple(row.into_iter().map(|at| items[at].clone())));
    iterator(kind, rows.collect())
}

fn permutations(interp: &mut Interpreter<'_>, args: Args) -> Result {
    let [values, length] = args.bind("permutations", ["iterable", "r"])?;
    let items = values.unwrap_or(Value::None).items()?;
    let length = natural(length.as_ref(), items.len())?;
    let rows = rows_of(interp, items.len(), length, |row, at| !row.contains(&at))?;
    Ok(picked("itertools.permutations", &items, rows))
}

fn combinations(interp: &mut Interpreter<'_>, args: Args) -> Result {
    let [values, length] = args.required("combinations", ["iterable", "r"])?;
    let items = values.items()?;
    let rows =
        rows_of(interp, items.len(), natural(Some(&length), 0)?, |row, at| row.last().is_none_or(|last| at > *last))?;
    Ok(picked("itertools.combinations", &items, rows))
}

fn combinations_with_replacement(interp: &mut Interpreter<'_>, args: Args) -> Result {
    let [values, length] = args.required("combinations_with_replacement", ["iterable", "r"])?;
    let items = values.items()?;
    let rows =
        rows_of(interp, items.len(), natural(Some(&length), 0)?, |row, at| row.last().is_none_or(|last| at >= *last))?;
    Ok(picked("itertools.combinations_with_replacement", &items, rows))
}
