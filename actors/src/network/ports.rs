//! Messages on their way, and who takes them when they arrive.
//!
//! Each type of body has a [`Port`]: a slab of the messages of that type that are in flight, and a
//! table of who receives them. An event in the calendar is a port, a slot and a receiver, twelve bytes;
//! sending and delivering move the body into the slab and out of it, without an allocation of its own.

use std::any::{Any, type_name};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use elsa::FrozenVec;
use serde::Serialize;

use crate::network::Network;
use crate::network::flights::{Flights, Stays};
use crate::network::table::Table;
use crate::network::waits::WaitKey;
use crate::outcome::{Interface, Undelivered};
use crate::trace::ServiceId;
use crate::units::{Bytes, SimTime};

/// What a message may carry: anything that has a size on the wire and may be there twice.
pub trait Body: Serialize + Clone + 'static {}

impl<T: Serialize + Clone + 'static> Body for T {}

/// A message that has arrived. Actors take it with `Handler<Delivery<B>>`.
#[derive(Clone, Debug)]
pub struct Delivery<B> {
    /// Who sent it.
    pub from: ServiceId,
    /// When it was sent.
    pub sent_at: SimTime,
    /// How large it was on the wire.
    pub bytes: Bytes,
    /// True if this is a second copy.
    pub duplicate: bool,
    /// What it says.
    pub body: B,
}

impl<B: 'static> actix::Message for Delivery<B> {
    type Result = ();
}

/// A body whose type only its receiver knows.
pub(crate) struct AnyBody(pub(crate) Box<dyn Any>);

/// Why a receiver did not take a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Gone,
    InboxFull,
    NotUnderstood,
    /// For a reason of its own. (Most are taken: what they are answered with is small.)
    Other(Box<Undelivered>),
}

/// A message that has arrived, before anybody has looked at it.
pub(crate) struct Arrival<'a> {
    pub(crate) network: &'a Network,
    pub(crate) header: Header,
    /// Tells the type of the body.
    pub(crate) body_type: fn() -> &'static str,
}

impl Arrival<'_> {
    /// The message is taken, and its body with it: books the delivery, and tells whoever awaits it. `None` if
    /// there is no body.
    #[inline(always)]
    pub(crate) fn accept<B>(&self, body: &mut Option<B>) -> Option<Delivery<B>> {
        if body.is_none() {
            return None;
        }
        self.network.book_delivery(&self.header, self.body_type);
        let Header { from, sent_at, bytes, duplicate, .. } = self.header;
        let (sent_at, bytes) = (SimTime::from_nanos(sent_at), Bytes(bytes));
        Some(Delivery { from, sent_at, bytes, duplicate, body: body.take()? })
    }
}

/// Somebody who takes messages of one type.
pub(crate) trait Receiver<B> {
    /// Accepts the arrival and takes the body, or leaves it where it is and says why. (It stays in one place
    /// until somebody takes it: large ones are moved too often otherwise.)
    fn receive(&self, arrival: &Arrival<'_>, body: &mut Option<B>) -> Result<(), Refusal>;

    /// Something is to arrive soon: lets the processor fetch what receiving it takes.
    fn fetch(&self) {}
}

/// Where a message is on its way along a link: it enters, waits and is sent, and leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leg {
    pub(crate) link: u32,
    /// When the message has passed the node before the link, and the queue there.
    pub(crate) enters: u64,
    /// When it reaches the node behind the link; `u64::MAX` while nobody knows.
    pub(crate) leaves: u64,
}

/// The way of a message that must know it.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) legs: Box<[Leg]>,
    /// In the queued model: the leg that it comes to next.
    pub(crate) leg: u32,
    /// The slot of its other copy, while that is in flight.
    pub(crate) twin: u32,
    /// With route costs: when it will be delivered.
    pub(crate) due: u64,
}

pub(crate) const NO_SLOT: u32 = u32::MAX;

/// What becomes of a message when its next event comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrives, or goes on to the next link.
    Moves,
    /// A link loses it then.
    Doomed,
    /// It has arrived, and waits for the ones before it; no event is to come for it.
    Waits,
    /// It has waited, and its turn has come.
    Called,
    /// It is gone already; only its slot is left.
    Gone,
}

/// Everything about a message in flight but its body.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) from: ServiceId,
    pub(crate) to: ServiceId,
    pub(crate) sent_at: u64,
    /// When it reached its target, or will; what it waits beyond that, it is held back.
    pub(crate) arrives: u64,
    pub(crate) bytes: u64,
    pub(crate) wait: WaitKey,
    /// The way it takes, where somebody has to know: cuts, noise, queues.
    pub(crate) way: Option<Box<Way>>,
    pub(crate) interface: Interface,
    pub(crate) fate: Fate,
    pub(crate) duplicate: bool,
    /// It may overtake and be overtaken.
    pub(crate) unordered: bool,
    /// The only incarnation of the receiver that it is meant for; [`ANY_INCARNATION`] for whichever
    /// there is.
    pub(crate) incarnation: u32,
}

