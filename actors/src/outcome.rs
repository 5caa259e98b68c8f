//! How requests end. Every request ends in exactly one of these, whatever crashes.
//!
//! May use: [`crate::units`]. Everything above uses it.

use std::fmt;

/// The ways in which services speak to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Interface {
    /// Messages: `send`, `bcast`, `recv`, and the typed messages of plain handlers.
    Mpi,
    /// Requests to endpoints.
    Rest,
    /// What the runtime says to itself: routers' notices. Nobody asks for it, so it has no outcomes.
    Control,
    /// Calls of methods, and their answers.
    Rpc,
    /// Raw messages: subject and contents, to an address.
    Raw,
    /// Events, to everyone who has subscribed.
    Event,
    /// What is said to directories and among them: registrations, lookups, heartbeats, sharing.
    Directory,
}

impl Interface {
    /// Every interface that services speak, in the order of reports.
    pub const ALL: [Interface; 6] =
        [Interface::Mpi, Interface::Rest, Interface::Rpc, Interface::Raw, Interface::Event, Interface::Directory];

    /// How many interfaces there are, the runtime's own included.
    pub(crate) const COUNT: usize = Interface::ALL.len() + 1;

    /// Whether a message that nobody awaits has come to its end when it is taken. A request of the
    /// others has when it is answered.
    #[inline]
    pub(crate) const fn is_message(self) -> bool {
        matches!(self, Interface::Mpi | Interface::Raw | Interface::Event | Interface::Directory)
    }

    /// The name in machine-readable output.
    pub const fn name(self) -> &'static str {
        match self {
            Interface::Mpi => "mpi",
            Interface::Rest => "rest",
            Interface::Control => "control",
            Interface::Rpc => "rpc",
            Interface::Raw => "raw",
            Interface::Event => "event",
            Interface::Directory => "directory",
        }
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Interface::Mpi => "MPI",
            Interface::Rest => "REST",
            Interface::Control => "control",
            Interface::Rpc => "RPC",
            Interface::Raw => "raw",
            Interface::Event => "events",
            Interface::Directory => "directory",
        })
    }
}

/// The kinds of outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutcomeKind {
    /// Answered by a handler (REST: 2xx to 4xx).
    Reply,
    /// Taken (MPI: delivered; REST: 204).
    Ack,
    /// Not done, safe to try again.
    Nack,
    /// Done and failed (REST: 500, or the handler's code).
    Error,
    /// No answer came in time: it may have happened.
    TimedOut,
    /// It will not arrive, and the sender was told.
    Undelivered,
    /// The target does not know this subject, endpoint or method.
    NotUnderstood,
    /// The target does not allow it.
    Denied,
    /// A message that nobody awaited was lost on its way: nobody was told.
    Lost,
    /// The service that had the request in its hands is gone: it may have happened.
    Interrupted,
}

impl OutcomeKind {
    /// Every kind, in the order of reports.
    pub const ALL: [OutcomeKind; 10] = [
        OutcomeKind::Reply,
        OutcomeKind::Ack,
        OutcomeKind::Nack,
        OutcomeKind::Error,
        OutcomeKind::TimedOut,
        OutcomeKind::Interrupted,
        OutcomeKind::Undelivered,
        OutcomeKind::NotUnderstood,
        OutcomeKind::Denied,
        OutcomeKind::Lost,
    ];

    /// The name in machine-readable output.
    pub const fn name(self) -> &'static str {
        match self {
            OutcomeKind::Reply => "reply",
            OutcomeKind::Ack => "ack",
            OutcomeKind::Nack => "nack",
            OutcomeKind::Error => "error",
            OutcomeKind::TimedOut => "timed_out",
            OutcomeKind::Undelivered => "undelivered",
            OutcomeKind::NotUnderstood => "not_understood",
            OutcomeKind::Denied => "denied",
            OutcomeKind::Lost => "lost",
            OutcomeKind::Interrupted => "interrupted",
        }
    }

    /// True if the request was carried out.
    pub const fn is_good(self) -> bool {
        matches!(self, OutcomeKind::Reply | OutcomeKind::Ack)
    }

    /// True if it is certain that the request was not carried out and will not be.
    pub const fn is_definite_failure(self) -> bool {
        matches!(self, OutcomeKind::Nack | OutcomeKind::Denied | OutcomeKind::NotUnderstood | OutcomeKind::Undelivered)
    }
}

impl fmt::Display for OutcomeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name().replace('_', " "))
    }
}

/// Why a message will not arrive.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undelivered {
    /// No service of that name.
    #[error("no service named `{0}`")]
    UnknownService(String),
    /// The application graph has no link from the sender to that service.
    #[error("`{from}` has no application link to `{to}`")]
    NotANeighbour {
        /// Who sent.
        from: String,
        /// To whom.
        to: String,
    },
    /// Nothing that is up leads there.
    #[error("no route to `{to}`")]
    NoRoute {
        /// The service that could not be reached.
        to: String,
    },
    /// The service is gone: its router said so.
    #[error("`{to}` is gone")]
    ConnectionGone {
        /// The service that is gone.
        to: String,
    },
    /// The service's inbox holds as much as it may.
    #[error("the inbox of `{to}` is full")]
    InboxFull {
        /// The service whose inbox is full.
        to: String,
    },
    /// The service takes no messages of this type.
    #[error("`{to}` does not take messages of this type")]
    NotUnderstood {
        /// The service.
        to: String,
    },
    /// No connection has that address, or not any more: its router said so.
    #[error("no connection has the address `{address}`")]
    UnknownAddress {
        /// The address, as it is printed.
        address: String,
    },
    /// So many routers have sent it on that it seems to go round in circles.
    #[error("a message to `{to}` goes from router to router and does not arrive; look for gateways in a circle")]
    TooManyHops {
        /// The address that it was for.
        to: String,
    },
    /// Nobody is known who provides it.
    #[error("nobody is known who provides `{service}`: {reason}")]
    NoProvider {
        /// What is to be provided.
        service: String,
        /// Why nobody is known.
        reason: String,
    },
    /// Whoever it stands for outside of the run says that it did not arrive there.
    #[error("`{to}` was not reached outside: {reason}")]
    Outside {
        /// The service that stands for them.
        to: String,
        /// What they say, or the beginning of it.
        reason: String,
    },
    /// The body cannot be put into bytes.
    #[error("a body for `{to}` cannot be serialised: {reason}")]
    Unserialisable {
        /// For whom it was meant.
        to: String,
        /// What the serialiser said.
        reason: String,
    },
}
