//! RPC through directories and by address: who is called, who is called instead, and when.
//!
//! The caller and the directory stand on one machine, so that lookups take no time; providers are 10 ms
//! away, so that a call and its answer take 20 ms.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::future::join_all;
use serde::Serialize;

use rehearsal_actors::changes::{Change, ScheduledChange};
use rehearsal_actors::interfaces::Declined;
use rehearsal_actors::interfaces::rpc::{Providers, RpcReply, Spread};
use rehearsal_actors::outcome::{Interface, OutcomeKind, Undelivered};
use rehearsal_actors::prelude::*;
use rehearsal_actors::report::Report;
use rehearsal_actors::router::{Address, KnownDirectory};
use rehearsal_actors::simulation::{Cast, ServiceSpec, Setup};
use rehearsal_actors::stock::directory::ServerParams;
use rehearsal_actors::topology::{Link, NodeId};

use crate::common::cast::{chain, once};
use crate::common::directories::directory;
use crate::common::story::play;
use crate::common::{at_ms, ms};

#[derive(Debug, Serialize, thiserror::Error)]
#[error("out of order")]
struct Broken;

/// What a provider does when it is asked.
#[derive(Clone, Copy, PartialEq)]
enum Conduct {
    /// Says who it is, after so many milliseconds.
    Answers {
        after: u64,
    },
    Nacks,
    Fails,
}

use Conduct::{Answers, Fails, Nacks};

const AT_ONCE: Conduct = Answers { after: 0 };
const NEVER: Conduct = Answers { after: 3_600_000 };

struct Quoter {
    conduct: Conduct,
    /// When its start is over, in milliseconds.
    starts: u64,
}

impl Quoter {
    async fn quote(self: Rc<Self>, io: ServiceIo, (): ()) -> Result<String, Failure> {
        match self.conduct {
            Nacks => Err(Failure::nack("not now")),
            Fails => Err(Broken.into()),
            Answers { after } => {
                if after > 0 {
                    io.sleep(ms(after)).await;
                }
                Ok(io.name())
            }
        }
    }
}

impl Service for Quoter {
    async fn start(&self, io: &ServiceIo) -> Result<(), StepError> {
        io.sleep_until(at_ms(self.starts)).await;
        Ok(())
    }

    fn interfaces(interfaces: &mut Interfaces<Self>) {
        interfaces.interface("quotes", "1.0").rpc("quote", "", Quoter::quote).raises::<Broken>("Broken");
    }
}

/// A directory, and a provider of each conduct: `q0`, `q1` and so on, at 1:0:2, 1:0:3 and so on.
fn quoters(conducts: &[Conduct]) -> (Setup, Vec<NodeId>) {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    setup.until = Some(at_ms(3_000));
    setup.services.push(directory("directory", nodes[0], ServerParams::default()));
    setup.routing.directories.push(KnownDirectory::Service(0));
    for (number, &conduct) in conducts.iter().enumerate() {
        let make = move || Cast::service(Quoter { conduct, starts: 0 });
        setup.services.push(ServiceSpec::new(format!("q{number}"), nodes[1], make()).providing());
    }
    (setup, nodes)
}

fn kill(setup: &mut Setup, at: u64, service: u32) {
    setup.changes.push(ScheduledChange { at: at_ms(at), change: Change::Kill(ServiceId::at(service)) });
}

/// How a call ended, and after how many milliseconds.
type Told = (Result<String, CallError>, u64);

fn told(reply: RpcReply<String>) -> Told {
    (reply.result, reply.elapsed.as_nanos() / 1_000_000)
}

fn by(name: &str) -> Result<String, CallError> {
    Ok(name.to_owned())
}

async fn quote(quotes: &Providers) -> Told {
    told(quotes.call("quote", ()).reply().await)
}

/// Runs a caller, from 100 ms on, when all providers have long been registered.
fn calls<T: 'static>(mut setup: Setup, act: impl AsyncFn(&ServiceIo) -> T + 'static) -> (T, Report) {
    let (caller, result) = once(async move |io: &ServiceIo| {
        io.sleep_until(at_ms(100)).await;
        act(io).await
    });
    let node = setup.services[0].node;
    setup.services.push(ServiceSpec::new("caller", node, caller));
    let (report, _) = play(setup);
    let result = result.take().expect("the caller has come to its end");
    (result, report)
}

