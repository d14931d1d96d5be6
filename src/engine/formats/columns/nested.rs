//! Structs, lists and maps under construction.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::builder::NullBufferBuilder;
use datafusion::arrow::array::{ArrayRef, ListArray, MapArray, StructArray};
use datafusion::arrow::buffer::{OffsetBuffer, ScalarBuffer};
use datafusion::arrow::datatypes::{DataType, FieldRef, Fields};
use datafusion::arrow::error::ArrowError;

use super::{Column, Wanted};

/// How many positions of an object's keys are remembered.
const SHAPE_LIMIT: usize = 256;

/// A column of structs, with what it takes to find the field of a key quickly.
pub(in super::super) struct StructColumn {
    /// One a declared field.
    pub(in super::super) children: Vec<Column>,
    names: HashMap<Vec<u8>, usize>,
    /// Lower-case names, for keys that differ in case.
    folded: HashMap<String, usize>,
    /// Keys as they came last time, by position: objects of a file mostly have the same keys in the same order.
    shape: Vec<Known>,
    /// Which children have got a value in the object that is read now: those marked with `stamp`.
    seen: Vec<u64>,
    stamp: u64,
    validity: NullBufferBuilder,
    len: usize,
    /// The children that are emitted and their fields, or `None` if the struct is not.
    emitted: Option<(Vec<usize>, Fields)>,
}

/// A key that came before.
struct Known {
    /// The key and its closing quote.
    key: Vec<u8>,
    slot: Slot,
}

/// Where the value of a key goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Slot {
    /// Into this child; the names are equal.
    Exact(usize),
    /// Into this child unless it has a value; the names differ in case.
    Folded(usize),
    /// Nowhere.
    Unknown,
}

impl StructColumn {
    pub(in super::super) fn new(fields: &Fields, wanted: &Wanted) -> Result<StructColumn, DataType> {
        let mut children = Vec::with_capacity(fields.len());
        for field in fields {
            children.push(Column::new(field.data_type(), wanted.field(field.name()))?);
        }
        let names = fields.iter().enumerate().map(|(at, field)| (field.name().as_bytes().to_vec(), at)).collect();
        let mut folded = HashMap::new();
        for (at, field) in fields.iter().enumerate() {
            folded.entry(field.name().to_lowercase()).or_insert(at);
        }
        let emitted = match wanted.prune(&DataType::Struct(fields.clone())) {
            _ if *wanted == Wanted::Nothing => None,
            DataType::Struct(left) => {
                let keep = |at: &usize| *wanted.field(fields[*at].name()) != Wanted::Nothing;
                Some(((0..fields.len()).filter(keep).collect(), left))
            }
            _ => None,
        };
        Ok(StructColumn {
            seen: vec![0; children.len()],
            children,
            names,
            folded,
            shape: Vec::new(),
            stamp: 0,
            validity: NullBufferBuilder::new(1024),
            len: 0,
            emitted,
        })
    }

    /// If `rest` starts with the key that came at `position` last time: its slot, and its length with the closing quote.
    #[inline]
    pub(in super::super) fn expected(&self, position: usize, rest: &[u8]) -> Option<(Slot, usize)> {
        let known = self.shape.get(position)?;
        rest.starts_with(&known.key).then_some((known.slot, known.key.len()))
    }

    /// The slot of `key`; if it is spelled without escapes, it will be expected at `position` from now on.
    pub(in super::super) fn find(&mut self, position: usize, key: &[u8], plain: bool) -> Slot {
        let slot = self.slot(key);
        if plain && position <= self.shape.len() && position < SHAPE_LIMIT {
            let mut quoted = Vec::with_capacity(key.len() + 1);
            quoted.extend_from_slice(key);
            quoted.push(b'"');
            let known = Known { key: quoted, slot };
            match self.shape.get_mut(position) {
                Some(old) => *old = known,
                None => self.shape.push(known),
            }
        }
        slot
    }

    fn slot(&self, key: &[u8]) -> Slot {
        if let Some(child) = self.names.get(key) {
            return Slot::Exact(*child);
        }
        let folded = String::from_utf8_lossy(key).to_lowercase();
        self.folded.get(&folded).map_or(Slot::Unknown, |child| Slot::Folded(*child))
    }

    /// Starts an object.
    pub(in super::super) fn start(&mut self) {
        self.stamp += 1;
    }

    /// The child that takes the next value, ready for it: the last of several equal keys wins. `None`: skip the value.
    #[inline]
    pub(in super::super) fn child(&mut self, slot: Slot) -> Option<&mut Column> {
        let at = match slot {
            Slot::Exact(at) => at,
            Slot::Folded(at) if self.seen[at] != self.stamp => at,
            Slot::Folded(_) | Slot::Unknown => return None,
        };
        let child = &mut self.children[at];
        if self.seen[at] == self.stamp {
            child.truncate(self.len);
        }
        self.seen[at] = self.stamp;
        Some(child)
    }

    /// Ends an object: children that got nothing get NULL.
    #[inline]
    pub(in super::super) fn end(&mut self) {
        for (child, seen) in self.children.iter_mut().zip(&self.seen) {
            if *seen != self.stamp {
                child.append_null();
            }
        }
        self.len += 1;
        self.validity.append_non_null();
    }

    /// Ends a row whose children all have their value.
    pub(in super::super) fn end_row(&mut self) {
        self.len += 1;
        self.validity.append_non_null();
    }

    pub(super) fn append_null(&mut self) {
        for child in &mut self.children {
            child.append_null();
        }
        self.len += 1;
        self.validity.append_null();
    }

