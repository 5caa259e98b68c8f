//! The services of a scenario, who of them speaks to whom, and where they are to stand.

use std::collections::BTreeMap;

use rehearsal_actors::simulation::Ordering;
use rehearsal_actors::topology::Resources;
use rehearsal_actors::units::{Bandwidth, Probability, SimDuration};

use crate::registry::{Factory, Registry};

use super::decode::{Raw, Spanned};
use super::doors::{self, Part, PartRead};
use super::fields::Fields;
use super::mistakes::{Mistake, Mistakes, Span, quoted};
use super::network::read_resources;
use super::routing::Membership;
use super::syntax;
use super::values::{duplicate, limited, quantity_or, unknown_name};

const MOST_SERVICES: usize = 1_000_000;
const MOST_LINKS: usize = 1_000_000;
/// How many values of steps a service may keep.
const MOST_KEPT: u64 = 1_000_000;

pub(crate) const ORDERINGS: [(&str, Ordering); 2] =
    [("Ordered", Ordering::Ordered), ("Unordered", Ordering::Unordered)];

/// Where a service is to stand.
#[derive(Clone, Debug)]
pub(crate) enum Site {
    /// Wherever the placement strategy likes.
    Anywhere,
    /// On this node.
    Node(Spanned<String>),
    /// On the node of this other service, once all services are known.
    With(Spanned<String>),
}

/// One service as declared.
pub(crate) struct Service {
    pub(crate) name: Spanned<String>,
    pub(crate) part: Part,
    /// The text of the parameters, or nothing.
    pub(crate) params: Option<Span>,
    /// Where to complain about the actor and its parameters.
    pub(crate) at: Span,
    pub(crate) site: Site,
    pub(crate) resources: Resources,
    pub(crate) availability: Probability,
    pub(crate) step_every: Option<SimDuration>,
    pub(crate) keep_steps: usize,
    /// Whether it registers its interfaces with a directory by itself.
    pub(crate) provides: bool,
    pub(crate) membership: Membership,
}

/// A directed link between services, with what is asked of the network.
#[derive(Clone, Debug)]
pub(crate) struct ServiceLink {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) ordering: Option<Ordering>,
    /// At most.
    pub(crate) latency: Option<SimDuration>,
    /// At least.
    pub(crate) bandwidth: Option<Bandwidth>,
}

/// Reads the list of services. One that is wrong keeps its name, so that others may speak of it.
pub(crate) fn read_services(
    raw: Raw<'_>,
    registry: &Registry,
    mistakes: &mut Mistakes,
) -> Option<(Vec<Service>, BTreeMap<String, usize>)> {
    let list = limited(raw.items("a list of services", mistakes)?, MOST_SERVICES, "services", mistakes)?;
    let mut services = Vec::with_capacity(list.len());
    let mut first_named: BTreeMap<String, Span> = BTreeMap::new();
    let mut indices = BTreeMap::new();
    for raw in list {
        let Some(service) = read_service(raw, registry, mistakes) else {
            continue;
        };
        let name = &service.name;
        if let Some(first) = first_named.insert(name.value.clone(), name.span) {
            duplicate(&format!("service `{}`", quoted(&name.value)), first, name.span, mistakes);
            continue;
        }
        indices.insert(name.value.clone(), services.len());
        services.push(service);
    }
    doors::check_doors(&mut services, &indices, mistakes);
    Some((services, indices))
}

fn read_name(raw: Raw<'_>, mistakes: &mut Mistakes) -> Option<Spanned<String>> {
    let name = raw.name("a service", mistakes)?;
    if name.value.contains('/') {
        let mistake = Mistake::new("the name of a service holds a slash");
        mistakes.add(name.span, mistake.label("in `Service/path` the slash ends the name"));
        return None;
    }
    Some(name)
}

/// Reads one service. If only its name can be read, that is enough for others to speak of it.
fn read_service(raw: Raw<'_>, registry: &Registry, mistakes: &mut Mistakes) -> Option<Service> {
    let mut fields = raw.fields("a service", mistakes)?;
    let name = fields.required("name", "\"cart\"", mistakes).and_then(|raw| read_name(raw, mistakes));
    let PartRead { part, params, at } = doors::read_part(&mut fields, registry, mistakes);
    let site = read_site(&mut fields, mistakes);
    let resources = read_resources(&mut fields, Resources::default(), mistakes);
    let availability = quantity_or(&mut fields, "availability", Probability::NEVER, mistakes);
    let step_every = fields.optional("step_every", mistakes).and_then(|raw| raw.some_time("a step", mistakes));
    let keep_steps = fields.optional("keep_steps", mistakes).and_then(|raw| raw.whole(0, MOST_KEPT, mistakes));
    let provides = fields.optional("provides", mistakes).and_then(|raw| raw.truth(mistakes));
    let membership = Membership::read(&mut fields, mistakes);
    fields.finish(mistakes);
    let name = name?;
    Some(Service {
        at: at.unwrap_or(name.span),
        name,
        part,
        params: params.map(|raw| Span::new(raw.start(), raw.text().len())),
        site,
        resources,
        availability,
        step_every,
        keep_steps: keep_steps.unwrap_or(0) as usize,
        provides: provides.unwrap_or(false),
        membership,
    })
}

