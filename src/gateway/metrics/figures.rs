//! What there is to tell, and what it is called. Times are in seconds; those of the run are virtual.

use std::sync::atomic::Ordering;

use rehearsal_actors::outside::observation::{Observation, Observed};
use rehearsal_actors::report::DirectoryFigures;
use rehearsal_actors::units::SimDuration;

use super::Sight;
use super::text::Kind::{Counter, Gauge, Histogram};
use super::text::Text;
use crate::gateway::shared::Shared;

fn seconds(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

/// What the gateway knows itself. `is_in_run`: whether there are figures of the run, too.
pub(super) fn of_gateway(shared: &Shared, is_in_run: bool, text: &mut Text) {
    let help = "Whether the gateway is in the run; without it there are no figures of the run.";
    text.single("rehearsal_gateway_up", Gauge, help, u8::from(is_in_run));
    let mut family =
        text.family("rehearsal_http_requests_total", Counter, "Requests that were answered, by route and status.");
    for (route, status, count) in shared.tally.told() {
        family.sample(&[("route", route), ("status", &status.to_string())], count);
    }
    let in_flight = shared.in_flight.load(Ordering::Relaxed);
    text.single("rehearsal_http_requests_in_flight", Gauge, "Requests in hand, these figures not counted.", in_flight);
    let connections = shared.connections.load(Ordering::Relaxed);
    text.single("rehearsal_http_connections", Gauge, "Connections that are open.", connections);
    let visitors = shared.entrance.visitors();
    text.single(
        "rehearsal_gateway_visitors",
        Gauge,
        "Requests that are in the run, or on their way into it.",
        visitors,
    );
    let Some((progress, pace)) = &shared.clock else { return };
    text.single("rehearsal_pace_ratio", Gauge, "Virtual seconds that a second of the wall clock should take.", pace);
    for (name, help, nanos) in [
        ("rehearsal_virtual_time_seconds", "Virtual time since the run began.", &progress.now),
        ("rehearsal_lag_seconds", "How far the run is behind the wall clock, in its seconds.", &progress.lag),
        ("rehearsal_lag_greatest_seconds", "How far it has been behind at most.", &progress.greatest_lag),
    ] {
        text.single(name, Gauge, help, seconds(nanos.load(Ordering::Relaxed)));
    }
}

/// What was seen in the run, as far as whoever asks may know.
pub(super) fn of_run(seen: &Observation, bounds: &[SimDuration], sight: Sight<'_>, text: &mut Text) {
    requests(seen, bounds, text);
    messages(seen, text);
    services(seen, sight, text);
    supervision(seen, sight, text);
    if sight.sees_everything() {
        queues(seen, text);
        directories(seen, text);
    }
}

fn requests(seen: &Observation, bounds: &[SimDuration], text: &mut Text) {
    let help = "Requests that ended, by interface and outcome.";
    let mut family = text.family("rehearsal_outcomes_total", Counter, help);
    for ((interface, outcome), count) in &seen.outcomes {
        family.sample(&[("interface", interface.name()), ("outcome", outcome.name())], count);
    }
    let mut family = text.family("rehearsal_requests_open", Gauge, "Requests that have yet to end, by interface.");
    for (interface, count) in &seen.open {
        family.sample(&[("interface", interface.name())], count);
    }
    let help = "Virtual time from sending to delivery of messages, and from request to outcome of calls.";
    let mut family = text.family("rehearsal_latency_seconds", Histogram, help);
    for (interface, buckets) in &seen.latencies {
        let ends = bounds.iter().map(|bound| seconds(bound.as_nanos()));
        let up_to: Vec<(f64, u64)> = ends.zip(buckets.counts.iter().copied()).collect();
        family.histogram(&[("interface", interface.name())], &up_to, buckets.count, buckets.sum_secs);
    }
}

fn messages(seen: &Observation, text: &mut Text) {
    let traffic = &seen.traffic;
    for (name, help, count) in [
        ("rehearsal_messages_sent_total", "Messages that services handed to the network.", traffic.sent),
        ("rehearsal_messages_delivered_total", "Messages that arrived.", traffic.delivered),
        ("rehearsal_messages_lost_total", "Messages that were lost, and nobody was told.", traffic.lost),
        ("rehearsal_messages_undelivered_total", "Messages whose senders were told.", traffic.undelivered),
        ("rehearsal_messages_duplicated_total", "Second copies that arrived.", traffic.duplicates),
        ("rehearsal_messages_held_back_total", "Messages that waited so as not to overtake.", traffic.held_back),
        ("rehearsal_delivered_bytes_total", "Bytes of the messages that arrived.", traffic.bytes),
    ] {
        text.single(name, Counter, help, count);
    }
    text.single("rehearsal_messages_in_flight", Gauge, "Messages on their way.", traffic.in_flight);
}

fn services(seen: &Observation, sight: Sight<'_>, text: &mut Text) {
    let mut family = text.family("rehearsal_services", Gauge, "Services, by whether they are there.");
    family.sample(&[("state", "up")], seen.services.up);
    family.sample(&[("state", "down")], seen.services.down);
    let shown: Vec<&Observed> = seen.each.iter().filter(|service| sight.sees(&service.name)).collect();
    type Figure = fn(&Observed) -> u64;
    let figures: [(_, _, _, Figure); 6] = [
        ("rehearsal_service_up", Gauge, "Whether a service is there.", |service| service.up.into()),
        ("rehearsal_service_lives_total", Counter, "Lives that a service has begun.", |service| service.lives.into()),
        ("rehearsal_service_messages_sent_total", Counter, "Messages that a service sent.", |service| service.sent),
        ("rehearsal_service_messages_received_total", Counter, "Messages that a service got.", |service| {
            service.received
        }),
        ("rehearsal_service_inbox_messages", Gauge, "Messages that wait in a service's inbox.", |service| {
            service.inbox as u64
        }),
        ("rehearsal_service_requests_in_hand", Gauge, "Requests and events that a service is at work on.", |service| {
            service.in_hand as u64
        }),
    ];
    for (name, kind, help, figure) in figures {
        let mut family = text.family(name, kind, help);
        for service in &shown {
            family.sample(&[("service", &service.name), ("node", &service.node)], figure(service));
        }
    }
}

fn supervision(seen: &Observation, sight: Sight<'_>, text: &mut Text) {
    let help = "Restarts of services and supervisors, by cause.";
    let mut family = text.family("rehearsal_restarts_total", Counter, help);
    for ((child, cause), count) in seen.restarts.iter().filter(|((child, _), _)| sight.sees(child)) {
        family.sample(&[("service", child), ("cause", cause.name())], count);
    }
    let help = "How often a service panicked or failed with an error.";
    let mut family = text.family("rehearsal_service_failures_total", Counter, help);
    for (service, count) in seen.failures.iter().filter(|(service, _)| sight.sees(service)) {
        family.sample(&[("service", service)], count);
    }
    text.single("rehearsal_panics_total", Counter, "Panics of services, all of them caught.", seen.panics);
}

fn queues(seen: &Observation, text: &mut Text) {
    let mut family = text.family("rehearsal_link_queue_messages", Gauge, "Messages that wait for a link.");
    for queue in &seen.queues {
        family.sample(&[("from", &queue.from), ("to", &queue.to)], queue.messages);
    }
    let mut family = text.family("rehearsal_link_queue_bytes", Gauge, "Bytes that wait for a link.");
    for queue in &seen.queues {
        family.sample(&[("from", &queue.from), ("to", &queue.to)], queue.bytes.0);
    }
}

fn directories(seen: &Observation, text: &mut Text) {
    type Figure = fn(&DirectoryFigures) -> u64;
    let figures: [(_, _, Figure); 5] = [
        ("rehearsal_directory_registered_total", "Entries that providers registered.", |figures| figures.registered),
        ("rehearsal_directory_withdrawn_total", "Entries that their providers took back.", |figures| figures.withdrawn),
        ("rehearsal_directory_dropped_total", "Entries of providers that fell silent.", |figures| figures.dropped),
        ("rehearsal_directory_shared_total", "Entries that other directories shared.", |figures| figures.shared),
        ("rehearsal_directory_lookups_total", "Lookups that a directory answered.", |figures| figures.lookups),
    ];
    for (name, help, figure) in figures {
        let mut family = text.family(name, Counter, help);
        for (directory, figures) in &seen.directories.by_directory {
            family.sample(&[("directory", directory)], figure(figures));
        }
    }
    let report = &seen.directories;
    let help = "Requests that were taken to another provider after one had failed.";
    text.single("rehearsal_provider_failovers_total", Counter, help, report.provider_failovers);
    let help = "Providers that went to another directory after theirs had fallen silent.";
    text.single("rehearsal_directory_failovers_total", Counter, help, report.directory_failovers);
}
