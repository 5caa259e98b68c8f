//! Who restarts whom: the supervision tree of a scenario.

use std::collections::BTreeMap;

use rehearsal_actors::supervision::{
    Backoff, Child, ChildSpec, Intensity, Queued, Restart, Shutdown, Strategy, Supervisor,
};
use rehearsal_actors::topology::{NodeId, Topology};
use rehearsal_actors::units::Probability;

use super::decode::{Kind, Raw, Spanned};
use super::fields::Fields;
use super::mistakes::{Mistake, Mistakes, Span, quoted};
use super::network::find_node;
use super::services::{Service, find_service};
use super::values::{duplicate, quantity_or, unknown_word};

/// How deep supervisors may lie in each other, the root included. Trees of applications have three
/// or four levels.
const MOST_DEEP: usize = 16;
/// The most restarts that may be allowed within a period.
const MOST_RESTARTS: u64 = 1_000_000;

const STRATEGIES: [(&str, Strategy); 3] =
    [("OneForOne", Strategy::OneForOne), ("OneForAll", Strategy::OneForAll), ("RestForOne", Strategy::RestForOne)];
const RESTARTS: [(&str, Restart); 3] =
    [("Permanent", Restart::Permanent), ("Transient", Restart::Transient), ("Temporary", Restart::Temporary)];
const SHUTDOWNS: [(&str, Shutdown); 2] = [("Kill", Shutdown::Kill), ("Infinity", Shutdown::Infinity)];
const QUEUED: [(&str, Queued); 2] = [("Return", Queued::Return), ("Keep", Queued::Keep)];

/// A supervision tree as declared: everything but the nodes that services fall back to, which are
/// looked up in each seed's network.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    root: Supervisor,
    /// By service.
    fallbacks: BTreeMap<usize, Vec<Spanned<String>>>,
}

impl Tree {
    /// Reads the tree. Services that nobody names become the root's last children.
    pub(crate) fn read(
        raw: Raw<'_>,
        services: &[Service],
        indices: &BTreeMap<String, usize>,
        mistakes: &mut Mistakes,
    ) -> Option<Tree> {
        let Some((word, rest)) = raw.variant() else {
            raw.unexpected("`Supervisor(name: \"root\", ...)`", mistakes);
            return None;
        };
        if word.value != "Supervisor" {
            unknown_word(&word, "a supervisor", ["Supervisor"].into_iter(), mistakes);
            return None;
        }
        let mut reader = Reader {
            services,
            indices,
            supervisors: BTreeMap::new(),
            supervised: BTreeMap::new(),
            fallbacks: BTreeMap::new(),
        };
        let mut fields = rest.fields("a supervisor", mistakes)?;
        let root = reader.read_supervisor(&mut fields, 1, mistakes);
        fields.finish(mistakes);
        let mut root = root?;
        let unnamed = (0..services.len()).filter(|index| !reader.supervised.contains_key(index));
        root.children.extend(unnamed.map(ChildSpec::service));
        Some(Tree { root, fallbacks: reader.fallbacks })
    }

    /// What the supervisors are called.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.root.all().into_iter().map(|supervisor| supervisor.name.as_str())
    }

    /// The tree in a network.
    pub(crate) fn resolve(&self, topology: &Topology, mistakes: &mut Mistakes) -> Supervisor {
        let mut nodes: BTreeMap<usize, Vec<NodeId>> = BTreeMap::new();
        for (service, names) in &self.fallbacks {
            let found = names.iter().filter_map(|name| find_node(name, topology, mistakes)).collect();
            nodes.insert(*service, found);
        }
        let mut root = self.root.clone();
        fall_back(&mut root, &mut nodes);
        root
    }
}

/// Tells every service of a tree where it comes back.
fn fall_back(supervisor: &mut Supervisor, nodes: &mut BTreeMap<usize, Vec<NodeId>>) {
    for spec in &mut supervisor.children {
        match &mut spec.child {
            Child::Service(service) => spec.fallback = nodes.remove(service).unwrap_or_default(),
            Child::Supervisor(below) => fall_back(below, nodes),
        }
    }
}

