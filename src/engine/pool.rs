//! One memory pool for all nodes, and a meter for each.
//!
//! **Who gets how much.** DataFusion's own fair pool gives each operator that can spill an even share, whether or not the
//! others use theirs. A plan registers dozens of them when it starts, so that an aggregation spills at a few percent of the
//! limit while most of the memory is free. Here an even share is what an operator can always have; beyond it, it may take
//! what is free as long as enough is left for those that are small yet ([`FREE_FOR_ALL`]). Once memory is scarce the large
//! ones are refused first: they spill, and shares are even again. What cannot spill may take all that is free, and a
//! little ([`LITTLE`], [`MERGED`]) if nothing is.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::{Result, resources_datafusion_err};
use datafusion::execution::memory_pool::{
    MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation, TrackConsumersPool,
};
use parking_lot::Mutex;

/// How many of the largest consumers an out-of-memory error names.
const TOP_CONSUMERS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4);

/// The part of the limit up to which operators that can spill may take more than their share.
const FREE_FOR_ALL: f64 = 0.6;

/// A share is never less than this part of the limit, however many operators there are: few of them are at work at a time,
/// and one that cannot hold a batch of rows cannot even spill it.
const WORKABLE: usize = 8;

/// What cannot spill may hold this part of the limit even if nothing is free: a few groups in the order of the rows, the
/// fourteen rows of a seed. The work would fail of them otherwise, and those that can spill give back more than that soon.
const LITTLE: usize = 16;

/// A sort spills at this part of the limit at the latest, or at half of its even share: to write sorted rows it has to merge
/// what it holds, which takes about half as much again, for the keys of all of its batches.
const SORTED: usize = 4;

/// That half: what the merge of a sort may hold even if nothing is free. It ends with the memory of the sort being free.
const MERGED: usize = 8;

/// The names by which DataFusion's `ExternalSorter` registers: its rows, and the merge that writes them.
const SORT: &str = "ExternalSorter[";
const SORT_MERGE: &str = "ExternalSorterMerge[";

/// The pool that all operators share: `limit` bytes.
pub(super) fn shared_pool(limit: usize) -> Arc<dyn MemoryPool> {
    Arc::new(TrackConsumersPool::new(SharedPool::new(limit), TOP_CONSUMERS))
}

/// See the module.
#[derive(Debug)]
struct SharedPool {
    limit: usize,
    state: Mutex<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Consumers that can spill.
    spillers: usize,
    /// What they hold.
    spillable: usize,
    /// What the others hold.
    unspillable: usize,
}

impl SharedPool {
    fn new(limit: usize) -> SharedPool {
        SharedPool { limit, state: Mutex::default() }
    }

    /// How much `reservation` may grow by.
    fn room(&self, state: &Shared, reservation: &MemoryReservation) -> usize {
        let used = state.spillable + state.unspillable;
        let name = reservation.consumer().name();
        if !reservation.consumer().can_spill() {
            let little = self.limit / if name.starts_with(SORT_MERGE) { MERGED } else { LITTLE };
            return self.limit.saturating_sub(used).max(little.saturating_sub(reservation.size()));
        }
        let even = self.limit.saturating_sub(state.unspillable) / state.spillers.max(1);
        let share = even.max(self.limit / WORKABLE);
        let beyond = ((self.limit as f64 * FREE_FOR_ALL) as usize).saturating_sub(used);
        let room = share.saturating_sub(reservation.size()).max(beyond);
        match name.starts_with(SORT) {
            true => room.min((self.limit / SORTED).max(even / 2).saturating_sub(reservation.size())),
            false => room,
        }
    }
}

impl fmt::Display for SharedPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(pool_size: {})", self.name(), crate::stdx::human_bytes(self.limit as u64))
    }
}

impl MemoryPool for SharedPool {
    fn name(&self) -> &str {
        "memory_limit"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.state.lock().spillers += usize::from(consumer.can_spill());
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        let mut state = self.state.lock();
        state.spillers = state.spillers.saturating_sub(usize::from(consumer.can_spill()));
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        let mut state = self.state.lock();
        match reservation.consumer().can_spill() {
            true => state.spillable += additional,
            false => state.unspillable += additional,
        }
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        let mut state = self.state.lock();
        match reservation.consumer().can_spill() {
            true => state.spillable = state.spillable.saturating_sub(shrink),
            false => state.unspillable = state.unspillable.saturating_sub(shrink),
        }
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let mut state = self.state.lock();
        let room = self.room(&state, reservation);
        if additional > room {
            let bytes = |bytes: usize| crate::stdx::human_bytes(bytes as u64);
            return Err(resources_datafusion_err!(
                "Failed to allocate additional {} for {} with {} already allocated for this reservation - {} remain available for the total memory pool: {}",
                bytes(additional),
                reservation.consumer().name(),
                bytes(reservation.size()),
                bytes(room),
                self
            ));
        }
        match reservation.consumer().can_spill() {
            true => state.spillable += additional,
            false => state.unspillable += additional,
        }
        Ok(())
    }

