//! What is known of a message in flight but its body.

use crate::network::waits::WaitKey;
use crate::outcome::Interface;
use crate::trace::ServiceId;

/// Where a message is on its way along a link: it enters, waits and is sent, and leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leg {
    pub(crate) link: u32,
    /// When the message has passed the node before the link, and the queue there.
    pub(crate) enters: u64,
    /// When it reaches the node behind the link; `u64::MAX` while nobody knows.
    pub(crate) leaves: u64,
}

/// The way of a message that must know it.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) legs: Box<[Leg]>,
    /// In the queued model: the leg that it comes to next.
    pub(crate) leg: u32,
    /// The slot of its other copy, while that is in flight.
    pub(crate) twin: u32,
    /// With route costs: when it will be delivered.
    pub(crate) due: u64,
}

pub(crate) const NO_SLOT: u32 = u32::MAX;

/// What becomes of a message when its next event comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrives. That is all that is to happen to it, and nobody has to know its way.
    Arrives,
    /// It arrives, or goes on to the next link.
    Moves,
    /// A link loses it then.
    Doomed,
    /// It has arrived, and waits for the ones before it; no event is to come for it.
    Waits,
    /// It has waited, and its turn has come.
    Called,
    /// It is gone already; only its slot is left.
    Gone,
}

/// What every message has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) from: ServiceId,
    pub(crate) to: ServiceId,
    pub(crate) sent_at: u64,
    /// When it reached its target, or will; what it waits beyond that, it is held back.
    pub(crate) arrives: u64,
    pub(crate) bytes: u64,
    pub(crate) wait: WaitKey,
    pub(crate) interface: Interface,
    pub(crate) fate: Fate,
    pub(crate) duplicate: bool,
    /// It may overtake and be overtaken.
    pub(crate) unordered: bool,
    /// The only incarnation of the receiver that it is meant for; [`ANY_INCARNATION`] for whichever
    /// there is.
    pub(crate) incarnation: u32,
}

/// Not held back: it arrives when it is due.
pub(crate) const WHEN_DUE: u64 = u64::MAX;

/// A message to a name: whoever bears it takes it.
pub(crate) const ANY_INCARNATION: u32 = 0;

impl Header {
    /// How long it has waited for those before it, if it is delivered now.
    #[inline(always)]
    pub(crate) fn held_back(self, now: u64) -> u64 {
        now.saturating_sub(self.arrives)
    }
}

/// A message in flight without its body, to be looked at and changed.
pub(crate) struct Message {
    pub(crate) header: Header,
    /// The way it takes, where somebody has to know: cuts, noise, queues.
    pub(crate) way: Option<Box<Way>>,
}

impl Message {
    /// Lets it know its way.
    pub(crate) fn set_way(&mut self, way: Way) {
        self.way = Some(Box::new(way));
        if self.header.fate == Fate::Arrives {
            self.header.fate = Fate::Moves;
        }
    }

    /// The links on its way; none if nobody had to know.
    pub(crate) fn legs(&self) -> &[Leg] {
        self.way.as_ref().map_or(&[], |way| &way.legs)
    }

    /// The slot of its other copy, if that is in flight.
    pub(crate) fn twin(&self) -> Option<u32> {
        self.way.as_ref().map(|way| way.twin).filter(|twin| *twin != NO_SLOT)
    }

    pub(crate) fn set_twin(&mut self, twin: u32) {
        if let Some(way) = &mut self.way {
            way.twin = twin;
        }
    }
}