/// What is known of a tree while it is read.
struct Reader<'s> {
    services: &'s [Service],
    indices: &'s BTreeMap<String, usize>,
    /// Where each is named, by its name.
    supervisors: BTreeMap<String, Span>,
    /// Where each is named, by its position.
    supervised: BTreeMap<usize, Span>,
    fallbacks: BTreeMap<usize, Vec<Spanned<String>>>,
}

impl Reader<'_> {
    /// Reads what every supervisor says, the root and those below it.
    fn read_supervisor(
        &mut self,
        fields: &mut Fields<'_>,
        depth: usize,
        mistakes: &mut Mistakes,
    ) -> Option<Supervisor> {
        let name = fields.required("name", "\"root\"", mistakes).and_then(|raw| self.read_name(raw, mistakes));
        let strategy = fields.optional("strategy", mistakes);
        let strategy = strategy.and_then(|raw| raw.choice("a strategy", &STRATEGIES, mistakes));
        let default = Intensity::default();
        let restarts = fields.optional("restarts", mistakes).and_then(|raw| raw.whole(0, MOST_RESTARTS, mistakes));
        let period = fields.optional("period", mistakes).and_then(|raw| raw.some_time("a period", mistakes));
        let backoff = fields.optional("backoff", mistakes).and_then(|raw| read_backoff(raw, mistakes));
        let await_starts = fields.optional("await_starts", mistakes).and_then(|raw| raw.truth(mistakes));
        let children = fields.optional("children", mistakes).and_then(|raw| raw.items("a list of children", mistakes));
        let children = children.unwrap_or_default();
        let children = children.into_iter().filter_map(|raw| self.read_child(raw, depth, mistakes)).collect();
        Some(Supervisor {
            name: name?,
            strategy: strategy.unwrap_or_default(),
            intensity: Intensity {
                restarts: restarts.map_or(default.restarts, |restarts| restarts as u32),
                period: period.unwrap_or(default.period),
            },
            backoff,
            await_starts: await_starts.unwrap_or(true),
            children,
        })
    }

    fn read_name(&mut self, raw: Raw<'_>, mistakes: &mut Mistakes) -> Option<String> {
        let Spanned { value, span } = raw.name("a supervisor", mistakes)?;
        if let Some(&index) = self.indices.get(&value) {
            let mistake = Mistake::new(format!("supervisor `{}` has the name of a service", quoted(&value)));
            mistakes.add(span, mistake.first(self.services[index].name.span));
        } else if let Some(&first) = self.supervisors.get(&value) {
            duplicate(&format!("supervisor `{}`", quoted(&value)), first, span, mistakes);
        } else {
            self.supervisors.insert(value.clone(), span);
        }
        Some(value)
    }

    /// A child: `"cart"`, `(service: "cart", ...)` or `Supervisor(...)`.
    fn read_child(&mut self, raw: Raw<'_>, depth: usize, mistakes: &mut Mistakes) -> Option<ChildSpec> {
        match (raw.kind(), raw.variant()) {
            (Kind::Text, _) => {
                let name = raw.name("a service", mistakes)?;
                self.take(&name, mistakes).map(ChildSpec::service)
            }
            (Kind::Struct, _) => self.read_service(raw.fields("a child", mistakes)?, mistakes),
            (_, Some((word, rest))) if word.value == "Supervisor" => {
                if depth == MOST_DEEP {
                    let mistake = Mistake::new("supervisors lie too deep in each other");
                    mistakes.add(word.span, mistake.label(format!("the most are {MOST_DEEP} in each other")));
                    return None;
                }
                self.read_below(rest.fields("a supervisor", mistakes)?, depth + 1, mistakes)
            }
            (_, Some((word, _))) => {
                unknown_word(&word, "a child", ["Supervisor"].into_iter(), mistakes);
                None
            }
            _ => {
                raw.unexpected("a service such as `\"cart\"`, or `Supervisor(...)`", mistakes);
                None
            }
        }
    }

    fn read_service(&mut self, mut fields: Fields<'_>, mistakes: &mut Mistakes) -> Option<ChildSpec> {
        let name = fields.required("service", "\"cart\"", mistakes).and_then(|raw| raw.name("a service", mistakes));
        let restart = read_restart(&mut fields, mistakes);
        let shutdown = read_shutdown(&mut fields, mistakes);
        let queued = fields.optional("queued", mistakes);
        let queued = queued.and_then(|raw| raw.choice("a fate of queued messages", &QUEUED, mistakes));
        let nodes = fields.optional("fallback", mistakes).and_then(|raw| raw.items("a list of nodes", mistakes));
        let nodes: Vec<_> = nodes.iter().flatten().filter_map(|raw| raw.name("a node", mistakes)).collect();
        fields.finish(mistakes);
        let service = self.take(&name?, mistakes)?;
        self.fallbacks.insert(service, nodes);
        Some(ChildSpec {
            restart,
            shutdown: shutdown.unwrap_or_default(),
            queued: queued.unwrap_or_default(),
            ..ChildSpec::service(service)
        })
    }

    fn read_below(&mut self, mut fields: Fields<'_>, depth: usize, mistakes: &mut Mistakes) -> Option<ChildSpec> {
        let supervisor = self.read_supervisor(&mut fields, depth, mistakes);
        let restart = read_restart(&mut fields, mistakes);
        let shutdown = read_shutdown(&mut fields, mistakes);
        fields.finish(mistakes);
        let spec = ChildSpec::supervisor(supervisor?);
        Some(ChildSpec { restart, shutdown: shutdown.unwrap_or(spec.shutdown), ..spec })
    }

    /// The service of that name, which nobody else may have.
    fn take(&mut self, name: &Spanned<String>, mistakes: &mut Mistakes) -> Option<usize> {
        let service = find_service(name, self.indices, mistakes)?;
        if let Some(&first) = self.supervised.get(&service) {
            let mistake = Mistake::new(format!("service `{}` has two supervisors", quoted(&name.value)));
            mistakes.add(name.span, mistake.first(first));
            return None;
        }
        self.supervised.insert(service, name.span);
        Some(service)
    }
}

