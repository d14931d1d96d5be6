//! `mode(x)`: the most frequent value; of several, the smallest, so that the answer does not depend on the order of rows.

use std::sync::Arc;

use datafusion::arrow::array::make_comparator;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, UInt32Array};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::{SortOptions, take};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{HashMap, Result, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature, Volatility};

use super::codec::{Bits, Codec, with_codec};
use super::count::value_type;
use super::store::{Grouped, Single, Store, flatten, group_id, lists, present};

/// See the module.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Mode {
    signature: Signature,
}

impl Mode {
    /// The aggregate.
    pub(super) fn new() -> Mode {
        Mode { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for Mode {
    fn name(&self) -> &str {
        "mode"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        match arg_types {
            [value] => Ok(vec![value_type(value).clone()]),
            _ => plan_err!("mode takes one argument: mode(x), or mode() within group (order by x)"),
        }
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match arg_types {
            [value] => Ok(value.clone()),
            _ => plan_err!("mode takes one argument: mode(x), or mode() within group (order by x)"),
        }
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if args.is_distinct {
            return plan_err!("mode does not take distinct");
        }
        let data_type = args.return_field.data_type();
        with_codec!(data_type, codec => Ok(Box::new(Single(Frequencies::new(codec)))))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let value = Field::new_list_field(args.return_field.data_type().clone(), true);
        let count = Field::new_list_field(DataType::Int64, true);
        Ok(vec![
            Field::new_list(format_state_name(args.name, "values"), value, false).into(),
            Field::new_list(format_state_name(args.name, "counts"), count, false).into(),
        ])
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        let data_type = args.return_field.data_type();
        with_codec!(data_type, codec => Ok(Box::new(Grouped(Frequencies::new(codec)))))
    }

    fn supports_within_group_clause(&self) -> bool {
        true
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
}

/// How often each value came in each group.
#[derive(Debug)]
struct Frequencies<C: Codec> {
    codec: C,
    counts: HashMap<<C::Bits as Bits>::Pair, i64>,
    groups: usize,
}

impl<C: Codec> Frequencies<C> {
    fn new(codec: C) -> Frequencies<C> {
        Frequencies { codec, counts: HashMap::default(), groups: 0 }
    }

    /// Group, value and count, in no order.
    fn iter(&self) -> impl Iterator<Item = (usize, C::Bits, i64)> {
        self.counts.iter().map(|(pair, count)| {
            let (group, bits) = C::Bits::split(*pair);
            (group as usize, bits, *count)
        })
    }

    fn add(&mut self, values: &ArrayRef, groups: &[usize], keep: Option<&NullBuffer>, times: &[i64]) -> Result<()> {
        let present = present(values, keep);
        let mut bits = Vec::with_capacity(values.len());
        self.codec.encode(values, present.as_ref(), &mut bits)?;
        for (row, (group, bits)) in groups.iter().zip(bits).enumerate() {
            if present.as_ref().is_none_or(|present| present.is_valid(row)) {
                *self.counts.entry(bits.join(group_id(*group)?)).or_default() += times.get(row).copied().unwrap_or(1);
            }
        }
        Ok(())
    }

    fn copy_of(&self, items: Vec<(usize, C::Bits, i64)>, groups: usize) -> Result<Self> {
        let mut copy = self.fresh()?;
        copy.groups = groups;
        let bits: Vec<C::Bits> = items.iter().map(|item| item.1).collect();
        let owners: Vec<usize> = items.iter().map(|item| item.0).collect();
        let counts: Vec<i64> = items.iter().map(|item| item.2).collect();
        copy.add(&self.codec.decode(&bits)?, &owners, None, &counts)?;
        Ok(copy)
    }
}

impl<C: Codec> Store for Frequencies<C> {
    fn update(&mut self, values: &[ArrayRef], groups: &[usize], keep: Option<&NullBuffer>, total: usize) -> Result<()> {
        self.groups = total;
        self.add(&values[0], groups, keep, &[])
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.groups = total;
        let (values, owners) = flatten(states[0].as_list(), groups);
        let (counts, _) = flatten(states[1].as_list(), groups);
        if counts.len() != values.len() {
            return exec_err!("mode cannot merge a state with {} values and {} counts", values.len(), counts.len());
        }
        self.add(&values, &owners, None, counts.as_primitive::<Int64Type>().values())
    }

    fn split(&mut self, groups: usize) -> Result<Self> {
        let (gone, mut stay): (Vec<_>, Vec<_>) = self.iter().partition(|item| item.0 < groups);
        stay.iter_mut().for_each(|item| item.0 -= groups);
        let first = self.copy_of(gone, groups)?;
        *self = self.copy_of(stay, self.groups.saturating_sub(groups))?;
        Ok(first)
    }

    fn groups(&self) -> usize {
        self.groups
    }

    fn result(&self) -> Result<ArrayRef> {
        let mut most = vec![0_i64; self.groups];
        self.iter().for_each(|(group, _, count)| most[group] = most[group].max(count));
        let (owners, bits): (Vec<usize>, Vec<C::Bits>) =
            self.iter().filter(|item| item.2 == most[item.0]).map(|item| (item.0, item.1)).unzip();
        let candidates = self.codec.decode(&bits)?;
        let compare = make_comparator(&candidates, &candidates, SortOptions::default())?;
        let mut chosen: Vec<Option<u32>> = vec![None; self.groups];
        for (row, group) in owners.into_iter().enumerate() {
            let smaller = chosen[group].is_none_or(|best| compare(row, best as usize).is_lt());
            if smaller {
                chosen[group] = Some(group_id(row)?);
            }
        }
        Ok(take(&candidates, &UInt32Array::from(chosen), None)?)
    }

    fn state(&self) -> Result<Vec<ArrayRef>> {
        let mut items: Vec<(usize, C::Bits, i64)> = self.iter().collect();
        items.sort_unstable_by_key(|item| item.0);
        let mut lengths = vec![0_usize; self.groups];
        items.iter().for_each(|item| lengths[item.0] += 1);
        let values = self.codec.decode(&items.iter().map(|item| item.1).collect::<Vec<_>>())?;
        let counts: ArrayRef = Arc::new(Int64Array::from_iter_values(items.iter().map(|item| item.2)));
        Ok(vec![Arc::new(lists(values, lengths.clone())?), Arc::new(lists(counts, lengths)?)])
    }

    fn fresh(&self) -> Result<Self> {
        Ok(Frequencies::new(self.codec.fresh()?))
    }

    fn size(&self) -> usize {
        let entry = size_of::<<C::Bits as Bits>::Pair>() + size_of::<i64>() + 1;
        size_of::<Self>() + self.counts.capacity() * entry * 8 / 7 + self.codec.size()
    }
}
