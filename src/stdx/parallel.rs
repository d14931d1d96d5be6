//! A function over a slice, on all cores.

use std::sync::atomic::{AtomicUsize, Ordering};

/// `work` for each of `items`, in their order, on threads with a stack of `stack` bytes: one for each `least` items, as
/// far as there are cores. What a thread could not do (it did not start, or it died) is done on this one.
pub fn in_parallel<I: Sync, T: Send>(items: &[I], least: usize, stack: usize, work: impl Fn(&I) -> T + Sync) -> Vec<T> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(items.len().div_ceil(least.max(1)));
    let next = AtomicUsize::new(0);
    let run = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return done };
            done.push((index, work(item)));
        }
    };
    let mut all: Vec<Option<T>> = Vec::new();
    all.resize_with(items.len(), || None);
    std::thread::scope(|scope| {
        let spawn = |_| std::thread::Builder::new().stack_size(stack).spawn_scoped(scope, run);
        let handles: Vec<_> = (0..threads).map(spawn).collect();
        for (index, one) in handles.into_iter().flatten().flat_map(|handle| handle.join().unwrap_or_default()) {
            all[index] = Some(one);
        }
    });
    all.into_iter().zip(items).map(|(done, item)| done.unwrap_or_else(|| work(item))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_dead_threads_are_replaced() {
        let items: Vec<usize> = (0..1000).collect();
        let main = std::thread::current().id();
        let work = |item: &usize| {
            assert!(*item != 500 || std::thread::current().id() == main, "only on another thread");
            item * 2
        };
        for least in [1, 64, 10_000] {
            let doubled = in_parallel(&items, least, 1 << 20, work);
            assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        }
    }
}
