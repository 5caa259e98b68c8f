//! What must hold of a run: the expectations of a scenario.

use rehearsal_actors::monitors::{Limit, Monitor, Rule};
use rehearsal_actors::outcome::{Interface, OutcomeKind};
use rehearsal_actors::trace::ServiceId;
use rehearsal_actors::units::SimDuration;

use crate::expectations::{Bounds, Expectation, Whose};

use super::decode::{Kind, Raw, Spanned};
use super::fields::Fields;
use super::mistakes::{Mistake, Mistakes, Span};
use super::services::find_service;
use super::strikes::Victims;
use super::values::{limited, unknown_name, unknown_word};

const MOST_EXPECTATIONS: usize = 1_000;

const EXPECTATIONS: [&str; 9] =
    ["Outcomes", "Ratio", "Latency", "Recovery", "Restarts", "Failures", "Counter", "Always", "Eventually"];
const INTERFACES: [(&str, Interface); 6] = [
    ("Mpi", Interface::Mpi),
    ("Rest", Interface::Rest),
    ("Rpc", Interface::Rpc),
    ("Raw", Interface::Raw),
    ("Event", Interface::Event),
    ("Directory", Interface::Directory),
];
const KINDS: [(&str, OutcomeKind); 10] = [
    ("Reply", OutcomeKind::Reply),
    ("Ack", OutcomeKind::Ack),
    ("Nack", OutcomeKind::Nack),
    ("Error", OutcomeKind::Error),
    ("TimedOut", OutcomeKind::TimedOut),
    ("Interrupted", OutcomeKind::Interrupted),
    ("Undelivered", OutcomeKind::Undelivered),
    ("NotUnderstood", OutcomeKind::NotUnderstood),
    ("Denied", OutcomeKind::Denied),
    ("Lost", OutcomeKind::Lost),
];

/// Reads the list of expectations. `named` is everybody who has a name.
pub(crate) fn read_expectations(raw: Raw<'_>, named: &Victims<'_>, mistakes: &mut Mistakes) -> Vec<Expectation> {
    let list = raw.items("a list of expectations", mistakes);
    let list = list.and_then(|list| limited(list, MOST_EXPECTATIONS, "expectations", mistakes));
    list.unwrap_or_default().into_iter().filter_map(|raw| read_expectation(raw, named, mistakes)).collect()
}

fn read_expectation(raw: Raw<'_>, named: &Victims<'_>, mistakes: &mut Mistakes) -> Option<Expectation> {
    let Some((word, rest)) = raw.variant() else {
        raw.unexpected("an expectation such as `Counter(name: \"orders placed\", at_least: 10)`", mistakes);
        return None;
    };
    if !EXPECTATIONS.contains(&word.value) {
        unknown_word(&word, "an expectation", EXPECTATIONS.into_iter(), mistakes);
        return None;
    }
    let fields = rest.fields("an expectation", mistakes)?;
    let mut reader = Reader { word: word.span, fields, named };
    let expectation = match word.value {
        "Outcomes" => reader.outcomes(mistakes),
        "Ratio" => reader.ratio(mistakes),
        "Latency" => reader.latency(mistakes),
        "Recovery" => reader.recovery(mistakes),
        "Restarts" => reader.restarts(mistakes),
        "Failures" => reader.failures(mistakes),
        "Counter" => reader.counter(mistakes),
        "Always" => reader.always(mistakes),
        _ => reader.eventually(mistakes),
    };
    reader.fields.finish(mistakes);
    expectation
}

/// One expectation, field by field. Each method asks for all its fields before it gives up.
struct Reader<'a, 'd> {
    /// Where it says what it is.
    word: Span,
    fields: Fields<'a>,
    named: &'d Victims<'d>,
}