/// Not held back: it arrives when it is due.
pub(crate) const WHEN_DUE: u64 = u64::MAX;

/// A message to a name: whoever bears it takes it.
pub(crate) const ANY_INCARNATION: u32 = 0;

impl Header {
    /// All of it; what is left knows no way.
    #[inline]
    pub(crate) fn take(&mut self) -> Header {
        let way = self.way.take();
        Header { way, ..*self }
    }

    /// The links on its way; none if nobody had to know.
    pub(crate) fn legs(&self) -> &[Leg] {
        self.way.as_ref().map_or(&[], |way| &way.legs)
    }

    /// How long it has waited for those before it, if it is delivered now.
    #[inline]
    pub(crate) fn held_back(&self, now: u64) -> u64 {
        now.saturating_sub(self.arrives)
    }

    /// The slot of its other copy, if that is in flight.
    pub(crate) fn twin(&self) -> Option<u32> {
        self.way.as_ref().map(|way| way.twin).filter(|twin| *twin != NO_SLOT)
    }

    pub(crate) fn set_twin(&mut self, twin: u32) {
        if let Some(way) = &mut self.way {
            way.twin = twin;
        }
    }
}

/// A port, whatever its bodies are.
pub(crate) trait AnyPort: Any {
    /// The next event of a message has come.
    fn arrive(&self, network: &Network, port: u16, slot: u32);
    /// A message is to arrive soon: lets the processor fetch what that takes.
    fn fetch(&self, network: &Network, slot: u32, to: ServiceId);
    /// Looks at a message, and changes it.
    fn with_header(&self, slot: u32, look: &mut dyn FnMut(&mut Header));
    /// Adds a second copy of a message; returns its slot.
    fn duplicate(&self, slot: u32) -> Option<u32>;
    /// Takes a message away without delivering it.
    fn discard(&self, slot: u32);
    /// A service takes nothing of this type any more.
    fn unplug(&self, service: ServiceId);
    /// Nobody takes anything of this type any more.
    fn close(&self);
    /// Every message in flight, in the order of slots.
    fn each(&self, look: &mut dyn FnMut(u32, &mut Header));
    fn body_type(&self) -> &'static str;
}

/// The messages of one type that are in flight, and who takes them.
pub(crate) struct Port<B> {
    pub(crate) index: u16,
    flights: RefCell<Flights<B>>,
    receivers: RefCell<Table<Rc<dyn Receiver<B>>>>,
}

impl<B: Body> Port<B> {
    /// Takes a message in.
    #[inline(always)]
    pub(crate) fn board(&self, header: Header, body: B) -> u32 {
        self.flights.borrow_mut().insert(header, body)
    }

    pub(crate) fn set_receiver(&self, service: ServiceId, receiver: Rc<dyn Receiver<B>>) {
        let before = self.receivers.borrow_mut().put(service, receiver);
        drop(before);
    }

    pub(crate) fn has_receiver(&self, service: ServiceId) -> bool {
        self.receivers.borrow().get(service).is_some()
    }

    /// The next event of a message that knows its way.
    #[inline(never)]
    fn arrive_knowingly(&self, network: &Network, port: u16, slot: u32) {
        if !network.arrives_for_good(self, port, slot) {
            return;
        }
        let mut body = None;
        let header = self.flights.borrow_mut().remove(slot, &mut body);
        if let Some(header) = header {
            self.hand_over(network, header, &mut body);
        }
    }

    /// Hands a message over to its receiver, or to whoever takes everything there.
    #[inline(always)]
    pub(crate) fn hand_over(&self, network: &Network, header: Header, body: &mut Option<B>) {
        let arrival = Arrival { network, header, body_type: type_name::<B> };
        let header = &arrival.header;
        let other_incarnation =
            header.incarnation != ANY_INCARNATION && header.incarnation != network.incarnation(header.to);
        if other_incarnation || (header.way.is_some() && network.has_moved(header)) {
            return network.refused(header, Refusal::Gone, body);
        }
        let typed = self.receivers.borrow().get(header.to).cloned();
        let received = match typed {
            Some(receiver) => receiver.receive(&arrival, body),
            None => offer_to_taker_of_everything(&arrival, body),
        };
        if let Err(refusal) = received {
            network.refused(header, refusal, body);
        }
    }
}

