//! A call in the hands of the service that was asked, and the way back to the one who asks.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde::Serialize;
use serde_json::Value;

use super::answer::{RemoteError, RpcAnswer};
use super::headers::{Fields, HeaderError, Headers, TraceId};
use super::payload::Payload;
use super::{AnswerMessage, CallMessage};
use crate::interfaces::baggage::Baggage;
use crate::network::Envelope;
use crate::network::ports::{Body, Delivery};
use crate::network::waits::WaitKey;
use crate::outcome::{Interface, OutcomeKind};
use crate::router::{NotDelivered, Why};
use crate::service::desk::{Desk, Ticket};
use crate::trace::ServiceId;
use crate::units::Bytes;

/// The counter of answers that were refused because there was one before.
pub const SECOND_ANSWERS: &str = "rpc: second answers refused";

/// Why an answer was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The call was answered before; the caller has heard that, and hears nothing of this.
    #[error("the call was answered before, with {first}")]
    Second {
        /// What the first answer was.
        first: OutcomeKind,
    },
    /// The body has no size. The call is still open.
    #[error("the answer cannot be serialised: {reason}")]
    Unserialisable {
        /// What the serialiser said.
        reason: String,
    },
    /// The service that was asked has ended: its callers are told that they were interrupted.
    #[error("the service that was asked is gone")]
    Gone,
}

/// Whether a call has been answered. It is answered at most once, whatever is tried.
///
/// ```text
/// Open --answer--> Answered(first) --answer--> Answered(first), and the second is refused
///   '---release--> Released        --answer--> Released, and refused
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Open(WaitKey),
    Answered(OutcomeKind),
    /// The service ended, and somebody else tells the asker.
    Released,
}

impl Standing {
    /// What there is to answer; an answered call has nothing.
    fn asked(self) -> Result<WaitKey, AnswerError> {
        match self {
            Standing::Open(call) => Ok(call),
            Standing::Answered(first) => Err(AnswerError::Second { first }),
            Standing::Released => Err(AnswerError::Gone),
        }
    }

    fn answered(self, kind: OutcomeKind) -> Self {
        if matches!(self, Standing::Open(_)) { Standing::Answered(kind) } else { self }
    }

    fn released(self) -> Self {
        if matches!(self, Standing::Open(_)) { Standing::Released } else { self }
    }
}

/// A call that a handler is at work on.
pub struct Call {
    desk: Rc<Desk>,
    caller: ServiceId,
    method: Cow<'static, str>,
    headers: Headers,
    baggage: Baggage,
    idempotent: bool,
    standing: Cell<Standing>,
    /// From when it is [held](Self::hold) until it is answered: if the service ends in between, the asker
    /// is told that it was interrupted.
    ticket: Cell<Option<Ticket>>,
    answer_fields: RefCell<Fields>,
}

impl Call {
    /// Takes a call that was delivered this moment; returns its parameters too.
    #[inline]
    pub(crate) fn take(desk: &Rc<Desk>, delivery: Delivery<CallMessage>) -> (Rc<Call>, Payload) {
        let CallMessage { call, method, headers, idempotent, params, baggage } = delivery.body;
        let call = Call {
            desk: desk.clone(),
            ticket: Cell::new(None),
            caller: delivery.from,
            method,
            headers,
            baggage,
            idempotent,
            standing: Cell::new(Standing::Open(call)),
            answer_fields: RefCell::default(),
        };
        (Rc::new(call), params)
    }

    /// Time is going to pass before the call is answered: from now on the service has it in its hands.
    /// One that is answered where it was delivered never comes to that, as nothing can happen in between.
    pub(crate) fn hold(&self) {
        if let Standing::Open(call) = self.standing.get()
            && self.ticket.get().is_none()
        {
            self.ticket.set(Some(self.desk.take_in_hand(call, self.caller)));
            self.desk.handling.set(self.desk.handling.get() + 1);
        }
    }

    /// Who asks.
    pub fn caller(&self) -> ServiceId {
        self.caller
    }

    /// Which method, as the caller has called it.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// What came with the call.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The chain of calls that this one belongs to.
    pub fn trace_id(&self) -> TraceId {
        self.headers.trace_id()
    }

    /// What has come with it from outside.
    pub(crate) fn baggage(&self) -> &Baggage {
        &self.baggage
    }

    /// Whether the caller has declared that it does no harm to carry it out twice.
    pub fn is_idempotent(&self) -> bool {
        self.idempotent
    }

    /// Sets a header of the answer.
    ///
    /// # Errors
    /// It cannot go along. After the answer it has no effect.
    pub fn set_header(&self, name: impl Into<String>, value: impl Into<String>) -> Result<(), HeaderError> {
        self.answer_fields.borrow_mut().set(name.into(), value.into())
    }

