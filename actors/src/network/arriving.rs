//! Arriving: a message is taken, or refused and its sender told.

use std::any::Any;

use crate::interfaces::raw::RawMessage;
use crate::network::ledger::Passage;
use crate::network::ports::{ANY_INCARNATION, Body, Header, Refusal};
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
    pub(crate) fn book_delivery(&self, header: &Header, body_type: fn() -> &'static str) {
        // What stands here is done for every message there is, and what it writes is what it costs.
        let unawaited = header.wait.is_none();
        let plain = match header.interface {
            Interface::Control => false,
            Interface::Mpi => unawaited && !header.duplicate,
            _ => !header.duplicate,
        };
        let taken = unawaited && header.interface.is_message();
        if plain && self.ledger.borrow_mut().noted_delivery(self.now(), header, taken) {
            self.tallies.count_received(header.to);
            self.acting.set(header.to);
        } else {
            self.book_any_delivery(header, body_type);
        }
    }

    #[inline(never)]
    fn book_any_delivery(&self, header: &Header, body_type: fn() -> &'static str) {
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

    /// A message reached its node, and nobody there takes it: the node's router says so to the
    /// sender's, over the network.
    #[cold]
    pub(super) fn refused<B: Body>(&self, header: &Header, refusal: Refusal, body: &mut Option<B>) {
        let may_wait = refusal == Refusal::Gone && header.incarnation == ANY_INCARNATION;
        if may_wait && self.kept.borrow_mut().keep(header, body) {
            return;
        }
        let raw = (body as &mut dyn Any).downcast_mut::<Option<RawMessage>>().and_then(Option::take);
        self.drop_what_is_left(header.from, body.take());
        if header.duplicate {
            return;
        }
        self.ledger.borrow_mut().undelivered += 1;
        let to = self.name_of(header.to);
        let why = match refusal {
            Refusal::Gone => Undelivered::ConnectionGone { to },
            Refusal::InboxFull => Undelivered::InboxFull { to },
            Refusal::NotUnderstood => Undelivered::NotUnderstood { to },
            Refusal::Other(why) => *why,
        };
        if let Some(raw) = raw {
            return self.raw_refused(header, why, &raw);
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
    pub(super) fn has_moved(&self, header: &Header) -> bool {
        let Some(leg) = header.legs().last() else { return false };
        let came_to = self.topology(|topology| topology.ends(LinkId(leg.link)).1);
        self.seats.borrow().node_of(header.to) != came_to
    }
}
