//! JSON-RPC 2.0 as bytes: what was sent, whether it follows the specification, and how it is answered.
//!
//! Nothing here knows of HTTP, of services or of time: bytes come in, [requests](Request) come out;
//! [answers](Answer) come in, bytes come out. So every rule of the specification can be tested on a table.
//!
//! ```
//! use rehearsal::gateway::jsonrpc::{Answer, Bounds, Incoming, Style, parse};
//!
//! let sent = br#"{"jsonrpc": "2.0", "method": "add", "params": [19, 23], "id": "seven"}"#;
//! let Ok(Incoming::Single(Ok(request))) = parse(sent, &Bounds::default()) else { panic!("not a request") };
//! assert_eq!((&*request.method, request.params.map(|params| params.get())), ("add", Some("[19, 23]")));
//!
//! let id = request.id.expect("it is no notification");
//! let sum = serde_json::value::to_raw_value(&42)?;
//! let mut bytes = Vec::new();
//! Answer::result(id, sum).write(Style::Strict, &mut bytes);
//! assert_eq!(bytes, br#"{"jsonrpc":"2.0","result":42,"id":"seven"}"#);
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! # Where the specification leaves a choice
//!
//! | what was sent | what it is taken for |
//! |---|---|
//! | bytes that are no UTF-8, or begin with a byte order mark | a parse error: RFC 8259, section 8.1, wants neither |
//! | a member twice | an invalid request: nobody can say which one is meant |
//! | other members than the four | ignored |
//! | `"params": null` | an invalid request: parameters are an array or an object, or are left out |
//! | `"id": null` | a request whose answer has the id null, not a notification |
//! | an invalid request whose id can be read | answered with that id; with null if it cannot |
//! | a number as id, of any size, with or without a fraction | sent back digit by digit |
//! | an escape of half a surrogate pair | a parse error in the names of members, an invalid request in `method` or `jsonrpc`; in an id it is sent back as it came |
//! | JSON that is nested too deep | a parse error, which says so; nothing of it is read |
//! | a batch that is too long | one invalid request, which says so; nothing of it is carried out |

mod answer;
mod error;
mod request;

#[cfg(test)]
mod tests;

pub use answer::{Answer, Style, write_batch};
pub use error::ErrorObject;
pub(super) use request::depth_is_within;
pub use request::{Bounds, Id, Incoming, Invalid, Request, parse};
