use proptest::prelude::*;

use super::*;

#[test]
fn quantities_print_as_people_write_them() {
    let cases = [
        (SimDuration::from_millis(40).to_string(), "40ms"),
        (SimDuration::from_millis(1500).to_string(), "1.5s"),
        (SimDuration::from_nanos(250).to_string(), "250ns"),
        (SimDuration::from_nanos(1_234_567).to_string(), "1.235ms"),
        (format!("{:#}", SimDuration::from_nanos(1_234_567)), "1.234567ms"),
        (SimDuration::from_nanos(999_999_999).to_string(), "1s"),
        (SimDuration::from_secs(3600).to_string(), "3600s"),
        (SimDuration::ZERO.to_string(), "0s"),
        (SimTime::from_nanos(2_500_000).to_string(), "2.5ms"),
        (format!("[{:>6}]", SimDuration::from_millis(40)), "[  40ms]"),
        (Bandwidth::Unlimited.to_string(), "unlimited"),
        (Bandwidth::bits_per_second(1_500_000_000).unwrap().to_string(), "1.5Gbit/s"),
        (Bytes(100).to_string(), "100B"),
        (Bytes::kib(64).to_string(), "64KiB"),
        (Bytes(10_000_000).to_string(), "10MB"),
        (Bytes(1_536).to_string(), "1.5KiB"),
        (Bytes(1_234_567).to_string(), "1.177MiB"),
        (format!("{:#}", Bytes(1_234_567)), "1.234567MB"),
        (Cores::from_milli(500).to_string(), "0.5"),
        (Cores::new(16).to_string(), "16"),
        (Probability::new(0.02).unwrap().to_string(), "0.02"),
    ];
    for (printed, expected) in cases {
        assert_eq!(printed, expected);
    }
}

proptest! {
    #[test]
    fn what_is_printed_in_full_is_read_back_as_the_same(value: u64, shift in 0u32..64) {
        // The shift makes all magnitudes equally likely.
        let value = value >> shift;
        let duration = SimDuration::from_nanos(value);
        prop_assert_eq!(format!("{duration:#}").parse(), Ok(duration));
        prop_assert_eq!(format!("{:#}", SimTime::from_nanos(value)).parse(), Ok(SimTime::from_nanos(value)));
        prop_assert_eq!(format!("{:#}", Bytes(value)).parse(), Ok(Bytes(value)));
        let cores = Cores::from_milli(value);
        prop_assert_eq!(cores.to_string().parse(), Ok(cores));
        if let Some(bandwidth) = Bandwidth::bits_per_second(value) {
            prop_assert_eq!(format!("{bandwidth:#}").parse(), Ok(bandwidth));
        }
    }

    #[test]
    fn what_three_decimals_can_say_the_short_form_says_exactly(thousandths in 1u64..1_000_000, power in 1u32..4) {
        let duration = SimDuration::from_nanos(thousandths * 1000u64.pow(power - 1));
        prop_assert_eq!(duration.to_string().parse(), Ok(duration));
        let size = Bytes(thousandths * 1000u64.pow(power - 1));
        prop_assert_eq!(size.to_string().parse(), Ok(size));
    }

    #[test]
    fn a_chance_is_read_back_as_the_same(p in 0.0f64..=1.0) {
        let p = Probability::new(p).unwrap();
        prop_assert_eq!(p.to_string().parse(), Ok(p));
    }
}