fn count(report: &Report, kind: OutcomeKind) -> u64 {
    report.outcomes.get(&(Interface::Rpc, kind)).copied().unwrap_or_default()
}

#[test]
fn when_a_provider_dies_its_calls_go_elsewhere_and_it_is_not_called_again() {
    let (mut setup, _) = quoters(&[AT_ONCE, AT_ONCE]);
    kill(&mut setup, 150, 1);
    let (told, report) = calls(setup, async |io| {
        let quotes = io.rpc().interface("quotes").spread(Spread::RoundRobin);
        let mut told = Vec::new();
        for at in [100, 200, 300, 400] {
            io.sleep_until(at_ms(at)).await;
            told.push(quote(&quotes).await);
        }
        told
    });
    // At 300 it is the turn of q0, whose router says at 320 that it is gone. The directory, asked again,
    // has not noticed yet, but the caller knows: q1 answers at 340, and at 420 without a detour.
    assert_eq!(told, [(by("q0"), 20), (by("q1"), 20), (by("q1"), 40), (by("q1"), 20)]);
    assert_eq!((count(&report, OutcomeKind::Undelivered), count(&report, OutcomeKind::Reply)), (1, 4));
    assert_eq!(report.directories.provider_failovers, 1);
    // At the first call, and when the list had been dropped.
    assert_eq!(report.directories.by_directory["directory"].lookups, 2);
}

/// A call to a provider of such conduct first and then, if there is a retry, to one that answers.
fn first_to(conduct: Conduct, killed_at: Option<u64>, idempotent: bool) -> (Told, u64) {
    let (mut setup, _) = quoters(&[conduct, AT_ONCE]);
    if let Some(at) = killed_at {
        kill(&mut setup, at, 1);
    }
    let (told, report) = calls(setup, async move |io| {
        let quotes = io.rpc().interface("quotes").spread(Spread::RoundRobin);
        let call = quotes.call("quote", ()).timeout(ms(200));
        told(if idempotent { call.idempotent() } else { call }.reply().await)
    });
    (told, report.directories.provider_failovers)
}

#[test]
fn another_provider_is_called_only_after_what_did_not_happen_or_may_happen_twice() {
    let safe = |conduct, killed_at, then| {
        for idempotent in [false, true] {
            assert_eq!(first_to(conduct, killed_at, idempotent), ((by("q1"), then), 1));
        }
    };
    safe(Nacks, None, 40);
    // Gone before the call arrives.
    safe(AT_ONCE, Some(105), 40);

    let unsafe_ = |conduct, killed_at, waited, then| {
        let ((result, elapsed), failovers) = first_to(conduct, killed_at, false);
        assert_eq!((elapsed, failovers), (waited, 0));
        // Twice is no harm: q1 is called.
        assert_eq!(first_to(conduct, killed_at, true), ((by("q1"), then), 1));
        result
    };
    assert!(matches!(unsafe_(Fails, None, 20, 40), Err(CallError::Remote(error)) if error.type_name == "Broken"));
    // There all the time is one provider's; here half of it, and the other's 20 ms.
    let timed_out = unsafe_(NEVER, None, 200, 100 + 20);
    assert!(matches!(timed_out, Err(CallError::TimedOut { .. })), "{timed_out:?}");
    // Killed at 150, told at 160, which is 60 after the call.
    assert_eq!(unsafe_(NEVER, Some(150), 60, 80), Err(CallError::Interrupted { by: "q0".to_owned() }));
}

#[test]
fn so_many_are_tried_and_the_last_one_s_answer_is_told() {
    for (attempts, tried) in [(1, 1), (3, 3), (9, 4)] {
        let (setup, _) = quoters(&[Nacks; 4]);
        let ((result, elapsed), report) = calls(setup, async move |io| {
            quote(&io.rpc().interface("quotes").spread(Spread::RoundRobin).attempts(attempts)).await
        });
        let last = format!("1:0:{}", 1 + tried);
        let (what, reason) = ("quotes.quote".to_owned(), "not now".to_owned());
        let nack = CallError::Nack(Box::new(Declined { by: last, what, reason }));
        assert_eq!((result, elapsed), (Err(nack), 20 * tried));
        assert_eq!((count(&report, OutcomeKind::Nack), report.directories.provider_failovers), (tried, tried - 1));
    }
}

