//! Whom faults and policies kill.

use std::collections::BTreeMap;

use rehearsal_actors::changes::{Change, Policy};
use rehearsal_actors::trace::ServiceId;

use super::decode::{Raw, Spanned};
use super::fields::Fields;
use super::mistakes::{Mistake, Mistakes, Span, quoted};
use super::policies::read_every;
use super::services::find_service;
use super::supervision::Tree;
use super::values::unknown_name;

/// Everybody who can be killed by name.
pub(crate) struct Victims<'d> {
    pub(crate) services: &'d BTreeMap<String, usize>,
    pub(crate) supervision: Option<&'d Tree>,
}

impl Victims<'_> {
    /// The kill of one of them; if there is nobody of that name, a mistake.
    pub(super) fn kill(&self, name: &Spanned<String>, mistakes: &mut Mistakes) -> Option<Change> {
        if let Some(&service) = self.services.get(&name.value) {
            return Some(Change::Kill(ServiceId::at(service as u32)));
        }
        let supervisors = || self.supervision.iter().flat_map(|tree| tree.names());
        if supervisors().any(|supervisor| supervisor == name.value) {
            return Some(Change::KillSupervisor(name.value.clone()));
        }
        let services = self.services.keys().map(String::as_str);
        unknown_name(name, "service or supervisor", services.chain(supervisors()), mistakes);
        None
    }

    /// Reads `Kill(every: "5s", chance: 0.1, services: ["cart"])`.
    pub(super) fn read_policy(&self, raw: Raw<'_>, mistakes: &mut Mistakes) -> Option<Policy> {
        let mut fields = raw.fields("a kill", mistakes)?;
        let every = read_every(&mut fields, mistakes);
        let chance = fields.required("chance", "0.1", mistakes).and_then(|raw| raw.quantity(mistakes));
        let services = self.read_services(&mut fields, mistakes);
        fields.finish(mistakes);
        Some(Policy::Kill { every: every?, chance: chance?, services })
    }

    /// The services that are named, or all.
    fn read_services(&self, fields: &mut Fields<'_>, mistakes: &mut Mistakes) -> Vec<ServiceId> {
        let Some(raw) = fields.optional("services", mistakes) else {
            return (0..self.services.len()).map(|position| ServiceId::at(position as u32)).collect();
        };
        let items = raw.items("a list of services", mistakes);
        if items.as_ref().is_some_and(Vec::is_empty) {
            mistakes.add(raw.span(), Mistake::new("a kill of nobody").label("name services, or leave it out for all"));
        }
        let mut first_named: BTreeMap<usize, Span> = BTreeMap::new();
        let mut services = Vec::new();
        for item in items.unwrap_or_default() {
            let Some(name) = item.name("a service", mistakes) else {
                continue;
            };
            let Some(service) = find_service(&name, self.services, mistakes) else {
                continue;
            };
            if let Some(first) = first_named.insert(service, name.span) {
                let mistake = Mistake::new(format!("service `{}` is named twice", quoted(&name.value)));
                mistakes.add(name.span, mistake.first(first));
            }
            services.push(ServiceId::at(service as u32));
        }
        services
    }
}

/// The one name in `NodeCrash("edge-1")`, `Kill("cart")`.
pub(super) fn read_one_name(
    word: &Spanned<&str>,
    raw: Raw<'_>,
    what: &str,
    example: &str,
    mistakes: &mut Mistakes,
) -> Option<Spanned<String>> {
    match raw.members().as_deref() {
        Some([name]) => name.name(what, mistakes),
        _ => {
            let one = what.split_once(' ').map_or(what, |(_, noun)| noun);
            let mistake = Mistake::new(format!("`{}` names one {one}", word.value));
            mistakes.add(word.span, mistake.label(format!("write `{}(\"{example}\")`", word.value)));
            None
        }
    }
}
