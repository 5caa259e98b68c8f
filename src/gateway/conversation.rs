//! What is known of a connection while requests come and go.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;
use std::time::{Duration, Instant};

use actix_web::http::header::{self, HeaderMap};

/// So long a connection goes on that has been told that it will be closed.
pub(super) const FAREWELL: Duration = Duration::from_secs(1);

/// What is known of a connection while requests come and go.
#[derive(Debug)]
pub(super) struct Conversation {
    /// So long it may be without a request in hand.
    patience: Duration,
    in_hand: Cell<usize>,
    /// What is yet to come of the body of the last request.
    body: Cell<Body>,
    /// When it is closed, unless there is a request in hand.
    ends: Cell<Instant>,
    /// Whether there were as many connections as there may be before it came.
    is_one_too_many: bool,
    /// Whether it has been told that it will be closed.
    said_goodbye: Cell<bool>,
    /// Who is to look whether the next request may be read, or the end has come.
    reader: RefCell<Option<Waker>>,
    /// Whether something of the next request has come already.
    has_more: Cell<bool>,
}

/// What is yet to come of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// So many bytes.
    Bytes(u64),
    /// Nobody knows how much.
    Chunks,
}

impl Body {
    const NOTHING: Body = Body::Bytes(0);

    /// That of a request with such a head (RFC 9112, section 6.3).
    fn of(headers: &HeaderMap) -> Self {
        if headers.contains_key(header::TRANSFER_ENCODING) {
            return Body::Chunks;
        }
        let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        Body::Bytes(length.unwrap_or(0))
    }
}

impl Conversation {
    pub(super) fn new(patience: Duration, is_one_too_many: bool) -> Rc<Self> {
        Rc::new(Conversation {
            patience,
            in_hand: Cell::new(0),
            body: Cell::new(Body::NOTHING),
            ends: Cell::new(Instant::now() + patience),
            is_one_too_many,
            said_goodbye: Cell::new(false),
            reader: RefCell::default(),
            has_more: Cell::new(false),
        })
    }

    /// Takes a request in hand, until what comes back is dropped. Nothing of the next one is read meanwhile.
    pub(super) fn take_in_hand(self: &Rc<Self>, headers: &HeaderMap) -> InHand {
        self.body.set(Body::of(headers));
        self.keep_in_hand()
    }

    /// Keeps the request in hand for longer.
    pub(super) fn keep_in_hand(self: &Rc<Self>) -> InHand {
        self.in_hand.set(self.in_hand.get() + 1);
        InHand(self.clone())
    }

    /// Whether all of the body of the request in hand has come, and was taken.
    pub(super) fn has_body_come(&self) -> bool {
        self.body.get() == Body::NOTHING
    }

    /// The body of the request in hand has come to its end.
    pub(super) fn end_body(&self) {
        self.body.set(Body::NOTHING);
    }

    /// Whether there were as many connections as there may be before it came: it is closed behind its first
    /// answer.
    pub(super) fn is_one_too_many(&self) -> bool {
        self.is_one_too_many
    }

    /// It is closed soon, whatever else comes.
    pub(super) fn say_goodbye(&self) {
        self.said_goodbye.set(true);
    }

    /// Something has happened that shows that the other side is well.
    pub(super) fn goes_on(&self) {
        if !self.said_goodbye.get() {
            self.ends.set(Instant::now() + self.patience);
        }
    }

    /// When it is to be closed; `None` while there is a request in hand.
    pub(super) fn ends(&self) -> Option<Instant> {
        (self.in_hand.get() == 0).then(|| self.ends.get())
    }

    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// Whether what comes now is of a further request, whose turn it is not.
    pub(super) fn holds(&self) -> bool {
        self.in_hand.get() > 0 && self.has_body_come()
    }

    /// Who reads is to be woken when the request in hand is answered, if that is the last one or something of
    /// the next has come. Otherwise, what comes will wake them.
    pub(super) fn wait(&self, reader: &Waker, has_more: bool) {
        self.has_more.set(has_more);
        let mut waiting = self.reader.borrow_mut();
        if !waiting.as_ref().is_some_and(|waiting| waiting.will_wake(reader)) {
            *waiting = Some(reader.clone());
        }
    }

    /// What is yet to come of a body.
    pub(super) fn body(&self) -> Body {
        self.body.get()
    }

    /// So many bytes of a body of known length have come.
    pub(super) fn has_come(&self, bytes: u64) {
        if let Body::Bytes(left) = self.body.get() {
            self.body.set(Body::Bytes(left.saturating_sub(bytes)));
        }
    }
}

/// A request in hand.
#[derive(Debug)]
pub(super) struct InHand(Rc<Conversation>);

impl Drop for InHand {
    fn drop(&mut self) {
        let Conversation { patience, in_hand, body, ends, said_goodbye, reader, has_more, .. } = &*self.0;
        in_hand.set(in_hand.get() - 1);
        if in_hand.get() > 0 {
            return;
        }
        if body.get() == Body::Chunks {
            body.set(Body::NOTHING);
        }
        let patience = if said_goodbye.get() { FAREWELL.min(*patience) } else { *patience };
        ends.set(Instant::now() + patience);
        if (said_goodbye.get() || has_more.get())
            && let Some(reader) = &*reader.borrow()
        {
            reader.wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderValue, TRANSFER_ENCODING};

    use super::*;

    fn head(name: header::HeaderName, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn a_conversation_ends_when_nothing_has_been_in_hand_for_too_long() {
        let conversation = Conversation::new(Duration::from_secs(60), false);
        let first = conversation.ends();
        let request = conversation.take_in_hand(&HeaderMap::new());
        assert_eq!(conversation.ends(), None);
        drop(request);
        assert!(conversation.ends() > first);
    }

    #[test]
    fn after_a_goodbye_nothing_keeps_it_open() {
        let conversation = Conversation::new(Duration::from_secs(60), false);
        let request = conversation.take_in_hand(&HeaderMap::new());
        conversation.say_goodbye();
        drop(request);
        let soon = Instant::now() + FAREWELL;
        conversation.goes_on();
        assert!(conversation.ends().is_some_and(|ends| ends <= soon));
    }

    #[test]
    fn the_next_request_waits_for_the_answer_to_this_one() {
        let conversation = Conversation::new(Duration::from_secs(60), false);
        let holds = || conversation.holds();
        assert!(!holds());
        let plain = conversation.take_in_hand(&HeaderMap::new());
        assert!(holds());
        drop(plain);
        assert!(!holds());

        let long = conversation.take_in_hand(&head(header::CONTENT_LENGTH, "10"));
        conversation.has_come(4);
        assert_eq!((holds(), conversation.body()), (false, Body::Bytes(6)));
        conversation.has_come(6);
        assert!(holds());
        drop(long);

        let chunked = conversation.take_in_hand(&head(TRANSFER_ENCODING, "chunked"));
        conversation.has_come(1000);
        assert!(!holds());
        conversation.end_body();
        assert!(holds());
        drop(chunked);
        assert!(!holds());
    }
}
