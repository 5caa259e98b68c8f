use super::*;
use crate::units::SimDuration;

fn at(millis: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_millis(millis)
}

fn entry(service: &str) -> Entry<u32> {
    Entry::new(50, service).on("v")
}

/// Whom it asks, and about which services (`-` before what it takes back).
fn story(asks: &[Ask<u32>]) -> Vec<(u32, String)> {
    let what = |request: &Request<u32>| match request {
        Request::Register(entry) => entry.offer.service.clone(),
        Request::Unregister(offer) => format!("-{}", offer.service),
        Request::UnregisterAddress => "-*".to_owned(),
    };
    asks.iter().map(|ask| (ask.to, what(&ask.request))).collect()
}

fn says(asks: &[Ask<u32>], expected: &[(u32, &str)]) {
    assert_eq!(story(asks), expected.iter().map(|&(to, what)| (to, what.to_owned())).collect::<Vec<_>>());
}

/// One entry, `echo`, registered with directory 1 of 1, 2 and 3 at zero.
fn registered() -> Membership<u32> {
    let mut m = Membership::new(vec![1, 2, 3], Timing::default(), at(0));
    let asks = m.offer(entry("echo"), at(0));
    says(&asks, &[(1, "echo")]);
    m.answered(1, asks[0].number, at(0));
    m
}

#[test]
fn a_request_is_repeated_until_it_is_answered() {
    let mut m = registered();
    let asks = m.offer(entry("add"), at(100));
    assert_eq!(m.due(), at(225), "an eighth of a heartbeat later");
    says(&m.advance(at(224)), &[]);
    says(&m.advance(at(225)), &[(1, "add")]);
    m.answered(1, asks[0].number, at(230));
    assert_eq!(m.due(), at(230 + 2_125), "only silence is left to happen");
}

#[test]
fn the_answer_to_an_earlier_request_does_not_settle_a_later_one_on_the_same_offer() {
    let mut m = registered();
    let first = m.offer(entry("echo").needing("p"), at(100));
    says(&m.withdraw(&entry("echo").offer, at(110)), &[(1, "-echo")]);
    m.answered(1, first[0].number, at(120));
    says(&m.advance(at(225)), &[(1, "-echo")]);
    says(&m.withdraw(&entry("echo").offer, at(130)), &[]);
}

#[test]
fn two_missed_pings_and_an_eighth_make_it_go_to_the_next_and_so_round() {
    let mut m = registered();
    says(&m.pinged(1, 1, at(1_000)), &[]);
    says(&m.advance(at(3_124)), &[]);
    says(&m.advance(at(3_125)), &[(2, "echo")]);
    says(&m.advance(at(3_250)), &[(3, "echo")]);
    says(&m.advance(at(3_375)), &[(1, "echo")]);
    let again = m.advance(at(3_500));
    says(&again, &[(2, "echo")]);
    m.answered(2, again[0].number, at(3_510));
    assert_eq!((m.directory(), m.due()), (Some(2), at(3_510 + 2_125)));
}

#[test]
fn a_directory_it_has_left_is_told_to_remove_it_once_it_has_another() {
    let mut m = registered();
    let asks = m.advance(at(2_125));
    says(&m.pinged(1, 1, at(2_130)), &[]);
    m.answered(2, asks[0].number, at(2_140));
    says(&m.pinged(1, 1, at(3_130)), &[(1, "-*")]);
}

#[test]
fn who_has_taken_everything_back_leaves_whoever_still_has_something() {
    let mut m = registered();
    says(&m.withdraw(&entry("echo").offer, at(100)), &[(1, "-echo")]);
    // Directory 1 does not answer, and is silent: there is nothing to ask the next one.
    for now in [225, 350, 2_125] {
        m.advance(at(now));
    }
    assert_eq!((m.directory(), m.due()), (Some(2), SimTime::MAX));
    says(&m.pinged(1, 1, at(3_000)), &[(1, "-*")]);
}

