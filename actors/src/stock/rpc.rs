//! Calls of methods: one that does work, one that asks for it, and one that sees every way a call can end.
//!
//! ```text
//! Caller   -- work.work(7), after `every` ----------------> Worker
//!          <- reply { number: 7, by: "worker" }, after `takes` --
//!
//! Outcomes -- every method of the interface, once --------> Worker
//! ```

mod caller;
mod hello;
mod outcomes;
mod worker;

pub use caller::{Caller, CallerParams};
pub use hello::{Hello, Said, Whom};
pub use outcomes::{Outcomes, OutcomesParams};
pub use worker::{OutOfOrder, Work, Worker, WorkerParams};
