//! The interfaces that a service offers.

use std::any::TypeId;
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::error::Error;
use std::future::Future;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::CallMessage;
use super::answer::{Declared, Failure, RemoteError, RpcAnswer};
use super::beginning::{Begun, Room};
use super::channel::{AnswerError, Call, ReplyChannel};
use super::inspection::{Inspection, InterfaceDescription, MethodDescription, Parameter, parameters_of, short_name};
use super::payload::Payload;
use super::schema::{Schemas, schemas_of};
use crate::network::ports::Body;
use crate::service::ServiceIo;

/// A name has at most so many bytes.
const NAME_LIMIT: usize = 128;

/// Both are there in every service that offers an interface.
pub(crate) const PING: &str = "ping";
pub(crate) const INSPECT: &str = "inspect";

/// Begins to answer a call.
type Begin<S> = Box<dyn Fn(Rc<S>, ServiceIo, Rc<Call>, Payload) -> Begun>;

struct Method<S> {
    name: String,
    doc: String,
    params: fn() -> Vec<Parameter>,
    schemas: fn() -> Schemas,
    replies: Option<fn() -> String>,
    raises: Vec<Declared>,
    begin: Begin<S>,
}

struct Offer<S> {
    name: String,
    version: String,
    methods: Vec<Method<S>>,
}

/// Where a method stands: which interface, and which of its methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    interface: u32,
    method: u32,
}

/// Where no method stands: that of what [takes the rest](Interfaces::otherwise).
const OTHERWISE: Place = Place { interface: u32::MAX, method: u32::MAX };

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    Method(Place),
    /// Several interfaces have a method of that name.
    Several,
    Ping,
    Inspect,
}

/// What is there under the name of a method.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Method(Place),
    Ping,
    Inspect,
    Nothing(String),
}

/// Hashes the names of methods: short texts, chosen by whoever writes the service.
#[derive(Default)]
struct NameHasher(u64);

impl Hasher for NameHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64_with_seed(bytes, self.0);
    }

    /// What tells texts of different lengths apart, which the hash of the bytes does already.
    #[inline]
    fn write_u8(&mut self, _: u8) {}

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

/// Why an interface or a method cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadInterface {
    /// The interface, or interface and method.
    pub(crate) name: String,
    pub(crate) reason: String,
}

/// Collects the interfaces that a service offers. A name that is there already, and one that cannot be
/// a name, keep the service from starting.
pub struct Interfaces<S> {
    offers: Vec<Offer<S>>,
    /// What begins to answer the calls that no method answers.
    otherwise: Option<Begin<S>>,
    /// Methods by their own names and by those with the interface in front. Looked up, never iterated.
    by_name: HashMap<String, Named, BuildHasherDefault<NameHasher>>,
    /// The method found last, and the name it was called by: callers mostly write names out, so that the
    /// same one stands at the same place.
    last: Cell<Option<(&'static str, Place)>>,
    mistakes: Vec<BadInterface>,
}

impl<S: 'static> Interfaces<S> {
    pub(crate) fn new() -> Self {
        let builtin = [(PING.to_owned(), Named::Ping), (INSPECT.to_owned(), Named::Inspect)];
        let by_name = builtin.into_iter().collect();
        Interfaces { offers: Vec::new(), otherwise: None, by_name, last: Cell::new(None), mistakes: Vec::new() }
    }

