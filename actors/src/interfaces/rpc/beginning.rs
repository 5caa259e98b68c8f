//! How handlers begin: where the call is delivered, and without an allocation of their own.
//!
//! Most handlers are over when they are polled for the first time. The future of one that is leaves its
//! room to the next call of the same method; one that has to wait for something takes its room along.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_util::future::OptionFuture;

use super::answer::Failure;
use crate::panics::{Caught, catch};

/// A handler at work: it has answered when it is over, or failed.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Option<Result<(), Failure>>>>>;

/// How far a handler has come at once.
pub(crate) enum Begun {
    /// To its end, and all is well.
    Done,
    /// To its end, but.
    Failed(Failure),
    /// Into a panic.
    Panicked(Caught),
    /// It waits for something.
    Waits(Answering),
    /// Nowhere: its parameters do not fit, and why.
    Unfit(String),
}

/// Room for the future of a method's handler, if nobody has taken it along.
pub(crate) struct Room<F>(Cell<Option<Pin<Box<OptionFuture<F>>>>>);

impl<F: Future<Output = Result<(), Failure>> + 'static> Room<F> {
    pub(crate) fn new() -> Self {
        Room(Cell::new(None))
    }

    /// Makes a handler's future, and lets it come as far as it does at once.
    #[inline]
    pub(crate) fn begin(&self, make: impl FnOnce() -> Result<F, String>) -> Begun {
        let mut room = self.0.take().unwrap_or_else(|| Box::pin(OptionFuture::from(None)));
        // What is seldom is kept out of what is returned always.
        let mut but = None;
        // The handler's own beginning may panic too, before there is a future.
        let is_over = catch(|| {
            match make() {
                Ok(future) => room.set(Some(future).into()),
                Err(reason) => {
                    but = Some(Begun::Unfit(reason));
                    return true;
                }
            }
            match room.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => return false,
                Poll::Ready(Some(Err(failure))) => but = Some(Begun::Failed(failure)),
                Poll::Ready(Some(Ok(())) | None) => {}
            }
            room.set(None.into());
            true
        });
        match is_over {
            Ok(true) => {
                self.0.set(Some(room));
                but.unwrap_or(Begun::Done)
            }
            Ok(false) => Begun::Waits(room),
            // What has panicked may do so again when it is dropped.
            Err(caught) => Begun::Panicked(catch(|| drop(room)).err().unwrap_or(caught)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, pending};

    use super::*;

    fn room_is_free<F>(room: &Room<F>) -> bool {
        let taken = room.0.take();
        let free = taken.is_some();
        room.0.set(taken);
        free
    }

    #[test]
    fn a_future_that_is_over_at_once_leaves_its_room_and_one_that_waits_takes_it_along() {
        let room = Room::new();
        let wait_first = |waits: bool| async move { if waits { pending().await } else { Ok(()) } };
        assert!(matches!(room.begin(|| Ok(wait_first(false))), Begun::Done));
        assert!(room_is_free(&room));
        assert!(matches!(room.begin(|| Err("too short".to_owned())), Begun::Unfit(reason) if reason == "too short"));
        assert!(room_is_free(&room));
        assert!(matches!(room.begin(|| Ok(wait_first(true))), Begun::Waits(_)));
        assert!(!room_is_free(&room));
        assert!(matches!(room.begin(|| Ok(wait_first(false))), Begun::Done));
    }

    #[test]
    fn a_panic_is_caught_before_there_is_a_future_and_in_it() {
        let room = Room::new();
        let begun = room.begin(|| -> Result<Ready<Result<(), Failure>>, String> { panic!("early") });
        assert!(matches!(begun, Begun::Panicked(caught) if caught.message == "early"));
        let room = Room::new();
        let begun = room.begin(|| Ok(async { panic!("late") }));
        assert!(matches!(begun, Begun::Panicked(caught) if caught.message == "late"));
        assert!(matches!(room.begin(|| Err(String::new())), Begun::Unfit(_)), "another one finds room");
    }
}
