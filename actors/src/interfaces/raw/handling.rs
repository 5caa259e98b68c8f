//! What a handler leaves to the runtime.

use std::ops::BitOr;

use crate::service::StepError;

/// What a handler has made of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handling {
    /// It has seen to it. Whether it has answered is its own affair.
    Done,
    /// It has not: the runtime does these things in its place.
    Unhandled(Defaults),
}

/// How the handling of a message ended. An error is counted, and the one who awaits the message's
/// answer is told that the handler failed.
pub type HandlingResult = Result<Handling, StepError>;

/// What the runtime does with messages that a handler leaves to it: any of [`HANDLE_PING`],
/// [`HANDLE_DOES_NOT_UNDERSTAND`], [`HANDLE_SHUTDOWN`] and [`IGNORE_UNHANDLED_REPLIES`], joined by
/// `|`. Without saying so, all of them but `HANDLE_SHUTDOWN`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defaults(u8);

/// Answers [`PING`](super::PING) with a reply that says nothing.
pub const HANDLE_PING: Defaults = Defaults(1);
/// Answers any other message with [`DOES_NOT_UNDERSTAND`](super::DOES_NOT_UNDERSTAND), whose contents
/// are the subject that was not understood.
pub const HANDLE_DOES_NOT_UNDERSTAND: Defaults = Defaults(2);
/// Answers [`SHUTDOWN`](super::SHUTDOWN), then ends the service in an orderly way.
pub const HANDLE_SHUTDOWN: Defaults = Defaults(4);
/// Says nothing of replies that nobody awaits: late ones, and those to messages that were sent and
/// forgotten. Otherwise each adds to the service's counter `unhandled messages`.
pub const IGNORE_UNHANDLED_REPLIES: Defaults = Defaults(8);

impl Defaults {
    /// Nothing at all.
    pub const NONE: Defaults = Defaults(0);

    /// Whether all of these are among them.
    pub const fn has(self, wanted: Defaults) -> bool {
        self.0 & wanted.0 == wanted.0
    }
}

impl Default for Defaults {
    fn default() -> Self {
        HANDLE_PING | HANDLE_DOES_NOT_UNDERSTAND | IGNORE_UNHANDLED_REPLIES
    }
}

impl BitOr for Defaults {
    type Output = Defaults;

    fn bitor(self, other: Defaults) -> Defaults {
        Defaults(self.0 | other.0)
    }
}

/// What the runtime does about one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chore {
    AnswerPing,
    ShutDown,
    DoesNotUnderstand,
    Ignore,
    /// Nothing was said about it.
    Note,
}

impl Defaults {
    /// What is to be done about a message. A reply is never answered, so that no two services can
    /// answer each other for ever.
    pub(super) fn chore(self, subject: &str, is_reply: bool) -> Chore {
        match subject {
            _ if is_reply && self.has(IGNORE_UNHANDLED_REPLIES) => Chore::Ignore,
            _ if is_reply => Chore::Note,
            super::PING if self.has(HANDLE_PING) => Chore::AnswerPing,
            super::SHUTDOWN if self.has(HANDLE_SHUTDOWN) => Chore::ShutDown,
            _ if self.has(HANDLE_DOES_NOT_UNDERSTAND) => Chore::DoesNotUnderstand,
            _ => Chore::Note,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DOES_NOT_UNDERSTAND, MSG_NOT_DELIVERED, PING, SHUTDOWN};
    use super::*;

    #[test]
    fn each_default_does_its_own_and_no_reply_is_ever_answered() {
        let all = Defaults::default() | HANDLE_SHUTDOWN;
        for (defaults, subject, is_reply, chore) in [
            (Defaults::default(), PING, false, Chore::AnswerPing),
            (Defaults::default(), "TO_DO", false, Chore::DoesNotUnderstand),
            (Defaults::default(), SHUTDOWN, false, Chore::DoesNotUnderstand),
            (all, SHUTDOWN, false, Chore::ShutDown),
            (HANDLE_SHUTDOWN, PING, false, Chore::Note),
            (HANDLE_DOES_NOT_UNDERSTAND, PING, false, Chore::DoesNotUnderstand),
            (all, PING, true, Chore::Ignore),
            (all, SHUTDOWN, true, Chore::Ignore),
            (HANDLE_DOES_NOT_UNDERSTAND, DOES_NOT_UNDERSTAND, true, Chore::Note),
            (HANDLE_DOES_NOT_UNDERSTAND, MSG_NOT_DELIVERED, true, Chore::Note),
            (Defaults::NONE, "TO_DO", false, Chore::Note),
        ] {
            assert_eq!(defaults.chore(subject, is_reply), chore, "{subject} with {defaults:?}");
        }
    }
}
