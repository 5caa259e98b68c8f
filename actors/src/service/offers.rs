//! What a type of service offers: the same for every service of that type.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use crate::interfaces::events::Subscriptions;
use crate::interfaces::rest::Endpoints;
use crate::interfaces::rpc::Interfaces;
use crate::service::Service;
use crate::service::cast::BadStart;

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

/// The offers of every type of service that a run has met. A million services of one type register
/// what they offer once.
#[derive(Default)]
pub(crate) struct AllOffers {
    /// As `Rc<Offers<S>>`. Looked up, never iterated.
    by_type: RefCell<HashMap<TypeId, Rc<dyn Any>>>,
}

impl AllOffers {
    pub(crate) fn of<S: Service>(&self) -> Result<Rc<Offers<S>>, BadStart> {
        let known = self.by_type.borrow().get(&TypeId::of::<S>()).cloned();
        if let Some(Ok(offers)) = known.map(Rc::downcast::<Offers<S>>) {
            return Ok(offers);
        }
        // Registering is the service's own code, and may itself begin a run.
        let offers = Rc::new(Offers::registered()?);
        self.by_type.borrow_mut().insert(TypeId::of::<S>(), offers.clone());
        Ok(offers)
    }
}
