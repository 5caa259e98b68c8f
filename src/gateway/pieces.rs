//! What comes over a connection, in pieces that end where a message may end.
//!
//! The server below reads on while it answers. How it writes an answer, though, goes by the request that it
//! has read last: whether there is a body (not to HEAD), in which version, and whether more is to follow. So
//! it is given no byte of a request before the one before that is answered.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::web::BytesMut;
use tokio::io::{AsyncRead, ReadBuf};

use super::conversation::{Body, Conversation};

/// So much is kept of what has come too early. The rest waits with the other side.
const ROOM: usize = 64 * 1024;

/// So much is read at once, but of bodies.
const PIECE: usize = 4 * 1024;

/// What has come and was not handed on yet.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    kept: BytesMut,
    /// How much of the end of a head there was last.
    line_end: LineEnd,
    /// Whether a piece was handed on that the server below has yet to look at.
    is_unseen: bool,
}

/// What the last bytes were that may be the end of a head: an empty line (RFC 9112, section 2.2, where a CR may be
/// missing).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum LineEnd {
    #[default]
    None,
    /// `\n`
    One,
    /// `\n\r`
    OneAndHalf,
}

impl Pieces {
    /// Whether a piece was handed on that the server below has yet to look at.
    pub(super) fn is_unseen(&self) -> bool {
        self.is_unseen
    }

    /// Whether something has come that was not handed on.
    pub(super) fn has_more(&self) -> bool {
        !self.kept.is_empty()
    }

    /// Hands on the next piece. Nothing in it is the end of what comes.
    pub(super) fn poll(
        &mut self,
        stream: Pin<&mut impl AsyncRead>,
        conversation: &Conversation,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_unseen {
            // It asks for more before it looks. If there is more, it is asked to come again.
            self.is_unseen = false;
            if self.kept.is_empty() {
                ready!(self.poll_keep(stream, cx))?;
            }
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if conversation.holds() {
            return self.poll_ahead(stream, cx);
        }
        if self.kept.is_empty() {
            if let Body::Bytes(left @ 1..) = conversation.body() {
                return poll_body(left, stream, conversation, cx, buffer);
            }
            if ready!(self.poll_keep(stream, cx))? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
        let length = self.next(conversation, buffer.remaining());
        buffer.put_slice(&self.kept.split_to(length));
        self.is_unseen = true;
        Poll::Ready(Ok(()))
    }

    /// Waits while nothing may be handed on, but for the end if nothing comes before it.
    fn poll_ahead(&mut self, mut stream: Pin<&mut impl AsyncRead>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.kept.len() < ROOM {
            if ready!(self.poll_keep(stream.as_mut(), cx))? == 0 {
                return if self.kept.is_empty() { Poll::Ready(Ok(())) } else { Poll::Pending };
            }
        }
        Poll::Pending
    }

    /// Reads something; how much.
    fn poll_keep(&mut self, stream: Pin<&mut impl AsyncRead>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.kept.reserve(PIECE);
        tokio_util::io::poll_read_buf(stream, cx, &mut self.kept)
    }

    /// How much the next piece is, of at most so many bytes.
    fn next(&mut self, conversation: &Conversation, most: usize) -> usize {
        let here = self.kept.len().min(most);
        match conversation.body() {
            Body::Bytes(left @ 1..) => {
                let length = here.min(usize::try_from(left).unwrap_or(usize::MAX));
                conversation.has_come(length as u64);
                self.line_end = LineEnd::None;
                length
            }
            // Chunks end like heads do.
            Body::Bytes(0) | Body::Chunks => self.up_to_empty_line(here),
        }
    }

    /// How much there is up to the end of the next empty line, or all.
    fn up_to_empty_line(&mut self, here: usize) -> usize {
        for (at, byte) in self.kept[..here].iter().enumerate() {
            self.line_end = match (byte, self.line_end) {
                (b'\n', LineEnd::None) => LineEnd::One,
                (b'\r', LineEnd::One) => LineEnd::OneAndHalf,
                (b'\n', LineEnd::One | LineEnd::OneAndHalf) => {
                    self.line_end = LineEnd::None;
                    return at + 1;
                }
                _ => LineEnd::None,
            };
        }
        here
    }
}

/// Hands on what comes of a body of which so much is left. The server below takes as much of it as there is.
fn poll_body(
    left: u64,
    stream: Pin<&mut impl AsyncRead>,
    conversation: &Conversation,
    cx: &mut Context<'_>,
    buffer: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    let most = buffer.remaining().min(usize::try_from(left).unwrap_or(usize::MAX));
    let mut part = ReadBuf::new(buffer.initialize_unfilled_to(most));
    ready!(stream.poll_read(cx, &mut part))?;
    let length = part.filled().len();
    buffer.advance(length);
    conversation.has_come(length as u64);
    Poll::Ready(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is handed on of these bytes, which come in pieces of that size.
    fn pieces(bytes: &[u8], size: usize) -> Vec<String> {
        let mut pieces = Pieces::default();
        let conversation = Conversation::new(std::time::Duration::from_secs(1), false);
        let mut handed_on = Vec::new();
        for some in bytes.chunks(size) {
            pieces.kept.extend_from_slice(some);
            while !pieces.kept.is_empty() {
                let length = pieces.next(&conversation, 1000);
                let piece = pieces.kept.split_to(length);
                handed_on.push(String::from_utf8_lossy(&piece).into_owned());
            }
        }
        handed_on
    }

    #[test]
    fn a_piece_ends_with_an_empty_line() {
        let heads = b"GET / HTTP/1.1\r\nhost: a\r\n\r\nHEAD / HTTP/1.1\nhost: a\n\n\r\nGET";
        let expected = ["GET / HTTP/1.1\r\nhost: a\r\n\r\n", "HEAD / HTTP/1.1\nhost: a\n\n", "\r\nGET"];
        assert_eq!(pieces(heads, heads.len()), expected);
        // However it comes, none goes beyond.
        for size in 1..heads.len() {
            let mut so_far = String::new();
            for piece in pieces(heads, size) {
                so_far += &piece;
                let (first, both) = (expected[0].len(), expected[0].len() + expected[1].len());
                let begins = so_far.len() - piece.len();
                assert!(begins >= first || so_far.len() <= first, "{size}: {piece:?}");
                assert!(begins >= both || so_far.len() <= both, "{size}: {piece:?}");
            }
            assert_eq!(so_far.as_bytes(), heads);
        }
    }
}
