//! The tree of supervisors: who supervises whom, and which of them are there.

use std::collections::BTreeMap;
use std::rc::Rc;

use actix::Addr;

use super::{Lives, Terms};
use crate::network::endings::Cause;
use crate::network::seats::Presence;
use crate::report::RestartCause;
use crate::supervision::actor::{SupervisorActor, Tiding};
use crate::supervision::runs::Runs;
use crate::supervision::spec::{Child, ChildSpec, Queued, Restart, Shutdown, Supervisor};
use crate::trace::ServiceId;

/// A supervisor's place in the tree.
pub(super) struct Post {
    /// What was declared of it, without its children.
    pub(super) spec: Supervisor,
    /// Each child's seat.
    pub(super) children: Children,
    /// Whether each is restarted, and how it is made to end.
    kinds: Rc<Runs<(Restart, Shutdown)>>,
    /// Its present life.
    addr: Option<Addr<SupervisorActor>>,
}

/// Who supervises a seat: the number of the post, and which of its children it is.
#[derive(Clone, Copy)]
pub(super) struct Boss {
    pub(super) post: u32,
    pub(super) child: u32,
}

/// The seats of a supervisor's children. Who were declared one behind the other mostly are children
/// one behind the other.
#[derive(Clone, Default)]
pub(in crate::supervision) struct Children {
    /// What is to be added to a child's number, wrapping, for that of its seat.
    shifts: Rc<Runs<u32>>,
}

impl Children {
    pub(in crate::supervision) fn seat(&self, child: usize) -> ServiceId {
        ServiceId(self.shifts[child].wrapping_add(child as u32))
    }

    fn seats(&self) -> impl DoubleEndedIterator<Item = ServiceId> {
        (0..self.shifts.len()).map(|child| self.seat(child))
    }
}

impl FromIterator<ServiceId> for Children {
    fn from_iter<I: IntoIterator<Item = ServiceId>>(seats: I) -> Self {
        let shifts = seats.into_iter().zip(0u32..).map(|(seat, child)| seat.0.wrapping_sub(child)).collect();
        Children { shifts: Rc::new(shifts) }
    }
}

/// Who supervises each seat: seats one behind the other whose children are, in order.
pub(super) struct Bosses(Vec<Row>);

/// So many seats from the first on, and who supervises the first.
struct Row {
    first: ServiceId,
    count: u32,
    boss: Boss,
}

impl Bosses {
    pub(super) fn of(posts: &[Post]) -> Self {
        let mut rows: Vec<Row> = Vec::new();
        for (post, number) in posts.iter().zip(0u32..) {
            rows.extend(post.children.shifts.each().map(|(begin, end, shift)| Row {
                first: ServiceId(shift.wrapping_add(begin as u32)),
                count: (end - begin) as u32,
                boss: Boss { post: number, child: begin as u32 },
            }));
        }
        rows.sort_unstable_by_key(|row| row.first);
        Bosses(rows)
    }

    fn of_seat(&self, seat: ServiceId) -> Option<Boss> {
        let row = &self.0[self.0.partition_point(|row| row.first <= seat).checked_sub(1)?];
        let beyond = seat.0 - row.first.0;
        (beyond < row.count).then(|| Boss { child: row.boss.child + beyond, ..row.boss })
    }
}

/// The tree, flattened: a post for each supervisor, those above before those below.
pub(super) struct Flat {
    /// The seat of the first supervisor.
    pub(super) first_post: ServiceId,
    pub(super) posts: Vec<Post>,
    pub(super) terms: BTreeMap<ServiceId, Terms>,
}

impl Flat {
    /// Adds a supervisor and all below it; returns its seat.
    pub(super) fn add(&mut self, mut supervisor: Supervisor) -> ServiceId {
        let number = self.posts.len();
        let below = std::mem::take(&mut supervisor.children);
        let kinds = below.iter().map(|child| (child.restart, child.shutdown)).collect();
        self.posts.push(Post { spec: supervisor, children: Children::default(), kinds: Rc::new(kinds), addr: None });
        let children = below.into_iter().map(|child| self.seat(child)).collect();
        self.posts[number].children = children;
        ServiceId(self.first_post.0 + number as u32)
    }

