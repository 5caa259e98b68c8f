//! Distributions of latencies.

use hdrhistogram::Histogram;

use crate::outcome::Interface;
use crate::report::LatencySummary;
use crate::units::SimDuration;

/// Latencies, to three significant digits (histograms) and their exact maximum.
pub(crate) struct Latencies {
    histogram: Histogram<u64>,
    max: u64,
}

impl Latencies {
    pub(crate) fn new() -> Result<Self, hdrhistogram::CreationError> {
        Ok(Latencies { histogram: Histogram::new(3)?, max: 0 })
    }

    pub(crate) fn of_each_interface() -> Result<Vec<Self>, hdrhistogram::CreationError> {
        (0..Interface::COUNT).map(|_| Latencies::new()).collect()
    }

    #[inline]
    pub(crate) fn note(&mut self, latency: SimDuration) {
        let nanos = latency.as_nanos();
        self.max = self.max.max(nanos);
        // Unlike `saturating_record`, this lets the histogram grow; it can grow to any `u64`.
        let _ = self.histogram.record(nanos);
    }

    pub(crate) fn add(&mut self, other: &Latencies) {
        self.max = self.max.max(other.max);
        // The histograms grow on demand, so that adding one to another cannot fail.
        let _ = self.histogram.add(&other.histogram);
    }

    pub(crate) fn summary(&self) -> Option<LatencySummary> {
        let count = self.histogram.len();
        let at = |q| SimDuration::from_nanos(self.histogram.value_at_quantile(q).min(self.max));
        (count > 0).then(|| LatencySummary {
            count,
            p50: at(0.50),
            p90: at(0.90),
            p99: at(0.99),
            max: SimDuration::from_nanos(self.max),
        })
    }
}
