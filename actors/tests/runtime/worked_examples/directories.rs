//! Directories: who finds whom, when, and what it costs. Links take 10 ms, heartbeats are a second.

use std::cell::RefCell;
use std::rc::Rc;

use rehearsal_actors::changes::{Change, ScheduledChange};
use rehearsal_actors::directory::Query;
use rehearsal_actors::interfaces::directory::{GET_ENTRIES, Offering, REGISTER_ENTRY, UNREGISTER_ADDR};
use rehearsal_actors::interfaces::raw::{Draft, PING};
use rehearsal_actors::outcome::Interface;
use rehearsal_actors::prelude::*;
use rehearsal_actors::report::DirectoryFigures;
use rehearsal_actors::router::{KnownDirectory, RouterId};
use rehearsal_actors::simulation::{Cast, ServiceSpec, Setup};
use rehearsal_actors::stock::directory::ServerParams;
use rehearsal_actors::supervision::{ChildSpec, Supervisor};
use rehearsal_actors::topology::{Link, NodeId};
use serde_json::json;

use crate::common::cast::{acts, chain, once};
use crate::common::directories::{Bearer, Standing, addresses, bearer, directory, hubs};
use crate::common::story::{Event, play};
use crate::common::{at_ms, ms};

/// So many machines in a line, for so many milliseconds.
fn machines(count: usize, until: u64) -> (Setup, Vec<NodeId>) {
    let (mut setup, nodes) = chain((1..count).map(|_| Link::new(ms(10))));
    setup.until = Some(at_ms(until));
    (setup, nodes)
}

fn kill(setup: &mut Setup, at: u64, name: &str) {
    let index = setup.services.iter().position(|spec| spec.name == name).expect("it is there");
    let change = Change::Kill(ServiceId::at(index as u32));
    setup.changes.push(ScheduledChange { at: at_ms(at), change });
}

type Sights = Rc<RefCell<Vec<(u64, Vec<String>)>>>;

/// Looks for `add-one` at these milliseconds, and writes down the addresses it finds.
fn watcher(at: impl Into<Vec<u64>>) -> (Cast, Sights) {
    let (at, sights) = (at.into(), Sights::default());
    let seen = sights.clone();
    let cast = acts(async move |io| {
        for &at in &at {
            io.sleep_until(at_ms(at)).await;
            let found = addresses(io, "add-one").await.unwrap_or_else(|error| vec![error.to_string()]);
            seen.borrow_mut().push((at, found));
        }
        Ok(Step::Stop)
    });
    (cast, sights)
}

fn sights(seen: &Sights) -> Vec<(u64, Vec<String>)> {
    seen.take()
}

fn saw(sights: &[(u64, &[&str])]) -> Vec<(u64, Vec<String>)> {
    sights.iter().map(|(at, all)| (*at, all.iter().map(|&one| one.to_owned()).collect())).collect()
}

/// What a directory had to tell, in milliseconds.
fn told(story: &[Event], directory: &str) -> Vec<(u64, String)> {
    let mut told = Vec::new();
    for event in story {
        if let Event::Directory { at, directory: who, what } = event
            && who == directory
        {
            told.push((at.as_nanos() / 1_000_000, what.clone()));
        }
    }
    told
}

fn lines(lines: &[(u64, &str)]) -> Vec<(u64, String)> {
    lines.iter().map(|(at, line)| (*at, (*line).to_owned())).collect()
}

