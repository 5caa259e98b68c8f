//! Messages as MPI has them: `send`, `bcast`, `recv`.
//!
//! Messages from one service to another arrive in the order in which they were sent, unless the
//! scenario says `Unordered`. An awaited send is over at the instant of delivery.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::interfaces::exchange::Exchange;
use crate::interfaces::{CallError, NetworkView, Recipient, Route};
use crate::network::pending::{Deadline, Pending};
use crate::network::ports::{Body, Delivery};
use crate::network::waits::{Answer, Settled, WaitKey};
use crate::network::{Envelope, size_of};
use crate::outcome::{Interface, Undelivered};
use crate::service::desk::Desk;
use crate::service::inbox::Letters;
use crate::trace::ServiceId;
use crate::units::{Bytes, SimDuration};

/// The MPI interface of a service.
#[derive(Clone, Copy)]
pub struct Mpi<'a> {
    desk: &'a Rc<Desk>,
}

/// A message that was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The way it took.
    pub route: Route,
    /// From sending to delivery.
    pub elapsed: SimDuration,
}

/// What became of a message to many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentToMany {
    /// One outcome for each recipient, in the order in which they were named.
    pub outcomes: Vec<Result<Sent, CallError>>,
    /// Until the slowest outcome was there.
    pub elapsed: SimDuration,
}

impl SentToMany {
    /// The outcome as a whole.
    ///
    /// # Errors
    /// The first failure, if there was any.
    pub fn all(self) -> Result<SentToMany, CallError> {
        match self.outcomes.iter().find_map(|outcome| outcome.as_ref().err()) {
            Some(error) => Err(error.clone()),
            None => Ok(self),
        }
    }
}

impl<'a> Mpi<'a> {
    pub(crate) fn new(desk: &'a Rc<Desk>) -> Self {
        Mpi { desk }
    }

    /// Sends a message now. Await the result to learn what became of it; drop it, and the message
    /// is on its way all the same.
    ///
    /// The future yields at the instant of delivery. It fails at once if there is no such service,
    /// no application link or no route; when the receiver's router says that nobody is there; or
    /// after the timeout, which is counted from the sending.
    pub fn send<B: Body>(&self, to: impl Recipient, body: B) -> Sending {
        let to = to.resolve(NetworkView(&self.desk.network));
        self.send_resolved(to, body, None)
    }

    /// Sends a message and forgets it: what becomes of it is counted, and told to nobody.
    ///
    /// # Errors
    /// Told at once: there is no such service, no application link or no route, or the body cannot be
    /// put into bytes.
    pub fn tell<B: Body>(&self, to: impl Recipient, body: B) -> Result<(), Undelivered> {
        let (network, from, wait) = (&self.desk.network, self.desk.id, WaitKey::NONE);
        let to = match to.resolve(NetworkView(network)) {
            Ok(to) => to,
            Err(name) => return Err(network.fail_unknown(Interface::Mpi, from, wait, &name)),
        };
        let size = size_of(&|| network.name_of(to), &body);
        let bytes = size.as_ref().copied().unwrap_or_default();
        let envelope = Envelope::to_name(from, to, Interface::Mpi, wait, bytes);
        match size {
            Ok(_) => network.send(envelope, body),
            Err(why) => Err(network.refuse_to_send(envelope, why)),
        }
    }

    /// Sends a message as if it had that size.
    pub fn send_sized<B: Body>(&self, to: impl Recipient, body: B, bytes: Bytes) -> Sending {
        let to = to.resolve(NetworkView(&self.desk.network));
        self.send_resolved(to, body, Some(bytes))
    }

