//! Connections, and how long they may be silent.
//!
//! The server below gives up a first request whose head does not come. What it lets pass is the rest: a
//! second request that begins and does not end, a body in chunks that nobody reads any more, a client that
//! does not take its answer. So a connection is closed that has had no request in hand for too long,
//! whatever it says meanwhile.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use actix_web::rt::net::TcpStream;
use actix_web::rt::time::{Sleep, sleep};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::conversation::{Conversation, FAREWELL};
use super::pieces::Pieces;
use super::shared::Shared;

type Closing = Pin<Box<dyn Future<Output = ()>>>;

/// A connection.
pub(super) struct Connection {
    stream: TcpStream,
    pieces: Pieces,
    pub(super) conversation: Rc<Conversation>,
    timer: Pin<Box<Sleep>>,
    /// Over when the server is to end.
    closing: Closing,
    shared: Arc<Shared>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, shared: &Arc<Shared>) -> Self {
        // What is written is a whole answer: there is nothing to wait for. If that cannot be set, it is slower.
        let _ = stream.set_nodelay(true);
        let before = shared.connections.fetch_add(1, Ordering::Relaxed);
        let is_one_too_many = before >= shared.limits.connections;
        let patience = if is_one_too_many { FAREWELL } else { shared.limits.idle_time + shared.limits.head_time };
        let mut closing = shared.closing.clone();
        let closing = async move {
            // The server is gone: that is an end, too.
            let _ = closing.wait_for(|closing| *closing).await;
        };
        Connection {
            stream,
            pieces: Pieces::default(),
            conversation: Conversation::new(patience, is_one_too_many),
            timer: Box::pin(sleep(patience)),
            closing: Box::pin(closing),
            shared: shared.clone(),
        }
    }

    /// An error as soon as the connection is to be closed.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            let ends = self.conversation.ends();
            if let Some(ends) = ends.filter(|ends| *ends < self.timer.deadline().into_std()) {
                self.timer.as_mut().reset(ends.into());
            }
            ready!(self.timer.as_mut().poll(cx));
            let now = Instant::now();
            match ends {
                Some(ends) if ends <= now => return Poll::Ready(io::ErrorKind::TimedOut.into()),
                Some(ends) => self.timer.as_mut().reset(ends.into()),
                None => self.timer.as_mut().reset((now + self.conversation.patience()).into()),
            }
        }
    }

    /// The same for what makes progress when it is over.
    fn poll_progress<T>(&mut self, cx: &mut Context<'_>, progress: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match progress {
            Poll::Ready(progress) => {
                self.conversation.goes_on();
                Poll::Ready(progress)
            }
            Poll::Pending => self.poll_end(cx).map(Err),
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.shared.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // What is said is no progress: only what is understood is, and that is taken in hand.
        let Connection { stream, pieces, conversation, .. } = &mut *self;
        let is_unseen = pieces.is_unseen();
        if let Poll::Ready(read) = pieces.poll(Pin::new(stream), conversation, cx, buffer) {
            return Poll::Ready(read);
        }
        self.conversation.wait(cx.waker(), self.pieces.has_more());
        if let Poll::Ready(error) = self.poll_end(cx) {
            return Poll::Ready(Err(error));
        }
        if self.conversation.ends().is_some() && is_over(&mut self.closing, cx) {
            if is_unseen {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            // Nothing that comes from now on is answered: as if the other side had nothing more to say.
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }
}

/// Polls a future that may be over already.
fn is_over(closing: &mut Closing, cx: &mut Context<'_>) -> bool {
    let over = closing.as_mut().poll(cx).is_ready();
    if over {
        *closing = Box::pin(std::future::ready(()));
    }
    over
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.poll_progress(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.poll_progress(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