#[test]
fn add_one_is_found_through_two_routers_and_a_hub() {
    let (mut setup, nodes) = machines(2, 900);
    let (asker, seen) = once(async |io| {
        let fred = io.directory().wait_for("add-one").first().await?.map(|fred| fred.address);
        let (Some(fred), found) = (fred, io.now()) else { return Ok(None) };
        let reply = io.raw().request(Draft::new(fred, "ADD_ONE").contents(41)).await?;
        Ok::<_, CallError>(Some((fred.to_string(), found, reply.json::<u64>()?, io.now())))
    });
    let fred = bearer("fred", nodes[0], "add-one").on("test");
    setup.services = vec![
        directory("hub", nodes[0], ServerParams::default()).on("test"),
        directory("member", nodes[1], hubs(&["hub"])).on("test"),
        ServiceSpec { router: RouterId(1), ..fred },
        ServiceSpec { router: RouterId(1), ..ServiceSpec::new("asker", nodes[1], asker) }.on("test"),
    ];
    let (report, story) = play(setup);
    // The member greets its hub (10 ms), which answers with all it has (10 ms); fred is asked and
    // answers (20 ms). What is said on one machine takes no time.
    assert_eq!(seen.take(), Some(Ok(Some(("0:1:2".to_owned(), at_ms(20), 42, at_ms(40))))));
    assert_eq!(told(&story, "hub"), lines(&[(0, "serves test"), (0, "registered add-one at 0:1:2")]));
    assert_eq!(told(&story, "member"), lines(&[(0, "serves test"), (20, "learned 1 entry of hub")]));
    let [hub, member] = ["hub", "member"].map(|name| report.directories.by_directory[name]);
    assert_eq!(hub, DirectoryFigures { registered: 1, ..DirectoryFigures::default() });
    assert_eq!(member, DirectoryFigures { shared: 1, lookups: 1, ..DirectoryFigures::default() });
}

#[test]
fn a_provider_that_is_killed_is_gone_after_a_missed_round_and_its_next_incarnation_is_there_before() {
    for restarts in [false, true] {
        let (mut setup, nodes) = machines(2, 4_000);
        let (watcher, seen) = watcher([5, 20, 1_499, 1_505, 1_515, 2_999, 3_001]);
        let fred = if restarts {
            bearer("fred", nodes[1], "add-one")
        } else {
            ServiceSpec::new("fred", nodes[1], Cast::service(Bearer(vec!["add-one".into()])))
        };
        let known = KnownDirectory::Service(0);
        setup.services = vec![
            directory("hub", nodes[0], ServerParams::default()),
            ServiceSpec::new("watcher", nodes[0], watcher),
            fred,
        ];
        setup.routing.directories = vec![known];
        kill(&mut setup, 1_500, "fred");
        let (report, story) = play(setup);
        // The round of 2 s pings the dead connection, and that of 3 s finds that nothing came back. The
        // next incarnation registers at 1500 + 10 ms, beside the one before.
        let (both, new): (&[&str], &[&str]) =
            if restarts { (&["1:0:2", "1:0:3"], &["1:0:3"]) } else { (&["1:0:2"], &[]) };
        let old: &[&str] = &["1:0:2"];
        let expected =
            [(5, &[][..]), (20, old), (1_499, old), (1_505, old), (1_515, both), (2_999, both), (3_001, new)];
        assert_eq!(sights(&seen), saw(&expected));
        let hub = report.directories.by_directory["hub"];
        assert_eq!((hub.registered, hub.dropped, hub.lookups), (1 + u64::from(restarts), 1, 7));
        let dropped = (3_000, "dropped 1 entry at 1:0:2: it did not answer".to_owned());
        assert!(told(&story, "hub").contains(&dropped));
        assert_eq!(report.directories.directory_failovers, 0);
    }
}

#[test]
fn a_provider_that_ends_in_an_orderly_way_gives_its_entries_back() {
    let (mut setup, nodes) = machines(2, 1_000);
    let (watcher, seen) = watcher([109, 111]);
    let fred = acts(async |io| {
        io.directory().register("add-one");
        io.directory().register(Offering::of("add-one").with("base", "16"));
        io.sleep(ms(100)).await;
        Ok(Step::End)
    });
    setup.services = vec![
        directory("hub", nodes[0], ServerParams::default()),
        ServiceSpec::new("watcher", nodes[0], watcher),
        ServiceSpec::new("fred", nodes[1], fred),
    ];
    setup.routing.directories = vec![KnownDirectory::Service(0)];
    let (report, story) = play(setup);
    assert_eq!(sights(&seen), saw(&[(109, &["1:0:2", "1:0:2"]), (111, &[])]));
    assert_eq!(told(&story, "hub").last(), Some(&(110, "withdrew 2 entries at 1:0:2".to_owned())));
    assert_eq!(report.directories.by_directory["hub"].withdrawn, 2);
}

