//! Messages that must know their way: over noisy links, through queues, in networks that change.
//!
//! A message sets out on the route that is best when it is sent, and stays on it. With route costs
//! the whole journey is worked out then; with queues, link by link as it gets there. When a node or
//! link goes down, every message that has yet to pass it is lost.

use std::collections::BTreeMap;

use crate::changes::{Change, apply, describe};
use crate::network::header::{Fate, Header, Leg, Message, NO_SLOT, Way};
use crate::network::ports::AnyPort;
use crate::network::{Event, NOBODY, Network, World};
use crate::panics::catch;
use crate::routes::transmission_time;
use crate::rules::LinkModel;
use crate::topology::{LinkId, NodeId, Topology};
use crate::trace::{LossCause, ServiceId};
use crate::units::Bytes;

const LATER: u64 = u64::MAX;

/// A journey that was worked out in advance.
struct Journey {
    legs: Vec<Leg>,
    /// When it ends: at the target, or where the message is lost.
    ends: u64,
    lost: bool,
    /// The leg at whose end a second copy was made.
    doubled: Option<usize>,
}

impl World {
    /// Works out the rest of a journey that begins with leg `first` at `at`. At most one copy is
    /// made of a message.
    fn travel(&mut self, path: &[LinkId], first: usize, at: u64, bytes: u64, may_double: bool) -> Journey {
        let mut journey =
            Journey { legs: Vec::with_capacity(path.len() - first), ends: at, lost: false, doubled: None };
        let mut at = at;
        for (i, link) in path.iter().enumerate().skip(first) {
            let (node, _) = self.topology.ends(*link);
            let enters = at.saturating_add(self.topology.node(node).processing.as_nanos());
            let values = self.topology.link(*link);
            let cost = transmission_time(Bytes(bytes), values.bandwidth) + values.latency;
            let noise = self.links.draw(&self.topology, *link);
            at = enters.saturating_add(cost.as_nanos()).saturating_add(noise.jitter);
            journey.legs.push(Leg { link: link.0, enters, leaves: at });
            journey.ends = at;
            if noise.lost {
                journey.lost = true;
                return journey;
            }
            if noise.doubled && may_double && journey.doubled.is_none() {
                journey.doubled = Some(i);
            }
        }
        if let Some(last) = path.last() {
            let (_, target) = self.topology.ends(*last);
            journey.ends = at.saturating_add(self.topology.node(target).processing.as_nanos());
        }
        journey
    }

    /// Empties the queues that a change has cut off: all that was in them is lost.
    fn empty_queues(&mut self, change: &Change) {
        let World { topology, links, .. } = self;
        match change {
            Change::LinkDown(link) => links.empty_queue(*link),
            Change::NodeDown(node) | Change::NodeCrash(node) => {
                topology.links_from(*node).for_each(|(link, _, _)| links.empty_queue(link));
                topology.links_to(*node).for_each(|link| links.empty_queue(link));
            }
            _ => {
                let down = topology.links().filter(|(link, ..)| !topology.is_link_up(*link));
                down.for_each(|(link, ..)| links.empty_queue(link));
            }
        }
    }
}

impl Network {
    /// Takes a message that is lost away. What its body does when it is dropped must not end the run.
    fn discard(&self, port: &dyn AnyPort, slot: u32) {
        let from = port.header(slot).map(|header| header.from);
        self.body_code(from, || port.discard(slot));
    }

    /// Makes a second copy of a message; none if its body cannot be copied.
    fn copy(&self, port: &dyn AnyPort, slot: u32) -> Option<u32> {
        let from = port.header(slot).map(|header| header.from);
        self.body_code(from, || port.duplicate(slot)).flatten()
    }

    /// Runs what a body brings with it; a panic is noted as its sender's.
    fn body_code<R>(&self, sender: Option<ServiceId>, code: impl FnOnce() -> R) -> Option<R> {
        match (catch(code), sender) {
            (Ok(result), _) => Some(result),
            (Err(caught), Some(sender)) => {
                self.ledger.borrow_mut().panicked(self.now(), sender, caught);
                None
            }
            (Err(_), None) => None,
        }
    }