#[test]
fn the_total_stays_within_the_timeout() {
    // The nack is there after 20 ms; of 50 that leaves 30 for the second.
    let (setup, _) = quoters(&[Nacks, NEVER]);
    let ((result, elapsed), _) =
        calls(setup, async |io| quote(&io.rpc().interface("quotes").spread(Spread::RoundRobin).timeout(ms(50))).await);
    assert!(matches!(result, Err(CallError::TimedOut { waited, .. }) if waited == ms(30)), "{result:?}");
    assert_eq!(elapsed, 50);
}

#[test]
fn the_least_outstanding_is_the_one_that_is_idle() {
    let (setup, _) = quoters(&[Answers { after: 500 }, AT_ONCE]);
    let (told, _) = calls(setup, async |io| {
        let quotes = io.rpc().interface("quotes").spread(Spread::LeastOutstanding);
        let slow = quotes.call::<String, _>("quote", ()).defer();
        io.sleep(ms(1)).await;
        let quick = [quote(&quotes).await, quote(&quotes).await, quote(&quotes).await];
        (quick, told(slow.reply().await), quote(&quotes).await.0)
    });
    // When both are idle again, q0 is next in turn.
    assert_eq!(told, ([(by("q1"), 20), (by("q1"), 20), (by("q1"), 20)], (by("q0"), 520), by("q0")));
}

#[test]
fn a_list_is_kept_for_its_time_and_who_has_come_since_is_called_after_it() {
    let (mut setup, nodes) = quoters(&[AT_ONCE]);
    let late = Quoter { conduct: AT_ONCE, starts: 200 };
    setup.services.push(ServiceSpec::new("late", nodes[1], Cast::service(late)).providing());
    let (names, report) = calls(setup, async |io| {
        let quotes = io.rpc().interface("quotes").with("version", "1.0").spread(Spread::RoundRobin).kept_for(ms(500));
        let mut names = Vec::new();
        // Looked up at 100, and again at 600.
        for at in [100, 300, 599, 600, 650] {
            io.sleep_until(at_ms(at)).await;
            names.push(quote(&quotes).await.0.unwrap_or_default());
        }
        let other = quote(&io.rpc().interface("quotes").with("version", "2.0")).await.0;
        assert!(matches!(other, Err(CallError::Undelivered(Undelivered::NoProvider { .. }))), "{other:?}");
        names
    });
    assert_eq!(names, ["q0", "q0", "q0", "late", "q0"]);
    assert_eq!(report.directories.by_directory["directory"].lookups, 2 + 1);
}

#[test]
fn when_no_directory_answers_the_old_list_is_used_on() {
    let (mut setup, _) = quoters(&[AT_ONCE]);
    setup.services[0].recast = None;
    kill(&mut setup, 150, 0);
    let (told, report) = calls(setup, async |io| {
        let quotes = io.rpc().interface("quotes").kept_for(ms(100));
        let mut told = Vec::new();
        for at in [100, 300, 350, 500] {
            io.sleep_until(at_ms(at)).await;
            told.push(quote(&quotes).await);
        }
        told
    });
    // At 300 the directory's router, on this very machine, says at once that it is gone.
    assert_eq!(told, vec![(by("q0"), 20); 4]);
    // Asked at 100, 300 and 500, and answered once.
    assert_eq!(report.directories.by_directory["directory"].lookups, 1);
}

#[test]
fn where_nobody_is_found_the_call_is_undelivered_and_says_why() {
    let nobody = |reason: &str| {
        let (service, reason) = ("quotes".to_owned(), reason.to_owned());
        Err(CallError::Undelivered(Undelivered::NoProvider { service, reason }))
    };
    let ask = async |io: &ServiceIo| quote(&io.rpc().interface("quotes")).await;
    let (setup, _) = quoters(&[]);
    let (told, report) = calls(setup, ask);
    assert_eq!(told, (nobody("the directory knows of nobody"), 0));
    assert_eq!(count(&report, OutcomeKind::Undelivered), 1);

    let (mut setup, nodes) = chain([]);
    setup.services.push(ServiceSpec::new("quoter", nodes[0], Cast::service(Quoter { conduct: AT_ONCE, starts: 0 })));
    assert_eq!(calls(setup, ask).0, (nobody("no service named `directory`"), 0));
}

