//! The client from outside, as a library and as commands, against servers that keep to what a gateway
//! promises, and against some that do not.

mod commands;
mod gateway;
mod library;
mod listening;
mod misbehaviour;
mod program;
mod refusals;
mod requests;
mod shop;
mod stub;
