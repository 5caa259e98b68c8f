//! The beginning and the end of requests.

use crate::interfaces::raw::Msg;
use crate::network::waits::{Answer, Request, Settlement, WaitKey};
use crate::network::{Alarm, Network};
use crate::outcome::{Interface, OutcomeKind};
use crate::trace::ServiceId;
use crate::units::SimDuration;

impl Network {
    pub(crate) fn open_wait(&self, from: ServiceId, to: Option<ServiceId>, interface: Interface) -> WaitKey {
        self.waits.borrow_mut().open(Request { from, to, interface, sent_at: self.now() }, |_| None)
    }

    /// A request that ends so long after it is made at the latest, whether anybody awaits it or not.
    #[inline]
    pub(crate) fn open_timed_wait(
        &self,
        from: ServiceId,
        to: Option<ServiceId>,
        interface: Interface,
        timeout: SimDuration,
    ) -> WaitKey {
        let start = |key| Some(self.start_timer(timeout, Alarm::Timeout(key)));
        self.waits.borrow_mut().open(Request { from, to, interface, sent_at: self.now() }, start)
    }

    /// Ends a request, unless it has ended before.
    #[inline]
    pub(crate) fn settle(&self, key: WaitKey, answer: Answer) {
        self.settle_in_time(key, answer);
    }

    /// Ends a request; false if it has ended before.
    #[inline]
    pub(crate) fn settle_in_time(&self, key: WaitKey, answer: Answer) -> bool {
        let settlement = self.waits.borrow_mut().settle(key, self.now(), answer);
        let ends = settlement.is_some();
        self.book(settlement);
        ends
    }

    /// A request that nobody awaits, and whose outcome is counted all the same.
    pub(crate) fn open_forgotten_wait(&self, from: ServiceId, to: Option<ServiceId>, interface: Interface) -> WaitKey {
        let key = self.open_wait(from, to, interface);
        let settlement = self.waits.borrow_mut().forget(key, self.now());
        self.book(settlement);
        key
    }

    /// Whether a request has yet to end.
    pub(crate) fn is_open(&self, key: WaitKey) -> bool {
        self.waits.borrow().is_open(key)
    }

    /// Whether somebody awaits a request that has yet to end.
    pub(crate) fn is_held(&self, key: WaitKey) -> bool {
        self.waits.borrow().is_held(key)
    }

    /// A message answers a request, which ends with it. The message, if nobody awaits it (any more).
    pub(crate) fn answer(&self, key: WaitKey, msg: Msg) -> Option<Msg> {
        if self.is_held(key) {
            self.settle(key, Answer::Message(Box::new(msg)));
            return None;
        }
        if self.is_open(key) {
            self.settle(key, Answer::Message(Box::new(msg.clone())));
        }
        Some(msg)
    }

    /// The message of a request is lost for good, and nobody will send word.
    pub(super) fn nobody_will_tell(&self, key: WaitKey) {
        let settlement = self.waits.borrow_mut().lost(key, self.now());
        self.book(settlement);
    }

    #[inline]
    pub(super) fn book(&self, settlement: Option<Settlement>) {
        let Some(Settlement { waker, timer, ended, cause }) = settlement else {
            return;
        };
        let cause = cause.or_else(|| match (ended.kind, ended.to) {
            (OutcomeKind::TimedOut, Some(to)) => Some(format!("waiting for `{}`", self.name_of(to))),
            _ => None,
        });
        self.ledger.borrow_mut().ended(self.now(), &ended, cause.as_deref());
        if let Some(timer) = timer {
            self.cancel_timer(timer);
        }
        if let Some(waker) = waker {
            waker.wake_by_ref();
            let former = self.waits.borrow_mut().keep_spare(waker);
            // Outside of the borrow: nobody knows what a waker does when it is dropped.
            drop(former);
        }
    }
}
