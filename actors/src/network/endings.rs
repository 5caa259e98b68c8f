//! How services end, and with them a run: whatever they do last, the run goes on.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use crate::network::Network;
use crate::network::seats::{Closable, Presence};
use crate::panics::{Caught, catch};
use crate::report::RestartCause;
use crate::topology::NodeId;
use crate::trace::ServiceId;

/// How a service came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// By itself, in an orderly way.
    Normal,
    /// It was told to, and did in time.
    Shutdown,
    /// A fault of the scenario, or a supervisor that had waited long enough.
    Killed,
    /// It could not go on, and said why.
    Error(String),
    /// It panicked.
    Panic(String),
    /// Its machine went down under it.
    NodeCrashed,
    /// A supervisor whose children fail more often than it allows.
    GaveUp,
}

impl Cause {
    /// Whether it was a failure.
    pub(crate) const fn is_failure(&self) -> bool {
        !matches!(self, Cause::Normal | Cause::Shutdown)
    }
}

/// What became of the one who came to such an end.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Normal => f.write_str("ended"),
            Cause::Shutdown => f.write_str("was shut down"),
            Cause::Killed => f.write_str("was killed"),
            Cause::Error(reason) => write!(f, "failed: {reason}"),
            Cause::Panic(message) => write!(f, "panicked: {message}"),
            Cause::NodeCrashed => f.write_str("died with its machine"),
            Cause::GaveUp => f.write_str("gave up"),
        }
    }
}

/// Who is told of the beginnings and ends of services.
pub(crate) trait Overseer {
    /// A service has begun: its start is over.
    fn started(&self, service: ServiceId);
    /// A service has ended, and is gone.
    fn ended(&self, service: ServiceId, cause: Cause);
    /// A machine has crashed, and everything on it with it.
    fn node_crashed(&self, node: NodeId);
    /// A machine is up. If it had crashed, what has waited for it begins.
    fn node_is_back(&self, node: NodeId);
    /// The supervisor of that name.
    fn find(&self, supervisor: &str) -> Option<ServiceId>;
    /// How often each child was restarted so far, and why.
    fn restarts(&self) -> BTreeMap<(String, RestartCause), u64>;
    /// What a service that is there has yet to deal with; nothing is known of actors with handlers of their
    /// own.
    fn load_of(&self, service: ServiceId) -> Option<Load>;
}

/// What a service has yet to deal with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Load {
    /// Messages that no step has taken.
    pub(crate) inbox: usize,
    /// Requests and events that its handlers are at work on.
    pub(crate) in_hand: usize,
}

impl Network {
    pub(crate) fn set_overseer(&self, overseer: Option<Rc<dyn Overseer>>) {
        let before = self.overseer.replace(overseer);
        drop(before);
    }

    pub(crate) fn overseer(&self) -> Option<Rc<dyn Overseer>> {
        self.overseer.borrow().clone()
    }

    /// Whether the run is over, and its services end with it.
    pub(crate) fn is_over(&self) -> bool {
        self.overseer.borrow().is_none()
    }

    /// A service's start is over.
    pub(crate) fn started(&self, service: ServiceId) {
        if let Some(overseer) = self.overseer() {
            overseer.started(service);
        }
    }

    /// Drops what is left of a service or its messages: its code may panic even then.
    pub(crate) fn drop_what_is_left<T>(&self, service: ServiceId, left: T) {
        if let Err(caught) = catch(|| drop(left)) {
            self.ledger.borrow_mut().panicked(self.now(), service, caught);
        }
    }

    /// A service panicked: it is gone, and the run goes on.
    pub(crate) fn crash(&self, service: ServiceId, caught: Caught) {
        let cause = self.note_panic(service, caught);
        if self.seats.borrow().presence(service) == Presence::Stopped {
            // It had ended well so far, and what was left of it did not.
            self.seats.borrow_mut().set_presence(service, Presence::Crashed);
        }
        self.end(service, cause);
    }

    /// Writes a panic down. What the service ends with for it.
    pub(crate) fn note_panic(&self, service: ServiceId, caught: Caught) -> Cause {
        let cause = Cause::Panic(caught.message.clone());
        self.ledger.borrow_mut().panicked(self.now(), service, caught);
        cause
    }

    /// A service cannot go on, and says why.
    pub(crate) fn give_up(&self, service: ServiceId, reason: &str) {
        self.ledger.borrow_mut().gave_up(self.now(), service, reason);
        self.end(service, Cause::Error(reason.to_owned()));
    }