    fn reserved(&self) -> usize {
        let state = self.state.lock();
        state.spillable + state.unspillable
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.limit)
    }
}

/// The shared pool as one node sees it: it counts what the node's operators hold.
#[derive(Debug)]
pub struct MeteredPool {
    shared: Arc<dyn MemoryPool>,
    held: AtomicUsize,
    peak: AtomicUsize,
}

impl MeteredPool {
    /// A meter over `shared`.
    pub(super) fn new(shared: Arc<dyn MemoryPool>) -> MeteredPool {
        MeteredPool { shared, held: AtomicUsize::new(0), peak: AtomicUsize::new(0) }
    }

    /// The most bytes that were held at a time.
    pub fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    fn add(&self, bytes: usize) {
        let held = self.held.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.peak.fetch_max(held, Ordering::Relaxed);
    }
}

impl fmt::Display for MeteredPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "metered({})", self.shared)
    }
}

impl MemoryPool for MeteredPool {
    fn name(&self) -> &str {
        "metered"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.shared.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.shared.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.shared.grow(reservation, additional);
        self.add(additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.shared.shrink(reservation, shrink);
        self.held.fetch_sub(shrink, Ordering::Relaxed);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.shared.try_grow(reservation, additional)?;
        self.add(additional);
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.shared.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.shared.memory_limit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spiller(pool: &Arc<dyn MemoryPool>, name: &str) -> MemoryReservation {
        MemoryConsumer::new(name).with_can_spill(true).register(pool)
    }

    #[test]
    fn an_operator_takes_what_nobody_uses_and_the_small_ones_keep_their_share() {
        let pool: Arc<dyn MemoryPool> = Arc::new(SharedPool::new(1000));
        let (large, small) = (spiller(&pool, "large"), spiller(&pool, "small"));
        let _idle: Vec<_> = (0..8).map(|n| spiller(&pool, &format!("idle {n}"))).collect();
        large.try_grow(600).expect("far beyond its share, as nobody else uses theirs");
        assert!(large.try_grow(1).is_err(), "the rest is for the others");
        small.try_grow(125).expect("an eighth is always there");
        assert!(small.try_grow(1).is_err());
        large.free();
        small.try_grow(400).expect("the large one has spilled");
    }

    #[test]
    fn a_sort_spills_early_enough_to_merge_what_it_holds() {
        let pool: Arc<dyn MemoryPool> = Arc::new(SharedPool::new(1000));
        let (sort, other) = (spiller(&pool, "ExternalSorter[0]"), spiller(&pool, "GroupedHashAggregateStream[0]"));
        let _idle: Vec<_> = (0..8).map(|n| spiller(&pool, &format!("idle {n}"))).collect();
        sort.try_grow(250).expect("a quarter");
        assert!(sort.try_grow(1).is_err(), "although a lot is free");
        other.grow(750);
        let merge = MemoryConsumer::new("ExternalSorterMerge[0]").register(&pool);
        merge.try_grow(125).expect("half of what the sort holds");
        assert!(merge.try_grow(1).is_err());
    }

    #[test]
    fn what_cannot_spill_takes_all_that_is_free_and_not_more() {
        let pool: Arc<dyn MemoryPool> = Arc::new(SharedPool::new(1000));
        let join = MemoryConsumer::new("join").register(&pool);
        let sort = spiller(&pool, "sort");
        join.try_grow(900).expect("free");
        sort.try_grow(100).expect("what is left is its share");
        let error = join.try_grow(1).expect_err("there is nothing left").to_string();
        assert!(error.contains("for join with 900 B"), "{error}");
        assert_eq!(pool.reserved(), 1000);
        let seed = MemoryConsumer::new("a join with a seed").register(&pool);
        seed.try_grow(62).expect("a little");
        assert!(seed.try_grow(1).is_err());
    }
}
