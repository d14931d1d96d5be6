//! The distinct values of every group, in one place for all groups.
//!
//! Stock DataFusion keeps a set a group for most types, 60 to 80 KB each. Here a group is one word while the column has
//! shown few values ([`Few`]). After that a group keeps its first value beside its count, which for most groups is the only
//! one, and any other is a pair (group, value) in one hash set of 8 to 20 bytes each. A value of text is stored once for all
//! groups.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::{cast, filter};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{HashSet, Result};

use super::codec::{Bits, Codec};
use super::few::Few;
use super::store::{Store, flatten, group_id, lists, present};

/// See the module. `C` knows the type of the values.
#[derive(Debug)]
pub(super) struct Pairs<C: Codec> {
    codec: C,
    data_type: DataType,
    seen: Seen<C::Bits>,
    scratch: Vec<C::Bits>,
}

#[derive(Debug)]
enum Seen<B: Bits> {
    Few(Few<B>),
    Many(Many<B>),
}

/// See the module.
#[derive(Debug)]
struct Many<B: Bits> {
    /// The first value of each group that has one.
    firsts: Vec<B>,
    counts: Vec<i64>,
    /// All other values of the groups.
    others: HashSet<B::Pair>,
}

impl<B: Bits> Default for Many<B> {
    fn default() -> Many<B> {
        Many { firsts: Vec::new(), counts: Vec::new(), others: HashSet::default() }
    }
}

impl<B: Bits> Many<B> {
    fn resize(&mut self, groups: usize) {
        self.firsts.resize(groups, B::default());
        self.counts.resize(groups, 0);
    }

    fn insert(&mut self, group: usize, value: B) -> Result<()> {
        let count = self.counts[group];
        if count == 0 {
            self.firsts[group] = value;
            self.counts[group] = 1;
        } else if self.firsts[group] != value && self.others.insert(value.join(group_id(group)?)) {
            self.counts[group] = count + 1;
        }
        Ok(())
    }

    fn iter(&self) -> impl Iterator<Item = (usize, B)> {
        let firsts = self.firsts.iter().zip(&self.counts).enumerate();
        let firsts = firsts.filter(|(_, (_, count))| **count > 0).map(|(group, (value, _))| (group, *value));
        firsts.chain(self.others.iter().map(|pair| {
            let (group, value) = B::split(*pair);
            (group as usize, value)
        }))
    }
}

impl<B: Bits> Seen<B> {
    fn resize(&mut self, groups: usize) {
        match self {
            Seen::Few(few) => few.resize(groups),
            Seen::Many(many) => many.resize(groups),
        }
    }

    fn groups(&self) -> usize {
        match self {
            Seen::Few(few) => few.masks().len(),
            Seen::Many(many) => many.counts.len(),
        }
    }

    /// Takes the values of rows (their number, group and value) in their order.
    fn insert<I: Iterator<Item = (usize, usize, B)>>(&mut self, rows: impl Fn() -> I) -> Result<()> {
        let few = match self {
            Seen::Few(few) => few,
            Seen::Many(many) => return rows().try_for_each(|(_, group, value)| many.insert(group, value)),
        };
        let Some(stopped) = few.take(rows()) else { return Ok(()) };
        let mut many = Many::default();
        many.resize(few.masks().len());
        few.iter().try_for_each(|(group, value)| many.insert(group, value))?;
        let mut rest = rows().skip_while(|(row, ..)| *row < stopped);
        let done = rest.try_for_each(|(_, group, value)| many.insert(group, value));
        *self = Seen::Many(many);
        done
    }
}

impl<C: Codec> Pairs<C> {
    /// For values of `data_type`, or of dictionaries of it.
    pub(super) fn new(codec: C, data_type: &DataType) -> Pairs<C> {
        Pairs { codec, data_type: data_type.clone(), seen: Seen::Few(Few::default()), scratch: Vec::new() }
    }

    /// Calls `f` with every distinct pair, in no order.
    pub(super) fn for_each(&self, mut f: impl FnMut(usize, C::Bits)) {
        match &self.seen {
            Seen::Few(few) => few.iter().for_each(|(group, value)| f(group, value)),
            Seen::Many(many) => many.iter().for_each(|(group, value)| f(group, value)),
        }
    }

    /// How many distinct values each group has.
    pub(super) fn counts(&self) -> Vec<i64> {
        match &self.seen {
            Seen::Few(few) => few.masks().iter().map(|mask| i64::from(mask.count_ones())).collect(),
            Seen::Many(many) => many.counts.clone(),
        }
    }

    /// Another set with these pairs alone, so that values which nobody has any longer are forgotten.
    fn copy_of(&self, pairs: Vec<(usize, C::Bits)>, groups: usize) -> Result<Self> {
        let mut copy = Pairs::new(self.codec.fresh()?, &self.data_type);
        copy.seen.resize(groups);
        let (owners, bits): (Vec<usize>, Vec<C::Bits>) = pairs.into_iter().unzip();
        copy.insert(&self.codec.decode(&bits)?, &owners, None)?;
        Ok(copy)
    }

