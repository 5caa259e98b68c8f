//! What stands behind a service's name, and how it is put into its place.

use std::cell::RefCell;
use std::rc::Rc;

use crate::context::{Accepts, Networked, ServiceCell};
use crate::interfaces::events::{BadSubscription, Subscriptions};
use crate::interfaces::rest::{BadEndpoint, Endpoints};
use crate::interfaces::rpc::{BadInterface, Interfaces};
use crate::network::Network;
use crate::service::Service;
use crate::service::desk::{Desk, Records};
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
    /// Goes on from life to life.
    pub(crate) records: &'a Rc<RefCell<Records>>,
}

/// A service in its place.
pub(crate) struct Made {
    /// Begins its life.
    pub(crate) start: Box<dyn FnOnce()>,
    /// An actor with handlers has none.
    pub(crate) desk: Option<Rc<Desk>>,
}

type Make = Box<dyn FnOnce(Casting<'_>) -> Result<Made, BadStart>>;

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
            let Casting { network, id, step_every, keep_step_values, provides, records } = casting;
            let mut endpoints = Endpoints::new();
            S::endpoints(&mut endpoints);
            if let Some(mistake) = endpoints.take_mistakes().into_iter().next() {
                return Err(BadStart::Endpoint(mistake));
            }
            let mut interfaces = Interfaces::new();
            S::interfaces(&mut interfaces);
            if let Some(mistake) = interfaces.take_mistakes().into_iter().next() {
                return Err(BadStart::Interface(mistake));
            }
            let mut subscriptions = Subscriptions::new();
            S::subscriptions(&mut subscriptions);
            if let Some(mistake) = subscriptions.take_mistakes().into_iter().next() {
                return Err(BadStart::Subscription(mistake));
            }
            subscriptions.patterns().for_each(|pattern| network.commons.subscribers.borrow_mut().add(id, pattern));
            let desk = Rc::new(Desk::new(network.clone(), id, keep_step_values, records.clone()));
            let host = ServiceHost {
                service: Rc::new(service),
                endpoints: Rc::new(endpoints),
                interfaces: Rc::new(interfaces),
                subscriptions: Rc::new(subscriptions),
                desk: desk.clone(),
                step_every,
                provides,
            };
            let start = seat(network, id, host);
            Ok(Made { start, desk: Some(desk) })
        }))
    }

    /// An Actix actor with typed handlers.
    pub fn actor<A: Networked>(actor: A) -> Cast {
        Cast(Box::new(move |casting| {
            let start = seat(casting.network, casting.id, actor);
            Ok(Made { start, desk: None })
        }))
    }

    pub(crate) fn make(self, casting: Casting<'_>) -> Result<Made, BadStart> {
        (self.0)(casting)
    }
}

/// Puts an actor into its place; the result starts it.
pub(crate) fn seat<A: Networked>(network: &Rc<Network>, id: ServiceId, actor: A) -> Box<dyn FnOnce()> {
    let cell = ServiceCell::new(network, id, actor);
    A::accepts(&mut Accepts { cell: cell.clone(), network: network.clone(), id });
    Box::new(move || cell.start())
}
