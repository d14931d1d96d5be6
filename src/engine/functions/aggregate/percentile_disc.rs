//! `percentile_disc(p) within group (order by x)`: the first value, in that order, at which at least the share `p` of all
//! values is reached. Exact, for every type that has an order; it is always one of the values, never between two.
//!
//! Position k of n (from 1) is the smallest with `k / n >= p`, which is what the SQL standard says by way of `cume_dist()`.
//! The values of all groups are kept in the order of arrival, with the number of the group beside each.

use std::collections::VecDeque;
use std::sync::Arc;

use datafusion::arrow::array::make_comparator;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, UInt32Array, new_empty_array};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::{SortOptions, concat, filter, not, take};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, ColumnarValue, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};

use super::count::value_type;
use super::store::{Grouped, Store, flatten, group_id, lists, present};

/// See the module.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct PercentileDisc {
    signature: Signature,
    aliases: Vec<String>,
}

impl PercentileDisc {
    /// The aggregate, also under the name `quantile_disc`.
    pub(super) fn new() -> PercentileDisc {
        PercentileDisc {
            signature: Signature::user_defined(Volatility::Immutable),
            aliases: vec!["quantile_disc".to_string()],
        }
    }
}

/// Where in the order to look.
#[derive(Debug, Clone, Copy)]
struct Place {
    share: f64,
    descending: bool,
}

impl Place {
    fn of(args: &AccumulatorArgs) -> Result<Place> {
        if args.is_distinct {
            return plan_err!("percentile_disc does not take distinct");
        }
        let descending = args.order_bys.first().is_some_and(|order| order.options.descending);
        let batch = RecordBatch::new_empty(Arc::new(args.schema.clone()));
        let share = match args.exprs.get(1).map(|share| share.evaluate(&batch)) {
            Some(Ok(ColumnarValue::Scalar(share))) => share.cast_to(&DataType::Float64)?,
            _ => return plan_err!("the percentile of percentile_disc must be a constant"),
        };
        match share {
            ScalarValue::Float64(Some(share)) if (0.0..=1.0).contains(&share) => Ok(Place { share, descending }),
            ScalarValue::Float64(Some(share)) => {
                plan_err!("the percentile of percentile_disc must be between 0 and 1, not {share}")
            }
            _ => plan_err!("the percentile of percentile_disc must not be null"),
        }
    }

    /// Index of the value among `len` values in ascending order; `len` is not 0.
    fn index(self, len: usize) -> usize {
        let reached = |position: usize| position as f64 / len as f64 >= self.share;
        let mut position = ((self.share * len as f64).ceil() as usize).clamp(1, len);
        while position > 1 && reached(position - 1) {
            position -= 1;
        }
        while position < len && !reached(position) {
            position += 1;
        }
        if self.descending { len - position } else { position - 1 }
    }
}

impl AggregateUDFImpl for PercentileDisc {
    fn name(&self) -> &str {
        "percentile_disc"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        match arg_types {
            [value, share] if share.is_numeric() || share.is_null() => {
                Ok(vec![value_type(value).clone(), DataType::Float64])
            }
            [_, share] => plan_err!("the percentile of percentile_disc must be a number, not {share}"),
            _ => plan_err!("percentile_disc is called as percentile_disc(0.5) within group (order by x)"),
        }
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match arg_types.first() {
            Some(data_type) => Ok(data_type.clone()),
            None => plan_err!("percentile_disc is called as percentile_disc(0.5) within group (order by x)"),
        }
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Frame {
            place: Place::of(&args)?,
            data_type: args.return_field.data_type().clone(),
            chunks: VecDeque::new(),
        }))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let item = Field::new_list_field(args.input_fields[0].data_type().clone(), true);
        Ok(vec![Field::new_list(format_state_name(args.name, "percentile_disc"), item, false).into()])
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Grouped(Values::new(Place::of(&args)?, args.return_field.data_type()))))
    }

    fn supports_within_group_clause(&self) -> bool {
        true
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::NotSupported
    }
}

