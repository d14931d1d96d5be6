//! What an aggregate keeps for its groups, and the two shapes in which the engine wants that.
//!
//! An aggregate of ours is one [`Store`]: it takes rows of numbered groups, gives results and intermediate states, and can
//! be cut after its first groups. [`Grouped`] and [`Single`] make of it what GROUP BY and plain or window aggregates use.

use std::fmt::Debug;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, ListArray};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::datatypes::{Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, resources_err};
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

/// See the module. Groups are numbered from 0.
pub(super) trait Store: Debug + Send + Sync + Sized + 'static {
    /// Takes rows: `groups` has one number a row, `keep` leaves out rows, `total` groups are known by now.
    fn update(&mut self, values: &[ArrayRef], groups: &[usize], keep: Option<&NullBuffer>, total: usize) -> Result<()>;

    /// Takes states of [`Store::state`].
    fn merge(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()>;

    /// Cuts off the first `groups` groups; the others are numbered anew from 0.
    fn split(&mut self, groups: usize) -> Result<Self>;

    /// How many groups are known.
    fn groups(&self) -> usize;

    /// One row a group.
    fn result(&self) -> Result<ArrayRef>;

    /// One row a group, for another store to merge.
    fn state(&self) -> Result<Vec<ArrayRef>>;

    /// Another one of the same kind without groups.
    fn fresh(&self) -> Result<Self>;

    /// Bytes in use, its own included.
    fn size(&self) -> usize;

    /// One state a row.
    fn states_of_rows(&self, values: &[ArrayRef], keep: Option<&NullBuffer>) -> Result<Vec<ArrayRef>> {
        let mut store = self.fresh()?;
        let rows = values[0].len();
        store.update(values, &Vec::from_iter(0..rows), keep, rows)?;
        store.state()
    }
}

/// A store under GROUP BY.
pub(super) struct Grouped<S>(pub(super) S);

impl<S: Store> Grouped<S> {
    fn emit(&mut self, emit_to: EmitTo) -> Result<S> {
        match emit_to {
            EmitTo::All => {
                let fresh = self.0.fresh()?;
                Ok(std::mem::replace(&mut self.0, fresh))
            }
            EmitTo::First(groups) => self.0.split(groups),
        }
    }
}

impl<S: Store> GroupsAccumulator for Grouped<S> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.0.update(values, group_indices, opt_filter.map(kept).as_ref(), total_num_groups)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        self.emit(emit_to)?.result()
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        self.emit(emit_to)?.state()
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.0.merge(values, group_indices, total_num_groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        self.0.states_of_rows(values, opt_filter.map(kept).as_ref())
    }

    fn size(&self) -> usize {
        self.0.size()
    }
}

/// A store with one group: aggregates without GROUP BY, and window frames.
#[derive(Debug)]
pub(super) struct Single<S>(pub(super) S);

impl<S: Store> Single<S> {
    /// The store must know its one group even if no row came.
    fn ready(&mut self) -> Result<()> {
        if self.0.groups() == 0 {
            let states = self.0.fresh()?.state()?;
            self.0.merge(&states, &[], 1)?;
        }
        Ok(())
    }
}

impl<S: Store> Accumulator for Single<S> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.update(values, &vec![0; values[0].len()], None, 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.ready()?;
        ScalarValue::try_from_array(&self.0.result()?, 0)
    }

    fn size(&self) -> usize {
        self.0.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.ready()?;
        self.0.state()?.iter().map(|column| ScalarValue::try_from_array(column, 0)).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.0.merge(states, &vec![0; states[0].len()], 1)
    }
}

/// The rows for which `filter` is true.
fn kept(filter: &BooleanArray) -> NullBuffer {
    let values = NullBuffer::new(filter.values().clone());
    NullBuffer::union(Some(&values), filter.nulls()).unwrap_or(values)
}

/// The rows of `values` that are not null and that `keep` does not leave out.
pub(super) fn present(values: &ArrayRef, keep: Option<&NullBuffer>) -> Option<NullBuffer> {
    NullBuffer::union(values.logical_nulls().as_ref(), keep).filter(|present| present.null_count() > 0)
}

/// The number of a group as it is stored.
pub(super) fn group_id(group: usize) -> Result<u32> {
    match u32::try_from(group) {
        Ok(group) => Ok(group),
        Err(_) => resources_err!("more than 4 billion groups in one partition"),
    }
}

/// The field of one value in the lists that are states.
pub(super) fn item_field(values: &ArrayRef) -> FieldRef {
    Field::new_list_field(values.data_type().clone(), true).into()
}

/// A list of `values` for each group, which have `lengths` values each.
pub(super) fn lists(values: ArrayRef, lengths: impl IntoIterator<Item = usize>) -> Result<ListArray> {
    if i32::try_from(values.len()).is_err() {
        return exec_err!("more than 2147483647 values in one intermediate state: set a smaller batch of groups");
    }
    Ok(ListArray::try_new(item_field(&values), OffsetBuffer::from_lengths(lengths), values, None)?)
}

/// The values of the lists, and the group of each; row n belongs to `groups[n]`.
pub(super) fn flatten(lists: &ListArray, groups: &[usize]) -> (ArrayRef, Vec<usize>) {
    let offsets = lists.value_offsets();
    let (first, last) = (offsets[0] as usize, offsets[lists.len()] as usize);
    let mut owners = Vec::with_capacity(last - first);
    for (group, ends) in groups.iter().zip(offsets.windows(2)) {
        owners.extend(std::iter::repeat_n(*group, (ends[1] - ends[0]) as usize));
    }
    (lists.values().slice(first, last - first), owners)
}
