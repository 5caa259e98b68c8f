//! Looking for providers.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::rc::Rc;

use super::{GET_ENTRIES, Listing, Provider, WAIT};
use crate::directory::Query;
use crate::interfaces::CallError;
use crate::interfaces::raw::{Connection, Draft, Raw};
use crate::network::pending::Deadline;
use crate::outcome::{Interface, Undelivered};
use crate::router::KnownDirectory;
use crate::service::desk::Desk;
use crate::service::let_others_run;
use crate::units::SimDuration;

/// How long a directory is asked to wait for somebody to appear, before it is asked again.
const PATIENCE: SimDuration = SimDuration::from_millis(500);
/// How long whoever waits pauses when no directory has answered.
const PAUSE: SimDuration = SimDuration::from_millis(125);

/// A search for providers: await it for all of them, or let it [pick](Self::any) one.
#[must_use = "nobody is asked until it is awaited"]
pub struct Search {
    desk: Rc<Desk>,
    query: Query,
    /// Until somebody is found.
    waits: bool,
    timeout: SimDuration,
}

impl Search {
    pub(super) fn new(desk: &Rc<Desk>, query: Query, waits: bool) -> Self {
        Search { desk: desk.clone(), query, waits, timeout: desk.network.timeout }
    }

    /// Searches no longer than that; without it, as long as the scenario's timeout.
    pub fn timeout(mut self, timeout: SimDuration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The first of them in the order of names and addresses.
    ///
    /// # Errors
    /// As awaiting all of them.
    pub async fn first(self) -> Result<Option<Provider>, CallError> {
        Ok(self.all().await?.into_iter().next())
    }

    /// One of them, drawn from the service's random numbers.
    ///
    /// # Errors
    /// As awaiting all of them.
    pub async fn any(self) -> Result<Option<Provider>, CallError> {
        let desk = self.desk.clone();
        let all = self.all().await?;
        Ok(desk.random(|stream| stream.pick(&all).cloned()))
    }

    async fn all(self) -> Result<Vec<Provider>, CallError> {
        let network = &self.desk.network;
        let began = network.now();
        let deadline = began + self.timeout;
        let connection = Raw::new(&self.desk).open().ignoring_unhandled_replies();
        let mut failure = None;
        loop {
            let mut known = self.known().await;
            let mut refused = false;
            while !known.is_empty() {
                let share = SimDuration::from_nanos(deadline.since(network.now()).as_nanos() / known.len() as u64);
                let directory = known.remove(0);
                let asked = network.now();
                match self.ask(&connection, directory, share).await {
                    Ok(providers) => {
                        self.desk.raw().answering.set(Some(directory));
                        if !(self.waits && providers.is_empty()) {
                            return Ok(providers);
                        }
                        if network.now() >= deadline || network.now().since(asked) < PATIENCE {
                            // It has not waited: too many wait there already.
                            break;
                        }
                        known.insert(0, directory);
                    }
                    // It serves none of this service's vnets; another one may.
                    Err(CallError::Denied { .. }) => refused = true,
                    Err(error) => failure = Some(error),
                }
            }
            if !self.waits {
                return match failure {
                    Some(error) if !refused => Err(error),
                    None if !refused => Err(nobody_known()),
                    _ => Ok(Vec::new()),
                };
            }
            let left = deadline.since(network.now());
            if left.is_zero() {
                let what = format!("a provider of `{}`", self.query);
                return Err(CallError::TimedOut { what, waited: network.now().since(began) });
            }
            Deadline::new(network.clone(), network.now() + left.min(PAUSE)).await;
        }
    }

    /// The directories to ask, the one that answered last first.
    async fn known(&self) -> Vec<KnownDirectory> {
        let mut known = self.desk.known_directories();
        if known.is_empty() {
            // Perhaps it only has to begin, in this very instant.
            let_others_run().await;
            known = self.desk.known_directories();
        }
        let last = self.desk.raw().answering.get();
        if let Some(at) = known.iter().position(|directory| Some(*directory) == last) {
            known[..=at].rotate_right(1);
        }
        known
    }

    /// Asks one directory; the answer counts until the deadline.
    async fn ask(
        &self,
        connection: &Connection,
        directory: KnownDirectory,
        share: SimDuration,
    ) -> Result<Vec<Provider>, CallError> {
        let to = self.desk.network.book.borrow().reach(directory);
        let mut draft = Draft::new(to, GET_ENTRIES).contents(&self.query).speaking(Interface::Directory);
        let mut patience = share;
        if self.waits {
            patience = patience.min(PATIENCE + PATIENCE);
            draft = draft.meta(WAIT, format!("{:#}", PATIENCE.min(patience)));
        }
        let reply = connection.request(draft).timeout(patience).await?;
        let listed: Vec<Listing> = reply.json()?;
        let provider =
            |Listing { service, address, params, .. }: Listing| Some(Provider { address: address?, service, params });
        Ok(listed.into_iter().filter_map(provider).collect())
    }
}

fn nobody_known() -> CallError {
    Undelivered::UnknownService("directory".to_owned()).into()
}

impl IntoFuture for Search {
    type Output = Result<Vec<Provider>, CallError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output>>>;

    /// # Errors
    /// No directory is known, or none has answered. Of those that were asked, the last one's failure.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.all())
    }
}