/// The rows of `values` that are present, without what they drag along.
fn compact(values: &ArrayRef, present: Option<&NullBuffer>) -> Result<ArrayRef> {
    let kept = match present {
        None => Arc::clone(values),
        Some(present) => filter(values, &BooleanArray::new(present.inner().clone(), None))?,
    };
    Ok(match kept.data_type() {
        DataType::Utf8View => Arc::new(kept.as_string_view().gc()),
        DataType::BinaryView => Arc::new(kept.as_binary_view().gc()),
        _ => kept,
    })
}

fn concat_or_empty<'a>(chunks: impl Iterator<Item = &'a ArrayRef>, data_type: &DataType) -> Result<ArrayRef> {
    let chunks: Vec<&dyn Array> = chunks.map(|chunk| chunk.as_ref()).collect();
    if chunks.is_empty() { Ok(new_empty_array(data_type)) } else { Ok(concat(&chunks)?) }
}

/// Values of groups.
#[derive(Debug)]
struct Values {
    place: Place,
    data_type: DataType,
    chunks: Vec<ArrayRef>,
    bytes: usize,
    owners: Vec<u32>,
    groups: usize,
}

impl Values {
    fn new(place: Place, data_type: &DataType) -> Values {
        Values { place, data_type: data_type.clone(), chunks: Vec::new(), bytes: 0, owners: Vec::new(), groups: 0 }
    }

    fn push(&mut self, values: ArrayRef, owners: impl Iterator<Item = usize>) -> Result<()> {
        if values.is_empty() {
            return Ok(());
        }
        for owner in owners {
            self.owners.push(group_id(owner)?);
        }
        self.bytes += values.get_array_memory_size();
        self.chunks.push(values);
        Ok(())
    }

    /// The rows of each group one after the other, and how many rows each has.
    fn by_group(&self) -> Result<(Vec<u32>, Vec<usize>)> {
        let mut lengths = vec![0_usize; self.groups];
        self.owners.iter().for_each(|owner| lengths[*owner as usize] += 1);
        let mut next: Vec<usize> = lengths
            .iter()
            .scan(0, |sum, length| {
                let start = *sum;
                *sum += length;
                Some(start)
            })
            .collect();
        let mut rows = vec![0_u32; self.owners.len()];
        for (row, owner) in self.owners.iter().enumerate() {
            let at = &mut next[*owner as usize];
            rows[*at] = group_id(row)?;
            *at += 1;
        }
        Ok((rows, lengths))
    }
}

impl Store for Values {
    fn update(&mut self, values: &[ArrayRef], groups: &[usize], keep: Option<&NullBuffer>, total: usize) -> Result<()> {
        self.groups = total;
        let present = present(&values[0], keep);
        let values = compact(&values[0], present.as_ref())?;
        match present {
            None => self.push(values, groups.iter().copied()),
            Some(present) => self.push(values, present.valid_indices().map(|row| groups[row])),
        }
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.groups = total;
        let (values, owners) = flatten(states[0].as_list(), groups);
        self.push(compact(&values, None)?, owners.into_iter())
    }

    fn split(&mut self, groups: usize) -> Result<Self> {
        let all = concat_or_empty(self.chunks.iter(), &self.data_type)?;
        let goes = BooleanArray::from_iter(self.owners.iter().map(|owner| Some((*owner as usize) < groups)));
        let stays = not(&goes)?;
        let mut first = self.fresh()?;
        let mut rest = self.fresh()?;
        first.groups = groups;
        rest.groups = self.groups.saturating_sub(groups);
        let (gone, left): (Vec<usize>, Vec<usize>) =
            self.owners.iter().map(|owner| *owner as usize).partition(|owner| *owner < groups);
        first.push(compact(&filter(&all, &goes)?, None)?, gone.into_iter())?;
        rest.push(compact(&filter(&all, &stays)?, None)?, left.into_iter().map(|owner| owner - groups))?;
        *self = rest;
        Ok(first)
    }

