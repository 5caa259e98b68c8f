//! What a directory costs as it grows: looking a service up by its exact name, and registering an
//! entry, with 1,000, 10,000 and 100,000 entries in it.
//!
//! ```text
//! cargo bench --bench directory
//! ```
//!
//! Both are hash look-ups, so what grows with the number of entries is only what fits no cache. The
//! names asked for and registered are drawn over all there are, to make that seen.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rehearsal::actors::directory::{Asker, Config, Directory, Entry, Offer, Query};
use rehearsal::actors::random::Streams;
use rehearsal::actors::units::{SimDuration, SimTime};

const SIZES: [u32; 3] = [1_000, 10_000, 100_000];
const VNET: &str = "market";
const NOW: SimTime = SimTime::ZERO;

/// The entry of a number: each of a provider and a service of its own.
fn entry(number: u32) -> Entry<u32> {
    Entry::new(number, format!("service-{number}")).with("ccy", "USD").on(VNET)
}

fn directory(entries: u32) -> Directory<u32> {
    let mut config = Config::new("directory").serving(VNET);
    config.timing.share_delay = SimDuration::ZERO;
    let mut directory = Directory::new(config, NOW);
    directory.advance(NOW);
    for number in 0..entries {
        directory.register(number, entry(number), NOW).expect("it is the provider's own, in a vnet served");
    }
    directory
}

fn lookup(criterion: &mut Criterion) {
    let asker = Asker::on(VNET);
    let mut group = criterion.benchmark_group("lookup");
    group.throughput(Throughput::Elements(1));
    for size in SIZES {
        let directory = directory(size);
        let mut stream = Streams::new(1).stream("names");
        let queries: Vec<Query> =
            (0..10_000).map(|_| Query::named(format!("service-{}", stream.below(size.into())))).collect();
        let mut next = queries.iter().cycle();
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter(|| next.next().map(|query| directory.find(&asker, black_box(query)).len()));
        });
    }
    group.finish();
}

fn register(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("register");
    group.throughput(Throughput::Elements(1));
    for size in SIZES {
        let mut directory = directory(size);
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            // A hundred at a time, which are taken out again while nobody measures.
            bencher.iter_custom(|times| {
                let mut spent = Duration::ZERO;
                let mut left = times;
                while left > 0 {
                    let batch = left.min(100) as u32;
                    left -= u64::from(batch);
                    let new: Vec<Entry<u32>> = (size..size + batch).map(entry).collect();
                    let offers: Vec<Arc<Offer<u32>>> = new.iter().map(|entry| entry.offer.clone()).collect();
                    let start = Instant::now();
                    for entry in new {
                        black_box(directory.register(entry.offer.address, entry, NOW)).expect("as above");
                    }
                    spent += start.elapsed();
                    for offer in offers {
                        directory.unregister(offer.address, &offer, NOW).expect("it is the provider's own");
                    }
                    // What has changed is shared, with nobody, and not kept to be shared later.
                    directory.advance(NOW);
                }
                spent
            });
        });
    }
    group.finish();
}

criterion_group!(benches, lookup, register);
criterion_main!(benches);
