//! Nothing leaks between vnets or past permissions: a spy tries, through everything that a service has.

use std::cell::RefCell;
use std::rc::Rc;

use rehearsal_actors::directory::{Config, Directory, Effect, Entry, Query, Share};
use rehearsal_actors::interfaces::directory::{
    GET_ENTRIES, Offering, REGISTER_ENTRY, SHARE_ENTRIES, UNREGISTER_ADDR, UNREGISTER_ENTRY,
};
use rehearsal_actors::interfaces::raw::{Defaults, Draft, Handling, HandlingResult, Msg, PING};
use rehearsal_actors::prelude::*;
use rehearsal_actors::report::Report;
use rehearsal_actors::router::{Address, KnownDirectory};
use rehearsal_actors::simulation::{Cast, ServiceSpec, Setup};
use rehearsal_actors::stock::directory::ServerParams;
use rehearsal_actors::topology::Link;
use serde_json::{Value, json};

use crate::common::cast::{acts, chain, once};
use crate::common::directories::{Standing, addresses, bearer, directory, hubs};
use crate::common::story::play_unheard;
use crate::common::{at_ms, ms};

/// Three machines with a directory each. Those at the ends serve `open` and `secret`, the one between
/// them, by which alone they share, `open` only. Of the providers on the first, a spy in `open` may
/// see `shop`.
fn scene() -> Setup {
    let (mut setup, nodes) = chain([Link::new(ms(10)), Link::new(ms(10))]);
    setup.until = Some(at_ms(6_000));
    let both = |params: ServerParams| ServerParams { vnets: ["open", "secret"].map(str::to_owned).into(), ..params };
    let open = |params: ServerParams| ServerParams { vnets: ["open".to_owned()].into(), ..params };
    setup.services = vec![
        directory("near", nodes[0], both(ServerParams::default())),
        directory("between", nodes[1], open(hubs(&["near"]))),
        directory("far", nodes[2], both(hubs(&["between"]))),
        bearer("vault", nodes[0], "vault").on("secret"),
        bearer("guarded", nodes[0], Offering::of("guarded-vault").needing("key")).on("open"),
        bearer("mine", nodes[0], "local-vault"),
        bearer("shop", nodes[0], "shop").on("open"),
        bearer("double", nodes[0], Offering::of("double")).on("open").on("secret"),
    ];
    setup.routing.directories = (0..3).map(KnownDirectory::Service).collect();
    setup
}

/// The addresses of the first machine's providers, in the order of their declaration.
const VAULT: &str = "0:0:3";
const GUARDED: &str = "0:0:4";
const SHOP: &str = "0:0:6";
const DOUBLE: &str = "0:0:7";

const DIRECTORIES: [&str; 3] = ["near", "between", "far"];

/// Runs the scene with one more service, on one of the machines.
fn with(machine: usize, standing: impl Fn(ServiceSpec) -> ServiceSpec, cast: Cast) -> Report {
    let mut setup = scene();
    let node = setup.topology.nodes().nth(machine).map(|(node, _)| node).expect("there are three");
    setup.services.push(standing(ServiceSpec::new("spy", node, cast)));
    play_unheard(setup)
}

fn in_open(spec: ServiceSpec) -> ServiceSpec {
    spec.on("open")
}

/// Says something to a directory, from a connection of its own.
async fn say(io: &ServiceIo, to: Address, subject: &str, contents: Value) -> Result<Value, CallError> {
    io.raw().open().request(Draft::new(to, subject).contents(contents)).await.map(|reply| reply.contents)
}

fn named(io: &ServiceIo, name: &str) -> Address {
    io.raw().address_of(name).expect("it is declared")
}

