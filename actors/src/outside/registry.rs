//! Providers that register from outside, as services of gemstone do: by saying again and again that they
//! are there, under a name, at a URL.
//!
//! A [`Registry`] belongs to a [gateway](super::Gateway::registering). Whoever is registered there stands in
//! the run's directory as well, under the gateway's address, with the parameter [`URL`]; who finds them inside
//! and calls their interface reaches the gateway over the emulated network, and from there them. Who looks
//! from outside finds the services of the run, too. Whoever falls silent is forgotten at the end of their time
//! to live, and taken out of the directory.
//!
//! Registrations outlive the gateway: its next life tells the directory of them anew.

mod registrations;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use futures_util::future::select;
use serde_json::Value;
use wildmatch::WildMatch;

use self::registrations::Registrations;
pub use self::registrations::{Pinged, Provision, REGISTRATIONS_LIMIT, RegistrationError, URL_LIMIT};
use crate::directory::{NAME_LIMIT, Query};
use crate::interfaces::CallError;
use crate::interfaces::directory::{Offering, Provider};
use crate::interfaces::rpc::{ReplyChannel, RpcAnswer};
use crate::outside::catalogue::{Catalogue, Listed};
use crate::outside::external::{answer, ask};
use crate::outside::outbound::{Came, Errand, Outbound, OutboundRequest};
use crate::service::ServiceIo;
use crate::units::{SimDuration, SimTime};

/// The parameter of an entry in a directory that says where somebody outside is.
pub const URL: &str = "url";

/// How long a sign of life counts that does not say: three of gemstone's intervals of 30 s.
pub const TIME_TO_LIVE: SimDuration = SimDuration::from_secs(90);

/// So many are found at once; of more, the best.
pub const LOCATED_LIMIT: usize = 10_000;

/// Who provides something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Located {
    /// A service of the run.
    Inside {
        /// The name that fits: the service's own, or that of something it provides.
        name: String,
        /// What the service is called.
        service: String,
    },
    /// Somebody outside.
    Outside(Provision),
}

/// Why nobody was looked for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LocateError {
    /// No service has so long a name.
    #[error("a pattern of names has at most {NAME_LIMIT} bytes, not {bytes}")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// Nobody of the name is known here, and no directory has answered.
    #[error("no directory has answered: {0}")]
    Directory(CallError),
}

/// The providers outside. All clones are the same; it may be used in any thread, with the [`ServiceIo`] of its
/// gateway where one is asked for.
#[derive(Clone)]
pub struct Registry {
    shared: Arc<Mutex<Shared>>,
    outbound: Arc<dyn Outbound>,
}

#[derive(Default)]
struct Shared {
    registrations: Registrations,
    /// Whoever waits for the next one to be forgotten.
    keeper: Option<Waker>,
    /// How many calls have gone out, so that providers of one name take turns.
    calls: usize,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("registrations", &self.lock().registrations).finish_non_exhaustive()
    }
}

