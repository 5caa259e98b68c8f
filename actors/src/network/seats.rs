//! Who is there, and when the last message of each is due.

use crate::network::order::LastDue;
use crate::trace::ServiceId;

/// Something that can be ended from outside.
pub(crate) trait Closable {
    /// Begins its life.
    fn start(&self);
    /// Drops it as it is.
    fn close(&self);
    /// Lets it end in an orderly way.
    fn stop(&self);
    /// It is about to end, and takes nothing but answers.
    fn leave(&self);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It has yet to begin.
    Expected,
    Running,
    Stopped,
    Crashed,
}

/// What is written when a service sends a message that might overtake another, and what fits beside that. It is
/// a cache line: among many services, what a message costs is the lines it touches.
#[repr(align(64))]
struct Seat {
    last_due: LastDue,
    presence: Presence,
    /// Which incarnation there is, counted from 1.
    incarnation: u32,
    /// Where it has its connections; a router's is itself.
    router: ServiceId,
}

const _: () = assert!(size_of::<Seat>() == 64);

impl Seat {
    fn new(router: ServiceId) -> Self {
        let last_due = LastDue::default();
        Seat { last_due, presence: Presence::Running, incarnation: 1, router }
    }
}

/// The services in their order, then the routers, then what was [added](Seats::add_silent).
pub(crate) struct Seats(Vec<Seat>);

impl Seats {
    /// `routers`: of every service, the one at which it has its connections; then the routers themselves.
    pub(crate) fn new(routers: impl Iterator<Item = ServiceId>) -> Self {
        Seats(routers.map(Seat::new).collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Which incarnation of a service there is, counted from 1.
    #[inline]
    pub(crate) fn incarnation(&self, service: ServiceId) -> u32 {
        self.0[service.index()].incarnation
    }

    /// The router that a service has its connections at.
    pub(crate) fn router_of(&self, service: ServiceId) -> ServiceId {
        self.0[service.index()].router
    }

    /// When a message that reaches its target at `arrives` is due: not before those that were sent
    /// before it.
    #[inline]
    pub(crate) fn hold(&mut self, from: ServiceId, to: ServiceId, now: u64, arrives: u64) -> u64 {
        self.0[from.index()].last_due.hold(to, now, arrives)
    }

    /// The last message of a pair is due at another time than it was: some were lost.
    pub(crate) fn set_last_due(&mut self, from: ServiceId, to: ServiceId, due: u64) {
        self.0[from.index()].last_due.set(to, due);
    }

    pub(crate) fn presence(&self, service: ServiceId) -> Presence {
        self.0[service.index()].presence
    }

    /// Everybody's.
    pub(crate) fn presences(&self) -> Vec<Presence> {
        self.0.iter().map(|seat| seat.presence).collect()
    }

    pub(crate) fn set_presence(&mut self, service: ServiceId, presence: Presence) {
        self.0[service.index()].presence = presence;
    }

    /// A service is there again, as another incarnation.
    pub(crate) fn revive(&mut self, service: ServiceId) {
        let seat = &mut self.0[service.index()];
        seat.presence = Presence::Running;
        seat.incarnation = seat.incarnation.wrapping_add(1).max(1);
    }

    /// A service has its connections at another router from now on.
    pub(super) fn set_router(&mut self, service: ServiceId, router: ServiceId) {
        self.0[service.index()].router = router;
    }

    /// Adds seats from which nothing is ever said over the network; returns the first.
    pub(crate) fn add_silent(&mut self, count: usize) -> ServiceId {
        let first = self.0.len() as u32;
        // A vector that grows by itself takes twice the room.
        self.0.reserve_exact(count);
        self.0.extend((first..).take(count).map(|seat| Seat::new(ServiceId(seat))));
        ServiceId(first)
    }
}
