//! Sums over window frames whose start moves: what leaves the frame is subtracted again.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, not_impl_err};
use datafusion::logical_expr::Accumulator;

use super::sum::{Summand, add_checked, sum_of};

/// See the module.
#[derive(Debug)]
pub(super) struct SlidingSum<T: Summand> {
    sum: i128,
    count: usize,
    returns: DataType,
    kind: std::marker::PhantomData<T>,
}

impl<T: Summand> SlidingSum<T> {
    /// An empty frame, whose sum is of the type `returns`.
    pub(super) fn new(returns: &DataType) -> SlidingSum<T> {
        SlidingSum { sum: 0, count: 0, returns: returns.clone(), kind: std::marker::PhantomData }
    }
}

impl<T: Summand> Accumulator for SlidingSum<T> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = values[0].as_primitive::<T>();
        let (sum, count) = sum_of(values, values.nulls())?;
        self.sum = add_checked(self.sum, sum)?;
        self.count += count;
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = values[0].as_primitive::<T>();
        let (sum, count) = sum_of(values, values.nulls())?;
        self.sum = add_checked(self.sum, -sum)?;
        self.count -= count;
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let sum = if self.count == 0 { None } else { Some(T::narrow(self.sum, &self.returns)?) };
        ScalarValue::new_primitive::<T>(sum, &self.returns)
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        not_impl_err!("window frames have no intermediate state")
    }

    fn merge_batch(&mut self, _states: &[ArrayRef]) -> Result<()> {
        not_impl_err!("window frames have no intermediate state")
    }
}
