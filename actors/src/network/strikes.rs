//! What faults do to services: who dies, and who comes back.

use crate::changes::Change;
use crate::network::Network;
use crate::network::endings::Cause;

impl Network {
    /// Strikes of before there was anybody to be struck.
    pub(crate) fn take_early_strikes(&self) -> Vec<Change> {
        self.early_strikes.take()
    }

    /// After a change of the network: kills and brings back the services that it strikes.
    pub(crate) fn strike(&self, change: &Change) {
        let Some(overseer) = self.overseer() else {
            // Nobody has begun yet: it strikes once they have.
            return self.early_strikes.borrow_mut().push(change.clone());
        };
        match change {
            Change::Kill(service) => self.end(*service, Cause::Killed),
            Change::KillSupervisor(name) => {
                if let Some(supervisor) = overseer.find(name) {
                    self.end(supervisor, Cause::Killed);
                }
            }
            Change::NodeCrash(node) => overseer.node_crashed(*node),
            // A machine that crashed and is up again runs again, whatever it is called.
            Change::NodeRestart(node) | Change::NodeUp(node) => overseer.node_is_back(*node),
            _ => {}
        }
    }
}
