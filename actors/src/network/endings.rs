//! How services end, and with them a run: whatever they do last, the run goes on.

use crate::network::Network;
use crate::panics::{Caught, catch};
use crate::trace::ServiceId;

impl Network {
    /// Drops what is left of a service or its messages: its code may panic even then.
    pub(crate) fn drop_what_is_left<T>(&self, service: ServiceId, left: T) {
        if let Err(caught) = catch(|| drop(left)) {
            self.ledger.borrow_mut().panicked(self.now(), service, caught);
        }
    }

    /// A service panicked: it is gone, and the run goes on.
    pub(crate) fn crash(&self, service: ServiceId, caught: Caught) {
        self.ledger.borrow_mut().panicked(self.now(), service, caught);
        self.seats.borrow_mut().set_crashed(service);
        self.close(service);
    }

    /// Ends a service: its tasks and its state are dropped, its connection is gone.
    pub(crate) fn close(&self, service: ServiceId) {
        let closable = self.closables.borrow_mut().get_mut(service.index()).and_then(Option::take);
        for task in self.executor.tasks_of(service.0) {
            self.last_of(service, || self.executor.cancel(task));
        }
        if let Some(closable) = closable {
            self.last_of(service, || closable.close());
        }
        self.close_connections(service);
    }

    /// Lets a service end in an orderly way.
    pub(crate) fn shut_down(&self, service: ServiceId) {
        let closable = self.closables.borrow().get(service.index()).cloned().flatten();
        if let Some(closable) = closable {
            self.last_of(service, || closable.stop());
        }
    }

    /// Runs what a service does last. If it panics, whatever else is left of it is still to be ended.
    fn last_of(&self, service: ServiceId, code: impl FnOnce()) {
        if let Err(caught) = catch(code) {
            self.ledger.borrow_mut().panicked(self.now(), service, caught);
            self.seats.borrow_mut().set_crashed(service);
        }
    }

    /// Ends every service in an orderly way, the last one first. What they say now is the last to be
    /// accounted for.
    pub(crate) fn stop_all(&self) {
        let closables = std::mem::take(&mut *self.closables.borrow_mut());
        for (index, closable) in closables.into_iter().enumerate().rev() {
            let Some(closable) = closable else { continue };
            let service = ServiceId(index as u32);
            self.last_of(service, || closable.stop());
            self.last_of(service, || closable.close());
        }
        self.executor.clear();
    }

    /// Takes a run apart that has not begun.
    pub(crate) fn abandon(&self) {
        let closables = std::mem::take(&mut *self.closables.borrow_mut());
        for (index, closable) in closables.into_iter().enumerate() {
            self.last_of(ServiceId(index as u32), || closable.iter().for_each(|closable| closable.close()));
        }
        self.dismantle();
    }

    /// Takes a run apart whose services have ended.
    pub(crate) fn dismantle(&self) {
        self.takers.borrow_mut().clear();
        self.discard_all();
        let ports = std::mem::take(&mut *self.ports.borrow_mut());
        drop(ports);
    }
}
