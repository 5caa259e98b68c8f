//! Events: told by those outside, and heard by them.

use std::convert::Infallible;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::future::{Either, select};
use futures_util::stream;
use rehearsal_actors::interfaces::events::{EmitError, Event, ListenError, Listener};
use rehearsal_actors::service::ServiceIo;
use serde_json::{Value, json};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::watch;

use super::conversation::{Conversation, InHand};
use super::problem::Problem;
use super::rest::{json, not_let_in, trail_of};
use super::shared::Shared;

/// So many events wait for a client that is slow to read; further ones are dropped, and the client is told
/// how many.
const ROOM: usize = 1024;

/// And so many bytes of them, or a single one that is longer.
const ROOM_BYTES: usize = 1024 * 1024;

/// After so much silence a line is sent that means nothing, to see whether the client is still there.
const SILENCE: std::time::Duration = std::time::Duration::from_secs(15);

/// Tells an event in the gateway's name.
pub(super) async fn emit(
    shared: &Shared,
    request: &HttpRequest,
    payload: web::Payload,
    topic: String,
) -> Result<HttpResponse, Problem> {
    let trail = trail_of(request)?;
    let body = json(shared, request, payload).await?;
    let visit = shared.entrance.enter(move |io| async move { io.carrying(trail).events().emit(&topic, body) });
    match visit.await.map_err(not_let_in)? {
        Ok(receivers) => Ok(HttpResponse::Accepted().json(json!({ "receivers": receivers }))),
        Err(error @ EmitError::Topic(_)) => Err(Problem::new(StatusCode::BAD_REQUEST, error.to_string())),
        Err(error @ EmitError::Body(_)) => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())),
    }
}

/// Lets a client hear of events, until it goes or the server ends, as a stream of server-sent events
/// (HTML standard, section 9.2).
pub(super) async fn hear(shared: &Arc<Shared>, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let query = form_urlencoded::parse(request.query_string().as_bytes());
    let pattern = query.into_iter().find(|(name, _)| name == "pattern").map(|(_, pattern)| pattern.into_owned());
    // Of everything, unless something is asked for.
    let pattern = pattern.unwrap_or_else(|| "#".to_owned());
    let open = Open::begin(shared).ok_or_else(|| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "as many streams of events are open as there may be")
    })?;
    let (events, heard) = queue();
    // It goes on for as long as somebody reads: what is waited for is only whether it has begun.
    let (began, beginning) = tokio::sync::oneshot::channel();
    let visit = shared.entrance.linger(move |io| async move {
        match io.events().listen_keeping(ROOM, &pattern) {
            Ok(listener) => {
                let _ = began.send(Ok(()));
                pass_on(&io, listener, events).await;
            }
            Err(error) => drop(began.send(Err(error))),
        }
    });
    match beginning.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            let status = match error {
                ListenError::Pattern(_) => StatusCode::BAD_REQUEST,
                ListenError::TooMany => StatusCode::SERVICE_UNAVAILABLE,
            };
            return Err(Problem::new(status, error.to_string()));
        }
        // Nobody has begun: the visit knows why.
        Err(_) => {
            let why = visit.await.err().map_or_else(
                || Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the stream of events did not begin"),
                not_let_in,
            );
            return Err(why);
        }
    }
    let in_hand = request.conn_data::<Rc<Conversation>>().map(Conversation::keep_in_hand);
    let telling = Telling { heard, closing: shared.closing.clone(), _open: open, _in_hand: in_hand };
    let lines = stream::unfold(telling, |mut telling| async move { telling.next().await.map(|line| (line, telling)) });
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")));
    response.insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
    // Its end is the end of the connection, by which clients know it best.
    response.force_close();
    Ok(response.streaming(lines))
}

/// Inside of the run: hands on what is heard, until nobody takes it any more.
async fn pass_on(io: &ServiceIo, mut listener: Listener, events: Teller) {
    let mut not_taken = 0;
    loop {
        let next = {
            let (next, gone) = (pin!(listener.recv()), pin!(events.queue.closed()));
            match select(next, gone).await {
                Either::Left((next, _)) => next,
                Either::Right(_) => return,
            }
        };
        // The gateway's life is over.
        let Some(event) = next else { return };
        let text = tell(io, &event, not_taken + listener.dropped());
        if !events.tell(text) {
            not_taken += 1;
        }
    }
}

