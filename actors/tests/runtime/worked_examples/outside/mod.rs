//! What is to be seen of a run from outside, and what of the outside from within.

mod baggage;
mod catalogue;
mod external;
mod gateway;
mod listening;
mod observation;
mod registry;
