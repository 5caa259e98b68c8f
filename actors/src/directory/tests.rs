//! What a directory does, told as stories. That nothing leaks is in `leaks`, that all directories of
//! a vnet agree in the end in `convergence`.

mod convergence;
mod leaks;
mod world;

use super::*;

pub(super) fn at(millis: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_millis(millis)
}

/// A directory that serves the vnets, with these hubs, after its first round at zero.
pub(super) fn directory(home: &str, vnets: &[&str], hubs: &[u32]) -> Directory<u32> {
    let mut config = Config::new(home);
    config.serves = vnets.iter().map(|&vnet| vnet.into()).collect();
    config.hubs = hubs.to_vec();
    let mut directory = Directory::new(config, at(0));
    directory.advance(at(0));
    directory
}

/// The addresses of nobody.
pub(super) const NOBODY: [u32; 0] = [];

pub(super) fn everything() -> Query {
    Query::glob("*").expect("it is short")
}

/// The addresses found, in their order.
pub(super) fn addresses(directory: &Directory<u32>, asker: &Asker, query: &Query) -> Vec<u32> {
    directory.find(asker, query).iter().map(|entry| entry.offer.address).collect()
}

/// What is shared with a peer, of all that is to be done.
pub(super) fn shares_to(peer: u32, effects: Vec<Effect<u32>>) -> Vec<Share<u32>> {
    let share = |effect| match effect {
        Effect::Share { to, share } if to == peer => Some(share),
        _ => None,
    };
    effects.into_iter().filter_map(share).collect()
}

/// Carries what two directories say to each other to and fro until they are silent; how often.
pub(super) fn talk(a: (u32, &mut Directory<u32>), b: (u32, &mut Directory<u32>), now: SimTime) -> usize {
    let mut on_the_way: Vec<(bool, Share<u32>)> = Vec::new();
    on_the_way.extend(shares_to(b.0, a.1.advance(now)).into_iter().map(|share| (true, share)));
    on_the_way.extend(shares_to(a.0, b.1.advance(now)).into_iter().map(|share| (false, share)));
    let mut carried = 0;
    while let Some((to_b, share)) = on_the_way.pop() {
        carried += 1;
        let (from, to) = if to_b { (a.0, &mut *b.1) } else { (b.0, &mut *a.1) };
        let effects = to.receive(from, &share, now);
        on_the_way.extend(shares_to(from, effects).into_iter().map(|share| (!to_b, share)));
        assert!(carried < 100, "they do not come to an end");
    }
    carried
}

#[test]
fn registering_twice_changes_nothing_and_says_so() {
    let mut d = directory("d", &["v"], &[]);
    let entry = Entry::new(1, "echo").on("v");
    assert_eq!(d.register(1, entry.clone(), at(1)), Ok(Registered::New));
    d.advance(at(51));
    assert_eq!(d.register(1, entry.clone(), at(60)), Ok(Registered::Same));
    assert_eq!(d.due(), at(1_000), "nothing is to be shared");
    assert_eq!(d.register(1, entry.clone().needing("p"), at(70)), Ok(Registered::Changed));
    assert_eq!(d.register(1, entry.with("ccy", "USD"), at(80)), Ok(Registered::New), "another offer");
    assert_eq!(addresses(&d, &Asker::on("v").holding("p"), &everything()), [1, 1]);
}

#[test]
fn an_entry_may_move_from_one_vnet_to_another() {
    let mut d = directory("d", &["v", "w"], &[]);
    assert_eq!(d.register(1, Entry::new(1, "echo").on("v"), at(0)), Ok(Registered::New));
    assert_eq!(d.register(1, Entry::new(1, "echo").on("w"), at(0)), Ok(Registered::Changed));
    assert_eq!(addresses(&d, &Asker::on("v"), &everything()), NOBODY);
    assert_eq!(addresses(&d, &Asker::on("w"), &everything()), [1]);
}

