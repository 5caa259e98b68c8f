use super::*;

const A: ServiceId = ServiceId::at(0);
const B: ServiceId = ServiceId::at(1);

fn at(nanos: u64) -> SimTime {
    SimTime::from_nanos(nanos)
}

fn always(at_least: Option<Limit>, at_most: Option<Limit>) -> Rule {
    Rule::Always { at_least, at_most }
}

fn counter(name: &str) -> Option<Limit> {
    Some(Limit::Counter(name.to_owned()))
}

/// A step of a story: somebody counts one, or an instant ends.
enum Then {
    Counts(ServiceId, &'static str),
    Ends(u64),
}
use Then::{Counts, Ends};

/// What becomes of a rule for `shipped` in a story that is over at 100 ns.
fn told(service: Option<ServiceId>, rule: Rule, story: &[Then]) -> MonitorReport {
    let monitor = Monitor { counter: "shipped".to_owned(), service, rule };
    let mut watch = Watch::over(vec![monitor]).expect("there is something to watch");
    for then in story {
        match then {
            Counts(who, what) => watch.counted(*who, what, 1),
            Ends(when) => watch.look(at(*when)),
        }
    }
    watch.finish(at(100))[0]
}

const HOLDS: MonitorReport = MonitorReport { met_at: None, violation: None };

fn violated(when: u64, value: u64, limit: u64) -> MonitorReport {
    MonitorReport { met_at: None, violation: Some(Violation { at: at(when), value, limit }) }
}

#[test]
fn a_counter_may_run_ahead_within_an_instant_and_not_beyond() {
    let rule = || always(None, counter("paid"));
    let in_time = [Counts(A, "shipped"), Counts(B, "paid"), Ends(10), Counts(B, "paid"), Ends(20)];
    assert_eq!(told(None, rule(), &in_time), HOLDS);
    let too_soon = [Counts(B, "paid"), Ends(10), Counts(A, "shipped"), Counts(B, "shipped"), Ends(20), Ends(30)];
    assert_eq!(told(None, rule(), &too_soon), violated(20, 2, 1));
    // The first violation is what is told, and the last instant has an end too.
    assert_eq!(told(None, rule(), &[Counts(A, "shipped"), Ends(5), Counts(A, "shipped"), Ends(6)]), violated(5, 1, 0));
    assert_eq!(told(None, rule(), &[Counts(A, "shipped")]), violated(100, 1, 0));
}

#[test]
fn a_counter_stays_above_another_and_below_a_number() {
    let behind = [Counts(A, "shipped"), Ends(10), Counts(B, "received"), Counts(B, "received"), Ends(20)];
    assert_eq!(told(None, always(counter("received"), None), &behind), violated(20, 1, 2));
    let thrice = [Counts(A, "shipped"), Ends(10), Counts(A, "shipped"), Ends(20), Counts(B, "shipped"), Ends(30)];
    assert_eq!(told(None, always(None, Some(Limit::Number(3))), &thrice), HOLDS);
    assert_eq!(told(None, always(None, Some(Limit::Number(2))), &thrice), violated(30, 3, 2));
    // Of A alone there are two.
    assert_eq!(told(Some(A), always(None, Some(Limit::Number(2))), &thrice), HOLDS);
}

#[test]
fn what_is_eventually_to_be_is_there_at_its_deadline_or_too_late() {
    let rule = |by: Option<u64>| Rule::Eventually { at_least: 2, by: by.map(at) };
    let story = || [Counts(A, "shipped"), Ends(10), Counts(B, "shipped"), Ends(20), Counts(A, "shipped"), Ends(30)];
    let met = MonitorReport { met_at: Some(at(20)), violation: None };
    for by in [None, Some(20), Some(90), Some(500)] {
        assert_eq!(told(None, rule(by), &story()), met, "{by:?}");
    }
    // One was there in time.
    assert_eq!(told(None, rule(Some(19)), &story()), violated(19, 1, 2));
    // Of B there is never more than one; the run is over before the deadline, or at the end.
    assert_eq!(told(Some(B), rule(Some(500)), &story()), violated(100, 1, 2));
    assert_eq!(told(Some(B), rule(None), &story()), violated(100, 1, 2));
    assert_eq!(told(None, rule(Some(50)), &[]), violated(50, 0, 2));
}

#[test]
fn there_is_nothing_to_watch_without_monitors() {
    assert!(Watch::over(Vec::new()).is_none());
}
