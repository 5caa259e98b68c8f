//! Supervision and directories in the `--json` object.

use std::collections::BTreeMap;

use rehearsal_actors::report::{DirectoryFigures, DirectoryReport, FailureReport, Report, RestartCause};

use super::LatencyObject;

#[derive(serde::Serialize)]
pub(super) struct SupervisionObject<'a> {
    restarts: Vec<RestartObject<'a>>,
    restarts_by_supervisor: &'a BTreeMap<String, u64>,
    returned: u64,
    gave_up: Vec<GivenUpObject<'a>>,
    failure_count: u64,
    failures: Vec<FailureObject<'a>>,
    unexplained: &'a BTreeMap<String, u64>,
    recovery_ms: LatencyObject,
    recovery_ms_by_service: BTreeMap<&'a str, LatencyObject>,
    down_since_s: BTreeMap<&'a str, f64>,
}

impl<'a> SupervisionObject<'a> {
    pub(super) fn of(report: &'a Report) -> Self {
        let supervision = &report.supervision;
        let services = || supervision.recovery_by_service.iter().map(|(name, recovery)| (name.as_str(), recovery));
        let restart = |((child, cause), count): (&'a (String, RestartCause), &u64)| RestartObject {
            child,
            cause: cause.name(),
            count: *count,
        };
        SupervisionObject {
            restarts: supervision.restarts.iter().map(restart).collect(),
            restarts_by_supervisor: &supervision.restarts_by_supervisor,
            returned: supervision.returned,
            gave_up: supervision
                .given_up
                .iter()
                .map(|one| GivenUpObject { supervisor: &one.supervisor, at_s: one.at.as_secs_f64(), why: &one.why })
                .collect(),
            failure_count: supervision.failure_count,
            failures: supervision.failures.iter().map(FailureObject::of).collect(),
            unexplained: &supervision.unexplained,
            recovery_ms: LatencyObject::of(supervision.recovery.as_ref()),
            recovery_ms_by_service: services()
                .map(|(name, recovery)| (name, LatencyObject::of(recovery.times.as_ref())))
                .collect(),
            down_since_s: services()
                .filter_map(|(name, recovery)| Some((name, recovery.down_since?.as_secs_f64())))
                .collect(),
        }
    }
}

#[derive(serde::Serialize)]
struct RestartObject<'a> {
    child: &'a str,
    cause: &'static str,
    count: u64,
}

#[derive(serde::Serialize)]
struct GivenUpObject<'a> {
    supervisor: &'a str,
    at_s: f64,
    why: &'a str,
}

#[derive(serde::Serialize)]
struct FailureObject<'a> {
    service: &'a str,
    at_s: f64,
    kind: &'static str,
    message: &'a str,
    place: Option<&'a str>,
    by_fault: bool,
}

impl<'a> FailureObject<'a> {
    fn of(failure: &'a FailureReport) -> Self {
        FailureObject {
            service: &failure.service,
            at_s: failure.at.as_secs_f64(),
            kind: failure.kind.name(),
            message: &failure.message,
            place: failure.place.as_deref(),
            by_fault: failure.by_fault,
        }
    }
}

#[derive(serde::Serialize)]
pub(super) struct DirectoriesObject<'a> {
    by_directory: BTreeMap<&'a str, FiguresObject>,
    provider_failovers: u64,
    directory_failovers: u64,
}

impl<'a> DirectoriesObject<'a> {
    pub(super) fn of(report: &'a DirectoryReport) -> Self {
        let DirectoryReport { by_directory, provider_failovers, directory_failovers } = report;
        DirectoriesObject {
            by_directory: by_directory.iter().map(|(name, figures)| (&**name, FiguresObject::of(*figures))).collect(),
            provider_failovers: *provider_failovers,
            directory_failovers: *directory_failovers,
        }
    }
}

#[derive(serde::Serialize)]
struct FiguresObject {
    registered: u64,
    withdrawn: u64,
    dropped: u64,
    shared: u64,
    lookups: u64,
}

impl FiguresObject {
    fn of(figures: DirectoryFigures) -> Self {
        let DirectoryFigures { registered, withdrawn, dropped, shared, lookups } = figures;
        FiguresObject { registered, withdrawn, dropped, shared, lookups }
    }
}
