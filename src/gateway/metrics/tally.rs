//! How many requests were answered, and how.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a request was for, as far as its path shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// JSON-RPC.
    Api,
    /// Events.
    Events,
    /// What the gateway says itself.
    Own,
    /// Endpoints of services.
    Rest,
}

impl Route {
    const ALL: [Route; 4] = [Route::Api, Route::Events, Route::Own, Route::Rest];

    /// That of a path, as it was sent.
    pub(crate) fn of(path: &str) -> Self {
        match path.split('/').nth(1).unwrap_or_default() {
            "api" => Route::Api,
            "events" => Route::Events,
            "healthz" | "readyz" | "metrics" | "openapi.json" | "" => Route::Own,
            _ => Route::Rest,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Route::Api => "api",
            Route::Events => "events",
            Route::Own => "gateway",
            Route::Rest => "rest",
        }
    }
}

/// There are no statuses from this on.
const STATUSES: usize = 600;

/// Counts answers by route and status. Each has a place of its own, so that counting one takes a single
/// addition, and nobody waits for anybody.
#[derive(Debug)]
pub(crate) struct Tally {
    counts: Box<[AtomicU64]>,
}

impl Default for Tally {
    fn default() -> Self {
        Tally { counts: (0..Route::ALL.len() * STATUSES).map(|_| AtomicU64::new(0)).collect() }
    }
}

impl Tally {
    /// One more answer with that status.
    pub(crate) fn count(&self, route: Route, status: u16) {
        let status = usize::from(status);
        if status < STATUSES {
            self.counts[route as usize * STATUSES + status].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Names of routes, statuses, and how many there were of each.
    pub(super) fn told(&self) -> impl Iterator<Item = (&'static str, usize, u64)> {
        let all = self.counts.iter().enumerate().map(|(at, count)| (at, count.load(Ordering::Relaxed)));
        all.filter(|(_, count)| *count > 0).map(|(at, count)| (Route::ALL[at / STATUSES].name(), at % STATUSES, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_route_and_status() {
        let tally = Tally::default();
        for (path, status) in
            [("/api", 200), ("/shop/x", 404), ("/api/shop", 200), ("/metrics", 200), ("/events/a", 202), ("/", 404)]
        {
            tally.count(Route::of(path), status);
        }
        tally.count(Route::Rest, 999);
        let told: Vec<_> = tally.told().collect();
        let expected =
            [("api", 200, 2), ("events", 202, 1), ("gateway", 200, 1), ("gateway", 404, 1), ("rest", 404, 1)];
        assert_eq!(told, expected);
    }
}
