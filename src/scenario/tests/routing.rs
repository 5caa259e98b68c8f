//! Routers, gateways, directories and memberships.

use rehearsal_actors::router::{KnownDirectory, RouterId};

use super::{read, row};

#[test]
fn who_is_where_and_goes_by_way_of_whom_is_part_of_the_setup() {
    let scenario = read(&row(r#"
        services: [
            (name: "asker", actor: "echo", node: "a", router: 3, permissions: ["trader"]),
            (name: "hub", actor: "echo", node: "b", vnets: ["test", "shop"]),
        ],
        directories: ["hub", "asker"],
        gateways: [(machine: "c", by: "b"), (machine: "a", by: "b")],"#));
    let declared = &scenario.declared.services;
    assert_eq!((declared[0].membership.router, declared[1].membership.router), (RouterId(3), RouterId(0)));
    assert!(declared[0].membership.permissions.iter().eq(["trader"]));
    assert!(declared[1].membership.vnets.iter().eq(["shop", "test"]));
    // The best first, as they are named.
    assert_eq!(scenario.declared.directories, [KnownDirectory::Service(1), KnownDirectory::Service(0)]);
    assert!(scenario.plan.gateways.into_iter().eq([(0, 1), (2, 1)]));
}

#[test]
fn services_register_their_interfaces_by_themselves_if_they_say_so() {
    let text = row(r#"services: [
        (name: "a", actor: "echo"),
        (name: "b", actor: "echo", provides: true),
        (name: "c", actor: "echo", provides: false),
    ],"#);
    let services = read(&text).declared.services;
    assert_eq!(services.iter().map(|service| service.provides).collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn who_says_nothing_has_router_0_and_belongs_to_nothing() {
    let scenario = read(&row(r#"services: [(name: "echo", actor: "echo", vnets: [])],"#));
    let membership = &scenario.declared.services[0].membership;
    assert_eq!(membership.router, RouterId(0));
    assert!(membership.vnets.is_empty() && membership.permissions.is_empty());
    assert!(scenario.declared.directories.is_empty() && scenario.plan.gateways.is_empty());
}
