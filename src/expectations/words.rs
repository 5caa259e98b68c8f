//! Expectations as people read them.

use rehearsal_actors::monitors::{Limit, Rule};
use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::units::SimDuration;

use super::{Expectation, Whose};
use crate::typeset::count;

/// What is expected of: `REST p99`, `RPC reply or ack`.
pub(super) fn subject(expectation: &Expectation) -> String {
    match expectation {
        Expectation::Outcomes { interface, kinds, .. } | Expectation::Ratio { interface, kinds, .. } => {
            format!("{}{}", of_interface(*interface), either(kinds))
        }
        Expectation::Latency { interface: Some(interface), percentile, .. } => format!("{interface} p{percentile}"),
        Expectation::Latency { interface: None, percentile, .. } => format!("all messages p{percentile}"),
        Expectation::Recovery { service, .. } => format!("recovery{}", of_service(service.as_deref())),
        Expectation::Restarts { whose, .. } => match whose {
            Whose::Anybody => "restarts".to_owned(),
            Whose::Service(name) => format!("restarts of {name}"),
            Whose::Supervisor(name) => format!("restarts by {name}"),
        },
        Expectation::Failures { service, .. } => format!("failures{}", of_service(service.as_deref())),
        Expectation::Counter { name, service, .. } => format!("{name}{}", of_service(service.as_deref())),
        Expectation::Meanwhile { monitor, service } => {
            let adverb = match monitor.rule {
                Rule::Always { .. } => "always",
                Rule::Eventually { .. } => "eventually",
            };
            format!("{}{}, {adverb}", monitor.counter, of_service(service.as_deref()))
        }
    }
}

/// What is expected of it: `at most 200ms`.
pub(super) fn bounds_of(expectation: &Expectation) -> String {
    let time = |length: SimDuration| length.to_string();
    match expectation {
        Expectation::Outcomes { bounds, .. }
        | Expectation::Restarts { bounds, .. }
        | Expectation::Failures { bounds, .. }
        | Expectation::Counter { bounds, .. } => bounds.spelled(count),
        Expectation::Ratio { bounds, .. } => bounds.spelled(|p| share(p.get())),
        Expectation::Latency { bounds, .. } | Expectation::Recovery { bounds, .. } => bounds.spelled(time),
        Expectation::Meanwhile { monitor, .. } => rule(&monitor.rule),
    }
}

fn rule(rule: &Rule) -> String {
    let limit = |limit: &Limit| match limit {
        Limit::Number(number) => count(*number),
        Limit::Counter(counter) => counter.clone(),
    };
    match rule {
        Rule::Always { at_least, at_most } => {
            let ends = [("at least", at_least), ("at most", at_most)];
            let said = ends.iter().filter_map(|(word, end)| end.as_ref().map(|end| format!("{word} {}", limit(end))));
            said.collect::<Vec<_>>().join(", ")
        }
        Rule::Eventually { at_least, by: Some(by) } => format!("at least {} by {by}", count(*at_least)),
        Rule::Eventually { at_least, by: None } => format!("at least {}", count(*at_least)),
    }
}

/// `99.5 %`, to as many digits as it has.
pub(super) fn share(share: f64) -> String {
    let percent = format!("{:.4}", share * 100.0);
    format!("{} %", percent.trim_end_matches('0').trim_end_matches('.'))
}

fn of_interface(interface: Option<Interface>) -> String {
    interface.map(|interface| format!("{interface} ")).unwrap_or_default()
}

fn of_service(service: Option<&str>) -> String {
    service.map(|service| format!(" of {service}")).unwrap_or_default()
}

fn either(kinds: &[OutcomeKind]) -> String {
    let kinds: Vec<String> = kinds.iter().map(ToString::to_string).collect();
    kinds.join(" or ")
}
