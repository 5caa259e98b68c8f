//! Messages that have arrived and that no step has taken yet.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::task::Waker;

use crate::network::ports::{AnyBody, Delivery};
use crate::trace::ServiceId;

/// How many messages may wait. What comes beyond that is refused, and its sender told.
pub(crate) const INBOX_LIMIT: usize = 65_536;

/// The messages of one service, in order of arrival.
#[derive(Default)]
pub(crate) struct Inbox {
    letters: RefCell<VecDeque<Delivery<AnyBody>>>,
    /// Futures that found nothing for them.
    waiting: RefCell<Vec<Waker>>,
}

impl Inbox {
    pub(crate) fn is_full(&self) -> bool {
        self.letters.borrow().len() >= INBOX_LIMIT
    }

    pub(crate) fn put(&self, letter: Delivery<AnyBody>) {
        self.letters.borrow_mut().push_back(letter);
        let mut waiting = self.waiting.borrow_mut();
        for waker in waiting.drain(..) {
            waker.wake();
        }
    }

    /// Takes the first message of this type, and from that sender if one is named.
    pub(crate) fn take<B: 'static>(&self, from: Option<ServiceId>) -> Option<Delivery<B>> {
        let mut letters = self.letters.borrow_mut();
        let at =
            letters.iter().position(|letter| letter.body.0.is::<B>() && from.is_none_or(|from| from == letter.from))?;
        let Delivery { from, sent_at, bytes, duplicate, body } = letters.remove(at)?;
        let body = *body.0.downcast::<B>().ok()?;
        Some(Delivery { from, sent_at, bytes, duplicate, body })
    }

    /// Takes the first message out, whatever it is.
    pub(crate) fn discard_first(&self) -> Option<Delivery<AnyBody>> {
        self.letters.borrow_mut().pop_front()
    }

    pub(crate) fn wake_me(&self, waker: &Waker) {
        let mut waiting = self.waiting.borrow_mut();
        if !waiting.iter().any(|other| other.will_wake(waker)) {
            waiting.push(waker.clone());
        }
    }
}