#[test]
fn only_the_owner_registers_changes_and_removes() {
    let mut d = directory("d", &["v"], &[]);
    let entry = Entry::new(1, "echo").on("v");
    assert_eq!(d.register(2, entry.clone(), at(0)), Err(Refusal::NotTheOwner));
    assert_eq!(d.register(1, entry.clone(), at(0)), Ok(Registered::New));
    assert_eq!(d.unregister(2, &entry.offer, at(0)), Err(Refusal::NotTheOwner));
    assert_eq!(d.unregister_address(2, 1, at(0)), Err(Refusal::NotTheOwner));
    assert_eq!(addresses(&d, &Asker::on("v"), &everything()), [1]);
    assert_eq!(d.unregister(1, &entry.offer, at(0)), Ok(true));
    assert_eq!(d.unregister(1, &entry.offer, at(0)), Ok(false));
    assert_eq!(addresses(&d, &Asker::on("v"), &everything()), NOBODY);
}

#[test]
fn unregistering_an_address_takes_all_its_entries_and_no_other() {
    let mut d = directory("d", &["v"], &[]);
    for (address, service) in [(1, "a"), (1, "b"), (2, "a")] {
        assert_eq!(d.register(address, Entry::new(address, service).on("v"), at(0)), Ok(Registered::New));
    }
    assert_eq!(d.unregister_address(1, 1, at(0)), Ok(2));
    assert_eq!(d.unregister_address(1, 1, at(0)), Ok(0));
    assert_eq!(addresses(&d, &Asker::on("v"), &everything()), [2]);
}

#[test]
fn what_cannot_be_seen_by_anybody_is_refused() {
    let mut d = directory("d", &["v"], &[]);
    let elsewhere = Entry::new(1, "echo").on("v").on("w");
    assert_eq!(d.register(1, elsewhere, at(0)), Err(Refusal::VnetNotServed("w".into())));
    assert_eq!(d.register(1, Entry::new(1, ""), at(0)), Err(Refusal::BadName { bytes: 0 }));
    let long = Entry::new(1, "x".repeat(NAME_LIMIT + 1));
    assert_eq!(d.register(1, long, at(0)), Err(Refusal::BadName { bytes: NAME_LIMIT + 1 }));
    assert_eq!(addresses(&d, &Asker::on("v"), &everything()), NOBODY, "not even in the vnet that is served");
}

#[test]
fn lookups_are_by_name_pattern_and_parameters_in_the_order_of_offers() {
    let mut d = directory("d", &["v"], &[]);
    // Registered in another order than they are found.
    for (address, service, ccy) in [
        (9, "myservice.workers.02", "USD"),
        (3, "myservice.workers.01", "USD"),
        (4, "myservice.workers.02", "EUR"),
        (5, "myservice.workers", "USD"),
        (6, "myservice.workers.10", "USD"),
    ] {
        let entry = Entry::new(address, service).with("ccy", ccy).with("class", "equity").on("v");
        assert_eq!(d.register(address, entry, at(0)), Ok(Registered::New));
    }
    let asker = Asker::on("v");
    let glob = |pattern| addresses(&d, &asker, &Query::glob(pattern).expect("it is short"));
    assert_eq!(glob("myservice.workers.*"), [3, 4, 9, 6]);
    assert_eq!(glob("myservice.workers.0?"), [3, 4, 9]);
    assert_eq!(glob("myservice.workers"), [5]);
    assert_eq!(glob("*2"), [4, 9]);
    assert_eq!(glob("MYSERVICE.*"), NOBODY);
    let usd = Query::named("myservice.workers.02").with("ccy", "USD");
    assert_eq!(addresses(&d, &asker, &usd), [9]);
    assert_eq!(addresses(&d, &asker, &usd.clone().with("class", "equity")), [9]);
    assert_eq!(addresses(&d, &asker, &usd.with("class", "bond")), NOBODY);
    assert_eq!(addresses(&d, &asker, &everything().with("ccy", "EUR")), [4]);
    assert_eq!(addresses(&d, &asker, &Query::named("myservice.*")), NOBODY, "a name is no pattern");
}

