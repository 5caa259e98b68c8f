//! Gateways, and services that live outside.

use super::{read, refuse, row};
use crate::registry::Registry;
use crate::scenario::Scenario;

const WITH_DOORS: &str = r#"
    services: [
        (name: "gateway", gateway: (exposes: ["shop", "shop.cart/items/*", "shop.cart.add"]), node: "a"),
        (name: "shop", actor: "store/server", node: "b"),
        (name: "shop.cart", actor: "store/server", node: "c"),
        (name: "payment", external: "http://127.0.0.1:9000/api"),
    ],"#;

#[test]
fn a_gateway_is_a_service_and_who_lives_outside_stands_with_it() {
    let scenario = Scenario::parse("doors.ron", row(WITH_DOORS), &Registry::stock()).unwrap();
    assert_eq!(scenario.plan.nodes[0], scenario.plan.nodes[3]);
    let prepared = scenario.prepare(None, None).unwrap();
    let door = prepared.door.unwrap();
    assert_eq!(door.gateway, "gateway");
    assert_eq!(door.exposes.unwrap(), ["shop", "shop.cart/items/*", "shop.cart.add"]);
    assert_eq!(prepared.outside, ["payment"]);
    assert_eq!(prepared.setup.services[0].name, "gateway");
}

#[test]
fn a_gateway_that_names_nothing_exposes_everything() {
    let scenario = read(&row(r#"services: [(name: "in", gateway: (), node: "a")],"#));
    assert_eq!(scenario.prepare(None, None).unwrap().door.unwrap().exposes, None);
}

#[test]
fn doors_that_cannot_be_are_refused() {
    let outside = |url: &str| {
        let services =
            format!(r#"services: [(name: "in", gateway: (), node: "a"), (name: "out", external: "{url}")],"#);
        refuse(&row(&services)).remove(0)
    };
    for (url, why) in [
        ("ftp://a/b", "does not begin with http"),
        ("127.0.0.1:9000", "does not begin with http"),
        ("/api", "does not begin with http"),
        ("http://a/b?c=d", "it has a query"),
        ("http:// a", "invalid"),
        ("http://a:65536/", "`65536` is no port"),
        ("http://u:p@a/", "it has a user in it"),
        ("http://a/#b", "it has a fragment"),
    ] {
        let said = outside(url);
        assert!(said.contains("is no URL of a service") && said.contains(why), "{url}: {said}");
    }
    for (services, why) in [
        (r#"(name: "out", external: "http://a/b")"#, "lives outside, but there is no gateway"),
        (r#"(name: "in", gateway: (), actor: "echo")"#, "a service with `gateway` has no `actor`"),
        (r#"(name: "in", gateway: (), external: "http://a")"#, "a service with `gateway` has no `external`"),
        (r#"(name: "in", gateway: ()), (name: "too", gateway: ())"#, "a gateway"),
        (r#"(name: "in", gateway: (exposes: ["shop"]))"#, "unknown service `shop`"),
        (r#"(name: "in", gateway: (exposes: "in"))"#, "a list of what anybody may call"),
        (r#"(name: "in", gateway: (hides: []))"#, "unknown field `hides` in a gateway"),
        (
            r#"(name: "in", gateway: ()), (name: "out", external: "http://a", node: "b")"#,
            "a service that lives outside is reached through the gateway",
        ),
    ] {
        let said = refuse(&row(&format!("services: [{services}],"))).join("\n");
        assert!(said.contains(why), "{services}: {said}");
    }
}
