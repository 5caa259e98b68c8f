//! How raw messages find their way: from stop to stop, and back if they cannot be delivered.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::book::{Owner, Stop};
use super::{Address, MachineId, NotDelivered, Returned, RouterActor, Why};
use crate::context::ServiceCell;
use crate::interfaces::baggage::Baggage;
use crate::interfaces::raw::{MSG_NOT_DELIVERED, Msg, MsgId, RawMessage, Stamp};
use crate::network::header::{ANY_INCARNATION, Header};
use crate::network::ports::{Arrival, Receiver, Refusal};
use crate::network::waits::WaitKey;
use crate::network::{Envelope, Network, size_of};
use crate::outcome::{Interface, Undelivered};
use crate::trace::ServiceId;

/// How many inter-machine routers may send a message on before it is taken to go round in circles.
pub const HOP_LIMIT: u8 = 16;

/// Where raw messages come in to a router: those to be sent on go to its actor, the others nowhere.
pub(super) struct Gate {
    actor: Rc<ServiceCell<RouterActor>>,
}

impl Gate {
    pub(super) fn new(actor: Rc<ServiceCell<RouterActor>>) -> Self {
        Gate { actor }
    }
}

impl Receiver<RawMessage> for Gate {
    fn receive(&self, network: &Network, arrival: Arrival<'_, RawMessage>) -> Result<(), Refusal> {
        let here = network.machine_of(arrival.header().to);
        let why = arrival.look(|raw| why_not(network, here, raw)).ok_or(Refusal::Gone)?;
        match why {
            None => self.actor.receive(network, arrival),
            Some(why) => Err(Refusal::Other(Box::new(why))),
        }
    }
}

/// Why a router does not send a message on, if it does not.
fn why_not(network: &Network, here: MachineId, raw: &RawMessage) -> Option<Undelivered> {
    let ends_here = raw.via.iter().all(|via| *via == Address::local_inter_machine_router(here))
        && raw.msg.to.machine == here
        && network.book.borrow().owner_of(raw.msg.to).is_none();
    // What was not sent here to be sent on was sent because nobody had the address.
    if raw.hops == 0 || ends_here {
        Some(Undelivered::UnknownAddress { address: raw.msg.to.to_string() })
    } else if raw.hops > HOP_LIMIT {
        Some(Undelivered::TooManyHops { to: raw.msg.to.to_string() })
    } else {
        None
    }
}

impl Network {
    pub(super) fn machine_of(&self, seat: ServiceId) -> MachineId {
        self.positions.node_of(seat).into()
    }

    /// The main connection of a service's present incarnation, which it has from now on. To be called
    /// when a life begins.
    pub(crate) fn open_main_connection(&self, service: ServiceId) -> Address {
        let owner = Owner { service, incarnation: self.incarnation(service) };
        self.book.borrow_mut().open_main(owner)
    }

    /// Another connection for a service.
    pub(crate) fn open_connection(&self, service: ServiceId) -> Address {
        let owner = Owner { service, incarnation: self.incarnation(service) };
        self.book.borrow_mut().open(owner)
    }

    /// Closes every connection of a service. To be called when a life ends.
    pub(crate) fn close_connections(&self, service: ServiceId) {
        self.book.borrow_mut().close_all(service);
    }

    /// Sends a message from the service that wrote it. An error is told at once, and is its outcome.
    pub(crate) fn post(&self, by: ServiceId, mut raw: RawMessage) -> Result<(), Undelivered> {
        let interface = raw.msg.stamp.interface;
        let stop = self.next_stop(by, &mut raw).map_err(|why| self.fail_at_once(interface, by, raw.wait, why))?;
        if let Stop::Forwarder(_) = stop {
            let owner = self.book.borrow().owner_of(raw.msg.to).map(|owner| owner.service);
            self.may_reach(by, owner, &raw).map_err(|why| self.fail_at_once(interface, by, raw.wait, why))?;
            if raw.wait.is_none() {
                // Several hops, and one outcome: when it is taken, or has failed to be.
                raw.wait = self.open_forgotten_wait(by, owner, interface);
                raw.tracked = true;
            }
        }
        self.launch(by, stop, raw)
    }

