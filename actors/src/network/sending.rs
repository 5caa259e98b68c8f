//! Sending: a message is priced and set on its way, or its sender is told at once.

use crate::network::header::{ANY_INCARNATION, Fate, Header, WHEN_DUE};
use crate::network::ledger::Ended;
use crate::network::ports::Body;
use crate::network::positions::Between;
use crate::network::pricing::Unpriced;
use crate::network::waits::{Answer, Course, WaitKey};
use crate::network::{Event, Network, World};
use crate::outcome::{Interface, OutcomeKind, Undelivered};
use crate::rules::LinkModel;
use crate::topology::{LinkId, NodeId};
use crate::trace::ServiceId;
use crate::units::{Bytes, SimDuration, SimTime};

/// From whom a message goes to whom, and how.
#[derive(Clone, Copy)]
pub(crate) struct Envelope {
    pub(crate) from: ServiceId,
    pub(crate) to: ServiceId,
    pub(crate) interface: Interface,
    pub(crate) wait: WaitKey,
    pub(crate) bytes: Bytes,
    /// See [`Header::incarnation`].
    pub(crate) incarnation: u32,
}

impl Envelope {
    /// To whoever bears the receiver's name when it arrives. What answers a request has the wait
    /// [`WaitKey::ANSWER`], and needs no application link of its own.
    #[inline]
    pub(crate) fn to_name(from: ServiceId, to: ServiceId, interface: Interface, wait: WaitKey, bytes: Bytes) -> Self {
        Envelope { from, to, interface, wait, bytes, incarnation: ANY_INCARNATION }
    }
}

impl Network {
    /// Sends a message. An error is told at once, and is its outcome.
    ///
    /// What it costs: two looks at the positions, and one at the neighbours if there is an application graph; a
    /// price, or a place in the outbox; a slot in the port's slab and one in the calendar. No allocation once the
    /// slabs have grown.
    pub(crate) fn send<B: Body>(&self, envelope: Envelope, body: B) -> Result<(), Undelivered> {
        let Envelope { from, to, interface, wait, bytes, incarnation } = envelope;
        let now = self.now.get();
        self.ledger.borrow_mut().sent += 1;
        if interface != Interface::Control {
            self.tallies.count_sent(from);
        }
        let link = self.positions.between(from, to, interface, wait.is_answer());
        let Some(Between { from: node, to: to_node, unordered }) = link else {
            return Err(self.not_a_neighbour(from, to, interface, wait));
        };
        // Put together where it is wanted, and not before: to move it costs as much again.
        let header = |arrives| Header {
            from,
            to,
            sent_at: now,
            arrives,
            bytes: bytes.0,
            wait,
            interface,
            fate: Fate::Arrives,
            duplicate: false,
            unordered,
            incarnation,
        };
        if let Some(quote) = self.outbox.quote(node, to_node) {
            let (port, slot) = self.ports.board(header(WHEN_DUE), body);
            self.price_later(Unpriced { quote, sent_at: now, event: Event { slot, port, to } });
            return Ok(());
        }
        let mut world = self.world.borrow_mut();
        let Some(fare) = world.fare(node, to_node, bytes) else {
            drop(world);
            return Err(self.no_route(from, to, interface, wait));
        };
        if world.changes && !wait.is_none() && !wait.is_answer() && interface != Interface::Control {
            let World { topology, routes, .. } = &mut *world;
            let course = if node == to_node {
                Course::Nowhere
            } else {
                Course::Then(routes.tree(topology, node).clone(), to_node)
            };
            self.waits.borrow_mut().set_course(wait, course);
        }
        drop(world);
        self.price_all();
        match fare {
            Fare::Known { cost, constant } => {
                let arrives = now.saturating_add(cost.as_nanos());
                let due = if constant || unordered { arrives } else { self.due(from, to, arrives) };
                let (port, slot) = self.ports.board(header(arrives), body);
                self.calendar.borrow_mut().push(due, Event { slot, port, to });
            }
            Fare::OfLinks => {
                let path = self.world.borrow_mut().path(node, to_node);
                let port = self.ports.of::<B>();
                let slot = port.board(header(WHEN_DUE), body);
                self.set_out(port, port.index, slot, &path);
            }
        }
        Ok(())
    }

    /// When a message that may not overtake others, and reaches its target at `arrives`, may be delivered.
    #[inline]
    pub(super) fn due(&self, from: ServiceId, to: ServiceId, arrives: u64) -> u64 {
        self.seats.borrow_mut().hold(from, to, self.now.get(), arrives)
    }

    // What is needed for that alone is put together there, and not for every message that is sent.

    #[cold]
    fn not_a_neighbour(&self, from: ServiceId, to: ServiceId, interface: Interface, wait: WaitKey) -> Undelivered {
        let why = Undelivered::NotANeighbour { from: self.name_of(from), to: self.name_of(to) };
        self.fail(Envelope::to_name(from, to, interface, wait, Bytes(0)), why)
    }

    #[cold]
    fn no_route(&self, from: ServiceId, to: ServiceId, interface: Interface, wait: WaitKey) -> Undelivered {
        let why = Undelivered::NoRoute { to: self.name_of(to) };
        self.fail(Envelope::to_name(from, to, interface, wait, Bytes(0)), why)
    }

