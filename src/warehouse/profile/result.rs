//! A profile as it is shown, and what is shown of a column.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float32Array, Float64Array, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::util::display::array_value_to_string;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value as Json};

use super::column::{Column, Values};
use super::distinct::Entry;
use super::numbers::{Numbers, Value};
use super::sample::Point;
use super::spread::{histogram, quantile};
use super::steps::Unit;
use super::texts::Texts;

/// Different values that a column has at most if they are listed.
const LISTED: usize = 100;
/// Values that are listed.
const TOP: usize = 20;

/// What is known of one column of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// Rows of the table.
    pub rows: u64,
    /// Rows in which the column is null.
    pub nulls: u64,
    /// Different values beside null; none for structs, lists and maps.
    pub distinct: Option<u64>,
    /// True if `distinct` is no estimate.
    pub distinct_exact: bool,
    /// The smallest value.
    pub min: Option<String>,
    /// The largest value.
    pub max: Option<String>,
    /// The mean of numbers.
    pub mean: Option<f64>,
    /// Of numbers, dates and timestamps.
    pub quantiles: Option<Quantiles>,
    /// Of numbers, dates and timestamps.
    pub histogram: Option<Histogram>,
    /// The most frequent values with how often they are there, if the column has few different ones.
    pub top: Option<Vec<(String, u64)>>,
    /// Values that are no number (NaN): they count in nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nan: Option<u64>,
    /// How many items the lists of the column have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<Length>,
    /// True if nothing that shows values is kept, because of the column's tags.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// Values below which a share of the others lies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Quantiles {
    pub p05: Json,
    pub p25: Json,
    pub p50: Json,
    pub p75: Json,
    pub p95: Json,
}

/// How many values lie between each edge and the next one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// One more than there are counts. A bar includes its left edge.
    pub edges: Vec<Json>,
    /// Values in each bar.
    pub counts: Vec<u64>,
}

/// Lengths of lists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Length {
    pub min: i64,
    pub max: i64,
    pub mean: f64,
}

impl ColumnProfile {
    /// What is shown of a column of the type `data_type`.
    pub(super) fn new(column: &Column, data_type: &DataType, hidden: bool) -> ColumnProfile {
        let mut profile = ColumnProfile {
            rows: column.rows,
            nulls: column.nulls,
            distinct: None,
            distinct_exact: false,
            min: None,
            max: None,
            mean: None,
            quantiles: None,
            histogram: None,
            top: None,
            nan: None,
            length: None,
            hidden,
        };
        match &column.values {
            Values::Booleans { trues, falses } => profile.booleans(*trues, *falses),
            Values::Whole(numbers) => profile.numbers(numbers, &Whole(data_type)),
            Values::Decimals(numbers) => profile.numbers(numbers, &Decimals(data_type)),
            Values::Floats(numbers) => profile.numbers(numbers, &Floats(data_type)),
            Values::Texts(texts) => profile.texts(texts, data_type),
            Values::Lists(lengths) => profile.lengths(lengths),
            Values::Opaque => {}
        }
        if hidden { profile.hide() } else { profile }
    }

    /// The profile without anything that shows a value.
    #[must_use]
    pub fn hide(mut self) -> ColumnProfile {
        (self.min, self.max, self.mean) = (None, None, None);
        (self.quantiles, self.histogram, self.top) = (None, None, None);
        self.hidden = true;
        self
    }

    fn booleans(&mut self, trues: u64, falses: u64) {
        let mut values = vec![("true".to_string(), trues), ("false".to_string(), falses)];
        values.retain(|(_, count)| *count > 0);
        values.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        self.min = values.iter().map(|(value, _)| value.clone()).min();
        self.max = values.iter().map(|(value, _)| value.clone()).max();
        (self.distinct, self.distinct_exact) = (Some(values.len() as u64), true);
        self.top = Some(values).filter(|values| !values.is_empty());
    }

    fn count(&mut self, (distinct, exact): (u64, bool), values: u64) {
        self.distinct = Some(distinct.min(values));
        self.distinct_exact = exact;
    }

    fn numbers<V: Value>(&mut self, numbers: &Numbers<V>, shown: &impl Shown<V>) {
        self.count(numbers.distinct.count(), numbers.count);
        self.nan = (numbers.nan > 0).then_some(numbers.nan);
        if let Some((low, high)) = numbers.range {
            (self.min, self.max) = (Some(shown.text(low)), Some(shown.text(high)));
        }
        let unit = shown.unit();
        if matches!(unit, Unit::Whole | Unit::Real) && numbers.count > 0 {
            let mean = shown.scaled(numbers.sum / numbers.count as f64);
            self.mean = Some(mean).filter(|mean| mean.is_finite());
        }
        let (mut points, _) = numbers.points();
        points.iter_mut().for_each(|point| point.value = shown.scaled(point.value));
        self.quantiles = quantiles(&points, shown);
        self.histogram = bars(numbers, &points, shown);
        self.top = numbers.distinct.entries().and_then(|entries| top(entries, |value| shown.text(*value)));
    }

    fn texts(&mut self, texts: &Texts, data_type: &DataType) {
        self.count(texts.distinct.count(), texts.count);
        let text = |bytes: &[u8]| readable(bytes, data_type);
        self.min = texts.low.as_ref().map(|bound| text(&bound.bytes));
        self.max = texts.high.as_ref().map(|bound| text(&bound.bytes));
        self.top = texts.distinct.entries().and_then(|entries| top(entries, |value| text(value)));
    }

    fn lengths(&mut self, lengths: &Numbers<i64>) {
        let mean = lengths.sum / lengths.count.max(1) as f64;
        self.length = lengths.range.map(|(min, max)| Length { min, max, mean });
    }
}

