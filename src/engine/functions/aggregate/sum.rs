//! `sum`, which is DataFusion's but for whole numbers and decimals: those are summed in 128 bits, so that the result is
//! right or an error, whatever the order of the rows and however they are spread over threads. A state is a
//! `decimal(38, s)` for the same reason: a part of a sum may be too large for a sum that is not.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, PrimitiveArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Decimal32Type, Decimal64Type, Decimal128Type, Field, FieldRef, Int64Type,
    UInt64Type,
};
use datafusion::common::{Result, ScalarValue};
use datafusion::functions_aggregate::sum::Sum as Stock;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, ReversedUDAF, SetMonotonicity, Signature,
    StatisticsArgs, utils::AggregateOrderSensitivity,
};

use super::super::overflow;
use super::codec::Wide;
use super::distinct_sum::DistinctSum;
use super::sliding_sum::SlidingSum;
use super::store::{Grouped, Single, Store, present};
use crate::engine::types::type_name;

/// See the module.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Sum {
    stock: Stock,
    aliases: [String; 1],
}

impl Sum {
    /// The aggregate.
    pub(super) fn new() -> Sum {
        Sum { stock: Stock::new(), aliases: ["fsum".to_string()] }
    }
}

/// Runs `$body` with `$t` as the Arrow type of `$type` if sums of it are ours, or else `$other`.
macro_rules! ours {
    ($type:expr, $t:ident => $body:expr, else $other:expr) => {
        match $type {
            DataType::Int64 => {
                type $t = Int64Type;
                $body
            }
            DataType::UInt64 => {
                type $t = UInt64Type;
                $body
            }
            DataType::Decimal32(_, _) => {
                type $t = Decimal32Type;
                $body
            }
            DataType::Decimal64(_, _) => {
                type $t = Decimal64Type;
                $body
            }
            DataType::Decimal128(_, _) => {
                type $t = Decimal128Type;
                $body
            }
            _ => $other,
        }
    };
}

/// Sums of these are computed by [`DistinctSum`].
fn ours_distinct(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Int64 | DataType::UInt64)
}

impl AggregateUDFImpl for Sum {
    fn name(&self) -> &str {
        "sum"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        self.stock.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.stock.return_type(arg_types)
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let data_type = args.expr_fields[0].data_type();
        if args.is_distinct {
            return if ours_distinct(data_type) {
                Ok(Box::new(Single(DistinctSum::new(Wide::new(data_type), data_type))))
            } else {
                self.stock.accumulator(args)
            };
        }
        let returns = args.return_field.data_type();
        ours!(data_type, T => Ok(Box::new(Single(Sums::<T>::new(data_type, returns)))), else self.stock.accumulator(args))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let state = state_type(args.input_fields[0].data_type());
        match state {
            Some(state) if !args.is_distinct => {
                Ok(vec![Field::new(format_state_name(args.name, "sum"), state, true).into()])
            }
            _ => self.stock.state_fields(args),
        }
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct || ours_distinct(args.expr_fields[0].data_type())
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        let data_type = args.expr_fields[0].data_type();
        if args.is_distinct {
            return Ok(Box::new(Grouped(DistinctSum::new(Wide::new(data_type), data_type))));
        }
        let returns = args.return_field.data_type();
        ours!(
            data_type,
            T => Ok(Box::new(Grouped(Sums::<T>::new(data_type, returns)))),
            else self.stock.create_groups_accumulator(args)
        )
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let data_type = args.expr_fields[0].data_type();
        if args.is_distinct {
            return self.stock.create_sliding_accumulator(args);
        }
        let returns = args.return_field.data_type();
        ours!(
            data_type,
            T => Ok(Box::new(SlidingSum::<T>::new(returns))),
            else self.stock.create_sliding_accumulator(args)
        )
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.stock.documentation()
    }

    fn set_monotonicity(&self, data_type: &DataType) -> SetMonotonicity {
        self.stock.set_monotonicity(data_type)
    }

    fn value_from_stats(&self, args: &StatisticsArgs) -> Option<ScalarValue> {
        self.stock.value_from_stats(args)
    }
}

/// The type of a state, if sums of `data_type` are ours.
fn state_type(data_type: &DataType) -> Option<DataType> {
    let scale = match data_type {
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) => *scale,
        DataType::Int64 | DataType::UInt64 => 0,
        _ => return None,
    };
    Some(DataType::Decimal128(DECIMAL128_MAX_PRECISION, scale))
}

/// Types that are summed in 128 bits.
pub(super) trait Summand: ArrowPrimitiveType + std::fmt::Debug + Send + Sync {
    /// The value in 128 bits.
    fn widen(value: Self::Native) -> i128;

