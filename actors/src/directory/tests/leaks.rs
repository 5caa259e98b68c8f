//! Tries to learn of entries that one may not know of.

use super::super::*;
use super::{NOBODY, addresses, at, directory, everything, shares_to, talk};

/// Entries that an asker of `open` who holds nothing may not see, and one that it may.
fn guarded() -> Directory<u32> {
    let mut d = directory("d", &["open", "secret"], &[]);
    for entry in [
        Entry::new(1, "vault").with("level", "9").on("secret"),
        Entry::new(2, "vault").with("level", "9").on("open").needing("key"),
        Entry::new(3, "vault").with("level", "9").on("open").needing("key").needing("seal"),
        Entry::new(4, "vault").with("level", "9"),
        Entry::new(5, "shop").with("level", "1").on("open"),
    ] {
        assert_eq!(d.register(entry.offer.address, entry, at(0)), Ok(Registered::New));
    }
    d
}

#[test]
fn no_query_shows_what_the_asker_may_not_see() {
    let d = guarded();
    let queries = [
        Query::named("vault"),
        Query::glob("*").expect("short"),
        Query::glob("v*t").expect("short"),
        Query::glob("?ault").expect("short"),
        Query::named("vault").with("level", "9"),
        Query::glob("*").expect("short").with("level", "9"),
    ];
    for query in &queries {
        let found = |asker: &Asker| {
            let mut all = addresses(&d, asker, query);
            all.retain(|&address| address != 5);
            all
        };
        assert_eq!(found(&Asker::on("open")), NOBODY, "{query:?}");
        assert_eq!(found(&Asker::on("elsewhere")), NOBODY, "{query:?}");
        assert_eq!(found(&Asker::on("open").holding("seal")), NOBODY, "{query:?}");
        assert_eq!(found(&Asker::on("open").holding("key")), [2], "{query:?}");
        assert_eq!(found(&Asker::on("open").holding("key").holding("seal")), [2, 3], "{query:?}");
        assert_eq!(found(&Asker::on("secret")), [1], "{query:?}");
        assert_eq!(found(&Asker::on("open").and("secret")), [1], "{query:?}");
        assert_eq!(found(&Asker::new(&BTreeSet::new(), BTreeSet::new())), [4], "no vnet is `local`: {query:?}");
    }
}

#[test]
fn a_vnets_name_is_no_pattern() {
    let d = guarded();
    for name in ["*", "?ecret", "", "SECRET", "secret*"] {
        assert_eq!(addresses(&d, &Asker::on(name), &everything()), NOBODY, "{name}");
        assert_eq!(addresses(&d, &Asker::on("open").holding(name), &everything()), [5], "{name}");
    }
}

#[test]
fn an_answer_does_not_name_vnets_the_asker_is_not_in() {
    let mut d = directory("d", &["open", "secret"], &[]);
    let entry = Entry::new(1, "echo").on("open").on("secret");
    assert_eq!(d.register(1, entry.clone(), at(0)), Ok(Registered::New));
    assert_eq!(d.find(&Asker::on("open"), &everything()), [Entry::new(1, "echo").on("open")]);
    assert_eq!(d.find(&Asker::on("open").and("secret"), &everything()), [entry]);
}

#[test]
fn refusals_are_the_same_whether_or_not_there_is_something() {
    let mut d = guarded();
    let (hidden, absent) = (Entry::new(1, "vault").with("level", "9"), Entry::new(99, "vault").with("level", "9"));
    assert_eq!(d.unregister(50, &hidden.offer, at(1)), d.unregister(50, &absent.offer, at(1)));
    assert_eq!(d.unregister_address(50, 1, at(1)), d.unregister_address(50, 99, at(1)));
    assert_eq!(d.register(50, hidden.clone(), at(1)), d.register(50, absent.clone(), at(1)));
    // And of one's own: that somebody else offers the same service elsewhere makes no difference.
    assert_eq!(d.unregister(50, &Entry::new(50, "vault").offer, at(1)), Ok(false));
    assert_eq!(d.register(50, Entry::new(50, "vault"), at(1)), Ok(Registered::New));
}

