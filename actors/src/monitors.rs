//! What named counters keep to while a run goes on: always, or eventually.
//!
//! May use: [`crate::units`], the ids of [`crate::trace`]. The network tells a `Watch` of every
//! count and of the end of every instant. Within an instant counters may run ahead of each other:
//! an order that is paid and shipped at once is never seen shipped and not paid.

use crate::trace::ServiceId;
use crate::units::SimTime;

/// One thing to keep an eye on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Monitor {
    /// The counter.
    pub counter: String,
    /// Whose; `None`: all services' together.
    pub service: Option<ServiceId>,
    /// What holds of it.
    pub rule: Rule,
}

/// What holds of a counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// At the end of every instant.
    Always {
        /// It is no less than this.
        at_least: Option<Limit>,
        /// It is no more than this.
        at_most: Option<Limit>,
    },
    /// At the end of some instant.
    Eventually {
        /// It is no less than this.
        at_least: u64,
        /// No later than this; `None`: before the run is over.
        by: Option<SimTime>,
    },
}

/// What a counter is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limit {
    /// A number.
    Number(u64),
    /// Another counter, all services' together.
    Counter(String),
}

/// What became of one [`Monitor`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MonitorReport {
    /// When what is eventually to hold began to.
    pub met_at: Option<SimTime>,
    /// When it was first found not to hold; if it holds, nothing.
    pub violation: Option<Violation>,
}

/// A counter out of its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When.
    pub at: SimTime,
    /// What the counter was then.
    pub value: u64,
    /// And what it was held against.
    pub limit: u64,
}

/// A sum that is kept up to date.
struct Gauge {
    counter: String,
    service: Option<ServiceId>,
    value: u64,
}

/// A monitor with its counters found.
struct Watched {
    gauge: usize,
    check: Check,
    report: MonitorReport,
}

enum Check {
    Always {
        at_least: Option<Bound>,
        at_most: Option<Bound>,
    },
    /// `seen` is what the counter was when it was last looked at in time.
    Eventually {
        at_least: u64,
        by: SimTime,
        seen: u64,
    },
}

enum Bound {
    Number(u64),
    Gauge(usize),
}

/// All monitors of a run. A count costs a comparison of names for each of their counters, an
/// instant in which something was counted a look at each of them.
pub(crate) struct Watch {
    gauges: Vec<Gauge>,
    watched: Vec<Watched>,
    /// Whether a gauge changed since the last look.
    changed: bool,
}

impl Watch {
    /// Nothing, if there is nothing to watch.
    pub(crate) fn over(monitors: Vec<Monitor>) -> Option<Watch> {
        if monitors.is_empty() {
            return None;
        }
        let mut watch = Watch { gauges: Vec::new(), watched: Vec::new(), changed: true };
        for Monitor { counter, service, rule } in monitors {
            let gauge = watch.gauge(counter, service);
            let check = match rule {
                Rule::Always { at_least, at_most } => {
                    let mut bound = |limit: Option<Limit>| {
                        limit.map(|limit| match limit {
                            Limit::Number(number) => Bound::Number(number),
                            Limit::Counter(counter) => Bound::Gauge(watch.gauge(counter, None)),
                        })
                    };
                    Check::Always { at_least: bound(at_least), at_most: bound(at_most) }
                }
                Rule::Eventually { at_least, by } => {
                    Check::Eventually { at_least, by: by.unwrap_or(SimTime::MAX), seen: 0 }
                }
            };
            watch.watched.push(Watched { gauge, check, report: MonitorReport::default() });
        }
        Some(watch)
    }

    /// The gauge of a counter, which there is once.
    fn gauge(&mut self, counter: String, service: Option<ServiceId>) -> usize {
        let found = self.gauges.iter().position(|gauge| gauge.counter == counter && gauge.service == service);
        found.unwrap_or_else(|| {
            self.gauges.push(Gauge { counter, service, value: 0 });
            self.gauges.len() - 1
        })
    }

    /// A service has counted something.
    pub(crate) fn counted(&mut self, service: ServiceId, counter: &str, by: u64) {
        for gauge in &mut self.gauges {
            if gauge.counter == counter && gauge.service.is_none_or(|whose| whose == service) {
                gauge.value = gauge.value.saturating_add(by);
                self.changed = true;
            }
        }
    }

    /// An instant is over.
    #[inline]
    pub(crate) fn look(&mut self, at: SimTime) {
        if std::mem::take(&mut self.changed) {
            self.look_closely(at);
        }
    }

    fn look_closely(&mut self, at: SimTime) {
        let Watch { gauges, watched, .. } = self;
        for Watched { gauge, check, report } in watched {
            if report.violation.is_some() || report.met_at.is_some() {
                continue;
            }
            let value = gauges[*gauge].value;
            match check {
                Check::Always { at_least, at_most } => {
                    let limit = |bound: &Option<Bound>| match bound {
                        None => None,
                        Some(Bound::Number(number)) => Some(*number),
                        Some(Bound::Gauge(gauge)) => Some(gauges[*gauge].value),
                    };
                    let below = limit(at_least).filter(|limit| value < *limit);
                    let above = limit(at_most).filter(|limit| value > *limit);
                    report.violation = below.or(above).map(|limit| Violation { at, value, limit });
                }
                // What is counted later says nothing of what was there in time.
                Check::Eventually { by, .. } if at > *by => {}
                Check::Eventually { at_least, seen, .. } => {
                    *seen = value;
                    report.met_at = (value >= *at_least).then_some(at);
                }
            }
        }
    }

    /// The run is over.
    pub(crate) fn finish(&mut self, at: SimTime) -> Vec<MonitorReport> {
        self.look(at);
        let conclude = |Watched { check, report, .. }: &Watched| match *check {
            Check::Eventually { at_least, by, seen } if report.met_at.is_none() => {
                let violation = Violation { at: at.min(by), value: seen, limit: at_least };
                MonitorReport { violation: Some(violation), ..*report }
            }
            _ => *report,
        };
        self.watched.iter().map(conclude).collect()
    }
}

#[cfg(test)]
mod tests;
