//! Those who listen.

use std::cell::Cell;
use std::rc::Rc;

use crate::prelude::*;

/// Hears of what becomes of orders: of events with the topic `order.*`. Counts `heard order.placed` and
/// so on, by topic.
#[derive(Debug, Default)]
pub struct Listener;

impl Listener {
    async fn order_changed(self: Rc<Self>, io: ServiceIo, event: Event<u64>) -> Result<(), StepError> {
        io.count(&format!("heard {}", event.topic), 1);
        Ok(())
    }
}

impl Service for Listener {
    fn subscriptions(subscriptions: &mut Subscriptions<Self>) {
        subscriptions.on("order.*", Listener::order_changed);
    }
}

/// Hears of everything, whatever the topic. Counts `events on record`, and `events missed`: numbers
/// between two that it has heard, of whom it has not.
#[derive(Debug, Default)]
pub struct Auditor {
    /// The number that it expects next; `None` before the first.
    next: Cell<Option<u64>>,
}

impl Auditor {
    async fn put_on_record(self: Rc<Self>, io: ServiceIo, event: Event<u64>) -> Result<(), StepError> {
        io.count("events on record", 1);
        let missed = self.next.get().map_or(0, |next| event.body.saturating_sub(next));
        if missed > 0 {
            io.count("events missed", missed);
        }
        self.next.set(Some(event.body.saturating_add(1)));
        Ok(())
    }
}

impl Service for Auditor {
    fn subscriptions(subscriptions: &mut Subscriptions<Self>) {
        subscriptions.on("#", Auditor::put_on_record);
    }
}
