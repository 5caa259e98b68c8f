//! Addresses: who takes a raw message, as the triple of machine, router and connection.
//!
//! An address is printed as `machine:router:connection`, `2:0:7`, and read in that form. Two
//! connections of each machine's router 0 are special and go by their names, `2:LocalHubDirectory`
//! and `2:LocalInterMachineRouter`. Among people on one machine the short forms are enough
//! ([`Address::seen_from`]): `0:7` for somebody at another of its routers, `7` at the same.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::topology::NodeId;

/// A machine: the node of that place in the order of declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MachineId(pub u32);

/// A router of a machine. Every machine has a router 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouterId(pub u16);

/// A connection that a router has given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u32);

impl From<NodeId> for MachineId {
    fn from(node: NodeId) -> Self {
        MachineId(node.0)
    }
}

const INTER_MACHINE_ROUTER: ConnectionId = ConnectionId(0);
const HUB_DIRECTORY: ConnectionId = ConnectionId(1);

impl ConnectionId {
    /// The first number that a router gives out; those before it are special.
    pub(crate) const FIRST: ConnectionId = ConnectionId(2);
}

/// Who takes a raw message: see the [module](self).
///
/// ```
/// use rehearsal_actors::router::Address;
///
/// let address: Address = "2:0:7".parse()?;
/// assert_eq!(address.to_string(), "2:0:7");
/// let hub = Address::local_hub_directory(address.machine);
/// assert_eq!(hub.to_string(), "2:LocalHubDirectory");
/// assert_eq!("2:LocalHubDirectory".parse(), Ok(hub));
/// # Ok::<(), rehearsal_actors::router::BadAddress>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The machine.
    pub machine: MachineId,
    /// Which of its routers.
    pub router: RouterId,
    /// Which of the router's connections. No number is ever used again.
    pub connection: ConnectionId,
}

impl Address {
    /// Where a machine's hub directory is, whichever connection it has: what is sent there goes to
    /// whoever is the hub when it arrives.
    pub const fn local_hub_directory(machine: MachineId) -> Address {
        Address { machine, router: RouterId(0), connection: HUB_DIRECTORY }
    }

    /// Where a machine takes messages that are to go on to other machines.
    pub const fn local_inter_machine_router(machine: MachineId) -> Address {
        Address { machine, router: RouterId(0), connection: INTER_MACHINE_ROUTER }
    }

    /// Whether this is a machine's [`local_hub_directory`](Self::local_hub_directory).
    pub fn is_local_hub_directory(self) -> bool {
        self == Address::local_hub_directory(self.machine)
    }

    /// Whether this is a machine's [`local_inter_machine_router`](Self::local_inter_machine_router).
    pub fn is_local_inter_machine_router(self) -> bool {
        self == Address::local_inter_machine_router(self.machine)
    }

    fn name(self) -> Option<&'static str> {
        match self {
            _ if self.is_local_hub_directory() => Some(HUB_DIRECTORY_NAME),
            _ if self.is_local_inter_machine_router() => Some(INTER_MACHINE_ROUTER_NAME),
            _ => None,
        }
    }

    /// The address as short as it may be for somebody there: for people to read, and not to be read
    /// back.
    pub fn seen_from(self, there: Address) -> SeenFrom {
        SeenFrom { address: self, there }
    }
}

const HUB_DIRECTORY_NAME: &str = "LocalHubDirectory";
const INTER_MACHINE_ROUTER_NAME: &str = "LocalInterMachineRouter";

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Address { machine, router, connection } = self;
        f.pad(&match self.name() {
            Some(name) => format!("{}:{name}", machine.0),
            None => format!("{}:{}:{}", machine.0, router.0, connection.0),
        })
    }
}

/// An address in its short form: see [`Address::seen_from`].
#[derive(Clone, Copy, Debug)]
pub struct SeenFrom {
    address: Address,
    there: Address,
}

impl fmt::Display for SeenFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SeenFrom { address, there } = *self;
        f.pad(&match address.name() {
            _ if address.machine != there.machine => address.to_string(),
            Some(name) => name.to_owned(),
            None if address.router != there.router => format!("{}:{}", address.router.0, address.connection.0),
            None => address.connection.0.to_string(),
        })
    }
}

/// A text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no address; write machine:router:connection, such as `2:0:7`, `2:{HUB_DIRECTORY_NAME}` or \
     `2:{INTER_MACHINE_ROUTER_NAME}`"
)]
pub struct BadAddress {
    text: String,
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let read = || {
            let (machine, rest) = text.split_once(':')?;
            let machine = MachineId(machine.parse().ok()?);
            match rest.split_once(':') {
                Some((router, connection)) => Some(Address {
                    machine,
                    router: RouterId(router.parse().ok()?),
                    connection: ConnectionId(connection.parse().ok()?),
                }),
                None if rest == HUB_DIRECTORY_NAME => Some(Address::local_hub_directory(machine)),
                None if rest == INTER_MACHINE_ROUTER_NAME => Some(Address::local_inter_machine_router(machine)),
                None => None,
            }
        };
        read().ok_or_else(|| BadAddress { text: text.to_owned() })
    }
}

/// As its printed form where people read it, as three numbers elsewhere.
impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        (self.machine.0, self.router.0, self.connection.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return String::deserialize(deserializer)?.parse().map_err(D::Error::custom);
        }
        let (machine, router, connection) = Deserialize::deserialize(deserializer)?;
        let (machine, router) = (MachineId(machine), RouterId(router));
        Ok(Address { machine, router, connection: ConnectionId(connection) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(machine: u32, router: u16, connection: u32) -> Address {
        Address { machine: MachineId(machine), router: RouterId(router), connection: ConnectionId(connection) }
    }

    #[test]
    fn only_router_0_has_special_addresses() {
        assert_eq!(at(3, 0, 0).to_string(), "3:LocalInterMachineRouter");
        assert_eq!(at(3, 0, 1).to_string(), "3:LocalHubDirectory");
        assert_eq!(at(3, 1, 1).to_string(), "3:1:1");
        assert!(!at(3, 1, 0).is_local_inter_machine_router());
    }

    #[test]
    fn what_two_addresses_share_is_left_out_of_the_short_form() {
        let here = at(2, 0, 7);
        for (address, short) in [
            (at(2, 0, 9), "9"),
            (at(2, 1, 9), "1:9"),
            (at(3, 0, 9), "3:0:9"),
            (at(2, 0, 1), "LocalHubDirectory"),
            (at(3, 0, 1), "3:LocalHubDirectory"),
        ] {
            assert_eq!(address.seen_from(here).to_string(), short);
        }
    }

    #[test]
    fn a_text_that_is_no_address_is_told_what_one_looks_like() {
        for text in ["", "7", "2:0", "2:0:x", "2:0:7:1", "-1:0:7", "2:70000:1", "2:LocalHub"] {
            let told = text.parse::<Address>().map_err(|error| error.to_string());
            assert!(told.as_ref().is_err_and(|told| told.contains("`2:0:7`")), "{text}: {told:?}");
        }
    }

    proptest! {
        #[test]
        fn an_address_survives_print_and_parse_json_and_postcard(machine: u32, router: u16, connection in 0u32..10) {
            let address = at(machine, router % 3, connection);
            prop_assert_eq!(address.to_string().parse(), Ok(address));
            let json = serde_json::to_string(&address).unwrap();
            prop_assert_eq!(serde_json::from_str::<Address>(&json).unwrap(), address);
            let bytes = postcard::to_stdvec(&address).unwrap();
            prop_assert_eq!(postcard::from_bytes::<Address>(&bytes).unwrap(), address);
        }
    }
}
