//! Several calls in one request.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::connection::malformed;
use super::message::{self, Id, Verdict};
use super::service::{not_said, value_of};
use super::{Error, RemoteService};

/// Calls and notifications that travel together. The server may carry them out in any order, or all
/// at once.
///
/// ```
/// # let url: String = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/client/example_server.rs"));
/// use rehearsal::client::{Error, RemoteService};
///
/// let service = RemoteService::at(&url)?;
/// let mut batch = service.batch();
/// let small = batch.call::<i64>("add", (1, 2))?;
/// let large = batch.call::<i64>("add", (1_000, 2_000))?;
/// let other = batch.call::<i64>("divide", (1, 0))?;
/// batch.notify("add", (0, 0))?;
///
/// let mut answers = batch.send()?;
/// assert_eq!(answers.take(large)?, 3_000);
/// assert_eq!(answers.take(small)?, 3);
/// assert!(answers.take(other).is_err(), "each call fails or not by itself");
/// # Ok::<(), Error>(())
/// ```
#[must_use = "nothing is called until it is sent"]
pub struct Batch<'a> {
    service: &'a RemoteService,
    requests: Vec<Value>,
    calls: BTreeMap<Id, String>,
}

/// A call of a batch that has been sent, to get its result with.
#[must_use = "it is what gets the result"]
pub struct Ticket<R> {
    id: Id,
    method: String,
    result: PhantomData<fn() -> R>,
}

impl<R> fmt::Debug for Ticket<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("id", &self.id).field("method", &self.method).finish()
    }
}

impl<'a> Batch<'a> {
    pub(super) fn new(service: &'a RemoteService) -> Self {
        Batch { service, requests: Vec::new(), calls: BTreeMap::new() }
    }

    /// One more call.
    ///
    /// # Errors
    /// [`Error::BadParams`].
    pub fn call<R: DeserializeOwned>(&mut self, method: &str, params: impl Serialize) -> Result<Ticket<R>, Error> {
        let params = message::params_of(method, params)?;
        let id = self.service.next_id();
        self.requests.push(message::request(method, params, Some(id)));
        self.calls.insert(id, method.to_owned());
        Ok(Ticket { id, method: method.to_owned(), result: PhantomData })
    }

    /// One more notification.
    ///
    /// # Errors
    /// [`Error::BadParams`].
    pub fn notify(&mut self, method: &str, params: impl Serialize) -> Result<(), Error> {
        let params = message::params_of(method, params)?;
        self.requests.push(message::request(method, params, None));
        Ok(())
    }

    /// How many calls and notifications it has.
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Sends everything, and waits for all answers. A batch without anything in it is not sent.
    ///
    /// # Errors
    /// What can go wrong with the batch as a whole, as for a [call](RemoteService::call):
    /// [`Error::Remote`] if the server refused it whole, [`Error::Malformed`] if one of its answers is
    /// none, or is to a call that is not in the batch. What becomes of a single call,
    /// [`BatchReply::take`] says.
    pub fn send(self) -> Result<BatchReply, Error> {
        let Batch { service, requests, mut calls } = self;
        let mut reply = BatchReply { verdicts: BTreeMap::new() };
        if requests.is_empty() {
            return Ok(reply);
        }
        let (url, answered) = service.post(Value::Array(requests).to_string().as_bytes())?;
        if calls.is_empty() && answered.is_success() {
            return Ok(reply);
        }
        let answers = match value_of(url, &answered)? {
            Value::Array(answers) => answers,
            single => {
                let answer = message::read(single).map_err(|reason| not_said(url, &answered, reason))?;
                answer.verdict?;
                return Err(malformed(url, "it is a single result to a batch of calls"));
            }
        };
        for answer in answers {
            let answer = message::read(answer).map_err(|reason| malformed(url, reason))?;
            // Without an id it is an error about a part of the batch that the server did not
            // understand: whoever asked finds that nobody answered.
            let Some(id) = answer.id else { continue };
            if calls.remove(&id).is_some() {
                reply.verdicts.insert(id, answer.verdict);
            } else if reply.verdicts.remove(&id).is_none() {
                return Err(malformed(url, format!("it answers call {id}, which is not in the batch")));
            }
            // Answered twice: which one holds, nobody knows. gemstone 0.12 does it when several calls of
            // a batch fail in the same way.
        }
        Ok(reply)
    }
}

impl fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("service", self.service).field("len", &self.len()).finish_non_exhaustive()
    }
}

/// The answers to a batch, in whatever order they came.
#[derive(Debug)]
pub struct BatchReply {
    verdicts: BTreeMap<Id, Verdict>,
}

impl BatchReply {
    /// The result of a call.
    ///
    /// # Errors
    /// [`Error::Remote`] if it was refused, [`Error::Unexpected`] if its result is of another type,
    /// [`Error::Unanswered`] if the server gave no answer to it, or several.
    pub fn take<R: DeserializeOwned>(&mut self, ticket: Ticket<R>) -> Result<R, Error> {
        let Ticket { id, method, .. } = ticket;
        match self.verdicts.remove(&id) {
            None => Err(Error::Unanswered { method }),
            Some(Err(error)) => Err(error.into()),
            Some(Ok(result)) => {
                serde_json::from_value(result).map_err(|error| Error::Unexpected { method, reason: error.to_string() })
            }
        }
    }
}
