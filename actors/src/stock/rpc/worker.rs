//! A service that works on demand, and answers in every way there is.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::prelude::*;

/// What a [`Worker`] may be told.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerParams {
    /// How long a piece of work takes. Default 5 ms.
    pub takes: SimDuration,
}

impl Default for WorkerParams {
    fn default() -> Self {
        WorkerParams { takes: SimDuration::from_millis(5) }
    }
}

/// A piece of work that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Which one.
    pub number: u64,
    /// Who has done it.
    pub by: String,
}

/// The error that a [`Worker`] declares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("number {number} came out broken")]
pub struct OutOfOrder {
    /// Which piece of work.
    pub number: u64,
}

/// Offers the interface `work`, version 1.0, whose methods all take the number of a piece of work:
///
/// | method | how it answers |
/// |---|---|
/// | `work` | replies with the [`Work`], when it is done |
/// | `note` | acks at once, then works |
/// | `refuse` | nacks at once |
/// | `fail` | fails with [`OutOfOrder`], which it declares, when it is done |
/// | `forbid` | says at once that the caller may not |
/// | `panic` | panics at once, and the worker with it |
/// | `dawdle` | replies with the [`Work`] after a minute |
///
/// Counts `work done`, and its `lives`.
#[derive(Debug, Default)]
pub struct Worker {
    params: WorkerParams,
}

/// How long [`Worker`] dawdles.
const MINUTE: SimDuration = SimDuration::from_secs(60);

impl Worker {
    /// A worker with nothing to do yet.
    pub fn new(params: WorkerParams) -> Self {
        Worker { params }
    }

    async fn after(&self, io: &ServiceIo, length: SimDuration, number: u64) -> Work {
        io.sleep(length).await;
        io.count("work done", 1);
        Work { number, by: io.name() }
    }

    async fn work(self: Rc<Self>, io: ServiceIo, number: u64) -> Result<Work, Failure> {
        Ok(self.after(&io, self.params.takes, number).await)
    }

    async fn note(self: Rc<Self>, io: ServiceIo, number: u64, channel: ReplyChannel) {
        if channel.ack().is_ok() {
            self.after(&io, self.params.takes, number).await;
        }
    }

    async fn refuse(self: Rc<Self>, _: ServiceIo, number: u64) -> Result<Work, Failure> {
        Err(Failure::nack(format!("number {number} can wait")))
    }

    async fn fail(self: Rc<Self>, io: ServiceIo, number: u64) -> Result<Work, OutOfOrder> {
        self.after(&io, self.params.takes, number).await;
        Err(OutOfOrder { number })
    }

    async fn forbid(self: Rc<Self>, _: ServiceIo, number: u64) -> Result<Work, Failure> {
        Err(Failure::denied(format!("number {number} is not for you")))
    }

    async fn panic(self: Rc<Self>, _: ServiceIo, number: u64) -> Result<Work, Failure> {
        panic!("number {number} was too much");
    }

    async fn dawdle(self: Rc<Self>, io: ServiceIo, number: u64) -> Result<Work, Failure> {
        Ok(self.after(&io, MINUTE, number).await)
    }
}

impl Service for Worker {
    async fn start(&self, io: &ServiceIo) -> Result<(), StepError> {
        io.count("lives", 1);
        Ok(())
    }

    fn interfaces(interfaces: &mut Interfaces<Self>) {
        interfaces
            .interface("work", "1.0")
            .rpc("work", "Works, and says by whom it was done.", Worker::work)
            .raw_rpc("note", "Takes note, and works later.", Worker::note)
            .rpc("refuse", "Does not work.", Worker::refuse)
            .rpc("fail", "Works in vain.", Worker::fail)
            .raises::<OutOfOrder>("OutOfOrder")
            .rpc("forbid", "Lets nobody ask for work.", Worker::forbid)
            .rpc("panic", "Does not survive.", Worker::panic)
            .rpc("dawdle", "Works for a minute.", Worker::dawdle);
    }
}
