//! `GET /metrics`: figures of the run and of the gateway, in the text format of Prometheus.
//!
//! Whoever has not shown the token sees the totals, and of single services those only that everybody may
//! ask. Without a run, there is what the gateway knows itself.

mod figures;
mod tally;
mod text;

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use rehearsal_actors::outside::observation::Observation;
use rehearsal_actors::units::SimDuration;

use super::exposure::{Exposure, Shown};
use super::shared::Shared;
pub(super) use tally::{Route, Tally};
use text::Text;

/// The text format, which every Prometheus since 2.0 reads.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Whoever asks for figures does so every few seconds, and soon loses patience.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the buckets of latencies end: from within a machine to around the world, and beyond what anybody
/// waits for.
const BOUNDS: [SimDuration; 16] = [
    SimDuration::from_nanos(100_000),
    SimDuration::from_nanos(500_000),
    SimDuration::from_millis(1),
    SimDuration::from_nanos(2_500_000),
    SimDuration::from_millis(5),
    SimDuration::from_millis(10),
    SimDuration::from_millis(25),
    SimDuration::from_millis(50),
    SimDuration::from_millis(100),
    SimDuration::from_millis(250),
    SimDuration::from_millis(500),
    SimDuration::from_millis(1_000),
    SimDuration::from_millis(2_500),
    SimDuration::from_millis(5_000),
    SimDuration::from_millis(10_000),
    SimDuration::from_millis(30_000),
];

/// Tells what is known.
pub(super) async fn answer(shared: &Arc<Shared>, request: &HttpRequest) -> HttpResponse {
    let visit = shared.entrance.enter(|io| async move { Observation::take(&io, &BOUNDS) });
    let patience = PATIENCE.min(shared.limits.answer_time);
    let seen = actix_web::rt::time::timeout(patience, visit).await.ok().and_then(Result::ok);
    let shown = shared.exposure.shown(request.headers());
    let mut text = Text::default();
    figures::of_gateway(shared, seen.is_some(), &mut text);
    if let Some(seen) = &seen {
        figures::of_run(seen, &BOUNDS, Sight { exposure: &shared.exposure, shown }, &mut text);
    }
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, MEDIA_TYPE)).body(text.finish())
}

/// What somebody may see of what has a name.
#[derive(Clone, Copy)]
struct Sight<'a> {
    exposure: &'a Exposure,
    shown: Shown,
}

impl Sight<'_> {
    /// Whether they may see nodes, links and directories.
    fn sees_everything(self) -> bool {
        self.exposure.shows_everything(self.shown)
    }

    fn sees(self, service: &str) -> bool {
        self.exposure.shows(service, self.shown)
    }
}
