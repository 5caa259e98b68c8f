//! Events: one that tells what has happened, and two that listen.
//!
//! ```text
//!                              order.*   .----------.
//!             order.placed  .----------->| Listener |
//! .---------. payment.taken |            '----------'
//! | Emitter |---------------|
//! '---------'               |     #      .---------.
//!                           '----------->| Auditor |
//!                                        '---------'
//! ```

mod emitter;
mod listeners;

pub use emitter::{BadEmitter, Emitter, EmitterParams};
pub use listeners::{Auditor, Listener};