impl<'a> Reader<'a, '_> {
    fn outcomes(&mut self, mistakes: &mut Mistakes) -> Option<Expectation> {
        let interface = self.interface(mistakes);
        let kinds = self.kinds(mistakes);
        let bounds = self.counts(mistakes);
        Some(Expectation::Outcomes { interface, kinds: kinds?, bounds: bounds? })
    }

    fn ratio(&mut self, mistakes: &mut Mistakes) -> Option<Expectation> {
        let interface = self.interface(mistakes);
        let kinds = self.kinds(mistakes);
        let bounds = self.bounds(|raw, mistakes| raw.quantity(mistakes), mistakes);
        Some(Expectation::Ratio { interface, kinds: kinds?, bounds: bounds? })
    }

    fn latency(&mut self, mistakes: &mut Mistakes) -> Option<Expectation> {
        let interface = self.interface(mistakes);
        let percentile = self.fields.required("percentile", "99", mistakes);
        let percentile = percentile.and_then(|raw| raw.decimal(0.0, 100.0, mistakes));
        let bounds = self.times(mistakes);
        Some(Expectation::Latency { interface, percentile: percentile?, bounds: bounds? })
    }

    fn recovery(&mut self, mistakes: &mut Mistakes) -> Option<Expectation> {
        let service = self.service(mistakes);
        let bounds = self.times(mistakes);
        Some(Expectation::Recovery { service: name(service), bounds: bounds? })
    }

    fn restarts(&mut self, mistakes: &mut Mistakes) -> Option<Expectation> {
        let service = self.service(mistakes);
        let supervisor = self.supervisor(mistakes);
        let bounds = self.counts(mistakes);
        let whose = match (name(service), supervisor) {
            (None, None) => Whose::Anybody,
            (Some(service), None) => Whose::Service(service),
            (None, Some(supervisor)) => Whose::Supervisor(supervisor.value),
            (Some(_), Some(supervisor)) => {
                let mistake = Mistake::new("restarts of a `service` or by a `supervisor`, not both");
                mistakes.add(supervisor.span, mistake.label("leave one of them out"));
                return None;
            }
        };
        Some(Expectation::Restarts { whose, bounds: bounds? })
    }

    fn failures(&mut self, mistakes: &mut Mistakes) -> Option<Expectation> {
        let service = self.service(mistakes);
        let bounds = self.counts(mistakes);
        Some(Expectation::Failures { service: name(service), bounds: bounds? })
    }

    fn counter(&mut self, mistakes: &mut Mistakes) -> Option<Expectation> {
        let counter = self.named_counter("name", mistakes);
        let service = self.service(mistakes);
        let bounds = self.counts(mistakes);
        Some(Expectation::Counter { name: counter?, service: name(service), bounds: bounds? })
    }

    fn always(&mut self, mistakes: &mut Mistakes) -> Option<Expectation> {
        let counter = self.named_counter("counter", mistakes);
        let service = self.service(mistakes);
        let least = self.fields.optional("at_least", mistakes);
        let at_least = least.and_then(|raw| read_limit(raw, mistakes));
        let most = self.fields.optional("at_most", mistakes);
        let at_most = most.and_then(|raw| read_limit(raw, mistakes));
        if let (Some(raw), Some(Limit::Number(_))) = (least, &at_least) {
            let mistake = Mistake::new("a counter begins at 0: it is not always at least a number");
            mistakes.add(raw.span(), mistake.label("name another counter, or write `Eventually` or `Counter`"));
            return None;
        }
        if least.is_none() && most.is_none() {
            self.meets_everything("`at_least` or `at_most`", mistakes);
            return None;
        }
        Some(meanwhile(counter?, service, Rule::Always { at_least, at_most }))
    }

    fn eventually(&mut self, mistakes: &mut Mistakes) -> Option<Expectation> {
        let counter = self.named_counter("counter", mistakes);
        let service = self.service(mistakes);
        let at_least = self.fields.required("at_least", "10", mistakes);
        let at_least = at_least.and_then(|raw| raw.whole(1, u64::MAX, mistakes));
        let by = self.fields.optional("by", mistakes).and_then(|raw| raw.quantity(mistakes));
        Some(meanwhile(counter?, service, Rule::Eventually { at_least: at_least?, by }))
    }

    fn interface(&mut self, mistakes: &mut Mistakes) -> Option<Interface> {
        self.fields.optional("interface", mistakes)?.choice("an interface", &INTERFACES, mistakes)
    }

    /// `kind: Reply` or `kinds: [Reply, Ack]`.
    fn kinds(&mut self, mistakes: &mut Mistakes) -> Option<Vec<OutcomeKind>> {
        let read = |raw: Raw<'_>, mistakes: &mut Mistakes| raw.choice("a kind of outcome", &KINDS, mistakes);
        let one = self.fields.optional("kind", mistakes);
        let some = self.fields.optional("kinds", mistakes);
        match (one, some) {
            (Some(raw), None) => read(raw, mistakes).map(|kind| vec![kind]),
            (None, Some(raw)) => {
                let items = raw.items("a list of kinds of outcome", mistakes)?;
                if items.is_empty() {
                    mistakes.add(raw.span(), Mistake::new("outcomes of no kind").label("write `[Reply, Ack]`"));
                    return None;
                }
                let kinds: Vec<_> = items.into_iter().map(|raw| read(raw, mistakes)).collect();
                kinds.into_iter().collect()
            }
            (Some(_), Some(raw)) => {
                let mistake = Mistake::new("`kind` is for one kind of outcome, `kinds` for several");
                mistakes.add(raw.span(), mistake.label("leave one of them out"));
                None
            }
            (None, None) => {
                let mistake = Mistake::new("an expectation of outcomes of which kind?");
                mistakes.add(self.word, mistake.label("add `kind: Reply` or `kinds: [Reply, Ack]`"));
                None
            }
        }
    }

    /// The service that is named, with its position.
    fn service(&mut self, mistakes: &mut Mistakes) -> Option<(String, ServiceId)> {
        let name = self.fields.optional("service", mistakes)?.name("a service", mistakes)?;
        let position = find_service(&name, self.named.services, mistakes)?;
        Some((name.value, ServiceId::at(position as u32)))
    }

    fn supervisor(&mut self, mistakes: &mut Mistakes) -> Option<Spanned<String>> {
        let name = self.fields.optional("supervisor", mistakes)?.name("a supervisor", mistakes)?;
        let supervisors = || self.named.supervision.iter().flat_map(|tree| tree.names());
        if supervisors().all(|supervisor| supervisor != name.value) {
            unknown_name(&name, "supervisor", supervisors(), mistakes);
        }
        Some(name)
    }

    fn named_counter(&mut self, field: &'static str, mistakes: &mut Mistakes) -> Option<String> {
        let raw = self.fields.required(field, "\"orders placed\"", mistakes)?;
        raw.name("a counter", mistakes).map(|name| name.value)
    }

    fn times(&mut self, mistakes: &mut Mistakes) -> Option<Bounds<SimDuration>> {
        self.bounds(|raw, mistakes| raw.quantity(mistakes), mistakes)
    }

    /// `at_least` and `at_most`, or `exactly`.
    fn counts(&mut self, mistakes: &mut Mistakes) -> Option<Bounds<u64>> {
        let read = |raw: Raw<'a>, mistakes: &mut Mistakes| raw.whole(0, u64::MAX, mistakes);
        let Some(exactly) = self.fields.optional("exactly", mistakes) else {
            return self.bounds(read, mistakes);
        };
        for other in ["at_least", "at_most"] {
            if let Some(raw) = self.fields.optional(other, mistakes) {
                let mistake = Mistake::new(format!("`exactly` leaves no room for `{other}`"));
                mistakes.add(raw.span(), mistake.label("leave one of them out"));
            }
        }
        let number = read(exactly, mistakes)?;
        Some(Bounds { at_least: Some(number), at_most: Some(number) })
    }

    /// `at_least` and `at_most`, one of which must be there.
    fn bounds<T: Copy + PartialOrd>(
        &mut self,
        read: impl Fn(Raw<'a>, &mut Mistakes) -> Option<T>,
        mistakes: &mut Mistakes,
    ) -> Option<Bounds<T>> {
        let least = self.fields.optional("at_least", mistakes);
        let most = self.fields.optional("at_most", mistakes);
        let at_least = least.and_then(|raw| read(raw, mistakes));
        let at_most = most.and_then(|raw| read(raw, mistakes));
        match (least, most) {
            (None, None) => {
                self.meets_everything("`at_least` or `at_most`", mistakes);
                return None;
            }
            (Some(_), Some(most)) if at_least.zip(at_most).is_some_and(|(least, most)| least > most) => {
                let mistake = Mistake::new("no value is as large and as small as this");
                mistakes.add(most.span(), mistake.label("`at_most` is not less than `at_least`"));
                return None;
            }
            _ => {}
        }
        Some(Bounds { at_least, at_most })
    }

    fn meets_everything(&self, add: &str, mistakes: &mut Mistakes) {
        let mistake = Mistake::new("an expectation that every run meets");
        mistakes.add(self.word, mistake.label(format!("add {add}")));
    }
}

fn name(service: Option<(String, ServiceId)>) -> Option<String> {
    service.map(|(name, _)| name)
}

fn meanwhile(counter: String, service: Option<(String, ServiceId)>, rule: Rule) -> Expectation {
    let (service, id) = service.unzip();
    Expectation::Meanwhile { monitor: Monitor { counter, service: id, rule }, service }
}

/// A number, or the name of another counter.
fn read_limit(raw: Raw<'_>, mistakes: &mut Mistakes) -> Option<Limit> {
    match raw.kind() {
        Kind::Text => raw.name("a counter", mistakes).map(|name| Limit::Counter(name.value)),
        Kind::Number => raw.whole(0, u64::MAX, mistakes).map(Limit::Number),
        _ => {
            raw.unexpected("a number or the name of a counter in quotes", mistakes);
            None
        }
    }
}
