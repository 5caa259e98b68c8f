//! The journal of a run: a record of fixed layout for every event. The records are hashed in large pieces
//! (XXH3, 64 bit), which is the fingerprint of the run, and what they say of deliveries is worked out at the
//! same time: one after the other in a short loop, and not in the middle of everything else.

use std::cell::Cell;

use xxhash_rust::xxh3::Xxh3;

use crate::network::counted::Counted;
use crate::network::header::Header;
use crate::outcome::{Interface, OutcomeKind};
use crate::report::Latencies;
use crate::trace::TraceHash;
use crate::units::SimDuration;

/// What a record is about. Their numbers stand in the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Event {
    Delivery = 1,
    Loss = 2,
    Outcome = 3,
    Change = 4,
    Panic = 5,
    StepFailed = 6,
    GaveUp = 7,
    Supervision = 8,
    Directory = 9,
}

type Record = [u8; 44];

/// So many records are hashed at once.
const PIECE: usize = 372;

/// In the detail of a delivery: it is a second copy.
const DUPLICATE: u8 = 1 << 7;
/// In the detail of an outcome: the interface, below the kind of outcome.
const KIND: u32 = 3;
const INTERFACE: u8 = (1 << KIND) - 1;
const _: () = assert!(Interface::COUNT <= 1 << KIND && OutcomeKind::ALL.len() <= 1 << (u8::BITS - KIND));

const DELIVERY: u8 = Event::Delivery as u8;
const OUTCOME: u8 = Event::Outcome as u8;

/// What the records so far come to.
pub(super) struct Figures {
    /// Without second copies, as everything but the next two.
    pub(super) delivered: u64,
    pub(super) duplicates: u64,
    pub(super) held_back: u64,
    pub(super) bytes: u64,
    /// By interface, from sending to delivery.
    deliveries: Vec<Counted>,
    /// By interface, from request to outcome, where requests are answered.
    requests: Vec<Option<Counted>>,
}

impl Figures {
    fn new() -> Result<Self, hdrhistogram::CreationError> {
        let mut requests: Vec<_> = (0..Interface::COUNT).map(|_| None).collect();
        for interface in Interface::ALL.into_iter().filter(|interface| !interface.is_message()) {
            requests[interface as usize] = Some(Counted::new()?);
        }
        let deliveries = (0..Interface::COUNT).map(|_| Counted::new()).collect::<Result<_, _>>()?;
        Ok(Figures { delivered: 0, duplicates: 0, held_back: 0, bytes: 0, deliveries, requests })
    }

    /// From sending to delivery, over each interface, by its number.
    pub(super) fn deliveries(&mut self) -> impl Iterator<Item = &Latencies> {
        self.deliveries.iter_mut().map(Counted::in_order)
    }

    /// Over each interface, by its number: from request to outcome where requests are answered, and from
    /// sending to delivery elsewhere.
    pub(super) fn latencies(&mut self) -> impl Iterator<Item = &Latencies> {
        let Figures { deliveries, requests, .. } = self;
        deliveries
            .iter_mut()
            .zip(requests)
            .map(|(deliveries, requests)| requests.as_mut().unwrap_or(deliveries).in_order())
    }

    /// Adds a delivery, or the outcome of a request; anything else says nothing of how long something took.
    #[inline(always)]
    fn add(&mut self, record: &Record) {
        let [event, detail, ..] = *record;
        let [at, sent_at, bytes, held_back] = words(record);
        let latency = SimDuration::from_nanos(at.saturating_sub(sent_at));
        match event {
            DELIVERY => {
                self.held_back += u64::from(held_back > 0);
                match self.deliveries.get_mut(usize::from(detail)) {
                    Some(all) => {
                        self.delivered += 1;
                        self.bytes = self.bytes.saturating_add(bytes);
                        all.note(latency);
                    }
                    // The detail says more than its interface.
                    None => self.duplicates += 1,
                }
            }
            OUTCOME => {
                if let Some(Some(all)) = self.requests.get_mut(usize::from(detail & INTERFACE)) {
                    all.note(latency);
                }
            }
            _ => {}
        }
    }
}