    fn send_resolved<B: Body>(&self, to: Result<ServiceId, String>, body: B, bytes: Option<Bytes>) -> Sending {
        let network = &self.desk.network;
        let from = self.desk.id;
        let key = network.open_wait(from, to.as_ref().ok().copied(), Interface::Mpi);
        // What goes wrong at once is the outcome of the wait, which the future finds there.
        match to {
            Ok(to) => {
                let size = bytes.map_or_else(|| size_of(&|| network.name_of(to), &body), Ok);
                let bytes = size.as_ref().copied().unwrap_or_default();
                let envelope = Envelope::to_name(from, to, Interface::Mpi, key, bytes);
                match size {
                    Ok(_) => drop(network.send(envelope, body)),
                    Err(why) => drop(network.refuse_to_send(envelope, why)),
                }
            }
            Err(name) => drop(network.fail_unknown(Interface::Mpi, from, key, &name)),
        }
        Sending { desk: self.desk.clone(), pending: Pending::new(network.clone(), key) }
    }

    /// Sends a message to each of several services now.
    pub fn multicast<B: Body>(&self, to: impl IntoIterator<Item = impl Recipient>, body: B) -> SendingToMany {
        let sendings = to.into_iter().map(|to| self.send(to, body.clone())).collect();
        SendingToMany::new(self.desk, sendings)
    }

    /// Sends a message to every neighbour in the application graph now.
    pub fn bcast<B: Body>(&self, body: B) -> SendingToMany {
        let neighbours = self.desk.network.positions.neighbours(self.desk.id);
        self.multicast(neighbours, body)
    }

    /// The next message of this type, in order of arrival. Messages of other types stay where they
    /// are. It waits as long as the scenario's timeout, unless
    /// [`timeout`](Receiving::timeout) or [`no_timeout`](Receiving::no_timeout) says otherwise.
    pub fn recv<B: Body>(&self) -> Receiving<'a, B> {
        let waits = Some(self.desk.network.timeout);
        let letters = self.desk.inbox.letters::<B>(&self.desk.network, self.desk.id);
        Receiving { desk: self.desk, letters, from: None, waits, deadline: None, serves: false }
    }

    /// Receiving and sending wired up declaratively.
    pub fn exchange(&self) -> Exchange<'a> {
        Exchange::new(self.desk)
    }
}

/// A message on its way: see [`Mpi::send`].
pub struct Sending {
    desk: Rc<Desk>,
    pending: Pending,
}

impl Sending {
    /// Waits so long, counted from the sending. To be called before the first await.
    #[must_use]
    pub fn timeout(mut self, timeout: SimDuration) -> Self {
        self.pending.set_timeout(timeout);
        self
    }

    fn outcome(desk: &Desk, settled: Settled) -> Result<Sent, CallError> {
        let Settled { answer, elapsed, course } = settled;
        match answer {
            Answer::Delivered | Answer::Response(_) | Answer::Message(_) | Answer::Rpc(..) => {
                Ok(Sent { route: Route::of(&desk.network, course), elapsed })
            }
            Answer::Undelivered(why) => Err(CallError::Undelivered(why)),
            Answer::Interrupted(by) => Err(CallError::Interrupted { by }),
            Answer::TimedOut | Answer::Lost => {
                Err(CallError::TimedOut { what: "a message to be delivered".to_owned(), waited: elapsed })
            }
        }
    }
}

impl Future for Sending {
    type Output = Result<Sent, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        Pin::new(&mut this.pending).poll(cx).map(|settled| Sending::outcome(&this.desk, settled))
    }
}

/// A message on its way to many: see [`Mpi::multicast`] and [`Mpi::bcast`].
pub struct SendingToMany {
    desk: Rc<Desk>,
    /// Those whose outcome has yet to be looked at, the first one in front.
    sendings: VecDeque<Sending>,
    outcomes: Vec<Result<Sent, CallError>>,
    /// Until the slowest outcome so far.
    elapsed: SimDuration,
    /// Whether the clock of each is running.
    awaited: bool,
}

impl SendingToMany {
    fn new(desk: &Rc<Desk>, sendings: VecDeque<Sending>) -> Self {
        let outcomes = Vec::with_capacity(sendings.len());
        SendingToMany { desk: desk.clone(), sendings, outcomes, elapsed: SimDuration::ZERO, awaited: false }
    }

    /// Waits so long for each, counted from the sending. To be called before the first await.
    #[must_use]
    pub fn timeout(mut self, timeout: SimDuration) -> Self {
        for sending in &mut self.sendings {
            sending.pending.set_timeout(timeout);
        }
        self
    }
}

