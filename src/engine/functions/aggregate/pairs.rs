//! The distinct values of every group in one hash set of (group, value).
//!
//! Stock DataFusion keeps a set a group for most types, 60 to 80 KB each; here a distinct pair costs 8 to 20 bytes in one
//! table, and a value of text is stored once for all groups.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::{cast, filter};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{HashSet, Result};

use super::codec::{Bits, Codec};
use super::store::{Store, flatten, group_id, lists, present};

/// See the module. `C` knows the type of the values.
#[derive(Debug)]
pub(super) struct Pairs<C: Codec> {
    codec: C,
    data_type: DataType,
    seen: HashSet<<C::Bits as Bits>::Pair>,
    counts: Vec<i64>,
    scratch: Vec<C::Bits>,
}

impl<C: Codec> Pairs<C> {
    /// For values of `data_type`, or of dictionaries of it.
    pub(super) fn new(codec: C, data_type: &DataType) -> Pairs<C> {
        Pairs { codec, data_type: data_type.clone(), seen: HashSet::default(), counts: Vec::new(), scratch: Vec::new() }
    }

    /// Every distinct pair, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, C::Bits)> {
        self.seen.iter().map(|pair| {
            let (group, bits) = C::Bits::split(*pair);
            (group as usize, bits)
        })
    }

    /// How many distinct values each group has.
    pub(super) fn counts(&self) -> &[i64] {
        &self.counts
    }

    /// Another set with these pairs alone, so that values which nobody has any longer are forgotten.
    fn copy_of(&self, pairs: Vec<(usize, C::Bits)>, groups: usize) -> Result<Self> {
        let mut copy = Pairs::new(self.codec.fresh()?, &self.data_type);
        copy.counts.resize(groups, 0);
        let (owners, bits): (Vec<usize>, Vec<C::Bits>) = pairs.into_iter().unzip();
        copy.insert(&self.codec.decode(&bits)?, &owners, None)?;
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
        for (row, (group, bits)) in groups.iter().zip(&bits).enumerate() {
            let here = present.as_ref().is_none_or(|present| present.is_valid(row));
            if here && self.seen.insert(bits.join(group_id(*group)?)) {
                self.counts[*group] += 1;
            }
        }
        self.scratch = bits;
        Ok(())
    }
}

impl<C: Codec> Store for Pairs<C> {
    fn update(&mut self, values: &[ArrayRef], groups: &[usize], keep: Option<&NullBuffer>, total: usize) -> Result<()> {
        self.counts.resize(total, 0);
        self.insert(&values[0], groups, keep)
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.counts.resize(total, 0);
        let (values, owners) = flatten(states[0].as_list(), groups);
        self.insert(&values, &owners, None)
    }

    fn split(&mut self, groups: usize) -> Result<Self> {
        let (gone, mut stay): (Vec<_>, Vec<_>) = self.iter().partition(|(group, _)| *group < groups);
        stay.iter_mut().for_each(|(group, _)| *group -= groups);
        let first = self.copy_of(gone, groups)?;
        let rest = self.copy_of(stay, self.counts.len().saturating_sub(groups))?;
        *self = rest;
        Ok(first)
    }

    fn groups(&self) -> usize {
        self.counts.len()
    }

    fn result(&self) -> Result<ArrayRef> {
        Ok(Arc::new(Int64Array::from(self.counts.clone())))
    }

    fn state(&self) -> Result<Vec<ArrayRef>> {
        let mut next = Vec::with_capacity(self.counts.len());
        let mut total = 0;
        for count in &self.counts {
            next.push(total);
            total += *count as usize;
        }
        let mut ordered = vec![C::Bits::default(); total];
        for (group, bits) in self.iter() {
            ordered[next[group]] = bits;
            next[group] += 1;
        }
        let values = self.codec.decode(&ordered)?;
        Ok(vec![Arc::new(lists(values, self.counts.iter().map(|count| *count as usize))?)])
    }

    fn fresh(&self) -> Result<Self> {
        Ok(Pairs::new(self.codec.fresh()?, &self.data_type))
    }

    fn size(&self) -> usize {
        let pair = size_of::<<C::Bits as Bits>::Pair>();
        // Eight slots of the table for seven pairs, and a byte of control for each.
        size_of::<Self>()
            + self.seen.capacity() * (pair + 1) * 8 / 7
            + self.counts.capacity() * size_of::<i64>()
            + self.scratch.capacity() * size_of::<C::Bits>()
            + self.codec.size()
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
