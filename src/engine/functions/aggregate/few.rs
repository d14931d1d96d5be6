//! The distinct values of every group while there are few in all: one bit each.
//!
//! Days of a month, categories and flags have few values and many rows. As long as a column has shown at most 64 of them, a
//! group is one word; with the 65th, everything moves to a table of pairs (`pairs.rs`).

use datafusion::common::HashMap;

use super::codec::Bits;

/// How many values there may be.
const LIMIT: usize = u64::BITS as usize;

/// See the module.
#[derive(Debug)]
pub(super) struct Few<B: Bits> {
    /// The values in the order of their bits.
    values: Vec<B>,
    places: HashMap<B, u64>,
    /// A word for each group.
    masks: Vec<u64>,
}

impl<B: Bits> Default for Few<B> {
    fn default() -> Few<B> {
        Few { values: Vec::new(), places: HashMap::default(), masks: Vec::new() }
    }
}

impl<B: Bits> Few<B> {
    /// Some groups, and all the values that they may have.
    pub(super) fn new(values: Vec<B>, masks: Vec<u64>) -> Few<B> {
        let places = values.iter().enumerate().map(|(at, value)| (*value, 1 << at)).collect();
        Few { values, places, masks }
    }

    /// From now on there are so many groups.
    pub(super) fn resize(&mut self, groups: usize) {
        self.masks.resize(groups, 0);
    }

    /// Takes the values of rows in their order; the first row whose value has no room.
    pub(super) fn take(&mut self, mut rows: impl Iterator<Item = (usize, usize, B)>) -> Option<usize> {
        // Mostly the value is that of the row before.
        let mut last: Option<(B, u64)> = None;
        rows.find_map(|(row, group, value)| {
            let bit = match last {
                Some((known, bit)) if known == value => bit,
                _ => match self.bit(value) {
                    Some(bit) => bit,
                    None => return Some(row),
                },
            };
            last = Some((value, bit));
            self.masks[group] |= bit;
            None
        })
    }

    fn bit(&mut self, value: B) -> Option<u64> {
        if let Some(bit) = self.places.get(&value) {
            return Some(*bit);
        }
        if self.values.len() == LIMIT {
            return None;
        }
        let bit = 1 << self.values.len();
        self.values.push(value);
        self.places.insert(value, bit);
        Some(bit)
    }

    /// All values that were seen.
    pub(super) fn values(&self) -> &[B] {
        &self.values
    }

    /// The words of the groups.
    pub(super) fn masks(&self) -> &[u64] {
        &self.masks
    }

    /// Cuts off the words of the first `groups` groups.
    pub(super) fn split_masks(&mut self, groups: usize) -> Vec<u64> {
        let later = self.masks.split_off(groups);
        std::mem::replace(&mut self.masks, later)
    }

    /// Every group with each of its values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, B)> {
        self.masks.iter().enumerate().flat_map(move |(group, mask)| {
            let mut left = *mask;
            std::iter::from_fn(move || {
                let at = left.trailing_zeros() as usize;
                left &= left.wrapping_sub(1);
                self.values.get(at).map(|value| (group, *value))
            })
        })
    }

    /// Bytes on the heap.
    pub(super) fn size(&self) -> usize {
        self.masks.capacity() * size_of::<u64>()
            + self.values.capacity() * size_of::<B>()
            + self.places.capacity() * (size_of::<(B, u64)>() + 1) * 8 / 7
    }
}
