//! What the nodes and links of a generated network are given, each value from a stream of its own.

use super::{Draws, GIB, GenerateError, MBIT, Range};
use crate::random::{Stream, Streams};
use crate::topology::{Link, Node, Resources};
use crate::units::{Bandwidth, Bytes, Cores, Probability, SimDuration};

/// Milli-, micro- and nanoseconds.
const DURATION_STEPS: &[u64] = &[1_000_000, 1_000, 1];
const CORE_STEPS: &[u64] = &[1000, 1];
const BYTE_STEPS: &[u64] = &[GIB, 1 << 20, 1 << 10, 1];

/// One value to draw again and again, from a stream of its own.
struct Value {
    low: u64,
    step: u64,
    steps: u64,
    stream: Stream,
}

impl Value {
    /// From `low` to `high` in the largest of `steps` that divides both. They are in order.
    fn new(low: u64, high: u64, steps: &[u64], stream: Stream) -> Self {
        let fits = |step: &u64| low.is_multiple_of(*step) && high.is_multiple_of(*step);
        let step = steps.iter().copied().find(fits).unwrap_or(1);
        Value { low, step, steps: high.saturating_sub(low) / step, stream }
    }

    fn draw(&mut self) -> u64 {
        self.low + self.step * self.stream.between(0, self.steps)
    }
}

/// The range's ends, if they are in order.
fn ordered<T: Copy + PartialOrd + ToString>(what: &'static str, range: Range<T>) -> Result<(T, T), GenerateError> {
    if range.low > range.high {
        return Err(GenerateError::Backwards { what, low: range.low.to_string(), high: range.high.to_string() });
    }
    Ok((range.low, range.high))
}

fn durations(what: &'static str, range: Range<SimDuration>, stream: Stream) -> Result<Value, GenerateError> {
    let (low, high) = ordered(what, range)?;
    Ok(Value::new(low.as_nanos(), high.as_nanos(), DURATION_STEPS, stream))
}

/// What nodes are given.
pub(super) struct NodeDraws {
    processing: Value,
    cpu: Value,
    gpu: Value,
    ram: Value,
    storage: Value,
}

impl NodeDraws {
    pub(super) fn new(draws: &Draws, streams: &Streams) -> Result<Self, GenerateError> {
        let stream = |value: &str| streams.stream(&format!("network:nodes:{value}"));
        let Range { low, high } = draws.resources;
        let cores = |what: &'static str, low, high| {
            let (low, high): (Cores, Cores) = ordered(what, Range { low, high })?;
            Ok(Value::new(low.as_milli(), high.as_milli(), CORE_STEPS, stream(what)))
        };
        let bytes = |what: &'static str, low, high| {
            let (low, high): (Bytes, Bytes) = ordered(what, Range { low, high })?;
            Ok(Value::new(low.0, high.0, BYTE_STEPS, stream(what)))
        };
        Ok(NodeDraws {
            processing: durations("processing", draws.processing, stream("processing"))?,
            cpu: cores("cpu", low.cpu, high.cpu)?,
            gpu: cores("gpu", low.gpu, high.gpu)?,
            ram: bytes("ram", low.ram, high.ram)?,
            storage: bytes("storage", low.storage, high.storage)?,
        })
    }

    pub(super) fn draw(&mut self, name: String, group: Option<String>) -> Node {
        Node {
            name,
            group,
            resources: Resources {
                cpu: Cores::from_milli(self.cpu.draw()),
                gpu: Cores::from_milli(self.gpu.draw()),
                ram: Bytes(self.ram.draw()),
                storage: Bytes(self.storage.draw()),
            },
            availability: Probability::ALWAYS,
            processing: SimDuration::from_nanos(self.processing.draw()),
        }
    }
}

/// What links are given.
pub(super) struct LinkDraws {
    latency: Value,
    /// In Mbit/s.
    bandwidth: Option<Value>,
}

impl LinkDraws {
    pub(super) fn new(draws: &Draws, streams: &Streams) -> Result<Self, GenerateError> {
        let latency = durations("latency", draws.latency, streams.stream("network:links:latency"))?;
        let bandwidth = match draws.bandwidth {
            None => None,
            Some(Range { low: 0, .. }) => return Err(GenerateError::ZeroBandwidth),
            Some(Range { high, .. }) if high > u64::MAX / MBIT => {
                return Err(GenerateError::BandwidthTooLarge { mbits: high });
            }
            Some(range) => {
                let (low, high) = ordered("bandwidth in Mbit/s", range)?;
                Some(Value::new(low, high, &[1], streams.stream("network:links:bandwidth")))
            }
        };
        Ok(LinkDraws { latency, bandwidth })
    }

    pub(super) fn draw(&mut self) -> Link {
        let bits = self.bandwidth.as_mut().map(|mbits| mbits.draw() * MBIT);
        Link {
            bandwidth: bits.and_then(Bandwidth::bits_per_second).unwrap_or(Bandwidth::Unlimited),
            ..Link::new(SimDuration::from_nanos(self.latency.draw()))
        }
    }
}

#[cfg(test)]
mod tests;
