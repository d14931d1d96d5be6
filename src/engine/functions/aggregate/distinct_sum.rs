//! `sum(distinct x)` of whole numbers: the distinct values of `count(distinct x)`, added up at the end.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, PrimitiveArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Int64Type, UInt64Type};
use datafusion::common::Result;

use super::codec::Wide;
use super::pairs::Pairs;
use super::store::Store;
use super::sum::Summand;

/// See the module.
#[derive(Debug)]
pub(super) struct DistinctSum {
    pairs: Pairs<Wide>,
    data_type: DataType,
}

impl DistinctSum {
    /// For bigint, or bigint unsigned.
    pub(super) fn new(codec: Wide, data_type: &DataType) -> DistinctSum {
        DistinctSum { pairs: Pairs::new(codec, data_type), data_type: data_type.clone() }
    }

    fn sums<T: Summand>(&self, value: impl Fn(u64) -> i128) -> Result<ArrayRef> {
        let counts = self.pairs.counts();
        let mut sums = vec![0_i128; counts.len()];
        self.pairs.for_each(|group, bits| sums[group] += value(bits));
        let some = NullBuffer::from_iter(counts.iter().map(|count| *count > 0));
        let sums = sums.into_iter().map(|sum| T::narrow(sum, &self.data_type)).collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(PrimitiveArray::<T>::new(sums.into(), Some(some))))
    }
}

impl Store for DistinctSum {
    fn update(&mut self, values: &[ArrayRef], groups: &[usize], keep: Option<&NullBuffer>, total: usize) -> Result<()> {
        self.pairs.update(values, groups, keep, total)
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.pairs.merge(states, groups, total)
    }

    fn split(&mut self, groups: usize) -> Result<Self> {
        Ok(DistinctSum { pairs: self.pairs.split(groups)?, data_type: self.data_type.clone() })
    }

    fn groups(&self) -> usize {
        self.pairs.groups()
    }

    fn result(&self) -> Result<ArrayRef> {
        match self.data_type {
            DataType::UInt64 => self.sums::<UInt64Type>(i128::from),
            _ => self.sums::<Int64Type>(|bits| i128::from(bits as i64)),
        }
    }

    fn state(&self) -> Result<Vec<ArrayRef>> {
        self.pairs.state()
    }

    fn fresh(&self) -> Result<Self> {
        Ok(DistinctSum { pairs: self.pairs.fresh()?, data_type: self.data_type.clone() })
    }

    fn size(&self) -> usize {
        self.pairs.size()
    }

    fn states_of_rows(&self, values: &[ArrayRef], keep: Option<&NullBuffer>) -> Result<Vec<ArrayRef>> {
        self.pairs.states_of_rows(values, keep)
    }
}