    /// Answers, unless that was done before.
    #[inline]
    pub(crate) fn answer(&self, answer: RpcAnswer) -> Result<(), AnswerError> {
        let call = self.check()?;
        let bytes = answer.size();
        self.send(call, answer, bytes);
        Ok(())
    }

    /// Replies, unless the call was answered before.
    #[inline]
    pub(crate) fn reply<R: Body>(&self, body: R) -> Result<(), AnswerError> {
        let call = self.check()?;
        let bytes = postcard::experimental::serialized_size(&body)
            .map_err(|error| AnswerError::Unserialisable { reason: error.to_string() })?;
        self.send(call, RpcAnswer::Reply(Payload::new(body)), bytes as u64);
        Ok(())
    }

    fn is_open(&self) -> bool {
        matches!(self.standing.get(), Standing::Open(_))
    }

    fn check(&self) -> Result<WaitKey, AnswerError> {
        // A service that is on its way out may be dropped in any order.
        if self.desk.is_gone() {
            self.release();
        }
        self.standing.get().asked().inspect_err(|error| {
            if matches!(error, AnswerError::Second { .. }) {
                self.desk.network.count(self.desk.id, SECOND_ANSWERS, 1);
            }
        })
    }

    /// Sends the answer back. If it cannot set out, the one who asked runs into the timeout.
    fn send(&self, call: WaitKey, answer: RpcAnswer, body: u64) {
        if let Some(ticket) = self.settle(self.standing.get().answered(answer.kind())) {
            self.desk.release(ticket);
        }
        let headers = Headers::new(self.trace_id(), self.answer_fields.take());
        // One byte says which kind of answer it is.
        let bytes = Bytes(1 + headers.size() + body);
        let envelope = Envelope::to_name(self.desk.id, self.caller, Interface::Rpc, WaitKey::ANSWER, bytes);
        let _ = self.desk.network.send(envelope, AnswerMessage { call, answer, headers });
    }

    /// Ends a call that was never in anybody's hands, or whose end nobody will hear of: the router says so to
    /// the caller's, as it would of a service that is gone. Nothing happens if it was answered before.
    pub(crate) fn end(&self, why: Why) {
        let Standing::Open(wait) = self.standing.get() else { return };
        if let Some(ticket) = self.settle(self.standing.get().released()) {
            self.desk.release(ticket);
        }
        self.desk.network.notify(self.desk.id, self.caller, NotDelivered { wait, why });
    }

    /// Takes the call out of the service's hands without an answer: it has ended, and whoever ends it
    /// tells the asker.
    pub(crate) fn release(&self) {
        self.settle(self.standing.get().released());
    }

    /// The call is in the service's hands no more. Its ticket, if it ever was.
    fn settle(&self, standing: Standing) -> Option<Ticket> {
        self.standing.set(standing);
        let ticket = self.ticket.take()?;
        self.desk.handling.set(self.desk.handling.get() - 1);
        Some(ticket)
    }

    pub(crate) fn is_answered(&self) -> bool {
        matches!(self.standing.get(), Standing::Answered(_))
    }
}

impl Drop for Call {
    /// A handler that is dropped at its work leaves its call open.
    fn drop(&mut self) {
        self.release();
    }
}

/// The way back to the caller of a `raw_rpc` method. It may be kept and answered later, from another
/// task or step; a call is answered once, and a second answer is refused: its sender gets an
/// [`AnswerError::Second`], the service's counter [`SECOND_ANSWERS`] goes up, and the caller, who has
/// the first answer, is told nothing.
///
/// Dropped without an answer it nacks. What comes when the caller has given up sets out all the same,
/// as nobody here can know, and is dropped at the other end.
pub struct ReplyChannel {
    call: Rc<Call>,
}

impl ReplyChannel {
    pub(crate) fn new(call: Rc<Call>) -> Self {
        ReplyChannel { call }
    }

    /// The call that is to be answered.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// Whether it has been.
    pub fn is_answered(&self) -> bool {
        self.call.is_answered()
    }

    /// Done, and this is the result.
    ///
    /// # Errors
    /// It was answered before, the service is gone, or the body cannot be serialised; then the call is
    /// still open.
    pub fn reply(&self, body: impl Body) -> Result<(), AnswerError> {
        self.call.reply(body)
    }

    /// Taken, and there is nothing more to say.
    ///
    /// # Errors
    /// It was answered before, or the service is gone.
    pub fn ack(&self) -> Result<(), AnswerError> {
        self.call.answer(RpcAnswer::Ack)
    }