    fn seat(&mut self, child: ChildSpec) -> ServiceId {
        let service = match child.child {
            Child::Service(service) => ServiceId(service as u32),
            Child::Supervisor(supervisor) => return self.add(*supervisor),
        };
        if !child.fallback.is_empty() || child.queued != Queued::default() {
            self.terms.insert(service, Terms { fallback: child.fallback, queued: child.queued });
        }
        service
    }
}

impl Lives {
    pub(super) fn seat_of_post(&self, number: usize) -> ServiceId {
        ServiceId(self.first_post.0 + number as u32)
    }

    pub(super) fn boss_of(&self, seat: ServiceId) -> Option<Boss> {
        self.bosses.of_seat(seat)
    }

    /// The supervisor in that seat, if it is there.
    pub(super) fn addr_of_post(&self, seat: ServiceId) -> Option<Addr<SupervisorActor>> {
        self.posts.borrow().get(seat.index() - self.first_post.index())?.addr.clone()
    }

    /// Whether somebody waits for the start of a child to be over.
    pub(super) fn is_awaited(&self, seat: ServiceId) -> bool {
        let Some(boss) = self.boss_of(seat) else { return false };
        self.posts.borrow().get(boss.post as usize).is_some_and(|post| post.spec.await_starts)
    }

    pub(super) fn seat_of_boss(&self, seat: ServiceId) -> Option<ServiceId> {
        self.boss_of(seat).map(|boss| self.seat_of_post(boss.post as usize))
    }

    pub(super) fn tell_boss(&self, seat: ServiceId, tiding: impl FnOnce(usize) -> Tiding) {
        let Some(boss) = self.boss_of(seat) else { return };
        if let Some(addr) = self.posts.borrow().get(boss.post as usize).and_then(|post| post.addr.as_ref()) {
            addr.do_send(tiding(boss.child as usize));
        }
    }

    /// Begins another life of a supervisor.
    pub(super) fn begin_post(&self, number: usize) {
        let Some(lives) = self.me.upgrade() else { return };
        let seat = self.seat_of_post(number);
        let presence = self.network.seats.borrow().presence(seat);
        if presence == Presence::Expected {
            self.network.seats.borrow_mut().set_presence(seat, Presence::Running);
        } else {
            self.network.seats.borrow_mut().revive(seat);
            self.note_restart(seat);
            let posts = self.posts.borrow();
            let last_ends = &mut self.account.borrow_mut().last_ends;
            for child in posts.get(number).iter().flat_map(|post| post.children.seats()) {
                last_ends.entry(child).and_modify(|cause| *cause = RestartCause::Supervisor);
            }
        }
        let actor = {
            let posts = self.posts.borrow();
            let Some(post) = posts.get(number) else { return };
            SupervisorActor::new(lives, seat, &post.spec, post.kinds.clone(), post.children.clone())
        };
        let addr = actor.begin(&self.network);
        if let Some(post) = self.posts.borrow_mut().get_mut(number) {
            post.addr = addr;
        }
    }

    /// Who is supervised by the one in that seat, in the order in which they end.
    pub(super) fn children_of(&self, seat: ServiceId) -> Vec<ServiceId> {
        let posts = self.posts.borrow();
        let post = posts.get(seat.index() - self.first_post.index());
        post.map(|post| post.children.seats().rev().collect()).unwrap_or_default()
    }

    /// A supervisor is gone, and none of its children outlives it.
    pub(super) fn end_post(&self, seat: ServiceId) {
        if let Some(post) = self.posts.borrow_mut().get_mut(seat.index() - self.first_post.index()) {
            post.addr = None;
        }
        for child in self.children_of(seat) {
            self.deferred.borrow_mut().remove(&child);
            self.network.end(child, Cause::Killed);
            self.write_off(child);
        }
    }

    /// Everybody under supervision in the order in which they end: the other way round than they
    /// were started.
    pub(crate) fn stop_order(&self) -> Vec<ServiceId> {
        let posts = self.posts.borrow();
        let mut order = Vec::new();
        let mut yet: Vec<ServiceId> = vec![self.first_post];
        // Each supervisor before its children, the first child first: the opposite of what is wanted.
        while let Some(seat) = yet.pop() {
            order.push(seat);
            if self.is_supervisor(seat) {
                let post = posts.get(seat.index() - self.first_post.index());
                yet.extend(post.iter().flat_map(|post| post.children.seats().rev()));
            }
        }
        order.reverse();
        order
    }
}