/// Everything that somebody can be told by looking for things, as one text.
async fn look_for_everything(io: &ServiceIo) -> String {
    let mut told = Vec::new();
    let queries = || {
        let globs = ["*", "?ault", "*vault", "v*", "*o*"].map(|glob| Query::glob(glob).expect("it is short"));
        globs.into_iter().chain(["vault", "guarded-vault", "local-vault"].map(Query::named))
    };
    for query in queries() {
        told.push(format!("{:?}", io.directory().find(query.clone()).await));
        told.push(format!("{:?}", io.directory().find(query.clone()).any().await));
        told.push(format!("{:?}", io.directory().find(query).first().await));
    }
    // A name that one asks for may be said again in the answer.
    let patient = io.directory().wait_for(Query::glob("??ult").expect("it is short")).timeout(ms(300)).await;
    told.push(format!("{patient:?}"));
    for directory in DIRECTORIES {
        for contents in [json!({}), json!({ "glob": "*" }), json!({ "service": "double" })] {
            told.push(format!("{:?}", say(io, named(io, directory), GET_ENTRIES, contents).await));
        }
        // Who one is cannot be said in a message.
        let forged = Draft::new(named(io, directory), GET_ENTRIES)
            .contents(json!({}))
            .meta("from", VAULT)
            .meta("vnets", json!(["open", "secret", "local"]))
            .meta("permissions", json!(["key"]))
            .meta("standing", json!({ "vnets": ["secret"], "permissions": ["key"] }));
        told.push(format!("{:?}", io.raw().request(forged).await.map(|reply| reply.contents)));
        for more in ["vnets", "permissions", "asker", "from"] {
            let contents = json!({ more: ["secret", "key"] });
            told.push(format!("{:?}", say(io, named(io, directory), GET_ENTRIES, contents).await));
        }
    }
    told.join("\n")
}

#[test]
fn who_looks_for_things_is_told_of_no_other_vnet_and_nothing_past_its_permissions() {
    for machine in 0..3 {
        let (spy, told) = once(async |io| {
            io.sleep_until(at_ms(2_500)).await;
            look_for_everything(io).await
        });
        with(machine, in_open, spy);
        let told = told.take().expect("it has looked");
        for secret in ["vault", VAULT, GUARDED, "0:0:5", "secret", "key", "local"] {
            assert!(!told.contains(secret), "on machine {machine}, {secret}: {told}");
        }
        assert!(told.contains(SHOP) && told.contains(DOUBLE), "it has looked in the wrong place: {told}");
    }
}

#[test]
fn those_who_may_see_things_do_wherever_their_vnet_reaches() {
    let looks = || {
        once(async |io| {
            io.sleep_until(at_ms(2_500)).await;
            addresses(io, Query::glob("*").expect("it is short")).await
        })
    };
    let all = |texts: &[&str]| Some(Ok(texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>()));
    // By name: double, guarded-vault, shop, vault.
    for (machine, sees) in [(0, &[DOUBLE, GUARDED, SHOP, VAULT][..]), (1, &[DOUBLE, GUARDED, SHOP])] {
        let (insider, seen) = looks();
        with(machine, |spec| spec.on("open").on("secret").holding("key"), insider);
        assert_eq!(seen.take(), all(sees));
    }
    // `secret` does not pass through a directory that does not serve it, though both its neighbours do.
    let (insider, seen) = looks();
    with(2, |spec| spec.on("secret").holding("key"), insider);
    assert_eq!(seen.take(), all(&[]));
}