    fn groups(&self) -> usize {
        self.groups
    }

    fn result(&self) -> Result<ArrayRef> {
        let values = concat_or_empty(self.chunks.iter(), &self.data_type)?;
        let (mut rows, lengths) = self.by_group()?;
        let mut rest = rows.as_mut_slice();
        let mut chosen = Vec::with_capacity(lengths.len());
        let compare = make_comparator(&values, &values, SortOptions::default())?;
        for length in lengths {
            let (group, later) = rest.split_at_mut(length);
            rest = later;
            chosen.push(if group.is_empty() {
                None
            } else {
                let index = self.place.index(length);
                let (_, row, _) = group.select_nth_unstable_by(index, |a, b| compare(*a as usize, *b as usize));
                Some(*row)
            });
        }
        Ok(take(&values, &UInt32Array::from(chosen), None)?)
    }

    fn state(&self) -> Result<Vec<ArrayRef>> {
        let values = concat_or_empty(self.chunks.iter(), &self.data_type)?;
        let (rows, lengths) = self.by_group()?;
        Ok(vec![Arc::new(lists(take(&values, &UInt32Array::from(rows), None)?, lengths)?)])
    }

    fn fresh(&self) -> Result<Self> {
        Ok(Values::new(self.place, &self.data_type))
    }

    fn size(&self) -> usize {
        size_of::<Self>()
            + self.bytes
            + self.chunks.capacity() * size_of::<ArrayRef>()
            + self.owners.capacity() * size_of::<u32>()
    }
}

/// Values of one group, or of a window frame: rows leave a frame in the order in which they came.
#[derive(Debug)]
struct Frame {
    place: Place,
    data_type: DataType,
    chunks: VecDeque<ArrayRef>,
}

impl Frame {
    fn values(&self) -> Result<ArrayRef> {
        let all = concat_or_empty(self.chunks.iter(), &self.data_type)?;
        let present = present(&all, None);
        compact(&all, present.as_ref())
    }
}

impl Accumulator for Frame {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if !values[0].is_empty() {
            self.chunks.push_back(compact(&values[0], None)?);
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (values, _) = flatten(states[0].as_list(), &[]);
        self.update_batch(&[values])
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let mut gone = values[0].len();
        while gone > 0 {
            let Some(chunk) = self.chunks.pop_front() else {
                return exec_err!("more rows leave a window frame than came");
            };
            if chunk.len() > gone {
                self.chunks.push_front(chunk.slice(gone, chunk.len() - gone));
            }
            gone = gone.saturating_sub(chunk.len());
        }
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let values = self.values()?;
        if values.is_empty() {
            return ScalarValue::try_from(&self.data_type);
        }
        let mut rows = (0..values.len()).collect::<Vec<usize>>();
        let compare = make_comparator(&values, &values, SortOptions::default())?;
        let (_, row, _) = rows.select_nth_unstable_by(self.place.index(values.len()), |a, b| compare(*a, *b));
        ScalarValue::try_from_array(&values, *row)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values = self.values()?;
        let length = values.len();
        Ok(vec![ScalarValue::List(Arc::new(lists(values, [length])?))])
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.chunks.iter().map(|chunk| chunk.get_array_memory_size()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn position_is_the_first_that_reaches_the_share() {
        for len in 1..=300_usize {
            for hundredth in 0..=100_usize {
                let place = Place { share: hundredth as f64 / 100.0, descending: false };
                let expected = (hundredth * len).div_ceil(100).max(1);
                assert_eq!(place.index(len) + 1, expected, "{hundredth} % of {len}");
                assert_eq!(Place { descending: true, ..place }.index(len), len - expected);
            }
        }
    }
}