    /// Takes every message away that is still in flight.
    pub(super) fn discard_all(&self) {
        // None is taken away before it has its price.
        self.price_all();
        for port in self.ports.all() {
            let mut slots = Vec::new();
            port.each(&mut |slot, _| slots.push(slot));
            slots.into_iter().for_each(|slot| self.discard(port, slot));
        }
    }

    fn at(&self, time: u64, port: u16, slot: u32) {
        self.calendar.borrow_mut().push(time, Event { slot, port, to: NOBODY });
    }

    /// Sends a message that has boarded its port on its way.
    pub(super) fn set_out(&self, port: &dyn AnyPort, index: u16, slot: u32, path: &[LinkId]) {
        let world = self.world.borrow();
        match world.model {
            LinkModel::RouteCost => {
                drop(world);
                self.set_out_by_cost(port, index, slot, path);
            }
            LinkModel::Queued => {
                let now = self.now.get();
                let first = path.first().map_or(0, |link| {
                    let (node, _) = world.topology.ends(*link);
                    world.topology.node(node).processing.as_nanos()
                });
                let legs: Box<[Leg]> =
                    path.iter().map(|link| Leg { link: link.0, enters: LATER, leaves: LATER }).collect();
                drop(world);
                let mut way = Some(Way { legs, leg: 0, twin: NO_SLOT, due: LATER });
                port.with(slot, &mut |message| {
                    if let Some(way) = way.take() {
                        message.set_way(way);
                    }
                    let header = message.header;
                    if !header.unordered {
                        self.in_sequence.borrow_mut().sent(header.from, header.to, (index, slot));
                    }
                });
                self.at(now.saturating_add(first), index, slot);
            }
        }
    }

    fn set_out_by_cost(&self, port: &dyn AnyPort, index: u16, slot: u32, path: &[LinkId]) {
        let now = self.now.get();
        let bytes = port.header(slot).map_or(0, |header| header.bytes);
        let journey = self.world.borrow_mut().travel(path, 0, now, bytes, true);
        let doubled = journey.doubled.map(|leg| (leg, journey.legs[leg].leaves, journey.legs[..=leg].to_vec()));
        self.embark(port, index, slot, journey);
        let Some((leg, leaves, mut legs)) = doubled else {
            return;
        };
        let Some(copy) = self.copy(port, slot) else {
            return;
        };
        let mut rest = self.world.borrow_mut().travel(path, leg + 1, leaves, bytes, false);
        legs.append(&mut rest.legs);
        self.embark(port, index, copy, Journey { legs, ..rest });
    }

    /// Puts a journey into the calendar.
    fn embark(&self, port: &dyn AnyPort, index: u16, slot: u32, journey: Journey) {
        let Journey { legs, ends, lost, .. } = journey;
        let mut legs = Some(legs.into_boxed_slice());
        let mut due = ends;
        port.with(slot, &mut |message| {
            message.header.arrives = ends;
            message.header.fate = if lost { Fate::Doomed } else { Fate::Moves };
            let Header { from, to, unordered, .. } = message.header;
            if !lost && !unordered {
                due = self.due(from, to, ends);
            }
            if let Some(legs) = legs.take() {
                let twin = message.twin().unwrap_or(NO_SLOT);
                message.set_way(Way { legs, leg: 0, twin, due });
            }
        });
        self.at(due, index, slot);
    }

    /// The next event of a message that knows its way. True if it has arrived and may be delivered.
    pub(super) fn arrives_for_good(&self, port: &dyn AnyPort, index: u16, slot: u32) -> bool {
        let queued = self.world.borrow().model == LinkModel::Queued;
        let mut next = Next::Nothing;
        port.with(slot, &mut |message| {
            let (legs, leg) = (message.legs(), message.way.as_ref().map_or(0, |way| way.leg as usize));
            next = match message.header.fate {
                Fate::Gone => Next::Discard,
                Fate::Doomed => Next::Lose,
                Fate::Moves if queued && leg < legs.len() => {
                    Next::Enter { link: LinkId(legs[leg].link), bytes: message.header.bytes }
                }
                Fate::Arrives | Fate::Moves | Fate::Waits | Fate::Called => Next::Arrive,
            };
        });
        match next {
            Next::Nothing => false,
            Next::Discard => {
                self.discard(port, slot);
                false
            }
            Next::Lose => {
                self.lose(port, index, slot, LossCause::Link);
                self.discard(port, slot);
                false
            }
            Next::Enter { link, bytes } => {
                self.enter(port, index, slot, link, bytes);
                false
            }
            Next::Arrive => self.arrive_in_turn(port, index, slot, queued),
        }
    }

