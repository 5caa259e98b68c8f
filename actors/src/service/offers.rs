//! What a type of service offers: the same for every service of that type.

use std::any::{Any, TypeId};
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::interfaces::events::Subscriptions;
use crate::interfaces::rest::{EndpointDescription, Endpoints};
use crate::interfaces::rpc::{Inspection, InterfaceDescription, Interfaces, Schemas};
use crate::service::Service;
use crate::service::cast::BadStart;
use crate::trace::ServiceId;

/// What services of one type answer, and what they want to hear of.
pub(crate) struct Offers<S> {
    pub(crate) endpoints: Endpoints<S>,
    pub(crate) interfaces: Interfaces<S>,
    pub(crate) subscriptions: Subscriptions<S>,
}

impl<S: Service> Offers<S> {
    fn registered() -> Result<Self, BadStart> {
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
        Ok(Offers { endpoints, interfaces, subscriptions })
    }
}

/// What a type of service offers, in words and schemas.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offered {
    /// In the order of patterns, then of methods.
    pub endpoints: Vec<EndpointDescription>,
    /// In order of registration.
    pub interfaces: Vec<InterfaceOffer>,
    /// The patterns of topics that it has subscribed to.
    pub subscriptions: Vec<String>,
    /// Whether it takes calls of methods that are not listed, too.
    pub takes_any_call: bool,
}

/// An interface, and what its methods take.
#[derive(Clone, Debug, PartialEq)]
pub struct InterfaceOffer {
    /// As `inspect` tells it.
    pub description: InterfaceDescription,
    /// What each of [its methods](InterfaceDescription::methods) takes, in their order.
    pub schemas: Vec<Schemas>,
}

impl<S: Service> Offers<S> {
    /// All that a service of that name may be asked and called by.
    pub(crate) fn inspect(&self, service: String) -> Inspection {
        let endpoints = self.endpoints.describe().into_iter();
        let endpoints = endpoints.map(|endpoint| format!("{} {}", endpoint.method, endpoint.pattern)).collect();
        Inspection { endpoints, ..self.interfaces.inspect(service) }
    }
}

/// Offers, whatever type of service they are of.
trait Describe {
    fn describe(&self) -> Offered;
}

impl<S: Service> Describe for Offers<S> {
    fn describe(&self) -> Offered {
        let Inspection { interfaces, .. } = self.interfaces.inspect(String::new());
        let of_each = |(description, schemas)| InterfaceOffer { description, schemas };
        Offered {
            endpoints: self.endpoints.describe(),
            interfaces: interfaces.into_iter().zip(self.interfaces.schemas()).map(of_each).collect(),
            subscriptions: self.subscriptions.patterns().map(ToString::to_string).collect(),
            takes_any_call: self.interfaces.takes_anything(),
        }
    }
}

/// One type of service.
struct Kind {
    offers: Rc<dyn Describe>,
    /// In words, from the first time that somebody asks.
    described: OnceCell<Arc<Offered>>,
}

/// Which of the kinds a type is, and its offers as `Rc<Offers<S>>`.
type Registered = (u16, Rc<dyn Any>);

/// The offers of every type of service that a run has met. A million services of one type register
/// what they offer once; which type each is of takes two bytes.
#[derive(Default)]
pub(crate) struct AllOffers {
    /// Looked up, never iterated.
    by_type: RefCell<HashMap<TypeId, Registered>>,
    kinds: RefCell<Vec<Kind>>,
    /// Of each service the kind that it was of in its last life.
    by_service: RefCell<Vec<u16>>,
}

/// The kind of actors with handlers of their own, who say nothing of what they take.
const UNKNOWN: u16 = u16::MAX;

impl AllOffers {
    /// What services of that type offer; one of them is about to begin a life.
    pub(crate) fn of<S: Service>(&self, service: ServiceId) -> Result<Rc<Offers<S>>, BadStart> {
        let known = self.by_type.borrow().get(&TypeId::of::<S>()).cloned();
        if let Some((kind, offers)) = known
            && let Ok(offers) = offers.downcast::<Offers<S>>()
        {
            self.note(service, kind);
            return Ok(offers);
        }
        // Registering is the service's own code, and may itself begin a run.
        let offers = Rc::new(Offers::<S>::registered()?);
        let mut kinds = self.kinds.borrow_mut();
        let kind = u16::try_from(kinds.len()).unwrap_or(UNKNOWN);
        kinds.push(Kind { offers: offers.clone(), described: OnceCell::new() });
        self.by_type.borrow_mut().insert(TypeId::of::<S>(), (kind, offers.clone()));
        self.note(service, kind);
        Ok(offers)
    }

    fn note(&self, service: ServiceId, kind: u16) {
        let mut by_service = self.by_service.borrow_mut();
        if by_service.len() <= service.index() {
            by_service.resize(service.index() + 1, UNKNOWN);
        }
        by_service[service.index()] = kind;
    }

    /// What a service offers; nothing is known of actors with handlers of their own.
    pub(crate) fn described(&self, service: ServiceId) -> Option<Arc<Offered>> {
        let kind = self.by_service.borrow().get(service.index()).copied()?;
        let kinds = self.kinds.borrow();
        let Kind { offers, described } = kinds.get(usize::from(kind))?;
        Some(described.get_or_init(|| Arc::new(offers.describe())).clone())
    }
}
