//! How many different values, and which ones if they are few.
//!
//! Up to [`FEW`] different values are counted one by one, each with how often it was there. Up to [`SOME`] their hashes
//! are kept: how many there are is still exact (of a key in a table of a thousand rows nobody wants to read that it is
//! there 990 times). One more, and the hashes go into [`Registers`]. Two values with one hash of 64 bits count as one: with
//! so few values that does not happen.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use super::registers::Registers;

/// Different values that are counted one by one.
pub(super) const FEW: usize = 512;
/// Different values whose hashes are kept.
pub(super) const SOME: usize = 4096;
/// Places of the table of few values: never more than half of them are taken.
const SLOTS: usize = 2 * FEW;
const SLOT_BITS: u32 = SLOTS.trailing_zeros();

/// Spreads the bits of a number over all 64 (the end of SplitMix64). Hashes are kept beside tables: this never changes.
#[inline]
pub(super) fn mix(value: u64) -> u64 {
    let value = (value ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// The different values of a column.
#[derive(Debug, Clone)]
pub(super) enum Distinct<K> {
    /// All of them.
    Few(Few<K>),
    /// The hashes of all of them.
    Some(Hashes),
    /// An estimate.
    Many(Registers),
}

/// Hashes, which need no other hash to be found by.
type Hashes = HashSet<u64, BuildHasherDefault<Itself>>;

/// The hash of a hash.
#[derive(Debug, Default, Clone)]
pub(super) struct Itself(u64);

impl Hasher for Itself {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = mix(self.0 ^ u64::from(*byte)));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Few values, by hash.
#[derive(Debug, Clone)]
pub(super) struct Few<K> {
    /// Number of an entry, from 1; 0 for none.
    slots: Box<[u16; SLOTS]>,
    entries: Vec<Entry<K>>,
}

/// A value and how often it was there.
#[derive(Debug, Clone)]
pub(super) struct Entry<K> {
    pub(super) hash: u64,
    pub(super) count: u64,
    pub(super) value: K,
}

impl<K> Distinct<K> {
    pub(super) fn new() -> Distinct<K> {
        Distinct::Few(Few { slots: Box::new([0; SLOTS]), entries: Vec::new() })
    }

    /// Counts `count` times the value that `make` gives, which has the hash `hash`.
    #[inline]
    pub(super) fn add(&mut self, hash: u64, count: u64, make: impl FnOnce() -> K) {
        match self {
            Distinct::Many(registers) => registers.add(hash),
            Distinct::Some(_) => self.add_hash(hash),
            Distinct::Few(few) => {
                if !few.add(hash, count, make) {
                    let hashes = few.entries.iter().map(|entry| entry.hash);
                    *self = Distinct::Some(hashes.chain([hash]).collect());
                }
            }
        }
    }

    /// Counts what `other` has counted.
    pub(super) fn merge(&mut self, other: Distinct<K>) {
        match (&mut *self, other) {
            (_, Distinct::Few(few)) => {
                for entry in few.entries {
                    self.add(entry.hash, entry.count, || entry.value);
                }
            }
            (Distinct::Some(_) | Distinct::Many(_), Distinct::Some(hashes)) => {
                for hash in hashes {
                    self.add_hash(hash);
                }
            }
            (Distinct::Few(few), Distinct::Some(mut hashes)) => {
                hashes.extend(few.entries.iter().map(|entry| entry.hash));
                let is_much = hashes.len() > SOME;
                *self = Distinct::Some(hashes);
                if is_much {
                    *self = Distinct::Many(self.registers());
                }
            }
            (_, Distinct::Many(mut registers)) => {
                registers.merge(&self.registers());
                *self = Distinct::Many(registers);
            }
        }
    }

    /// Counts a value of which the hash alone is known. Not for [`Distinct::Few`].
    fn add_hash(&mut self, hash: u64) {
        match self {
            Distinct::Few(_) => {}
            Distinct::Many(registers) => registers.add(hash),
            Distinct::Some(hashes) => {
                hashes.insert(hash);
                if hashes.len() > SOME {
                    *self = Distinct::Many(self.registers());
                }
            }
        }
    }

    /// All values, if they are few.
    pub(super) fn entries(&self) -> Option<&[Entry<K>]> {
        match self {
            Distinct::Few(few) => Some(&few.entries),
            Distinct::Some(_) | Distinct::Many(_) => None,
        }
    }

    /// How many values there are, and whether that is exact.
    pub(super) fn count(&self) -> (u64, bool) {
        match self {
            Distinct::Few(few) => (few.entries.len() as u64, true),
            Distinct::Some(hashes) => (hashes.len() as u64, true),
            Distinct::Many(registers) => (registers.estimate(), false),
        }
    }

    /// What is known without the values.
    pub(super) fn registers(&self) -> Registers {
        match self {
            Distinct::Few(few) => few.registers(),
            Distinct::Some(hashes) => {
                let mut registers = Registers::new();
                hashes.iter().for_each(|hash| registers.add(*hash));
                registers
            }
            Distinct::Many(registers) => registers.clone(),
        }
    }
}

impl<K> Few<K> {
    /// False if there is no room for one more value.
    #[inline]
    fn add(&mut self, hash: u64, count: u64, make: impl FnOnce() -> K) -> bool {
        let mut slot = (hash >> (64 - SLOT_BITS)) as usize;
        loop {
            let number = self.slots[slot];
            let Some(entry) = number.checked_sub(1).and_then(|index| self.entries.get_mut(usize::from(index))) else {
                return self.insert(slot, Entry { hash, count, value: make() });
            };
            if entry.hash == hash {
                entry.count += count;
                return true;
            }
            slot = (slot + 1) % SLOTS;
        }
    }

    fn insert(&mut self, slot: usize, entry: Entry<K>) -> bool {
        if self.entries.len() == FEW {
            return false;
        }
        self.entries.push(entry);
        self.slots[slot] = self.entries.len() as u16;
        true
    }

    fn registers(&self) -> Registers {
        let mut registers = Registers::new();
        self.entries.iter().for_each(|entry| registers.add(entry.hash));
        registers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl Iterator<Item = u64>) -> Distinct<u64> {
        let mut distinct = Distinct::new();
        values.for_each(|value| distinct.add(mix(value), 1, || value));
        distinct
    }

    #[test]
    fn few_values_are_counted_one_by_one_and_more_are_estimated() {
        let few = of((0..10_000).map(|row| row % 512));
        assert_eq!(few.count(), (512, true));
        let counts: u64 = few.entries().expect("few").iter().map(|entry| entry.count).sum();
        assert_eq!(counts, 10_000);
        let some = of((0..10_000).map(|row| row % 513));
        assert_eq!((some.count(), some.entries().is_none()), ((513, true), true));
        assert_eq!(of((0..10_000).map(|row| row % 4096)).count(), (4096, true));
        let (many, exact) = of((0..10_000).map(|row| row % 4097)).count();
        assert!(!exact && many.abs_diff(4097) < 377, "{many}");
    }

    #[test]
    fn merging_is_counting_all_whatever_was_few_or_many() {
        for (left, right) in [
            (300, 400),
            (300, 2_000),
            (2_000, 300),
            (3_000, 4_000),
            (3_000, 5_000),
            (300, 9_000),
            (9_000, 2_000),
            (0, 3),
        ] {
            let mut merged = of(0..left);
            merged.merge(of(200..right));
            let whole = of((0..left).chain(200..right));
            assert_eq!(merged.count(), whole.count(), "{left} {right}");
            assert_eq!(merged.registers(), whole.registers());
        }
    }
}
