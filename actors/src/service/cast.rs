//! What stands behind a service's name, and how it is put into its place.

use std::rc::Rc;

use crate::context::{Accepts, Networked, ServiceCell};
use crate::interfaces::events::BadSubscription;
use crate::interfaces::rest::BadEndpoint;
use crate::interfaces::rpc::BadInterface;
use crate::network::Network;
use crate::service::Service;
use crate::service::desk::Desk;
use crate::service::host::ServiceHost;
use crate::trace::ServiceId;
use crate::units::SimDuration;

/// What a service is made with when one of its lives begins.
pub(crate) struct Casting<'a> {
    pub(crate) network: &'a Rc<Network>,
    pub(crate) id: ServiceId,
    pub(crate) step_every: Option<SimDuration>,
    pub(crate) keep_step_values: usize,
    /// Whether its interfaces are registered with a directory.
    pub(crate) provides: bool,
}

/// Puts a service into its place, ready to begin. An actor with handlers has no desk.
type Make = Box<dyn FnOnce(Casting<'_>) -> Result<Option<Rc<Desk>>, BadStart>>;

/// Why a service cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadStart {
    #[error("it cannot register `{}`: {}", .0.endpoint, .0.reason)]
    Endpoint(BadEndpoint),
    #[error("it cannot register `{}` among its interfaces: {}", .0.name, .0.reason)]
    Interface(BadInterface),
    #[error("it cannot subscribe to `{}`: {}", .0.pattern, .0.reason)]
    Subscription(BadSubscription),
}

/// What stands behind a service's name: an async [`Service`], or an actor with handlers. It is good
/// for one life.
pub struct Cast(Make);

/// Makes the cast of each further life of a service, or says why it cannot.
pub type Recast = Box<dyn FnMut() -> Result<Cast, String>>;

impl Cast {
    /// An async service.
    pub fn service<S: Service>(service: S) -> Cast {
        Cast(Box::new(move |casting| {
            let Casting { network, id, step_every, keep_step_values, provides } = casting;
            let offers = network.commons.offers.of::<S>(id)?;
            let patterns = offers.subscriptions.patterns();
            patterns.for_each(|pattern| network.commons.subscribers.borrow_mut().add(id, pattern));
            let desk = Rc::new(Desk::new(network.clone(), id, keep_step_values));
            let host = ServiceHost { service: Rc::new(service), offers, desk: desk.clone(), step_every, provides };
            seat(network, id, host);
            Ok(Some(desk))
        }))
    }

    /// An Actix actor with typed handlers.
    pub fn actor<A: Networked>(actor: A) -> Cast {
        Cast(Box::new(move |casting| {
            seat(casting.network, casting.id, actor);
            Ok(None)
        }))
    }

    pub(crate) fn make(self, casting: Casting<'_>) -> Result<Option<Rc<Desk>>, BadStart> {
        (self.0)(casting)
    }
}

/// Puts an actor into its place. It begins when the network is told to [`begin`](Network::begin) it.
pub(crate) fn seat<A: Networked>(network: &Rc<Network>, id: ServiceId, actor: A) {
    let cell = ServiceCell::new(network, id, actor);
    A::accepts(&mut Accepts { cell, network: network.clone(), id });
}