    /// Begins an interface; its methods follow. Names are letters, digits, `_` and `-`, and those of
    /// interfaces may have dots in them.
    pub fn interface(&mut self, name: &str, version: &str) -> Interface<'_, S> {
        let reason = match check_name(name, true) {
            Err(reason) => Some(reason),
            Ok(()) if self.offers.iter().any(|offer| offer.name == name) => {
                Some("there is an interface of that name already".to_owned())
            }
            Ok(()) => None,
        };
        self.mistakes.extend(reason.map(|reason| BadInterface { name: name.to_owned(), reason }));
        self.offers.push(Offer { name: name.to_owned(), version: version.to_owned(), methods: Vec::new() });
        Interface { interfaces: self }
    }

    /// Takes every call that is of no method of the service, whatever it is named:
    /// `async fn f(self: Rc<S>, io: ServiceIo, params: Value, channel: ReplyChannel)`; the channel's
    /// [`call`](ReplyChannel::call) says which method is meant. A service that offers no interface besides
    /// is asked in the same way what others answer by themselves, `ping` and `inspect`.
    pub fn otherwise<F, Handling>(&mut self, handler: F) -> &mut Self
    where
        F: Fn(Rc<S>, ServiceIo, Value, ReplyChannel) -> Handling + 'static,
        Handling: Future<Output = ()> + 'static,
    {
        self.otherwise = Some(raw(handler, Payload::take));
        self
    }

    /// Whether it takes calls of whatever name.
    pub(crate) fn takes_anything(&self) -> bool {
        self.otherwise.is_some()
    }

    fn add(&mut self, method: Method<S>) {
        let Some(interface) = self.offers.len().checked_sub(1) else { return };
        let offer = &mut self.offers[interface];
        let place = Place { interface: interface as u32, method: offer.methods.len() as u32 };
        let full = format!("{}.{}", offer.name, method.name);
        if let Err(reason) = check_name(&method.name, false) {
            self.mistakes.push(BadInterface { name: full, reason });
            return;
        }
        if self.by_name.contains_key(&full) {
            let reason = "there is a method of that name already".to_owned();
            self.mistakes.push(BadInterface { name: full, reason });
            return;
        }
        self.by_name.insert(full, Named::Method(place));
        // Without an interface in front, `ping` and `inspect` are always the built-in ones.
        match self.by_name.get_mut(&method.name) {
            Some(named @ Named::Method(_)) => *named = Named::Several,
            Some(_) => {}
            None => drop(self.by_name.insert(method.name.clone(), Named::Method(place))),
        }
        offer.methods.push(method);
    }

    /// The method registered last.
    fn last(&mut self) -> Option<&mut Method<S>> {
        self.offers.last_mut()?.methods.last_mut()
    }

    /// The names and versions of all interfaces, in order of registration.
    pub(crate) fn offered(&self) -> impl Iterator<Item = (&str, &str)> {
        self.offers.iter().map(|offer| (offer.name.as_str(), offer.version.as_str()))
    }

    pub(crate) fn take_mistakes(&mut self) -> Vec<BadInterface> {
        std::mem::take(&mut self.mistakes)
    }

    /// What it is that was called.
    #[inline]
    pub(crate) fn called(&self, message: &CallMessage) -> Found {
        let Cow::Borrowed(name) = message.method else { return self.find(&message.method) };
        if let Some((last, place)) = self.last.get()
            && std::ptr::eq(last, name)
        {
            return Found::Method(place);
        }
        let found = self.find(name);
        if let Found::Method(place) = found {
            self.last.set(Some((name, place)));
        }
        found
    }

    /// What is there under a name: `method`, or `interface.method`.
    #[inline]
    pub(crate) fn find(&self, name: &str) -> Found {
        match self.by_name.get(name) {
            Some(Named::Ping | Named::Inspect) | None
                if self.otherwise.is_some() && (self.offers.is_empty() || !self.by_name.contains_key(name)) =>
            {
                Found::Method(OTHERWISE)
            }
            Some(Named::Method(place)) => Found::Method(*place),
            Some(Named::Ping) => Found::Ping,
            Some(Named::Inspect) => Found::Inspect,
            Some(Named::Several) => {
                let with = |offer: &&Offer<S>| offer.methods.iter().any(|method| method.name == name);
                let full = |offer: &Offer<S>| format!("`{}.{name}`", offer.name);
                let which: Vec<String> = self.offers.iter().filter(with).map(full).collect();
                Found::Nothing(format!("several interfaces have a method `{name}`: say {}", which.join(" or ")))
            }
            None if self.offers.is_empty() => Found::Nothing("the service offers no interface".to_owned()),
            None => Found::Nothing(format!("there is no method `{name}`")),
        }
    }

    fn method(&self, place: Place) -> &Method<S> {
        &self.offers[place.interface as usize].methods[place.method as usize]
    }

    /// Begins to answer a call.
    #[inline]
    pub(crate) fn begin(&self, place: Place, service: Rc<S>, io: ServiceIo, call: Rc<Call>, params: Payload) -> Begun {
        match &self.otherwise {
            Some(otherwise) if place == OTHERWISE => otherwise(service, io, call, params),
            _ => (self.method(place).begin)(service, io, call, params),
        }
    }

    /// The answer that a failure of that method is.
    pub(crate) fn answer(&self, place: Place, failure: Failure) -> RpcAnswer {
        let raises = if place == OTHERWISE { &[][..] } else { &self.method(place).raises };
        failure.answer(raises)
    }

    /// The schemas of the parameters of every method, in the order of [`inspect`](Self::inspect).
    pub(crate) fn schemas(&self) -> Vec<Vec<Schemas>> {
        let of_each = |offer: &Offer<S>| offer.methods.iter().map(|method| (method.schemas)()).collect();
        self.offers.iter().map(of_each).collect()
    }

    /// What there is to be called by; of endpoints it does not know.
    pub(crate) fn inspect(&self, service: String) -> Inspection {
        let describe = |method: &Method<S>| MethodDescription {
            name: method.name.clone(),
            doc: method.doc.clone(),
            params: (method.params)(),
            replies: method.replies.map(|name| name()),
            raises: method.raises.iter().map(|declared| declared.name.clone()).collect(),
        };
        let interfaces = self.offers.iter().map(|offer| InterfaceDescription {
            name: offer.name.clone(),
            version: offer.version.clone(),
            methods: offer.methods.iter().map(describe).collect(),
        });
        Inspection { service, interfaces: interfaces.collect(), endpoints: Vec::new() }
    }
}

