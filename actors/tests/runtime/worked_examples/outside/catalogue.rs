//! What every service offers, without asking it.

use std::rc::Rc;

use rehearsal_actors::outside::catalogue::{Catalogue, EndpointDescription, Listed, Offered};
use rehearsal_actors::prelude::*;
use rehearsal_actors::simulation::{Cast, ServiceSpec};
use rehearsal_actors::topology::Link;
use serde::Deserialize;
use serde_json::json;

use crate::common::cast::{chain, enters, listens, once};
use crate::common::ms;
use crate::common::story::play_unheard;

#[derive(Deserialize)]
#[expect(dead_code, reason = "only its type is looked at")]
struct Order {
    item: String,
    count: u8,
}

/// Answers by every way there is.
struct Shop;

impl Shop {
    async fn order(self: Rc<Self>, _: ServiceIo, _: Order) -> Result<u32, Failure> {
        Ok(1)
    }

    async fn cancel(self: Rc<Self>, _: ServiceIo, _: (u32, bool)) -> Result<(), Failure> {
        Ok(())
    }

    async fn answer(self: Rc<Self>, _: ServiceIo, _: Request) {}

    async fn hear(self: Rc<Self>, _: ServiceIo, _: Event<()>) -> Result<(), StepError> {
        Ok(())
    }
}

impl Service for Shop {
    fn endpoints(endpoints: &mut Endpoints<Self>) {
        endpoints.post("/orders", Shop::answer).get("/orders", Shop::answer).get("/items/{id}", Shop::answer);
    }

    fn interfaces(interfaces: &mut Interfaces<Self>) {
        interfaces.interface("orders", "1.2").rpc("order", "Orders something.", Shop::order).rpc(
            "cancel",
            "Takes an order back.",
            Shop::cancel,
        );
        interfaces.interface("admin", "1").rpc("cancel", "Takes any order back.", Shop::cancel);
    }

    fn subscriptions(subscriptions: &mut Subscriptions<Self>) {
        subscriptions.on("stock.*", Shop::hear);
    }
}

fn offered(listed: &Listed) -> &Offered {
    listed.offered.as_deref().expect("it is a service")
}

#[test]
fn every_service_is_listed_with_what_it_offers_and_whether_it_is_there() {
    let (mut setup, nodes) = chain([Link::new(ms(10))]);
    enters(&mut setup, "shop", nodes[1], Cast::service(Shop));
    enters(&mut setup, "listener", nodes[0], listens());
    let dies = || crate::common::cast::acts(async |_| Err(StepError::new("dead").fatal()));
    enters(&mut setup, "dead", nodes[1], dies());
    setup.services.push(ServiceSpec::new("shop-2", nodes[0], Cast::service(Shop)));
    let (looker, seen) = once(async |io| {
        io.sleep(ms(1)).await;
        let catalogue = Catalogue::of(io);
        assert!(catalogue.get("nobody").is_none());
        assert_eq!(catalogue.get("shop"), catalogue.all().next());
        catalogue.all().collect::<Vec<Listed>>()
    });
    enters(&mut setup, "looker", nodes[0], looker);
    let report = play_unheard(setup);
    assert_eq!((report.traffic.sent, report.traffic.delivered), (0, 0), "looking asks nobody");

    let seen = seen.take().expect("it looked");
    let standing: Vec<(&str, &str, bool)> =
        seen.iter().map(|listed| (listed.name.as_str(), listed.node.as_str(), listed.running)).collect();
    let expected = [
        ("shop", "b", true),
        ("listener", "a", true),
        ("dead", "b", false),
        ("shop-2", "a", true),
        ("looker", "a", true),
    ];
    assert_eq!(standing, expected);

    let shop = offered(&seen[0]);
    let endpoint = |method, pattern: &str| EndpointDescription { pattern: pattern.to_owned(), method };
    let expected =
        [endpoint(Method::Get, "/items/{id}"), endpoint(Method::Get, "/orders"), endpoint(Method::Post, "/orders")];
    assert_eq!(shop.endpoints, expected);
    assert_eq!(shop.subscriptions, ["stock.*"]);
    let names: Vec<(&str, &str)> =
        shop.interfaces.iter().map(|i| (&*i.description.name, &*i.description.version)).collect();
    assert_eq!(names, [("orders", "1.2"), ("admin", "1")]);
    assert_eq!(offered(&seen[1]), &Offered::default());
    assert_eq!(offered(&seen[0]), offered(&seen[3]));
}

#[test]
fn methods_are_found_as_callers_name_them_with_the_schemas_of_their_parameters() {
    let (mut setup, nodes) = chain([]);
    enters(&mut setup, "shop", nodes[0], Cast::service(Shop));
    let (looker, seen) = once(async |io| Catalogue::of(io).get("shop"));
    enters(&mut setup, "looker", nodes[0], looker);
    play_unheard(setup);
    let seen = seen.take().flatten().expect("it is there");
    let shop = offered(&seen);
    let doc = |name| shop.method(name).map(|(method, _)| method.doc.as_str());
    assert_eq!(doc("order"), Some("Orders something."));
    assert_eq!(doc("orders.cancel"), Some("Takes an order back."));
    assert_eq!(doc("admin.cancel"), Some("Takes any order back."));
    assert_eq!([doc("cancel"), doc("orders.nothing"), doc("orders"), doc("")], [None; 4], "none, or not one alone");

    let count = json!({ "type": "integer", "minimum": 0, "maximum": 255 });
    let (_, schemas) = shop.method("order").expect("it is there");
    assert_eq!(schemas.each, [json!({ "type": "string" }), count.clone()]);
    let properties = json!({ "item": { "type": "string" }, "count": count });
    assert_eq!(schemas.whole, json!({ "type": "object", "properties": properties, "required": ["item", "count"] }));
    let (_, schemas) = shop.method("orders.cancel").expect("it is there");
    assert_eq!(schemas.whole["prefixItems"], json!(schemas.each));
}