    /// Whether there is the application link that a message needs which goes another way.
    fn may_reach(&self, by: ServiceId, owner: Option<ServiceId>, raw: &RawMessage) -> Result<(), Undelivered> {
        let Some(to) = owner else { return Ok(()) };
        let (interface, is_answer) = (raw.msg.stamp.interface, raw.wait.is_answer());
        if self.positions.may_speak(by, to, interface, is_answer) {
            return Ok(());
        }
        Err(Undelivered::NotANeighbour { from: self.name_of(by), to: self.name_of(to) })
    }

    /// A router sends a message on. If it cannot, it says so to the one who wrote it.
    pub(super) fn forward(&self, router: ServiceId, mut raw: RawMessage) {
        let reachable = self.next_stop(router, &mut raw).and_then(|stop| {
            let to = stop.seat();
            let unreachable = || Undelivered::NoRoute { to: self.name_of(to) };
            self.reaches(router, to).then_some(stop).ok_or_else(unreachable)
        });
        match reachable {
            // That it could not set out is booked.
            Ok(stop) => drop(self.launch(router, stop, raw)),
            Err(why) => self.return_to_sender(router, &raw, why),
        }
    }

    fn next_stop(&self, by: ServiceId, raw: &mut RawMessage) -> Result<Stop, Undelivered> {
        let here = self.machine_of(by);
        let stop = self.book.borrow().next_stop(here, raw.msg.to, &mut raw.via);
        stop.map_err(|address| Undelivered::UnknownAddress { address: address.to_string() })
    }

    fn launch(&self, by: ServiceId, stop: Stop, mut raw: RawMessage) -> Result<(), Undelivered> {
        let to = stop.seat();
        let incarnation = match stop {
            Stop::Owner(owner) => owner.incarnation,
            Stop::Nobody(_) => ANY_INCARNATION,
            Stop::Forwarder(_) => {
                raw.hops = raw.hops.saturating_add(1);
                ANY_INCARNATION
            }
        };
        // JSON always has a size.
        let bytes = size_of(&|| raw.msg.to.to_string(), &raw).unwrap_or_default();
        let (interface, wait) = (raw.msg.stamp.interface, raw.wait);
        self.send(Envelope { from: by, to, interface, wait, bytes, incarnation }, raw)
    }

    /// A message reached a machine, and nobody there takes it.
    #[cold]
    pub(crate) fn raw_refused(&self, header: &Header, why: Undelivered, raw: &RawMessage) {
        if header.wait.is_none() && header.interface != Interface::Control {
            self.end_unawaited(header.interface, header.from, Some(header.to), header.sent_at, &why);
        }
        self.return_to_sender(header.to, raw, why);
    }

    /// Tells the one who wrote a message that it was not delivered. Nobody is told so of an answer, or
    /// of what a router says.
    fn return_to_sender(&self, by: ServiceId, raw: &RawMessage, why: Undelivered) {
        let RawMessage { msg, wait, .. } = raw;
        if wait.is_answer() {
            return;
        }
        let sender = msg.stamp.sender;
        if !msg.stamp.request.is_none() {
            return self.notify(by, sender, NotDelivered { wait: *wait, why: Why::Undelivered(why) });
        }
        let (from, to) = {
            let seats = self.seats.borrow();
            (seats.router_of(by), seats.router_of(sender))
        };
        let (interface, request, baggage) = (Interface::Control, WaitKey::NONE, Baggage::NONE);
        let stamp = Stamp { sender: from, standing: None, interface, request, baggage };
        let told = Msg {
            to: msg.from,
            from: Address::local_inter_machine_router(self.machine_of(by)),
            subject: MSG_NOT_DELIVERED.to_owned(),
            contents: msg.to.to_string().into(),
            id: MsgId(self.book.borrow_mut().next_message()),
            reply_id: Some(msg.id),
            meta: BTreeMap::new(),
            stamp,
        };
        let returned = Returned { msg: told, wait: *wait, why };
        let bytes = size_of(&|| self.name_of(to), &returned).unwrap_or_default();
        // That it could not set out is booked.
        let _ = self.send(Envelope::to_name(from, to, Interface::Control, *wait, bytes), returned);
    }

    /// The sender's router tells its connection that a message was not delivered.
    pub(super) fn hand_back(&self, router: ServiceId, msg: Msg) {
        let owner = self.book.borrow().owner_of(msg.to);
        if let Some(owner) = owner {
            let wait = WaitKey::ANSWER;
            let raw = RawMessage { msg, wait, answers: None, tracked: false, via: Vec::new(), hops: 0 };
            // It does not leave the machine.
            let _ = self.launch(router, Stop::Owner(owner), raw);
        }
    }
}
