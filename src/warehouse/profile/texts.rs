//! Columns of text and of bytes.

use datafusion::arrow::array::{Array, GenericByteArray, GenericByteViewArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{ByteArrayType, ByteViewType};
use rapidhash::v3::{DEFAULT_RAPID_SECRETS, rapidhash_v3_nano_inline};

use super::distinct::Distinct;

/// Bytes of a value that are kept, about; what is longer ends in [`CUT`].
const KEPT: usize = 256;
/// Stands for the rest of a value.
const CUT: &str = "…";

/// What is known of the values of a column that are not null.
#[derive(Debug, Clone)]
pub(super) struct Texts {
    /// How many.
    pub(super) count: u64,
    pub(super) low: Option<Bound>,
    pub(super) high: Option<Bound>,
    pub(super) distinct: Distinct<Box<[u8]>>,
}

/// The smallest or the largest value so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bound {
    /// Its first eight bytes: two values mostly differ in those.
    head: u64,
    /// Its first bytes.
    pub(super) bytes: Box<[u8]>,
}

impl Bound {
    pub(super) fn new(bytes: &[u8]) -> Bound {
        Bound { head: head(bytes), bytes: cut(bytes) }
    }

    #[inline]
    fn is_above(&self, head: u64, bytes: &[u8]) -> bool {
        head < self.head || (head == self.head && bytes < &*self.bytes)
    }

    #[inline]
    fn is_below(&self, head: u64, bytes: &[u8]) -> bool {
        head > self.head || (head == self.head && bytes > &*self.bytes)
    }
}

/// The first eight bytes, as a number that sorts as they do.
#[inline]
fn head(bytes: &[u8]) -> u64 {
    let four = |bytes: &[u8; 4]| u64::from(u32::from_be_bytes(*bytes));
    match (bytes.first_chunk::<8>(), bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(chunk), ..) => u64::from_be_bytes(*chunk),
        // Four to seven: the last four overlap the first, and those of them that do are shifted out.
        (None, Some(first), Some(last)) => {
            four(first) << 32 | (four(last) << (8 * (8 - bytes.len()))) & u64::from(u32::MAX)
        }
        _ => bytes.iter().enumerate().fold(0, |head, (at, byte)| head | u64::from(*byte) << (56 - 8 * at)),
    }
}

/// The hash of a value: rapidhashNano of version 3. Hashes are kept beside tables: this never changes.
#[inline]
pub(super) fn hash(bytes: &[u8]) -> u64 {
    rapidhash_v3_nano_inline::<true, false>(bytes, &DEFAULT_RAPID_SECRETS)
}

/// A value as it is kept: the first part of a long one.
fn cut(bytes: &[u8]) -> Box<[u8]> {
    if bytes.len() <= KEPT {
        return bytes.into();
    }
    let mut end = KEPT - CUT.len();
    // Text is cut between its characters; of bytes that are no text it does not matter.
    while end > KEPT - 8 && bytes[end] & 0xc0 == 0x80 {
        end -= 1;
    }
    [&bytes[..end], CUT.as_bytes()].concat().into()
}

impl Texts {
    pub(super) fn new() -> Texts {
        Texts { count: 0, low: None, high: None, distinct: Distinct::new() }
    }

    /// Counts the values of `array` that are not null.
    pub(super) fn update<T: ByteArrayType<Offset = i32>>(&mut self, array: &GenericByteArray<T>) {
        let (offsets, data) = (array.value_offsets(), array.value_data());
        self.all(array.len(), array.nulls(), |row| &data[offsets[row] as usize..offsets[row + 1] as usize]);
    }

    /// The same for views.
    pub(super) fn update_views<T: ByteViewType>(&mut self, array: &GenericByteViewArray<T>) {
        self.all(array.len(), array.nulls(), |row| array.value(row).as_ref());
    }

