//! What holds whatever happens. The names of the tests are the guarantees.

mod conservation;
mod cuts;
mod directories;
mod leaks;
mod lives;
mod order;
mod outcomes;
mod prices;
mod sameness;
