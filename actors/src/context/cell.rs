//! Where an actor lives: reached by the pump, by its own tasks and by its mailbox, one at a time.

use std::any::TypeId;
use std::cell::{RefCell, RefMut};
use std::rc::Rc;

use actix::dev::MessageResponse;
use actix::prelude::*;
use prefetch_index::prefetch_index;

use super::{Life, Networked, ServiceContext};
use crate::network::Network;
use crate::network::endings::Cause;
use crate::network::ports::{Arrival, Delivery, Receiver, Refusal, Refused};
use crate::network::seats::Closable;
use crate::panics::catch;
use crate::trace::ServiceId;

/// So many deliveries may wait for an actor that waits for a future of its own.
const BACKLOG_LIMIT: usize = 65_536;

/// Something that is to be done with an actor.
pub(crate) type Call<A> = Box<dyn FnOnce(&mut A, &mut ServiceContext<A>)>;

/// An actor and its context; nothing once it is gone.
pub(crate) struct ServiceCell<A: Actor<Context = ServiceContext<A>>> {
    inner: RefCell<Option<(A, ServiceContext<A>)>>,
    id: ServiceId,
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

impl<A, B> Receiver<B> for ServiceCell<A>
where
    A: Networked + Handler<Delivery<B>>,
    B: 'static,
{
    #[inline]
    fn fetch(&self) {
        let itself = std::slice::from_ref(self);
        prefetch_index(itself, 0);
        // Where it ends.
        prefetch_index(itself, 1);
    }

    /// Runs the actor's handler; a panic in it ends the actor and goes no further.
    #[inline]
    fn receive(&self, arrival: &Arrival<'_>, body: B) -> Result<(), Refused<B>> {
        let gone = |body| Err(Refused { refusal: Refusal::Gone, body });
        let mut body = Some(body);
        let Ok(mut inner) = self.inner.try_borrow_mut() else { return gone(body) };
        let Some((actor, ctx)) = inner.as_mut() else { return gone(body) };
        let mut accepted = false;
        let handled = catch(|| {
            if ctx.closed && !arrival.header.wait.is_answer() {
                return Err(Refusal::Gone);
            }
            let waiting = ctx.waiting();
            if actor.is_full(TypeId::of::<B>()) || (waiting && ctx.lazy().backlog.len() >= BACKLOG_LIMIT) {
                return Err(Refusal::InboxFull);
            }
            let Some(body) = body.take() else { return Ok(()) };
            let delivery = arrival.accept(body);
            accepted = true;
            if waiting {
                let call: Call<A> = Box::new(move |actor, ctx| actor.handle(delivery, ctx).handle(ctx, None));
                ctx.lazy().backlog.push_back(call);
            } else {
                actor.handle(delivery, ctx).handle(ctx, None);
            }
            Ok(())
        });
        let handled = match handled {
            Ok(Ok(())) if ctx.life != Life::Running => catch(|| self.end(inner)),
            Ok(result) => return result.map_err(|refusal| Refused { refusal, body }),
            Err(caught) => {
                drop(inner);
                Err(caught)
            }
        };
        if let Err(caught) = handled {
            arrival.network.crash(self.id, caught);
        }
        if accepted { Ok(()) } else { gone(None) }
    }
}