    /// Closes the books on a message that never set out.
    fn fail(&self, envelope: Envelope, why: Undelivered) -> Undelivered {
        self.ledger.borrow_mut().undelivered += 1;
        if envelope.interface == Interface::Control {
            self.nobody_will_tell(envelope.wait);
        } else if !envelope.wait.is_none() {
            self.waits.borrow_mut().set_course(envelope.wait, Course::Nowhere);
            self.settle(envelope.wait, Answer::Undelivered(why.clone()));
        } else if envelope.interface.is_message() {
            self.end_unawaited(envelope.interface, envelope.from, Some(envelope.to), self.now.get(), &why);
        }
        why
    }

    /// Whether anything that is up leads from one to the other.
    pub(crate) fn reaches(&self, from: ServiceId, to: ServiceId) -> bool {
        let (from, to) = (self.positions.node_of(from), self.positions.node_of(to));
        let World { topology, routes, .. } = &mut *self.world.borrow_mut();
        routes.price(topology, from, to).is_some()
    }

    /// The nodes on the way that a request took, from the sender's to the receiver's; none if it never left its
    /// node.
    pub(crate) fn nodes_of(&self, course: Course) -> Vec<NodeId> {
        let World { topology, routes, .. } = &mut *self.world.borrow_mut();
        let (tree, to) = match course {
            Course::Nowhere => return Vec::new(),
            Course::Then(tree, to) => (tree, to),
            Course::Always(from, to) => {
                let (from, to) = (self.positions.node_of(from), self.positions.node_of(to));
                (routes.tree(topology, from).clone(), to)
            }
        };
        let before: Vec<NodeId> = tree.links_back(topology, to).map(|link| topology.ends(link).0).collect();
        let last = (!before.is_empty()).then_some(to);
        before.into_iter().rev().chain(last).collect()
    }

    /// Closes the books on a message that cannot even be written down.
    pub(crate) fn refuse_to_send(&self, envelope: Envelope, why: Undelivered) -> Undelivered {
        self.ledger.borrow_mut().sent += 1;
        self.tallies.count_sent(envelope.from);
        self.fail(envelope, why)
    }

    /// Closes the books on a message to a name that nobody bears.
    pub(crate) fn fail_unknown(&self, interface: Interface, from: ServiceId, wait: WaitKey, name: &str) -> Undelivered {
        self.fail_at_once(interface, from, wait, Undelivered::UnknownService(name.to_owned()))
    }

    /// Closes the books on a message that is for nobody, or goes nowhere.
    pub(crate) fn fail_at_once(
        &self,
        interface: Interface,
        from: ServiceId,
        wait: WaitKey,
        why: Undelivered,
    ) -> Undelivered {
        {
            let mut ledger = self.ledger.borrow_mut();
            ledger.sent += 1;
            ledger.undelivered += 1;
        }
        self.tallies.count_sent(from);
        if wait.is_none() {
            self.end_unawaited(interface, from, None, self.now.get(), &why);
        } else {
            self.waits.borrow_mut().set_course(wait, Course::Nowhere);
            self.settle(wait, Answer::Undelivered(why.clone()));
        }
        why
    }

    pub(crate) fn end_unawaited(
        &self,
        interface: Interface,
        from: ServiceId,
        to: Option<ServiceId>,
        sent_at: u64,
        why: &Undelivered,
    ) {
        let kind = match why {
            Undelivered::NotUnderstood { .. } => OutcomeKind::NotUnderstood,
            _ => OutcomeKind::Undelivered,
        };
        let ended = Ended { from, to, interface, kind, sent_at: SimTime::from_nanos(sent_at) };
        self.ledger.borrow_mut().ended(self.now(), &ended, Some(&why.to_string()));
    }
}

/// What a message costs.
enum Fare {
    /// So much. `constant`: whatever goes from the one node to the other costs the same.
    Known { cost: SimDuration, constant: bool },
    /// What each link on the way makes of it.
    OfLinks,
}

impl World {
    /// What a message costs that goes from one node to another; `None` if there is no route.
    #[inline(always)]
    fn fare(&mut self, from: NodeId, to: NodeId, bytes: Bytes) -> Option<Fare> {
        let World { topology, routes, model, changes, .. } = self;
        let price = routes.price(topology, from, to)?;
        if from != to && (*model == LinkModel::Queued || *changes || price.noisy) {
            return Some(Fare::OfLinks);
        }
        let cost = price.of(|| routes.transmission(topology, from, to, bytes));
        Some(Fare::Known { cost, constant: !price.sized && !*changes })
    }

    /// The links from one node to another.
    fn path(&mut self, from: NodeId, to: NodeId) -> Vec<LinkId> {
        self.routes.tree(&self.topology, from).path(&self.topology, to)
    }
}

/// The size of a body on the wire: what postcard makes of it.
pub(crate) fn size_of<B: Body>(to: &dyn Fn() -> String, body: &B) -> Result<Bytes, Undelivered> {
    postcard::experimental::serialized_size(body)
        .map(|size| Bytes(size as u64))
        .map_err(|error| Undelivered::Unserialisable { to: to(), reason: error.to_string() })
}
