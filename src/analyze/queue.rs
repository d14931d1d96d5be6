//! Who is next: nodes whose parents are done, handed to several threads.

use std::collections::BinaryHeap;

use std::cmp::Reverse;

use parking_lot::{Condvar, Mutex};

use crate::graph::Dag;
use crate::manifest::NodeId;

/// The nodes that are still to be done.
pub(super) struct Queue {
    board: Mutex<Board>,
    changed: Condvar,
}

struct Board {
    /// Whether a node takes part, and how many of its parents are not done.
    waiting: Vec<Option<u32>>,
    /// Smallest number first, so that threads differ from run to run as little as can be.
    ready: BinaryHeap<Reverse<NodeId>>,
    left: usize,
    /// A thread died: nobody waits for what it had.
    poisoned: bool,
}

/// Marks the queue as poisoned unless the node is marked as done.
pub(super) struct Turn<'a> {
    queue: &'a Queue,
    dag: &'a Dag,
    pub(super) node: NodeId,
    done: bool,
}

impl Queue {
    /// A queue of the nodes that `mask` marks.
    pub(super) fn new(dag: &Dag, mask: &[bool]) -> Queue {
        let takes_part = |id: NodeId| mask[id as usize];
        let mut board = Board { waiting: vec![None; mask.len()], ready: BinaryHeap::new(), left: 0, poisoned: false };
        for id in (0..mask.len() as NodeId).filter(|id| takes_part(*id)) {
            let parents = dag.parents(id).iter().filter(|parent| takes_part(**parent)).count() as u32;
            board.waiting[id as usize] = Some(parents);
            board.left += 1;
            if parents == 0 {
                board.ready.push(Reverse(id));
            }
        }
        Queue { board: Mutex::new(board), changed: Condvar::new() }
    }

    /// Waits for the next node; none when there is none left.
    pub(super) fn next<'a>(&'a self, dag: &'a Dag) -> Option<Turn<'a>> {
        let mut board = self.board.lock();
        loop {
            if board.left == 0 || board.poisoned {
                return None;
            }
            if let Some(Reverse(node)) = board.ready.pop() {
                return Some(Turn { queue: self, dag, node, done: false });
            }
            self.changed.wait(&mut board);
        }
    }
}

impl Turn<'_> {
    /// The node is done: its children may be next.
    pub(super) fn finish(mut self) {
        self.done = true;
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut board = self.queue.board.lock();
        board.left -= 1;
        board.poisoned |= !self.done;
        for child in self.dag.children(self.node) {
            if let Some(parents) = &mut board.waiting[*child as usize] {
                *parents -= 1;
                if *parents == 0 {
                    board.ready.push(Reverse(*child));
                }
            }
        }
        self.queue.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_come_first_and_a_dead_thread_ends_it() {
        let mut dag = Dag::new(4);
        dag.add_edge(2, 1);
        dag.add_edge(1, 0);
        let queue = Queue::new(&dag, &[true, true, true, false]);
        let mut order = Vec::new();
        while let Some(turn) = queue.next(&dag) {
            order.push(turn.node);
            turn.finish();
        }
        assert_eq!(order, [2, 1, 0]);
        let queue = Queue::new(&dag, &[true; 4]);
        drop(queue.next(&dag));
        assert!(queue.next(&dag).is_none());
    }
}