/// Reads the parameters once, only to see whether they can be read.
pub(super) fn check_params(
    actor: &Spanned<String>,
    factory: &dyn Factory,
    params: Option<Raw<'_>>,
    mistakes: &mut Mistakes,
) {
    let Some(params) = params else {
        if let Err(error) = factory.check("()") {
            let mistake = Mistake::new(format!("the actor `{}` needs `params`", quoted(&actor.value)));
            mistakes.add(actor.span, mistake.help(format!("without them: {}", syntax::message(&error))));
        }
        return;
    };
    if let Err(error) = factory.check(params.text()) {
        syntax::report(&error, params.text(), params.start(), mistakes);
    }
}

fn read_site(fields: &mut Fields<'_>, mistakes: &mut Mistakes) -> Site {
    let node = fields.optional("node", mistakes).and_then(|raw| raw.name("a node", mistakes));
    let with = fields.optional("with", mistakes).and_then(|raw| raw.name("a service", mistakes));
    match (node, with) {
        (Some(_), Some(with)) => {
            let mistake = Mistake::new("a service stands on a `node` or `with` another service, not both");
            mistakes.add(with.span, mistake.label("leave one of them out"));
            Site::Anywhere
        }
        (Some(node), None) => Site::Node(node),
        (None, Some(with)) => Site::With(with),
        (None, None) => Site::Anywhere,
    }
}

/// Reads the links between services.
pub(crate) fn read_links(
    raw: Raw<'_>,
    services: &BTreeMap<String, usize>,
    mistakes: &mut Mistakes,
) -> Option<Vec<ServiceLink>> {
    let list = limited(raw.items("a list of links between services", mistakes)?, MOST_LINKS, "links", mistakes)?;
    let mut links = Vec::with_capacity(list.len());
    let mut joined: BTreeMap<(usize, usize), Span> = BTreeMap::new();
    for raw in list {
        let Some(mut fields) = raw.fields("a link between services", mistakes) else {
            continue;
        };
        let from = read_end(&mut fields, "from", services, mistakes);
        let to = read_end(&mut fields, "to", services, mistakes);
        let symmetric = fields.optional("symmetric", mistakes).and_then(|raw| raw.truth(mistakes)).unwrap_or(true);
        let ordering = fields.optional("ordering", mistakes);
        let ordering = ordering.and_then(|raw| raw.choice("an ordering", &ORDERINGS, mistakes));
        let latency = fields.optional("latency", mistakes).and_then(|raw| raw.quantity(mistakes));
        let bandwidth = fields.optional("bandwidth", mistakes).and_then(|raw| raw.bandwidth(mistakes));
        fields.finish(mistakes);
        let (Some((from, at)), Some((to, to_at))) = (from, to) else {
            continue;
        };
        if from == to {
            mistakes.add(to_at, Mistake::new("a link from a service to itself").label("name another service"));
            continue;
        }
        let directions = if symmetric { vec![(from, to), (to, from)] } else { vec![(from, to)] };
        for (from, to) in directions {
            if let Some(&first) = joined.get(&(from, to)) {
                duplicate("this link between services", first, at, mistakes);
                break;
            }
            joined.insert((from, to), at);
            links.push(ServiceLink { from, to, ordering, latency, bandwidth });
        }
    }
    Some(links)
}

fn read_end(
    fields: &mut Fields<'_>,
    name: &'static str,
    services: &BTreeMap<String, usize>,
    mistakes: &mut Mistakes,
) -> Option<(usize, Span)> {
    let end = fields.required(name, "\"cart\"", mistakes)?.name("a service", mistakes)?;
    let index = find_service(&end, services, mistakes)?;
    Some((index, end.span))
}

/// The service of that name; if there is none, a mistake.
pub(crate) fn find_service(
    name: &Spanned<String>,
    services: &BTreeMap<String, usize>,
    mistakes: &mut Mistakes,
) -> Option<usize> {
    let found = services.get(&name.value).copied();
    if found.is_none() {
        unknown_name(name, "service", services.keys().map(String::as_str), mistakes);
    }
    found
}