/// Everything that a share says, as text.
fn text(shares: &[Share<u32>]) -> String {
    format!("{shares:?}")
}

#[test]
fn a_directory_is_told_of_its_own_vnets_only_and_of_no_other_by_name() {
    let (mut hub, mut member) = (directory("hub", &["open", "secret"], &[]), directory("member", &["open"], &[100]));
    for entry in [
        Entry::new(1, "vault").on("secret"),
        Entry::new(2, "both").on("open").on("secret"),
        Entry::new(3, "mine"),
        Entry::new(4, "shop").on("open"),
    ] {
        assert_eq!(hub.register(entry.offer.address, entry, at(900)), Ok(Registered::New));
    }
    talk((100, &mut hub), (1, &mut member), at(1_000));
    let all = Asker::on("open").and("secret").and(LOCAL);
    assert_eq!(member.find(&all, &everything()), [Entry::new(2, "both").on("open"), Entry::new(4, "shop").on("open")]);
    let late = Entry::new(5, "late-vault").on("secret");
    assert_eq!(hub.register(5, late, at(1_100)), Ok(Registered::New));
    assert!(shares_to(1, hub.advance(at(1_150))).is_empty());
    (1..=5).for_each(|provider| hub.heard(provider, at(1_900)));
    let said = text(&shares_to(1, hub.advance(at(2_000))));
    assert!(said.contains("shop") && said.contains("both"), "{said}");
    assert!(!said.contains("vault") && !said.contains("mine") && !said.contains("secret"), "{said}");
}

#[test]
fn an_unknown_hub_is_greeted_and_told_nothing() {
    let mut d = directory("d", &["open"], &[100]);
    assert_eq!(d.register(1, Entry::new(1, "vault").on("open"), at(10)), Ok(Registered::New));
    assert!(shares_to(100, d.advance(at(60))).is_empty());
    let said = text(&shares_to(100, d.advance(at(1_000))));
    assert!(!said.contains("vault"), "{said}");
}

#[test]
fn what_comes_for_a_vnet_that_is_not_served_is_neither_kept_nor_passed_on() {
    let (mut liar, mut d) = (directory("liar", &["open", "secret"], &[]), directory("d", &["open"], &[]));
    assert_eq!(liar.register(1, Entry::new(1, "vault").on("secret"), at(0)), Ok(Registered::New));
    // Another peer of `d`, which hears all that `d` passes on.
    let mut other = directory("other", &["open", "secret"], &[7]);
    let greeting = shares_to(7, other.advance(at(1_000)));
    d.receive(20, &greeting[0], at(1_000));
    // The liar takes `d` for somebody who serves both, and so tells it both.
    let mut claimed = directory("d", &["open", "secret"], &[10]);
    let pretended = shares_to(10, claimed.advance(at(1_000)));
    let told = shares_to(7, liar.receive(7, &pretended[0], at(1_000)));
    assert_eq!(told[0].updates(), 2);
    let effects = d.receive(10, &told[0], at(1_001));
    let passed = text(&shares_to(20, effects));
    assert!(passed.contains("liar") && !passed.contains("vault"), "{passed}");
    assert_eq!(addresses(&d, &Asker::on("open").and("secret").and(LOCAL), &everything()), NOBODY);
}

#[test]
fn local_is_never_shared_even_if_both_say_that_they_serve_it() {
    let (mut a, mut b) = (directory("a", &["open", LOCAL], &[]), directory("b", &["open", LOCAL], &[100]));
    assert_eq!(a.register(1, Entry::new(1, "mine"), at(900)), Ok(Registered::New));
    assert_eq!(a.register(2, Entry::new(2, "mine").on(LOCAL).on("open"), at(900)), Ok(Registered::New));
    talk((100, &mut a), (1, &mut b), at(1_000));
    assert_eq!(addresses(&a, &Asker::on(LOCAL), &everything()), [1, 2]);
    assert_eq!(addresses(&b, &Asker::on(LOCAL), &everything()), NOBODY);
    assert_eq!(addresses(&b, &Asker::on("open"), &everything()), [2]);
}
