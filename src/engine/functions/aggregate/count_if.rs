//! `count_if(condition)`: how many rows fulfil it. Rows for which it is null do not.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature, Volatility};

use super::store::{Grouped, Store};

/// See the module.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct CountIf {
    signature: Signature,
    aliases: Vec<String>,
}

impl CountIf {
    /// The aggregate, also under the name `countif`.
    pub(super) fn new() -> CountIf {
        CountIf {
            signature: Signature::exact(vec![DataType::Boolean], Volatility::Immutable),
            aliases: vec!["countif".to_string()],
        }
    }
}

impl AggregateUDFImpl for CountIf {
    fn name(&self) -> &str {
        "count_if"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Int64)
    }

    fn is_nullable(&self) -> bool {
        false
    }

    fn default_value(&self, _data_type: &DataType) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(0)))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return plan_err!("count_if does not take distinct");
        }
        Ok(Box::new(Frame { count: 0 }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Field::new(format_state_name(args.name, "count"), DataType::Int64, false).into()])
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Grouped(Counts::default())))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
}

#[derive(Debug, Default)]
struct Counts {
    counts: Vec<i64>,
}

impl Store for Counts {
    fn update(&mut self, values: &[ArrayRef], groups: &[usize], keep: Option<&NullBuffer>, total: usize) -> Result<()> {
        self.counts.resize(total, 0);
        let conditions = values[0].as_boolean().iter();
        for (row, (group, condition)) in groups.iter().zip(conditions).enumerate() {
            if condition == Some(true) && keep.is_none_or(|keep| keep.is_valid(row)) {
                self.counts[*group] += 1;
            }
        }
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.counts.resize(total, 0);
        for (group, count) in groups.iter().zip(states[0].as_primitive::<Int64Type>().values()) {
            self.counts[*group] += count;
        }
        Ok(())
    }

    fn split(&mut self, groups: usize) -> Result<Self> {
        let later = self.counts.split_off(groups);
        Ok(Counts { counts: std::mem::replace(&mut self.counts, later) })
    }

    fn groups(&self) -> usize {
        self.counts.len()
    }

    fn result(&self) -> Result<ArrayRef> {
        Ok(Arc::new(Int64Array::from(self.counts.clone())))
    }

    fn state(&self) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.result()?])
    }

    fn fresh(&self) -> Result<Self> {
        Ok(Counts::default())
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.counts.capacity() * size_of::<i64>()
    }
}

/// One group, or a window frame.
#[derive(Debug)]
struct Frame {
    count: i64,
}

fn fulfilled(values: &[ArrayRef]) -> i64 {
    values[0].as_boolean().true_count() as i64
}

impl Accumulator for Frame {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.count += fulfilled(values);
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.count -= fulfilled(values);
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.count += states[0].as_primitive::<Int64Type>().values().iter().sum::<i64>();
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Int64(Some(self.count)))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }
}
