//! The services of a scenario by which it opens to the outside: the gateway, through which others come
//! in, and services that live outside.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::gateway::{EVENTS, is_own_method};
use crate::registry::{Factory, Registry};
use crate::service_url;

use super::decode::{Raw, Spanned};
use super::fields::Fields;
use super::mistakes::{Mistake, Mistakes, Span, quoted};
use super::services::{self, Service, Site};
use super::values::{duplicate, limited, unknown_name};

/// So many patterns may a gateway expose.
const MOST_EXPOSED: usize = 10_000;

/// What stands behind a service's name.
pub(crate) enum Part {
    /// An actor of the registry; nobody, if it is unknown: that is a mistake, so no scenario comes of it.
    Actor(Option<Arc<dyn Factory>>),
    /// The way in.
    Gateway(GatewayPart),
    /// Somebody at this URL outside.
    External(String),
}

/// The gateway as declared.
#[derive(Clone, Debug, Default)]
pub(crate) struct GatewayPart {
    /// What everybody may call without a token; `None`: everything.
    pub(crate) exposes: Option<Vec<Spanned<String>>>,
}

/// What was read of a service's part.
pub(super) struct PartRead<'a> {
    pub(super) part: Part,
    /// The text of the parameters, or nothing.
    pub(super) params: Option<Raw<'a>>,
    /// Where to complain about it.
    pub(super) at: Option<Span>,
}

/// Reads `actor` and `params`, `gateway`, or `external`.
pub(super) fn read_part<'a>(fields: &mut Fields<'a>, registry: &Registry, mistakes: &mut Mistakes) -> PartRead<'a> {
    let gateway = fields.optional("gateway", mistakes);
    let external = fields.optional("external", mistakes);
    let (part, at) = match (gateway, external) {
        (Some(raw), _) => (Part::Gateway(read_gateway(raw, mistakes)), raw.span()),
        (None, Some(raw)) => (Part::External(read_url(raw, mistakes).unwrap_or_default()), raw.span()),
        (None, None) => return read_actor(fields, registry, mistakes),
    };
    if let (Some(_), Some(external)) = (gateway, external) {
        only_one("gateway", "external", external, mistakes);
    }
    let kind = if gateway.is_some() { "gateway" } else { "external" };
    for field in ["actor", "params"] {
        if let Some(raw) = fields.optional(field, mistakes) {
            only_one(kind, field, raw, mistakes);
        }
    }
    PartRead { part, params: None, at: Some(at) }
}

fn only_one(kind: &str, field: &str, raw: Raw<'_>, mistakes: &mut Mistakes) {
    let mistake = Mistake::new(format!("a service with `{kind}` has no `{field}`"));
    mistakes.add(raw.span(), mistake.label("leave one of them out"));
}

fn read_actor<'a>(fields: &mut Fields<'a>, registry: &Registry, mistakes: &mut Mistakes) -> PartRead<'a> {
    let actor = fields.required("actor", "\"echo\"", mistakes).and_then(|raw| raw.name("an actor", mistakes));
    let params = fields.optional("params", mistakes);
    let factory = actor.as_ref().and_then(|actor| find_actor(actor, registry, mistakes));
    if let (Some(actor), Some(factory)) = (&actor, &factory) {
        services::check_params(actor, factory.as_ref(), params, mistakes);
    }
    let at = params.map(Raw::span).or(actor.map(|actor| actor.span));
    PartRead { part: Part::Actor(factory), params, at }
}

fn find_actor(actor: &Spanned<String>, registry: &Registry, mistakes: &mut Mistakes) -> Option<Arc<dyn Factory>> {
    let factory = registry.factory(&actor.value);
    if factory.is_none() {
        unknown_name(actor, "actor", registry.names(), mistakes);
    }
    factory
}

fn read_gateway(raw: Raw<'_>, mistakes: &mut Mistakes) -> GatewayPart {
    let Some(mut fields) = raw.fields("a gateway", mistakes) else {
        return GatewayPart::default();
    };
    let exposes = fields.optional("exposes", mistakes);
    let exposes = exposes.and_then(|raw| raw.items("a list of what anybody may call: `exposes: [\"cart\"]`", mistakes));
    let exposes = exposes.and_then(|items| limited(items, MOST_EXPOSED, "patterns", mistakes));
    let pattern =
        |raw: Raw<'_>, mistakes: &mut Mistakes| raw.string("a pattern such as \"cart\" or \"cart/items/*\"", mistakes);
    fields.finish(mistakes);
    GatewayPart { exposes: exposes.map(|items| items.into_iter().filter_map(|raw| pattern(raw, mistakes)).collect()) }
}

/// Reads where a service outside is to be reached.
fn read_url(raw: Raw<'_>, mistakes: &mut Mistakes) -> Option<String> {
    let url = raw.string("a URL such as \"http://127.0.0.1:9000/api\"", mistakes)?;
    match service_url::check(&url.value) {
        Err(why) => {
            let mistake = Mistake::new(format!("`{}` is no URL of a service: {why}", quoted(&url.value)));
            mistakes.add(url.span, mistake.help("write `external: \"http://127.0.0.1:9000/api\"`"));
            None
        }
        Ok(_) => Some(url.value),
    }
}

/// Where the services with doors stand and what they expose, once all services are known.
pub(super) fn check_doors(services: &mut [Service], names: &BTreeMap<String, usize>, mistakes: &mut Mistakes) {
    let is_gateway = |service: &&Service| matches!(service.part, Part::Gateway(_));
    let mut gateways = services.iter().filter(is_gateway).map(|service| service.name.clone());
    let (gateway, another) = (gateways.next(), gateways.next());
    if let (Some(first), Some(second)) = (&gateway, another) {
        duplicate("a gateway", first.span, second.span, mistakes);
    }
    for service in services {
        match &service.part {
            Part::Gateway(GatewayPart { exposes: Some(patterns) }) => {
                patterns.iter().for_each(|pattern| check_exposed(pattern, names, mistakes));
            }
            Part::External(_) => match (&service.site, &gateway) {
                (Site::Anywhere, Some(gateway)) => service.site = Site::With(gateway.clone()),
                (Site::Anywhere, None) => {
                    let message = format!("`{}` lives outside, but there is no gateway", quoted(&service.name.value));
                    let help =
                        "add a service `(name: \"gateway\", gateway: (), node: ...)`, through which it is reached";
                    mistakes.add(service.at, Mistake::new(message).help(help));
                }
                (Site::Node(place) | Site::With(place), _) => {
                    let mistake = Mistake::new("a service that lives outside is reached through the gateway");
                    mistakes.add(place.span, mistake.label("leave its place out"));
                }
            },
            _ => {}
        }
    }
}

/// `service`, `service/path` or `service.method`: is there such a service? Events and the gateway's own methods
/// are listed by their names.
fn check_exposed(pattern: &Spanned<String>, names: &BTreeMap<String, usize>, mistakes: &mut Mistakes) {
    let whole = pattern.value.as_str();
    let name = whole.split_once('/').map_or(whole, |(name, _)| name);
    // A name may have dots in it, and so may a pattern behind it.
    let prefixes = name.match_indices('.').map(|(at, _)| &name[..at]).chain([name]);
    let known = prefixes.clone().any(|prefix| names.contains_key(prefix));
    if !known && !name.contains(['*', '?']) && !is_own_method(name) && name != EVENTS {
        let named = Spanned { value: name.to_owned(), span: pattern.span };
        unknown_name(&named, "service", names.keys().map(String::as_str), mistakes);
    }
}
