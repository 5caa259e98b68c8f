//! What a node lacks of what a service needs, and how to say it.

use super::Demand;
use crate::topology::Resources;
use crate::units::{Bytes, Cores, Probability};

/// One thing that a node has too little of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shortage {
    /// Processor cores.
    Cpu {
        /// What the service needs.
        needs: Cores,
        /// What the node has left.
        left: Cores,
    },
    /// Graphics processors.
    Gpu {
        /// What the service needs.
        needs: Cores,
        /// What the node has left.
        left: Cores,
    },
    /// Memory.
    Ram {
        /// What the service needs.
        needs: Bytes,
        /// What the node has left.
        left: Bytes,
    },
    /// Disk.
    Storage {
        /// What the service needs.
        needs: Bytes,
        /// What the node has left.
        left: Bytes,
    },
    /// Being up.
    Availability {
        /// The least that the service asks for.
        needs: Probability,
        /// What the node is said to have.
        has: Probability,
    },
}

impl Shortage {
    /// Everything that `left` and `availability` fall short of.
    pub(super) fn between(demand: &Demand, left: &Resources, availability: Probability) -> Vec<Shortage> {
        let needs = demand.resources;
        let mut short = Vec::new();
        if needs.cpu > left.cpu {
            short.push(Shortage::Cpu { needs: needs.cpu, left: left.cpu });
        }
        if needs.gpu > left.gpu {
            short.push(Shortage::Gpu { needs: needs.gpu, left: left.gpu });
        }
        if needs.ram > left.ram {
            short.push(Shortage::Ram { needs: needs.ram, left: left.ram });
        }
        if needs.storage > left.storage {
            short.push(Shortage::Storage { needs: needs.storage, left: left.storage });
        }
        if demand.availability > availability {
            short.push(Shortage::Availability { needs: demand.availability, has: availability });
        }
        short
    }

    /// Which part of what is needed is missing, in millionths.
    pub(super) fn share(&self) -> u64 {
        let part = |needs: u64, left: u64| {
            (u128::from(needs.saturating_sub(left)) * 1_000_000 / u128::from(needs.max(1))) as u64
        };
        match *self {
            Shortage::Cpu { needs, left } | Shortage::Gpu { needs, left } => part(needs.as_milli(), left.as_milli()),
            Shortage::Ram { needs, left } | Shortage::Storage { needs, left } => part(needs.0, left.0),
            Shortage::Availability { needs, has } => ((needs.get() - has.get()) * 1_000_000.0) as u64,
        }
    }
}

/// `4 cores and 8GiB of ram`: what the service needs of what is short.
pub(super) fn needed(short: &[Shortage]) -> String {
    listed(short.iter().map(|shortage| match *shortage {
        Shortage::Cpu { needs, .. } => counted(needs, "core"),
        Shortage::Gpu { needs, .. } => counted(needs, "gpu"),
        Shortage::Ram { needs, .. } => format!("{needs} of ram"),
        Shortage::Storage { needs, .. } => format!("{needs} of storage"),
        Shortage::Availability { needs, .. } => format!("an availability of {needs}"),
    }))
}

/// `2 cores left and 1GiB of ram left`: what the node has of what is short.
pub(super) fn had(short: &[Shortage]) -> String {
    listed(short.iter().map(|shortage| match *shortage {
        Shortage::Cpu { left, .. } => format!("{} left", counted(left, "core")),
        Shortage::Gpu { left, .. } => format!("{} left", counted(left, "gpu")),
        Shortage::Ram { left, .. } => format!("{left} of ram left"),
        Shortage::Storage { left, .. } => format!("{left} of storage left"),
        Shortage::Availability { has, .. } => format!("an availability of {has}"),
    }))
}

fn counted(number: Cores, one: &str) -> String {
    let plural = if number == Cores::new(1) { "" } else { "s" };
    format!("{number} {one}{plural}")
}

/// `a`, `a and b`, `a, b and c`.
fn listed(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    match items.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
