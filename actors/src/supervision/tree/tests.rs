//! The rules, against what OTP documents.
//!
//! [`conformance`] is a table of stories with the rule that each shows, told in the language of
//! [`script`]; [`random`] lets anything happen in any order, in a [`shell`] that finds fault.

mod conformance;
mod random;
mod script;
mod shell;
