//! `range`, and iterators that are used up once.

use std::any::Any;
use std::cell::RefCell;

use crate::jinja::Interpreter;
use crate::jinja::stop::{Result, fail};
use crate::jinja::value::{Args, Object, Value};

/// The longest range that a template may make, as in Jinja2's sandbox.
const MAX_RANGE: usize = 100_000;

/// Items that can be walked once, such as what `zip` gives.
struct Once {
    kind: &'static str,
    items: RefCell<std::vec::IntoIter<Value>>,
}

/// An iterator over `items` with the type name `kind`.
pub(crate) fn iterator(kind: &'static str, items: Vec<Value>) -> Value {
    Value::object(Once { kind, items: RefCell::new(items.into_iter()) })
}

impl Object for Once {
    fn type_name(&self) -> &str {
        self.kind
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn iterate(&self) -> Option<Result<Vec<Value>>> {
        Some(Ok(self.items.take().collect()))
    }

    fn is_iterable(&self) -> bool {
        true
    }

    fn truth(&self) -> bool {
        true
    }

    fn repr(&self) -> String {
        format!("<{} object>", self.kind)
    }

    fn release(&self, work: &mut Vec<Value>) {
        work.extend(self.items.take());
    }
}

/// At most `count` items of `value`; the rest stays if it is an iterator.
pub(crate) fn take_items(value: &Value, count: usize) -> Result<Vec<Value>> {
    if let Some(once) = value.as_object::<Once>() {
        return Ok(once.items.borrow_mut().by_ref().take(count).collect());
    }
    if let Some(endless) = value.as_object::<crate::jinja::modules::Endless>() {
        return endless.take(count);
    }
    let mut items = value.items()?;
    items.truncate(count);
    Ok(items)
}

struct Range {
    start: i64,
    stop: i64,
    step: i64,
}

impl Range {
    fn count(&self) -> usize {
        let (start, stop, step) = (i128::from(self.start), i128::from(self.stop), i128::from(self.step));
        let span = if step > 0 { stop - start } else { start - stop };
        if span <= 0 { 0 } else { usize::try_from((span - 1) / step.abs() + 1).unwrap_or(usize::MAX) }
    }

    fn at(&self, index: usize) -> Value {
        Value::Int(self.start + index as i64 * self.step)
    }
}

impl Object for Range {
    fn type_name(&self) -> &str {
        "range"
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn get_item(&self, key: &Value) -> Option<Result> {
        let len = self.count() as i64;
        let index = key.as_int()?;
        let index = if index < 0 { index.checked_add(len)? } else { index };
        (0..len).contains(&index).then(|| Ok(self.at(index as usize)))
    }

    fn iterate(&self) -> Option<Result<Vec<Value>>> {
        Some(Ok((0..self.count()).map(|index| self.at(index)).collect()))
    }

    fn length(&self) -> Option<usize> {
        Some(self.count())
    }

    fn is_sequence(&self) -> bool {
        true
    }

    fn repr(&self) -> String {
        if self.step == 1 {
            format!("range({}, {})", self.start, self.stop)
        } else {
            format!("range({}, {}, {})", self.start, self.stop, self.step)
        }
    }

    fn equals(&self, other: &Value) -> bool {
        other.as_object::<Range>().is_some_and(|other| {
            self.count() == other.count() && (0..self.count()).all(|index| self.at(index) == other.at(index))
        })
    }
}

pub(super) fn range(_: &mut Interpreter<'_>, args: Args) -> Result {
    if !args.keyword.is_empty() {
        return Err(fail("range() takes no keyword arguments"));
    }
    let int = |value: &Value| match value {
        Value::Undefined(undefined) => Err(undefined.error()),
        _ => value
            .as_int()
            .ok_or_else(|| fail(format!("'{}' object cannot be interpreted as an integer", value.type_name()))),
    };
    let (start, stop, step) = match args.positional.as_slice() {
        [stop] => (0, int(stop)?, 1),
        [start, stop] => (int(start)?, int(stop)?, 1),
        [start, stop, step] => (int(start)?, int(stop)?, int(step)?),
        other => return Err(fail(format!("range expected 1 to 3 arguments, got {}", other.len()))),
    };
    if step == 0 {
        return Err(fail("range() arg 3 must not be zero"));
    }
    let range = Range { start, stop, step };
    if range.count() > MAX_RANGE {
        return Err(fail(format!("Range too big. The sandbox blocks ranges larger than MAX_RANGE ({MAX_RANGE}).")));
    }
    Ok(Value::object(range))
}
