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
pub(crate) use crate::network::flights::Arrival;
use crate::network::flights::Flights;
use crate::network::header::{ANY_INCARNATION, Fate, Header, Message};
use crate::network::table::Table;
use crate::outcome::Undelivered;
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
#[derive(Clone, Debug)]
pub(crate) enum Refusal {
    Gone,
    InboxFull,
    NotUnderstood,
    /// It broke before it was taken: this is all that is left of it.
    Broken(Box<Header>),
    /// For a reason of its own. (Most are taken: what they are answered with is small.)
    Other(Box<Undelivered>),
}

/// Somebody who takes messages of one type.
pub(crate) trait Receiver<B> {
    /// Accepts what has arrived, or leaves it where it is and says why, unless it is broken.
    fn receive(&self, network: &Network, arrival: Arrival<'_, B>) -> Result<(), Refusal>;

    /// Something is to arrive soon: lets the processor fetch what receiving it takes.
    fn fetch(&self) {}
}

/// A port, whatever its bodies are.
pub(crate) trait AnyPort: Any {
    /// The next event of a message has come.
    fn arrive(&self, network: &Network, port: u16, slot: u32);
    /// A message is to arrive soon: lets the processor fetch what that takes.
    fn fetch(&self, network: &Network, slot: u32, to: ServiceId);
    /// Looks at a message, and changes it.
    fn with(&self, slot: u32, look: &mut dyn FnMut(&mut Message));
    /// What is known of a message but its body.
    fn header(&self, slot: u32) -> Option<Header>;
    /// Adds a second copy of a message; returns its slot.
    fn duplicate(&self, slot: u32) -> Option<u32>;
    /// Takes a message away without delivering it.
    fn discard(&self, slot: u32);
    /// A service takes nothing of this type any more.
    fn unplug(&self, service: ServiceId);
    /// Nobody takes anything of this type any more.
    fn close(&self);
    /// Every message in flight, in the order of slots.
    fn each(&self, look: &mut dyn FnMut(u32, &mut Message));
    fn body_type(&self) -> &'static str;
}

/// The messages of one type that are in flight, and who takes them.
pub(crate) struct Port<B> {
    pub(crate) index: u16,
    flights: Flights<B>,
    receivers: RefCell<Table<Rc<dyn Receiver<B>>>>,
}

impl<B: Body> Port<B> {
    /// Takes a message in.
    #[inline(always)]
    pub(crate) fn board(&self, header: Header, body: B) -> u32 {
        self.flights.insert(header, body)
    }

    pub(crate) fn set_receiver(&self, service: ServiceId, receiver: Rc<dyn Receiver<B>>) {
        let before = self.receivers.borrow_mut().put(service, receiver);
        drop(before);
    }

    pub(crate) fn has_receiver(&self, service: ServiceId) -> bool {
        self.receivers.borrow().get(service).is_some()
    }

    /// The next event of a message that has more than one, or may be lost.
    #[inline(never)]
    fn arrive_knowingly(&self, network: &Network, port: u16, slot: u32) {
        if !network.arrives_for_good(self, port, slot) {
            return;
        }
        self.hand_over_there(network, slot);
    }

    /// A message that has arrived before comes once more.
    pub(super) fn arrive_again(&self, network: &Network, message: Message, body: B) {
        let slot = self.board(message.header, body);
        if let Some(arrival) = self.flights.arrival(slot) {
            arrival.put_way(message.way);
        }
        self.hand_over_there(network, slot);
    }

    /// Hands a message over, if its receiver stands where it has come to.
    fn hand_over_there(&self, network: &Network, slot: u32) {
        let Some(arrival) = self.flights.arrival(slot) else { return };
        let way = arrival.take_way();
        let has_moved = way.as_ref().is_some_and(|way| network.has_moved(&arrival.header(), way));
        arrival.put_way(way);
        match has_moved {
            true => network.turned_away(arrival, Refusal::Gone),
            false => self.hand_over(network, arrival),
        }
    }

