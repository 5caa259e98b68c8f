//! Futures over the network: the outcome of a request, and the passing of time.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::clock::timers::TimerId;
use crate::network::waits::{Look, Settled, WaitKey};
use crate::network::{Alarm, Network};
use crate::units::{SimDuration, SimTime};

/// The outcome of a request. Dropped before it is there, it leaves the request to itself.
pub(crate) struct Pending {
    network: Rc<Network>,
    key: WaitKey,
    timeout: SimDuration,
}

impl Pending {
    pub(crate) fn new(network: Rc<Network>, key: WaitKey) -> Self {
        let timeout = network.timeout;
        Pending { network, key, timeout }
    }

    pub(crate) fn set_timeout(&mut self, timeout: SimDuration) {
        self.timeout = timeout;
    }

    /// Starts the clock: the request times out so long after it was made.
    pub(crate) fn start_timer(&self) {
        let network = &self.network;
        let Some(sent_at) = network.waits.borrow_mut().sent_at(self.key) else {
            return;
        };
        let rest = (sent_at + self.timeout).since(network.now());
        let timer = network.start_timer(rest, Alarm::Timeout(self.key));
        network.waits.borrow_mut().set_timer(self.key, timer);
    }
}

impl Future for Pending {
    type Output = Settled;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Settled> {
        let look = self.network.waits.borrow_mut().look(self.key, cx.waker());
        match look {
            Look::Settled(settled) => {
                self.key = WaitKey::NONE;
                return Poll::Ready(settled);
            }
            Look::Untimed => self.start_timer(),
            // A future that is polled again after it was ready never is.
            Look::Open | Look::Gone => {}
        }
        Poll::Pending
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.key.is_none() {
            return;
        }
        let settlement = self.network.waits.borrow_mut().forget(self.key, self.network.now());
        self.network.book(settlement);
    }
}

/// Wakes its task when a time has come. It is told by the timer itself, which fires after
/// everything else of its instant, and not by the clock.
pub(crate) struct Deadline {
    network: Rc<Network>,
    at: SimTime,
    timer: Option<TimerId>,
}

impl Deadline {
    pub(crate) fn new(network: Rc<Network>, at: SimTime) -> Self {
        Deadline { network, at, timer: None }
    }
}

impl Future for Deadline {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let network = self.network.clone();
        match self.timer {
            None if self.at <= network.now() => Poll::Ready(()),
            None => {
                let rest = self.at.since(network.now());
                self.timer = Some(network.wake_later(rest, cx.waker()));
                Poll::Pending
            }
            Some(timer) if network.is_timer_running(timer) => {
                // The task may have handed the future on to another one.
                network.rewake(timer, cx.waker());
                Poll::Pending
            }
            Some(_) => Poll::Ready(()),
        }
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            self.network.cancel_timer(timer);
        }
    }
}
