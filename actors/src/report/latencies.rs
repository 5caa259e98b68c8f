//! How long things took: the distribution behind the percentiles of a report.

use hdrhistogram::Histogram;

use crate::report::LatencySummary;
use crate::units::SimDuration;

/// Latencies, to three significant digits (a histogram), and their exact maximum.
#[derive(Clone, Debug)]
pub struct Latencies {
    histogram: Histogram<u64>,
    max: u64,
    /// Of all, in nanoseconds.
    sum: u128,
}

impl Latencies {
    /// None yet.
    pub(crate) fn new() -> Result<Self, hdrhistogram::CreationError> {
        Ok(Latencies { histogram: Histogram::new(3)?, max: 0, sum: 0 })
    }

    /// Those of these lengths; `None` if there are none.
    ///
    /// ```
    /// use rehearsal_actors::report::Latencies;
    /// use rehearsal_actors::units::SimDuration;
    /// let latencies = Latencies::of((1..=200).map(SimDuration::from_millis)).expect("there are 200");
    /// assert_eq!(latencies.percentile(100.0), SimDuration::from_millis(200));
    /// // Nine in ten take 180 ms or less, to three digits.
    /// assert_eq!(latencies.percentile(90.0).as_millis_f64().round(), 180.0);
    /// ```
    pub fn of(lengths: impl IntoIterator<Item = SimDuration>) -> Option<Self> {
        let mut latencies = Latencies::new().ok()?;
        lengths.into_iter().for_each(|length| latencies.note(length));
        (latencies.count() > 0).then_some(latencies)
    }

    #[inline]
    pub(crate) fn note(&mut self, latency: SimDuration) {
        let nanos = latency.as_nanos();
        self.note_counted([(nanos, 1)], nanos.into(), nanos);
    }

    /// Some that were counted elsewhere: how many there are of which length, to three digits; their sum, and the
    /// longest of them, exactly.
    pub(crate) fn note_counted(&mut self, counted: impl IntoIterator<Item = (u64, u64)>, sum: u128, max: u64) {
        for (nanos, times) in counted {
            // Unlike `saturating_record_n`, this lets the histogram grow; it can grow to any `u64`.
            let _ = self.histogram.record_n(nanos, times);
        }
        self.max = self.max.max(max);
        self.sum += sum;
    }

    pub(crate) fn add(&mut self, other: &Latencies) {
        self.max = self.max.max(other.max);
        self.sum += other.sum;
        // The histograms grow on demand, so that adding one to another cannot fail.
        let _ = self.histogram.add(&other.histogram);
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// What so many in a hundred did not exceed: 50 for the median, 99.9 for all but one in a
    /// thousand. Zero if there are none.
    pub fn percentile(&self, percentile: f64) -> SimDuration {
        SimDuration::from_nanos(self.histogram.value_at_quantile(percentile / 100.0).min(self.max))
    }

    /// All of them together, in seconds.
    pub fn sum_secs(&self) -> f64 {
        self.sum as f64 / 1e9
    }

    /// How many there are up to each of these bounds, which ascend: what a Prometheus histogram says.
    /// Those within a thousandth of a bound may be counted to either side of it, but one that is equal to it
    /// is within it.
    ///
    /// ```
    /// use rehearsal_actors::report::Latencies;
    /// use rehearsal_actors::units::SimDuration;
    /// let ms = SimDuration::from_millis;
    /// let latencies = Latencies::of((1..=200).map(ms)).expect("there are 200");
    /// assert_eq!(latencies.counts_up_to(&[ms(0), ms(10), ms(150), ms(900)]), [0, 10, 150, 200]);
    /// ```
    pub fn counts_up_to(&self, bounds: &[SimDuration]) -> Vec<u64> {
        let mut counts = Vec::with_capacity(bounds.len());
        let mut count = 0;
        let mut values = self.histogram.iter_recorded().peekable();
        for bound in bounds {
            let top = self.histogram.highest_equivalent(bound.as_nanos());
            while let Some(value) = values.next_if(|value| value.value_iterated_to() <= top) {
                count += value.count_since_last_iteration();
            }
            counts.push(count);
        }
        counts
    }

    /// The percentiles that every report shows; `None` if there are none.
    pub fn summary(&self) -> Option<LatencySummary> {
        (self.count() > 0).then(|| LatencySummary {
            count: self.count(),
            p50: self.percentile(50.0),
            p90: self.percentile(90.0),
            p99: self.percentile(99.0),
            max: SimDuration::from_nanos(self.max),
        })
    }
}
