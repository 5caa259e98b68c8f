//! Requests: a message, and its answer or what became of it.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::msg::{Draft, Msg};
use super::sending::set_out;
use crate::interfaces::{CallError, Declined};
use crate::network::pending::Pending;
use crate::network::waits::{Answer, Settled};
use crate::outcome::{OutcomeKind, Undelivered};
use crate::router::Address;
use crate::service::desk::Desk;
use crate::units::SimDuration;

/// A message whose answer is wanted, and that has yet to be sent: await it, or
/// [`send`](RawRequest::send) it.
#[must_use = "nothing is asked until it is awaited or sent"]
pub struct RawRequest {
    pub(super) desk: Rc<Desk>,
    pub(super) from: Address,
    pub(super) draft: Draft,
    pub(super) timeout: Option<SimDuration>,
}

impl RawRequest {
    /// Waits so long for the answer, counted from the sending.
    pub fn timeout(mut self, timeout: SimDuration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends it now, so that several can be under way at once.
    pub fn send(self) -> RawReply {
        let RawRequest { desk, from, draft, timeout } = self;
        let network = &desk.network;
        let owner = network.book.borrow().owner_of(draft.to).map(|owner| owner.service);
        let key = network.open_wait(desk.id, owner, draft.interface);
        let mut pending = Pending::new(network.clone(), key);
        if let Some(timeout) = timeout {
            pending.set_timeout(timeout);
        }
        // The timeout runs whether anybody awaits the answer or not, so that every request ends.
        pending.start_timer();
        let (subject, to) = (draft.subject.clone(), draft.to);
        // What goes wrong at once is the outcome of the wait, which the future finds there.
        let _ = set_out(&desk, from, draft, key);
        RawReply { subject, to, pending }
    }
}

impl IntoFuture for RawRequest {
    type Output = Result<Msg, CallError>;
    type IntoFuture = RawReply;

    fn into_future(self) -> RawReply {
        self.send()
    }
}

/// An answer that is under way. Dropped, it is forgotten: the answer then goes to the handler, as one
/// that comes after the timeout does.
#[must_use = "the answer goes to the handler unless it is awaited"]
pub struct RawReply {
    subject: String,
    to: Address,
    pending: Pending,
}

impl RawReply {
    fn outcome(&self, settled: Settled) -> Result<Msg, CallError> {
        let Settled { answer, elapsed, .. } = settled;
        match answer {
            Answer::Message(msg) => match msg.outcome() {
                OutcomeKind::NotUnderstood => {
                    let (by, what) = (msg.from.to_string(), self.subject.clone());
                    Err(CallError::NotUnderstood(Declined::new(by, what, "it does not know the subject")))
                }
                OutcomeKind::Denied => {
                    let (by, what) = (msg.from.to_string(), self.subject.clone());
                    Err(CallError::Denied(Declined::new(by, what, reason_in(&msg.contents))))
                }
                OutcomeKind::Error => {
                    Err(CallError::Failed { by: msg.from.to_string(), reason: reason_in(&msg.contents) })
                }
                OutcomeKind::Undelivered => Err(Undelivered::UnknownAddress { address: self.to.to_string() }.into()),
                _ => Ok(*msg),
            },
            Answer::Undelivered(why) => Err(why.into()),
            Answer::Interrupted(by) => Err(CallError::Interrupted { by }),
            // Deliveries and responses do not answer raw requests.
            Answer::TimedOut | Answer::Lost | Answer::Delivered | Answer::Response(_) | Answer::Rpc(..) => {
                let what = format!("`{}` to answer {}", self.to, self.subject);
                Err(CallError::TimedOut { what, waited: elapsed })
            }
        }
    }
}

/// What the contents say is wrong: their `detail`, or all of them.
fn reason_in(contents: &serde_json::Value) -> String {
    match contents.get("detail").and_then(serde_json::Value::as_str) {
        Some(detail) => detail.to_owned(),
        None => contents.to_string(),
    }
}

impl Future for RawReply {
    type Output = Result<Msg, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match Pin::new(&mut self.pending).poll(cx) {
            Poll::Ready(settled) => Poll::Ready(self.outcome(settled)),
            Poll::Pending => Poll::Pending,
        }
    }
}
