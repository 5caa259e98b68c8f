//! What a supervisor's rules and whoever carries them out say to each other.

use crate::supervision::spec::Shutdown;
use crate::units::SimDuration;

/// How a child has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It had nothing more to do; OTP's `normal`.
    Normal,
    /// It was told to end, or ended itself in an orderly way; OTP's `shutdown` and `{shutdown, _}`.
    Shutdown,
    /// A supervisor whose children failed too often, and which has ended them. OTP's reason for it
    /// is `shutdown` (SB, "Maximum Restart Intensity"), so a transient one is not restarted.
    GaveUp,
    /// Anything else: a panic, an error, a kill.
    Failed,
    /// Its machine went down under it. It is restarted as if it had failed, but as it is not to
    /// blame, this counts for nothing.
    NodeCrashed,
}

/// What is to be done for the children, or said to the supervisor above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Start this child.
    Start(usize),
    /// Make this child end, in this way. If it is deferred, it is not to be started any more.
    Stop(usize, Shutdown),
    /// Call `resume` with the token after the delay. One that comes when it is no longer wanted does
    /// no harm, so there is nothing to cancel.
    Wait {
        /// Which child the restart is for.
        child: usize,
        /// Names this wait.
        token: Token,
        /// How long.
        delay: SimDuration,
    },
    /// All children are started or deferred: the supervisor itself is started. Comes once at most.
    Ready,
    /// The supervisor has ended, and so have all its children: `Shutdown` if it was told to end,
    /// `GaveUp` if they failed too often, `Failed` if it never was `Ready` because a child could
    /// not be started: for the supervisor above that is a start that failed.
    Finish(Exit),
}

/// Names one intended restart of one child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(super) child: u32,
    pub(super) number: u32,
}
