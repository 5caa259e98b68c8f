//! Numbers as people read them: a few digits, never more than a column can hold.

use std::time::Duration;

use rehearsal_actors::units::SimDuration;

/// `1,234,567`; from a billion on `1.23e9`. At most 11 columns.
pub(crate) fn count(n: u64) -> String {
    if n >= 1_000_000_000 {
        return format!("{:.2e}", n as f64);
    }
    let digits = n.to_string();
    let mut set = String::with_capacity(digits.len() + 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            set.push(',');
        }
        set.push(digit);
    }
    set
}

/// `1 node`, `7 nodes`.
pub(crate) fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// Three significant digits.
fn three_digits(value: f64) -> String {
    // Each bound is where rounding would gain a digit.
    match value {
        v if v < 9.995 => format!("{v:.2}"),
        v if v < 99.95 => format!("{v:.1}"),
        v => count(v.round() as u64),
    }
}

/// `812 ns`, `12.3 ms`, `1.25 s`, `3.47 d`: three significant digits. At most 10 columns.
pub(crate) fn duration(length: SimDuration) -> String {
    let nanos = length.as_nanos();
    if nanos < 1_000 {
        return if nanos == 0 { "0 s".to_owned() } else { format!("{nanos} ns") };
    }
    let nanos = nanos as f64;
    for (unit, name) in [(1e3, "µs"), (1e6, "ms")] {
        if nanos / unit < 999.5 {
            return format!("{} {name}", three_digits(nanos / unit));
        }
    }
    const DAY: f64 = 86_400.0;
    match nanos / 1e9 {
        seconds if seconds < DAY => format!("{} s", three_digits(seconds)),
        seconds => format!("{} d", three_digits(seconds / DAY)),
    }
}

/// A length of wall time, set like a [`duration`].
pub(crate) fn wall(length: Duration) -> String {
    duration(SimDuration::from(length))
}

/// `1,600 times`, `0.52 times`.
pub(crate) fn times(factor: f64) -> String {
    format!("{} times", three_digits(factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_in_threes() {
        for (n, set) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (999_999_999, "999,999,999"), (1_000_000_000, "1.00e9")]
        {
            assert_eq!(count(n), set);
        }
        assert!(count(u64::MAX).len() <= 11);
    }

    #[test]
    fn durations_keep_three_digits_and_never_round_into_a_fourth() {
        for (nanos, set) in [
            (0, "0 s"),
            (812, "812 ns"),
            (1_000, "1.00 µs"),
            (9_994, "9.99 µs"),
            (9_996, "10.0 µs"),
            (999_499, "999 µs"),
            (999_500, "1.00 ms"),
            (12_340_000, "12.3 ms"),
            (1_250_000_000, "1.25 s"),
            (50_000_000_000, "50.0 s"),
            (86_399_000_000_000, "86,399 s"),
            (129_600_000_000_000, "1.50 d"),
        ] {
            assert_eq!(duration(SimDuration::from_nanos(nanos)), set);
        }
        // 2^64 ns are 213,504 days.
        assert_eq!(duration(SimDuration::from_nanos(u64::MAX)), "213,504 d");
    }

    #[test]
    fn factors_below_one_are_said_too() {
        assert_eq!(times(1_612.9), "1,613 times");
        assert_eq!(times(0.5), "0.50 times");
    }
}
