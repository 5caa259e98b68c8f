//! Where raw messages come in to a service: which connection takes them, and how it handles them.

use std::future::Future;
use std::pin::Pin;
use std::rc::{Rc, Weak};

use serde_json::{Value, json};

use super::connection::{Opened, Taker, take_in_hand};
use super::handling::{Chore, Handling, HandlingResult};
use super::msg::{Draft, Msg, RawMessage};
use super::sending::set_out;
use super::{DOES_NOT_UNDERSTAND, HANDLER_FAILED};
use crate::interfaces::directory::Member;
use crate::network::Network;
use crate::network::ports::{Arrival, Receiver, Refusal};
use crate::network::waits::{Answer, WaitKey};
use crate::outcome::Undelivered;
use crate::router::Address;
use crate::service::desk::Desk;
use crate::service::host::{CatchPanic, HANDLING_LIMIT};
use crate::service::{Service, ServiceIo};
use crate::trace::ServiceId;

/// The door of one service. It keeps nobody alive who is gone.
pub(crate) struct Door<S> {
    service: Weak<S>,
    desk: Weak<Desk>,
}

impl<S: Service> Door<S> {
    pub(crate) fn new(service: &Rc<S>, desk: &Rc<Desk>) -> Self {
        Door { service: Rc::downgrade(service), desk: Rc::downgrade(desk) }
    }
}

impl<S: Service> Receiver<RawMessage> for Door<S> {
    fn receive(&self, network: &Network, arrival: Arrival<'_, RawMessage>) -> Result<(), Refusal> {
        let (Some(service), Some(desk)) = (self.service.upgrade(), self.desk.upgrade()) else {
            return Err(Refusal::Gone);
        };
        let Hearers { connection, opened, member } =
            arrival.look(|raw| Hearers::of(&desk, arrival.header().to, raw)).ok_or(Refusal::Gone)??;
        let Some(delivery) = arrival.accept(network) else { return Ok(()) };
        // A second copy is recognised as such, as TCP would.
        if delivery.duplicate {
            return Ok(());
        }
        let RawMessage { msg, wait, answers, tracked, .. } = delivery.body;
        if tracked {
            network.settle(wait, Answer::Delivered);
        }
        let unawaited = match answers {
            Some(request) => network.answer(request, msg),
            None => Some(msg),
        };
        if let Some(msg) = unawaited {
            if let Some(member) = member {
                member.hear(&desk, &msg);
                return Ok(());
            }
            take(service, &desk, connection, opened, msg);
        }
        Ok(())
    }
}

/// Who hears a message.
struct Hearers {
    connection: Address,
    opened: Option<Rc<Opened>>,
    member: Option<Rc<Member>>,
}

impl Hearers {
    /// Who hears a message that has come to a service, or why nobody does.
    fn of(desk: &Rc<Desk>, to: ServiceId, raw: &RawMessage) -> Result<Self, Refusal> {
        let network = &desk.network;
        let connection = {
            let book = network.book.borrow();
            let is_here = book.owner_of(raw.msg.to).is_some_and(|owner| owner.service == to);
            book.connection_behind(raw.msg.to).filter(|_| is_here)
        };
        let Some(connection) = connection else {
            let address = raw.msg.to.to_string();
            return Err(Refusal::Other(Box::new(Undelivered::UnknownAddress { address })));
        };
        let opened = desk.raw_if_used().and_then(|raw| raw.opened.borrow().get(&connection).cloned());
        let is_full = match opened.as_deref() {
            Some(opened @ Opened { taker: Taker::Queue, .. }) => opened.is_full(),
            _ => desk.raw_if_used().is_some_and(|raw| raw.handling.get() >= HANDLING_LIMIT as usize),
        };
        // An answer that somebody awaits takes no room, and is all that is taken before the beginning and
        // in the end.
        let is_awaited = || raw.answers.is_some_and(|request| network.is_held(request));
        if (desk.is_leaving() || !network.is_present(desk.id)) && !is_awaited() {
            return Err(Refusal::Gone);
        }
        let member = opened.is_none().then(|| Member::that_hears(desk, &raw.msg)).flatten();
        if is_full && member.is_none() && !is_awaited() {
            return Err(Refusal::InboxFull);
        }
        Ok(Hearers { connection, opened, member })
    }
}