#[test]
fn nobody_takes_back_or_registers_what_is_anothers_and_refusals_tell_nothing() {
    let (spy, told) = once(async |io| {
        io.sleep_until(at_ms(2_500)).await;
        let mut told = Vec::new();
        for directory in DIRECTORIES {
            let to = named(io, directory);
            // What is there, what is not to be seen, and what is not there at all.
            let attempts = [("shop", SHOP), ("vault", VAULT), ("guarded-vault", GUARDED), ("nothing", "0:0:77")];
            for (service, owner) in attempts {
                let contents = json!({ "service": service, "address": owner });
                for (subject, contents) in [
                    (UNREGISTER_ENTRY, contents.clone()),
                    (UNREGISTER_ADDR, json!(owner)),
                    (REGISTER_ENTRY, contents.clone()),
                ] {
                    let by = to.to_string();
                    let said =
                        say(io, to, subject, contents).await.map_err(|error| error.to_string().replace(&by, "it"));
                    told.push((subject, said));
                }
            }
            // Nor does anybody get in where he does not belong.
            let into = json!({ "service": "trap", "vnets": ["secret"] });
            assert!(matches!(say(io, to, REGISTER_ENTRY, into).await, Err(CallError::Denied { .. })));
        }
        io.directory().register(Offering::of("trap").on("secret"));
        io.directory().unregister("shop");
        (told, addresses(io, "shop").await)
    });
    let (insider, trapped) = once(async |io| {
        io.sleep_until(at_ms(5_900)).await;
        addresses(io, "trap").await
    });
    let mut setup = scene();
    let node = setup.topology.nodes().next().map(|(node, _)| node).expect("there are three");
    setup.services.push(ServiceSpec::new("spy", node, spy).on("open"));
    setup.services.push(ServiceSpec::new("insider", node, insider).on("secret"));
    let report = play_unheard(setup);
    let (told, shop) = told.take().expect("it has tried");
    for (subject, said) in told {
        let refusal = "entries of another address can be changed from that address only";
        assert_eq!(said, Err(format!("`it` does not allow `{subject}`: {refusal}")));
    }
    assert_eq!((shop, trapped.take()), (Ok(vec![SHOP.to_owned()]), Some(Ok(Vec::new()))));
    assert!(report.counters["registrations refused"] > 0);
    let withdrawn: u64 = report.directories.by_directory.values().map(|figures| figures.withdrawn).sum();
    assert_eq!(withdrawn, 0);
}

/// Does as if it were a directory that serves everything: greets the directories by plain messages, and
/// answers whatever comes from them in their own way of speaking. Keeps all that it hears.
struct Impostor {
    heard: Rc<RefCell<Vec<String>>>,
}

/// What a directory that serves `open` and `secret` would say to its hub, and that it has a trap there.
fn forged_share(home: &str) -> Value {
    let trap: Address = "2:0:99".parse().expect("it is one");
    let mut pretended =
        Directory::new(Config::new(home).serving("open").serving("secret").sharing_with(trap), SimTime::ZERO);
    let entry = Entry::new(trap, "shop").on("open").on("secret");
    pretended.register(trap, entry, SimTime::ZERO).expect("it is its own");
    let greeting = pretended.advance(SimTime::ZERO);
    let mut shares = greeting.iter().filter_map(|effect| match effect {
        Effect::Share { share, .. } => Some(json!(share)),
        _ => None,
    });
    let mut share = shares.next().expect("it greets its hub");
    let update = |vnet: &str| {
        let offer = json!({ "service": "shop", "address": trap, "params": {} });
        let news = json!({ "Snapshot": [{ "offer": offer, "permissions": [] }] });
        json!({ "home": home, "epoch": 9, "vnet": vnet, "number": 9, "age": 0, "news": news })
    };
    share["epoch"] = json!(9);
    share["updates"] = json!([update("open"), update("secret")]);
    let understood = serde_json::from_value::<Share<Address>>(share.clone());
    assert_eq!(understood.expect("any directory would understand it").updates(), 2);
    share
}

impl Service for Impostor {
    async fn step(&self, io: &ServiceIo) -> StepResult {
        for directory in DIRECTORIES {
            let to = named(io, directory);
            // So that it is pinged.
            say(io, to, PING, Value::Null).await?;
            io.raw().request(Draft::new(to, REGISTER_ENTRY).contents(json!({ "service": "bait" }))).await?;
            for home in ["impostor", "near", "far"] {
                let denied = say(io, to, SHARE_ENTRIES, forged_share(home)).await;
                assert!(matches!(denied, Err(CallError::Denied { .. })), "{denied:?}");
            }
        }
        Ok(Step::Stop)
    }

