//! How lives end: in an orderly way, with the time to finish what they have begun; and what every
//! life leaves behind.

use futures_util::future::{Either, select};

use super::Lives;
use crate::clock::executor::{TaskFuture, TaskId};
use crate::network::endings::Cause;
use crate::network::pending::Deadline;
use crate::network::ports::{AnyBody, Delivery};
use crate::router::{NotDelivered, Why};
use crate::supervision::actor::Tiding;
use crate::supervision::spec::Shutdown;
use crate::trace::ServiceId;

/// A life that is ending in an orderly way.
pub(super) struct Parting {
    /// How it is said to end, unless it ends otherwise meanwhile.
    cause: Cause,
    /// Ends it when it has finished or its time is up. It is over with that life: nobody may end the
    /// next one for it.
    task: Option<TaskId>,
}

impl Lives {
    /// Makes a child end. Its supervisor is told when it has.
    pub(in crate::supervision) fn stop(&self, seat: ServiceId, shutdown: Shutdown) {
        if self.deferred.borrow_mut().remove(&seat) {
            return self.tell_boss(seat, |child| Tiding::Ended(child, Cause::Shutdown));
        }
        if !self.network.is_present(seat) {
            // It has ended by itself, which its supervisor will read next.
            return;
        }
        if shutdown == Shutdown::Kill {
            return self.network.end(seat, Cause::Killed);
        }
        let grace = match shutdown {
            Shutdown::Grace(grace) => Some(Deadline::new(self.network.clone(), self.network.now() + grace)),
            Shutdown::Kill | Shutdown::Infinity => None,
        };
        self.part(seat, Cause::Shutdown);
        if self.is_supervisor(seat) {
            self.stop_post(seat, grace);
        } else {
            self.stop_service(seat, grace);
        }
    }

    /// It ends its children, and then itself; if that takes longer than the grace, it is killed, and
    /// with it they are.
    fn stop_post(&self, seat: ServiceId, grace: Option<Deadline>) {
        if let Some(addr) = self.addr_of_post(seat) {
            addr.do_send(Tiding::Stop);
        }
        if let Some(grace) = grace {
            let network = self.network.clone();
            let too_late = async move {
                grace.await;
                network.end(seat, Cause::Killed);
            };
            self.see_off(seat, Box::pin(too_late));
        }
    }

    fn stop_service(&self, seat: ServiceId, grace: Option<Deadline>) {
        self.network.let_leave(seat);
        if self.keeps(seat) {
            // What it does not take any more is for the next one.
            self.network.kept.borrow_mut().begin(seat);
        }
        let Some(desk) = self.roles.borrow()[seat.index()].desk.clone() else {
            return self.network.stop(seat);
        };
        let network = self.network.clone();
        let leaving = async move {
            let left = Box::pin(async { desk.leave().await });
            let in_time = match grace {
                Some(grace) => matches!(select(left, grace).await, Either::Left(_)),
                None => {
                    left.await;
                    true
                }
            };
            match in_time {
                true => network.stop(seat),
                false => network.end(seat, Cause::Killed),
            }
        };
        self.see_off(seat, Box::pin(leaving));
    }

    /// Has its supervisor wait for the end of a life.
    fn see_off(&self, seat: ServiceId, task: TaskFuture) {
        let Some(boss) = self.seat_of_boss(seat) else { return };
        let task = self.network.spawn(boss, task);
        if let Some(parting) = self.partings.borrow_mut().get_mut(&seat) {
            parting.task = Some(task);
        }
    }

    /// Says how a life that now ends in an orderly way has ended.
    pub(in crate::supervision) fn part(&self, seat: ServiceId, cause: Cause) {
        let mut partings = self.partings.borrow_mut();
        match partings.get_mut(&seat) {
            Some(parting) => parting.cause = cause,
            None => drop(partings.insert(seat, Parting { cause, task: None })),
        }
    }

    /// A life is over, with this said of it: what there is to say of it.
    pub(super) fn parted(&self, seat: ServiceId, cause: Cause) -> Cause {
        let Some(parting) = self.partings.borrow_mut().remove(&seat) else { return cause };
        if let Some(task) = parting.task {
            self.network.cancel_task(task);
        }
        if cause == Cause::Normal { parting.cause } else { cause }
    }

    /// A life that was asked for has not come into being.
    pub(in crate::supervision) fn could_not_start(&self, seat: ServiceId, reason: &str) {
        let mut ledger = self.network.ledger.borrow_mut();
        ledger.gave_up(self.network.now(), seat, &format!("it could not be started: {reason}"));
    }

    /// A child will have no further life, or none that its present supervisor sees to: what was kept for one is
    /// returned.
    pub(in crate::supervision) fn write_off(&self, seat: ServiceId) {
        if self.is_supervisor(seat) {
            // If it has never begun, nothing has been said of those below it.
            let below = self.children_of(seat);
            return below.into_iter().for_each(|child| self.write_off(child));
        }
        let letters = self.letters.borrow_mut().remove(&seat).unwrap_or_default();
        self.give_back(seat, letters);
        self.let_arrive(seat);
    }

    /// What was kept for a service arrives.
    pub(super) fn let_arrive(&self, seat: ServiceId) {
        let kept = self.network.kept.borrow_mut().end(seat);
        kept.for_each(|arrive| arrive(&self.network));
    }

    /// Settles what a life leaves behind.
    pub(super) fn end_life(&self, service: ServiceId, cause: &Cause) {
        let machine_is_up = *cause != Cause::NodeCrashed;
        // What lies in the memory of a machine does not outlive it.
        let keeps = machine_is_up && self.keeps(service);
        if keeps {
            self.network.kept.borrow_mut().begin(service);
        }
        let desk = {
            let role = &mut self.roles.borrow_mut()[service.index()];
            let desk = role.desk.take();
            role.records = desk.as_ref().map(|desk| Box::new(desk.records.take()));
            desk
        };
        let Some(desk) = desk else { return };
        desk.inbox.close();
        let in_hand = desk.drop_from_hands();
        if machine_is_up {
            let name = self.network.name_of(service);
            for request in in_hand {
                let notice = NotDelivered { wait: request.call, why: Why::Interrupted(name.clone()) };
                self.network.notify(service, request.from, notice);
            }
        }
        let letters = desk.inbox.take_all();
        if keeps {
            self.letters.borrow_mut().entry(service).or_default().extend(letters);
        } else {
            self.give_back(service, letters);
        }
        self.network.drop_what_is_left(service, desk);
    }

    /// Messages that nobody will look at.
    pub(super) fn give_back(&self, service: ServiceId, letters: Vec<Delivery<AnyBody>>) {
        if !letters.is_empty() {
            self.note(service, &format!("returned {} unread", letters.len()));
        }
        self.account.borrow_mut().returned += letters.len() as u64;
        for letter in letters {
            self.network.drop_what_is_left(service, letter);
        }
    }
}