    /// Hands a message over to its receiver, or to whoever takes everything there.
    #[inline(always)]
    fn hand_over(&self, network: &Network, arrival: Arrival<'_, B>) {
        let Header { to, incarnation, .. } = arrival.header();
        if incarnation != ANY_INCARNATION && incarnation != network.incarnation(to) {
            return network.turned_away(arrival, Refusal::Gone);
        }
        let typed = self.receivers.borrow().get(to).cloned();
        let Some(receiver) = typed else { return offer_to_taker_of_everything(network, arrival) };
        if let Err(refusal) = receiver.receive(network, arrival) {
            network.turned_away(arrival, refusal);
        }
    }
}

/// A message of a type that its receiver does not know goes to whoever takes everything there.
#[inline(never)]
fn offer_to_taker_of_everything<B: Body>(network: &Network, arrival: Arrival<'_, B>) {
    let (header, way) = (arrival.header(), arrival.take_way());
    let Some(body) = arrival.take() else { return };
    let Some(receiver) = network.taker_of_everything(header.to) else {
        let refusal = if network.is_present(header.to) { Refusal::NotUnderstood } else { Refusal::Gone };
        return network.refused(Message { header, way }, refusal, Some(body));
    };
    // One after the other: whoever takes everything accepts a message before anything else can come.
    network.strangers.set_body_type(type_name::<B>);
    let slot = network.strangers.insert(header, AnyBody(Box::new(body)));
    let Some(stranger) = network.strangers.arrival(slot) else { return };
    if let Err(refusal) = receiver.receive(network, stranger) {
        let body = if let Refusal::Broken(_) = refusal { None } else { stranger.take() };
        let body = body.and_then(|AnyBody(body)| body.downcast::<B>().ok()).map(|body| *body);
        network.refused(Message { header, way }, refusal, body);
    }
}

impl<B: Body> AnyPort for Port<B> {
    #[inline]
    fn arrive(&self, network: &Network, port: u16, slot: u32) {
        match self.flights.arrival(slot) {
            Some(arrival) if arrival.header().fate == Fate::Arrives => self.hand_over(network, arrival),
            Some(_) => self.arrive_knowingly(network, port, slot),
            None => {}
        }
    }

    #[inline]
    fn fetch(&self, network: &Network, slot: u32, to: ServiceId) {
        self.flights.fetch(slot);
        if let Some(receiver) = self.receivers.borrow().get(to) {
            receiver.fetch();
        }
        network.tallies.fetch(to);
    }

    fn with(&self, slot: u32, look: &mut dyn FnMut(&mut Message)) {
        self.flights.with(slot, look);
    }

    fn header(&self, slot: u32) -> Option<Header> {
        self.flights.arrival(slot).map(Arrival::header)
    }

    fn duplicate(&self, slot: u32) -> Option<u32> {
        self.flights.duplicate(slot)
    }

    fn discard(&self, slot: u32) {
        let Some(arrival) = self.flights.arrival(slot) else { return };
        drop((arrival.take_way(), arrival.take()));
    }

    fn unplug(&self, service: ServiceId) {
        let receiver = self.receivers.borrow_mut().take(service);
        drop(receiver);
    }

    fn close(&self) {
        let receivers = self.receivers.take();
        drop(receivers);
    }

    fn each(&self, look: &mut dyn FnMut(u32, &mut Message)) {
        self.flights.each(look);
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
        let last = self.all.get(self.last.get()).and_then(|port| (port as &dyn Any).downcast_ref());
        let port: &Port<B> = last.unwrap_or_else(|| self.turn_to());
        (port.index, port.board(header, body))
    }

    /// The message is of another type than the last one.
    #[inline(never)]
    fn turn_to<B: Body>(&self) -> &Port<B> {
        let port = self.of::<B>();
        self.last.set(usize::from(port.index));
        port
    }

    #[inline(never)]
    fn add<B: Body>(&self) -> &Port<B> {
        let (flights, receivers) = (Flights::new(type_name::<B>), RefCell::default());
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
