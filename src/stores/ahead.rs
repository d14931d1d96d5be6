//! Reading ahead: the bytes of a remote file in ranges, some of which are on their way while one is looked at.
//!
//! One long request would do as well as long as it is read as fast as it comes. A parser is slower than a network: a
//! long request would wait, hold its connection, and run into its time limit. Ranges of a moderate size are repeated
//! cheaply when one fails, and come from several servers at once.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, Result};
use tokio::task::JoinHandle;

use super::io;

/// The first range: as much as types are inferred from, so that looking at a file takes no more than that.
const FIRST: u64 = 256 * 1024;
/// The ranges after it.
const CHUNK: u64 = 2 * 1024 * 1024;
/// Ranges behind the part that was asked for: only the end of its last record is there.
const BEHIND: u64 = 64 * 1024;
/// Ranges that are on their way at once.
const AHEAD: usize = 3;

/// The bytes of a file from `part.start` to its end at `size`; what lies behind `part.end` is not read ahead.
pub(crate) fn chunks(
    store: &Arc<dyn ObjectStore>,
    location: &Path,
    part: Range<u64>,
    size: u64,
) -> BoxStream<'static, Result<Bytes>> {
    let mut ranges = cut(part.clone(), size);
    let get = {
        let (store, location) = (Arc::clone(store), location.clone());
        move |range: Range<u64>| {
            let (store, location) = (Arc::clone(&store), location.clone());
            let task = Task(io::handle().spawn(async move { store.get_range(&location, range).await }));
            task.result()
        }
    };
    let first: Vec<Range<u64>> = ranges.next().into_iter().collect();
    let (inside, behind) = (ranges.clone().take_while(move |range| range.start < part.end), ranges);
    let behind = behind.skip_while(move |range| range.start < part.end);
    // The next of the three is not begun before the one before it is read to its end.
    let (early, late) = (get.clone(), get.clone());
    stream::iter(first)
        .then(early)
        .chain(stream::iter(inside).map(get).buffered(AHEAD))
        .chain(stream::iter(behind).then(late))
        .boxed()
}

/// The ranges in which a file is read.
fn cut(part: Range<u64>, size: u64) -> impl Iterator<Item = Range<u64>> + Clone {
    let end = part.end.min(size);
    let mut at = part.start;
    let mut is_first = true;
    std::iter::from_fn(move || {
        let (length, limit) = match at < end {
            true if is_first => (FIRST, end),
            true => (CHUNK, end),
            false => (BEHIND, size),
        };
        is_first = false;
        let range = at..(at + length).min(limit);
        at = range.end;
        (!range.is_empty()).then_some(range)
    })
}

/// A request that ends when nobody waits for it any more.
struct Task(JoinHandle<Result<Bytes>>);

impl Task {
    async fn result(mut self) -> Result<Bytes> {
        match (&mut self.0).await {
            Ok(done) => done,
            Err(error) => Err(Error::Generic { store: "reading ahead", source: Box::new(error) }),
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_cover_the_file_without_gaps() {
        let mb = 1024 * 1024;
        for (part, size) in [(0..10 * mb, 10 * mb), (5 * mb..7 * mb, 30 * mb), (0..1, 3), (0..0, 0), (0..100, 100)] {
            let mut at = part.start;
            for range in cut(part.clone(), size) {
                assert_eq!(range.start, at);
                assert!(!range.is_empty() && range.end <= size);
                at = range.end;
            }
            assert_eq!(at, size);
        }
        let first: Vec<u64> = cut(0..10 * mb, 20 * mb).take(3).map(|range| range.end - range.start).collect();
        assert_eq!(first, [FIRST, CHUNK, CHUNK]);
        // Behind the part, little is read at once.
        assert_eq!(cut(0..mb, 20 * mb).find(|range| range.start >= mb).map(|range| range.end), Some(mb + BEHIND));
    }

    #[tokio::test]
    async fn a_file_comes_whole_and_in_order() {
        let store: Arc<dyn ObjectStore> = Arc::new(object_store::memory::InMemory::new());
        let content: Vec<u8> = (0..7_000_001u32).map(|n| (n % 251) as u8).collect();
        let path = Path::from("a/b");
        store.put(&path, content.clone().into()).await.expect("written");
        for part in [0..content.len() as u64, 1_000_000..2_000_000, 6_999_999..7_000_001] {
            let from = part.start as usize;
            let read: Vec<u8> = chunks(&store, &path, part, content.len() as u64)
                .map(|chunk| chunk.expect("read"))
                .collect::<Vec<Bytes>>()
                .await
                .concat();
            assert!(read == content[from..]);
        }
    }
}
