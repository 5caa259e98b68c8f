//! How long services take to recover: from a failure to the first request after it that is carried
//! out.

use std::collections::{BTreeMap, BTreeSet};

use crate::trace::ServiceId;
use crate::units::{SimDuration, SimTime};

/// So many are told, and the rest is not.
const RECOVERIES: usize = 1_000_000;

#[derive(Default)]
pub(crate) struct Recoveries {
    /// Who has failed, and when; of several failures the first.
    failed: BTreeMap<ServiceId, SimTime>,
    /// Those of them who were asked for something since, and did not do it.
    let_down: BTreeSet<ServiceId>,
    /// How long each took, in order.
    took: Vec<(ServiceId, SimDuration)>,
}

impl Recoveries {
    /// A service has failed.
    pub(crate) fn failed(&mut self, service: ServiceId, at: SimTime) {
        self.failed.entry(service).or_insert(at);
    }

    /// Whether nobody is being waited for.
    #[inline]
    pub(super) fn are_none(&self) -> bool {
        self.failed.is_empty()
    }

    /// A request was carried out.
    #[inline]
    pub(super) fn served(&mut self, by: ServiceId, sent_at: SimTime, at: SimTime) {
        if !self.failed.is_empty() {
            self.look(by, sent_at, at);
        }
    }

    #[cold]
    fn look(&mut self, by: ServiceId, sent_at: SimTime, at: SimTime) {
        // What was sent before the failure may have been carried out before it, too.
        if let Some(failed) = self.failed.get(&by).copied().filter(|failed| *failed <= sent_at) {
            self.failed.remove(&by);
            self.let_down.remove(&by);
            if self.took.len() < RECOVERIES {
                self.took.push((by, at.since(failed)));
            }
        }
    }

    /// A request was not carried out.
    #[inline]
    pub(super) fn not_served(&mut self, by: ServiceId, sent_at: SimTime) {
        if self.failed.get(&by).is_some_and(|failed| *failed <= sent_at) {
            self.let_down.insert(by);
        }
    }

    /// Every recovery, in order of time.
    pub(crate) fn all(&self) -> &[(ServiceId, SimDuration)] {
        &self.took
    }

    /// Who has failed and not recovered, and since when. Whom nobody has asked for anything since, may
    /// be well: there is nothing to tell by.
    pub(crate) fn down(&self) -> impl Iterator<Item = (ServiceId, SimTime)> {
        self.failed.iter().filter(|(service, _)| self.let_down.contains(service)).map(|(service, at)| (*service, *at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_asked_after_a_failure_is_not_said_to_be_down() {
        let [asked, let_alone, well] = [ServiceId(0), ServiceId(1), ServiceId(2)];
        let at = SimTime::from_nanos;
        let mut recoveries = Recoveries::default();
        [asked, let_alone, well].iter().for_each(|service| recoveries.failed(*service, at(10)));
        // What was sent before the failure says nothing.
        recoveries.not_served(let_alone, at(9));
        recoveries.not_served(asked, at(10));
        recoveries.not_served(well, at(11));
        recoveries.served(well, at(12), at(15));
        assert_eq!(recoveries.down().collect::<Vec<_>>(), [(asked, at(10))]);
        assert_eq!(recoveries.all(), [(well, SimDuration::from_nanos(5))]);
    }
}
