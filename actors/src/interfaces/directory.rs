//! Directories, as a service sees them: which responsibilities it bears, and who bears others.
//!
//! A service says once what it offers. From then on the runtime keeps that registered with one of the
//! directories that the service [knows](crate::service::ServiceIo::known_directories): it answers their
//! heartbeats whatever the service itself is at work on, goes to another directory when its own falls
//! silent, and takes everything back when the service ends in an orderly way. An end of any other
//! kind shows by the missing answers, and a new incarnation offers anew what it wants to offer.
//!
//! Who looks for a responsibility gets those providers that it [may
//! see](crate::directory::Asker), by the vnets and permissions of its own declaration.
//!
//! All of it is raw messages, which anybody may send who would rather do so himself; vnets and
//! permissions are those of the sender's declaration whatever the message says:
//!
//! | subject | contents | answer |
//! |---|---|---|
//! | [`REGISTER_ENTRY`] | `service`; optional: `params`, `vnets`, `permissions`, `address` | `entries`: how many of the sender's there are; `heartbeat` |
//! | [`UNREGISTER_ENTRY`] | `service`; optional: `params`, `address` | the same |
//! | [`UNREGISTER_ADDR`] | nothing, or the sender's address | the same |
//! | [`GET_ENTRIES`] | `service` or `glob`; optional: `params` | a list of entries |
//! | [`PING`](super::raw::PING) | nothing | nothing |
//!
//! What is not allowed is answered with [`DENIED`](super::raw::DENIED), what cannot be read with
//! [`DOES_NOT_UNDERSTAND`](super::raw::DOES_NOT_UNDERSTAND). A directory pings everybody who has
//! registered and drops those who have not answered when the next round comes.
//!
//! ```
//! use rehearsal_actors::directory::Query;
//! use rehearsal_actors::interfaces::directory::Offering;
//! use rehearsal_actors::prelude::*;
//!
//! struct Trader;
//!
//! impl Service for Trader {
//!     async fn start(&self, io: &ServiceIo) -> Result<(), StepError> {
//!         io.directory().register(Offering::of("orders").with("ccy", "USD"));
//!         Ok(())
//!     }
//!
//!     async fn step(&self, io: &ServiceIo) -> StepResult {
//!         let surfaces = Query::glob("vol-surface.*")?.with("ccy", "USD");
//!         let surface = io.directory().wait_for(surfaces).timeout(SimDuration::from_secs(5)).any().await?;
//!         io.count("surfaces seen", u64::from(surface.is_some()));
//!         Ok(Step::Stop)
//!     }
//! }
//! ```

mod member;
mod search;
mod wire;

use std::collections::BTreeSet;
use std::rc::Rc;

pub(crate) use member::Member;
pub use search::Search;
pub use wire::{GET_ENTRIES, REGISTER_ENTRY, SHARE_ENTRIES, UNREGISTER_ADDR, UNREGISTER_ENTRY, WAIT};
pub(crate) use wire::{Listing, Word};

use crate::directory::{Params, Permission, Query, Vnet};
use crate::router::Address;
use crate::service::desk::Desk;

/// Somebody who bears a responsibility.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// The connection that takes its messages.
    pub address: Address,
    /// What it provides.
    pub service: String,
    /// Which provision of that it is.
    pub params: Params,
}

/// What a service offers: see [`Directories::register`]. A text is the name of a service, offered to
/// all in the offerer's own vnets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offering {
    service: String,
    params: Params,
    vnets: Option<BTreeSet<Vnet>>,
    permissions: BTreeSet<Permission>,
}

impl Offering {
    /// A service of that name, without parameters, for all in the offerer's own vnets.
    pub fn of(service: impl Into<String>) -> Self {
        Offering { service: service.into(), params: Params::new(), vnets: None, permissions: BTreeSet::new() }
    }

    /// The same with a parameter.
    #[must_use]
    pub fn with(mut self, param: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.insert(param.into(), value.into());
        self
    }

    /// In that one of the offerer's vnets, and in others only that are named too.
    #[must_use]
    pub fn on(mut self, vnet: impl Into<Vnet>) -> Self {
        self.vnets.get_or_insert_default().insert(vnet.into());
        self
    }

    /// For those only who hold one more permission.
    #[must_use]
    pub fn needing(mut self, permission: impl Into<Permission>) -> Self {
        self.permissions.insert(permission.into());
        self
    }
}

impl From<&str> for Offering {
    fn from(service: &str) -> Self {
        Offering::of(service)
    }
}

impl From<String> for Offering {
    fn from(service: String) -> Self {
        Offering::of(service)
    }
}

/// The directories, for one service.
#[derive(Clone, Copy)]
pub struct Directories<'a> {
    desk: &'a Rc<Desk>,
}

impl<'a> Directories<'a> {
    pub(crate) fn new(desk: &'a Rc<Desk>) -> Self {
        Directories { desk }
    }

    /// Offers something from now on, at this service's main connection. It is registered as soon as a
    /// directory can be reached. Offering the same service with the same parameters again changes for
    /// whom it is.
    pub fn register(&self, offering: impl Into<Offering>) {
        Member::of(self.desk).offer(self.desk, offering.into());
    }

    /// Takes back what is offered under this name with these parameters. False if nothing is.
    pub fn unregister(&self, offering: impl Into<Offering>) -> bool {
        Member::of(self.desk).withdraw(self.desk, offering.into())
    }

    /// Who bears a responsibility now: all of them, in the order of their names and addresses, and
    /// perhaps nobody. A text is the name of a service.
    ///
    /// It asks the directories that it knows one after the other until one answers, beginning with the
    /// one that did so the last time.
    pub fn find(&self, query: impl Into<Query>) -> Search {
        Search::new(self.desk, query.into(), false)
    }

    /// Who bears a responsibility, as soon as anybody does: at least one, or a timeout.
    pub fn wait_for(&self, query: impl Into<Query>) -> Search {
        Search::new(self.desk, query.into(), true)
    }
}
