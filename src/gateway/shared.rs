//! What all requests of a gateway share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rehearsal_actors::outside::Entrance;
use rehearsal_actors::outside::registry::Registry;
use rehearsal_actors::simulation::Pace;
use tokio::sync::watch;

use super::cors::Origins;
use super::exposure::Exposure;
use super::jsonrpc::Style;
use super::limits::Limits;

/// What all requests of a gateway share.
pub(super) struct Shared {
    pub(super) entrance: Entrance,
    /// `None`: nobody may register.
    pub(super) providers: Option<Providers>,
    pub(super) limits: Limits,
    pub(super) exposure: Exposure,
    pub(super) style: Style,
    pub(super) origins: Origins,
    /// Where it listens.
    pub(super) address: SocketAddr,
    pub(super) connections: AtomicUsize,
    pub(super) in_flight: AtomicUsize,
    /// Of events.
    pub(super) streams: AtomicUsize,
    /// Becomes true when the server is to end.
    pub(super) closing: watch::Receiver<bool>,
}

/// Those who have registered from outside.
#[derive(Clone)]
pub(super) struct Providers {
    pub(super) registry: Registry,
    /// Seconds of virtual time in one of theirs.
    pub(super) pace: Pace,
}

/// One of the requests that are in hand, until it is dropped.
pub(super) struct InFlight(Arc<Shared>);

impl InFlight {
    /// One more, unless there are too many.
    pub(super) fn begin(shared: &Arc<Shared>) -> Option<Self> {
        let one_more = InFlight(shared.clone());
        let before = shared.in_flight.fetch_add(1, Ordering::Relaxed);
        (before < shared.limits.in_flight).then_some(one_more)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
