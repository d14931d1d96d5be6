//! A set of byte strings, each under a small number.
//!
//! One open-addressing table of eight-byte slots over one arena: a value costs its bytes plus some twenty. Numbers are
//! given in the order of arrival and never change, so they can stand for the value in other tables.

use std::hash::BuildHasher;

use datafusion::common::hash_utils::RandomState;
use datafusion::common::{Result, resources_err};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Interner {
    /// Zero for a free slot, otherwise the upper half of the hash above the number plus one. Power of two long.
    slots: Vec<u64>,
    /// Where each value ends in `bytes`.
    ends: Vec<usize>,
    bytes: Vec<u8>,
    hasher: RandomState,
}

impl Interner {
    /// The number of `value`, which is kept if it is new.
    pub(super) fn intern(&mut self, value: &[u8]) -> Result<u32> {
        if self.slots.len() * 3 <= (self.ends.len() + 1) * 4 {
            self.grow();
        }
        let hash = self.hasher.hash_one(value);
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                break;
            }
            let id = slot as u32 - 1;
            if slot >> 32 == hash >> 32 && self.get(id) == value {
                return Ok(id);
            }
            at = (at + 1) & mask;
        }
        let Ok(id) = u32::try_from(self.ends.len()) else {
            return resources_err!("more than 4 billion distinct values");
        };
        if id == u32::MAX {
            return resources_err!("more than 4 billion distinct values");
        }
        self.slots[at] = (hash >> 32 << 32) | u64::from(id + 1);
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len());
        Ok(id)
    }

    /// The value with the number `id`, which [`Interner::intern`] gave.
    pub(super) fn get(&self, id: u32) -> &[u8] {
        let id = id as usize;
        let start = if id == 0 { 0 } else { self.ends[id - 1] };
        &self.bytes[start..self.ends[id]]
    }

    /// Bytes on the heap.
    pub(super) fn size(&self) -> usize {
        self.slots.capacity() * size_of::<u64>() + self.ends.capacity() * size_of::<usize>() + self.bytes.capacity()
    }

    fn grow(&mut self) {
        let len = (self.slots.len() * 2).max(64);
        let mut slots = vec![0_u64; len];
        let mut start = 0;
        for (id, end) in self.ends.iter().enumerate() {
            let hash = self.hasher.hash_one(&self.bytes[start..*end]);
            start = *end;
            let mut at = hash as usize & (len - 1);
            while slots[at] != 0 {
                at = (at + 1) & (len - 1);
            }
            slots[at] = (hash >> 32 << 32) | (id as u64 + 1);
        }
        self.slots = slots;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_for_values() {
        let mut interner = Interner::default();
        let words: Vec<String> = (0..5000).map(|n| format!("value {}", n % 1700)).collect();
        let ids: Vec<u32> = words.iter().map(|word| interner.intern(word.as_bytes()).expect("room")).collect();
        for (word, id) in words.iter().zip(&ids) {
            assert_eq!(interner.get(*id), word.as_bytes());
        }
        assert_eq!(ids.iter().max(), Some(&1699));
        assert_eq!(interner.intern(b"").expect("room"), 1700);
        assert_eq!(interner.get(1700), b"");
    }
}
