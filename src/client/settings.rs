//! How long, how much, in whose name.

use std::fmt;
use std::time::Duration;

/// The bounds of what a client does, and what it may do.
///
/// ```
/// use std::time::Duration;
/// use rehearsal::client::{RemoteService, Settings};
///
/// let hasty = Settings::default().timeout(Duration::from_millis(500)).most_answer_bytes(64 * 1024);
/// let service = RemoteService::with(&hasty, "http://127.0.0.1:8080/api/cart")?;
/// # Ok::<(), rehearsal::client::Error>(())
/// ```
#[derive(Clone)]
pub struct Settings {
    pub(super) timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) most_answer_bytes: u64,
    pub(super) connections: usize,
    pub(super) token: Option<String>,
}

impl Settings {
    /// How long a call may take in all, from looking for the host to the last byte of the answer:
    /// 30 seconds unless told otherwise.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long a connection may take to stand: 5 seconds unless told otherwise, and never longer
    /// than [`timeout`](Self::timeout). A call that ends here was never sent.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How large an answer may be: 16 MiB unless told otherwise. For events, each by itself.
    #[must_use]
    pub fn most_answer_bytes(mut self, bytes: u64) -> Self {
        self.most_answer_bytes = bytes;
        self
    }

    /// How many calls of one [`RemoteService`](super::RemoteService) go on at once when they are made
    /// with [`call_async`](super::RemoteService::call_async), and how many connections to a host are
    /// kept for the next call: 8 unless told otherwise, at least 1.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// Says who calls, by `Authorization: Bearer TOKEN`. It is sent to the host that these settings
    /// are used for, never to another one that a registry there speaks of.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// The same without a token.
    pub(super) fn without_token(&self) -> Self {
        Settings { token: None, ..self.clone() }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            most_answer_bytes: 16 * 1024 * 1024,
            connections: 8,
            token: None,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("timeout", &self.timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("most_answer_bytes", &self.most_answer_bytes)
            .field("connections", &self.connections)
            .field("token", &self.token.as_ref().map(|_| "(hidden)"))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_printed() {
        let printed = format!("{:?}", Settings::default().token("s3cret"));
        assert!(printed.contains("hidden") && !printed.contains("s3cret"), "{printed}");
    }
}