#[test]
fn a_pattern_made_to_be_slow_is_not() {
    let mut d = directory("d", &["v"], &[]);
    assert_eq!(d.register(1, Entry::new(1, "a".repeat(NAME_LIMIT)).on("v"), at(0)), Ok(Registered::New));
    // Backtracking over every star would try some 2^127 ways; over the last alone, 255 * 255.
    let nasty = Query::glob(&format!("{}b", "a*".repeat(127))).expect("255 bytes are allowed");
    assert_eq!(addresses(&d, &Asker::on("v"), &nasty), NOBODY);
    assert_eq!(Query::glob(&"?".repeat(256)), Err(QueryError::TooLong { bytes: 256 }));
}

#[test]
fn a_silent_provider_is_dropped_after_a_round_and_reported() {
    let mut d = directory("d", &["v"], &[]);
    for address in [1, 2] {
        assert_eq!(d.register(address, Entry::new(address, "echo").on("v"), at(500)), Ok(Registered::New));
    }
    let pings = d.advance(at(1_000));
    assert!(matches!(pings[..], [Effect::Ping { to: 1, entries: 1 }, Effect::Ping { to: 2, entries: 1 }]));
    d.heard(2, at(1_010));
    let second = d.advance(at(2_000));
    assert!(matches!(second[..], [Effect::Dropped(1, 1), Effect::Ping { to: 2, .. }]), "{second:?}");
    assert_eq!(addresses(&d, &Asker::on("v"), &everything()), [2]);
}

#[test]
fn a_new_entry_is_shared_after_the_delay_along_with_others() {
    let (mut hub, mut member) = (directory("hub", &["v"], &[]), directory("member", &["v"], &[100]));
    talk((100, &mut hub), (1, &mut member), at(1_000));
    assert_eq!(member.register(7, Entry::new(7, "echo").on("v"), at(1_200)), Ok(Registered::New));
    assert_eq!(member.register(8, Entry::new(8, "echo").on("v"), at(1_240)), Ok(Registered::New));
    assert_eq!(member.due(), at(1_250));
    assert_eq!(talk((100, &mut hub), (1, &mut member), at(1_250)), 1, "both at once");
    assert_eq!(addresses(&hub, &Asker::on("v"), &Query::named("echo")), [7, 8]);
    // A withdrawal spreads as fast; what came and went within the delay costs a message and no more.
    assert_eq!(member.unregister(7, &Entry::new(7, "echo").offer, at(1_300)), Ok(true));
    assert_eq!(member.register(9, Entry::new(9, "echo").on("v"), at(1_300)), Ok(Registered::New));
    assert_eq!(member.unregister_address(9, 9, at(1_310)), Ok(1));
    assert_eq!(talk((100, &mut hub), (1, &mut member), at(1_350)), 1);
    assert_eq!(addresses(&hub, &Asker::on("v"), &everything()), [8]);
}

#[test]
fn a_silent_directory_is_forgotten_with_its_entries_but_a_hub_is_tried_for_ever() {
    let (mut hub, mut member) = (directory("hub", &["v"], &[]), directory("member", &["v"], &[100]));
    assert_eq!(member.register(7, Entry::new(7, "echo").on("v"), at(900)), Ok(Registered::New));
    assert_eq!(hub.register(8, Entry::new(8, "echo").on("v"), at(900)), Ok(Registered::New));
    talk((100, &mut hub), (1, &mut member), at(1_000));
    // 1 s + 2 1/4 heartbeats.
    let gone = |effects: &[Effect<u32>]| effects.iter().any(|effect| matches!(effect, Effect::Forgot(_)));
    for now in [2_000, 3_000, 3_249] {
        for address in [7, 8] {
            hub.heard(address, at(now));
            member.heard(address, at(now));
        }
        assert!(!gone(&hub.advance(at(now))) && !gone(&member.advance(at(now))));
    }
    assert_eq!((hub.due(), member.due()), (at(3_250), at(3_250)));
    assert!(gone(&hub.advance(at(3_250))) && gone(&member.advance(at(3_250))));
    assert_eq!(addresses(&hub, &Asker::on("v"), &everything()), [8]);
    assert_eq!(addresses(&member, &Asker::on("v"), &everything()), [7]);
    // The member greets its hub, the hub has no peer; when they hear each other all is told at once.
    let greeting = shares_to(100, member.advance(at(4_000)));
    assert_eq!(greeting.iter().map(Share::updates).collect::<Vec<_>>(), [0]);
    assert!(shares_to(1, hub.advance(at(4_000))).is_empty());
    let answer = shares_to(1, hub.receive(1, &greeting[0], at(4_001)));
    let answer_to_that = shares_to(100, member.receive(100, &answer[0], at(4_002)));
    assert!(shares_to(1, hub.receive(1, &answer_to_that[0], at(4_003))).is_empty());
    assert_eq!(addresses(&hub, &Asker::on("v"), &everything()), [7, 8]);
    assert_eq!(addresses(&member, &Asker::on("v"), &everything()), [7, 8]);
}

