//! A supervisor's own panic, which nothing that a service does can bring about.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use actix::AsyncContext;

use super::SupervisorActor;
use crate::context::ServiceContext;
use crate::report::{Ending, Report, RestartCause};
use crate::service::{Service, ServiceIo, StepError};
use crate::simulation::{Cast, ServiceSpec, Setup, run};
use crate::supervision::{ChildSpec, Supervisor};
use crate::topology::{Node, Topology};
use crate::units::{SimDuration, SimTime};

const AT: SimDuration = SimDuration::from_millis(20);

/// A supervisor that is called fragile panics once, 20 ms after the start of the run.
pub(super) fn shake(name: String, ctx: &mut ServiceContext<SupervisorActor>) {
    if name.ends_with("fragile") && ctx.now() == SimTime::ZERO {
        ctx.run_later(AT.into(), |_, _| panic!("a supervisor that panics"));
    }
}

type Diary = Rc<RefCell<Vec<(&'static str, SimTime)>>>;

struct Noted(&'static str, Diary);

impl Service for Noted {
    async fn start(&self, io: &ServiceIo) -> Result<(), StepError> {
        self.1.borrow_mut().push((self.0, io.now()));
        Ok(())
    }
}

/// `a` and `b` under `below`, which is under `above`; and `c` under `above` itself.
fn play(above: &str, below: &str) -> (Report, Diary) {
    let mut topology = Topology::new();
    let node = topology.add_node(Node::new("node")).expect("it is the first");
    let mut setup = Setup::new(1, topology);
    let diary = Diary::default();
    for name in ["a", "b", "c"] {
        let diary = diary.clone();
        setup.services.push(ServiceSpec::restartable(name, node, move || Cast::service(Noted(name, diary.clone()))));
    }
    let [a, b, c] = [0, 1, 2].map(ChildSpec::service);
    let below = Supervisor { children: vec![a, b], ..Supervisor::new(below) };
    setup.supervision = Some(Supervisor { children: vec![ChildSpec::supervisor(below), c], ..Supervisor::new(above) });
    (run(setup, None, Arc::default()).expect("the setup is sound"), diary)
}

#[test]
fn a_supervisor_that_panics_is_restarted_by_its_own_with_all_its_children() {
    let (report, diary) = play("root", "fragile");
    assert_eq!(report.ending, Ending::Quiescent);
    let then = SimTime::ZERO + AT;
    assert_eq!(diary.borrow()[3..], [("a", then), ("b", then)], "c knows nothing of it");
    assert_eq!(report.panics.iter().map(|p| p.message.as_str()).collect::<Vec<_>>(), ["a supervisor that panics"]);
    let restarts = &report.supervision.restarts;
    assert_eq!(restarts.get(&("fragile".to_owned(), RestartCause::Panic)), Some(&1), "{restarts:?}");
    assert_eq!(
        report.services.iter().map(|s| (s.running, s.incarnation)).collect::<Vec<_>>(),
        [(true, 2), (true, 2), (true, 1)]
    );
}

#[test]
fn over_the_root_s_own_panic_there_is_nobody_and_the_run_ends() {
    let (report, _) = play("fragile", "inner");
    let at = SimTime::ZERO + AT;
    assert_eq!(report.ending, Ending::GaveUp { supervisor: "fragile".to_owned(), at });
    assert!(!report.ended_well());
}