impl Registry {
    /// A registry that knows nobody; calls from inside go out by that way.
    pub fn new(outbound: Arc<dyn Outbound>) -> Self {
        Registry { shared: Arc::default(), outbound }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A provider says that it is there, which counts for so long ([`TIME_TO_LIVE`], if it does not say), in
    /// virtual time.
    ///
    /// # Errors
    /// The name or the URL is none, the name is that of the gateway or of a service of the run, or there are too
    /// many.
    pub fn ping(
        &self,
        io: &ServiceIo,
        name: &str,
        url: &str,
        lasts: Option<SimDuration>,
    ) -> Result<Pinged, RegistrationError> {
        match io.find(name) {
            Some(service) if service == io.id() => return Err(RegistrationError::Gateway { name: name.to_owned() }),
            Some(_) => return Err(RegistrationError::Inside { name: name.to_owned() }),
            None => {}
        }
        let now = io.now();
        let (pinged, keeper) = {
            let mut shared = self.lock();
            let before = shared.registrations.due();
            let pinged = shared.registrations.ping(name, url, lasts.unwrap_or(TIME_TO_LIVE), now)?;
            let changed = shared.registrations.due() != before;
            (pinged, shared.keeper.take_if(|_| changed))
        };
        keeper.into_iter().for_each(Waker::wake);
        if pinged == Pinged::New {
            io.directory().register(Offering::of(name).with(URL, url));
        }
        Ok(pinged)
    }

    /// Everybody who provides what fits the pattern (`*` any characters, `?` one), the best first: services of
    /// that name that are there, in order of declaration; those that a directory tells of, or, where none is
    /// known, those that offer an interface of that name; then providers outside, whoever was heard of last
    /// first. No more than [`LOCATED_LIMIT`].
    ///
    /// # Errors
    /// The pattern is none; or nobody was found, and no directory has answered that might know of some.
    pub async fn locate(&self, io: &ServiceIo, pattern: &str) -> Result<Vec<Located>, LocateError> {
        let Ok(query) = Query::glob(pattern) else { return Err(LocateError::TooLong { bytes: pattern.len() }) };
        let glob = WildMatch::new(pattern);
        let fits = |name: &str| glob.matches(name);
        let me = io.name();
        let others = || Catalogue::of(io).all().filter(|listed| listed.running && listed.name != me);
        let by_name = others().filter(|listed| fits(&listed.name));
        let mut located: Vec<Located> = by_name.map(inside).take(LOCATED_LIMIT).collect();
        let mut failure = None;
        let mut urls = Vec::new();
        if io.directory_address().is_none() {
            located.extend(others().flat_map(|listed| interfaces(listed, fits)));
        } else {
            match io.directory().find(query).await {
                Ok(providers) => {
                    for provider in providers {
                        match self.seen_by(io, provider) {
                            Some(Located::Outside(provision)) => urls.push(provision),
                            Some(inside) => located.push(inside),
                            None => {}
                        }
                    }
                }
                Err(error) => failure = Some(error),
            }
        }
        // A directory may not have heard yet of whom it is told, nor of who is gone.
        let own = self.lock().registrations.find(fits, io.now());
        let known: BTreeSet<Provision> = own.iter().cloned().collect();
        urls.retain(|provision| !known.contains(provision));
        located.extend(own.into_iter().chain(urls).map(Located::Outside));
        located.truncate(LOCATED_LIMIT);
        match failure {
            Some(error) if located.is_empty() => Err(LocateError::Directory(error)),
            _ => Ok(located),
        }
    }

    /// Somebody whom a directory tells of; nobody if they are this gateway's own, of whom it knows more.
    fn seen_by(&self, io: &ServiceIo, provider: Provider) -> Option<Located> {
        let Provider { address, service: name, mut params } = provider;
        if address == io.address() {
            return None;
        }
        if let Some(url) = params.remove(URL) {
            return Some(Located::Outside(Provision { name, url }));
        }
        let owner = io.desk.network.book.borrow().owner_of(address)?;
        Some(Located::Inside { name, service: io.name_of(owner.service) })
    }

    /// Tells the directory of everybody who is registered, and takes out whoever falls silent. Goes on as long
    /// as its gateway lives.
    pub(super) async fn keep(self, io: ServiceIo) {
        let all = self.lock().registrations.find(|_| true, io.now());
        for Provision { name, url } in all {
            io.directory().register(Offering::of(name).with(URL, url));
        }
        loop {
            let due = self.lock().registrations.due();
            let changed = self.due_changes(due);
            match due {
                Some(at) => drop(select(Box::pin(io.sleep_until(at)), Box::pin(changed)).await),
                None => changed.await,
            }
            let gone = self.lock().registrations.expire(io.now());
            for Provision { name, url } in gone {
                io.directory().unregister(Offering::of(name).with(URL, url));
            }
        }
    }

    /// Is over when the next one to be forgotten is another one, or at another time.
    async fn due_changes(&self, from: Option<SimTime>) {
        poll_fn(|cx| {
            let mut shared = self.lock();
            if shared.registrations.due() != from {
                return Poll::Ready(());
            }
            shared.keeper = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// A call from inside of something that was found at the gateway's address: `name.method`. It goes out to
    /// whoever has registered under that name, one after the other until one takes it.
    pub(super) async fn call_out(
        &self,
        io: &ServiceIo,
        outside: &Rc<Cell<usize>>,
        params: Value,
        channel: ReplyChannel,
    ) {
        let called = channel.call().method();
        let Some((method, urls)) = self.providers_of(called, io.now()) else {
            let reason = format!("nobody outside has registered for `{called}`");
            // That the service is gone meanwhile, its callers are told by others.
            let _ = channel.answer(RpcAnswer::NotUnderstood(reason));
            return;
        };
        let from = io.name_of(channel.call().caller());
        let mut came = None;
        for url in urls {
            let errand = Errand::call(&channel, method, params.clone());
            let request = OutboundRequest { url, from: from.clone(), baggage: io.baggage.to_text(), errand };
            came = ask(outside, &*self.outbound, request).await;
            if !matches!(came, Some(Came::Refused(_))) {
                break;
            }
        }
        answer(io, &channel, came);
    }

    /// The method that is meant, and who may be asked for it: of the names that fit the longest.
    fn providers_of<'a>(&self, called: &'a str, now: SimTime) -> Option<(&'a str, Vec<String>)> {
        let mut shared = self.lock();
        let (method, mut urls) = called.rmatch_indices('.').find_map(|(dot, _)| {
            let urls = shared.registrations.urls(&called[..dot], now);
            (!urls.is_empty()).then(|| (&called[dot + 1..], urls))
        })?;
        shared.calls = shared.calls.wrapping_add(1);
        let turn = shared.calls % urls.len();
        urls.rotate_left(turn);
        Some((method, urls))
    }
}

fn inside(listed: Listed) -> Located {
    Located::Inside { name: listed.name.clone(), service: listed.name }
}

/// What a service offers under other names than its own that fit.
fn interfaces(listed: Listed, fits: impl Fn(&str) -> bool) -> Vec<Located> {
    let Listed { name: service, offered, .. } = listed;
    let names = offered.iter().flat_map(|offered| &offered.interfaces).map(|interface| &interface.description.name);
    let others = names.filter(|name| **name != service && fits(name));
    others.map(|name| Located::Inside { name: name.clone(), service: service.clone() }).collect()
}
