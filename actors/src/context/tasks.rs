//! What runs on behalf of an actor beside its deliveries: spawned futures, what it waits for, its
//! mailbox.

use std::pin::Pin;
use std::rc::Weak;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use actix::dev::Mailbox;
use actix::prelude::*;

use super::{Life, LocalActorFuture, ServiceCell, ServiceContext};
use crate::network::pending::Deadline;

/// A future that an actor spawned.
pub(super) struct ActorTask<A: Actor<Context = ServiceContext<A>>> {
    pub(super) cell: Weak<ServiceCell<A>>,
    pub(super) future: LocalActorFuture<A>,
    pub(super) handle: SpawnHandle,
}

impl<A: Actor<Context = ServiceContext<A>>> Future for ActorTask<A> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        let Some(cell) = self.cell.upgrade() else {
            return Poll::Ready(());
        };
        let this = &mut *self;
        cell.with(|actor, ctx| {
            if ctx.blocks(cx.waker()) {
                return Poll::Pending;
            }
            let poll = this.future.as_mut().poll(actor, ctx, cx);
            match &mut ctx.lazy {
                Some(lazy) if poll.is_ready() => {
                    lazy.tasks.remove(&this.handle);
                }
                // It may have paused because the actor has begun to wait.
                _ => {
                    ctx.blocks(cx.waker());
                }
            }
            poll
        })
        .unwrap_or(Poll::Ready(()))
    }
}

/// Carries out what an actor waits for, one after the other; then lets everything else go on.
pub(super) struct WaitTask<A: Actor<Context = ServiceContext<A>>> {
    pub(super) cell: Weak<ServiceCell<A>>,
}

impl<A: Actor<Context = ServiceContext<A>>> Future for WaitTask<A> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        let Some(cell) = self.cell.upgrade() else {
            return Poll::Ready(());
        };
        cell.with(|actor, ctx| {
            while ctx.life == Life::Running {
                if let Some(mut future) = ctx.lazy().waits.pop_front() {
                    // While it runs the actor must be seen to wait.
                    ctx.lazy().waits.push_front(Box::pin(actix::fut::ready(())));
                    let poll = future.as_mut().poll(actor, ctx, cx);
                    ctx.lazy().waits.pop_front();
                    if poll.is_pending() {
                        ctx.lazy().waits.push_front(future);
                        return Poll::Pending;
                    }
                } else if let Some(call) = ctx.lazy().backlog.pop_front() {
                    call(actor, ctx);
                } else {
                    std::mem::take(&mut ctx.lazy().blocked).into_iter().for_each(Waker::wake);
                    break;
                }
            }
            ctx.waits_on = false;
            Poll::Ready(())
        })
        .unwrap_or(Poll::Ready(()))
    }
}

/// Takes what comes to an actor through its `Addr`.
pub(super) struct MailboxTask<A: Actor<Context = ServiceContext<A>>> {
    pub(super) cell: Weak<ServiceCell<A>>,
    pub(super) mailbox: Mailbox<A>,
}

impl<A: Actor<Context = ServiceContext<A>>> Future for MailboxTask<A> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        let Some(cell) = self.cell.upgrade() else {
            return Poll::Ready(());
        };
        let mailbox = &mut self.mailbox;
        let polled = cell.with(|actor, ctx| {
            if !ctx.blocks(cx.waker()) {
                mailbox.poll(actor, ctx, cx);
                // It may have begun to wait with messages still in the mailbox.
                ctx.blocks(cx.waker());
            }
        });
        if polled.is_some() { Poll::Pending } else { Poll::Ready(()) }
    }
}

/// Runs something again and again.
pub(super) struct Interval<F> {
    pub(super) delay: Deadline,
    pub(super) interval: Duration,
    pub(super) run: F,
}

impl<F> Unpin for Interval<F> {}

impl<A, F> ActorFuture<A> for Interval<F>
where
    A: Actor<Context = ServiceContext<A>>,
    F: FnMut(&mut A, &mut ServiceContext<A>) + 'static,
{
    type Output = ();

    fn poll(
        mut self: Pin<&mut Self>,
        actor: &mut A,
        ctx: &mut ServiceContext<A>,
        cx: &mut TaskContext<'_>,
    ) -> Poll<()> {
        let this = &mut *self;
        while Pin::new(&mut this.delay).poll(cx).is_ready() {
            (this.run)(actor, ctx);
            // Without an interval it would run for ever within one instant.
            this.delay = ctx.delay(this.interval.max(Duration::from_nanos(1)));
        }
        Poll::Pending
    }
}
