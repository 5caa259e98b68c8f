//! What is written down of beginnings and ends, for the story and the report.

use std::collections::BTreeMap;

use super::Lives;
use crate::network::endings::Cause;
use crate::report::{GivenUpReport, RestartCause, SupervisionReport};
use crate::supervision::spec::Intensity;
use crate::trace::ServiceId;

/// What has become of children so far.
#[derive(Default)]
pub(super) struct Account {
    /// How each last ended, of those that have.
    pub(super) last_ends: BTreeMap<ServiceId, RestartCause>,
    /// How often each was restarted, and why.
    restarts: BTreeMap<(ServiceId, RestartCause), u64>,
    /// Supervisors that gave up, in order.
    given_up: Vec<GivenUpReport>,
    /// How many messages were returned.
    pub(super) returned: u64,
}

/// So many supervisors that gave up are told.
const GIVEN_UP: usize = 1000;

pub(super) fn restart_cause(end: &Cause) -> RestartCause {
    match end {
        Cause::Normal => RestartCause::Ended,
        Cause::Shutdown => RestartCause::Sibling,
        Cause::Killed => RestartCause::Killed,
        Cause::Error(_) => RestartCause::Error,
        Cause::Panic(_) => RestartCause::Panic,
        Cause::NodeCrashed => RestartCause::NodeCrash,
        Cause::GaveUp => RestartCause::GaveUp,
    }
}

impl Lives {
    /// Writes down what became of a child, for the story.
    pub(super) fn note(&self, seat: ServiceId, what: &str) {
        let Some(boss) = self.seat_of_boss(seat) else { return };
        self.network.ledger.borrow_mut().supervised(self.network.now(), boss, seat, what);
    }

    /// If this is not its first life.
    pub(super) fn note_restart(&self, seat: ServiceId) {
        {
            let account = &mut *self.account.borrow_mut();
            let Some(after) = account.last_ends.remove(&seat) else { return };
            *account.restarts.entry((seat, after)).or_default() += 1;
        }
        self.note(seat, &format!("restarted as incarnation {}", self.network.incarnation(seat)));
    }

    pub(super) fn note_gave_up(&self, seat: ServiceId) {
        let posts = self.posts.borrow();
        let Some(post) = posts.get(seat.index() - self.first_post.index()) else { return };
        let Intensity { restarts, period } = post.spec.intensity;
        let why = format!("one restart more than {restarts} within {period}");
        let report = GivenUpReport { supervisor: post.spec.name.clone(), at: self.network.now(), why };
        let given_up = &mut self.account.borrow_mut().given_up;
        if given_up.len() < GIVEN_UP {
            given_up.push(report);
        }
    }

    /// How often each child was restarted so far, and why.
    pub(super) fn restarts_by_name(&self) -> BTreeMap<(String, RestartCause), u64> {
        let posts = self.posts.borrow();
        let mut restarts = BTreeMap::new();
        for ((seat, cause), count) in &self.account.borrow().restarts {
            let name = match self.is_supervisor(*seat) {
                true => posts[seat.index() - self.first_post.index()].spec.name.clone(),
                false => self.network.name_of(*seat),
            };
            *restarts.entry((name, *cause)).or_default() += count;
        }
        restarts
    }

    /// What is known of restarts when a run is over.
    pub(crate) fn report_restarts(&self, report: &mut SupervisionReport) {
        report.restarts = self.restarts_by_name();
        let posts = self.posts.borrow();
        let account = self.account.take();
        for ((seat, _), count) in &account.restarts {
            if let Some(boss) = self.boss_of(*seat) {
                let supervisor = posts[boss.post as usize].spec.name.clone();
                *report.restarts_by_supervisor.entry(supervisor).or_default() += count;
            }
        }
        report.given_up = account.given_up;
        report.returned = account.returned;
    }
}
