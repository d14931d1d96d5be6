//! What is kept of a column, so that rows that are added later can be counted to it: less than 2 KB.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use datafusion::arrow::datatypes::DataType;
use serde::{Deserialize, Serialize};

use super::column::{Column, Values};
use super::distinct::{Distinct, Entry};
use super::numbers::{Numbers, Value};
use super::registers::Registers;
use super::spread::{thicken, thin};
use super::texts::{Bound, Texts, hash};

/// Bytes of JSON that all values of a column have at most if they are kept one by one.
const FEW: usize = 1200;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    /// The smallest value.
    #[serde(skip_serializing_if = "Option::is_none")]
    low: Option<String>,
    /// The largest value.
    #[serde(skip_serializing_if = "Option::is_none")]
    high: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<f64>,
    /// Values that are no number; of booleans those that are true.
    #[serde(skip_serializing_if = "Option::is_none")]
    special: Option<u64>,
    /// All values with how often they are there, if they are few.
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Vec<(String, u64)>>,
    /// How many different values there are, otherwise. Under another name it was made of other hashes.
    #[serde(rename = "sketch", skip_serializing_if = "Option::is_none")]
    registers: Option<String>,
    /// How they are spread, otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<String>,
}

impl Kept {
    /// Of a column that is `hidden` no value is kept.
    pub(super) fn new(column: &Column, data_type: &DataType, hidden: bool) -> Kept {
        match &column.values {
            Values::Booleans { trues, .. } => Kept { special: Some(*trues).filter(|_| !hidden), ..Kept::default() },
            Values::Whole(numbers) | Values::Lists(numbers) => of_numbers(numbers, hidden),
            Values::Decimals(numbers) => of_numbers(numbers, hidden),
            Values::Floats(numbers) => of_numbers(numbers, hidden),
            Values::Texts(texts) => of_texts(texts, data_type, hidden),
            Values::Opaque => Kept::default(),
        }
    }

    /// The column again; none if that cannot be.
    pub(super) fn column(&self, data_type: &DataType, rows: u64, nulls: u64) -> Option<Column> {
        let count = rows.checked_sub(nulls)?;
        let values = match Values::new(data_type) {
            Values::Booleans { .. } => {
                let trues = self.special?;
                Values::Booleans { trues, falses: count.checked_sub(trues)? }
            }
            Values::Whole(_) => Values::Whole(self.numbers(count)?),
            Values::Lists(_) => Values::Lists(self.numbers(count)?),
            Values::Decimals(_) => Values::Decimals(self.numbers(count)?),
            Values::Floats(_) => Values::Floats(self.numbers(count)?),
            Values::Texts(_) => Values::Texts(self.texts(data_type, count)?),
            Values::Opaque => Values::Opaque,
        };
        Some(Column { rows, nulls, values })
    }

    fn numbers<V: Value>(&self, values: u64) -> Option<Numbers<V>> {
        let mut numbers = Numbers::new();
        numbers.nan = self.special.unwrap_or(0);
        numbers.count = values.checked_sub(numbers.nan)?;
        numbers.sum = self.sum.unwrap_or(f64::NAN);
        if let (Some(low), Some(high)) = (&self.low, &self.high) {
            numbers.range = Some((V::read(low)?, V::read(high)?));
        }
        match &self.values {
            Some(values) => {
                for (text, count) in values {
                    let value = V::read(text)?;
                    numbers.distinct.add(value.hash(), *count, || value);
                }
                // A sample that others join has these values too.
                let points = numbers.points().0;
                numbers.sample.add_points(points);
            }
            None => {
                numbers.distinct = Distinct::Many(self.unpacked()?);
                let bytes = self.points.as_ref().and_then(|points| BASE64.decode(points).ok()).unwrap_or_default();
                let points = bytes.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes));
                numbers.sample.add_points(thicken(&points.collect::<Vec<_>>(), numbers.count));
            }
        }
        Some(numbers)
    }

    fn texts(&self, data_type: &DataType, count: u64) -> Option<Texts> {
        let bound = |text: &Option<String>| Some(Bound::new(&bytes_of(text.as_ref()?, data_type)?));
        let mut texts = Texts { count, low: bound(&self.low), high: bound(&self.high), distinct: Distinct::new() };
        match &self.values {
            Some(values) => {
                for (text, count) in values {
                    let bytes = bytes_of(text, data_type)?;
                    texts.distinct.add(hash(&bytes), *count, || bytes.into());
                }
            }
            None => texts.distinct = Distinct::Many(self.unpacked()?),
        }
        Some(texts)
    }

    fn unpacked(&self) -> Option<Registers> {
        Registers::unpack(&BASE64.decode(self.registers.as_ref()?).ok()?)
    }
}

fn of_numbers<V: Value>(numbers: &Numbers<V>, hidden: bool) -> Kept {
    let special = Some(numbers.nan).filter(|nan| *nan > 0);
    let registers = || Some(BASE64.encode(numbers.distinct.registers().pack()));
    if hidden {
        return Kept { special, registers: registers(), ..Kept::default() };
    }
    let mut kept = Kept {
        low: numbers.range.map(|(low, _)| low.text()),
        high: numbers.range.map(|(_, high)| high.text()),
        sum: Some(numbers.sum).filter(|sum| sum.is_finite()),
        special,
        values: few(numbers.distinct.entries(), |value| Some(value.text())),
        ..Kept::default()
    };
    if kept.values.is_none() {
        let points: Vec<u8> = thin(&numbers.points().0).iter().flat_map(|value| value.to_le_bytes()).collect();
        kept.points = Some(BASE64.encode(points)).filter(|points| !points.is_empty());
        kept.registers = registers();
    }
    kept
}

fn of_texts(texts: &Texts, data_type: &DataType, hidden: bool) -> Kept {
    let registers = || Some(BASE64.encode(texts.distinct.registers().pack()));
    if hidden {
        return Kept { registers: registers(), ..Kept::default() };
    }
    let bound = |bound: &Option<Bound>| text_of(&bound.as_ref()?.bytes, data_type);
    // A value that was cut no longer has its hash.
    let whole = |entry: &Entry<Box<[u8]>>| hash(&entry.value) == entry.hash;
    let entries = texts.distinct.entries().filter(|entries| entries.iter().all(whole));
    let values = few(entries, |value| text_of(value, data_type));
    let registers = if values.is_none() { registers() } else { None };
    Kept { low: bound(&texts.low), high: bound(&texts.high), values, registers, ..Kept::default() }
}

/// All values, if they are few and short.
fn few<K>(entries: Option<&[Entry<K>]>, text: impl Fn(&K) -> Option<String>) -> Option<Vec<(String, u64)>> {
    let entries = entries.filter(|entries| entries.len() <= FEW / 4)?;
    let values: Option<Vec<_>> = entries.iter().map(|entry| Some((text(&entry.value)?, entry.count))).collect();
    values.filter(|values| serde_json::to_string(values).is_ok_and(|json| json.len() <= FEW))
}

/// Text as it is, bytes in base 64.
fn text_of(bytes: &[u8], data_type: &DataType) -> Option<String> {
    match data_type {
        DataType::Utf8 => String::from_utf8(bytes.to_vec()).ok(),
        _ => Some(BASE64.encode(bytes)),
    }
}

fn bytes_of(text: &str, data_type: &DataType) -> Option<Vec<u8>> {
    match data_type {
        DataType::Utf8 => Some(text.as_bytes().to_vec()),
        _ => BASE64.decode(text).ok(),
    }
}
