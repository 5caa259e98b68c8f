//! Raw messages: the example with which VLMessaging introduces itself.
//!
//! ```text
//! Asker -- ADD_ONE 41 --> AddOne
//!       <-- ADD_ONE 42 --
//! ```

mod add_one;
mod asker;

pub use add_one::{AddOne, AddOneParams};
pub use asker::{Asker, AskerParams};

/// The subject of the messages of an [`Asker`]: the contents are a number, and the reply's the next.
pub const ADD_ONE: &str = "ADD_ONE";