    /// A message comes to a link: it queues, or finds no room.
    fn enter(&self, port: &dyn AnyPort, index: u16, slot: u32, link: LinkId, bytes: u64) {
        let now = self.now.get();
        let mut world = self.world.borrow_mut();
        let World { topology, links, .. } = &mut *world;
        let Some((begins, sent)) = links.enter(topology, link, now, bytes) else {
            drop(world);
            self.lose(port, index, slot, LossCause::QueueFull);
            self.discard(port, slot);
            return;
        };
        let noise = links.draw(topology, link);
        let latency = topology.link(link).latency.as_nanos();
        let leaves = sent.saturating_add(latency).saturating_add(noise.jitter);
        let (_, node) = topology.ends(link);
        let next = if noise.lost { leaves } else { leaves.saturating_add(topology.node(node).processing.as_nanos()) };
        drop(world);
        let mut pair = None;
        port.with(slot, &mut |message| {
            if let Some(way) = message.way.as_deref_mut() {
                if let Some(leg) = way.legs.get_mut(way.leg as usize) {
                    (leg.enters, leg.leaves) = (begins, leaves);
                }
                way.leg += 1;
            }
            if noise.lost {
                message.header.fate = Fate::Doomed;
            }
            // One copy at most, and none of a copy.
            let header = message.header;
            if noise.doubled && !noise.lost && message.twin().is_none() && !header.duplicate {
                pair = Some((header.from, header.to, header.unordered));
            }
        });
        self.at(next, index, slot);
        let Some((from, to, unordered)) = pair else {
            return;
        };
        let Some(copy) = self.copy(port, slot) else {
            return;
        };
        if !unordered {
            self.in_sequence.borrow_mut().doubled(from, to, (index, slot), (index, copy));
        }
        self.at(next, index, copy);
    }

    /// A message has reached its target: it may be delivered if nothing sent before it is to come.
    fn arrive_in_turn(&self, port: &dyn AnyPort, index: u16, slot: u32, queued: bool) -> bool {
        let now = self.now.get();
        let mut may = true;
        let mut released = None;
        let mut twin = None;
        port.with(slot, &mut |message| {
            let twin_of = message.twin();
            let Message { header, way } = message;
            if queued && header.fate == Fate::Moves {
                header.arrives = now;
            }
            if queued && !header.unordered && way.is_some() {
                let mut order = self.in_sequence.borrow_mut();
                if !order.is_first(header.from, header.to, (index, slot)) {
                    header.fate = Fate::Waits;
                    may = false;
                    return;
                }
                released = order.done(header.from, header.to, (index, slot));
            }
            // The one that is delivered second is the copy, whichever was made of which.
            twin = twin_of;
            header.duplicate &= twin.is_none();
        });
        if let Some(twin) = twin {
            port.with(twin, &mut |message| {
                message.header.duplicate = true;
                message.set_twin(NO_SLOT);
            });
        }
        self.release(released);
        may
    }

    /// Lets a message that waited for its turn be delivered in this instant.
    fn release(&self, first: Option<(u16, u32)>) {
        let Some((index, slot)) = first else { return };
        let Some(port) = self.ports.at(index) else { return };
        let mut waits = false;
        port.with(slot, &mut |Message { header, .. }| {
            waits = header.fate == Fate::Waits;
            if waits {
                header.fate = Fate::Called;
            }
        });
        if waits {
            self.price_all();
            self.at(self.now.get(), index, slot);
        }
    }