/// Events on their way from the run to a client.
fn queue() -> (Teller, Hearer) {
    let (tell, hear) = mpsc::channel(ROOM);
    let bytes = Arc::<AtomicUsize>::default();
    (Teller { queue: tell, bytes: bytes.clone() }, Hearer { queue: hear, bytes })
}

/// Where events go in.
struct Teller {
    queue: Sender<String>,
    /// How many bytes are in it.
    bytes: Arc<AtomicUsize>,
}

impl Teller {
    /// False if there is no room.
    fn tell(&self, event: String) -> bool {
        let length = event.len();
        // Only this end adds: whatever is taken out meanwhile makes more room.
        let before = self.bytes.fetch_add(length, Ordering::Relaxed);
        let fits = before == 0 || before + length <= ROOM_BYTES;
        let is_taken = fits && !matches!(self.queue.try_send(event), Err(mpsc::error::TrySendError::Full(_)));
        if !is_taken {
            self.bytes.fetch_sub(length, Ordering::Relaxed);
        }
        is_taken
    }
}

/// Where events come out.
struct Hearer {
    queue: Receiver<String>,
    bytes: Arc<AtomicUsize>,
}

impl Hearer {
    async fn hear(&mut self) -> Option<String> {
        let event = self.queue.recv().await?;
        self.bytes.fetch_sub(event.len(), Ordering::Relaxed);
        Some(event)
    }
}

/// An event as lines. The body is JSON without line breaks, as it was written here. It has no name: a browser
/// hears an event that has one only if that was asked for, letter by letter, and here patterns are.
fn tell(io: &ServiceIo, event: &Event<Value>, missed: u64) -> String {
    let from = io.name_of(event.from);
    let data = json!({
        "topic": event.topic,
        "from": from,
        "at_ns": event.sent_at.as_nanos(),
        "trace_id": event.trace_id.to_string(),
        "missed": missed,
        "body": event.body,
    });
    format!("data: {data}\n\n")
}

/// What a client is told.
struct Telling {
    heard: Hearer,
    closing: watch::Receiver<bool>,
    _open: Open,
    _in_hand: Option<InHand>,
}

impl Telling {
    /// The next lines; `None` at the end.
    async fn next(&mut self) -> Option<Result<Bytes, Infallible>> {
        let heard = pin!(actix_web::rt::time::timeout(SILENCE, self.heard.hear()));
        let closing = pin!(self.closing.wait_for(|closing| *closing));
        match select(heard, closing).await {
            Either::Left((Ok(event), _)) => event.map(|event| Ok(event.into())),
            // A comment.
            Either::Left((Err(_), _)) => Some(Ok(Bytes::from_static(b":\n\n"))),
            Either::Right(_) => None,
        }
    }
}

/// One of the streams that are open, until it is dropped.
struct Open(Arc<Shared>);

impl Open {
    fn begin(shared: &Arc<Shared>) -> Option<Self> {
        let one_more = Open(shared.clone());
        let before = one_more.count().fetch_add(1, Ordering::Relaxed);
        (before < shared.limits.streams).then_some(one_more)
    }

    fn count(&self) -> &AtomicUsize {
        &self.0.streams
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.count().fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_a_slow_client_has_a_bound_in_number_and_in_bytes() {
        let (teller, mut hearer) = queue();
        let long = || "x".repeat(ROOM_BYTES / 2);
        assert_eq!([teller.tell(long()), teller.tell(long()), teller.tell("x".to_owned())], [true, true, false]);
        let hear = |hearer: &mut Hearer| futures_util::FutureExt::now_or_never(hearer.hear()).flatten();
        assert_eq!(hear(&mut hearer).map(|event| event.len()), Some(ROOM_BYTES / 2));
        assert!(teller.tell("x".to_owned()));
        while hear(&mut hearer).is_some() {}
        // One that would never fit goes alone.
        assert_eq!([teller.tell(long().repeat(3)), teller.tell("x".to_owned())], [true, false]);
        while hear(&mut hearer).is_some() {}
        let taken = (0..2 * ROOM).filter(|_| teller.tell("x".to_owned())).count();
        assert_eq!(taken, ROOM);
    }
}