    /// The same values in a set of their own, for the groups of `masks`.
    fn few_of(&self, values: &[C::Bits], masks: Vec<u64>) -> Result<Self> {
        let mut copy = Pairs::new(self.codec.fresh()?, &self.data_type);
        let mut bits = Vec::with_capacity(values.len());
        copy.codec.encode(&self.codec.decode(values)?, None, &mut bits)?;
        copy.seen = Seen::Few(Few::new(bits, masks));
        Ok(copy)
    }

    fn plain(&self, values: &ArrayRef) -> Result<ArrayRef> {
        if values.data_type() == &self.data_type { Ok(Arc::clone(values)) } else { Ok(cast(values, &self.data_type)?) }
    }

    fn insert(&mut self, values: &ArrayRef, groups: &[usize], keep: Option<&NullBuffer>) -> Result<()> {
        let values = self.plain(values)?;
        let present = present(&values, keep);
        let mut bits = std::mem::take(&mut self.scratch);
        bits.clear();
        self.codec.encode(&values, present.as_ref(), &mut bits)?;
        let values = bits.as_slice();
        match &present {
            None => self.seen.insert(|| (0..groups.len()).map(move |row| (row, groups[row], values[row])))?,
            Some(present) => {
                self.seen.insert(|| present.valid_indices().map(move |row| (row, groups[row], values[row])))?;
            }
        }
        self.scratch = bits;
        Ok(())
    }
}

impl<C: Codec> Store for Pairs<C> {
    fn update(&mut self, values: &[ArrayRef], groups: &[usize], keep: Option<&NullBuffer>, total: usize) -> Result<()> {
        self.seen.resize(total);
        self.insert(&values[0], groups, keep)
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.seen.resize(total);
        let (values, owners) = flatten(states[0].as_list(), groups);
        self.insert(&values, &owners, None)
    }

    fn split(&mut self, groups: usize) -> Result<Self> {
        if let Seen::Few(few) = &mut self.seen {
            let masks = few.split_masks(groups);
            let values = few.values().to_vec();
            return self.few_of(&values, masks);
        }
        let (mut gone, mut stay) = (Vec::new(), Vec::new());
        self.for_each(|group, value| match group.checked_sub(groups) {
            Some(later) => stay.push((later, value)),
            None => gone.push((group, value)),
        });
        let first = self.copy_of(gone, groups)?;
        let rest = self.copy_of(stay, self.groups().saturating_sub(groups))?;
        *self = rest;
        Ok(first)
    }

    fn groups(&self) -> usize {
        self.seen.groups()
    }

    fn result(&self) -> Result<ArrayRef> {
        Ok(Arc::new(Int64Array::from(self.counts())))
    }

    fn state(&self) -> Result<Vec<ArrayRef>> {
        let counts = self.counts();
        let mut next = Vec::with_capacity(counts.len());
        let mut total = 0;
        for count in &counts {
            next.push(total);
            total += *count as usize;
        }
        let mut ordered = vec![C::Bits::default(); total];
        self.for_each(|group, bits| {
            ordered[next[group]] = bits;
            next[group] += 1;
        });
        let values = self.codec.decode(&ordered)?;
        Ok(vec![Arc::new(lists(values, counts.iter().map(|count| *count as usize))?)])
    }

    fn fresh(&self) -> Result<Self> {
        Ok(Pairs::new(self.codec.fresh()?, &self.data_type))
    }

    fn size(&self) -> usize {
        let pair = size_of::<<C::Bits as Bits>::Pair>();
        let seen = match &self.seen {
            Seen::Few(few) => few.size(),
            // Eight slots of the table for seven pairs, and a byte of control for each.
            Seen::Many(many) => {
                many.others.capacity() * (pair + 1) * 8 / 7
                    + many.counts.capacity() * size_of::<i64>()
                    + many.firsts.capacity() * size_of::<C::Bits>()
            }
        };
        size_of::<Self>() + seen + self.scratch.capacity() * size_of::<C::Bits>() + self.codec.size()
    }

    fn states_of_rows(&self, values: &[ArrayRef], keep: Option<&NullBuffer>) -> Result<Vec<ArrayRef>> {
        let values = self.plain(&values[0])?;
        let rows = values.len();
        Ok(match present(&values, keep) {
            None => vec![Arc::new(lists(values, std::iter::repeat_n(1, rows))?)],
            Some(present) => {
                let kept = filter(&values, &BooleanArray::new(present.inner().clone(), None))?;
                vec![Arc::new(lists(kept, present.iter().map(usize::from))?)]
            }
        })
    }
}