/// Hands a message to whoever takes what comes to that connection.
fn take<S: Service>(service: Rc<S>, desk: &Rc<Desk>, connection: Address, opened: Option<Rc<Opened>>, msg: Msg) {
    let io = ServiceIo::new(desk.clone()).bearing(msg.stamp.baggage.clone());
    // What is left of it for an answer, should its handler leave that to the runtime.
    let receipt = |msg: &Msg| Msg {
        contents: Value::Null,
        meta: Default::default(),
        subject: msg.subject.clone(),
        stamp: msg.stamp.clone(),
        ..*msg
    };
    match opened.as_deref().map(|opened| &opened.taker) {
        None => {
            let receipt = receipt(&msg);
            // The handler's own beginning may panic too, before there is a future.
            let handling = async move { service.message_arrived(&io, msg).await };
            handle(desk, connection, receipt, Box::pin(handling));
        }
        Some(Taker::Handler(handler)) => {
            let (receipt, handler) = (receipt(&msg), handler.clone());
            let handling = async move { handler(io, msg).await };
            handle(desk, connection, receipt, Box::pin(handling));
        }
        Some(Taker::Queue) => {
            if let Some(opened) = opened.filter(|opened| !(msg.is_reply() && opened.ignores_replies.get())) {
                opened.put(msg);
            }
        }
    }
}

/// Lets a handler run, then does what it leaves to the runtime.
fn handle<F>(desk: &Rc<Desk>, connection: Address, receipt: Msg, handling: Pin<Box<F>>)
where
    F: Future<Output = HandlingResult> + 'static,
{
    take_in_hand(desk, &receipt);
    let count = &desk.raw().handling;
    count.set(count.get() + 1);
    let (owner, network) = (desk.id, desk.network.clone());
    let desk = desk.clone();
    let task = async move {
        let result = CatchPanic { inner: Some(handling) }.await;
        let count = &desk.raw().handling;
        count.set(count.get() - 1);
        desk.records.borrow_mut().handled += 1;
        desk.look_whether_idle();
        let mut panic = None;
        let (answer, shuts_down) = match result {
            Ok(Ok(Handling::Done)) => (None, false),
            Ok(Ok(Handling::Unhandled(defaults))) => match defaults.chore(&receipt.subject, receipt.is_reply()) {
                Chore::AnswerPing => (Some(receipt.reply(())), false),
                Chore::ShutDown => (Some(receipt.reply(())), true),
                Chore::DoesNotUnderstand => (Some(receipt.reply(&receipt.subject).subject(DOES_NOT_UNDERSTAND)), false),
                Chore::Ignore => (None, false),
                Chore::Note => {
                    desk.network.count(desk.id, "unhandled messages", 1);
                    (None, false)
                }
            },
            Ok(Err(error)) => {
                desk.step_failed(&format!("{}: {error}", receipt.subject));
                (failure(&desk, &receipt, &error.to_string()), false)
            }
            Err(caught) => {
                let answer = failure(&desk, &receipt, &format!("the handler panicked: {}", caught.message));
                panic = Some(caught);
                (answer, false)
            }
        };
        if let Some(answer) = answer {
            // If it cannot set out, the one who asked runs into the timeout.
            let _ = set_out(&desk, connection, answer, WaitKey::NONE);
        }
        if let Some(caught) = panic {
            // Whatever it has left behind half done, the next incarnation begins anew.
            desk.network.crash(desk.id, caught);
        } else if shuts_down {
            desk.network.stop(desk.id);
        }
    };
    network.spawn(owner, Box::pin(task));
}

/// What the one is told who awaits an answer that the handler has not given, and will not.
fn failure(desk: &Desk, receipt: &Msg, problem: &str) -> Option<Draft> {
    let unanswered = desk.raw().in_hand.borrow().has(receipt.id);
    unanswered.then(|| receipt.reply(json!({ "detail": problem })).subject(HANDLER_FAILED))
}