#[test]
fn a_provider_whose_directory_dies_registers_with_the_next_it_knows() {
    let (mut setup, nodes) = machines(3, 4_000);
    let (watcher, seen) = watcher([2_000, 3_144, 3_146]);
    let mortal = Supervisor {
        // Nobody restarts the first directory.
        children: (0..4).map(|child| ChildSpec { restart: temporary(child), ..ChildSpec::service(child) }).collect(),
        ..Supervisor::new("root")
    };
    setup.services = vec![
        directory("first", nodes[0], ServerParams::default()),
        directory("second", nodes[2], ServerParams::default()),
        bearer("fred", nodes[1], "add-one"),
        ServiceSpec::new("watcher", nodes[2], watcher),
    ];
    setup.supervision = Some(mortal);
    setup.routing.directories = vec![KnownDirectory::Service(0), KnownDirectory::Service(1)];
    kill(&mut setup, 1_500, "first");
    let (report, story) = play(setup);
    // The last ping came at 1010 ms. 2 1/8 heartbeats later fred asks the second: 3135 ms, and 10 ms.
    assert_eq!(sights(&seen), saw(&[(2_000, &[]), (3_144, &[]), (3_146, &["1:0:2"])]));
    let second = [(0, "serves local"), (3_145, "registered add-one at 1:0:2")];
    let second = [&second[..], &[(3_155, "took over 1:0:2 from another directory")]].concat();
    assert_eq!(told(&story, "second"), lines(&second));
    assert_eq!(report.directories.directory_failovers, 1);
    let figures = report.directories.by_directory;
    assert_eq!((figures["first"].registered, figures["second"].registered), (1, 1));
}

fn temporary(child: usize) -> rehearsal_actors::supervision::Restart {
    use rehearsal_actors::supervision::Restart;
    if child == 0 { Restart::Temporary } else { Restart::Permanent }
}

#[test]
fn a_hub_that_comes_back_is_filled_again_by_its_members_and_its_providers() {
    let (mut setup, nodes) = machines(2, 4_000);
    let (watcher, seen) = watcher([1_499, 1_501, 2_009, 2_011, 3_124, 3_126]);
    setup.services = vec![
        directory("hub", nodes[0], ServerParams::default()).on("v"),
        directory("member", nodes[1], hubs(&["a"])).on("v"),
        bearer("here", nodes[0], "add-one").on("v"),
        bearer("there", nodes[1], "add-one").on("v"),
        ServiceSpec::new("watcher", nodes[0], watcher).on("v"),
    ];
    kill(&mut setup, 1_500, "hub");
    let (report, story) = play(setup);
    // The member shares at 2 s, 10 ms away. The provider was last pinged at 1 s, and has patience for
    // 2 1/8 heartbeats. It knows no other directory than its machine's, which is the hub again.
    let (here, there) = ("0:0:3", "1:0:3");
    let expected = [
        (1_499, &[here, there][..]),
        (1_501, &[]),
        (2_009, &[]),
        (2_011, &[there]),
        (3_124, &[there]),
        (3_126, &[here, there]),
    ];
    assert_eq!(sights(&seen), saw(&expected));
    let again =
        lines(&[(1_500, "serves v"), (2_010, "learned 1 entry of member"), (3_125, "registered add-one at 0:0:3")]);
    assert_eq!(told(&story, "hub").split_off(3), again);
    assert_eq!(report.directories.directory_failovers, 0, "it is the same directory");
    assert_eq!(report.supervision.restarts_by_supervisor["root"], 1);
}

/// How many messages about directories arrive between two moments, by sender and receiver.
fn arrivals(story: &[Event], from: u64, until: u64) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for event in story {
        if let Event::Delivery { at, from: sender, to, interface: Interface::Directory, .. } = *event
            && at > at_ms(from)
            && at <= at_ms(until)
        {
            pairs.push((sender, to));
        }
    }
    pairs.sort_unstable();
    pairs
}