    async fn message_arrived(&self, io: &ServiceIo, msg: Msg) -> HandlingResult {
        self.heard.borrow_mut().push(format!("{} {}", msg.subject, msg.contents));
        if msg.subject == PING {
            // The answer to a directory counts as a directory's business, whatever it says.
            for subject in [SHARE_ENTRIES, REGISTER_ENTRY, GET_ENTRIES] {
                io.raw().send(msg.reply(forged_share("impostor")).subject(subject))?;
            }
        }
        Ok(Handling::Unhandled(Defaults::default()))
    }
}

#[test]
fn who_is_no_directory_is_told_nothing_and_believed_nothing_that_directories_share() {
    let heard = Rc::new(RefCell::new(Vec::new()));
    let mut setup = scene();
    let nodes: Vec<_> = setup.topology.nodes().map(|(node, _)| node).collect();
    let impostor = Impostor { heard: heard.clone() };
    setup.services.push(ServiceSpec::new("impostor", nodes[2], Cast::service(impostor)).on("open"));
    let mut sights = Vec::new();
    for (machine, node) in nodes.iter().enumerate() {
        let (insider, seen) = once(async |io| {
            io.sleep_until(at_ms(5_900)).await;
            addresses(io, "shop").await
        });
        setup.services.push(ServiceSpec::new(format!("insider-{machine}"), *node, insider).on("open").on("secret"));
        sights.push(seen);
    }
    let report = play_unheard(setup);
    for seen in sights {
        assert_eq!(seen.take(), Some(Ok(vec![SHOP.to_owned()])));
    }
    let heard = heard.take();
    assert!(heard.iter().all(|heard| heard.starts_with("PING {\"entries\":1,")), "{heard:?}");
    assert!(heard.len() >= 3 * 4, "it was pinged by all three: {heard:?}");
    assert_eq!(report.directories.by_directory["near"].dropped, 0);
}

#[test]
fn a_forged_ping_does_not_make_a_provider_leave_its_directory() {
    let (spy, seen) = once(async |io| {
        io.sleep_until(at_ms(1_500)).await;
        let shop: Address = SHOP.parse().expect("it is one");
        for _ in 0..3 {
            let forged = Draft::new(shop, PING).contents(json!({ "entries": 0, "heartbeat": "1ms" }));
            io.raw().request(forged).await?;
        }
        io.sleep_until(at_ms(5_900)).await;
        addresses(io, "shop").await
    });
    let report = with(1, in_open, spy);
    assert_eq!(seen.take(), Some(Ok(vec![SHOP.to_owned()])));
    assert_eq!(report.directories.directory_failovers, 0);
    assert_eq!(report.directories.by_directory["near"].registered, 5, "each provider once");
}

#[test]
fn who_waits_is_not_told_of_what_appears_elsewhere() {
    let mut setup = scene();
    let node = setup.topology.nodes().next().map(|(node, _)| node).expect("there are three");
    let waits = |vnet: &str| {
        let (cast, seen) = once(async |io| {
            let found = io.directory().wait_for("late").timeout(ms(3_000)).await;
            found.map(|found| found.len()).map_err(|_| io.now())
        });
        (ServiceSpec::new(format!("waits in {vnet}"), node, cast).on(vnet), seen)
    };
    let [(outsider, outside), (insider, inside)] = ["open", "secret"].map(waits);
    let late = acts(async |io| {
        io.sleep_until(at_ms(1_000)).await;
        io.directory().register("late");
        Ok(Step::Stop)
    });
    setup.services.extend([outsider, insider, ServiceSpec::new("late", node, late).on("secret")]);
    play_unheard(setup);
    assert_eq!((outside.take(), inside.take()), (Some(Err(at_ms(3_000))), Some(Ok(1))));
}
