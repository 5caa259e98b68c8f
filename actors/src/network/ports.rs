//! Messages on their way, and who takes them when they arrive.
//!
//! Each type of body has a [`Port`]: a slab of the messages of that type that are in flight, and a
//! table of who receives them. An event in the calendar is a port and a slot, eight bytes; sending
//! and delivering move the body into the slab and out of it, without an allocation of its own.

use std::any::{Any, TypeId, type_name};
use std::cell::RefCell;
use std::rc::Rc;

use serde::Serialize;
use slab::Slab;

use crate::network::Network;
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

/// A message to a name: whoever bears it takes it.
pub(crate) const ANY_INCARNATION: u32 = 0;

impl Header {
    /// The links on its way; none if nobody had to know.
    pub(crate) fn legs(&self) -> &[Leg] {
        self.way.as_ref().map_or(&[], |way| &way.legs)
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

struct Flight<B> {
    header: Header,
    body: B,
}

/// A port, whatever its bodies are.
pub(crate) trait AnyPort: Any {
    /// The next event of a message has come.
    fn arrive(&self, network: &Network, port: u16, slot: u32);
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
    flights: RefCell<Slab<Flight<B>>>,
    receivers: RefCell<Table<Rc<dyn Receiver<B>>>>,
}

impl<B: Body> Port<B> {
    /// Takes a message in.
    #[inline]
    pub(crate) fn board(&self, header: Header, body: B) -> u32 {
        self.flights.borrow_mut().insert(Flight { header, body }) as u32
    }

    pub(crate) fn set_receiver(&self, service: ServiceId, receiver: Rc<dyn Receiver<B>>) {
        let before = self.receivers.borrow_mut().put(service, receiver);
        drop(before);
    }

    pub(crate) fn has_receiver(&self, service: ServiceId) -> bool {
        self.receivers.borrow().get(service).is_some()
    }

    /// Hands a message over to its receiver, or to whoever takes everything there.
    #[inline]
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
        let Some(flight) = flights.get_mut(slot as usize) else {
            return;
        };
        let header = &mut flight.header;
        // The plain case: one event a message, and this is it.
        if header.fate == Fate::Moves && header.way.is_none() {
            let Flight { header, body } = flights.remove(slot as usize);
            drop(flights);
            return self.hand_over(network, &header, body);
        }
        drop(flights);
        if network.arrives_for_good(self, port, slot) {
            let flight = self.flights.borrow_mut().try_remove(slot as usize);
            if let Some(Flight { header, body }) = flight {
                self.hand_over(network, &header, body);
            }
        }
    }

    fn with_header(&self, slot: u32, look: &mut dyn FnMut(&mut Header)) {
        if let Some(flight) = self.flights.borrow_mut().get_mut(slot as usize) {
            look(&mut flight.header);
        }
    }

    fn duplicate(&self, slot: u32) -> Option<u32> {
        let mut flights = self.flights.borrow_mut();
        let original = flights.get_mut(slot as usize)?;
        let mut header = original.header.clone();
        header.duplicate = true;
        header.set_twin(slot);
        let body = original.body.clone();
        let copy = flights.insert(Flight { header, body }) as u32;
        if let Some(original) = flights.get_mut(slot as usize) {
            original.header.set_twin(copy);
        }
        Some(copy)
    }

    fn discard(&self, slot: u32) {
        let flight = self.flights.borrow_mut().try_remove(slot as usize);
        drop(flight);
    }

    fn unplug(&self, service: ServiceId) {
        let receiver = self.receivers.borrow_mut().take(service);
        drop(receiver);
    }

    fn each(&self, look: &mut dyn FnMut(u32, &mut Header)) {
        for (slot, flight) in self.flights.borrow_mut().iter_mut() {
            look(slot as u32, &mut flight.header);
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
    /// The same ports as `Rc<Port<B>>` by the type of `B`, the one used last in front.
    by_type: Vec<(TypeId, Rc<dyn Any>)>,
}

impl Ports {
    /// The port of a type; made when it is first asked for.
    #[inline]
    pub(crate) fn of<B: Body>(&mut self) -> Rc<Port<B>> {
        for at in 0..self.by_type.len() {
            let (body, port) = &self.by_type[at];
            if *body == TypeId::of::<B>()
                && let Ok(port) = port.clone().downcast::<Port<B>>()
            {
                self.by_type.swap(0, at);
                return port;
            }
        }
        self.add()
    }

    fn add<B: Body>(&mut self) -> Rc<Port<B>> {
        let port = Rc::new(Port::<B> {
            index: self.by_index.len() as u16,
            flights: RefCell::new(Slab::new()),
            receivers: RefCell::default(),
        });
        self.by_index.push(port.clone());
        self.by_type.push((TypeId::of::<B>(), port.clone()));
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
