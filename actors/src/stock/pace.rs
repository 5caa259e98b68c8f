//! How often somebody does something.

use std::cell::Cell;

use crate::prelude::*;

/// Whoever has no pause might go on without end in a single instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`every` is no time at all, and would go on without end at once; write more than zero, such as \"100ms\"")]
pub struct NoPause;

/// A turn every so often: the first at once, each further one so long after the one before, or at once
/// if that time is past.
#[derive(Debug)]
pub(super) struct Pace {
    every: SimDuration,
    /// When the next turn is; `None` before the first.
    next: Cell<Option<SimTime>>,
}

impl Pace {
    pub(super) fn new(every: SimDuration) -> Result<Self, NoPause> {
        if every.is_zero() { Err(NoPause) } else { Ok(Pace { every, next: Cell::new(None) }) }
    }

    /// Waits for the next turn.
    pub(super) async fn turn(&self, io: &ServiceIo) {
        if let Some(next) = self.next.get() {
            io.sleep_until(next).await;
        }
        self.next.set(Some(io.now() + self.every));
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::sync::Arc;

    use super::*;
    use crate::simulation::{Cast, Progress, ServiceSpec, Setup, run};
    use crate::topology::{Node, Topology};

    /// Is busy for so long after each turn.
    struct Worker {
        pace: Pace,
        busy: RefCell<Vec<u64>>,
        turns: Rc<RefCell<Vec<SimTime>>>,
    }

    impl Service for Worker {
        async fn step(&self, io: &ServiceIo) -> StepResult {
            let Some(busy) = self.busy.borrow_mut().pop() else { return Ok(Step::Stop) };
            self.pace.turn(io).await;
            self.turns.borrow_mut().push(io.now());
            io.sleep(SimDuration::from_millis(busy)).await;
            Ok(Step::Continue)
        }
    }

    #[test]
    fn turns_keep_their_distance_and_late_ones_come_at_once() -> Result<(), Box<dyn std::error::Error>> {
        let mut topology = Topology::new();
        let node = topology.add_node(Node::new("a"))?;
        let mut setup = Setup::new(1, topology);
        let turns = Rc::default();
        // Busy for 0, 25, 4 and 0 ms, with turns 10 ms apart.
        let busy = RefCell::new(vec![0, 4, 25, 0]);
        let worker = Worker { pace: Pace::new(SimDuration::from_millis(10))?, busy, turns: Rc::clone(&turns) };
        setup.services = vec![ServiceSpec::new("worker", node, Cast::service(worker))];
        run(setup, None, Arc::new(Progress::default()))?;
        // At once; 10 ms later; when the 25 ms are over; 10 ms after that.
        let at = |millis| SimTime::ZERO + SimDuration::from_millis(millis);
        assert_eq!(*turns.borrow(), [0, 10, 35, 45].map(at));
        Ok(())
    }
}
