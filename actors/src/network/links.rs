//! What a link does to what it carries: its queue, its noise.

use std::collections::VecDeque;

use crate::random::{Stream, Streams};
use crate::routes::transmission_time;
use crate::topology::{Link, LinkId, Topology};
use crate::units::Bytes;

/// The queue before a link: first in first out, finite, drop-tail.
#[derive(Debug, Default)]
struct Queue {
    /// When the last message that was taken in will have been sent.
    busy_until: u64,
    /// Messages that have yet to begin: when they will, and their size.
    waiting: VecDeque<(u64, u64)>,
    waiting_bytes: u64,
}

impl Queue {
    /// Takes a message in; returns when it begins to be sent and when it will have been, or `None` if
    /// it is dropped because what already waits leaves no room for it. A message that finds the link
    /// idle never waits.
    fn enter(&mut self, now: u64, bytes: u64, link: &Link) -> Option<(u64, u64)> {
        while let Some((begins, size)) = self.waiting.front().copied() {
            if begins > now {
                break;
            }
            self.waiting.pop_front();
            self.waiting_bytes -= size;
        }
        let begins = self.busy_until.max(now);
        if begins > now {
            let waiting = self.waiting_bytes.checked_add(bytes).filter(|sum| *sum <= link.queue_limit.0)?;
            self.waiting.push_back((begins, bytes));
            self.waiting_bytes = waiting;
        }
        self.busy_until = begins.saturating_add(transmission_time(Bytes(bytes), link.bandwidth).as_nanos());
        Some((begins, self.busy_until))
    }
}

impl Queue {
    /// How many messages wait for their turn, and their bytes.
    fn waiting(&self, now: u64) -> (u64, u64) {
        let begun = self.waiting.partition_point(|(begins, _)| *begins <= now);
        let waiting = self.waiting.range(begun..);
        waiting.fold((0, 0), |(messages, bytes), (_, size)| (messages + 1, bytes + size))
    }
}

/// What chance does to one message on one link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Noise {
    pub(crate) lost: bool,
    pub(crate) doubled: bool,
    pub(crate) jitter: u64,
}

/// The moving parts of every link, made when a link first needs them.
#[derive(Debug)]
pub(crate) struct Links {
    streams: Streams,
    queues: Vec<Queue>,
    noise: Vec<Option<Box<Stream>>>,
}

impl Links {
    pub(crate) fn new(topology: &Topology, streams: Streams) -> Self {
        let mut queues = Vec::new();
        queues.resize_with(topology.link_count(), Queue::default);
        let mut noise = Vec::new();
        noise.resize_with(topology.link_count(), || None);
        Links { streams, queues, noise }
    }

    /// Queues a message on a link; returns when it begins to be sent and when it will have been, or
    /// `None` if there is no room.
    pub(crate) fn enter(&mut self, topology: &Topology, link: LinkId, now: u64, bytes: u64) -> Option<(u64, u64)> {
        self.queues[link.index()].enter(now, bytes, topology.link(link))
    }

    /// The links that messages wait for: how many messages, and their bytes.
    pub(crate) fn queued(&self, now: u64) -> impl Iterator<Item = (LinkId, u64, u64)> {
        self.queues.iter().enumerate().filter_map(move |(index, queue)| {
            let (messages, bytes) = queue.waiting(now);
            (messages > 0).then_some((LinkId(index as u32), messages, bytes))
        })
    }

    /// Forgets what is queued on a link: it is lost, and will delay nobody.
    pub(crate) fn empty_queue(&mut self, link: LinkId) {
        self.queues[link.index()] = Queue::default();
    }

    /// Draws what happens to one message on one link. A link without noise draws nothing.
    pub(crate) fn draw(&mut self, topology: &Topology, link: LinkId) -> Noise {
        let values = topology.link(link);
        if !values.is_noisy() {
            return Noise::default();
        }
        let stream = self.noise[link.index()].get_or_insert_with(|| {
            let (from, to) = topology.ends(link);
            let name = format!("link:{}->{}", topology.node(from).name, topology.node(to).name);
            Box::new(self.streams.stream(&name))
        });
        Noise {
            lost: stream.chance(values.loss),
            doubled: stream.chance(values.duplication),
            jitter: stream.between(0, values.jitter.as_nanos()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Bandwidth, SimDuration};

    /// 8 Mbit/s: a byte takes a microsecond.
    fn link(limit: u64) -> Option<Link> {
        Some(Link {
            bandwidth: Bandwidth::bits_per_second(8_000_000)?,
            queue_limit: Bytes(limit),
            ..Link::new(SimDuration::ZERO)
        })
    }

    #[test]
    fn messages_are_sent_one_after_the_other() -> Result<(), &'static str> {
        let link = link(1000).ok_or("zero")?;
        let mut queue = Queue::default();
        assert_eq!(queue.enter(0, 100, &link), Some((0, 100_000)));
        assert_eq!(queue.enter(0, 50, &link), Some((100_000, 150_000)));
        assert_eq!([99_999, 100_000].map(|now| queue.waiting(now)), [(1, 50), (0, 0)]);
        assert_eq!(queue.enter(140_000, 10, &link), Some((150_000, 160_000)));
        assert_eq!(queue.enter(500_000, 10, &link), Some((500_000, 510_000)), "an idle link begins at once");
        Ok(())
    }

    #[test]
    fn what_finds_no_room_is_dropped_and_room_comes_back() -> Result<(), &'static str> {
        let link = link(100).ok_or("zero")?;
        let mut queue = Queue::default();
        assert!(queue.enter(0, 1000, &link).is_some(), "what is being sent does not wait, whatever its size");
        assert!(queue.enter(0, 60, &link).is_some());
        assert!(queue.enter(0, 40, &link).is_some());
        assert_eq!(queue.enter(0, 1, &link), None);
        // At 1,000 µs the first of 60 bytes begins, so that 40 wait.
        assert!(queue.enter(1_000_000, 60, &link).is_some());
        assert_eq!(queue.enter(1_000_000, 1, &link), None);
        Ok(())
    }
}
