//! Whom calls are for.

use std::borrow::Cow;
use std::rc::Rc;

use serde::{Serialize, Serializer};

use crate::network::Network;
use crate::network::header::ANY_INCARNATION;
use crate::network::ports::{Arrival, Receiver, Refusal};
use crate::outcome::Undelivered;
use crate::router::Address;
use crate::service::desk::Desk;
use crate::trace::ServiceId;

/// Whom a proxy stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target<'a> {
    /// The service of that name: whoever bears it when the call arrives takes it.
    Name(Cow<'a, str>),
    /// That service, likewise.
    Service(ServiceId),
    /// Whoever has that address: the one incarnation of a service that its router gave it to. When that
    /// one is gone, its calls are undelivered, and the router there says so.
    Address(Address),
}

impl From<ServiceId> for Target<'_> {
    fn from(service: ServiceId) -> Self {
        Target::Service(service)
    }
}

impl From<Address> for Target<'_> {
    fn from(address: Address) -> Self {
        Target::Address(address)
    }
}

impl<'a> From<&'a str> for Target<'a> {
    fn from(name: &'a str) -> Self {
        Target::Name(name.into())
    }
}

impl<'a> From<&'a String> for Target<'a> {
    fn from(name: &'a String) -> Self {
        Target::Name(name.into())
    }
}

impl From<String> for Target<'_> {
    fn from(name: String) -> Self {
        Target::Name(name.into())
    }
}

impl Target<'_> {
    pub(super) fn resolve(self, desk: &Desk) -> Callee {
        match self {
            Target::Service(service) => Callee::service(service),
            Target::Address(address) => Callee::address(address),
            Target::Name(name) => match desk.network.find(&name) {
                Some(service) => Callee::service(service),
                None => Callee::nobody(Undelivered::UnknownService(name.into_owned())),
            },
        }
    }
}

/// The one that calls go to: a service, unless it is somebody else. It is moved with every call, and two
/// plain words are moved faster than an enum of all cases.
#[derive(Clone)]
pub(super) struct Callee {
    service: ServiceId,
    instead: Option<Rc<Elsewhere>>,
}

enum Elsewhere {
    Address(Address),
    /// There is none, and why.
    Nobody(Undelivered),
}

/// Where a call goes that is made now.
pub(super) enum Destination {
    /// To a service, and which of its incarnations.
    Service(ServiceId, u32),
    /// To a router that has nobody of that address.
    Router(ServiceId, Address),
    /// To nobody, and why.
    Nobody(Undelivered),
}

impl Destination {
    /// The seat that the call goes to.
    #[inline]
    pub(super) fn seat(&self) -> Option<ServiceId> {
        match self {
            Destination::Service(seat, _) | Destination::Router(seat, _) => Some(*seat),
            Destination::Nobody(_) => None,
        }
    }
}

impl Callee {
    fn service(service: ServiceId) -> Self {
        Callee { service, instead: None }
    }

    fn elsewhere(elsewhere: Elsewhere) -> Self {
        Callee { service: ServiceId(u32::MAX), instead: Some(Rc::new(elsewhere)) }
    }

    pub(super) fn address(address: Address) -> Self {
        Callee::elsewhere(Elsewhere::Address(address))
    }

    pub(super) fn nobody(why: Undelivered) -> Self {
        Callee::elsewhere(Elsewhere::Nobody(why))
    }

    /// The service that all calls go to, if that is so.
    #[inline]
    pub(super) fn plain(&self) -> Option<Destination> {
        self.instead.is_none().then_some(Destination::Service(self.service, ANY_INCARNATION))
    }

    /// Where a call goes that is made now.
    pub(super) fn destination(&self, network: &Network) -> Destination {
        match self.instead.as_deref() {
            None => Destination::Service(self.service, ANY_INCARNATION),
            Some(Elsewhere::Address(address)) => of_address(network, *address),
            Some(Elsewhere::Nobody(why)) => Destination::Nobody(why.clone()),
        }
    }

    /// What it is called in messages to people.
    pub(super) fn name(&self, network: &Network) -> String {
        match self.instead.as_deref() {
            None => network.name_of(self.service),
            Some(Elsewhere::Address(address)) => address.to_string(),
            Some(Elsewhere::Nobody(
                Undelivered::UnknownService(name) | Undelivered::NoProvider { service: name, .. },
            )) => name.clone(),
            Some(Elsewhere::Nobody(why)) => why.to_string(),
        }
    }
}

fn of_address(network: &Network, address: Address) -> Destination {
    let book = network.book.borrow();
    match book.owner_of(address) {
        Some(owner) => Destination::Service(owner.service, owner.incarnation),
        None => match book.router_of(address) {
            Some(router) => Destination::Router(router, address),
            None => Destination::Nobody(Undelivered::UnknownAddress { address: address.to_string() }),
        },
    }
}

/// A call for an address that is nobody's. Nobody can know that but the router there, to which it goes
/// as any call does.
#[derive(Clone)]
pub(crate) struct StrayCall(pub(super) Address);

/// That it is so many bytes is told when it is sent.
impl Serialize for StrayCall {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// How routers take such calls: they do not.
pub(crate) struct NobodyHere;

impl Receiver<StrayCall> for NobodyHere {
    fn receive(&self, _: &Network, stray: Arrival<'_, StrayCall>) -> Result<(), Refusal> {
        let address = stray.look(|StrayCall(address)| address.to_string()).ok_or(Refusal::Gone)?;
        Err(Refusal::Other(Box::new(Undelivered::UnknownAddress { address })))
    }
}
