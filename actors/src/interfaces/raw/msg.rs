//! Messages: what a service writes ([`Draft`]) and what another one gets ([`Msg`]).

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{DENIED, DOES_NOT_UNDERSTAND, HANDLER_FAILED, MSG_NOT_DELIVERED};
use crate::interfaces::CallError;
use crate::interfaces::baggage::Baggage;
use crate::network::waits::WaitKey;
use crate::outcome::{Interface, OutcomeKind};
use crate::router::book::NO_STANDING;
use crate::router::{Address, Standing};
use crate::trace::ServiceId;

/// The number of a message: no other message of the run has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct MsgId(pub(crate) u64);

impl fmt::Display for MsgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What the network writes on a message, out of the sender's reach. It has no size on the wire.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    pub(crate) sender: ServiceId,
    pub(crate) standing: Option<Rc<Standing>>,
    /// What the message is counted as.
    pub(crate) interface: Interface,
    /// What the sender awaits: the reply settles it.
    pub(crate) request: WaitKey,
    pub(crate) baggage: Baggage,
}

/// A message as it arrives.
///
/// It prints as `2:0:7 -> 1:0:2 ADD_ONE #5`; a reply also says what it answers.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Msg {
    /// Whom it is for.
    pub to: Address,
    /// The connection that sent it.
    pub from: Address,
    /// What it is about.
    pub subject: String,
    /// What it says; `Null` if nothing.
    pub contents: Value,
    /// Its number.
    pub id: MsgId,
    /// The number of the message that it answers.
    pub reply_id: Option<MsgId>,
    /// What else its sender wrote on it.
    pub meta: BTreeMap<String, Value>,
    #[serde(skip)]
    pub(crate) stamp: Stamp,
}

impl Msg {
    /// An answer: to the sender, under the same subject.
    pub fn reply(&self, contents: impl Serialize) -> Draft {
        let answers = Answers { id: self.id, request: self.stamp.request };
        let draft = Draft { answers: Some(answers), ..Draft::new(self.from, self.subject.clone()) };
        draft.speaking(self.stamp.interface).contents(contents)
    }

    /// Whether it answers another message.
    pub fn is_reply(&self) -> bool {
        self.reply_id.is_some()
    }

    /// The contents as a value of this type.
    ///
    /// # Errors
    /// They are something else.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        T::deserialize(&self.contents)
            .map_err(|error| CallError::Malformed { endpoint: self.subject.clone(), reason: error.to_string() })
    }

    /// Who sent it: the network says so, not the message.
    pub fn sender(&self) -> ServiceId {
        self.stamp.sender
    }

    /// The sender's standing: the network says so, not the message.
    pub fn standing(&self) -> &Standing {
        self.stamp.standing.as_deref().unwrap_or(&NO_STANDING)
    }

    /// How the request ended that has this reply.
    pub fn outcome(&self) -> OutcomeKind {
        match self.subject.as_str() {
            DOES_NOT_UNDERSTAND => OutcomeKind::NotUnderstood,
            DENIED => OutcomeKind::Denied,
            HANDLER_FAILED => OutcomeKind::Error,
            MSG_NOT_DELIVERED => OutcomeKind::Undelivered,
            _ => OutcomeKind::Reply,
        }
    }
}

impl fmt::Display for Msg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {} {} #{}", self.from, self.to, self.subject, self.id)?;
        match self.reply_id {
            Some(answered) => write!(f, " answers #{answered}"),
            None => Ok(()),
        }
    }
}

/// The message that another one answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answers {
    pub(super) id: MsgId,
    pub(super) request: WaitKey,
}

/// A message that has yet to be sent. Who sends it and its number are added then.
#[derive(Clone, Debug)]
#[must_use = "nothing is said until it is sent"]
pub struct Draft {
    pub(super) to: Address,
    pub(super) subject: String,
    /// Or why they cannot be put into JSON, which is told when it is sent.
    pub(super) contents: Result<Value, String>,
    pub(super) meta: BTreeMap<String, Value>,
    pub(super) via: Vec<Address>,
    pub(super) answers: Option<Answers>,
    pub(super) interface: Interface,
    pub(super) baggage: Baggage,
}

impl Draft {
    /// A message that says nothing beyond its subject.
    pub fn new(to: Address, subject: impl Into<String>) -> Self {
        Draft {
            to,
            subject: subject.into(),
            contents: Ok(Value::Null),
            meta: BTreeMap::new(),
            via: Vec::new(),
            answers: None,
            interface: Interface::Raw,
            baggage: Baggage::NONE,
        }
    }

