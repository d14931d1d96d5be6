//! Columns of numbers, and of what is stored as a number: dates, timestamps.

use datafusion::arrow::array::{Array, ArrowPrimitiveType, PrimitiveArray};
use datafusion::arrow::datatypes::ArrowNativeType;

use super::distinct::{Distinct, mix};
use super::sample::{Point, Sample};

/// Values that are looked at together: several passes over so many find them near.
const CHUNK: usize = 1024;

/// What a column of numbers is counted as: whole numbers as `i64`, decimals as `i128`, floating ones as `f64`.
pub(super) trait Value: ArrowNativeType + PartialEq {
    /// Whether there are values that are no number.
    const HAS_NAN: bool;
    fn hash(self) -> u64;
    fn number(self) -> f64;
    fn is_nan(self) -> bool;
    fn is_below(self, other: Self) -> bool;
    /// As text that [`Value::read`] reads.
    fn text(self) -> String;
    fn read(text: &str) -> Option<Self>;
}

impl Value for i64 {
    const HAS_NAN: bool = false;
    #[inline]
    fn hash(self) -> u64 {
        mix(self as u64)
    }
    #[inline]
    fn number(self) -> f64 {
        self as f64
    }
    fn is_nan(self) -> bool {
        false
    }
    #[inline]
    fn is_below(self, other: i64) -> bool {
        self < other
    }
    fn text(self) -> String {
        self.to_string()
    }
    fn read(text: &str) -> Option<i64> {
        text.parse().ok()
    }
}

impl Value for i128 {
    const HAS_NAN: bool = false;
    #[inline]
    fn hash(self) -> u64 {
        mix(mix((self >> 64) as u64) ^ self as u64)
    }
    #[inline]
    fn number(self) -> f64 {
        self as f64
    }
    fn is_nan(self) -> bool {
        false
    }
    #[inline]
    fn is_below(self, other: i128) -> bool {
        self < other
    }
    fn text(self) -> String {
        self.to_string()
    }
    fn read(text: &str) -> Option<i128> {
        text.parse().ok()
    }
}

impl Value for f64 {
    const HAS_NAN: bool = true;
    #[inline]
    fn hash(self) -> u64 {
        mix(self.to_bits())
    }
    #[inline]
    fn number(self) -> f64 {
        self
    }
    #[inline]
    fn is_nan(self) -> bool {
        self.is_nan()
    }
    #[inline]
    fn is_below(self, other: f64) -> bool {
        self < other
    }
    fn text(self) -> String {
        self.to_string()
    }
    fn read(text: &str) -> Option<f64> {
        text.parse().ok()
    }
}

/// What is known of the values of a column that are neither null nor NaN.
#[derive(Debug, Clone)]
pub(super) struct Numbers<V> {
    /// How many.
    pub(super) count: u64,
    /// How many are no number, beside those.
    pub(super) nan: u64,
    /// Their sum.
    pub(super) sum: f64,
    /// The smallest and the largest.
    pub(super) range: Option<(V, V)>,
    pub(super) distinct: Distinct<V>,
    pub(super) sample: Sample,
}

impl<V: Value> Numbers<V> {
    pub(super) fn new() -> Numbers<V> {
        Numbers { count: 0, nan: 0, sum: 0.0, range: None, distinct: Distinct::new(), sample: Sample::new() }
    }

    /// Counts the values of `array` that are not null; `scratch` holds them on the way.
    pub(super) fn update<T: ArrowPrimitiveType>(
        &mut self,
        array: &PrimitiveArray<T>,
        scratch: &mut Vec<V>,
        value: impl Fn(T::Native) -> V,
    ) {
        let values = array.values();
        match array.nulls().filter(|nulls| nulls.null_count() > 0) {
            None => {
                for natives in values.chunks(CHUNK) {
                    scratch.extend(natives.iter().map(|native| value(*native)));
                    self.take(scratch);
                }
            }
            Some(nulls) => {
                for (start, end) in nulls.valid_slices() {
                    for natives in values[start..end].chunks(CHUNK) {
                        scratch.extend(natives.iter().map(|native| value(*native)));
                        if scratch.len() >= CHUNK {
                            self.take(scratch);
                        }
                    }
                }
                self.take(scratch);
            }
        }
    }

