//! Rounds: the peers take turns, so that what else the machine does meanwhile falls on all of them alike.
//!
//! The figure of a peer is its fastest round. Noise on a shared machine only ever adds time, so the minimum is what
//! comes closest to the cost itself, and ratios of minima repeat from run to run where ratios of means do not. How far
//! the median round lies above it is kept beside it as the spread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::graph::{Graph, RouteTable};
use crate::memory::{self, Growth};
use crate::peers::{self, Column, Failure, Measured, Peer};
use crate::workloads::{Case, Gossip, PingPong, RequestReply, Workload};

/// The workloads with messages, in the order of the table.
pub const CASES: [Case; 7] = [
    Case::PingPong(1),
    Case::PingPong(100),
    Case::PingPong(10_000),
    Case::Gossip(100),
    Case::Gossip(1_000),
    Case::Gossip(10_000),
    Case::RequestReply(100, 10),
];

/// The crowds of idle services.
pub const CROWDS: [u32; 2] = [100_000, 1_000_000];

/// Who would take more than this for the larger crowd is not asked to.
const MOST_MEMORY: u64 = 8 << 30;

/// How much to measure.
#[derive(Clone, Debug)]
pub struct Effort {
    /// How often each peer does each workload, after a warm-up.
    pub rounds: usize,
    /// How many messages a workload has, about; fewer for peers that ask for it.
    pub messages: u64,
    /// What a peer may spend on one workload before it sits the remaining rounds out; it has one round at least.
    pub share: Duration,
    /// Only what contains this: `gossip`, `ping-pong 100`, `nexosim`.
    pub only: Option<String>,
}

impl Effort {
    fn includes(&self, case: Case, peer: &dyn Peer) -> bool {
        let name = format!("{case} {}", peer.name());
        self.only.as_ref().is_none_or(|pattern| name.contains(pattern))
    }
}

/// What one peer made of one workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Which workload.
    pub case: Case,
    /// [`Peer::name`].
    pub peer: &'static str,
    /// Where it is shown.
    pub column: Column,
    /// Messages in each round.
    pub messages: u64,
    /// Nanoseconds a message, in the fastest round.
    pub fastest: f64,
    /// Nanoseconds a message, in the median round.
    pub median: f64,
    /// How many rounds there were.
    pub rounds: usize,
    /// Nanoseconds a message after the runtime's start-up, in the fastest round. See [`Measured::steady`].
    pub steady: Option<f64>,
}

/// What a crowd of idle services takes with one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crowd {
    /// [`Peer::name`].
    pub peer: &'static str,
    /// Where it is shown.
    pub column: Column,
    /// How many there were.
    pub services: u32,
    /// What they added to the process.
    pub growth: Growth,
}

/// What went wrong where; the figure is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which workload.
    pub case: Case,
    /// [`Peer::name`].
    pub peer: &'static str,
    /// Why there is no figure.
    pub what: Failure,
}

/// Everything found out about messages.
#[derive(Debug, Default)]
pub struct Findings {
    /// By case, then by peer.
    pub figures: Vec<Figure>,
    /// By case, then by peer.
    pub crowds: Vec<Crowd>,
    /// What the table cannot show.
    pub problems: Vec<Problem>,
}

/// Seats a peer at a workload.
struct Seat<'a> {
    peer: &'a dyn Peer,
    workload: Workload,
    /// Nanoseconds a message, by round.
    samples: Vec<f64>,
    steady: Vec<f64>,
    spent: Duration,
}

impl Seat<'_> {
    /// Plays once and checks that everything was delivered, when it had to be.
    fn play(&self, workload: &Workload) -> Result<Measured, Failure> {
        let expected = workload.expected();
        let measured = peers::run(self.peer, workload)?;
        if measured.delivered != expected.delivered {
            return Err(Failure::Miscounted { delivered: measured.delivered, expected: expected.delivered });
        }
        match measured.ended_at {
            Some(ended_at) if ended_at != expected.ended_at => {
                Err(Failure::WrongTime { ended_at, expected: expected.ended_at })
            }
            _ => Ok(measured),
        }
    }

    fn figure(&self) -> Option<Figure> {
        Some(Figure {
            case: self.workload.case(),
            peer: self.peer.name(),
            column: self.peer.column(),
            messages: self.workload.expected().delivered,
            fastest: fastest(&self.samples)?,
            median: median(&self.samples)?,
            rounds: self.samples.len(),
            steady: fastest(&self.steady),
        })
    }
}

/// Measures everything that `effort` includes. `tell` hears what is going on.
pub fn measure(peers: &[Box<dyn Peer>], effort: &Effort, mut tell: impl FnMut(&str)) -> Findings {
    let mut findings = Findings::default();
    for case in CASES {
        if !peers.iter().any(|peer| effort.includes(case, peer.as_ref())) {
            continue;
        }
        tell(&case.to_string());
        measure_case(case, peers, effort, &mut findings);
    }
    for services in CROWDS {
        measure_crowd(services, peers, effort, &mut findings, &mut tell);
    }
    findings
}