/// The numbers in a record.
#[inline]
fn words(record: &Record) -> [u64; 4] {
    let (words, _) = record[12..].as_chunks::<8>();
    std::array::from_fn(|i| words.get(i).map_or(0, |word| u64::from_le_bytes(*word)))
}

/// Writes the first part of a record.
#[inline(always)]
fn write_ids(record: &mut Record, event: Event, detail: u8, one: impl FnOnce() -> u32, other: impl FnOnce() -> u32) {
    let head = u32::from(event as u8) | u32::from(detail) << 8;
    record[..4].copy_from_slice(&head.to_le_bytes());
    record[4..8].copy_from_slice(&one().to_le_bytes());
    record[8..12].copy_from_slice(&other().to_le_bytes());
}

/// Writes the numbers of a record. Each is asked for where it is written: there are more than registers, and what
/// does not fit is written twice.
#[inline(always)]
fn write_words(
    record: &mut Record,
    at: impl FnOnce() -> u64,
    sent_at: impl FnOnce() -> u64,
    bytes: impl FnOnce() -> u64,
    held_back: impl FnOnce() -> u64,
) {
    record[12..20].copy_from_slice(&at().to_le_bytes());
    record[20..28].copy_from_slice(&sent_at().to_le_bytes());
    record[28..36].copy_from_slice(&bytes().to_le_bytes());
    record[36..44].copy_from_slice(&held_back().to_le_bytes());
}

/// The records of a run.
pub(super) struct Journal {
    /// Of which the first have yet to be looked at.
    records: Box<[Record; PIECE]>,
    /// How many there are.
    len: usize,
    hasher: Xxh3,
    figures: Figures,
}

impl Journal {
    pub(super) fn new() -> Result<Self, hdrhistogram::CreationError> {
        let (records, figures) = (Box::new([[0; 44]; PIECE]), Figures::new()?);
        Ok(Journal { records, len: 0, hasher: Xxh3::new(), figures })
    }

    /// Adds a record.
    #[inline]
    pub(super) fn note(&mut self, event: Event, detail: u8, ids: [u32; 2], words: [u64; 4]) {
        if self.len == PIECE {
            self.balance();
        }
        let Some(record) = self.records.get_mut(self.len) else { return };
        write_ids(record, event, detail, || ids[0], || ids[1]);
        write_words(record, || words[0], || words[1], || words[2], || words[3]);
        self.len += 1;
    }

    /// Adds the record of a delivery.
    #[inline]
    pub(super) fn note_delivery(&mut self, interface: Interface, duplicate: bool, ids: [u32; 2], words: [u64; 4]) {
        let detail = interface as u8 | if duplicate { DUPLICATE } else { 0 };
        self.note(Event::Delivery, detail, ids, words);
    }

    /// Adds the record of a delivery that is no second copy, if there is room for it without further ado.
    #[inline(always)]
    pub(super) fn has_noted_delivery(&mut self, at: u64, header: &Cell<Header>) -> bool {
        let Some(record) = self.records.get_mut(self.len) else { return false };
        let header = || header.get();
        write_ids(record, Event::Delivery, header().interface as u8, || header().from.0, || header().to.0);
        write_words(record, || at, || header().sent_at, || header().bytes, || header().held_back(at));
        self.len += 1;
        true
    }

    /// Adds the record of an outcome.
    #[inline]
    pub(super) fn note_outcome(&mut self, interface: Interface, kind: OutcomeKind, ids: [u32; 2], words: [u64; 4]) {
        self.note(Event::Outcome, interface as u8 | (kind as u8) << KIND, ids, words);
    }