    /// Closes the books on a message that is lost. Its slot stays for whoever frees it.
    fn lose(&self, port: &dyn AnyPort, index: u16, slot: u32, cause: LossCause) {
        let mut twin = None;
        let mut lost: Option<Header> = None;
        port.with(slot, &mut |message| {
            twin = message.twin();
            message.set_twin(NO_SLOT);
            message.header.fate = Fate::Gone;
            // What is left of the two is the message, and what is lost the copy.
            message.header.duplicate |= twin.is_some();
            lost = Some(message.header);
        });
        let Some(header) = lost else { return };
        if let Some(twin) = twin {
            port.with(twin, &mut |message| {
                message.header.duplicate = false;
                message.set_twin(NO_SLOT);
            });
        }
        let released = self.in_sequence.borrow_mut().done(header.from, header.to, (index, slot));
        self.release(released);
        let passage = self.passage(&header, port.body_type());
        self.ledger.borrow_mut().lost(self.now(), &passage, cause);
        if header.duplicate {
            return;
        }
        if header.wait.is_none() {
            if header.interface.is_message() {
                self.ledger.borrow_mut().never_heard_of(self.now(), &passage);
            }
        } else {
            self.nobody_will_tell(header.wait);
        }
    }

    /// Carries out a change of the network; whatever it cuts off is lost, whomever it strikes dies or
    /// comes back.
    pub(super) fn change(&self, change: &Change) {
        self.price_all();
        let (matters, what) = {
            let world = &mut *self.world.borrow_mut();
            let matters = apply(&mut world.topology, change);
            if matters {
                world.routes.clear();
            }
            (matters, describe(&world.topology, &self.ledger.borrow().names.services, change))
        };
        self.ledger.borrow_mut().changed(self.now(), change.kind(), &what);
        if matters && change.cuts() {
            self.lose_what_is_cut_off();
            self.world.borrow_mut().empty_queues(change);
        }
        self.strike(change);
    }

    fn lose_what_is_cut_off(&self) {
        let now = self.now.get();
        let mut bereft = BTreeMap::new();
        for (index, port) in self.ports.all().enumerate() {
            let mut hit = Vec::new();
            {
                let world = self.world.borrow();
                port.each(&mut |slot, message| {
                    let header = message.header;
                    if header.fate == Fate::Gone {
                        return;
                    }
                    if is_cut_off(&world.topology, message, self.positions.node_of(header.to), now) {
                        hit.push(slot);
                        bereft.insert((header.from, header.to), 0);
                    }
                });
            }
            for slot in hit {
                // Losing those before it may have called it by now.
                let waits = port.header(slot).is_some_and(|header| header.fate == Fate::Waits);
                self.lose(port, index as u16, slot, LossCause::Cut);
                // Nothing else will come for a message that only waited for its turn. The slot of
                // any other is freed by its next event.
                if waits {
                    self.discard(port, slot);
                }
            }
        }
        self.forget_the_lost(bereft);
    }

    /// With route costs, nothing that is sent from now on is held back behind a message that was lost,
    /// but only behind the last one that is still on its way. What has been held back already stays so.
    fn forget_the_lost(&self, mut last_due: BTreeMap<(ServiceId, ServiceId), u64>) {
        for port in self.ports.all() {
            port.each(&mut |_, Message { header, way }| {
                if header.fate == Fate::Moves
                    && !header.unordered
                    && let Some(way) = way
                    && let Some(last) = last_due.get_mut(&(header.from, header.to))
                {
                    *last = way.due.max(*last);
                }
            });
        }
        let mut seats = self.seats.borrow_mut();
        for ((from, to), due) in last_due {
            seats.set_last_due(from, to, due);
        }
    }
}

/// What the next event of a message is.
enum Next {
    Nothing,
    Discard,
    Lose,
    Enter { link: LinkId, bytes: u64 },
    Arrive,
}

/// Whether something that a message has yet to pass is down.
fn is_cut_off(topology: &Topology, message: &Message, target: NodeId, now: u64) -> bool {
    if !topology.is_node_up(target) {
        return true;
    }
    message.legs().iter().any(|leg| {
        let link = LinkId(leg.link);
        let (node, _) = topology.ends(link);
        (leg.leaves > now && !topology.is_link_up(link)) || (leg.enters > now && !topology.is_node_up(node))
    })
}
