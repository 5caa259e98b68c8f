//! Where an actor lives: reached by the pump, by its own tasks and by its mailbox, one at a time.

use std::any::TypeId;
use std::cell::{RefCell, RefMut};
use std::rc::Rc;

use actix::dev::MessageResponse;
use actix::prelude::*;

use super::{Life, Networked, ServiceContext};
use crate::network::Network;
use crate::network::endings::Cause;
use crate::network::ports::{Arrival, Delivery, Receiver, Refusal};
use crate::network::seats::Closable;
use crate::panics::catch;
use crate::prefetch::prefetch_from;
use crate::trace::ServiceId;

/// So many deliveries may wait for an actor that waits for a future of its own.
const BACKLOG_LIMIT: usize = 65_536;

/// Something that is to be done with an actor.
pub(crate) type Call<A> = Box<dyn FnOnce(&mut A, &mut ServiceContext<A>)>;

/// An actor and its context; nothing once it is gone. The first field is the first in memory: there,
/// [fetching](Receiver::fetch) begins.
#[repr(C)]
pub(crate) struct ServiceCell<A: Actor<Context = ServiceContext<A>>> {
    id: ServiceId,
    inner: RefCell<Option<(A, ServiceContext<A>)>>,
}

impl<A: Actor<Context = ServiceContext<A>>> ServiceCell<A> {
    /// Puts an actor into its place. It takes messages and acts from its [start](Closable::start) on.
    pub(crate) fn new(network: &Rc<Network>, id: ServiceId, actor: A) -> Rc<Self> {
        let cell = Rc::new_cyclic(|weak| {
            let ctx = ServiceContext::new(network.clone(), id, weak.clone());
            ServiceCell { inner: RefCell::new(Some((actor, ctx))), id }
        });
        network.set_closable(id, cell.clone());
        cell
    }

    /// The actor's mailbox; nothing if it is gone.
    pub(crate) fn address(&self) -> Option<Addr<A>> {
        self.with(|_, ctx| ctx.address())
    }

    /// Does something with the actor, and then ends it if it has asked for that. `None` if it is
    /// gone.
    #[inline]
    pub(crate) fn with<R>(&self, run: impl FnOnce(&mut A, &mut ServiceContext<A>) -> R) -> Option<R> {
        let mut inner = self.inner.try_borrow_mut().ok()?;
        let (actor, ctx) = inner.as_mut()?;
        let result = run(actor, ctx);
        if ctx.life != Life::Running {
            self.end(inner);
        }
        Some(result)
    }

    /// Ends an actor that has asked for it, unless it changes its mind.
    #[cold]
    fn end(&self, mut inner: RefMut<'_, Option<(A, ServiceContext<A>)>>) {
        let Some((actor, ctx)) = inner.as_mut() else { return };
        if ctx.life == Life::Stopping && actor.stopping(ctx) == Running::Continue {
            return ctx.go_on();
        }
        ctx.life = Life::Stopped;
        actor.stopped(ctx);
        let gone = inner.take();
        drop(inner);
        self.retire(gone);
    }

    #[cold]
    fn retire(&self, gone: Option<(A, ServiceContext<A>)>) {
        let Some((actor, ctx)) = gone else { return };
        let network = ctx.network().clone();
        drop((actor, ctx));
        network.end(self.id, Cause::Normal);
    }
}

impl<A: Actor<Context = ServiceContext<A>>> Closable for ServiceCell<A> {
    fn start(&self) {
        self.with(|actor, ctx| {
            ctx.closed = false;
            actor.started(ctx);
        });
    }

    fn close(&self) {
        let gone = self.inner.try_borrow_mut().ok().and_then(|mut inner| inner.take());
        drop(gone);
    }

    fn stop(&self) {
        self.with(|_, ctx| ctx.terminate());
    }

    fn leave(&self) {
        self.with(|_, ctx| ctx.closed = true);
    }
}

/// How a message came to an actor.
enum Came {
    In,
    /// It takes no more.
    ToNobody,
    /// It has no room.
    ToFull,
}

impl<A, B> Receiver<B> for ServiceCell<A>
where
    A: Networked + Handler<Delivery<B>>,
    B: 'static,
{
    #[inline]
    fn fetch(&self) {
        prefetch_from(&self.id.0, size_of::<Self>());
    }

    /// Runs the actor's handler; a panic in it ends the actor and goes no further.
    #[inline]
    fn receive(&self, network: &Network, arrival: Arrival<'_, B>) -> Result<(), Refusal> {
        let Ok(mut inner) = self.inner.try_borrow_mut() else { return Err(Refusal::Gone) };
        let Some((actor, ctx)) = inner.as_mut() else { return Err(Refusal::Gone) };
        let mut accepted = false;
        let handled = catch(|| {
            if ctx.closed && !arrival.header().wait.is_answer() {
                return Came::ToNobody;
            }
            let waiting = ctx.waiting();
            if actor.is_full(TypeId::of::<B>()) || (waiting && ctx.lazy().backlog.len() >= BACKLOG_LIMIT) {
                return Came::ToFull;
            }
            let Some(delivery) = arrival.accept(network) else { return Came::In };
            accepted = true;
            if waiting {
                let call: Call<A> = Box::new(move |actor, ctx| actor.handle(delivery, ctx).handle(ctx, None));
                ctx.lazy().backlog.push_back(call);
            } else {
                actor.handle(delivery, ctx).handle(ctx, None);
            }
            Came::In
        });
        let handled = match handled {
            Ok(Came::In) if ctx.life == Life::Running => return Ok(()),
            Ok(Came::In) => catch(|| self.end(inner)),
            Ok(Came::ToNobody) => return Err(Refusal::Gone),
            Ok(Came::ToFull) => return Err(Refusal::InboxFull),
            Err(caught) => {
                drop(inner);
                if !accepted {
                    // Whatever it is, the next life is not to stumble over it.
                    let header = arrival.header();
                    network.drop_what_is_left(header.from, arrival.take());
                    network.crash(self.id, caught);
                    return Err(Refusal::Broken(Box::new(header)));
                }
                Err(caught)
            }
        };
        if let Err(caught) = handled {
            network.crash(self.id, caught);
        }
        Ok(())
    }
}
