//! Arriving: a message is taken, or refused and its sender told.

use std::any::Any;
use std::cell::Cell;

use crate::interfaces::raw::RawMessage;
use crate::network::header::{ANY_INCARNATION, Header, Message, Way};
use crate::network::ledger::Passage;
use crate::network::ports::{Arrival, Body, Refusal};
use crate::network::waits::Answer;
use crate::network::{Envelope, Network};
use crate::outcome::{Interface, Undelivered};
use crate::router::{NotDelivered, Why};
use crate::topology::LinkId;
use crate::trace::ServiceId;
use crate::units::{Bytes, SimDuration, SimTime};

impl Network {
    pub(super) fn passage(&self, header: &Header, body_type: &'static str) -> Passage {
        Passage {
            from: header.from,
            to: header.to,
            interface: header.interface,
            sent_at: SimTime::from_nanos(header.sent_at),
            bytes: Bytes(header.bytes),
            held_back: SimDuration::from_nanos(header.held_back(self.now.get())),
            duplicate: header.duplicate,
            body_type,
        }
    }

    /// Books a delivery that is about to happen, and tells whoever awaits it.
    #[inline(always)]
    pub(crate) fn book_delivery(&self, header: &Cell<Header>, body_type: fn() -> &'static str) {
        // What stands here is done for every message there is, and what it writes is what it costs.
        let Header { to, wait, interface, duplicate, .. } = header.get();
        let unawaited = wait.is_none();
        let plain = match interface {
            Interface::Control => false,
            Interface::Mpi => unawaited && !duplicate,
            _ => !duplicate,
        };
        let taken = unawaited && interface.is_message();
        if plain && self.ledger.borrow_mut().noted_delivery(self.now(), header, taken) {
            self.tallies.count_received(to);
            self.acting.set(to);
        } else {
            self.book_any_delivery(header, body_type);
        }
    }

    #[inline(never)]
    fn book_any_delivery(&self, header: &Cell<Header>, body_type: fn() -> &'static str) {
        let header = &header.get();
        let now = self.now();
        let first = !header.duplicate;
        let unawaited = header.wait.is_none();
        // An awaited raw message waits for its answer, not for its delivery.
        let acked = first && header.interface.is_message() && (unawaited || header.interface == Interface::Mpi);
        {
            let mut ledger = self.ledger.borrow_mut();
            ledger.delivered(now, header, acked && unawaited);
            if ledger.is_told() {
                ledger.tell_delivery(now, &self.passage(header, body_type()), acked && unawaited);
            }
        }
        if header.interface != Interface::Control {
            self.tallies.count_received(header.to);
        }
        if acked && !unawaited {
            self.settle(header.wait, Answer::Delivered);
        }
        self.acting.set(header.to);
    }

    /// A message was not taken by its receiver.
    #[cold]
    pub(super) fn turned_away<B: Body>(&self, arrival: Arrival<'_, B>, refusal: Refusal) {
        if let Refusal::Broken(header) = &refusal {
            // By now its place may be somebody else's.
            return self.refused::<B>(Message { header: **header, way: None }, refusal, None);
        }
        let message = Message { header: arrival.header(), way: arrival.take_way() };
        self.refused(message, refusal, arrival.take());
    }

    /// A message reached its node, and nobody there takes it: the node's router says so to the
    /// sender's, over the network.
    #[cold]
    pub(super) fn refused<B: Body>(&self, mut message: Message, refusal: Refusal, mut body: Option<B>) {
        let header = message.header;
        let may_wait = matches!(refusal, Refusal::Gone) && header.incarnation == ANY_INCARNATION;
        if may_wait && self.kept.borrow_mut().keep(&mut message, &mut body) {
            return;
        }
        let raw = (&mut body as &mut dyn Any).downcast_mut::<Option<RawMessage>>().and_then(Option::take);
        self.drop_what_is_left(header.from, body);
        if header.duplicate {
            return;
        }
        self.ledger.borrow_mut().undelivered += 1;
        let to = self.name_of(header.to);
        let why = match refusal {
            Refusal::Gone | Refusal::Broken(_) => Undelivered::ConnectionGone { to },
            Refusal::InboxFull => Undelivered::InboxFull { to },
            Refusal::NotUnderstood => Undelivered::NotUnderstood { to },
            Refusal::Other(why) => *why,
        };
        if let Some(raw) = raw {
            return self.raw_refused(&header, why, &raw);
        }
        if header.interface == Interface::Control || header.wait.is_answer() {
            self.nobody_will_tell(header.wait);
            return;
        }
        if header.wait.is_none() {
            if header.interface.is_message() {
                self.end_unawaited(header.interface, header.from, Some(header.to), header.sent_at, &why);
            }
            return;
        }
        self.notify(header.to, header.from, NotDelivered { wait: header.wait, why: Why::Undelivered(why) });
    }

    /// The router at one service's node tells the router at another's what became of a request.
    #[cold]
    pub(crate) fn notify(&self, by: ServiceId, to: ServiceId, notice: NotDelivered) {
        let (from, to) = {
            let seats = self.seats.borrow();
            (seats.router_of(by), seats.router_of(to))
        };
        // If the notice is lost, nobody will tell.
        let envelope = Envelope::to_name(from, to, Interface::Control, notice.wait, notice.size());
        // That it could not set out is booked.
        let _ = self.send(envelope, notice);
    }

    /// Whether a message's receiver stands somewhere else than where the message has come to.
    #[cold]
    pub(super) fn has_moved(&self, header: &Header, way: &Way) -> bool {
        let Some(leg) = way.legs.last() else { return false };
        let came_to = self.topology(|topology| topology.ends(LinkId(leg.link)).1);
        self.positions.node_of(header.to) != came_to
    }
}
