//! How much of anything the gateway takes.

use std::time::Duration;

use super::jsonrpc;

/// The bounds of a gateway. Whatever goes beyond one is refused with the status that says so, and does no
/// harm to anybody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body. Beyond: 413.
    pub body: usize,
    /// Arrays and objects within each other. Beyond: 400; JSON-RPC: a parse error.
    pub depth: usize,
    /// Members of a batch. Beyond: an invalid request.
    pub batch: usize,
    /// So many members of one batch are under way at once; the others wait for their turn.
    pub batch_at_once: usize,
    /// Bytes of path and query. Beyond: 414.
    pub target: usize,
    /// Headers of a request. Beyond: 431. More than 96 are never read.
    pub headers: usize,
    /// Bytes of all headers. Beyond: 431. More than 128 KiB are never read.
    pub header_bytes: usize,
    /// Connections at once. Beyond: 503, and the connection is closed; one on which nothing is asked within a
    /// second is closed without a word. Who comes when there are hundreds of those, too, waits until one is closed.
    pub connections: usize,
    /// Requests at once. Beyond: 503.
    pub in_flight: usize,
    /// Streams of events at once. Beyond: 503.
    pub streams: usize,
    /// So long may the head of a request take. Beyond: 408, and the connection is closed.
    pub head_time: Duration,
    /// So long may a body take. Beyond: 408, and the connection is closed.
    pub body_time: Duration,
    /// So long an answer is waited for, on the wall clock. Beyond: 504; JSON-RPC: timed out. Calls have
    /// their timeouts in virtual time besides.
    pub answer_time: Duration,
    /// So long a connection may be idle before it is closed.
    pub idle_time: Duration,
    /// So long a gateway that is shut down waits for the requests that it has in hand.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let jsonrpc::Bounds { depth, batch } = jsonrpc::Bounds::default();
        Limits {
            body: 1024 * 1024,
            depth,
            batch,
            batch_at_once: 16,
            target: 8 * 1024,
            headers: 64,
            header_bytes: 16 * 1024,
            connections: 4096,
            in_flight: 1024,
            streams: 64,
            head_time: Duration::from_secs(5),
            body_time: Duration::from_secs(10),
            answer_time: Duration::from_secs(60),
            idle_time: Duration::from_secs(30),
            drain_time: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// Those that the reader of JSON-RPC has to know.
    pub(super) fn jsonrpc(&self) -> jsonrpc::Bounds {
        jsonrpc::Bounds { depth: self.depth, batch: self.batch }
    }
}