#[test]
fn a_delta_without_its_predecessor_waits_for_the_next_snapshot() {
    let (mut hub, mut member) = (directory("hub", &["v"], &[]), directory("member", &["v"], &[100]));
    talk((100, &mut hub), (1, &mut member), at(1_000));
    assert_eq!(member.register(7, Entry::new(7, "echo").on("v"), at(1_000)), Ok(Registered::New));
    let lost = shares_to(100, member.advance(at(1_050)));
    assert_eq!(member.register(8, Entry::new(8, "echo").on("v"), at(1_100)), Ok(Registered::New));
    let next = shares_to(100, member.advance(at(1_150)));
    hub.receive(1, &next[0], at(1_151));
    assert_eq!(addresses(&hub, &Asker::on("v"), &everything()), NOBODY);
    hub.receive(1, &lost[0], at(1_152));
    assert_eq!(addresses(&hub, &Asker::on("v"), &everything()), [7], "late, but it is the one that follows");
    member.heard(7, at(1_999));
    let snapshot = shares_to(100, member.advance(at(2_000)));
    hub.receive(1, &snapshot[0], at(2_001));
    assert_eq!(addresses(&hub, &Asker::on("v"), &everything()), [7, 8]);
    // What is older comes again, and changes nothing.
    hub.receive(1, &lost[0], at(2_002));
    hub.receive(1, &next[0], at(2_003));
    assert_eq!(addresses(&hub, &Asker::on("v"), &everything()), [7, 8]);
}

#[test]
fn a_restarted_directory_does_not_take_back_what_it_had() {
    let (mut hub, mut member) = (directory("hub", &["v"], &[]), directory("member", &["v"], &[100]));
    assert_eq!(member.register(7, Entry::new(7, "echo").on("v"), at(900)), Ok(Registered::New));
    talk((100, &mut hub), (1, &mut member), at(1_000));
    let mut config = Config::new("member").serving("v").sharing_with(100);
    config.epoch = 2;
    let mut member = Directory::new(config, at(1_500));
    talk((100, &mut hub), (1, &mut member), at(1_500));
    assert_eq!(addresses(&member, &Asker::on("v"), &everything()), NOBODY);
    assert_eq!(addresses(&hub, &Asker::on("v"), &everything()), NOBODY, "nor do others keep it");
}

#[test]
fn a_provider_with_two_homes_is_found_once_until_both_are_gone() {
    let (mut hub, mut member) = (directory("hub", &["v"], &[]), directory("member", &["v"], &[100]));
    let entry = Entry::new(7, "echo").on("v");
    assert_eq!(member.register(7, entry.clone(), at(900)), Ok(Registered::New));
    assert_eq!(hub.register(7, entry.clone(), at(900)), Ok(Registered::New));
    talk((100, &mut hub), (1, &mut member), at(1_000));
    let all = [entry.clone()];
    assert_eq!(hub.find(&Asker::on("v"), &everything()), all);
    assert_eq!(member.unregister(7, &entry.offer, at(1_001)), Ok(true));
    talk((100, &mut hub), (1, &mut member), at(1_051));
    assert_eq!(hub.find(&Asker::on("v"), &everything()), all);
    assert_eq!(member.find(&Asker::on("v"), &everything()), all);
    assert_eq!(hub.unregister_address(7, 7, at(1_060)), Ok(1));
    talk((100, &mut hub), (1, &mut member), at(1_110));
    assert_eq!(member.find(&Asker::on("v"), &everything()), []);
}
