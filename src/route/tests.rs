use anstream::adapter::strip_str;
use rehearsal_actors::simulation::{AppLink, Cast, ServiceSpec};
use rehearsal_actors::topology::Node;
use rehearsal_actors::units::Probability;

use super::*;
use crate::typeset::width;

fn node(name: &str, processing: u64) -> Node {
    Node { processing: SimDuration::from_millis(processing), ..Node::new(name) }
}

/// edge (1 ms) - 10 ms, 8 Mbit/s - hub (2 ms) - 20 ms, unlimited - cloud (4 ms); island has no link.
/// `frontend` stands on edge, `cart` on cloud, `log` on edge, `hub` on cloud.
/// Does nothing.
struct Silent;

impl rehearsal_actors::service::Service for Silent {}

fn setup() -> Setup {
    let mut topology = Topology::new();
    let edge = topology.add_node(node("edge", 1)).unwrap();
    let hub = topology.add_node(node("hub", 2)).unwrap();
    let cloud = topology.add_node(node("cloud", 4)).unwrap();
    topology.add_node(node("island", 0)).unwrap();
    let narrow = Link { bandwidth: "8Mbit/s".parse().unwrap(), ..Link::new(SimDuration::from_millis(10)) };
    topology.add_symmetric(edge, hub, narrow).unwrap();
    topology.add_symmetric(hub, cloud, Link::new(SimDuration::from_millis(20))).unwrap();
    let service = |name: &str, node| ServiceSpec::new(name, node, Cast::service(Silent));
    Setup {
        services: vec![service("frontend", edge), service("cart", cloud), service("log", edge), service("hub", cloud)],
        links: Some(vec![AppLink { from: 0, to: 1, ordering: None }]),
        ..Setup::new(1, topology)
    }
}

fn told(setup: &Setup, from: &str, to: &str, size: &str) -> Result<String, RouteError> {
    let (from, to) = (Place::find(setup, from)?, Place::find(setup, to)?);
    render(setup, from, to, size.parse().unwrap()).map(|text| strip_str(&text).to_string())
}

#[test]
fn each_part_is_shown_and_the_sum_is_what_a_delivery_takes() {
    // 1,000 bytes are 8,000 bits: 1 ms over 8 Mbit/s. 1 + 1 + 10, then 2 + 20, then 4: 38 ms.
    assert_eq!(
        told(&setup(), "frontend", "cart", "1kB").unwrap(),
        "\
frontend on edge to cart on cloud, 1kB

route    processing  transmission  latency   sum
  edge          1ms           1ms     10ms  12ms
  hub           2ms            0s     20ms  22ms
  cloud         4ms                          4ms
  total         7ms           1ms     30ms  38ms
"
    );
}

#[test]
fn within_a_node_there_is_nothing_to_pay() {
    let told = told(&setup(), "frontend", "edge", "1kB").unwrap();
    assert!(told.contains("total          0s"), "{told}");
    assert!(told.ends_with("\nWithin a node a message costs nothing.\n"), "{told}");
}

#[test]
fn remarks_say_what_the_price_leaves_out() {
    let mut setup = setup();
    setup.model = LinkModel::Queued;
    let told = told(&setup, "log", "cart", "1B").unwrap();
    assert!(told.contains("Links are queued"), "{told}");
    assert!(told.contains("`log` has no application link to `cart`"), "{told}");
}

#[test]
fn a_name_that_is_not_there_is_answered_with_one_that_is() {
    let error = Place::find(&setup(), "frontned").unwrap_err();
    assert_eq!(error.to_string(), "there is no service or node named `frontned`; did you mean `frontend`?");
    assert_eq!(Place::find(&setup(), "zzz").unwrap_err().to_string(), "there is no service or node named `zzz`");
}

#[test]
fn a_name_of_both_a_service_and_another_node_asks_which() {
    let setup = setup();
    assert_eq!(Place::find(&setup, "hub"), Err(RouteError::Ambiguous { name: "hub".to_owned() }));
    let node_called = |name| setup.topology.node(Place::find(&setup, name).unwrap().node).name.as_str();
    assert_eq!(node_called("node:hub"), "hub");
    assert_eq!(node_called("service:hub"), "cloud");
}

#[test]
fn no_route_is_answered_with_what_is_in_the_way() {
    assert_eq!(
        told(&setup(), "edge", "island", "1B").unwrap_err().to_string(),
        "no route from `edge` to `island` when the run starts: no chain of links leads there"
    );
    let mut topology = Topology::new();
    let a = topology.add_node(node("a", 0)).unwrap();
    let dead = topology.add_node(Node { availability: Probability::NEVER, ..node("dead", 0) }).unwrap();
    let b = topology.add_node(node("b", 0)).unwrap();
    topology.add_symmetric(a, dead, Link::new(SimDuration::ZERO)).unwrap();
    topology.add_symmetric(dead, b, Link::new(SimDuration::ZERO)).unwrap();
    let setup = Setup { topology, services: Vec::new(), ..setup() };
    assert_eq!(
        told(&setup, "a", "b", "1B").unwrap_err().to_string(),
        "no route from `a` to `b` when the run starts: every way leads over something that is down (`dead`)"
    );
    assert_eq!(
        told(&setup, "a", "dead", "1B").unwrap_err().to_string(),
        "no route from `a` to `dead` when the run starts: `dead` is down"
    );
}

#[test]
fn the_table_keeps_to_80_columns() {
    let mut topology = Topology::new();
    let slow = Node { processing: SimDuration::from_nanos(u64::MAX / 7), ..Node::new("購".repeat(200)) };
    let a = topology.add_node(slow.clone()).unwrap();
    let b = topology.add_node(Node { name: "\u{1b}[31m".repeat(200), ..slow }).unwrap();
    topology.add_symmetric(a, b, Link::new(SimDuration::from_nanos(u64::MAX / 3))).unwrap();
    let setup = Setup { topology, services: Vec::new(), links: None, ..setup() };
    let place = |node| Place { service: None, node };
    let text = render(&setup, place(a), place(b), Bytes(u64::MAX)).unwrap();
    for line in strip_str(&text).to_string().lines() {
        assert!(width(line) <= WIDTH, "{line}");
    }
}
