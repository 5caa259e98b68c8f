//! How often directories speak, and how long they wait.
//!
//! # Why three heartbeats are enough
//!
//! Let all faults end at T, the heartbeat be I, and what is then on its way arrive by T + D. Then:
//!
//! | what must still happen | at the latest at T + |
//! |---|---|
//! | every directory has told its peers that it is there, and each new pair has told each other all they know | I |
//! | a provider that died is pinged (I) and has missed it a round later (I) | 2 I + D |
//! | a directory that died is forgotten: two snapshots missed, and a quarter for paths to differ | 2 1/4 I + D |
//! | a living provider has noticed that its directory died or lost it: two pings missed, and an eighth | 2 1/8 I + D |
//! | it has tried `n` dead directories, an eighth each, and found a living one | (2 1/8 + n/8) I + D |
//!
//! Then the share delay and the way to the farthest directory. With five dead directories among those
//! that a provider knows, 2 3/4 I + D are gone; a quarter of I is left for D, the share delay and the
//! way. With a heartbeat of one second and a share delay of 50 ms that is 200 ms.

use crate::units::SimDuration;

/// How often directories speak. The same in all directories that share, and in their providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// From one round of pings to the next, and from one snapshot to the next.
    pub heartbeat: SimDuration,
    /// How long a change waits for others to be shared along with it.
    pub share_delay: SimDuration,
}

impl Default for Timing {
    /// A heartbeat each second, changes shared after 50 ms.
    fn default() -> Self {
        Timing { heartbeat: SimDuration::from_secs(1), share_delay: SimDuration::from_millis(50) }
    }
}

impl Timing {
    /// A directory that nobody has heard of for so long is forgotten, with all its entries: it has
    /// missed two snapshots, and a quarter of a heartbeat for them to go a longer way.
    pub fn home_silence(&self) -> SimDuration {
        self.heartbeats_and(2, 4)
    }

    /// A provider that was not pinged for so long takes its directory for dead: it has missed two
    /// pings, and an eighth of a heartbeat for them to be late.
    pub fn directory_silence(&self) -> SimDuration {
        self.heartbeats_and(2, 8)
    }

    /// A directory that has not answered for so long is asked again, or another one instead.
    pub fn answer(&self) -> SimDuration {
        self.heartbeats_and(0, 8)
    }

    /// So many heartbeats and a part of one, down to the nanosecond.
    fn heartbeats_and(&self, whole: u64, part: u64) -> SimDuration {
        let nanos = self.heartbeat.as_nanos();
        SimDuration::from_nanos(nanos.saturating_mul(whole).saturating_add(nanos / part))
    }
}
