//! What all requests of a gateway share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::http::StatusCode;
use rehearsal_actors::outcome::OutcomeKind;
use rehearsal_actors::outside::Entrance;
use rehearsal_actors::outside::registry::Registry;
use rehearsal_actors::service::ServiceIo;
use rehearsal_actors::simulation::{Pace, Progress};
use tokio::sync::watch;

use super::cors::Origins;
use super::exposure::Exposure;
use super::jsonrpc::Style;
use super::limits::Limits;
use super::metrics::Tally;
use super::problem::Problem;
use super::rest;

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
    /// What was answered so far.
    pub(super) tally: Tally,
    /// How the run keeps to the wall clock, if that is known.
    pub(super) clock: Option<(Arc<Progress>, Pace)>,
    /// Of events.
    pub(super) streams: AtomicUsize,
    /// Becomes true when the server is to end.
    pub(super) closing: watch::Receiver<bool>,
}

impl Shared {
    /// Sends somebody into the run, and waits for what they come back with.
    pub(super) async fn visit<R, F, Acting>(&self, act: F) -> Result<R, Problem>
    where
        R: Send + 'static,
        F: FnOnce(ServiceIo) -> Acting + Send + 'static,
        Acting: Future<Output = R> + 'static,
    {
        match actix_web::rt::time::timeout(self.limits.answer_time, self.entrance.enter(act)).await {
            Ok(Ok(back)) => Ok(back),
            Ok(Err(error)) => Err(rest::not_let_in(error)),
            Err(_) => {
                let detail = format!("no answer came within {:?} of the wall clock", self.limits.answer_time);
                Err(Problem::new(StatusCode::GATEWAY_TIMEOUT, detail).outcome(OutcomeKind::TimedOut))
            }
        }
    }
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
