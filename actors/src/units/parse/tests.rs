use std::fmt;

use proptest::prelude::*;

use super::*;

fn nanos(text: &str) -> u64 {
    text.parse::<SimDuration>().map(SimDuration::as_nanos).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn refusal<T: FromStr<Err = UnitError> + fmt::Debug>(text: &str) -> String {
    text.parse::<T>().expect_err(text).to_string()
}

#[test]
fn durations_are_read_to_the_nanosecond() {
    assert_eq!(nanos("40ms"), 40_000_000);
    assert_eq!(nanos("1.5s"), 1_500_000_000);
    assert_eq!(nanos("500us"), 500_000);
    assert_eq!(nanos("500\u{b5}s"), 500_000);
    assert_eq!(nanos("500\u{3bc}s"), 500_000);
    assert_eq!(nanos("250ns"), 250);
    assert_eq!(nanos("2min"), 120_000_000_000);
    assert_eq!(nanos("1h"), 3_600_000_000_000);
    assert_eq!(nanos(" 0.000000001 s "), 1);
    assert_eq!(nanos("0ms"), 0);
    // 0.1 + 0.2 in floating point would not be 0.3.
    assert_eq!(nanos("0.3s"), nanos("0.1s") + nanos("0.2s"));
    assert_eq!("50s".parse::<SimTime>(), Ok(SimTime::from_nanos(50_000_000_000)));
}

#[test]
fn bandwidths_sizes_cores_and_chances_are_read() {
    assert_eq!("10Mbit/s".parse(), Ok(Bandwidth::bits_per_second(10_000_000).unwrap()));
    assert_eq!("1.5Gbit/s".parse(), Ok(Bandwidth::bits_per_second(1_500_000_000).unwrap()));
    assert_eq!("64 kbps".parse(), Ok(Bandwidth::bits_per_second(64_000).unwrap()));
    assert_eq!("unlimited".parse(), Ok(Bandwidth::Unlimited));
    assert_eq!("64KiB".parse(), Ok(Bytes(65_536)));
    assert_eq!("1.5MiB".parse(), Ok(Bytes(3 * 512 * 1024)));
    assert_eq!("10MB".parse(), Ok(Bytes(10_000_000)));
    assert_eq!("512".parse(), Ok(Bytes(512)));
    assert_eq!("512 B".parse(), Ok(Bytes(512)));
    assert_eq!("2KB".parse(), Ok(Bytes(2_000)));
    assert_eq!("0.5".parse(), Ok(Cores::from_milli(500)));
    assert_eq!("16".parse(), Ok(Cores::new(16)));
    assert_eq!("0.02".parse(), Ok(Probability::new(0.02).unwrap()));
    assert_eq!("1e-6".parse(), Ok(Probability::new(0.000_001).unwrap()));
    assert_eq!("1".parse(), Ok(Probability::ALWAYS));
}

#[test]
fn a_mistake_is_answered_with_what_would_be_right() {
    let cases = [
        (refusal::<SimDuration>(""), "nothing is written here; write a duration such as 40ms, 1.5s or 2min"),
        (refusal::<SimDuration>("40"), "`40` has no unit; write 40ms or 40s"),
        (
            refusal::<SimDuration>("soon"),
            "`soon` does not begin with a number; write a duration such as 40ms, 1.5s or 2min",
        ),
        (refusal::<SimDuration>("-5ms"), "`-5ms` is negative; write a duration such as 40ms, 1.5s or 2min"),
        (
            refusal::<SimDuration>("40MS"),
            "unknown unit `MS`, did you mean `ms`?; the units are ns, us, ms, s, min and h",
        ),
        (refusal::<SimDuration>("2m"), "unknown unit `m`, did you mean `min`?; the units are ns, us, ms, s, min and h"),
        (refusal::<SimDuration>("3weeks"), "unknown unit `weeks`; the units are ns, us, ms, s, min and h"),
        (refusal::<SimDuration>("0.5ns"), "`0.5ns` is not a whole number of nanoseconds; round it"),
        (refusal::<SimDuration>("600000000h"), "`600000000h` is too large; the most is 18446744073s, some 584 years"),
        (
            refusal::<SimDuration>("1.2.3s"),
            "`1.2.3` is not a plain decimal number; write a duration such as 40ms, 1.5s or 2min",
        ),
        (
            refusal::<SimDuration>("1e3ms"),
            "`1e3ms` is not a plain decimal number; write a duration such as 40ms, 1.5s or 2min",
        ),
        (
            refusal::<Bandwidth>("0Mbit/s"),
            "`0Mbit/s` would let nothing through, ever; write more than zero, or take the link down",
        ),
        (refusal::<Bandwidth>("10"), "`10` has no unit; write 10Mbit/s or 10Gbit/s"),
        (refusal::<Bytes>("1.5"), "`1.5` is not a whole number of bytes; round it"),
        (refusal::<Bytes>("1.5B"), "`1.5B` is not a whole number of bytes; round it"),
        (refusal::<Bytes>("0.1KiB"), "`0.1KiB` is not a whole number of bytes; round it"),
        (
            refusal::<Cores>("2 cores"),
            "`2 cores` is more than a number; write a number of cores such as 2 or 0.5, without a unit",
        ),
        (refusal::<Cores>("0.0005"), "`0.0005` is not a whole number of thousandths of a core; round it"),
        (refusal::<Probability>("1.5"), "`1.5` is too large; the most is 1, which is always"),
        (
            refusal::<Probability>("2%"),
            "`2%` is more than a number; write a chance from 0 to 1, such as 0.02 for two in a hundred, without a unit",
        ),
    ];
    for (said, expected) in cases {
        assert_eq!(said, expected);
    }
    assert!(refusal::<Bandwidth>("10mbit/s").starts_with("unknown unit `mbit/s`, did you mean `Mbit/s`?"));
    assert!(refusal::<Bytes>("10mib").starts_with("unknown unit `mib`, did you mean `MiB`?"));
    assert!(refusal::<Probability>("-0.1").starts_with("`-0.1` is negative"));
    assert!(refusal::<Probability>("NaN").starts_with("`NaN` does not begin with a number"));
}

proptest! {
    #[test]
    fn no_text_makes_a_parser_panic(text in "[-0-9.,_a-zA-Z/%µ ]{0,24}|.*") {
        let _ = text.parse::<SimDuration>();
        let _ = text.parse::<Bandwidth>();
        let _ = text.parse::<Bytes>();
        let _ = text.parse::<Cores>();
        let _ = text.parse::<Probability>();
    }
}
