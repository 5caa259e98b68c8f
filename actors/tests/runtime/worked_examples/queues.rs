//! The queues of links, and what faults do to them.

use std::cell::RefCell;
use std::rc::Rc;

use actix::{Actor, AsyncContext, Handler};

use rehearsal_actors::changes::{Change, ScheduledChange};
use rehearsal_actors::prelude::*;
use rehearsal_actors::simulation::{Cast, LinkModel, Ordering, Setup};
use rehearsal_actors::topology::{Link, LinkId, Node, NodeId, Topology};
use rehearsal_actors::trace::LossCause;
use rehearsal_actors::units::Bandwidth;

use crate::common::cast::{chain, enters, once};
use crate::common::story::{Event, play};
use crate::common::{at_ms, ms};

/// 8 Mbit/s: a byte takes a microsecond, 1,000 bytes a millisecond.
fn slow_link(latency: SimDuration) -> Link {
    let bandwidth = Bandwidth::bits_per_second(8_000_000).expect("not zero");
    Link { bandwidth, ..Link::new(latency) }
}

fn fault(at: u64, change: Change) -> ScheduledChange {
    ScheduledChange { at: at_ms(at), change }
}

fn link_between(setup: &Setup, from: NodeId, to: NodeId) -> LinkId {
    setup.topology.link_between(from, to).expect("they are joined")
}

/// Which message arrived when.
type Heard = Rc<RefCell<Vec<(u8, SimTime)>>>;

struct Listener(Heard);

impl Actor for Listener {
    type Context = ServiceContext<Self>;
}

impl Networked for Listener {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<u8>();
    }
}

impl Handler<Delivery<u8>> for Listener {
    type Result = ();

    fn handle(&mut self, number: Delivery<u8>, ctx: &mut ServiceContext<Self>) {
        self.0.borrow_mut().push((number.body, ctx.now()));
    }
}

fn listener() -> (Cast, Heard) {
    let heard = Heard::default();
    (Cast::actor(Listener(Rc::clone(&heard))), heard)
}

/// Sends numbered messages: when, in milliseconds, to whom, and how large.
struct Talker(Vec<(u64, &'static str, u64)>);

impl Actor for Talker {
    type Context = ServiceContext<Self>;

    fn started(&mut self, ctx: &mut ServiceContext<Self>) {
        for (number, (at, to, bytes)) in self.0.iter().copied().enumerate() {
            ctx.run_later(ms(at).into(), move |_, ctx| {
                let to = ctx.find(to).expect("it is in the cast");
                // A failure at once is in the report.
                let _ = ctx.send_sized(to, number as u8, Bytes(bytes));
            });
        }
    }
}

impl Networked for Talker {
    fn accepts(_: &mut Accepts<Self>) {}
}

/// Two nodes with a slow link of 10 ms between them; what is heard of the messages that are sent.
fn heard_over_a_queue(
    messages: &[(u64, u64)],
    faults: impl FnOnce(&Setup, &[NodeId]) -> Vec<ScheduledChange>,
) -> (Vec<(u8, SimTime)>, Vec<Event>) {
    let (mut setup, nodes) = chain([slow_link(ms(10))]);
    setup.model = LinkModel::Queued;
    setup.changes = faults(&setup, &nodes);
    let (cast, heard) = listener();
    let messages = messages.iter().map(|(at, bytes)| (*at, "listener", *bytes)).collect();
    enters(&mut setup, "talker", nodes[0], Cast::actor(Talker(messages)));
    enters(&mut setup, "listener", nodes[1], cast);
    let (_, events) = play(setup);
    (heard.take(), events)
}

#[test]
fn a_queued_link_sends_one_message_after_the_other() {
    // Each takes 4 ms to send: the second waits 4 ms, the third 7.
    let (heard, _) = heard_over_a_queue(&[(0, 4000), (0, 4000), (1, 4000), (100, 4000)], |_, _| vec![]);
    assert_eq!(heard, [(0, at_ms(14)), (1, at_ms(18)), (2, at_ms(22)), (3, at_ms(114))]);
}

#[test]
fn what_finds_no_room_in_a_queue_is_dropped_and_traced() {
    let (mut setup, nodes) = chain([Link { queue_limit: Bytes(5000), ..slow_link(ms(10)) }]);
    setup.model = LinkModel::Queued;
    let (cast, heard) = listener();
    // The first is being sent, 5,000 bytes wait; there is room again when the second begins at 4 ms.
    let messages = [(0, 4000), (0, 3000), (0, 2000), (3, 1), (4, 3000)];
    let messages = messages.map(|(at, bytes)| (at, "listener", bytes)).to_vec();
    enters(&mut setup, "talker", nodes[0], Cast::actor(Talker(messages)));
    enters(&mut setup, "listener", nodes[1], cast);
    let (report, events) = play(setup);
    assert_eq!(heard.take(), [(0, at_ms(14)), (1, at_ms(17)), (2, at_ms(19)), (4, at_ms(22))]);
    assert_eq!(report.traffic.lost, 1);
    let full = |event: &Event| match event {
        Event::Lost { at, bytes, cause: LossCause::QueueFull, .. } => Some((*at, *bytes)),
        _ => None,
    };
    assert_eq!(events.iter().filter_map(full).collect::<Vec<_>>(), [(at_ms(3), 1)]);
}

#[test]
fn a_link_that_was_down_comes_back_with_an_empty_queue() {
    // 100 ms of traffic are queued when the link goes down, and lost with it.
    let (heard, events) = heard_over_a_queue(&[(0, 50_000), (0, 50_000), (20, 1000)], |setup, nodes| {
        let link = link_between(setup, nodes[0], nodes[1]);
        vec![fault(5, Change::LinkDown(link)), fault(10, Change::LinkUp(link))]
    });
    let lost = events.iter().filter(|event| matches!(event, Event::Lost { cause: LossCause::Cut, .. }));
    assert_eq!(lost.map(Event::at).collect::<Vec<_>>(), [at_ms(5), at_ms(5)]);
    assert_eq!(heard, [(2, at_ms(31))], "20, 1 to send, 10 on its way");
}

#[test]
fn a_queue_is_lost_with_the_node_that_holds_it() {
    // The second message waits on `a` for the first, which takes 20 ms to send, when `a` goes down.
    let (heard, events) =
        heard_over_a_queue(&[(0, 20_000), (0, 20_000)], |_, nodes| vec![fault(5, Change::NodeDown(nodes[0]))]);
    let lost = events.iter().filter(|event| matches!(event, Event::Lost { cause: LossCause::Cut, .. }));
    assert_eq!(lost.count(), 1, "{heard:?}");
    assert_eq!(heard, [(0, at_ms(30))], "what has left its node goes on");
}

#[test]
fn a_queue_that_was_lost_with_its_node_delays_nobody_afterwards() {
    let (heard, _) = heard_over_a_queue(&[(0, 50_000), (0, 50_000), (20, 1000)], |_, nodes| {
        vec![fault(5, Change::NodeDown(nodes[1])), fault(10, Change::NodeUp(nodes[1]))]
    });
    assert_eq!(heard, [(2, at_ms(31))]);
}

#[test]
fn a_message_is_not_held_back_behind_one_that_was_lost() {
    for model in [LinkModel::RouteCost, LinkModel::Queued] {
        let (mut setup, nodes) = chain([Link::new(ms(100))]);
        setup.model = model;
        let link = link_between(&setup, nodes[0], nodes[1]);
        setup.changes = vec![
            fault(10, Change::LinkDown(link)),
            fault(20, Change::LinkUp(link)),
            fault(20, Change::Latency(link, ms(5))),
        ];
        let (cast, heard) = listener();
        enters(&mut setup, "talker", nodes[0], Cast::actor(Talker(vec![(0, "listener", 0), (30, "listener", 0)])));
        enters(&mut setup, "listener", nodes[1], cast);
        play(setup);
        assert_eq!(heard.take(), [(1, at_ms(35))], "{model:?}");
    }
}

#[test]
fn a_fault_at_the_start_comes_before_everything_that_is_sent_at_the_start() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    setup.changes = vec![fault(0, Change::NodeDown(nodes[1]))];
    let (cast, _) = listener();
    enters(&mut setup, "listener", nodes[1], cast);
    let (caller, sent) = once(async |io| (io.mpi().send("listener", 1u8).await.map(|_| ()), io.now()));
    enters(&mut setup, "caller", nodes[0], caller);
    play(setup);
    let no_route = Undelivered::NoRoute { to: "listener".to_owned() };
    assert_eq!(sent.take(), Some((Err(no_route.into()), at_ms(0))));
}

/// Passes each message on to everyone in its list.
struct Relay(&'static [&'static str]);