/// A message of a type that its receiver does not know goes to whoever takes everything there.
#[inline(never)]
fn offer_to_taker_of_everything<B: Body>(arrival: &Arrival<'_>, body: &mut Option<B>) -> Result<(), Refusal> {
    let Arrival { network, header, .. } = arrival;
    let Some(receiver) = network.taker_of_everything(header.to) else {
        return Err(if network.is_present(header.to) { Refusal::NotUnderstood } else { Refusal::Gone });
    };
    let mut any = body.take().map(|body| AnyBody(Box::new(body)));
    let received = receiver.receive(arrival, &mut any);
    *body = any.and_then(|AnyBody(body)| body.downcast().ok()).map(|body| *body);
    received
}

impl<B: Body> AnyPort for Port<B> {
    #[inline]
    fn arrive(&self, network: &Network, port: u16, slot: u32) {
        // The plain case: one event a message, and this is it.
        let is_plain = |header: &Header| header.fate == Fate::Moves && header.way.is_none();
        let mut body = None;
        let taken = self.flights.borrow_mut().remove_if(slot, &mut body, is_plain);
        match taken {
            Ok(header) => self.hand_over(network, header, &mut body),
            Err(Stays::Message) => self.arrive_knowingly(network, port, slot),
            Err(Stays::Nothing) => {}
        }
    }

    #[inline]
    fn fetch(&self, network: &Network, slot: u32, to: ServiceId) {
        self.flights.borrow().fetch(slot);
        if let Some(receiver) = self.receivers.borrow().get(to) {
            receiver.fetch();
        }
        network.tallies.fetch(to);
    }

    fn with_header(&self, slot: u32, look: &mut dyn FnMut(&mut Header)) {
        if let Some((header, _)) = self.flights.borrow_mut().get_mut(slot) {
            look(header);
        }
    }

    fn duplicate(&self, slot: u32) -> Option<u32> {
        let mut flights = self.flights.borrow_mut();
        let (original, body) = flights.get_mut(slot)?;
        let mut header = original.clone();
        header.duplicate = true;
        header.set_twin(slot);
        let body = body.clone();
        let copy = flights.insert(header, body);
        if let Some((original, _)) = flights.get_mut(slot) {
            original.set_twin(copy);
        }
        Some(copy)
    }

    fn discard(&self, slot: u32) {
        let mut body = None;
        let header = self.flights.borrow_mut().remove(slot, &mut body);
        drop((header, body));
    }

    fn unplug(&self, service: ServiceId) {
        let receiver = self.receivers.borrow_mut().take(service);
        drop(receiver);
    }

    fn close(&self) {
        let receivers = self.receivers.take();
        drop(receivers);
    }

    fn each(&self, look: &mut dyn FnMut(u32, &mut Header)) {
        for (slot, header) in self.flights.borrow_mut().iter_mut() {
            look(slot, header);
        }
    }

    fn body_type(&self) -> &'static str {
        type_name::<B>()
    }
}

/// Every port of a run, found by the type of its bodies. None ever goes, so that whoever has one need not
/// hold it.
#[derive(Default)]
pub(crate) struct Ports {
    all: FrozenVec<Box<dyn AnyPort>>,
    /// The index of the one that was boarded last: the next message is mostly of the same type.
    last: Cell<usize>,
}

impl Ports {
    /// The port of a type; made when it is first asked for.
    pub(crate) fn of<B: Body>(&self) -> &Port<B> {
        let found = self.all().find_map(|port| (port as &dyn Any).downcast_ref());
        found.unwrap_or_else(|| self.add())
    }

    /// Takes a message in; returns its port and slot.
    #[inline(always)]
    pub(crate) fn board<B: Body>(&self, header: Header, body: B) -> (u16, u32) {
        match self.all.get(self.last.get()).and_then(|port| (port as &dyn Any).downcast_ref::<Port<B>>()) {
            Some(port) => (port.index, port.board(header, body)),
            None => self.board_elsewhere(header, body),
        }
    }

    /// The message is of another type than the last one.
    #[inline(never)]
    fn board_elsewhere<B: Body>(&self, header: Header, body: B) -> (u16, u32) {
        let port = self.of::<B>();
        self.last.set(usize::from(port.index));
        (port.index, port.board(header, body))
    }

    #[inline(never)]
    fn add<B: Body>(&self) -> &Port<B> {
        let (flights, receivers) = (RefCell::new(Flights::new()), RefCell::default());
        self.all.push(Box::new(Port::<B> { index: self.all.len() as u16, flights, receivers }));
        self.of()
    }

    #[inline]
    pub(crate) fn at(&self, index: u16) -> Option<&dyn AnyPort> {
        self.all.get(usize::from(index))
    }

    /// Every port, in the order in which they were first used.
    pub(crate) fn all(&self) -> impl Iterator<Item = &dyn AnyPort> {
        (0..).map_while(|index| self.all.get(index))
    }
}
