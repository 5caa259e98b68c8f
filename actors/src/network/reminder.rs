//! An instant to be reminded of, which may be another one by the time that it comes.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use crate::network::Network;
use crate::network::pending::Deadline;
use crate::units::SimTime;

/// Set by those who know when something is due, and awaited by the one who does it.
#[derive(Debug)]
pub(crate) struct Reminder {
    at: Cell<SimTime>,
    waiting: RefCell<Option<Waker>>,
}

impl Reminder {
    pub(crate) fn new(at: SimTime) -> Self {
        Reminder { at: Cell::new(at), waiting: RefCell::default() }
    }

    /// It is due then, and not when it was before; never, if that is [`SimTime::MAX`].
    pub(crate) fn set(&self, at: SimTime) {
        if self.at.replace(at) != at
            && let Some(waker) = self.waiting.borrow_mut().take()
        {
            waker.wake();
        }
    }

    /// Is over when it is due. One at a time may wait.
    pub(crate) async fn due(&self, network: &Rc<Network>) {
        let mut deadline: Option<(SimTime, Deadline)> = None;
        std::future::poll_fn(|cx| {
            let at = self.at.get();
            *self.waiting.borrow_mut() = Some(cx.waker().clone());
            if at == SimTime::MAX {
                deadline = None;
                return Poll::Pending;
            }
            let (_, timer) = match deadline.take().filter(|(known, _)| *known == at) {
                Some(known) => deadline.insert(known),
                None => deadline.insert((at, Deadline::new(network.clone(), at))),
            };
            Pin::new(timer).poll(cx)
        })
        .await;
    }
}
