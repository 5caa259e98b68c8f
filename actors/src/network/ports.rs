//! Messages on their way, and who takes them when they arrive.
//!
//! Each type of body has a [`Port`]: a slab of the messages of that type that are in flight, and a
//! table of who receives them. An event in the calendar is a port, a slot and a receiver, twelve bytes;
//! sending and delivering move the body into the slab and out of it, without an allocation of its own.

use std::any::{Any, type_name};
use std::cell::RefCell;
use std::rc::Rc;

use serde::Serialize;

use crate::network::Network;
use crate::network::flights::Flights;
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
    /// For a reason of its own.
    Other(Undelivered),
}

/// A message that has arrived, before anybody has looked at it.
pub(crate) struct Arrival<'a> {
    pub(crate) network: &'a Network,
    pub(crate) header: &'a Header,
    pub(crate) body_type: &'static str,
}

impl Arrival<'_> {
    /// The message is taken: books the delivery, and tells whoever awaits it.
    #[inline]
    pub(crate) fn accept<B>(&self, body: B) -> Delivery<B> {
        self.network.book_delivery(self.header, self.body_type);
        let Header { from, sent_at, bytes, duplicate, .. } = *self.header;
        Delivery { from, sent_at: SimTime::from_nanos(sent_at), bytes: Bytes(bytes), duplicate, body }
    }
}

/// A message that was not taken, and its body, unless that is gone.
pub(crate) struct Refused<B> {
    pub(crate) refusal: Refusal,
    pub(crate) body: Option<B>,
}

/// Somebody who takes messages of one type.
pub(crate) trait Receiver<B> {
    /// Accepts the arrival, or gives the body back.
    fn receive(&self, arrival: &Arrival<'_>, body: B) -> Result<(), Refused<B>>;

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

    /// Hands a message over to its receiver, or to whoever takes everything there.
    #[inline(always)]
    pub(crate) fn hand_over(&self, network: &Network, header: &Header, body: B) {
        let other_incarnation =
            header.incarnation != ANY_INCARNATION && header.incarnation != network.incarnation(header.to);
        if other_incarnation || (header.way.is_some() && network.has_moved(header)) {
            return network.refused(header, Refused { refusal: Refusal::Gone, body: Some(body) });
        }
        let arrival = Arrival { network, header, body_type: type_name::<B>() };
        let typed = self.receivers.borrow().get(header.to).cloned();
        if let Some(receiver) = typed {
            if let Err(refused) = receiver.receive(&arrival, body) {
                network.refused(header, refused);
            }
            return;
        }
        match network.taker_of_everything(header.to) {
            Some(receiver) => {
                if let Err(Refused { refusal, body }) = receiver.receive(&arrival, AnyBody(Box::new(body))) {
                    let body = body.and_then(|AnyBody(body)| body.downcast::<B>().ok());
                    network.refused(header, Refused { refusal, body: body.map(|body| *body) });
                }
            }
            None => {
                let refusal = match network.is_present(header.to) {
                    true => Refusal::NotUnderstood,
                    false => Refusal::Gone,
                };
                network.refused(header, Refused { refusal, body: Some(body) });
            }
        }
    }
}

impl<B: Body> AnyPort for Port<B> {
    #[inline]
    fn arrive(&self, network: &Network, port: u16, slot: u32) {
        let mut flights = self.flights.borrow_mut();
        let Some((header, _)) = flights.get_mut(slot) else { return };
        // The plain case: one event a message, and this is it.
        let is_plain = header.fate == Fate::Moves && header.way.is_none();
        if !is_plain {
            drop(flights);
            if !network.arrives_for_good(self, port, slot) {
                return;
            }
            flights = self.flights.borrow_mut();
        }
        let Some((header, body)) = flights.remove(slot) else { return };
        drop(flights);
        self.hand_over(network, &header, body);
    }

    #[inline]
    fn fetch(&self, network: &Network, slot: u32, to: ServiceId) {
        self.flights.borrow().fetch(slot);
        if let Some(receiver) = self.receivers.borrow().get(to) {
            receiver.fetch();
        }
        network.seats.borrow().fetch(to);
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
        let flight = self.flights.borrow_mut().remove(slot);
        drop(flight);
    }

    fn unplug(&self, service: ServiceId) {
        let receiver = self.receivers.borrow_mut().take(service);
        drop(receiver);
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

/// Every port of a run, found by the type of its bodies.
#[derive(Default)]
pub(crate) struct Ports {
    by_index: Vec<Rc<dyn AnyPort>>,
    /// The same ones, each an `Rc<Port<B>>`.
    by_type: Vec<Rc<dyn Any>>,
    /// The index of the one that was boarded last: the next message is mostly of the same type.
    last: usize,
}

impl Ports {
    /// The port of a type; made when it is first asked for.
    pub(crate) fn of<B: Body>(&mut self) -> Rc<Port<B>> {
        let found = self.by_type.iter().find_map(|port| port.clone().downcast().ok());
        found.unwrap_or_else(|| self.add())
    }

    /// Takes a message in; returns its port and slot.
    #[inline(always)]
    pub(crate) fn board<B: Body>(&mut self, header: Header, body: B) -> (u16, u32) {
        match self.by_type.get(self.last).and_then(|port| port.downcast_ref::<Port<B>>()) {
            Some(port) => (port.index, port.board(header, body)),
            None => self.board_elsewhere(header, body),
        }
    }

    /// The message is of another type than the last one.
    #[inline(never)]
    fn board_elsewhere<B: Body>(&mut self, header: Header, body: B) -> (u16, u32) {
        let port = self.of::<B>();
        self.last = usize::from(port.index);
        (port.index, port.board(header, body))
    }

    #[inline(never)]
    fn add<B: Body>(&mut self) -> Rc<Port<B>> {
        let port = Rc::new(Port::<B> {
            index: self.by_index.len() as u16,
            flights: RefCell::new(Flights::new()),
            receivers: RefCell::default(),
        });
        self.by_index.push(port.clone());
        self.by_type.push(port.clone());
        port
    }

    #[inline]
    pub(crate) fn at(&self, index: u16) -> &Rc<dyn AnyPort> {
        &self.by_index[usize::from(index)]
    }

    /// Every port, in the order in which they were first used.
    pub(crate) fn all(&self) -> Vec<Rc<dyn AnyPort>> {
        self.by_index.clone()
    }
}