    /// Not done, and safe to try again.
    ///
    /// # Errors
    /// It was answered before, or the service is gone.
    pub fn nack(&self, reason: impl Into<String>) -> Result<(), AnswerError> {
        self.call.answer(RpcAnswer::Nack(reason.into()))
    }

    /// Done, and failed with an error of that type.
    ///
    /// # Errors
    /// It was answered before, the service is gone, or the error cannot be put into JSON; then the call
    /// is still open.
    pub fn error(&self, type_name: &str, message: impl Into<String>, body: impl Serialize) -> Result<(), AnswerError> {
        self.call.check()?;
        let body = to_json(body)?;
        self.call.answer(RpcAnswer::Error(Box::new(RemoteError::new(type_name, message.into(), body))))
    }

    /// The caller may not.
    ///
    /// # Errors
    /// It was answered before, or the service is gone.
    pub fn deny(&self, reason: impl Into<String>) -> Result<(), AnswerError> {
        self.call.answer(RpcAnswer::Denied(reason.into()))
    }

    /// Ends the call without an answer, as [`Call::end`] does.
    pub(crate) fn end(&self, why: Why) {
        self.call.end(why);
    }

    /// Any answer.
    pub(crate) fn answer(&self, answer: RpcAnswer) -> Result<(), AnswerError> {
        self.call.answer(answer)
    }

    /// The same answers, for whoever does not know whether there was one before: they are sent only if
    /// there was none, and are no mistake otherwise.
    ///
    /// (The documentation of lymph, where the option comes from, says "only if a reply has already been
    /// sent"; its code does what the name says, as this does.)
    pub fn unless_reply_sent(&self) -> UnlessReplySent<'_> {
        UnlessReplySent { channel: self }
    }
}

impl Drop for ReplyChannel {
    fn drop(&mut self) {
        // Nobody can say how far a service had come that panics or is gone, so that this is no nack.
        if self.call.is_open() && !self.call.desk.is_gone() && !std::thread::panicking() {
            let _ = self.nack("the handler let it go without an answer");
        }
    }
}

/// Answers that are sent unless there was one before: see [`ReplyChannel::unless_reply_sent`]. Each
/// says whether it was sent.
#[derive(Clone, Copy)]
#[must_use = "nothing is answered yet"]
pub struct UnlessReplySent<'a> {
    channel: &'a ReplyChannel,
}

impl UnlessReplySent<'_> {
    /// As [`ReplyChannel::ack`].
    ///
    /// # Errors
    /// The service is gone.
    pub fn ack(self) -> Result<bool, AnswerError> {
        self.unless_answered(ReplyChannel::ack)
    }

    /// As [`ReplyChannel::nack`].
    ///
    /// # Errors
    /// The service is gone.
    pub fn nack(self, reason: impl Into<String>) -> Result<bool, AnswerError> {
        self.unless_answered(|channel| channel.nack(reason))
    }

    /// As [`ReplyChannel::error`].
    ///
    /// # Errors
    /// The service is gone, or the error cannot be put into JSON.
    pub fn error(self, type_name: &str, message: impl Into<String>, body: impl Serialize) -> Result<bool, AnswerError> {
        self.unless_answered(|channel| channel.error(type_name, message, body))
    }

    fn unless_answered(
        self,
        answer: impl FnOnce(&ReplyChannel) -> Result<(), AnswerError>,
    ) -> Result<bool, AnswerError> {
        if self.channel.is_answered() {
            return Ok(false);
        }
        answer(self.channel).map(|()| true)
    }
}

fn to_json(body: impl Serialize) -> Result<Value, AnswerError> {
    serde_json::to_value(body).map_err(|error| AnswerError::Unserialisable { reason: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [OutcomeKind; 4] = [OutcomeKind::Reply, OutcomeKind::Ack, OutcomeKind::Nack, OutcomeKind::Error];

    #[test]
    fn the_first_answer_stands_and_every_further_one_is_refused_by_its_name() {
        for first in KINDS {
            let standing = Standing::Open(WaitKey::ANSWER);
            assert_eq!(standing.asked(), Ok(WaitKey::ANSWER));
            let answered = standing.answered(first);
            assert_eq!(answered.asked(), Err(AnswerError::Second { first }));
            for second in KINDS {
                assert_eq!(answered.answered(second), answered);
            }
            assert_eq!(answered.released(), answered, "what was answered has nothing to release");
        }
    }

    #[test]
    fn what_was_released_cannot_be_answered() {
        let released = Standing::Open(WaitKey::ANSWER).released();
        assert_eq!(released.asked(), Err(AnswerError::Gone));
        for kind in KINDS {
            assert_eq!(released.answered(kind), released);
        }
    }
}
