//! Changes that are drawn at a period: availability that flaps, values that drift, services that die.

use std::num::NonZeroU64;

use super::Change;
use crate::random::{Stream, Streams};
use crate::topology::Topology;
use crate::trace::ServiceId;
use crate::units::{Bandwidth, Probability, SimDuration};

/// A factor drawn uniformly from an inclusive range of parts per million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factor {
    /// The least, in millionths: 950,000 for 0.95.
    pub low_ppm: u32,
    /// The most, in millionths.
    pub high_ppm: u32,
}

/// Why a range is no range of factors.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum FactorError {
    /// Out of what a value can ever drift by.
    #[error("a factor of {0}: must lie between 0.01 and 100, such as 0.95; 1 leaves a value as it is")]
    OutOfRange(f64),
    /// The ends are the wrong way round.
    #[error("factors from {low} to {high}: the lower end comes first")]
    Backwards {
        /// The end that stands first.
        low: f64,
        /// The end that stands last.
        high: f64,
    },
}

const ONE_PPM: f64 = 1_000_000.0;

impl Factor {
    /// Factors from `low` to `high`, rounded to the nearest millionth.
    ///
    /// ```
    /// use rehearsal_actors::changes::Factor;
    /// assert_eq!(Factor::new(0.95, 1.05), Ok(Factor { low_ppm: 950_000, high_ppm: 1_050_000 }));
    /// assert!(Factor::new(1.05, 0.95).is_err());
    /// ```
    pub fn new(low: f64, high: f64) -> Result<Self, FactorError> {
        // Not a number lies in no range.
        if let Some(&end) = [low, high].iter().find(|end| !(0.01..=100.0).contains(*end)) {
            return Err(FactorError::OutOfRange(end));
        }
        if low > high {
            return Err(FactorError::Backwards { low, high });
        }
        Ok(Factor { low_ppm: (low * ONE_PPM).round() as u32, high_ppm: (high * ONE_PPM).round() as u32 })
    }
}

/// Changes drawn at a period, the first one period after the start. The period is more than zero.
#[derive(Clone, Debug, PartialEq)]
pub enum Policy {
    /// What is up goes down and what is down comes up, each by its own chance.
    Flap {
        /// The period.
        every: SimDuration,
        /// The chance of one that is up to go down.
        down: Probability,
        /// The chance of one that is down to come up.
        up: Probability,
        /// Whether nodes flap.
        nodes: bool,
        /// Whether links flap, each direction on its own.
        links: bool,
    },
    /// Values are multiplied by factors drawn anew for each node and link.
    ///
    /// A value stays within a hundredth of and a hundred times what it was when it first drifted, so
    /// that a long run neither dies nor overflows. A value of zero stays zero, unlimited bandwidth
    /// unlimited. What a fault put outside these bounds drifts inwards only.
    Drift {
        /// The period.
        every: SimDuration,
        /// For the latency of every link.
        latency: Option<Factor>,
        /// For the bandwidth of every link.
        bandwidth: Option<Factor>,
        /// For the processing time of every node.
        processing: Option<Factor>,
    },
    /// Services are killed, each by the same chance.
    Kill {
        /// The period.
        every: SimDuration,
        /// The chance of each to be killed in a round.
        chance: Probability,
        /// Those that may be killed.
        services: Vec<ServiceId>,
    },
}

/// A policy in force, with its own random streams.
///
/// Every node and link has its draw in every round, whether it is up or down and whatever its
/// value, and so has every service, whether it runs or not, so that a fault that strikes one leaves
/// what the others draw as it was.
#[derive(Debug)]
pub struct PolicyState {
    policy: Policy,
    flapping: Flapping,
    latency: Drifting,
    bandwidth: Drifting,
    processing: Drifting,
    kills: Stream,
}

impl PolicyState {
    /// `index` tells policies of a scenario apart.
    pub fn new(policy: Policy, index: usize, streams: &Streams) -> Self {
        let stream = |of: &str| streams.stream(&format!("policy:{index}:{of}"));
        PolicyState {
            policy,
            flapping: Flapping { nodes: stream("nodes"), links: stream("links") },
            latency: Drifting::new(stream("latency")),
            bandwidth: Drifting::new(stream("bandwidth")),
            processing: Drifting::new(stream("processing")),
            kills: stream("kills"),
        }
    }

    /// The period.
    pub fn every(&self) -> SimDuration {
        match self.policy {
            Policy::Flap { every, .. } | Policy::Drift { every, .. } | Policy::Kill { every, .. } => every,
        }
    }