/// An interface to which methods are added.
pub struct Interface<'a, S> {
    interfaces: &'a mut Interfaces<S>,
}

impl<'a, S: 'static> Interface<'a, S> {
    /// Adds a method that replies what its handler returns:
    /// `async fn f(self: Rc<S>, io: ServiceIo, params: P) -> Result<R, E>`. Its errors that are
    /// [declared](Registered::raises) reach the caller as errors; every other one is a nack.
    pub fn rpc<P, R, E, F, Replying>(self, name: &str, doc: &str, handler: F) -> Registered<'a, S>
    where
        P: DeserializeOwned + 'static,
        R: Body,
        E: Into<Failure>,
        F: Fn(Rc<S>, ServiceIo, P) -> Replying + 'static,
        Replying: Future<Output = Result<R, E>> + 'static,
    {
        let room = Room::new();
        let begin: Begin<S> = Box::new(move |service, io, call, params| {
            room.begin(|| {
                let replying = handler(service, io, params.take_params()?);
                Ok(async move {
                    let body = replying.await.map_err(Into::into)?;
                    reply(&call, body);
                    Ok(())
                })
            })
        });
        self.add::<P>(name, doc, Some(short_name::<R>), begin)
    }

    /// Adds a method whose handler is handed the way back and answers as it likes:
    /// `async fn f(self: Rc<S>, io: ServiceIo, params: P, channel: ReplyChannel)`.
    pub fn raw_rpc<P, F, Handling>(self, name: &str, doc: &str, handler: F) -> Registered<'a, S>
    where
        P: DeserializeOwned + 'static,
        F: Fn(Rc<S>, ServiceIo, P, ReplyChannel) -> Handling + 'static,
        Handling: Future<Output = ()> + 'static,
    {
        self.add::<P>(name, doc, None, raw(handler, Payload::take_params))
    }

    fn add<P: DeserializeOwned>(
        self,
        name: &str,
        doc: &str,
        replies: Option<fn() -> String>,
        begin: Begin<S>,
    ) -> Registered<'a, S> {
        let (name, doc, raises) = (name.to_owned(), doc.trim().to_owned(), Vec::new());
        let (params, schemas) = (parameters_of::<P> as fn() -> _, schemas_of::<P> as fn() -> _);
        let before = self.interfaces.mistakes.len();
        self.interfaces.add(Method { name, doc, params, schemas, replies, raises, begin });
        let added = self.interfaces.mistakes.len() == before;
        Registered { interface: self, added }
    }
}

