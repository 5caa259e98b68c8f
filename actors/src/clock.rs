//! Virtual time: what is due when, and who is runnable now.
//!
//! Three plain structures, none of which knows what it orders: the [`calendar`] of deliveries,
//! the [`timers`] that are mostly cancelled before they fire, and the [`executor`] of service
//! futures. The network's pump joins them: it empties an instant before it moves on. Beside them the
//! [`wall`] clock, to which paced runs hold themselves.

pub(crate) mod calendar;
pub(crate) mod executor;
pub(crate) mod timers;
pub(crate) mod wall;