    /// Ends a service, unless it has ended: its tasks and its state are dropped, its connection is gone.
    pub(crate) fn end(&self, service: ServiceId, cause: Cause) {
        if self.seats.borrow().presence(service) != Presence::Running {
            return;
        }
        let presence = match cause {
            Cause::Normal | Cause::Shutdown => Presence::Stopped,
            Cause::Killed | Cause::Error(_) | Cause::Panic(_) | Cause::NodeCrashed | Cause::GaveUp => Presence::Crashed,
        };
        self.seats.borrow_mut().set_presence(service, presence);
        let last_words = self.close(service);
        let Some(overseer) = self.overseer() else { return };
        self.unplug(service);
        let cause = match last_words {
            // Whatever it has to say about that, its machine is what ended it.
            Some(message) if cause != Cause::NodeCrashed => Cause::Panic(message),
            _ => cause,
        };
        overseer.ended(service, cause);
    }

    /// Drops a service's tasks and its state. What it said if it panicked over that.
    fn close(&self, service: ServiceId) -> Option<String> {
        let closable = self.closables.borrow_mut().take(service);
        let mut last_words = None;
        for task in self.executor.tasks_of(service.0) {
            last_words = self.last_of(service, || self.executor.cancel(task)).or(last_words);
        }
        if let Some(closable) = closable {
            last_words = self.last_of(service, || closable.close()).or(last_words);
        }
        self.close_connections(service);
        last_words
    }

    /// A life that could not even begin.
    pub(crate) fn abort(&self, service: ServiceId) {
        self.seats.borrow_mut().set_presence(service, Presence::Crashed);
        self.close(service);
        self.unplug(service);
    }

    /// Nobody takes a service's messages any more.
    fn unplug(&self, service: ServiceId) {
        self.ports.all().for_each(|port| port.unplug(service));
        self.remove_taker_of_everything(service);
    }

    /// Runs what a service does last. If it panics, whatever else is left of it is still to be ended.
    fn last_of(&self, service: ServiceId, code: impl FnOnce()) -> Option<String> {
        let caught = catch(code).err()?;
        let message = caught.message.clone();
        self.ledger.borrow_mut().panicked(self.now(), service, caught);
        self.seats.borrow_mut().set_presence(service, Presence::Crashed);
        Some(message)
    }

    /// Begins the life of a service that is in its place.
    pub(crate) fn begin(&self, service: ServiceId) {
        let closable = self.closables.borrow().get(service).cloned();
        let Some(closable) = closable else { return };
        if let Err(caught) = catch(|| closable.start()) {
            self.crash(service, caught);
        }
    }

    /// Lets a service end in an orderly way: it runs what it does last.
    pub(crate) fn stop(&self, service: ServiceId) {
        let closable = self.closables.borrow().get(service).cloned();
        let Some(closable) = closable else { return };
        if let Err(caught) = catch(|| closable.stop()) {
            self.crash(service, caught);
        }
    }

    /// From now on a service takes nothing but answers to what it has asked.
    pub(crate) fn let_leave(&self, service: ServiceId) {
        let closable = self.closables.borrow().get(service).cloned();
        if let Some(closable) = closable {
            closable.leave();
        }
    }

    /// Ends every service that has begun in an orderly way: first those in `order`, then whatever else
    /// there is. What they say now is the last to be accounted for.
    pub(crate) fn stop_all(&self, order: &[ServiceId]) {
        self.set_overseer(None);
        let mut closables = std::mem::take(&mut *self.closables.borrow_mut());
        let ends = |service, closable: Rc<dyn Closable>| {
            if self.is_present(service) {
                self.last_of(service, || closable.stop());
            }
            self.last_of(service, || closable.close());
        };
        for service in order {
            if let Some(closable) = closables.take(*service) {
                ends(*service, closable);
            }
        }
        closables.all().rev().for_each(|(service, closable)| ends(service, closable));
        self.executor.clear();
    }

    /// Takes a run apart that has not begun.
    pub(crate) fn abandon(&self) {
        self.set_overseer(None);
        let closables = std::mem::take(&mut *self.closables.borrow_mut());
        for (service, closable) in closables.all() {
            self.last_of(service, || closable.close());
        }
        self.dismantle();
    }

    /// Takes a run apart whose services have ended.
    pub(crate) fn dismantle(&self) {
        drop(self.takers.take());
        self.discard_all();
        let services = self.kept.borrow().services();
        for service in services {
            let kept = self.kept.borrow_mut().end(service);
            kept.for_each(|message| self.drop_what_is_left(service, message));
        }
        self.ports.all().for_each(|port| port.close());
    }
}
