//! Who provides what, and for whom: entries, and what is asked of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use super::names::{LOCAL, Permission, Vnet};

/// Where a provider is reached. Directories compare and copy addresses, and look into none.
pub trait Place: Copy + Ord + Hash + fmt::Debug + Serialize + 'static {}

impl<T: Copy + Ord + Hash + fmt::Debug + Serialize + 'static> Place for T {}

/// What tells one provision of a service from another: `ccy` = `USD`.
pub type Params = BTreeMap<String, String>;

/// A service may have a name of so many bytes, and a pattern be as long.
pub const NAME_LIMIT: usize = 255;

/// A responsibility and who bears it. The order of offers is by service, then address, then
/// parameters: the same in every directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Offer<A> {
    /// The service provided.
    pub service: String,
    /// Who provides it.
    pub address: A,
    /// Which provision of the service it is.
    pub params: Params,
}

/// An offer and who may see it.
///
/// An offer has one entry: registering it with other vnets or permissions changes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry<A> {
    /// What is provided, and by whom: shared with the directory that has it, not copied.
    pub offer: Arc<Offer<A>>,
    /// The virtual networks it is for. None means `local`.
    pub vnets: BTreeSet<Vnet>,
    /// All that an asker must hold to see it.
    pub permissions: BTreeSet<Permission>,
}

impl<A: Place> Entry<A> {
    /// An entry without parameters, in the vnet `local`, that needs no permission.
    pub fn new(address: A, service: impl Into<String>) -> Self {
        let offer = Arc::new(Offer { service: service.into(), address, params: Params::new() });
        Entry { offer, vnets: BTreeSet::new(), permissions: BTreeSet::new() }
    }

    /// The same with a parameter.
    #[must_use]
    pub fn with(mut self, param: impl Into<String>, value: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.offer).params.insert(param.into(), value.into());
        self
    }

    /// The same in one more vnet.
    #[must_use]
    pub fn on(mut self, vnet: impl Into<Vnet>) -> Self {
        self.vnets.insert(vnet.into());
        self
    }

    /// The same for those only who hold one more permission.
    #[must_use]
    pub fn needing(mut self, permission: impl Into<Permission>) -> Self {
        self.permissions.insert(permission.into());
        self
    }
}

/// The vnets named, or `local` if none is.
pub(super) fn or_local(vnets: &BTreeSet<Vnet>) -> BTreeSet<Vnet> {
    if vnets.is_empty() { [Vnet::from(LOCAL)].into() } else { vnets.clone() }
}

/// What somebody looks for.
///
/// ```
/// use rehearsal_actors::directory::Query;
///
/// Query::named("vol-surface").with("ccy", "USD"); // that service, of that currency
/// Query::glob("workers.*")?; //                      workers.01, workers.02 ...
/// # Ok::<(), rehearsal_actors::directory::QueryError>(())
/// ```
///
/// A text is the name of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Query {
    pub(super) service: Pattern,
    pub(super) params: Params,
}

/// Which services' names match.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Pattern {
    Exact(String),
    Glob(WildMatch),
}

impl Query {
    /// Services of exactly this name.
    pub fn named(service: impl Into<String>) -> Self {
        Query { service: Pattern::Exact(service.into()), params: Params::new() }
    }

    /// Services whose names match: `*` stands for any characters or none, `?` for one character,
    /// everything else for itself. A pattern with neither is a name, and looked up as fast.
    ///
    /// # Errors
    /// A pattern longer than [`NAME_LIMIT`].
    pub fn glob(pattern: &str) -> Result<Self, QueryError> {
        if pattern.len() > NAME_LIMIT {
            return Err(QueryError::TooLong { bytes: pattern.len() });
        }
        Ok(if pattern.contains(['*', '?']) {
            Query { service: Pattern::Glob(WildMatch::new(pattern)), params: Params::new() }
        } else {
            Query::named(pattern)
        })
    }

    /// Those of them only that have this parameter with this value. They may have others too.
    #[must_use]
    pub fn with(mut self, param: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.insert(param.into(), value.into());
        self
    }

    /// Whether all parameters asked for are there and equal.
    pub(super) fn fits(&self, params: &Params) -> bool {
        self.params.iter().all(|(param, value)| params.get(param) == Some(value))
    }
}

impl From<&str> for Query {
    fn from(service: &str) -> Self {
        Query::named(service)
    }
}

impl From<String> for Query {
    fn from(service: String) -> Self {
        Query::named(service)
    }
}

/// As people would ask: `add-one`, `workers.* with ccy=USD`.
impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.service {
            Pattern::Exact(service) => f.write_str(service)?,
            Pattern::Glob(pattern) => f.write_str(&pattern.pattern())?,
        }
        for (number, (param, value)) in self.params.iter().enumerate() {
            write!(f, "{}{param}={value}", if number == 0 { " with " } else { ", " })?;
        }
        Ok(())
    }
}

/// A query in a message: a service's name, or a pattern.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    glob: Option<String>,
    #[serde(default, skip_serializing_if = "Params::is_empty")]
    params: Params,
}

impl From<Query> for Written {
    fn from(Query { service, params }: Query) -> Self {
        match service {
            Pattern::Exact(service) => Written { service: Some(service), glob: None, params },
            Pattern::Glob(pattern) => Written { service: None, glob: Some(pattern.pattern()), params },
        }
    }
}

impl TryFrom<Written> for Query {
    type Error = QueryError;

    fn try_from(Written { service, glob, params }: Written) -> Result<Self, QueryError> {
        let query = match (service, glob) {
            (Some(service), None) => Query::named(service),
            (None, Some(pattern)) => Query::glob(&pattern)?,
            (None, None) => Query::glob("*")?,
            (Some(_), Some(_)) => return Err(QueryError::Twofold),
        };
        Ok(Query { params, ..query })
    }
}

/// What is wrong with a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// No service has so long a name.
    #[error("the pattern has {bytes} bytes, and {NAME_LIMIT} are enough for any service; shorten it")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// A name and a pattern at once.
    #[error("a query has a service's name or a pattern, not both; leave one out")]
    Twofold,
}

/// Why a directory does not do as it is told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Somebody else's entry. Said of every address that is not the sender's, whether or not there
    /// is anything to be found there.
    #[error("entries of another address can be changed from that address only")]
    NotTheOwner,
    /// The directory does not serve the vnet, so nobody would see the entry.
    #[error("this directory does not serve the vnet `{0}`; register with one that does, or let this one serve it")]
    VnetNotServed(Vnet),
    /// The service's name is empty or longer than [`NAME_LIMIT`].
    #[error("a service's name has 1 to {NAME_LIMIT} bytes, not {bytes}")]
    BadName {
        /// How long it is.
        bytes: usize,
    },
}

/// What registering an entry has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// There was none for this offer here.
    New,
    /// There was; its vnets or permissions are other ones now.
    Changed,
    /// There was the very same; nothing is different, but that its provider has been heard.
    Same,
}
