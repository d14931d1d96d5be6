//! `max_by(x, y)` and `min_by(x, y)`: the x of the row with the largest or smallest y.
//!
//! Rows whose y is null do not count. Of several rows with the same y the smallest x is taken (null last), so that the
//! answer does not depend on the order of rows. Each group keeps its best row in Arrow's row format, encoded so that
//! better rows are smaller byte strings.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, UInt32Array, new_empty_array};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::{SortOptions, cast, take};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, internal_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature, Volatility};

use super::count::value_type;
use super::store::{Grouped, Single, Store, group_id, present};

/// See the module.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct By {
    name: &'static str,
    aliases: Vec<String>,
    largest: bool,
    signature: Signature,
}

impl By {
    /// `max_by`, also under the name `arg_max`.
    pub(super) fn max() -> By {
        By {
            name: "max_by",
            aliases: vec!["arg_max".to_string()],
            largest: true,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    /// `min_by`, also under the name `arg_min`.
    pub(super) fn min() -> By {
        By { name: "min_by", aliases: vec!["arg_min".to_string()], largest: false, ..By::max() }
    }

    fn best(&self, args: &AccumulatorArgs) -> Result<Best> {
        Best::try_new(self.largest, args.expr_fields[0].data_type(), args.expr_fields[1].data_type())
    }
}

impl AggregateUDFImpl for By {
    fn name(&self) -> &str {
        self.name
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        match arg_types {
            [_, _] => Ok(arg_types.iter().map(|data_type| value_type(data_type).clone()).collect()),
            _ => plan_err!("{} takes two arguments: {}(x, y)", self.name, self.name),
        }
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match arg_types {
            [value, _] => Ok(value.clone()),
            _ => plan_err!("{} takes two arguments: {}(x, y)", self.name, self.name),
        }
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Single(self.best(&args)?)))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let field = |index: usize, name: &str| {
            let data_type = args.input_fields[index].data_type().clone();
            Field::new(format_state_name(args.name, name), data_type, true).into()
        };
        Ok(vec![field(0, "value"), field(1, "key")])
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(Grouped(self.best(&args)?)))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }
}

/// The best row of each group: y, then x.
#[derive(Debug)]
struct Best {
    largest: bool,
    value: DataType,
    key: DataType,
    converter: RowConverter,
    rows: Vec<Option<Box<[u8]>>>,
    bytes: usize,
}

impl Best {
    fn try_new(largest: bool, value: &DataType, key: &DataType) -> Result<Best> {
        let key_order = SortOptions { descending: largest, nulls_first: false };
        let value_order = SortOptions { descending: false, nulls_first: false };
        let converter = RowConverter::new(vec![
            SortField::new_with_options(key.clone(), key_order),
            SortField::new_with_options(value.clone(), value_order),
        ])?;
        Ok(Best { largest, value: value.clone(), key: key.clone(), converter, rows: Vec::new(), bytes: 0 })
    }

    /// x and y of each group; null where there is none.
    fn columns(&self) -> Result<(ArrayRef, ArrayRef)> {
        let parser = self.converter.parser();
        let known = self.rows.iter().flatten().map(|row| parser.parse(row));
        let mut columns = self.converter.convert_rows(known)?;
        let (Some(value), Some(key)) = (columns.pop(), columns.pop()) else {
            return internal_err!("a row without two columns");
        };
        let mut next = 0_u32;
        let places = UInt32Array::from_iter(self.rows.iter().map(|row| {
            row.as_ref().map(|_| {
                next += 1;
                next - 1
            })
        }));
        Ok((spread(&value, &places, &self.value)?, spread(&key, &places, &self.key)?))
    }
}

fn spread(column: &ArrayRef, places: &UInt32Array, data_type: &DataType) -> Result<ArrayRef> {
    if places.is_empty() {
        return Ok(new_empty_array(data_type));
    }
    let spread = take(column, places, None)?;
    if spread.data_type() == data_type { Ok(spread) } else { Ok(cast(&spread, data_type)?) }
}

impl Store for Best {
    fn update(&mut self, values: &[ArrayRef], groups: &[usize], keep: Option<&NullBuffer>, total: usize) -> Result<()> {
        group_id(total)?;
        self.rows.resize(total, None);
        let present = present(&values[1], keep);
        let rows = self.converter.convert_columns(&[Arc::clone(&values[1]), Arc::clone(&values[0])])?;
        for (row, group) in groups.iter().enumerate() {
            if present.as_ref().is_some_and(|present| present.is_null(row)) {
                continue;
            }
            let candidate = rows.row(row);
            let best = &mut self.rows[*group];
            if best.as_ref().is_none_or(|best| candidate.data() < &**best) {
                self.bytes += candidate.data().len();
                self.bytes -= best.as_ref().map_or(0, |best| best.len());
                *best = Some(candidate.data().into());
            }
        }
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.update(states, groups, None, total)
    }

    fn split(&mut self, groups: usize) -> Result<Self> {
        let mut first = self.fresh()?;
        let later = self.rows.split_off(groups.min(self.rows.len()));
        first.rows = std::mem::replace(&mut self.rows, later);
        first.bytes = first.rows.iter().flatten().map(|row| row.len()).sum();
        self.bytes -= first.bytes;
        Ok(first)
    }

    fn groups(&self) -> usize {
        self.rows.len()
    }

    fn result(&self) -> Result<ArrayRef> {
        Ok(self.columns()?.0)
    }

    fn state(&self) -> Result<Vec<ArrayRef>> {
        let (value, key) = self.columns()?;
        Ok(vec![value, key])
    }

    fn fresh(&self) -> Result<Self> {
        Best::try_new(self.largest, &self.value, &self.key)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.rows.capacity() * size_of::<Option<Box<[u8]>>>() + self.bytes + self.converter.size()
    }
}