    /// The same for values that are counted as they are: without nulls and what is no number they need no copy.
    pub(super) fn update_same<T: ArrowPrimitiveType<Native = V>>(
        &mut self,
        array: &PrimitiveArray<T>,
        scratch: &mut Vec<V>,
    ) {
        if array.null_count() > 0 || (V::HAS_NAN && array.values().iter().any(|value| value.is_nan())) {
            return self.update(array, scratch, |value| value);
        }
        array.values().chunks(CHUNK).for_each(|values| self.add_all(values));
    }

    /// Counts the values of `scratch`, and empties it.
    fn take(&mut self, scratch: &mut Vec<V>) {
        if V::HAS_NAN {
            let before = scratch.len();
            scratch.retain(|value| !value.is_nan());
            self.nan += (before - scratch.len()) as u64;
        }
        self.add_all(scratch);
        scratch.clear();
    }

    fn add_all(&mut self, values: &[V]) {
        let Some(first) = values.first().copied() else { return };
        self.count += values.len() as u64;
        self.sum += sum(values);
        self.range = Some(bounds(values, self.range.unwrap_or((first, first))));
        self.sample.offer(values, V::number);
        match &mut self.distinct {
            Distinct::Many(registers) => values.iter().for_each(|value| registers.add(value.hash())),
            // Few values often stand in runs.
            Distinct::Few(_) | Distinct::Some(_) => {
                let mut run = (first, 0);
                for value in values {
                    if *value != run.0 {
                        self.distinct.add(run.0.hash(), run.1, || run.0);
                        run = (*value, 0);
                    }
                    run.1 += 1;
                }
                self.distinct.add(run.0.hash(), run.1, || run.0);
            }
        }
    }

    pub(super) fn merge(&mut self, other: Numbers<V>) {
        self.count += other.count;
        self.nan += other.nan;
        self.sum += other.sum;
        self.range = match (self.range, other.range) {
            (Some(one), Some(two)) => Some(bounds(&[two.0, two.1], one)),
            (one, two) => one.or(two),
        };
        self.distinct.merge(other.distinct);
        self.sample.merge(other.sample);
    }

    /// Values with weights: all of them if they are few, or else the sample. Infinite ones are left out.
    pub(super) fn points(&self) -> (Vec<Point>, bool) {
        let exact = self.distinct.entries().map(|entries| {
            let point =
                |entry: &super::distinct::Entry<V>| Point { value: entry.value.number(), weight: entry.count as f64 };
            entries.iter().map(point).collect::<Vec<_>>()
        });
        let is_exact = exact.is_some();
        let mut points = exact.unwrap_or_else(|| self.sample.clone().points().collect());
        points.retain(|point| point.value.is_finite());
        points.sort_by(|one, two| one.value.total_cmp(&two.value));
        (points, is_exact)
    }
}

/// The smallest and the largest of `values` and of `range`. A new bound is rare, so that a jump which is nearly never
/// taken is quicker than choosing for every value.
fn bounds<V: Value>(values: &[V], (mut low, mut high): (V, V)) -> (V, V) {
    for value in values {
        if value.is_below(low) {
            low = *value;
        } else if high.is_below(*value) {
            high = *value;
        }
    }
    (low, high)
}

/// Eight sums at a time, which a processor adds at once.
fn sum<V: Value>(values: &[V]) -> f64 {
    let mut lanes = [0.0_f64; 8];
    let mut chunks = values.chunks_exact(8);
    for chunk in &mut chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += value.number();
        }
    }
    let rest: f64 = chunks.remainder().iter().map(|value| value.number()).sum();
    lanes.iter().sum::<f64>() + rest
}
