//! The fields of a struct: asked for by name, and those that nobody asks for.

use super::decode::{Kind, Level, Named, Raw};
use super::mistakes::{Mistake, Mistakes, Span, quoted};

impl<'a> Raw<'a> {
    /// The fields of a struct. What is not there, as behind `Heal`, has none.
    pub(crate) fn fields(self, what: &'static str, mistakes: &mut Mistakes) -> Option<Fields<'a>> {
        let fields = |entries: Vec<Named<'a>>| {
            Some(Fields {
                what,
                at: self.span(),
                entries: entries.into_iter().map(|entry| (entry, false)).collect(),
                asked: Vec::new(),
            })
        };
        match (self.kind(), self.level()) {
            (Kind::Absent, _) => fields(Vec::new()),
            (Kind::Struct, Some(Level::Fields(entries))) => fields(entries),
            (Kind::Struct, Some(Level::Items(items))) => {
                let at = items.first().map_or(self, |first| *first).span();
                let mistake = Mistake::new(format!("{what} has fields with names")).label("write `name: value`");
                mistakes.add(at, mistake);
                None
            }
            _ => {
                self.unexpected(&format!("{what} in parentheses"), mistakes);
                None
            }
        }
    }
}

/// The fields of a struct, to be asked for one by one. What nobody asked for is unknown.
pub(crate) struct Fields<'a> {
    /// `a link`: the struct in the words of the messages.
    what: &'static str,
    at: Span,
    /// And whether anybody asked for them.
    entries: Vec<(Named<'a>, bool)>,
    asked: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// True if nothing is written between the parentheses.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A field that may be left out.
    pub(crate) fn optional(&mut self, name: &'static str, mistakes: &mut Mistakes) -> Option<Raw<'a>> {
        self.asked.push(name);
        let mut value = None;
        let mut given = false;
        for (entry, used) in self.entries.iter_mut().filter(|(entry, _)| entry.name == name) {
            *used = true;
            if given {
                mistakes
                    .add(entry.span, Mistake::new(format!("`{name}` is given twice")).label("leave one of them out"));
            } else {
                given = true;
                value = entry.value.without_option();
            }
        }
        value
    }

    /// A field that must be there.
    pub(crate) fn required(&mut self, name: &'static str, example: &str, mistakes: &mut Mistakes) -> Option<Raw<'a>> {
        let value = self.optional(name, mistakes);
        if value.is_none() {
            let message = format!("{} lacks the field `{name}`", self.what);
            mistakes.add(self.at, Mistake::new(message).help(format!("add `{name}: {example}`")));
        }
        value
    }

    /// Says which fields are unknown, now that all that there are have been asked for.
    pub(crate) fn finish(self, mistakes: &mut Mistakes) {
        for (entry, _) in self.entries.iter().filter(|(_, used)| !used) {
            let mut mistake = Mistake::new(format!("unknown field `{}` in {}", quoted(entry.name), self.what));
            if let Some(label) = mistakes.suggest(entry.name, self.asked.iter().copied()) {
                mistake = mistake.label(label);
            }
            let help = match self.asked.is_empty() {
                true => format!("{} has no fields", self.what),
                false => format!("the fields are {}", self.asked.join(", ")),
            };
            mistakes.add(entry.span, mistake.help(help));
        }
    }
}