    fn all<'a>(&mut self, rows: usize, nulls: Option<&NullBuffer>, value: impl Fn(usize) -> &'a [u8]) {
        match nulls.filter(|nulls| nulls.null_count() > 0) {
            None => self.each((0..rows).map(value)),
            Some(nulls) => self.each(nulls.valid_indices().map(value)),
        }
    }

    fn each<'a>(&mut self, values: impl Iterator<Item = &'a [u8]>) {
        match &self.distinct {
            Distinct::Few(_) => self.few(values),
            Distinct::Some(_) => values.for_each(|bytes| self.one(bytes, head(bytes), 1)),
            Distinct::Many(_) => self.many(values),
        }
    }

    /// Most values of many are none of the bounds, and all that is left of them is in the registers.
    fn many<'a>(&mut self, values: impl Iterator<Item = &'a [u8]>) {
        let Distinct::Many(registers) = &mut self.distinct else { return };
        let heads = |low: &Option<Bound>, high: &Option<Bound>| {
            (low.as_ref().map_or(u64::MAX, |low| low.head), high.as_ref().map_or(0, |high| high.head))
        };
        let (mut low, mut high) = heads(&self.low, &self.high);
        for bytes in values {
            self.count += 1;
            registers.add(hash(bytes));
            let head = head(bytes);
            if head <= low || head >= high {
                widen(&mut self.low, &mut self.high, bytes, head);
                (low, high) = heads(&self.low, &self.high);
            }
        }
    }

    /// Few values often stand in runs: those are counted run by run.
    fn few<'a>(&mut self, values: impl Iterator<Item = &'a [u8]>) {
        let mut run: Option<(u64, &[u8])> = None;
        let mut count = 0;
        for bytes in values {
            let head = head(bytes);
            // Most values that differ do so in their first bytes, which are quicker to compare.
            if run.is_none_or(|(other, last)| other != head || last != bytes) {
                if let Some((head, last)) = run {
                    self.one(last, head, count);
                }
                (run, count) = (Some((head, bytes)), 0);
            }
            count += 1;
        }
        if let Some((head, last)) = run {
            self.one(last, head, count);
        }
    }

    /// Counts a value that is there `count` times.
    #[inline]
    fn one(&mut self, bytes: &[u8], head: u64, count: u64) {
        self.count += count;
        let mut is_new = false;
        let hash = hash(bytes);
        match &mut self.distinct {
            few @ Distinct::Few(_) => few.add(hash, count, || {
                is_new = true;
                cut(bytes)
            }),
            others => {
                others.add(hash, count, || cut(bytes));
                is_new = true;
            }
        }
        if is_new {
            widen(&mut self.low, &mut self.high, bytes, head);
        }
    }

    pub(super) fn merge(&mut self, other: Texts) {
        self.count += other.count;
        for bound in [other.low, other.high].into_iter().flatten() {
            widen(&mut self.low, &mut self.high, &bound.bytes, bound.head);
        }
        self.distinct.merge(other.distinct);
    }
}

/// Looks whether a value is a new bound.
#[inline]
fn widen(lowest: &mut Option<Bound>, highest: &mut Option<Bound>, bytes: &[u8], head: u64) {
    if lowest.as_ref().is_none_or(|low| low.is_above(head, bytes)) {
        *lowest = Some(Bound::new(bytes));
    }
    if highest.as_ref().is_none_or(|high| high.is_below(head, bytes)) {
        *highest = Some(Bound::new(bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::StringArray;

    /// What an earlier program kept is still understood.
    #[test]
    fn hashes_stay_what_they_are() {
        let hashes = ["", "a", "Thể Thao", "a longer text that somebody wrote about 7918 things"]
            .map(|text| hash(text.as_bytes()));
        assert_eq!(hashes, [232177599295442350, 6457959414642172395, 4487053000278706118, 6402340566939491664]);
    }

    #[test]
    fn heads_sort_as_values_do() {
        for length in 0..12 {
            let bytes: Vec<u8> = (0..length).map(|at| 200 - at as u8).collect();
            let mut padded = bytes.clone();
            padded.resize(8.max(length), 0);
            let first = padded.first_chunk::<8>().expect("eight bytes");
            assert_eq!(head(&bytes), u64::from_be_bytes(*first), "{length}");
        }
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let long = "é".repeat(300);
        let kept = cut(long.as_bytes());
        assert!(kept.len() <= KEPT);
        let text = std::str::from_utf8(&kept).expect("whole characters");
        assert!(text.starts_with("éé") && text.ends_with("é…"));
        assert_eq!(&*cut(b"short"), b"short");
    }

    #[test]
    fn bounds_compare_whole_values() {
        let mut texts = Texts::new();
        let values = [Some("same head b"), None, Some("same head a"), Some("same head"), Some("same hea"), Some("")];
        texts.update(&StringArray::from(values.to_vec()));
        let bytes = |bound: &Option<Bound>| bound.as_ref().map(|bound| bound.bytes.to_vec());
        assert_eq!(bytes(&texts.low), Some(Vec::new()));
        assert_eq!(bytes(&texts.high), Some(b"same head b".to_vec()));
        assert_eq!((texts.count, texts.distinct.count()), (5, (5, true)));
    }

    /// The table of few values overflows in the middle of a batch: the value that does it counts as a bound too.
    #[test]
    fn a_bound_that_comes_with_the_overflow_is_seen() {
        for last in ["zz", "00"] {
            let values: Vec<String> = (0..512).map(|row| format!("m{row:04}")).chain([last.to_string()]).collect();
            let mut texts = Texts::new();
            texts.update(&StringArray::from(values));
            assert!(texts.distinct.entries().is_none());
            let bounds = [&texts.low, &texts.high].map(|bound| bound.as_ref().map(|bound| bound.bytes.to_vec()));
            assert!(bounds.contains(&Some(last.as_bytes().to_vec())), "{last}: {bounds:?}");
        }
    }
}