    /// It says this.
    pub fn contents(mut self, contents: impl Serialize) -> Self {
        self.contents = serde_json::to_value(contents).map_err(|error| error.to_string());
        self
    }

    /// It is about this.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    /// It also bears this; a key that was there before has the new value.
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.meta.insert(key.into(), value.into());
        self
    }

    /// It goes by way of a machine's
    /// [`LocalInterMachineRouter`](Address::local_inter_machine_router); said again, by way of that
    /// one next. Each way between two of them is a message of its own, which pays for itself.
    pub fn via(mut self, router: Address) -> Self {
        self.via.push(router);
        self
    }

    /// It is counted as said through that interface.
    pub(crate) fn speaking(mut self, interface: Interface) -> Self {
        self.interface = interface;
        self
    }
}

/// A message on its way.
#[derive(Clone)]
pub(crate) struct RawMessage {
    pub(crate) msg: Msg,
    /// What ends with it, for its envelope. Of a request its answer does, not its delivery.
    pub(crate) wait: WaitKey,
    /// What it answers; `NONE` if nobody awaits that.
    pub(crate) answers: Option<WaitKey>,
    /// Nobody awaits it, but its wait ends when it is taken: several hops are one message.
    pub(crate) tracked: bool,
    /// The inter-machine routers that it has yet to pass.
    pub(crate) via: Vec<Address>,
    /// The inter-machine routers that it has been sent to.
    pub(crate) hops: u8,
}

/// What is on the wire: the message, and by which way it is to go.
impl Serialize for RawMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.msg, &self.via).serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn msg() -> Msg {
        let [to, from] = ["1:0:2", "2:0:7"].map(|text| text.parse().unwrap());
        let stamp = Stamp {
            sender: ServiceId(0),
            standing: None,
            interface: Interface::Directory,
            request: WaitKey::NONE,
            baggage: Baggage::new(Some("it has no size".to_owned())),
        };
        let (subject, contents, meta) = ("ADD_ONE".to_owned(), json!(41), BTreeMap::new());
        Msg { to, from, subject, contents, id: MsgId(5), reply_id: None, meta, stamp }
    }

    #[test]
    fn a_reply_goes_back_under_the_same_subject_and_says_what_it_answers() {
        let msg = msg();
        let reply = msg.reply(42);
        assert_eq!((reply.to, reply.subject.as_str(), &reply.contents), (msg.from, "ADD_ONE", &Ok(json!(42))));
        assert_eq!(reply.answers.map(|answers| answers.id), Some(MsgId(5)));
        assert_eq!(reply.interface, Interface::Directory);
        assert_eq!(msg.reply(()).subject("NO").subject, "NO");
    }

    #[test]
    fn a_message_prints_on_one_line() {
        assert_eq!(msg().to_string(), "2:0:7 -> 1:0:2 ADD_ONE #5");
        let reply = Msg { reply_id: Some(MsgId(4)), ..msg() };
        assert_eq!(reply.to_string(), "2:0:7 -> 1:0:2 ADD_ONE #5 answers #4");
    }

    #[test]
    fn the_subject_of_a_reply_says_how_the_request_ended() {
        for (subject, outcome) in [
            ("ADD_ONE", OutcomeKind::Reply),
            (DOES_NOT_UNDERSTAND, OutcomeKind::NotUnderstood),
            (DENIED, OutcomeKind::Denied),
            (HANDLER_FAILED, OutcomeKind::Error),
            (MSG_NOT_DELIVERED, OutcomeKind::Undelivered),
        ] {
            assert_eq!(Msg { subject: subject.to_owned(), ..msg() }.outcome(), outcome);
        }
    }

    #[test]
    fn the_size_of_a_message_is_that_of_its_parts_and_the_stamp_has_none() {
        // To and from: three numbers below 128, a byte each. Subject: its length and 7 letters.
        // Contents: 41 as an `u64`, id 5: a byte each. No reply id, no meta, no way: a byte each.
        let raw =
            RawMessage { msg: msg(), wait: WaitKey::NONE, answers: None, tracked: false, via: Vec::new(), hops: 3 };
        let size = postcard::experimental::serialized_size(&raw).unwrap();
        assert_eq!(size, 3 + 3 + 8 + 1 + 1 + 1 + 1 + 1);
    }
}
