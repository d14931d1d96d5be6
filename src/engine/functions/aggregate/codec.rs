//! Values as a few bits that are equal exactly when the values are.
//!
//! Numbers, dates and the like are their own bits. Text and binary values are numbers of an [`Interner`](super::interner::Interner), and so is every
//! other type by way of Arrow's row format. Zero and minus zero are one value, and so are all NaN, as in GROUP BY.

mod interned;

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, PrimitiveArray, UInt8Array, UInt16Array, UInt32Array, UInt64Array, make_array,
};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, IntervalUnit, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::common::Result;

pub(super) use interned::{Bytes, Rows};

/// What stands for a value, and how it is stored together with the number of its group.
pub(super) trait Bits: Copy + Default + Eq + Hash + Debug + Send + Sync + 'static {
    /// A group and a value, without padding.
    type Pair: Copy + Eq + Hash + Debug + Send + Sync + 'static;

    /// The pair of `group` and this value.
    fn join(self, group: u32) -> Self::Pair;

    /// The group and the value of `pair`.
    fn split(pair: Self::Pair) -> (u32, Self);
}

impl Bits for u32 {
    type Pair = u64;

    fn join(self, group: u32) -> u64 {
        u64::from(group) << 32 | u64::from(self)
    }

    fn split(pair: u64) -> (u32, u32) {
        ((pair >> 32) as u32, pair as u32)
    }
}

impl Bits for u64 {
    type Pair = [u32; 3];

    fn join(self, group: u32) -> [u32; 3] {
        [group, (self >> 32) as u32, self as u32]
    }

    fn split([group, high, low]: [u32; 3]) -> (u32, u64) {
        (group, u64::from(high) << 32 | u64::from(low))
    }
}

impl Bits for u128 {
    type Pair = [u32; 5];

    fn join(self, group: u32) -> [u32; 5] {
        [group, (self >> 96) as u32, (self >> 64) as u32, (self >> 32) as u32, self as u32]
    }

    fn split([group, a, b, c, d]: [u32; 5]) -> (u32, u128) {
        (group, u128::from(a) << 96 | u128::from(b) << 64 | u128::from(c) << 32 | u128::from(d))
    }
}

/// Turns values of one type into [`Bits`] and back.
pub(super) trait Codec: Debug + Send + Sync + Sized + 'static {
    /// What stands for a value.
    type Bits: Bits;

    /// Appends the bits of every row to `out`; rows that `keep` leaves out get any bits.
    fn encode(&mut self, values: &ArrayRef, keep: Option<&NullBuffer>, out: &mut Vec<Self::Bits>) -> Result<()>;

    /// The values that `bits` stand for.
    fn decode(&self, bits: &[Self::Bits]) -> Result<ArrayRef>;

    /// Another one for the same type, which knows no values yet.
    fn fresh(&self) -> Result<Self>;

    /// Bytes on the heap.
    fn size(&self) -> usize;
}

/// Runs `$body` with `$codec` bound to the codec of `$type`; its result is that of the whole.
macro_rules! with_codec {
    ($type:expr, $codec:ident => $body:expr) => {
        match $crate::engine::functions::aggregate::codec::Family::of($type) {
            $crate::engine::functions::aggregate::codec::Family::Narrow => {
                let $codec = $crate::engine::functions::aggregate::codec::Narrow::new($type);
                $body
            }
            $crate::engine::functions::aggregate::codec::Family::Wide => {
                let $codec = $crate::engine::functions::aggregate::codec::Wide::new($type);
                $body
            }
            $crate::engine::functions::aggregate::codec::Family::Decimal => {
                let $codec = $crate::engine::functions::aggregate::codec::Decimal::new($type);
                $body
            }
            $crate::engine::functions::aggregate::codec::Family::Bytes => {
                let $codec = $crate::engine::functions::aggregate::codec::Bytes::new($type);
                $body
            }
            $crate::engine::functions::aggregate::codec::Family::Rows => {
                let $codec = $crate::engine::functions::aggregate::codec::Rows::try_new($type)?;
                $body
            }
        }
    };
}
pub(super) use with_codec;

/// The codecs that there are.
pub(super) enum Family {
    /// [`Narrow`]
    Narrow,
    /// [`Wide`]
    Wide,
    /// [`Decimal`]
    Decimal,
    /// [`Bytes`]
    Bytes,
    /// [`Rows`]
    Rows,
}

impl Family {
    /// The family for values of `data_type`.
    pub(super) fn of(data_type: &DataType) -> Family {
        use DataType::*;
        match data_type {
            Boolean
            | Int8
            | UInt8
            | Int16
            | UInt16
            | Float16
            | Int32
            | UInt32
            | Float32
            | Date32
            | Time32(_)
            | Interval(IntervalUnit::YearMonth) => Family::Narrow,
            Int64 | UInt64 | Float64 | Date64 | Time64(_) | Timestamp(_, _) | Duration(_) => Family::Wide,
            Decimal128(_, _) => Family::Decimal,
            Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | BinaryView => Family::Bytes,
            _ => Family::Rows,
        }
    }
}

/// The same buffers under another type of the same width.
fn reinterpret(values: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    Ok(make_array(values.to_data().into_builder().data_type(data_type.clone()).build()?))
}

/// Types of one, two or four bytes.
#[derive(Debug)]
pub(super) struct Narrow {
    data_type: DataType,
}