/// Begins to answer calls whose handler is handed the way back, and its parameters as it takes them.
fn raw<S, P, F, Handling>(handler: F, take: fn(Payload) -> Result<P, String>) -> Begin<S>
where
    P: 'static,
    F: Fn(Rc<S>, ServiceIo, P, ReplyChannel) -> Handling + 'static,
    Handling: Future<Output = ()> + 'static,
{
    let room = Room::new();
    Box::new(move |service, io, call, params| {
        room.begin(|| {
            // The channel comes last: without parameters there is nothing that could let go of it.
            let params = take(params)?;
            let handling = handler(service, io, params, ReplyChannel::new(call));
            Ok(async move {
                handling.await;
                Ok(())
            })
        })
    })
}

/// A reply that cannot be put into bytes is the failure of a method that was carried out.
fn reply<R: Body>(call: &Call, body: R) {
    if let Err(AnswerError::Unserialisable { reason }) = call.reply(body) {
        let error = RemoteError::new("Unserialisable", reason, Value::Null);
        let _ = call.answer(RpcAnswer::Error(Box::new(error)));
    }
}

/// A method that was added to its interface; further ones may follow.
pub struct Registered<'a, S> {
    interface: Interface<'a, S>,
    /// False if it was a mistake.
    added: bool,
}

impl<'a, S: 'static> Registered<'a, S> {
    /// The method declares that it may fail with that error, under that name: callers see it as a
    /// [`RemoteError`].
    pub fn raises<E: Error + Serialize + 'static>(self, name: &str) -> Self {
        let interfaces = &mut *self.interface.interfaces;
        if let Some(method) = interfaces.last().filter(|_| self.added) {
            let twice =
                method.raises.iter().any(|declared| declared.name == name || declared.error == TypeId::of::<E>());
            method.raises.push(Declared::new::<E>(name.to_owned()));
            let bad = if twice { Err("it is declared already".to_owned()) } else { check_name(name, true) };
            if let Err(reason) = bad {
                let name = format!("{}, the error `{name}`", method.name);
                interfaces.mistakes.push(BadInterface { name, reason });
            }
        }
        self
    }

    /// Adds another method: see [`Interface::rpc`].
    pub fn rpc<P, R, E, F, Replying>(self, name: &str, doc: &str, handler: F) -> Registered<'a, S>
    where
        P: DeserializeOwned + 'static,
        R: Body,
        E: Into<Failure>,
        F: Fn(Rc<S>, ServiceIo, P) -> Replying + 'static,
        Replying: Future<Output = Result<R, E>> + 'static,
    {
        self.interface.rpc(name, doc, handler)
    }

    /// Adds another method: see [`Interface::raw_rpc`].
    pub fn raw_rpc<P, F, Handling>(self, name: &str, doc: &str, handler: F) -> Registered<'a, S>
    where
        P: DeserializeOwned + 'static,
        F: Fn(Rc<S>, ServiceIo, P, ReplyChannel) -> Handling + 'static,
        Handling: Future<Output = ()> + 'static,
    {
        self.interface.raw_rpc(name, doc, handler)
    }
}

/// Whether that can be a name.
fn check_name(name: &str, dots: bool) -> Result<(), String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' || (dots && byte == b'.');
    if name.is_empty() || name.len() > NAME_LIMIT {
        return Err(format!("a name has 1 to {NAME_LIMIT} characters"));
    }
    if !name.bytes().all(fits) {
        let dots = if dots { ", `.`" } else { "" };
        return Err(format!("a name consists of letters, digits, `_`, `-`{dots}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