impl Future for SendingToMany {
    type Output = SentToMany;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<SentToMany> {
        let this = &mut *self;
        if !std::mem::replace(&mut this.awaited, true) {
            this.sendings.iter().for_each(|sending| sending.pending.start_timer());
        }
        // One after the other, and each is woken for once: who is done early keeps its outcome and its
        // time until it is looked at.
        while let Some(Sending { pending, .. }) = this.sendings.front_mut() {
            let Poll::Ready(settled) = Pin::new(pending).poll(cx) else {
                return Poll::Pending;
            };
            this.elapsed = this.elapsed.max(settled.elapsed);
            this.outcomes.push(Sending::outcome(&this.desk, settled));
            this.sendings.pop_front();
        }
        Poll::Ready(SentToMany { outcomes: std::mem::take(&mut this.outcomes), elapsed: this.elapsed })
    }
}

/// Waits for a message: see [`Mpi::recv`].
#[must_use = "nothing is received unless it is awaited"]
pub struct Receiving<'a, B> {
    desk: &'a Rc<Desk>,
    letters: Rc<Letters<B>>,
    from: Option<Result<ServiceId, String>>,
    waits: Option<SimDuration>,
    deadline: Option<Deadline>,
    /// It waits for whatever comes, for as long as it takes: whoever waits so has nothing to do.
    serves: bool,
}

impl<B> Drop for Receiving<'_, B> {
    fn drop(&mut self) {
        if self.serves {
            self.desk.set_serving(false);
        }
    }
}

impl<B> Receiving<'_, B> {
    /// Waits so long, counted from the first await.
    pub fn timeout(mut self, timeout: SimDuration) -> Self {
        self.waits = Some(timeout);
        self
    }

    /// Waits as long as it takes: for services that serve, and have nothing else to do.
    pub fn no_timeout(mut self) -> Self {
        self.waits = None;
        self
    }

    /// Takes only what comes from that service.
    pub fn from(mut self, sender: impl Recipient) -> Self {
        self.from = Some(sender.resolve(NetworkView(&self.desk.network)));
        self
    }
}

impl<B: Body> Future for Receiving<'_, B> {
    type Output = Result<Delivery<B>, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let from = match &this.from {
            Some(Err(name)) => {
                return Poll::Ready(Err(Undelivered::UnknownService(name.clone()).into()));
            }
            Some(Ok(id)) => Some(*id),
            None => None,
        };
        if let Some(delivery) = this.letters.take(from) {
            if std::mem::take(&mut this.serves) {
                this.desk.set_serving(false);
            }
            return Poll::Ready(Ok(delivery));
        }
        if let Some(waits) = this.waits {
            let network = &this.desk.network;
            let deadline = this.deadline.get_or_insert_with(|| Deadline::new(network.clone(), network.now() + waits));
            if Pin::new(deadline).poll(cx).is_ready() {
                let what = short_name(std::any::type_name::<B>());
                return Poll::Ready(Err(CallError::TimedOut { what, waited: waits }));
            }
        }
        this.letters.wake_me(cx.waker());
        if this.waits.is_none() && !std::mem::replace(&mut this.serves, true) {
            this.desk.set_serving(true);
        }
        Poll::Pending
    }
}

/// `alloc::vec::Vec<shop::messages::Order>` read as `Vec<Order>`.
fn short_name(full: &str) -> String {
    let mut short = String::new();
    let mut word_starts = 0;
    for c in full.chars() {
        short.push(c);
        if c == ':' {
            short.truncate(word_starts);
        } else if !(c.is_alphanumeric() || c == '_') {
            word_starts = short.len();
        }
    }
    short
}

#[cfg(test)]
mod tests {
    #[test]
    fn type_names_are_shown_without_their_paths() {
        assert_eq!(super::short_name("alloc::vec::Vec<shop::messages::Order>"), "Vec<Order>");
        assert_eq!(super::short_name("(u8, core::option::Option<a::B>)"), "(u8, Option<B>)");
        assert_eq!(super::short_name("u64"), "u64");
    }
}