    pub(in super::super) fn len(&self) -> usize {
        self.len
    }

    pub(in super::super) fn truncate(&mut self, len: usize) {
        for child in &mut self.children {
            child.truncate(len);
        }
        if len < self.len {
            self.len = len;
            self.validity.truncate(len);
        }
    }

    /// The arrays of the emitted children; the column is empty afterwards.
    pub(in super::super) fn finish_children(&mut self) -> Result<Vec<ArrayRef>, ArrowError> {
        let mut arrays = Vec::new();
        if let Some((emitted, _)) = &self.emitted {
            for at in emitted {
                arrays.push(self.children[*at].finish()?);
            }
        }
        self.truncate(0);
        Ok(arrays)
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let nulls = self.validity.finish();
        let rows = std::mem::take(&mut self.len);
        let arrays = self.finish_children()?;
        let fields = self.emitted.as_ref().map_or_else(Fields::empty, |(_, fields)| fields.clone());
        match fields.is_empty() {
            true => Ok(Arc::new(StructArray::new_empty_fields(rows, nulls))),
            false => Ok(Arc::new(StructArray::try_new(fields, arrays, nulls)?)),
        }
    }
}

/// A column of lists.
pub(in super::super) struct ListColumn {
    pub(in super::super) items: Column,
    field: FieldRef,
    /// Where each list ends in `items`.
    ends: Vec<i32>,
    validity: NullBufferBuilder,
}

impl ListColumn {
    pub(super) fn new(field: &FieldRef, wanted: &Wanted) -> Result<ListColumn, DataType> {
        let wanted = if *wanted == Wanted::Nothing { Wanted::Nothing } else { Wanted::All };
        let items = Column::new(field.data_type(), &wanted)?;
        Ok(ListColumn { items, field: Arc::clone(field), ends: Vec::new(), validity: NullBufferBuilder::new(1024) })
    }

    /// Ends a list: the items that were appended since the last one are its.
    pub(in super::super) fn end(&mut self) {
        self.ends.push(self.items.len() as i32);
        self.validity.append_non_null();
    }

    pub(super) fn append_null(&mut self) {
        self.ends.push(self.items.len() as i32);
        self.validity.append_null();
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn truncate(&mut self, len: usize) {
        let end = match len.min(self.ends.len()) {
            0 => 0,
            kept => self.ends[kept - 1] as usize,
        };
        self.items.truncate(end);
        if len < self.ends.len() {
            self.ends.truncate(len);
            self.validity.truncate(len);
        }
    }

    fn offsets(&mut self) -> OffsetBuffer<i32> {
        let mut offsets = Vec::with_capacity(self.ends.len() + 1);
        offsets.push(0);
        offsets.append(&mut self.ends);
        OffsetBuffer::new(ScalarBuffer::from(offsets))
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let nulls = self.validity.finish();
        let offsets = self.offsets();
        let items = self.items.finish()?;
        Ok(Arc::new(ListArray::try_new(Arc::clone(&self.field), offsets, items, nulls)?))
    }
}

/// A column of maps, kept as lists of entries. Keys are text; a key that comes twice in one map stays twice.
pub(in super::super) struct MapColumn {
    /// The values, one an entry.
    pub(in super::super) values: Column,
    keys: Column,
    entries: FieldRef,
    ends: Vec<i32>,
    validity: NullBufferBuilder,
}

impl MapColumn {
    pub(super) fn new(entries: &FieldRef, wanted: &Wanted) -> Result<MapColumn, DataType> {
        let wanted = if *wanted == Wanted::Nothing { Wanted::Nothing } else { Wanted::All };
        let DataType::Struct(fields) = entries.data_type() else { return Err(entries.data_type().clone()) };
        let [key, value] = fields.as_ref() else { return Err(entries.data_type().clone()) };
        if *key.data_type() != DataType::Utf8View {
            return Err(key.data_type().clone());
        }
        Ok(MapColumn {
            values: Column::new(value.data_type(), &wanted)?,
            keys: Column::new(key.data_type(), &wanted)?,
            entries: Arc::clone(entries),
            ends: Vec::new(),
            validity: NullBufferBuilder::new(1024),
        })
    }

    /// Appends a key; its value comes next.
    pub(in super::super) fn append_key(&mut self, key: &[u8]) {
        if let Column::Scalar(keys) = &mut self.keys {
            keys.append_bytes(key);
        }
    }

    /// Ends a map: the entries that were appended since the last one are its.
    pub(in super::super) fn end(&mut self) {
        self.ends.push(self.values.len() as i32);
        self.validity.append_non_null();
    }

    pub(super) fn append_null(&mut self) {
        self.ends.push(self.values.len() as i32);
        self.validity.append_null();
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn truncate(&mut self, len: usize) {
        let end = match len.min(self.ends.len()) {
            0 => 0,
            kept => self.ends[kept - 1] as usize,
        };
        self.values.truncate(end);
        self.keys.truncate(end);
        if len < self.ends.len() {
            self.ends.truncate(len);
            self.validity.truncate(len);
        }
    }

    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        let nulls = self.validity.finish();
        let mut offsets = Vec::with_capacity(self.ends.len() + 1);
        offsets.push(0);
        offsets.append(&mut self.ends);
        let DataType::Struct(fields) = self.entries.data_type() else {
            return Err(ArrowError::SchemaError("a map without entries".to_string()));
        };
        let entries = StructArray::try_new(fields.clone(), vec![self.keys.finish()?, self.values.finish()?], None)?;
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        Ok(Arc::new(MapArray::try_new(Arc::clone(&self.entries), offsets, entries, nulls, false)?))
    }
}