#[test]
fn two_hubs_that_share_with_each_other_do_not_echo() {
    let (mut setup, nodes) = machines(2, 5_000);
    setup.services = vec![
        directory("left", nodes[0], hubs(&["right"])).on("v"),
        directory("right", nodes[1], hubs(&["left"])).on("v"),
        bearer("fred", nodes[0], "add-one").on("v"),
    ];
    let late = acts(async |io| {
        io.sleep_until(at_ms(4_500)).await;
        io.directory().register("add-two");
        Ok(Step::Stop)
    });
    setup.services.push(ServiceSpec::new("late", nodes[1], late).on("v"));
    let (report, story) = play(setup);
    // In a heartbeat: each tells the other all once; one pings fred, who answers.
    assert_eq!(arrivals(&story, 3_500, 4_499), [(0, 1), (0, 2), (1, 0), (2, 0)]);
    // News: a registration and its answer, and 50 ms later one message to the other hub.
    assert_eq!(arrivals(&story, 4_499, 4_900), [(1, 0), (1, 3), (3, 1)]);
    let figures = report.directories.by_directory;
    assert_eq!((figures["left"].shared, figures["right"].shared), (1, 1));
}

#[test]
fn what_a_service_is_busy_with_does_not_keep_it_from_answering_its_directory() {
    let (mut setup, nodes) = machines(2, 20_000);
    let (watcher, seen) = watcher([19_999]);
    // Its step never ends, and its handler would answer nothing at all.
    struct Busy;
    impl Service for Busy {
        async fn start(&self, io: &ServiceIo) -> Result<(), StepError> {
            io.directory().register("add-one");
            Ok(())
        }

        async fn step(&self, io: &ServiceIo) -> StepResult {
            io.sleep(ms(100_000)).await;
            Ok(Step::Continue)
        }

        async fn message_arrived(
            &self,
            _: &ServiceIo,
            msg: rehearsal_actors::interfaces::raw::Msg,
        ) -> rehearsal_actors::interfaces::raw::HandlingResult {
            panic!("{msg} is none of its business");
        }
    }
    setup.services = vec![
        directory("hub", nodes[0], ServerParams::default()),
        ServiceSpec::new("busy", nodes[1], Cast::service(Busy)),
        ServiceSpec::new("watcher", nodes[0], watcher),
    ];
    setup.routing.directories = vec![KnownDirectory::Service(0)];
    let (report, _) = play(setup);
    assert_eq!(sights(&seen), saw(&[(19_999, &["1:0:2"])]));
    assert_eq!(report.panic_count, 0);
    assert_eq!(report.directories.by_directory["hub"].registered, 1);
}

#[test]
fn anybody_may_speak_to_a_directory_with_plain_raw_messages() {
    let (mut setup, nodes) = machines(1, 10_000);
    let (plain, seen) = once(async |io| {
        let Some(hub) = io.directory_address() else { return Ok(Vec::new()) };
        let say = async |subject: &str, contents| {
            io.raw().request(Draft::new(hub, subject).contents(contents)).await.map(|reply| reply.contents)
        };
        let register = || json!({ "service": "add-one", "params": { "base": "10" } });
        let mut said = vec![say(REGISTER_ENTRY, register()).await?, say(REGISTER_ENTRY, register()).await?];
        said.push(say(PING, json!(null)).await?);
        // Nothing but the runtime's own answer to a ping keeps it registered.
        io.sleep(ms(5_500)).await;
        said.push(say(GET_ENTRIES, json!({ "glob": "add-*", "params": { "base": "10" } })).await?);
        said.push(say(GET_ENTRIES, json!({ "service": "add-one", "params": { "base": "2" } })).await?);
        said.push(say(UNREGISTER_ADDR, json!(io.address())).await?);
        said.push(say(GET_ENTRIES, json!({})).await?);
        said.push(json!(say(GET_ENTRIES, json!({ "name": "add-one" })).await.map_err(|error| error.to_string())));
        Ok::<_, CallError>(said)
    });
    setup.services =
        vec![directory("hub", nodes[0], ServerParams::default()), ServiceSpec::new("plain", nodes[0], plain)];
    let (report, _) = play(setup);
    let word = |entries: usize| json!({ "entries": entries, "heartbeat": "1s" });
    let entry = json!([{ "service": "add-one", "address": "0:0:3", "params": { "base": "10" }, "vnets": ["local"] }]);
    let not_understood = "`0:0:2` does not understand `GET_ENTRIES`: it does not know the subject";
    let expected =
        vec![word(1), word(1), json!(null), entry, json!([]), word(0), json!([]), json!({ "Err": not_understood })];
    assert_eq!(seen.take(), Some(Ok(expected)));
    assert_eq!(report.directories.by_directory["hub"].registered, 1);
}

