//! What faults do to services: who dies, and who comes back.

use crate::changes::Change;
use crate::network::Network;

impl Network {
    /// After a change of the network: kills and brings back the services that it strikes.
    pub(super) fn strike(&self, _change: &Change) {}
}
