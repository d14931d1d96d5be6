//! Sets of nodes as bits.
//!
//! A selection of ten thousand nodes is 157 words: union, intersection and difference are loops over them.

use crate::manifest::NodeId;

/// A set of the nodes of one manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mask {
    words: Vec<u64>,
    len: usize,
}

impl Mask {
    /// No node, of `len`.
    pub(crate) fn none(len: usize) -> Mask {
        Mask { words: vec![0; len.div_ceil(64)], len }
    }

    /// All of `len` nodes.
    pub(crate) fn all(len: usize) -> Mask {
        let mut mask = Mask { words: vec![u64::MAX; len.div_ceil(64)], len };
        if let (Some(last), rest @ 1..) = (mask.words.last_mut(), len % 64) {
            *last = (1 << rest) - 1;
        }
        mask
    }

    /// The nodes whose flag is set.
    pub(crate) fn from_flags(flags: &[bool]) -> Mask {
        let mut mask = Mask::none(flags.len());
        for (id, _) in flags.iter().enumerate().filter(|(_, flag)| **flag) {
            mask.insert(id as NodeId);
        }
        mask
    }

    /// Adds a node.
    pub(crate) fn insert(&mut self, id: NodeId) {
        self.words[id as usize / 64] |= 1 << (id % 64);
    }

    /// True if the node is in the set.
    pub(crate) fn contains(&self, id: NodeId) -> bool {
        self.words.get(id as usize / 64).is_some_and(|word| word & (1 << (id % 64)) != 0)
    }

    /// True if no node is in the set.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// How many nodes are in the set.
    pub(crate) fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The nodes, in the order of their numbers.
    pub(crate) fn ids(&self) -> Vec<NodeId> {
        let mut ids = Vec::with_capacity(self.count());
        for (at, word) in self.words.iter().enumerate() {
            let mut word = *word;
            while word != 0 {
                ids.push((at * 64) as NodeId + word.trailing_zeros());
                word &= word - 1;
            }
        }
        ids
    }

    /// Adds the nodes of `other`.
    pub(crate) fn add(&mut self, other: &Mask) {
        self.combine(other, |mine, others| mine | others);
    }

    /// Keeps the nodes that `other` has too.
    pub(crate) fn keep(&mut self, other: &Mask) {
        self.combine(other, |mine, others| mine & others);
    }

    /// Takes the nodes of `other` out.
    pub(crate) fn remove(&mut self, other: &Mask) {
        self.combine(other, |mine, others| mine & !others);
    }

    fn combine(&mut self, other: &Mask, with: fn(u64, u64) -> u64) {
        debug_assert_eq!(self.len, other.len);
        for (mine, others) in self.words.iter_mut().zip(&other.words) {
            *mine = with(*mine, *others);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ends_at_the_last_node() {
        for len in [0, 1, 63, 64, 65, 128, 130] {
            assert_eq!(Mask::all(len).ids(), (0..len as NodeId).collect::<Vec<_>>());
            assert_eq!(Mask::all(len), Mask::from_flags(&vec![true; len]));
        }
    }

    #[test]
    fn sets_combine() {
        let mut left = Mask::from_flags(&[true, true, false, false]);
        let right = Mask::from_flags(&[false, true, true, false]);
        let mut both = left.clone();
        both.keep(&right);
        assert_eq!(both.ids(), [1]);
        left.add(&right);
        assert_eq!(left.ids(), [0, 1, 2]);
        left.remove(&both);
        assert_eq!(left.ids(), [0, 2]);
        assert!(left.contains(2) && !left.contains(3) && !left.is_empty());
    }
}