#[test]
fn who_waits_is_told_at_once_when_somebody_appears_or_that_nobody_did() {
    let (mut setup, nodes) = machines(2, 10_000);
    let (asker, seen) = once(async |io| {
        let appears = io.directory().wait_for("add-one").timeout(ms(5_000)).any().await;
        let when = io.now();
        let never = io.directory().wait_for(Query::named("nothing").with("a", "b")).timeout(ms(700)).await;
        (appears.map(|found| found.map(|fred| fred.address.to_string())), when, never, io.now())
    });
    let late = acts(async |io| {
        io.sleep_until(at_ms(1_234)).await;
        io.directory().register("add-one");
        Ok(Step::Stop)
    });
    setup.services = vec![
        directory("hub", nodes[0], ServerParams::default()),
        ServiceSpec::new("asker", nodes[1], asker),
        ServiceSpec::new("late", nodes[0], late),
    ];
    setup.routing.directories = vec![KnownDirectory::Service(0)];
    let (report, _) = play(setup);
    let never = CallError::TimedOut { what: "a provider of `nothing with a=b`".to_owned(), waited: ms(700) };
    // 10 ms back from the directory, where it waits.
    let expected = (Ok(Some("0:0:3".to_owned())), at_ms(1_244), Err(never), at_ms(1_244 + 700));
    assert_eq!(seen.take(), Some(expected));
    // It is asked again each 500 ms and the way there and back, and answers each time but for the last:
    // at 0, 520 and 1040 ms, then at 1244 and 1764 ms.
    assert_eq!(report.directories.by_directory["hub"].lookups, 4 + 1);
}

#[test]
fn who_knows_no_directory_is_told_so_and_who_registers_or_waits_does_so_until_there_is_one() {
    let (mut setup, nodes) = machines(1, 2_000);
    let (early, seen) = once(async |io| {
        io.directory().register("add-one");
        let first = io.directory().find("add-one").await;
        let waited = io.directory().wait_for("add-one").first().await;
        (first, waited.map(|found| found.is_some()), io.now())
    });
    // The services begin one after the other, and the one before the directory takes its time.
    struct Slow;
    impl Service for Slow {
        async fn start(&self, io: &ServiceIo) -> Result<(), StepError> {
            io.sleep(ms(450)).await;
            Ok(())
        }
    }
    setup.services = vec![
        ServiceSpec::new("early", nodes[0], early),
        ServiceSpec::new("slow", nodes[0], Cast::service(Slow)),
        directory("hub", nodes[0], ServerParams::default()),
    ];
    setup.supervision =
        Some(Supervisor { children: (0..3).map(ChildSpec::service).collect(), ..Supervisor::new("root") });
    let (_, story) = play(setup);
    let nobody = Undelivered::UnknownService("directory".to_owned()).into();
    // Who waits looks each 125 ms whether there is a directory.
    assert_eq!(seen.take(), Some((Err(nobody), Ok(true), at_ms(500))));
    assert_eq!(told(&story, "hub"), lines(&[(450, "serves local"), (450, "registered add-one at 0:0:2")]));
}
