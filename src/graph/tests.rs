use rehearsal_actors::simulation::{AppLink, Cast, ServiceSpec};
use rehearsal_actors::topology::Node;
use rehearsal_actors::units::{Probability, SimDuration};

use super::*;

fn node(name: &str, group: Option<&str>) -> Node {
    Node { group: group.map(str::to_owned), ..Node::new(name) }
}

/// Does nothing.
struct Silent;

impl rehearsal_actors::service::Service for Silent {}

fn service_on(node: NodeId, name: &str) -> ServiceSpec {
    ServiceSpec::new(name, node, Cast::service(Silent))
}

/// Three nodes, edge-1 and edge-2 in a group; a link both ways, another one way; two services that
/// speak to each other, a third that only listens.
fn shop() -> Setup {
    let mut topology = Topology::new();
    let one = topology.add_node(node("edge-1", Some("edge"))).unwrap();
    let two = topology.add_node(node("edge-2", Some("edge"))).unwrap();
    let down = Node { availability: Probability::NEVER, ..node("cloud", None) };
    let cloud = topology.add_node(down).unwrap();
    topology.add_symmetric(one, two, Link::new(SimDuration::from_millis(10))).unwrap();
    let slow = Link { bandwidth: "10Mbit/s".parse().unwrap(), ..Link::new(SimDuration::from_millis(40)) };
    topology.add_link(two, cloud, slow).unwrap();
    let link = |from, to| AppLink { from, to, ordering: None };
    Setup {
        services: vec![service_on(one, "frontend"), service_on(two, "cart"), service_on(one, "log")],
        links: Some(vec![link(0, 1), link(1, 0), link(0, 2)]),
        ..Setup::new(1, topology)
    }
}

#[test]
fn dot_draws_the_infrastructure_in_its_groups() {
    let text = render("shop", &shop(), View::Infrastructure, Format::Dot);
    let (head, body) = text.split_once("  edge [").unwrap();
    assert!(head.starts_with("digraph rehearsal {\n  label=\"shop\";"), "{head}");
    let body = body.split_once('\n').unwrap().1;
    assert_eq!(
        body,
        "  subgraph cluster0 {
    label=\"edge\"; style=rounded; color=gray;
    n0 [label=\"edge-1\", shape=box];
    n1 [label=\"edge-2\", shape=box];
  }
  n2 [label=\"cloud\", shape=box, style=dashed, color=gray, fontcolor=gray];
  n0 -> n1 [label=\"10ms\", dir=none];
  n1 -> n2 [label=\"40ms, 10Mbit/s\"];
}
"
    );
}

#[test]
fn mermaid_draws_the_application() {
    let text = render("shop", &shop(), View::Application, Format::Mermaid);
    assert!(
        text.starts_with(
            "---
title: \"shop\"
---
flowchart LR
  s0(\"frontend\"):::service
  s1(\"cart\"):::service
  s2(\"log\"):::service
  s0 <==> s1
  s0 ==> s2
"
        ),
        "{text}"
    );
}

#[test]
fn the_placement_shows_services_within_their_nodes() {
    let text = render("shop", &shop(), View::Placement, Format::Mermaid);
    assert!(
        text.contains(
            "  subgraph frame0[\"edge-1\"]
    s0(\"frontend\"):::service
    s2(\"log\"):::service
  end
  subgraph frame1[\"edge-2\"]
    s1(\"cart\"):::service
  end
"
        ),
        "{text}"
    );
    assert!(!text.contains("cloud"), "nodes without services are left out");
}

#[test]
fn all_of_it_shows_where_each_service_stands() {
    let text = render("shop", &shop(), View::All, Format::Dot);
    for edge in ["  s0 -> n0 [style=dotted", "  s1 -> n1 [style=dotted", "  s2 -> n0 [style=dotted", "  n1 -> n2 ["] {
        assert!(text.contains(edge), "{edge} in {text}");
    }
    // Two network links, two application links, three services placed.
    assert_eq!(edge_count(&shop(), View::All), 7);
}

#[test]
fn where_every_service_may_speak_to_every_other_a_remark_says_so() {
    let setup = Setup { links: None, ..shop() };
    assert!(render("shop", &setup, View::Application, Format::Dot).contains("every service may speak to every other"));
    assert_eq!(edge_count(&setup, View::Application), 0);
}

/// The text without its quoted strings, as Graphviz reads them: a backslash takes the next character.
fn outside_dot_quotes(text: &str) -> String {
    let (mut out, mut quoted, mut escaped) = (String::new(), false, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            c if !quoted => out.push(c),
            _ => {}
        }
    }
    assert!(!quoted, "a string without an end");
    out
}

/// The text without its quoted strings, as Mermaid reads them: nothing escapes a quotation mark.
fn outside_mermaid_quotes(text: &str) -> String {
    let body = text.split_once("flowchart").unwrap().1;
    assert_eq!(body.matches('"').count() % 2, 0, "a string without an end");
    body.split('"').step_by(2).collect()
}

#[test]
fn no_name_gets_out_of_its_quotes() {
    let names = [
        "EVIL",
        "EVIL\" ] EVIL",
        "EVIL\\\" ] EVIL",
        "EVIL\\",
        "EVIL\n}\nEVIL",
        "\"EVIL\"",
        "<b>EVIL</b> &lt; #quot; `EVIL`",
        "%%{init: EVIL}%%",
        "]:::EVIL",
        "1. EVIL",
        "---\nEVIL",
    ];
    let mut topology = Topology::new();
    let nodes = names.map(|name| topology.add_node(node(name, Some(name))).unwrap());
    let services = nodes.iter().zip(names).map(|(&node, name)| service_on(node, name)).collect();
    let setup = Setup { topology, services, ..shop() };
    for view in [View::All, View::Infrastructure, View::Application, View::Placement] {
        for name in names {
            let dot = render(name, &setup, view, Format::Dot);
            assert!(!outside_dot_quotes(&dot).contains("EVIL"), "{dot}");
            let mermaid = render(name, &setup, view, Format::Mermaid);
            assert!(!outside_mermaid_quotes(&mermaid).contains("EVIL"), "{mermaid}");
            assert!(!mermaid.contains("%%") && !mermaid.contains("\"1. EVIL\"]"), "{mermaid}");
            let title = mermaid.lines().nth(1).unwrap().strip_prefix("title: ").unwrap();
            serde_json::from_str::<String>(title).unwrap();
        }
    }
}
