//! Who restarts whom: supervision as Erlang/OTP has it.
//!
//! A [`Supervisor`] has children, which are services or supervisors of their own. It starts them in
//! their order, watches them, restarts those that fail as its [`Strategy`] says, and gives up when
//! they fail too often: then it ends its children in reverse order and fails to its own supervisor.
//! The rules are those of the *Supervisor Behaviour* chapter of OTP's Design Principles and of the
//! reference page of the module `supervisor`.
//!
//! | module | what is in it |
//! |---|---|
//! | [`spec`] | what a scenario declares |
//! | `tree` | the rules, one supervisor at a time; nothing else |
//! | `lives` | how services begin and end, and what they leave behind |
//! | `root` | the tree in which everybody has a place |
//! | `runs` | long lists of what is mostly alike |
//! | `actor` | the Actix actor that brings the two together |

pub(crate) mod actor;
pub(crate) mod lives;
pub(crate) mod root;
mod runs;
pub mod spec;
mod tree;

pub use spec::{Backoff, Child, ChildSpec, Intensity, Queued, Restart, Shutdown, Strategy, Supervisor};