impl Narrow {
    /// For values of `data_type`.
    pub(super) fn new(data_type: &DataType) -> Narrow {
        Narrow { data_type: data_type.clone() }
    }
}

impl Codec for Narrow {
    type Bits = u32;

    fn encode(&mut self, values: &ArrayRef, _keep: Option<&NullBuffer>, out: &mut Vec<u32>) -> Result<()> {
        use DataType::*;
        match &self.data_type {
            Boolean => out.extend(values.as_boolean().values().iter().map(u32::from)),
            Int8 | UInt8 => {
                let raw = reinterpret(values, &UInt8)?;
                out.extend(raw.as_primitive::<UInt8Type>().values().iter().map(|bits| u32::from(*bits)));
            }
            Int16 | UInt16 | Float16 => {
                let raw = reinterpret(values, &UInt16)?;
                let canonical = if self.data_type == Float16 { half_bits } else { |bits: u16| bits };
                out.extend(raw.as_primitive::<UInt16Type>().values().iter().map(|bits| u32::from(canonical(*bits))));
            }
            _ => {
                let raw = reinterpret(values, &UInt32)?;
                let canonical = if self.data_type == Float32 { single_bits } else { |bits: u32| bits };
                out.extend(raw.as_primitive::<UInt32Type>().values().iter().map(|bits| canonical(*bits)));
            }
        }
        Ok(())
    }

    fn decode(&self, bits: &[u32]) -> Result<ArrayRef> {
        use DataType::*;
        let raw: ArrayRef = match &self.data_type {
            Boolean => {
                let raw: ArrayRef = Arc::new(bits.iter().map(|bits| *bits as u8).collect::<UInt8Array>());
                return Ok(cast(&raw, &Boolean)?);
            }
            Int8 | UInt8 => Arc::new(bits.iter().map(|bits| *bits as u8).collect::<UInt8Array>()),
            Int16 | UInt16 | Float16 => Arc::new(bits.iter().map(|bits| *bits as u16).collect::<UInt16Array>()),
            _ => Arc::new(UInt32Array::from_iter_values(bits.iter().copied())),
        };
        reinterpret(&raw, &self.data_type)
    }

    fn fresh(&self) -> Result<Narrow> {
        Ok(Narrow::new(&self.data_type))
    }

    fn size(&self) -> usize {
        0
    }
}

fn half_bits(bits: u16) -> u16 {
    match bits & 0x7fff {
        0 => 0,
        0x7c01.. => 0x7e00,
        _ => bits,
    }
}

fn single_bits(bits: u32) -> u32 {
    match bits & 0x7fff_ffff {
        0 => 0,
        0x7f80_0001.. => 0x7fc0_0000,
        _ => bits,
    }
}

fn double_bits(bits: u64) -> u64 {
    match bits & 0x7fff_ffff_ffff_ffff {
        0 => 0,
        0x7ff0_0000_0000_0001.. => 0x7ff8_0000_0000_0000,
        _ => bits,
    }
}

/// Types of eight bytes.
#[derive(Debug)]
pub(super) struct Wide {
    data_type: DataType,
}

impl Wide {
    /// For values of `data_type`.
    pub(super) fn new(data_type: &DataType) -> Wide {
        Wide { data_type: data_type.clone() }
    }
}

impl Codec for Wide {
    type Bits = u64;

    fn encode(&mut self, values: &ArrayRef, _keep: Option<&NullBuffer>, out: &mut Vec<u64>) -> Result<()> {
        let raw = reinterpret(values, &DataType::UInt64)?;
        let bits = raw.as_primitive::<UInt64Type>().values();
        if self.data_type == DataType::Float64 {
            out.extend(bits.iter().map(|bits| double_bits(*bits)));
        } else {
            out.extend_from_slice(bits);
        }
        Ok(())
    }

    fn decode(&self, bits: &[u64]) -> Result<ArrayRef> {
        let raw: ArrayRef = Arc::new(UInt64Array::from_iter_values(bits.iter().copied()));
        reinterpret(&raw, &self.data_type)
    }

    fn fresh(&self) -> Result<Wide> {
        Ok(Wide::new(&self.data_type))
    }

    fn size(&self) -> usize {
        0
    }
}

/// Decimals of 128 bits.
#[derive(Debug)]
pub(super) struct Decimal {
    data_type: DataType,
}

impl Decimal {
    /// For values of `data_type`.
    pub(super) fn new(data_type: &DataType) -> Decimal {
        Decimal { data_type: data_type.clone() }
    }
}

impl Codec for Decimal {
    type Bits = u128;

    fn encode(&mut self, values: &ArrayRef, _keep: Option<&NullBuffer>, out: &mut Vec<u128>) -> Result<()> {
        out.extend(values.as_primitive::<Decimal128Type>().values().iter().map(|value| *value as u128));
        Ok(())
    }

    fn decode(&self, bits: &[u128]) -> Result<ArrayRef> {
        let values = PrimitiveArray::<Decimal128Type>::from_iter_values(bits.iter().map(|bits| *bits as i128));
        Ok(Arc::new(values.with_data_type(self.data_type.clone())))
    }

    fn fresh(&self) -> Result<Decimal> {
        Ok(Decimal::new(&self.data_type))
    }

    fn size(&self) -> usize {
        0
    }
}