fn read_restart(fields: &mut Fields<'_>, mistakes: &mut Mistakes) -> Restart {
    let restart = fields.optional("restart", mistakes);
    restart.and_then(|raw| raw.choice("a kind of restart", &RESTARTS, mistakes)).unwrap_or_default()
}

/// `Kill`, `Infinity`, or for how long a child may finish what it does.
fn read_shutdown(fields: &mut Fields<'_>, mistakes: &mut Mistakes) -> Option<Shutdown> {
    let raw = fields.optional("shutdown", mistakes)?;
    match raw.kind() {
        Kind::Word => raw.choice("a shutdown", &SHUTDOWNS, mistakes),
        Kind::Text | Kind::Number => raw.quantity(mistakes).map(Shutdown::Grace),
        _ => {
            raw.unexpected("Kill, Infinity or a duration such as \"2s\"", mistakes);
            None
        }
    }
}

fn read_backoff(raw: Raw<'_>, mistakes: &mut Mistakes) -> Option<Backoff> {
    let mut fields = raw.fields("a back-off", mistakes)?;
    let first = fields.required("first", "\"100ms\"", mistakes);
    let first = first.and_then(|raw| raw.some_time("a back-off", mistakes));
    let raw = fields.required("most", "\"10s\"", mistakes);
    let most = raw.and_then(|raw| raw.some_time("a back-off", mistakes));
    let jitter = quantity_or(&mut fields, "jitter", Probability::NEVER, mistakes);
    fields.finish(mistakes);
    let (first, most) = (first?, most?);
    if most < first {
        let at = raw.map(Raw::span).unwrap_or_default();
        let mistake = Mistake::new(format!("a back-off of {most} at most that begins with {first}"));
        mistakes.add(at, mistake.label("`most` is not less than `first`"));
        return None;
    }
    Some(Backoff { first, most, jitter })
}