fn measure_case(case: Case, peers: &[Box<dyn Peer>], effort: &Effort, findings: &mut Findings) {
    let Some(build) = builder(case) else { return };
    let mut seats = Vec::new();
    for peer in peers.iter().map(AsRef::as_ref).filter(|peer| effort.includes(case, *peer)) {
        let messages = effort.messages / peer.fewer_messages(&build(effort.messages)).max(1);
        let seat =
            Seat { peer, workload: build(messages), samples: Vec::new(), steady: Vec::new(), spent: Duration::ZERO };
        // The warm-up also tells who takes part.
        match seat.play(&build(messages / 10)) {
            Ok(_) => seats.push(seat),
            Err(Failure::TakesNoPart) => {}
            Err(what) => findings.problems.push(Problem { case, peer: peer.name(), what }),
        }
    }
    for _ in 0..effort.rounds {
        seats.retain_mut(|seat| {
            if seat.spent >= effort.share {
                return true;
            }
            let began = Instant::now();
            let played = seat.play(&seat.workload);
            seat.spent += began.elapsed();
            match played {
                Ok(measured) => {
                    seat.samples.push(nanoseconds_each(measured.delivered, measured.wall));
                    seat.steady.extend(measured.steady.map(|(messages, wall)| nanoseconds_each(messages, wall)));
                    true
                }
                Err(what) => {
                    findings.problems.push(Problem { case, peer: seat.peer.name(), what });
                    false
                }
            }
        });
    }
    findings.figures.extend(seats.iter().filter_map(Seat::figure));
}

/// Makes the workload of a case with about so many messages; what is dear to make is shared.
fn builder(case: Case) -> Option<Box<dyn Fn(u64) -> Workload>> {
    Some(match case {
        Case::PingPong(pairs) => Box::new(move |messages| Workload::PingPong(PingPong::new(pairs, messages))),
        Case::Gossip(services) => {
            let routes = Arc::new(RouteTable::new(&Graph::random(services)));
            Box::new(move |messages| Workload::Gossip(Gossip::new(routes.clone(), messages)))
        }
        Case::RequestReply(clients, servers) => {
            Box::new(move |messages| Workload::RequestReply(RequestReply::new(clients, servers, messages)))
        }
        Case::Idle(_) => return None,
    })
}

fn measure_crowd(
    services: u32,
    peers: &[Box<dyn Peer>],
    effort: &Effort,
    findings: &mut Findings,
    tell: &mut impl FnMut(&str),
) {
    let case = Case::Idle(services);
    for peer in peers.iter().filter(|peer| effort.includes(case, peer.as_ref())) {
        let foreseen = findings
            .crowds
            .iter()
            .filter(|crowd| crowd.peer == peer.name())
            .map(|crowd| crowd.growth.peak / u64::from(crowd.services) * u64::from(services))
            .max();
        if foreseen.is_some_and(|bytes| bytes > MOST_MEMORY) {
            continue;
        }
        tell(&format!("{case} {}", peer.name()));
        match memory::measure(peer.name(), services) {
            Ok(growth) => {
                findings.crowds.push(Crowd { peer: peer.name(), column: peer.column(), services, growth });
            }
            Err(Failure::TakesNoPart) => {}
            Err(what) => findings.problems.push(Problem { case, peer: peer.name(), what }),
        }
    }
}

fn nanoseconds_each(messages: u64, wall: Duration) -> f64 {
    wall.as_nanos() as f64 / messages.max(1) as f64
}

fn fastest(samples: &[f64]) -> Option<f64> {
    samples.iter().copied().min_by(f64::total_cmp)
}

fn median(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

impl Findings {
    /// What stands in a column of the table: the fastest of the peers that share it.
    pub fn figure(&self, case: Case, column: Column) -> Option<&Figure> {
        let of_column = self.figures.iter().filter(|figure| figure.case == case && figure.column == column);
        of_column.min_by(|a, b| a.fastest.total_cmp(&b.fastest))
    }

    /// What stands in a column of the table for so many idle services.
    pub fn crowd(&self, services: u32, column: Column) -> Option<&Crowd> {
        self.crowds.iter().find(|crowd| crowd.services == services && crowd.column == column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A runtime that claims whatever it is told to claim.
    struct Claims(u64, u64);

    impl Peer for Claims {
        fn name(&self) -> &'static str {
            "claims"
        }

        fn column(&self) -> Column {
            Column::BareLoop
        }

        fn ping_pong(&self, _: &PingPong) -> Result<Measured, Failure> {
            let wall = Duration::from_nanos(40 * self.0);
            Ok(Measured { delivered: self.0, ended_at: Some(self.1), wall, steady: None })
        }
    }

    fn seat(peer: &dyn Peer) -> Seat<'_> {
        // One ball, five hops: five messages in 5 ms.
        let workload = Workload::PingPong(PingPong { pairs: 1, hops: 5 });
        Seat { peer, workload, samples: Vec::new(), steady: Vec::new(), spent: Duration::ZERO }
    }

    #[test]
    fn a_runtime_that_loses_a_message_has_no_figure() {
        let claims = Claims(4, 5_000_000);
        let seat = seat(&claims);
        assert_eq!(seat.play(&seat.workload), Err(Failure::Miscounted { delivered: 4, expected: 5 }));
    }

    #[test]
    fn a_runtime_whose_clock_is_wrong_has_no_figure() {
        let claims = Claims(5, 5_000_001);
        let seat = seat(&claims);
        assert_eq!(seat.play(&seat.workload), Err(Failure::WrongTime { ended_at: 5_000_001, expected: 5_000_000 }));
    }

    #[test]
    fn an_honest_runtime_has_one() {
        let claims = Claims(5, 5_000_000);
        let seat = seat(&claims);
        assert!(seat.play(&seat.workload).is_ok());
    }

    #[test]
    fn the_figure_is_the_fastest_round_and_the_spread_is_to_the_median() {
        let samples = [40.0, 31.0, 30.0, 35.0, 90.0];
        assert_eq!(fastest(&samples), Some(30.0));
        assert_eq!(median(&samples), Some(35.0));
    }
}
