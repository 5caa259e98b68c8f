//! How a message sets out from one of a service's connections.

use serde_json::Value;

use super::msg::{Draft, Msg, MsgId, RawMessage, Stamp};
use crate::network::waits::WaitKey;
use crate::outcome::Undelivered;
use crate::router::Address;
use crate::service::desk::Desk;

/// Sends a message and, if it answers another one, has done with that. `request`: what is to be
/// settled by the answer; `NONE` if none is awaited. An error is the message's outcome.
pub(crate) fn set_out(desk: &Desk, from: Address, draft: Draft, request: WaitKey) -> Result<MsgId, Undelivered> {
    let Draft { to, subject, contents, meta, via, answers, interface, baggage } = draft;
    let network = &desk.network;
    let (id, standing) = {
        let mut book = network.book.borrow_mut();
        (MsgId(book.next_message()), book.standing_of(desk.id))
    };
    if let Some(answers) = answers {
        desk.raw().in_hand.borrow_mut().release(answers.id);
    }
    let wait = match answers {
        Some(_) if request.is_none() => WaitKey::ANSWER,
        _ => request,
    };
    let (contents, unfit) = match contents {
        Ok(contents) => (contents, None),
        Err(reason) => (Value::Null, Some(Undelivered::Unserialisable { to: to.to_string(), reason })),
    };
    if let Some(why) = unfit {
        return Err(network.fail_at_once(interface, desk.id, wait, why));
    }
    let stamp = Stamp { sender: desk.id, standing, interface, request, baggage };
    let reply_id = answers.map(|answers| answers.id);
    let msg = Msg { to, from, subject, contents, id, reply_id, meta, stamp };
    let answers = answers.map(|answers| answers.request);
    network.post(desk.id, RawMessage { msg, wait, answers, tracked: false, via, hops: 0 })?;
    Ok(id)
}
