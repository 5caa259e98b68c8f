//! Connections, and how long they may be silent.
//!
//! The server below gives up a first request whose head does not come. What it lets pass is the rest: a
//! second request that begins and does not end, a body in chunks that nobody reads any more, a client that
//! does not take its answer. So a connection is closed that has had no request in hand for too long,
//! whatever it says meanwhile.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use actix_web::rt::net::TcpStream;
use actix_web::rt::time::{Sleep, sleep};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::shared::Shared;

/// So long a connection goes on that has been told that it will be closed.
const FAREWELL: Duration = Duration::from_secs(1);

/// What is known of a connection while requests come and go.
#[derive(Debug)]
pub(super) struct Conversation {
    /// So long it may be without a request in hand.
    patience: Duration,
    in_hand: Cell<usize>,
    /// When it is closed, unless there is a request in hand.
    ends: Cell<Instant>,
    /// Whether there were as many connections as there may be before it came.
    is_one_too_many: bool,
    /// Whether it has been told that it will be closed.
    said_goodbye: Cell<bool>,
    /// Whether the answer to the last request has been made.
    is_over: Cell<bool>,
    /// Whether somebody has asked for more after that.
    hangs_up: Cell<bool>,
}

impl Conversation {
    fn new(patience: Duration, is_one_too_many: bool) -> Rc<Self> {
        let ends = Cell::new(Instant::now() + patience);
        Rc::new(Conversation {
            patience,
            in_hand: Cell::new(0),
            ends,
            is_one_too_many,
            said_goodbye: Cell::new(false),
            is_over: Cell::new(false),
            hangs_up: Cell::new(false),
        })
    }

    /// Takes a request in hand, until what comes back is dropped.
    pub(super) fn take_in_hand(self: &Rc<Self>) -> InHand {
        self.in_hand.set(self.in_hand.get() + 1);
        InHand(self.clone())
    }

    /// Whether there were as many connections as there may be before it came: it is closed behind its first
    /// answer.
    pub(super) fn is_one_too_many(&self) -> bool {
        self.is_one_too_many
    }

    /// It is closed soon, whatever else comes.
    pub(super) fn say_goodbye(&self) {
        self.said_goodbye.set(true);
    }

    /// What has been answered now was the last request (RFC 9112, section 9.6).
    pub(super) fn end(&self) {
        self.is_over.set(true);
    }

    /// Waits for ever if the last request has been answered: the connection is closed when that answer is out.
    pub(super) async fn take_up(&self) {
        if self.is_over.get() {
            self.hangs_up.set(true);
            std::future::pending::<()>().await;
        }
    }

    /// Something has happened that shows that the other side is well.
    fn goes_on(&self) {
        if !self.said_goodbye.get() {
            self.ends.set(Instant::now() + self.patience);
        }
    }

    /// When it is to be closed; `None` while there is a request in hand.
    fn ends(&self) -> Option<Instant> {
        (self.in_hand.get() == 0).then(|| self.ends.get())
    }
}

/// A request in hand.
#[derive(Debug)]
pub(super) struct InHand(Rc<Conversation>);

impl Drop for InHand {
    fn drop(&mut self) {
        let Conversation { patience, in_hand, ends, said_goodbye, .. } = &*self.0;
        in_hand.set(in_hand.get() - 1);
        let patience = if said_goodbye.get() { FAREWELL.min(*patience) } else { *patience };
        ends.set(Instant::now() + patience);
    }
}

type Closing = Pin<Box<dyn Future<Output = ()>>>;

/// A connection.
pub(super) struct Connection {
    stream: TcpStream,
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
                None => self.timer.as_mut().reset((now + self.conversation.patience).into()),
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
        if let Poll::Ready(read) = Pin::new(&mut self.stream).poll_read(cx, buffer) {
            return Poll::Ready(read);
        }
        if let Poll::Ready(error) = self.poll_end(cx) {
            return Poll::Ready(Err(error));
        }
        if self.conversation.in_hand.get() == 0 && is_over(&mut self.closing, cx) {
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
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        if self.conversation.hangs_up.get() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_ends_when_nothing_has_been_in_hand_for_too_long() {
        let conversation = Conversation::new(Duration::from_secs(60), false);
        let first = conversation.ends();
        let (one, other) = (conversation.take_in_hand(), conversation.take_in_hand());
        assert_eq!(conversation.ends(), None);
        drop(one);
        assert_eq!(conversation.ends(), None, "there is another one");
        drop(other);
        assert!(conversation.ends() > first);
    }

    #[test]
    fn after_a_goodbye_nothing_keeps_it_open() {
        let conversation = Conversation::new(Duration::from_secs(60), false);
        let request = conversation.take_in_hand();
        conversation.say_goodbye();
        drop(request);
        let soon = Instant::now() + FAREWELL;
        conversation.goes_on();
        assert!(conversation.ends().is_some_and(|ends| ends <= soon));
    }
}
