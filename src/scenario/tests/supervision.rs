//! Who restarts whom, and who is killed.

use rehearsal_actors::supervision::{
    Backoff, Child, ChildSpec, Intensity, Queued, Restart, Shutdown, Strategy, Supervisor,
};
use rehearsal_actors::trace::ServiceId;

use super::*;

/// The row with the services x, y and z.
fn staffed(rest: &str) -> String {
    let service = |name| format!("(name: \"{name}\", actor: \"echo\"),");
    row(&format!("services: [{}], {rest}", ["x", "y", "z"].map(service).concat()))
}

fn supervised(scenario: &Scenario) -> Supervisor {
    scenario.plan.supervision.clone().expect("a tree is declared")
}

fn chance(p: f64) -> Probability {
    Probability::new(p).expect("it is a chance")
}

#[test]
fn a_tree_has_what_is_written_or_otps_defaults() {
    assert_eq!(read(&staffed("")).plan.supervision, None);
    let scenario = read(&staffed(
        r#"supervision: Supervisor(
            name: "root",
            strategy: RestForOne,
            restarts: 3, period: "7s",
            backoff: (first: "100ms", most: "10s", jitter: 0.1),
            children: [
                Supervisor(name: "below", restart: Temporary, shutdown: "1min", children: ["z"]),
                (service: "x", restart: Transient, shutdown: Kill, queued: Keep, fallback: ["c", "a"]),
            ],
        ),"#,
    ));
    let below = Supervisor { children: vec![ChildSpec::service(2)], ..Supervisor::new("below") };
    let expected = Supervisor {
        name: "root".to_owned(),
        strategy: Strategy::RestForOne,
        intensity: Intensity { restarts: 3, period: SimDuration::from_secs(7) },
        backoff: Some(Backoff {
            first: SimDuration::from_millis(100),
            most: SimDuration::from_secs(10),
            jitter: chance(0.1),
        }),
        await_starts: true,
        children: vec![
            ChildSpec {
                restart: Restart::Temporary,
                shutdown: Shutdown::Grace(SimDuration::from_secs(60)),
                ..ChildSpec::supervisor(below)
            },
            ChildSpec {
                child: Child::Service(0),
                restart: Restart::Transient,
                shutdown: Shutdown::Kill,
                queued: Queued::Keep,
                fallback: vec![node(&scenario, "c"), node(&scenario, "a")],
            },
            // Nobody named y: it is the root's last child.
            ChildSpec::service(1),
        ],
    };
    assert_eq!(supervised(&scenario), expected);
    assert_eq!(
        supervised(&scenario).children[2],
        ChildSpec {
            child: Child::Service(1),
            restart: Restart::Permanent,
            shutdown: Shutdown::Grace(SimDuration::from_secs(5)),
            queued: Queued::Return,
            fallback: Vec::new(),
        }
    );
}

#[test]
fn a_supervisor_may_be_without_children_and_the_root_gets_everyone_in_order() {
    let root = supervised(&read(&staffed(r#"supervision: Supervisor(name: "root"),"#)));
    let expected = Supervisor { children: (0..3).map(ChildSpec::service).collect(), ..Supervisor::new("root") };
    assert_eq!(root, expected);
    let root = supervised(&read(&row(r#"supervision: Supervisor(name: "root", children: []),"#)));
    assert_eq!(root, Supervisor::new("root"));
}

#[test]
fn sixteen_supervisors_may_lie_in_each_other_and_no_more() {
    let nested = |depth: usize| {
        let open: String = (0..depth).map(|at| format!("Supervisor(name: \"s{at}\", children: [")).collect();
        row(&format!("supervision: {open}{},", "])".repeat(depth)))
    };
    assert_eq!(supervised(&read(&nested(16))).all().len(), 16);
    assert_eq!(refuse(&nested(17)), ["supervisors lie too deep in each other"]);
}

#[test]
fn nodes_crash_and_restart_and_whoever_has_a_name_can_be_killed() {
    let scenario = read(&staffed(
        r#"supervision: Supervisor(name: "root", children: [Supervisor(name: "below")]),
        faults: [
            (at: "1s", change: NodeCrash("b")),
            (at: "2s", change: NodeRestart("b")),
            (at: "3s", change: Kill("y")),
            (at: "4s", change: Kill("below")),
        ],
        policies: [
            Kill(every: "5s", chance: 0.1, services: ["z", "x"]),
            Kill(every: "1s", chance: 0.5),
        ],"#,
    ));
    let b = node(&scenario, "b");
    assert_eq!(
        scenario.plan.changes,
        [
            at(1, Change::NodeCrash(b)),
            at(2, Change::NodeRestart(b)),
            at(3, Change::Kill(ServiceId::at(1))),
            at(4, Change::KillSupervisor("below".to_owned())),
        ]
    );
    let kill = |every, p, services: &[u32]| Policy::Kill {
        every: SimDuration::from_secs(every),
        chance: chance(p),
        services: services.iter().map(|&position| ServiceId::at(position)).collect(),
    };
    assert_eq!(scenario.declared.policies, [kill(5, 0.1, &[2, 0]), kill(1, 0.5, &[0, 1, 2])]);
}