#[test]
fn a_ping_that_counts_too_few_or_too_many_makes_it_register_all_again() {
    let mut m = registered();
    let asks = m.offer(entry("add"), at(100));
    says(&m.pinged(1, 1, at(110)), &[]);
    m.answered(1, asks[0].number, at(120));
    says(&m.pinged(1, 2, at(1_000)), &[]);
    let again = m.pinged(1, 1, at(2_000));
    says(&again, &[(1, "add"), (1, "echo")]);
    for ask in &again {
        m.answered(1, ask.number, at(2_001));
    }
    says(&m.pinged(1, 3, at(3_000)), &[(1, "-*"), (1, "add"), (1, "echo")]);
}

#[test]
fn who_offers_nothing_asks_nothing_and_who_knows_nobody_neither() {
    let mut m = Membership::new(vec![1], Timing::default(), at(0));
    assert_eq!(m.due(), SimTime::MAX);
    // A directory may still have something of a former time.
    m.answered(1, 0, at(1));
    says(&m.pinged(1, 1, at(1_000)), &[(1, "-*")]);
    let mut alone: Membership<u32> = Membership::new(vec![], Timing::default(), at(0));
    says(&alone.offer(entry("echo"), at(0)), &[]);
    assert_eq!(alone.due(), SimTime::MAX);
    says(&alone.advance(at(9_000)), &[]);
}

#[test]
fn a_slow_directory_is_good_enough_while_no_other_has_answered() {
    let mut m = Membership::new(vec![1, 2], Timing::default(), at(0));
    let first = m.offer(entry("echo"), at(0));
    // An eighth of a heartbeat later it has tried the next one, and then the first answers.
    let second = m.advance(at(125));
    says(&second, &[(2, "echo")]);
    m.answered(1, first[0].number, at(160));
    assert_eq!(m.directory(), Some(1));
    // The other one has answered too late, and is told when it shows itself.
    m.answered(2, second[0].number, at(285));
    assert_eq!(m.directory(), Some(1));
    says(&m.pinged(2, 1, at(1_000)), &[(2, "-*")]);
}

#[test]
fn who_knows_no_directory_registers_when_there_is_one() {
    let mut m = Membership::<u32>::new(Vec::new(), Timing::default(), at(0));
    says(&m.offer(entry("echo"), at(0)), &[]);
    assert_eq!(m.due(), SimTime::MAX);
    says(&m.know(Vec::new(), at(10)), &[]);
    says(&m.know(vec![1, 2], at(20)), &[(1, "echo")]);
    assert_eq!(m.due(), at(145));
}

#[test]
fn the_directory_that_it_is_with_is_known_until_it_is_left() {
    let mut m = registered();
    // Others than before: it stays with directory 1 all the same, and goes to the one in its place.
    says(&m.know(vec![8, 9], at(100)), &[]);
    assert_eq!((m.directory(), m.directories()), (Some(1), &[1, 8, 9][..]));
    says(&m.advance(at(2_125)), &[(8, "echo")]);
    says(&m.know(vec![1, 8, 9], at(2_130)), &[]);
    assert_eq!(m.directory(), Some(8));
}

#[test]
fn what_is_refused_is_left_alone_by_those_who_take_other_things_and_tried_elsewhere_by_others() {
    let mut m = registered();
    let asks = m.offer(entry("add"), at(100));
    m.refused(1, asks[0].number);
    assert_eq!(m.due(), at(2_125), "nothing is asked again");
    says(&m.pinged(1, 1, at(1_000)), &[(1, "add"), (1, "echo")]);

    let mut m = Membership::new(vec![1, 2], Timing::default(), at(0));
    let asks = m.offer(entry("echo"), at(0));
    m.refused(1, asks[0].number);
    says(&m.advance(at(125)), &[(2, "echo")]);
}

#[test]
fn who_ends_takes_everything_back_at_once() {
    let mut m = registered();
    says(&m.leave_all().into_iter().collect::<Vec<_>>(), &[(1, "-*")]);
    assert_eq!(m.due(), SimTime::MAX);
    says(&m.leave_all().into_iter().collect::<Vec<_>>(), &[]);
}