impl Actor for Relay {
    type Context = ServiceContext<Self>;
}

impl Networked for Relay {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<u8>();
    }
}

impl Handler<Delivery<u8>> for Relay {
    type Result = ();

    fn handle(&mut self, number: Delivery<u8>, ctx: &mut ServiceContext<Self>) {
        for name in self.0 {
            let to = ctx.find(name).expect("it is in the cast");
            ctx.send_sized(to, number.body, Bytes(0)).expect("the way is free");
        }
    }
}

/// Messages that wait for their turn are lost with their node; whatever is sent in that instant has
/// nothing to do with them, and pays its whole way.
#[test]
fn a_message_sent_in_the_instant_of_a_cut_pays_its_whole_way() -> Result<(), Box<dyn std::error::Error>> {
    let mut topology = Topology::new();
    let a = topology.add_node(Node::new("a"))?;
    let doomed = topology.add_node(Node::new("doomed"))?;
    let relay = topology.add_node(Node { processing: ms(3), ..Node::new("relay") })?;
    let b = topology.add_node(Node::new("b"))?;
    let (slow, _) = topology.add_symmetric(a, doomed, Link::new(ms(100)))?;
    topology.add_symmetric(a, relay, Link::new(ms(47)))?;
    topology.add_symmetric(relay, b, Link::new(ms(10)))?;
    let mut setup = Setup { model: LinkModel::Queued, ordering: Ordering::Ordered, ..Setup::new(1, topology) };
    // The first message is on its way for 100 ms, the second for 10, so that it waits on `doomed`.
    // The third, sent at 0 as well, is relayed at 50 ms, when `doomed` goes down.
    setup.changes = vec![fault(1, Change::Latency(slow, ms(10))), fault(50, Change::NodeDown(doomed))];
    let talker = Talker(vec![(0, "victim", 0), (2, "victim", 0), (0, "relay", 0)]);
    enters(&mut setup, "talker", a, Cast::actor(talker));
    let (victim, nothing) = listener();
    enters(&mut setup, "victim", doomed, victim);
    enters(&mut setup, "relay", relay, Cast::actor(Relay(&["one", "other"])));
    let (one, heard_by_one) = listener();
    let (other, heard_by_other) = listener();
    enters(&mut setup, "one", b, one);
    enters(&mut setup, "other", b, other);
    play(setup);
    assert_eq!(nothing.take(), []);
    // 50, 3 on the relay, 10 on their way.
    assert_eq!(heard_by_one.take(), [(2, at_ms(63))]);
    assert_eq!(heard_by_other.take(), [(2, at_ms(63))]);
    Ok(())
}