/// Text as it is, bytes in hexadecimal digits.
fn readable(bytes: &[u8], data_type: &DataType) -> String {
    /// Bytes that are shown.
    const SHOWN: usize = 32;
    match data_type {
        DataType::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
        _ => {
            let digits: String = bytes.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect();
            if bytes.len() > SHOWN { digits + "…" } else { digits }
        }
    }
}

/// The most frequent values first; none if they say nothing, because hardly one is there twice.
fn top<K>(entries: &[Entry<K>], text: impl Fn(&K) -> String) -> Option<Vec<(String, u64)>> {
    let most = entries.iter().map(|entry| entry.count).max()?;
    if entries.len() > LISTED || (most == 1 && entries.len() > TOP / 2) {
        return None;
    }
    let mut values: Vec<(String, u64)> = entries.iter().map(|entry| (text(&entry.value), entry.count)).collect();
    values.sort_by(|one, two| two.1.cmp(&one.1).then_with(|| one.0.cmp(&two.0)));
    values.truncate(TOP);
    while values.len() > TOP / 2 && values.last().is_some_and(|(_, count)| *count == 1) {
        values.pop();
    }
    Some(values)
}

/// The histogram of the values that are finite.
fn bars<V: Value>(numbers: &Numbers<V>, points: &[Point], shown: &impl Shown<V>) -> Option<Histogram> {
    let whole = numbers.range.map(|(low, high)| [low, high].map(|value| shown.scaled(value.number())))?;
    let (low, high, count) = match whole.iter().all(|value| value.is_finite()) {
        true => (whole[0], whole[1], numbers.count),
        false => {
            let weight: f64 = points.iter().map(|point| point.weight).sum();
            (points.first()?.value, points.last()?.value, weight.round() as u64)
        }
    };
    let bars = histogram(points, shown.unit(), low, high, count)?;
    Some(Histogram { edges: bars.edges.iter().map(|edge| shown.json(*edge)).collect(), counts: bars.counts })
}

fn quantiles<V>(points: &[Point], shown: &impl Shown<V>) -> Option<Quantiles> {
    let at = |q: f64| quantile(points, q).map(|value| shown.json(value));
    Some(Quantiles { p05: at(0.05)?, p25: at(0.25)?, p50: at(0.5)?, p75: at(0.75)?, p95: at(0.95)? })
}

/// How the values of a type are shown.
trait Shown<V> {
    fn unit(&self) -> Unit;
    fn text(&self, value: V) -> String;
    /// A number of [`Numbers`] as the number that it means.
    fn scaled(&self, number: f64) -> f64 {
        number
    }
    /// Such a number in JSON.
    fn json(&self, number: f64) -> Json;
}

struct Whole<'a>(&'a DataType);

impl Shown<i64> for Whole<'_> {
    fn unit(&self) -> Unit {
        match self.0 {
            DataType::Date32 => Unit::Days,
            DataType::Timestamp(_, _) => Unit::Micros,
            _ => Unit::Whole,
        }
    }

    fn text(&self, value: i64) -> String {
        let array: ArrayRef = match self.0 {
            DataType::Date32 => Arc::new(Date32Array::from(vec![value as i32])),
            DataType::Timestamp(_, zone) => {
                Arc::new(TimestampMicrosecondArray::from(vec![value]).with_timezone_opt(zone.clone()))
            }
            _ => return value.to_string(),
        };
        // A moment that no calendar has is shown as its number.
        array_value_to_string(&array, 0).unwrap_or_else(|_| value.to_string())
    }

    fn json(&self, number: f64) -> Json {
        match self.unit() {
            Unit::Days | Unit::Micros => Json::from(self.text(number as i64)),
            _ => Json::from(number as i64),
        }
    }
}

struct Decimals<'a>(&'a DataType);

impl Decimals<'_> {
    fn precision(&self) -> (u8, i8) {
        match self.0 {
            DataType::Decimal128(precision, scale) => (*precision, *scale),
            _ => (38, 0),
        }
    }
}

impl Shown<i128> for Decimals<'_> {
    fn unit(&self) -> Unit {
        Unit::Real
    }

    fn text(&self, value: i128) -> String {
        let (precision, scale) = self.precision();
        let array = Decimal128Array::from(vec![value]).with_precision_and_scale(precision, scale);
        array.map_or_else(|_| value.to_string(), |array| array.value_as_string(0))
    }

    fn scaled(&self, number: f64) -> f64 {
        let scale = i32::from(self.precision().1);
        if scale < 0 { number * 10.0_f64.powi(-scale) } else { number / 10.0_f64.powi(scale) }
    }

    fn json(&self, number: f64) -> Json {
        real(number)
    }
}

struct Floats<'a>(&'a DataType);

impl Shown<f64> for Floats<'_> {
    fn unit(&self) -> Unit {
        Unit::Real
    }

    fn text(&self, value: f64) -> String {
        let array: ArrayRef = match self.0 {
            DataType::Float32 => Arc::new(Float32Array::from(vec![value as f32])),
            _ => Arc::new(Float64Array::from(vec![value])),
        };
        array_value_to_string(&array, 0).unwrap_or_else(|_| value.to_string())
    }

    fn json(&self, number: f64) -> Json {
        match self.0 {
            // The shortest number that is this one among those of its width: 0.1, not 0.10000000149011612.
            DataType::Float32 => (number as f32).to_string().parse().map_or(Json::Null, real),
            _ => real(number),
        }
    }
}

/// A number in JSON, whole if it is.
fn real(number: f64) -> Json {
    match number.fract() == 0.0 && number.abs() < 9e15 {
        true => Json::from(number as i64),
        false => Number::from_f64(number).map_or(Json::Null, Json::Number),
    }
}
