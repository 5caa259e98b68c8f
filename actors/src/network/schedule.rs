//! What changes in the network during a run, and when.

use std::collections::VecDeque;

use crate::changes::{Change, PolicyState, ScheduledChange};
use crate::network::Network;

/// The changes of a run, faults and policies, in order of time.
pub(crate) struct Schedule {
    /// Whether some machine crashes, and may be waited for.
    crashes: bool,
    faults: VecDeque<ScheduledChange>,
    policies: Vec<(u64, PolicyState)>,
    /// When the first of them all is due.
    next: Option<u64>,
}

impl Schedule {
    pub(crate) fn new(mut faults: Vec<ScheduledChange>, policies: Vec<PolicyState>) -> Self {
        faults.sort_by_key(|fault| fault.at);
        let policies = policies.into_iter().map(|p| (p.every().as_nanos().max(1), p)).collect();
        let crashes = faults.iter().any(|fault| matches!(fault.change, Change::NodeCrash(_)));
        let mut schedule = Schedule { crashes, faults: faults.into(), policies, next: None };
        schedule.find_next();
        schedule
    }

    fn find_next(&mut self) {
        let fault = self.faults.front().map(|fault| fault.at.as_nanos());
        let policy = self.policies.iter().map(|(at, _)| *at).min();
        self.next = fault.into_iter().chain(policy).min();
    }

    #[inline]
    pub(super) fn next_time(&self) -> Option<u64> {
        self.next
    }

    /// When a fault next strikes services: they may have something to do then, though now nobody has.
    pub(super) fn next_strike(&self) -> Option<u64> {
        let strikes = |fault: &&ScheduledChange| {
            let brings_back = self.crashes && matches!(fault.change, Change::NodeUp(_));
            brings_back || fault.change.strikes()
        };
        self.faults.iter().find(strikes).map(|fault| fault.at.as_nanos())
    }

    /// Carries out everything that is due.
    pub(crate) fn carry_out(&mut self, network: &Network) {
        let now = network.now.get();
        while self.faults.front().is_some_and(|fault| fault.at.as_nanos() <= now) {
            if let Some(fault) = self.faults.pop_front() {
                network.change(&fault.change);
            }
        }
        for (at, policy) in &mut self.policies {
            if *at <= now {
                *at = now.saturating_add(policy.every().as_nanos().max(1));
                let changes = network.topology(|topology| policy.draw(topology));
                for change in changes {
                    network.change(&change);
                }
            }
        }
        self.find_next();
    }
}