    /// Adds a text, with its length.
    pub(super) fn note_text(&mut self, text: &str) {
        self.balance();
        self.hasher.update(&(text.len() as u64).to_le_bytes());
        self.hasher.update(text.as_bytes());
    }

    /// Looks at the records that have yet to be looked at.
    #[inline(never)]
    fn balance(&mut self) {
        let records = &self.records[..self.len];
        self.hasher.update(records.as_flattened());
        records.iter().for_each(|record| self.figures.add(record));
        self.len = 0;
    }

    /// What the records so far come to.
    pub(super) fn figures(&mut self) -> &mut Figures {
        self.balance();
        &mut self.figures
    }

    /// The hash of all that has been noted so far.
    pub(super) fn hash(&mut self) -> TraceHash {
        self.balance();
        TraceHash(self.hasher.digest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_records_come_to_is_known_whenever_somebody_asks() -> Result<(), hdrhistogram::CreationError> {
        let mut journal = Journal::new()?;
        // More than are hashed at once, of which every tenth is a second copy and every fifth held back.
        for number in 0..1_000 {
            let (copy, held_back) = (number % 10 == 0, u64::from(number % 5 == 0));
            journal.note_delivery(Interface::Rest, copy, [1, 2], [3_000 + number, 2_000, 7, held_back]);
            journal.note_outcome(Interface::Rpc, OutcomeKind::Reply, [1, 2], [5_000, 5_000 - number, 0, 0]);
            journal.note_outcome(Interface::Mpi, OutcomeKind::Ack, [1, 2], [5_000, 0, 0, 0]);
            if number == 500 {
                assert_eq!(journal.figures().delivered, 501 - 51);
            }
        }
        let figures = journal.figures();
        let Figures { delivered, duplicates, held_back, bytes, .. } = *figures;
        assert_eq!((delivered, duplicates, held_back, bytes), (900, 100, 200, 6_300));
        let seen = |latencies: &Latencies| (latencies.count(), latencies.percentile(100.0).as_nanos());
        let deliveries: Vec<_> = figures.deliveries().map(seen).collect();
        assert_eq!(deliveries[Interface::Rest as usize], (900, 1_999));
        assert_eq!(deliveries.iter().map(|(count, _)| count).sum::<u64>(), 900);
        let latencies: Vec<_> = figures.latencies().map(seen).collect();
        assert_eq!(latencies[Interface::Rpc as usize], (1_000, 999));
        assert_eq!(latencies.iter().map(|(count, _)| count).sum::<u64>(), 1_000, "calls by their answers alone");
        Ok(())
    }

    #[test]
    fn the_hash_is_the_same_however_often_somebody_asks() -> Result<(), hdrhistogram::CreationError> {
        let (mut asked, mut left_alone) = (Journal::new()?, Journal::new()?);
        for number in 0..1_000 {
            for journal in [&mut asked, &mut left_alone] {
                journal.note(Event::Loss, 0, [number, 2], [0, 0, 0, 0]);
            }
            asked.hash();
        }
        assert_eq!(asked.hash(), left_alone.hash());
        asked.note_text("");
        assert_ne!(asked.hash(), left_alone.hash(), "even no text is one");
        Ok(())
    }

    #[test]
    fn a_record_is_what_it_says_byte_for_byte() -> Result<(), hdrhistogram::CreationError> {
        let mut journal = Journal::new()?;
        journal.note_delivery(Interface::Rpc, true, [0x0102, 0x0304], [5, 6, 7, 8]);
        let numbers = [5u64, 6, 7, 8].map(u64::to_le_bytes).concat();
        let expected = [&[1, 0x83, 0, 0, 2, 1, 0, 0, 4, 3, 0, 0][..], &numbers].concat();
        assert_eq!(journal.records[0][..], expected[..]);
        assert_eq!(journal.hash(), TraceHash(xxhash_rust::xxh3::xxh3_64(&expected)));
        Ok(())
    }
}