    /// The sum as a value of `returns`, which is of this type; an error if it does not fit.
    fn narrow(sum: i128, returns: &DataType) -> Result<Self::Native>;
}

fn too_large(sum: i128, returns: &DataType) -> datafusion::error::DataFusionError {
    let shown = match returns {
        DataType::Decimal32(_, scale) | DataType::Decimal64(_, scale) | DataType::Decimal128(_, scale) => {
            decimal_text(sum, *scale)
        }
        _ => sum.to_string(),
    };
    overflow(format!("the sum {shown} does not fit into {}", type_name(returns)))
}

/// A decimal that may have more digits than any type allows.
fn decimal_text(value: i128, scale: i8) -> String {
    let digits = value.unsigned_abs().to_string();
    let sign = if value < 0 { "-" } else { "" };
    let Ok(scale @ 1..) = usize::try_from(scale) else {
        return format!("{sign}{digits}");
    };
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

impl Summand for Int64Type {
    fn widen(value: i64) -> i128 {
        i128::from(value)
    }

    fn narrow(sum: i128, returns: &DataType) -> Result<i64> {
        i64::try_from(sum).map_err(|_| too_large(sum, returns))
    }
}

impl Summand for UInt64Type {
    fn widen(value: u64) -> i128 {
        i128::from(value)
    }

    fn narrow(sum: i128, returns: &DataType) -> Result<u64> {
        u64::try_from(sum).map_err(|_| too_large(sum, returns))
    }
}

fn fits(sum: i128, returns: &DataType) -> bool {
    let precision = match returns {
        DataType::Decimal32(precision, _) | DataType::Decimal64(precision, _) | DataType::Decimal128(precision, _) => {
            *precision
        }
        _ => return false,
    };
    sum.unsigned_abs() < 10_u128.pow(u32::from(precision.min(DECIMAL128_MAX_PRECISION)))
}

macro_rules! decimal_summand {
    ($($type:ty),*) => {$(
        impl Summand for $type {
            fn widen(value: Self::Native) -> i128 {
                i128::from(value)
            }

            fn narrow(sum: i128, returns: &DataType) -> Result<Self::Native> {
                match Self::Native::try_from(sum) {
                    Ok(value) if fits(sum, returns) => Ok(value),
                    _ => Err(too_large(sum, returns)),
                }
            }
        }
    )*};
}
decimal_summand!(Decimal32Type, Decimal64Type, Decimal128Type);

/// The sum of the values that are present, and how many those are.
pub(super) fn sum_of<T: Summand>(values: &PrimitiveArray<T>, present: Option<&NullBuffer>) -> Result<(i128, usize)> {
    let mut sum = 0_i128;
    let mut add = |value: T::Native| -> Result<()> {
        sum = add_checked(sum, T::widen(value))?;
        Ok(())
    };
    match present {
        None => values.values().iter().try_for_each(|value| add(*value))?,
        Some(present) => present.valid_indices().try_for_each(|row| add(values.value(row)))?,
    }
    Ok((sum, values.len() - present.map_or(0, NullBuffer::null_count)))
}

/// The sum of two sums; only decimals of 38 digits can be too large for that.
pub(super) fn add_checked(sum: i128, value: i128) -> Result<i128> {
    sum.add_checked(value).map_err(|_| overflow(format!("the sum {sum} + {value} does not fit into 128 bits")))
}

/// Sums, in 64 bits as long as all of them fit: that is half the memory to go through.
#[derive(Debug)]
enum Totals {
    Narrow(Vec<i64>),
    Wide(Vec<i128>),
}

impl Totals {
    fn len(&self) -> usize {
        match self {
            Totals::Narrow(sums) => sums.len(),
            Totals::Wide(sums) => sums.len(),
        }
    }

    fn resize(&mut self, total: usize) {
        match self {
            Totals::Narrow(sums) => sums.resize(total, 0),
            Totals::Wide(sums) => sums.resize(total, 0),
        }
    }

    /// Adds to the sums of groups, in 128 bits from the first one on that needs them.
    fn add(&mut self, mut values: impl Iterator<Item = (usize, i128)>) -> Result<()> {
        if let Totals::Narrow(sums) = self {
            let too_large = values.find(|(group, value)| {
                match i64::try_from(*value).ok().and_then(|value| sums[*group].checked_add(value)) {
                    Some(sum) => sums[*group] = sum,
                    None => return true,
                }
                false
            });
            let Some((group, value)) = too_large else { return Ok(()) };
            let mut wide: Vec<i128> = sums.iter().map(|sum| i128::from(*sum)).collect();
            wide[group] = add_checked(wide[group], value)?;
            *self = Totals::Wide(wide);
        }
        match self {
            Totals::Wide(sums) => values.try_for_each(|(group, value)| {
                sums[group] = add_checked(sums[group], value)?;
                Ok(())
            }),
            Totals::Narrow(_) => Ok(()),
        }
    }

    fn split_off(&mut self, groups: usize) -> Totals {
        match self {
            Totals::Narrow(sums) => Totals::Narrow(sums.split_off(groups)),
            Totals::Wide(sums) => Totals::Wide(sums.split_off(groups)),
        }
    }

    fn get(&self, group: usize) -> i128 {
        match self {
            Totals::Narrow(sums) => i128::from(sums[group]),
            Totals::Wide(sums) => sums[group],
        }
    }

    fn iter(&self) -> impl Iterator<Item = i128> {
        (0..self.len()).map(|group| self.get(group))
    }

    fn size(&self) -> usize {
        match self {
            Totals::Narrow(sums) => sums.capacity() * size_of::<i64>(),
            Totals::Wide(sums) => sums.capacity() * size_of::<i128>(),
        }
    }
}

/// The sums of the groups so far. A group without values has no sum.
#[derive(Debug)]
struct Sums<T: Summand> {
    sums: Totals,
    some: Vec<bool>,
    input: DataType,
    returns: DataType,
    kind: std::marker::PhantomData<T>,
}

impl<T: Summand> Sums<T> {
    fn new(input: &DataType, returns: &DataType) -> Sums<T> {
        Sums {
            sums: Totals::Narrow(Vec::new()),
            some: Vec::new(),
            input: input.clone(),
            returns: returns.clone(),
            kind: std::marker::PhantomData,
        }
    }

    fn add<U: Summand>(
        &mut self,
        values: &ArrayRef,
        groups: &[usize],
        keep: Option<&NullBuffer>,
        total: usize,
    ) -> Result<()> {
        self.sums.resize(total);
        self.some.resize(total, false);
        let present = present(values, keep);
        let values = values.as_primitive::<U>();
        if total == 1 {
            let (sum, count) = sum_of(values, present.as_ref())?;
            self.sums.add(std::iter::once((0, sum)))?;
            self.some[0] |= count > 0;
            return Ok(());
        }
        let (some, values) = (&mut self.some, values.values());
        let of_row = |row: usize| {
            some[groups[row]] = true;
            (groups[row], U::widen(values[row]))
        };
        match present {
            None => self.sums.add((0..groups.len()).map(of_row)),
            Some(present) => self.sums.add(present.valid_indices().map(of_row)),
        }
    }

    fn nulls(&self) -> NullBuffer {
        NullBuffer::from(self.some.as_slice())
    }
}

impl<T: Summand> Store for Sums<T> {
    fn update(&mut self, values: &[ArrayRef], groups: &[usize], keep: Option<&NullBuffer>, total: usize) -> Result<()> {
        self.add::<T>(&values[0], groups, keep, total)
    }

    fn merge(&mut self, states: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        self.add::<Decimal128Type>(&states[0], groups, None, total)
    }

    fn split(&mut self, groups: usize) -> Result<Self> {
        let mut first = self.fresh()?;
        let later = self.sums.split_off(groups);
        first.sums = std::mem::replace(&mut self.sums, later);
        let later = self.some.split_off(groups);
        first.some = std::mem::replace(&mut self.some, later);
        Ok(first)
    }

    fn groups(&self) -> usize {
        self.sums.len()
    }

    fn result(&self) -> Result<ArrayRef> {
        let sums = self.sums.iter().map(|sum| T::narrow(sum, &self.returns)).collect::<Result<Vec<_>>>()?;
        let array = PrimitiveArray::<T>::new(sums.into(), Some(self.nulls()));
        Ok(Arc::new(array.with_data_type(self.returns.clone())))
    }

    fn state(&self) -> Result<Vec<ArrayRef>> {
        let state = state_type(&self.input).unwrap_or(DataType::Decimal128(DECIMAL128_MAX_PRECISION, 0));
        let array = PrimitiveArray::<Decimal128Type>::new(Vec::from_iter(self.sums.iter()).into(), Some(self.nulls()));
        Ok(vec![Arc::new(array.with_data_type(state))])
    }

    fn fresh(&self) -> Result<Self> {
        Ok(Sums::new(&self.input, &self.returns))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.sums.size() + self.some.capacity()
    }
}
