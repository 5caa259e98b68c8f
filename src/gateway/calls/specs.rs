//! What a service says of itself, in the form that gemstone's clients know.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use rehearsal_actors::interfaces::CallError;
use rehearsal_actors::interfaces::rpc::{Inspection, InterfaceDescription};
use serde::Serialize;

/// The answer of `get_service_specs`.
#[derive(Debug, Serialize)]
pub(super) struct Specs {
    /// What it is called.
    name: String,
    /// Where the gateway listens.
    host: String,
    port: u16,
    /// What each method does, by the shortest name that leads to it.
    methods: BTreeMap<String, String>,
    /// The same and more, as `inspect` tells it.
    interfaces: Vec<InterfaceDescription>,
    /// What it answers over REST.
    endpoints: Vec<String>,
}

impl Specs {
    pub(super) fn new(inspection: Inspection, gateway: SocketAddr) -> Self {
        let all = || inspection.interfaces.iter().flat_map(|interface| &interface.methods);
        let is_alone = |name: &str| all().filter(|method| method.name == name).count() == 1 && !is_built_in(name);
        let methods = inspection.interfaces.iter().flat_map(|interface| {
            interface.methods.iter().map(|method| {
                let short = is_alone(&method.name);
                let name = if short { method.name.clone() } else { format!("{}.{}", interface.name, method.name) };
                (name, method.doc.clone())
            })
        });
        Specs {
            methods: methods.collect(),
            name: inspection.service,
            host: gateway.ip().to_string(),
            port: gateway.port(),
            interfaces: inspection.interfaces,
            endpoints: inspection.endpoints,
        }
    }
}

/// Without an interface in front these are the runtime's, or the gateway's.
fn is_built_in(method: &str) -> bool {
    matches!(method, "ping" | "inspect" | super::GET_SERVICE_SPECS)
}

/// For a description that has no JSON, which texts always have.
pub(super) fn malformed(service: &str, error: &serde_json::Error) -> CallError {
    CallError::Malformed { endpoint: format!("{service}: {}", super::GET_SERVICE_SPECS), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use rehearsal_actors::interfaces::rpc::MethodDescription;
    use serde_json::json;

    use super::*;

    #[test]
    fn methods_have_the_shortest_names_that_lead_to_them() {
        let interface = |name: &str, methods: &[&str]| {
            let describe = |method: &&str| MethodDescription {
                name: (*method).to_owned(),
                doc: format!("Does {method}."),
                params: Vec::new(),
                replies: None,
                raises: Vec::new(),
            };
            let methods = methods.iter().map(describe).collect();
            InterfaceDescription { name: name.to_owned(), version: "1".to_owned(), methods }
        };
        let interfaces = vec![interface("a", &["x", "y", "ping"]), interface("b", &["x"])];
        let inspection = Inspection { service: "shop".to_owned(), interfaces, endpoints: Vec::new() };
        let specs = serde_json::to_value(Specs::new(inspection, ([127, 0, 0, 1], 8080).into())).unwrap_or_default();
        assert_eq!(
            specs["methods"],
            json!({ "a.x": "Does x.", "b.x": "Does x.", "y": "Does y.", "a.ping": "Does ping." })
        );
        assert_eq!(
            (&specs["name"], &specs["host"], &specs["port"]),
            (&json!("shop"), &json!("127.0.0.1"), &json!(8080))
        );
    }
}
