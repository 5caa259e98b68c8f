//! Messages that have arrived and that no step has taken yet.
//!
//! A service that has once asked for a type of message has a list for it, which takes such messages
//! straight from the network; what nobody has asked for yet waits with its type forgotten.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Waker;

use crate::network::Network;
use crate::network::ports::{AnyBody, Arrival, Body, Delivery, Receiver, Refusal};
use crate::trace::ServiceId;

/// How many messages may wait. What comes beyond that is refused, and its sender told.
const INBOX_LIMIT: usize = 65_536;

/// What the lists of one inbox share.
#[derive(Default)]
struct Shared {
    len: Cell<usize>,
    closed: Cell<bool>,
    /// Futures that found nothing for them, unless they were woken since: those mostly come again, and to
    /// clone their wakers would cost more than what they have come for.
    waiting: RefCell<Vec<Waker>>,
    woken: Cell<bool>,
}

impl Shared {
    fn refuses(&self) -> Option<Refusal> {
        if self.closed.get() {
            return Some(Refusal::Gone);
        }
        (self.len.get() >= INBOX_LIMIT).then_some(Refusal::InboxFull)
    }

    fn wake_all(&self) {
        if !self.woken.replace(true) {
            self.waiting.borrow().iter().for_each(Waker::wake_by_ref);
        }
    }
}

/// The messages of one type, in order of arrival.
pub(crate) struct Letters<B> {
    queue: RefCell<VecDeque<Delivery<B>>>,
    shared: Rc<Shared>,
}

impl<B> Letters<B> {
    /// Takes the first message, or the first from that sender if one is named.
    #[inline]
    pub(crate) fn take(&self, from: Option<ServiceId>) -> Option<Delivery<B>> {
        let mut queue = self.queue.borrow_mut();
        let letter = match from {
            None => queue.pop_front(),
            Some(from) => {
                let at = queue.iter().position(|letter| letter.from == from)?;
                queue.remove(at)
            }
        }?;
        self.shared.len.set(self.shared.len.get() - 1);
        Some(letter)
    }

    pub(crate) fn wake_me(&self, waker: &Waker) {
        let mut waiting = self.shared.waiting.borrow_mut();
        if self.shared.woken.replace(false) {
            waiting.retain(|other| other.will_wake(waker));
        }
        if !waiting.iter().any(|other| other.will_wake(waker)) {
            // Mostly there is one, and a vector that grows by itself has room for four.
            waiting.reserve_exact(1);
            waiting.push(waker.clone());
        }
    }
}

/// A list, whatever its messages are.
trait AnyLetters {
    /// Takes all of them out, their type forgotten.
    fn take_all(&self) -> Vec<Delivery<AnyBody>>;
}

fn forget_type<B: 'static>(letter: Delivery<B>) -> Delivery<AnyBody> {
    let Delivery { from, sent_at, bytes, duplicate, body } = letter;
    Delivery { from, sent_at, bytes, duplicate, body: AnyBody(Box::new(body)) }
}

impl<B: 'static> AnyLetters for Letters<B> {
    fn take_all(&self) -> Vec<Delivery<AnyBody>> {
        std::iter::from_fn(|| self.take(None)).map(forget_type).collect()
    }
}

impl<B> Receiver<B> for Letters<B> {
    #[inline]
    fn receive(&self, network: &Network, arrival: Arrival<'_, B>) -> Result<(), Refusal> {
        if let Some(refusal) = self.shared.refuses() {
            return Err(refusal);
        }
        let Some(delivery) = arrival.accept(network) else { return Ok(()) };
        let mut queue = self.queue.borrow_mut();
        if queue.capacity() == 0 {
            // Most services take one message after the other.
            queue.reserve_exact(1);
        }
        queue.push_back(delivery);
        drop(queue);
        self.shared.len.set(self.shared.len.get() + 1);
        self.shared.wake_all();
        Ok(())
    }
}

/// The list of one type that was asked for, seen in two ways.
struct Typed {
    /// As `Rc<Letters<B>>`.
    exact: Rc<dyn Any>,
    any: Rc<dyn AnyLetters>,
}

/// The messages of one service.
#[derive(Default)]
pub(crate) struct Inbox {
    typed: RefCell<Vec<Typed>>,
    /// What nobody has asked for.
    others: RefCell<VecDeque<Delivery<AnyBody>>>,
    shared: Rc<Shared>,
}

impl Inbox {
    /// How many messages wait.
    pub(crate) fn len(&self) -> usize {
        self.shared.len.get()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.shared.len.get() >= INBOX_LIMIT
    }

    /// Nothing is taken any more. What has come stays until it is [taken](Self::take_all).
    pub(crate) fn close(&self) {
        self.shared.closed.set(true);
    }

    /// Everything that nobody has looked at; of one type, in order of arrival.
    pub(crate) fn take_all(&self) -> Vec<Delivery<AnyBody>> {
        let mut letters: Vec<_> = self.typed.borrow().iter().flat_map(|typed| typed.any.take_all()).collect();
        let others = std::mem::take(&mut *self.others.borrow_mut());
        self.shared.len.set(self.shared.len.get() - others.len());
        letters.extend(others);
        letters
    }

    /// Keeps a message of a type that was not asked for.
    pub(crate) fn put(&self, letter: Delivery<AnyBody>) {
        self.others.borrow_mut().push_back(letter);
        self.shared.len.set(self.shared.len.get() + 1);
    }

    /// The list for a type of message; made, and filled with what has come before, when it is
    /// first asked for.
    pub(crate) fn letters<B: Body>(&self, network: &Network, owner: ServiceId) -> Rc<Letters<B>> {
        for typed in self.typed.borrow().iter() {
            if typed.exact.is::<Letters<B>>()
                && let Ok(letters) = typed.exact.clone().downcast()
            {
                return letters;
            }
        }
        let mut queue = VecDeque::new();
        let mut others = self.others.borrow_mut();
        for letter in std::mem::take(&mut *others) {
            let Delivery { from, sent_at, bytes, duplicate, body: AnyBody(body) } = letter;
            match body.downcast::<B>() {
                Ok(body) => queue.push_back(Delivery { from, sent_at, bytes, duplicate, body: *body }),
                Err(body) => others.push_back(Delivery { from, sent_at, bytes, duplicate, body: AnyBody(body) }),
            }
        }
        let letters = Rc::new(Letters { queue: RefCell::new(queue), shared: self.shared.clone() });
        let mut typed = self.typed.borrow_mut();
        typed.reserve_exact(1);
        typed.push(Typed { exact: letters.clone(), any: letters.clone() });
        drop(typed);
        network.set_receiver::<B>(owner, letters.clone());
        letters
    }
}