    /// What this round changes: nodes and links in order of declaration, services in the policy's own.
    /// Only real changes are listed, but a service may be killed that does not run.
    pub fn draw(&mut self, topology: &Topology) -> Vec<Change> {
        let mut changes = Vec::new();
        match self.policy {
            Policy::Kill { chance, ref services, .. } => {
                let victims = services.iter().filter(|_| self.kills.chance(chance));
                changes.extend(victims.map(|&service| Change::Kill(service)));
            }
            Policy::Flap { down, up, nodes, links, .. } => {
                if nodes {
                    self.flapping.nodes(topology, down, up, &mut changes);
                }
                if links {
                    self.flapping.links(topology, down, up, &mut changes);
                }
            }
            Policy::Drift { latency, bandwidth, processing, .. } => {
                if let Some(factor) = latency {
                    for (i, (id, _, _, link)) in topology.links().enumerate() {
                        let drifted = self.latency.duration(i, link.latency, factor);
                        changes.extend(drifted.map(|latency| Change::Latency(id, latency)));
                    }
                }
                if let Some(factor) = bandwidth {
                    for (i, (id, _, _, link)) in topology.links().enumerate() {
                        let drifted = self.bandwidth.bandwidth(i, link.bandwidth, factor);
                        changes.extend(drifted.map(|bandwidth| Change::Bandwidth(id, bandwidth)));
                    }
                }
                if let Some(factor) = processing {
                    for (i, (id, node)) in topology.nodes().enumerate() {
                        let drifted = self.processing.duration(i, node.processing, factor);
                        changes.extend(drifted.map(|time| Change::Processing(id, time)));
                    }
                }
            }
        }
        changes
    }
}

/// The streams of what goes down and comes up.
#[derive(Debug)]
struct Flapping {
    nodes: Stream,
    links: Stream,
}

impl Flapping {
    fn nodes(&mut self, topology: &Topology, down: Probability, up: Probability, changes: &mut Vec<Change>) {
        for (id, _) in topology.nodes() {
            let is_up = topology.is_node_up(id);
            if self.nodes.chance(if is_up { down } else { up }) {
                changes.push(if is_up { Change::NodeDown(id) } else { Change::NodeUp(id) });
            }
        }
    }

    fn links(&mut self, topology: &Topology, down: Probability, up: Probability, changes: &mut Vec<Change>) {
        for (id, ..) in topology.links() {
            let is_up = topology.is_link_sound(id);
            if self.links.chance(if is_up { down } else { up }) {
                changes.push(if is_up { Change::LinkDown(id) } else { Change::LinkUp(id) });
            }
        }
    }
}

/// One kind of value that drifts.
#[derive(Debug)]
struct Drifting {
    stream: Stream,
    /// By node or link: the value when it first drifted; `None` while there was nothing to drift.
    starts: Vec<Option<NonZeroU64>>,
}

impl Drifting {
    fn new(stream: Stream) -> Self {
        Drifting { stream, starts: Vec::new() }
    }

    /// The value's next one. `None` stands for what does not drift; it has its draw all the same.
    fn next(&mut self, i: usize, value: Option<NonZeroU64>, factor: Factor) -> Option<u64> {
        let ppm = self.stream.between(factor.low_ppm.into(), factor.high_ppm.into());
        if self.starts.len() <= i {
            self.starts.resize(i + 1, None);
        }
        let value = value?;
        let start = self.starts[i].get_or_insert(value).get();
        let value = value.get();
        let (least, most) = ((start / 100).max(1).min(value), start.saturating_mul(100).max(value));
        let drifted = (u128::from(value) * u128::from(ppm) + 500_000) / 1_000_000;
        Some(u64::try_from(drifted).unwrap_or(u64::MAX).clamp(least, most))
    }

    /// The next duration, if it is another one.
    fn duration(&mut self, i: usize, value: SimDuration, factor: Factor) -> Option<SimDuration> {
        let next = self.next(i, NonZeroU64::new(value.as_nanos()), factor)?;
        Some(SimDuration::from_nanos(next)).filter(|&next| next != value)
    }

    /// The next bandwidth, if it is another one.
    fn bandwidth(&mut self, i: usize, value: Bandwidth, factor: Factor) -> Option<Bandwidth> {
        let bits = match value {
            Bandwidth::Unlimited => None,
            Bandwidth::BitsPerSecond(bits) => Some(bits),
        };
        let next = self.next(i, bits, factor)?;
        Bandwidth::bits_per_second(next).filter(|&next| next != value)
    }
}
