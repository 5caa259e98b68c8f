//! The ways in which a service speaks: [`mpi`] messages, [`rest`] requests, and [`raw`] messages.
//!
//! Each interface is bodies over the network and nothing more: a new one is a new file here and a
//! method of [`ServiceIo`](crate::service::ServiceIo).

pub mod exchange;
pub mod mpi;
pub mod raw;
pub mod rest;

use crate::network::Network;
use crate::network::waits::Course;
use crate::topology::NodeId;
use crate::trace::ServiceId;
use crate::units::SimDuration;

/// The way that a message took, as far as it is known to the one who sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Route {
    /// The nodes from the sender's to the receiver's, both included; empty if the message never
    /// left its node.
    pub nodes: Vec<NodeId>,
}

impl Route {
    /// How many links it takes.
    pub fn hops(&self) -> usize {
        self.nodes.len().saturating_sub(1)
    }

    fn of(network: &Network, course: Option<Course>) -> Route {
        let Some(Course { tree, to }) = course else {
            return Route::default();
        };
        let mut nodes = vec![to];
        network.topology(|topology| nodes.extend(tree.links_back(topology, to).map(|link| topology.ends(link).0)));
        nodes.reverse();
        Route { nodes }
    }
}

/// How a service is named: by its name, or by the id that came with one of its messages.
pub trait Recipient {
    /// The service, or the name that nobody bears.
    #[doc(hidden)]
    fn resolve(&self, network: NetworkView<'_>) -> Result<ServiceId, String>;
}

/// What a [`Recipient`] may look at.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct NetworkView<'a>(&'a Network);

impl Recipient for ServiceId {
    fn resolve(&self, _: NetworkView<'_>) -> Result<ServiceId, String> {
        Ok(*self)
    }
}

impl Recipient for str {
    fn resolve(&self, network: NetworkView<'_>) -> Result<ServiceId, String> {
        network.0.find(self).ok_or_else(|| self.to_owned())
    }
}

impl Recipient for String {
    fn resolve(&self, network: NetworkView<'_>) -> Result<ServiceId, String> {
        self.as_str().resolve(network)
    }
}

impl<R: Recipient + ?Sized> Recipient for &R {
    fn resolve(&self, network: NetworkView<'_>) -> Result<ServiceId, String> {
        (**self).resolve(network)
    }
}

/// Why a call did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// Nothing came in time: it may have happened all the same.
    #[error("timed out waiting for {what}")]
    TimedOut {
        /// What was waited for.
        what: String,
        /// How long.
        waited: SimDuration,
    },
    /// It will not arrive: it did not happen.
    #[error(transparent)]
    Undelivered(#[from] crate::outcome::Undelivered),
    /// The service that had it in its hands is gone: it may have happened.
    #[error("`{by}` is gone, and had it in its hands")]
    Interrupted {
        /// The service.
        by: String,
    },
    /// It came to somebody who does not know what it is about: it did not happen.
    #[error("`{by}` does not understand `{what}`")]
    NotUnderstood {
        /// Who does not.
        by: String,
        /// Its subject.
        what: String,
    },
    /// It was done and failed.
    #[error("`{by}` failed: {reason}")]
    Failed {
        /// Who has done it.
        by: String,
        /// How it failed.
        reason: String,
    },
    /// A REST request was answered with a failure.
    #[error("`{endpoint}` answered {status}")]
    Status {
        /// What was asked.
        endpoint: String,
        /// What it said.
        status: u16,
    },
    /// An answer does not have the expected form.
    #[error("the body of `{endpoint}` is not what was expected: {reason}")]
    Malformed {
        /// What was asked.
        endpoint: String,
        /// What is wrong with it.
        reason: String,
    },
}
