//! What is said to directories, and by them: raw messages that count as
//! [`Interface::Directory`](crate::outcome::Interface::Directory).

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::directory::{Entry, Offer, Params, Permission, Vnet};
use crate::router::Address;
use crate::units::SimDuration;

/// Asks a directory to register an entry.
pub const REGISTER_ENTRY: &str = "REGISTER_ENTRY";
/// Asks a directory to take an entry back.
pub const UNREGISTER_ENTRY: &str = "UNREGISTER_ENTRY";
/// Asks a directory to take all entries of an address back.
pub const UNREGISTER_ADDR: &str = "UNREGISTER_ADDR";
/// Asks a directory who bears a responsibility.
pub const GET_ENTRIES: &str = "GET_ENTRIES";
/// Brings a directory news of another one. Only directories are believed.
pub const SHARE_ENTRIES: &str = "SHARE_ENTRIES";
/// With [`GET_ENTRIES`], among what else is written on the message: how long the directory is to wait
/// for an entry if it has none, as a text like `500ms`.
pub const WAIT: &str = "wait";

/// An entry in a message. Who asks for it leaves out what is understood: his own address, his own
/// vnets.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listing {
    pub(crate) service: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<Address>,
    #[serde(default, skip_serializing_if = "Params::is_empty")]
    pub(crate) params: Params,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) vnets: Option<BTreeSet<Vnet>>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) permissions: BTreeSet<Permission>,
}

impl Listing {
    /// What is registered: at the sender's address and in the sender's vnets, where none are named.
    pub(crate) fn entry(self, sender: Address, own: impl FnOnce() -> BTreeSet<Vnet>) -> Entry<Address> {
        let Listing { service, address, params, vnets, permissions } = self;
        let offer = Offer { service, address: address.unwrap_or(sender), params };
        Entry { offer: offer.into(), vnets: vnets.unwrap_or_else(own), permissions }
    }
}

impl Listing {
    /// What is taken back, whoever may see it.
    pub(crate) fn of(offer: Arc<Offer<Address>>) -> Self {
        let Offer { service, address, params } = Arc::unwrap_or_clone(offer);
        Listing { service, address: Some(address), params, vnets: None, permissions: BTreeSet::new() }
    }
}

impl From<Entry<Address>> for Listing {
    fn from(Entry { offer, vnets, permissions }: Entry<Address>) -> Self {
        Listing { vnets: Some(vnets), permissions, ..Listing::of(offer) }
    }
}

/// What a directory says to a provider: with a PING how many of its entries there are, and with every
/// answer how long it may be silent.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Word {
    pub(crate) entries: usize,
    #[serde(serialize_with = "written")]
    pub(crate) heartbeat: SimDuration,
}

fn written<S: serde::Serializer>(duration: &SimDuration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{duration:#}"))
}
