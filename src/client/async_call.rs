//! A call that goes on while its caller does something else.

use std::cell::OnceCell;
use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;

use super::Error;

/// A call that another thread makes, and its result once it is there.
///
/// Dropping it does not end the call; nobody hears of its result then.
pub struct AsyncCall<R> {
    answer: OnceCell<Result<R, Error>>,
    receiver: Receiver<Result<R, Error>>,
}

impl<R> AsyncCall<R> {
    /// A call that has yet to be answered, and where to put the answer. Dropped without one, the
    /// call is [`Error::Abandoned`].
    pub(super) fn new() -> (Self, SyncSender<Result<R, Error>>) {
        let (sender, receiver) = sync_channel(1);
        (AsyncCall { answer: OnceCell::new(), receiver }, sender)
    }

    /// Whether the call is over, well or not.
    pub fn finished(&self) -> bool {
        if self.answer.get().is_none() {
            match self.receiver.try_recv() {
                Ok(answer) => self.settle(answer),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => self.settle(Err(Error::Abandoned)),
            }
        }
        self.answer.get().is_some()
    }

    /// Waits until the call is over.
    pub fn wait(&self) {
        if self.answer.get().is_none() {
            self.settle(self.receiver.recv().unwrap_or(Err(Error::Abandoned)));
        }
    }

    /// Waits until the call is over, but no longer than that. Whether it is over.
    pub fn wait_for(&self, at_most: Duration) -> bool {
        if self.answer.get().is_none() {
            match self.receiver.recv_timeout(at_most) {
                Ok(answer) => self.settle(answer),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => self.settle(Err(Error::Abandoned)),
            }
        }
        self.answer.get().is_some()
    }

    /// The result, once the call is over and if it went well.
    pub fn result(&self) -> Option<&R> {
        if self.finished() { self.answer.get()?.as_ref().ok() } else { None }
    }

    /// Why there is no result, once the call is over and if it did not go well.
    pub fn error(&self) -> Option<&Error> {
        if self.finished() { self.answer.get()?.as_ref().err() } else { None }
    }

    /// Waits until the call is over, and gives what came of it.
    ///
    /// # Errors
    /// As [`RemoteService::call`](super::RemoteService::call) has them.
    pub fn into_result(self) -> Result<R, Error> {
        self.wait();
        self.answer.into_inner().unwrap_or(Err(Error::Abandoned))
    }

    /// Only ever called while nothing is there.
    fn settle(&self, answer: Result<R, Error>) {
        let _ = self.answer.set(answer);
    }
}

impl<R> fmt::Debug for AsyncCall<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncCall").field("finished", &self.finished()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_unfinished_until_it_is_answered() {
        let (call, sender) = AsyncCall::new();
        assert!(!call.finished() && call.result().is_none() && call.error().is_none());
        assert!(!call.wait_for(Duration::from_millis(1)));
        assert_eq!(sender.send(Ok(42)), Ok(()));
        assert!(call.wait_for(Duration::ZERO) && call.finished());
        assert_eq!((call.result(), call.error()), (Some(&42), None));
        assert_eq!(call.into_result(), Ok(42));
    }

    #[test]
    fn a_call_that_nobody_will_answer_has_failed() {
        let (call, sender) = AsyncCall::<u8>::new();
        drop(sender);
        call.wait();
        assert_eq!((call.result(), call.error()), (None, Some(&Error::Abandoned)));
        assert_eq!(call.into_result(), Err(Error::Abandoned));
    }
}