#[test]
fn calls_at_the_same_time_share_one_lookup_and_go_to_everybody() {
    let (setup, _) = quoters(&[AT_ONCE, AT_ONCE]);
    let (names, report) = calls(setup, async |io| {
        let quotes = io.rpc().interface("quotes");
        let inline = join_all((0..20).map(|_| quote(&quotes))).await;
        let deferred: Vec<_> = (0..20).map(|_| quotes.call::<String, _>("quote", ()).defer()).collect();
        let inline = inline.into_iter().map(|(name, _)| name);
        inline.chain(join_all(deferred).await).collect::<Result<Vec<_>, _>>()
    });
    let names = names.unwrap_or_default();
    // 20 of 40 expected of each; fewer than 5 has a chance below 1e-6.
    for name in ["q0", "q1"] {
        assert!(names.iter().filter(|called| *called == name).count() >= 5, "{names:?}");
    }
    assert_eq!(report.directories.by_directory["directory"].lookups, 1);
    assert_eq!(count(&report, OutcomeKind::Reply), 40);
}

#[test]
fn an_address_is_that_of_one_incarnation_and_the_router_there_says_that_it_is_gone() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    let make = || Cast::service(Quoter { conduct: AT_ONCE, starts: 0 });
    setup.services.push(ServiceSpec::restartable("q", nodes[1], make));
    kill(&mut setup, 205, 0);
    let (caller, told_all) = once(async |io: &ServiceIo| {
        let old: Address = "1:0:2".parse().expect("it is an address");
        let ask = async |at: u64, address: Address| {
            io.sleep_until(at_ms(at)).await;
            told(io.rpc().proxy(address).call("quote", ()).reply().await)
        };
        let living = ask(100, old).await;
        // It dies while the call is on its way, and is there again as another one.
        let dying = ask(200, old).await;
        let stale = ask(300, old).await;
        let anew = ask(400, "1:0:3".parse().expect("it is an address")).await;
        let nowhere = ask(500, "9:0:2".parse().expect("it is an address")).await;
        [living, dying, stale, anew, nowhere]
    });
    setup.services.push(ServiceSpec::new("caller", nodes[0], caller));
    let (report, _) = play(setup);
    let unknown = |address: &str| {
        let address = address.to_owned();
        Err(CallError::Undelivered(Undelivered::UnknownAddress { address }))
    };
    let gone = Err(CallError::Undelivered(Undelivered::ConnectionGone { to: "q".to_owned() }));
    let expected = [(by("q"), 20), (gone, 20), (unknown("1:0:2"), 20), (by("q"), 20), (unknown("9:0:2"), 0)];
    assert_eq!(told_all.take(), Some(expected));
    assert_eq!((count(&report, OutcomeKind::Undelivered), count(&report, OutcomeKind::Reply)), (3, 2));
}

#[test]
fn headers_go_along_with_every_attempt() {
    let (mut setup, nodes) = quoters(&[Nacks]);
    let traces = Rc::new(RefCell::new(Vec::new()));
    struct Witness(Rc<RefCell<Vec<String>>>);
    impl Witness {
        async fn quote(self: Rc<Self>, io: ServiceIo, (): ()) -> Result<String, Failure> {
            let call = io.call().ok_or_else(|| Failure::nack("not called"))?;
            self.0.borrow_mut().push(call.headers().get("colour").unwrap_or_default().to_owned());
            Ok(io.name())
        }
    }
    impl Service for Witness {
        fn interfaces(interfaces: &mut Interfaces<Self>) {
            interfaces.interface("quotes", "1.0").rpc("quote", "", Witness::quote);
        }
    }
    let witness = Cast::service(Witness(traces.clone()));
    setup.services.push(ServiceSpec::new("witness", nodes[1], witness).providing());
    let (reply, _) = calls(setup, async |io| {
        let quotes = io.rpc().interface("quotes").spread(Spread::RoundRobin);
        quotes.call::<String, _>("quote", ()).header("colour", "blue").reply().await.result
    });
    assert_eq!((reply, traces.take()), (by("witness"), vec!["blue".to_owned()]));
}
