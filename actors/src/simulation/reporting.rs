//! The end of a run, and what is known then.

use std::collections::BTreeMap;

use crate::network::Network;
use crate::network::ledger::Ledger;
use crate::network::pump::Ended;
use crate::network::seats::Presence;
use crate::report::{Latencies, Report, ServiceReport, SupervisionReport, Traffic};
use crate::service::desk::Records;
use crate::supervision::lives::Lives;
use crate::trace::ServiceId;
use crate::units::SimDuration;

/// Ends the services and gathers what is known.
pub(super) fn report(network: &Network, seed: u64, ended: Ended, lives: &Lives) -> Report {
    let Ended { ending, pacing } = ended;
    let ended_at = network.now();
    let presences = network.seats.borrow().presences();
    network.stop_all(&lives.stop_order());
    let in_flight = network.in_flight();
    let unfinished = network.open_requests();
    network.dismantle();
    let mut supervision = std::mem::take(&mut network.ledger.borrow_mut().supervision);
    lives.report_restarts(&mut supervision);
    let mut roles = lives.take_roles();
    for (index, role) in roles.iter().enumerate() {
        for letter in role.desk.iter().flat_map(|desk| desk.inbox.take_all()) {
            network.drop_what_is_left(ServiceId(index as u32), letter);
        }
    }
    let mut counters: BTreeMap<String, u64> = BTreeMap::new();
    let mut services = Vec::with_capacity(roles.len());
    for (index, role) in roles.iter_mut().enumerate() {
        let at_the_end = presences[index];
        let records = match &role.desk {
            Some(desk) => desk.records.take(),
            None => role.records.take().map(|records| *records).unwrap_or_default(),
        };
        let service = service_report(network, ServiceId(index as u32), at_the_end, records);
        for (counter, count) in &service.counters {
            let sum = counters.entry(counter.clone()).or_default();
            *sum = sum.saturating_add(*count);
        }
        services.push(service);
    }
    for (index, role) in roles.into_iter().enumerate() {
        network.drop_what_is_left(ServiceId(index as u32), role);
    }
    let monitors = network.watch.as_ref().map(|watch| watch.borrow_mut().finish(ended_at)).unwrap_or_default();
    let mut ledger = network.ledger.borrow_mut();
    let distributions = ledger.distributions();
    report_recoveries(&ledger, &mut supervision);
    Report {
        seed,
        ended_at,
        ending,
        traffic: Traffic { in_flight, ..ledger.traffic() },
        outcomes: ledger.outcomes(),
        causes: ledger.take_causes(),
        unfinished,
        latency: distributions.deliveries.as_ref().and_then(Latencies::summary),
        latency_by_interface: distributions.summaries(),
        distributions,
        services,
        faults: ledger.faults(),
        counters,
        panics: std::mem::take(&mut ledger.panics),
        panic_count: ledger.panic_count,
        supervision,
        directories: std::mem::take(&mut ledger.directories),
        pacing,
        monitors,
        trace_hash: ledger.trace_hash(),
    }
}

/// How long services took to recover.
fn report_recoveries(ledger: &Ledger, report: &mut SupervisionReport) {
    let name = |service: ServiceId| ledger.names.services.get(service.index()).cloned().unwrap_or_default();
    let mut times: BTreeMap<ServiceId, Vec<SimDuration>> = BTreeMap::new();
    for (service, took) in ledger.recoveries.all() {
        times.entry(*service).or_default().push(*took);
    }
    let summary = |times: &mut dyn Iterator<Item = SimDuration>| Latencies::of(times).and_then(|all| all.summary());
    report.recovery = summary(&mut ledger.recoveries.all().iter().map(|(_, took)| *took));
    for (service, times) in times {
        let recovery = report.recovery_by_service.entry(name(service)).or_default();
        recovery.times = summary(&mut times.into_iter());
    }
    for (service, since) in ledger.recoveries.down() {
        report.recovery_by_service.entry(name(service)).or_default().down_since = Some(since);
    }
}

/// `at_the_end`: of the run, before everybody was ended.
fn service_report(network: &Network, id: ServiceId, at_the_end: Presence, records: Records) -> ServiceReport {
    let seats = network.seats.borrow();
    let (sent, received) = network.tallies.of(id);
    ServiceReport {
        name: network.name_of(id),
        node: network.topology(|topology| topology.node(network.positions.node_of(id)).name.clone()),
        sent,
        received,
        steps: records.steps,
        failed_steps: records.failed_steps,
        handled: records.handled,
        counters: network.counters_of(id),
        step_values: records.values.into(),
        crashed: seats.presence(id) == Presence::Crashed,
        running: at_the_end == Presence::Running,
        incarnation: if at_the_end == Presence::Expected { 0 } else { seats.incarnation(id) },
    }
}
