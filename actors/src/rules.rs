//! The rules that a network keeps: how links treat what they carry, and who may overtake whom.

/// How links treat what they carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkModel {
    /// Every message pays for its route as if it were alone.
    #[default]
    RouteCost,
    /// Every link sends one message after the other, and has a finite queue.
    Queued,
}

/// Whether messages between one sender and one receiver may overtake each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ordering {
    /// They may not: what would be early is held back.
    #[default]
    Ordered,
    /// They may.
    Unordered,
}
