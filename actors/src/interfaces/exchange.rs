//! Receiving and sending wired up declaratively, as ECLYPSE's `exchange` does.
//!
//! An exchange may receive a message before the function runs, and may send what the function
//! returns to one service or broadcast it to all neighbours. Sending and broadcasting at once
//! cannot be written:
//!
//! ```compile_fail
//! use rehearsal_actors::prelude::*;
//! async fn step(io: &ServiceIo) {
//!     let _ = io.mpi().exchange().send().broadcast();
//! }
//! ```
//!
//! ```
//! use rehearsal_actors::prelude::*;
//! /// One round of an echo: wait for a text, send it back.
//! async fn step(io: &ServiceIo) -> StepResult {
//!     let echo = io.mpi().exchange().receive::<String>().no_timeout().send();
//!     echo.run(|text| async move { (text.from, format!("echo: {}", text.body)) }).await?;
//!     Ok(Step::Continue)
//! }
//! ```

use std::future::Future;
use std::marker::PhantomData;
use std::rc::Rc;

use crate::interfaces::mpi::{Mpi, Receiving, Sent, SentToMany};
use crate::interfaces::{CallError, Recipient};
use crate::network::ports::{Body, Delivery};
use crate::service::desk::Desk;
use crate::units::SimDuration;

/// Nothing is received.
pub struct Nothing;
/// A message of this type is received first.
pub struct Received<B> {
    waits: Option<SimDuration>,
    body: PhantomData<fn() -> B>,
}
/// Nothing is sent.
pub struct Quiet;
/// What the function returns is sent to whom it names.
pub struct ToOne;
/// What the function returns is sent to every neighbour.
pub struct ToAll;

/// An exchange in the making: see the [module](self).
#[must_use = "nothing happens until it is run"]
pub struct Exchange<'a, In = Nothing, Out = Quiet> {
    desk: &'a Rc<Desk>,
    input: In,
    output: PhantomData<Out>,
}

impl<'a> Exchange<'a> {
    pub(crate) fn new(desk: &'a Rc<Desk>) -> Self {
        Exchange { desk, input: Nothing, output: PhantomData }
    }
}

impl<'a, Out> Exchange<'a, Nothing, Out> {
    /// Receives a message of this type first; the wait times out as [`Mpi::recv`] does.
    pub fn receive<B: Body>(self) -> Exchange<'a, Received<B>, Out> {
        let input = Received { waits: Some(self.desk.network.timeout), body: PhantomData };
        Exchange { desk: self.desk, input, output: PhantomData }
    }
}

impl<B, Out> Exchange<'_, Received<B>, Out> {
    /// Waits so long for the message.
    pub fn timeout(mut self, timeout: SimDuration) -> Self {
        self.input.waits = Some(timeout);
        self
    }

    /// Waits for the message as long as it takes.
    pub fn no_timeout(mut self) -> Self {
        self.input.waits = None;
        self
    }
}

impl<'a, In> Exchange<'a, In, Quiet> {
    /// The function returns whom to send to, and what.
    pub fn send(self) -> Exchange<'a, In, ToOne> {
        Exchange { desk: self.desk, input: self.input, output: PhantomData }
    }

    /// The function returns what to send to every neighbour.
    pub fn broadcast(self) -> Exchange<'a, In, ToAll> {
        Exchange { desk: self.desk, input: self.input, output: PhantomData }
    }
}

impl<'a, B: Body, Out> Exchange<'a, Received<B>, Out> {
    fn receiving(&self) -> Receiving<'a, B> {
        let receiving = Mpi::new(self.desk).recv::<B>();
        match self.input.waits {
            Some(timeout) => receiving.timeout(timeout),
            None => receiving.no_timeout(),
        }
    }
}

impl<B: Body> Exchange<'_, Received<B>, Quiet> {
    /// Receives, then runs the function.
    ///
    /// # Errors
    /// No message came in time.
    pub async fn run<R, F: Future<Output = R>>(self, then: impl FnOnce(Delivery<B>) -> F) -> Result<R, CallError> {
        let delivery = self.receiving().await?;
        Ok(then(delivery).await)
    }
}

impl<B: Body> Exchange<'_, Received<B>, ToOne> {
    /// Receives, runs the function, and sends what it returns.
    ///
    /// # Errors
    /// No message came in time, or the send failed.
    pub async fn run<R: Recipient, S: Body, F: Future<Output = (R, S)>>(
        self,
        then: impl FnOnce(Delivery<B>) -> F,
    ) -> Result<Sent, CallError> {
        let delivery = self.receiving().await?;
        let (to, body) = then(delivery).await;
        Mpi::new(self.desk).send(to, body).await
    }
}

impl<B: Body> Exchange<'_, Received<B>, ToAll> {
    /// Receives, runs the function, and broadcasts what it returns.
    ///
    /// # Errors
    /// No message came in time.
    pub async fn run<S: Body, F: Future<Output = S>>(
        self,
        then: impl FnOnce(Delivery<B>) -> F,
    ) -> Result<SentToMany, CallError> {
        let delivery = self.receiving().await?;
        Ok(Mpi::new(self.desk).bcast(then(delivery).await).await)
    }
}

impl Exchange<'_, Nothing, ToOne> {
    /// Runs the function and sends what it returns.
    ///
    /// # Errors
    /// The send failed.
    pub async fn run<R: Recipient, S: Body, F: Future<Output = (R, S)>>(
        self,
        first: impl FnOnce() -> F,
    ) -> Result<Sent, CallError> {
        let (to, body) = first().await;
        Mpi::new(self.desk).send(to, body).await
    }
}

impl Exchange<'_, Nothing, ToAll> {
    /// Runs the function and broadcasts what it returns.
    pub async fn run<S: Body, F: Future<Output = S>>(self, first: impl FnOnce() -> F) -> SentToMany {
        Mpi::new(self.desk).bcast(first().await).await
    }
}
