//! Codecs whose bits are numbers of values that are kept.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BinaryViewBuilder, LargeBinaryBuilder};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, internal_err};

use super::super::interner::Interner;
use super::Codec;

/// Text and binary values.
#[derive(Debug)]
pub(in super::super) struct Bytes {
    data_type: DataType,
    interner: Interner,
}

impl Bytes {
    /// For values of `data_type`.
    pub(in super::super) fn new(data_type: &DataType) -> Bytes {
        Bytes { data_type: data_type.clone(), interner: Interner::default() }
    }
}

impl Codec for Bytes {
    type Bits = u32;

    fn encode(&mut self, values: &ArrayRef, keep: Option<&NullBuffer>, out: &mut Vec<u32>) -> Result<()> {
        let views = cast(values, &DataType::BinaryView)?;
        let views = views.as_binary_view();
        for row in 0..views.len() {
            let kept = keep.is_none_or(|keep| keep.is_valid(row));
            out.push(if kept { self.interner.intern(views.value(row))? } else { 0 });
        }
        Ok(())
    }

    fn decode(&self, bits: &[u32]) -> Result<ArrayRef> {
        let raw: ArrayRef = match self.data_type {
            DataType::Utf8View | DataType::BinaryView => {
                let mut builder = BinaryViewBuilder::with_capacity(bits.len());
                bits.iter().for_each(|id| builder.append_value(self.interner.get(*id)));
                Arc::new(builder.finish())
            }
            _ => {
                let len = bits.iter().map(|id| self.interner.get(*id).len()).sum();
                let mut builder = LargeBinaryBuilder::with_capacity(bits.len(), len);
                bits.iter().for_each(|id| builder.append_value(self.interner.get(*id)));
                Arc::new(builder.finish())
            }
        };
        Ok(cast(&raw, &self.data_type)?)
    }

    fn fresh(&self) -> Result<Bytes> {
        Ok(Bytes::new(&self.data_type))
    }

    fn size(&self) -> usize {
        self.interner.size()
    }
}

/// Every other type that Arrow's row format can hold: structs, lists, wide decimals, intervals, ...
#[derive(Debug)]
pub(in super::super) struct Rows {
    data_type: DataType,
    converter: RowConverter,
    interner: Interner,
}

impl Rows {
    /// For values of `data_type`; fails for types that have no row format.
    pub(in super::super) fn try_new(data_type: &DataType) -> Result<Rows> {
        let converter = RowConverter::new(vec![SortField::new(data_type.clone())])?;
        Ok(Rows { data_type: data_type.clone(), converter, interner: Interner::default() })
    }
}

impl Codec for Rows {
    type Bits = u32;

    fn encode(&mut self, values: &ArrayRef, keep: Option<&NullBuffer>, out: &mut Vec<u32>) -> Result<()> {
        let rows = self.converter.convert_columns(std::slice::from_ref(values))?;
        for (row, bytes) in rows.iter().enumerate() {
            let kept = keep.is_none_or(|keep| keep.is_valid(row));
            out.push(if kept { self.interner.intern(bytes.data())? } else { 0 });
        }
        Ok(())
    }

    fn decode(&self, bits: &[u32]) -> Result<ArrayRef> {
        let parser = self.converter.parser();
        let rows = bits.iter().map(|id| parser.parse(self.interner.get(*id)));
        match self.converter.convert_rows(rows)?.pop() {
            Some(values) if values.data_type() == &self.data_type => Ok(values),
            Some(values) => Ok(cast(&values, &self.data_type)?),
            None => internal_err!("a row without a column"),
        }
    }

    fn fresh(&self) -> Result<Rows> {
        Rows::try_new(&self.data_type)
    }

    fn size(&self) -> usize {
        self.interner.size() + self.converter.size()
    }
}
