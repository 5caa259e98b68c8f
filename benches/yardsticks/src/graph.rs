//! The random graph that gossip runs on, and how long its shortest paths take.

use crate::workloads::{Choices, MILLISECOND};

/// The slowest link, in milliseconds; the fastest takes 1 ms.
const SLOWEST_LINK: u32 = 10;

/// A link in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// One end.
    pub a: u32,
    /// The other end.
    pub b: u32,
    /// 1 to 10 ms, in nanoseconds.
    pub nanos: u32,
}

/// A connected graph whose services have four links each, but for coincidences.
#[derive(Clone, Debug)]
pub struct Graph {
    /// How many services there are.
    pub services: u32,
    /// No two join the same ends.
    pub links: Vec<Link>,
}

impl Graph {
    /// Two random rings through all services: connected, because one ring is; of degree 4, except where both rings
    /// join the same two. The same size gives the same graph.
    pub fn random(services: u32) -> Self {
        let mut choices = Choices::seeded(0x5EED ^ u64::from(services));
        let mut joined = vec![Vec::new(); services as usize];
        let mut links = Vec::new();
        for _ in 0..2 {
            let mut ring: Vec<u32> = (0..services).collect();
            for i in (1..services).rev() {
                ring.swap(i as usize, choices.below(i + 1) as usize);
            }
            for (i, &a) in ring.iter().enumerate() {
                let b = ring[(i + 1) % ring.len()];
                let nanos = MILLISECOND as u32 + choices.below((SLOWEST_LINK - 1) * MILLISECOND as u32 + 1);
                if a != b && !joined[a as usize].contains(&b) {
                    joined[a as usize].push(b);
                    joined[b as usize].push(a);
                    links.push(Link { a, b, nanos });
                }
            }
        }
        Graph { services, links }
    }
}

/// The latency of the shortest path between any two services.
#[derive(Clone, Debug)]
pub struct RouteTable {
    graph: Graph,
    /// Row by row, nanoseconds; 32 bits hold four seconds.
    latencies: Vec<u32>,
    /// The longest of them.
    longest: u32,
}

impl RouteTable {
    /// Works out all paths: Dial's variant of Dijkstra's algorithm (Communications of the ACM 12, 1969), which keeps
    /// a bucket for each distance ahead. A bucket may be as wide as the shortest link: no path from a node in it leads
    /// to another one in it (E. Denardo and B. Fox, Operations Research 27, 1979). Links take 1 to 10 ms, so that
    /// eleven buckets of a millisecond do.
    pub fn new(graph: &Graph) -> Self {
        const BUCKETS: usize = SLOWEST_LINK as usize + 1;
        const WIDTH: u32 = MILLISECOND as u32;
        let services = graph.services as usize;
        let mut ends: Vec<Vec<(u32, u32)>> = vec![Vec::new(); services];
        for link in &graph.links {
            ends[link.a as usize].push((link.b, link.nanos));
            ends[link.b as usize].push((link.a, link.nanos));
        }
        let mut latencies = vec![u32::MAX; services * services];
        let mut buckets: [Vec<(u32, u32)>; BUCKETS] = Default::default();
        for (source, distance) in latencies.chunks_exact_mut(services.max(1)).enumerate() {
            distance[source] = 0;
            buckets[0].push((source as u32, 0));
            let mut waiting = 1;
            let mut bucket = 0;
            while waiting > 0 {
                while let Some((at, reached)) = buckets[bucket % BUCKETS].pop() {
                    waiting -= 1;
                    if distance[at as usize] != reached {
                        continue;
                    }
                    for &(to, nanos) in &ends[at as usize] {
                        let longer = reached + nanos;
                        if longer < distance[to as usize] {
                            distance[to as usize] = longer;
                            buckets[(longer / WIDTH) as usize % BUCKETS].push((to, longer));
                            waiting += 1;
                        }
                    }
                }
                bucket += 1;
            }
        }
        let longest = latencies.iter().copied().max().unwrap_or(0);
        RouteTable { graph: graph.clone(), latencies, longest }
    }

    /// The graph the paths lead over, for runtimes that route by themselves.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// How many services there are.
    #[inline]
    pub fn services(&self) -> u32 {
        self.graph.services
    }

    /// How long a message travels, in nanoseconds.
    #[inline]
    pub fn latency(&self, from: u32, to: u32) -> u64 {
        u64::from(self.latencies[from as usize * self.graph.services as usize + to as usize])
    }

    /// The longest of all latencies, in nanoseconds.
    pub fn longest(&self) -> u64 {
        u64::from(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortest_paths_are_those_of_floyd_and_warshall() {
        let graph = Graph::random(60);
        let mut all = [[u64::MAX / 4; 60]; 60];
        for link in &graph.links {
            let latency = u64::from(link.nanos);
            all[link.a as usize][link.b as usize] = latency;
            all[link.b as usize][link.a as usize] = latency;
        }
        for (i, row) in all.iter_mut().enumerate() {
            row[i] = 0;
        }
        for via in 0..60 {
            for from in 0..60 {
                for to in 0..60 {
                    all[from][to] = all[from][to].min(all[from][via] + all[via][to]);
                }
            }
        }
        let routes = RouteTable::new(&graph);
        for from in 0..60 {
            for to in 0..60 {
                assert_eq!(routes.latency(from, to), all[from as usize][to as usize], "{from} to {to}");
            }
        }
    }

    #[test]
    fn the_graph_has_degree_four_but_for_coincidences() {
        let graph = Graph::random(1_000);
        // Two rings of 1,000 links each; they share about two of them.
        assert!((1_980..=2_000).contains(&graph.links.len()), "{}", graph.links.len());
        assert!(graph.links.iter().all(|link| (1_000_000..=10_000_000).contains(&link.nanos)));
    }
}
