//! Taking a scenario apart level by level, so that every value knows where it stands.
//!
//! ron reads a level (the fields of a struct, the elements of a list) and hands over each value
//! as the text it is written in, [`Raw`], which is taken apart in its turn. A mistake in one value
//! so leaves its neighbours to be read, and a value's place in the file is the place of its text.

use ron::Options;
use ron::extensions::Extensions;
use ron::value::RawValue;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::blank::skip_blank;
use super::mistakes::{Mistake, Mistakes, Span, quoted};
use super::syntax;

const BEGINNING: &str = "a scenario begins with `Scenario(version: 1, name: ...`";

/// How deep lists and structs may lie in each other.
const MOST_DEEP: usize = 64;

/// How parameters of actors and levels of a scenario are read: `Some` may be left out, and newtypes
/// are written as what they hold.
pub(crate) fn options() -> Options {
    Options::default()
        .with_default_extension(Extensions::IMPLICIT_SOME | Extensions::UNWRAP_NEWTYPES)
        // ron counts a list or struct and the value in it.
        .with_recursion_limit(2 * MOST_DEEP)
}

/// A value as it is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw<'a> {
    /// Without leading blanks and comments. Empty for a value that is not there.
    text: &'a str,
    /// Where it begins in the file.
    start: usize,
}

/// What sort of value a text is, by how it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Absent,
    Text,
    Number,
    Word,
    Struct,
    List,
    Map,
    Other,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Absent => "nothing",
            Kind::Text => "a text in quotes",
            Kind::Number => "a number",
            Kind::Word => "a word",
            Kind::Struct => "a struct in parentheses",
            Kind::List => "a list",
            Kind::Map => "a map in braces",
            Kind::Other => "something else",
        }
    }
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Spanned<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

impl<'a> Raw<'a> {
    /// The whole file, after a look at its grammar. `None` if ron cannot read it.
    pub(crate) fn of_file(text: &'a str, mistakes: &mut Mistakes) -> Option<Raw<'a>> {
        let grammar = options().from_str::<IgnoredAny>(text);
        // It hides whatever follows it, so that nothing else can be said of the file.
        if let Err(error) = &grammar
            && error.code == ron::Error::UnclosedBlockComment
        {
            syntax::report(error, text, 0, mistakes);
            return None;
        }
        if skip_blank(text) == text.len() {
            mistakes.add_file(Mistake::new("the file is empty").help(BEGINNING));
            return None;
        }
        // Attributes, such as `#![enable(implicit_some)]`, have had their say.
        let mut start = skip_blank(text);
        while text[start..].starts_with('#') {
            let end = text[start..].find(']').map_or(text.len(), |at| start + at + 1);
            start = end + skip_blank(&text[end..]);
        }
        let raw = Raw { text: &text[start..], start };
        if !matches!(raw.head(), "Scenario" | "(") {
            let mistake = Mistake::new(format!("the file is not a scenario: it begins with `{}`", quoted(raw.head())));
            mistakes.add(raw.span(), mistake.help(BEGINNING));
            return None;
        }
        match grammar {
            Ok(IgnoredAny) => Some(raw),
            Err(error) => {
                syntax::report(&error, text, 0, mistakes);
                None
            }
        }
    }

    fn within(self, text: &'a str) -> Raw<'a> {
        // ron hands out slices of the text it was given, so the distance is the offset.
        let offset = text.as_ptr() as usize - self.text.as_ptr() as usize;
        let blank = skip_blank(text);
        Raw { text: &text[blank..], start: self.start + offset + blank }
    }

    /// As it is written, perhaps with comments behind it.
    pub(crate) fn text(self) -> &'a str {
        self.text
    }

    pub(crate) fn start(self) -> usize {
        self.start
    }

    pub(crate) fn kind(self) -> Kind {
        let word = word_len(self.text);
        match self.text.as_bytes().first() {
            None => Kind::Absent,
            Some(b'"') => Kind::Text,
            Some(b'r') if self.text[1..].starts_with(['"', '#']) => Kind::Text,
            Some(b'(') => Kind::Struct,
            Some(b'[') => Kind::List,
            Some(b'{') => Kind::Map,
            Some(b'0'..=b'9' | b'+' | b'-' | b'.') => Kind::Number,
            Some(b'b') if self.text[1..].starts_with(['"', '\'', 'r']) && word <= 2 => Kind::Other,
            _ if word > 0 => Kind::Word,
            _ => Kind::Other,
        }
    }

    /// Its first token: all of a text, number or word, the opening bracket of anything else.
    pub(crate) fn head(self) -> &'a str {
        let len = match self.kind() {
            Kind::Absent => 0,
            Kind::Text => text_len(self.text),
            Kind::Word => word_len(self.text),
            Kind::Number => {
                self.text.find(|c: char| !(c.is_alphanumeric() || "+-._".contains(c))).unwrap_or(self.text.len())
            }
            Kind::Struct | Kind::List | Kind::Map | Kind::Other => 1,
        };
        self.text.get(..len).unwrap_or(self.text)
    }

    /// Where its first token stands.
    pub(crate) fn span(self) -> Span {
        Span::new(self.start, self.head().len())
    }

    /// Says that something else is written here than what was wanted.
    pub(crate) fn unexpected(self, wanted: &str, mistakes: &mut Mistakes) {
        let found = match self.kind() {
            Kind::Word | Kind::Number => format!("`{}`", quoted(self.head())),
            kind => kind.name().to_owned(),
        };
        mistakes.add(self.span(), Mistake::new(format!("expected {wanted}, found {found}")));
    }

    /// A text in quotes.
    pub(crate) fn string(self, wanted: &str, mistakes: &mut Mistakes) -> Option<Spanned<String>> {
        if self.kind() == Kind::Text
            && let Ok(value) = options().from_str::<String>(self.text)
        {
            return Some(Spanned { value, span: self.span() });
        }
        self.unexpected(wanted, mistakes);
        None
    }

    /// A word, perhaps with a struct or tuple behind it: `Queued`, `Star(nodes: 3)`.
    pub(crate) fn variant(self) -> Option<(Spanned<&'a str>, Raw<'a>)> {
        if self.kind() != Kind::Word {
            return None;
        }
        let (word, rest) = self.text.split_at(word_len(self.text));
        Some((Spanned { value: word, span: self.span() }, self.within(rest)))
    }

    /// The elements of a list.
    pub(crate) fn items(self, wanted: &str, mistakes: &mut Mistakes) -> Option<Vec<Raw<'a>>> {
        if self.kind() != Kind::List {
            self.unexpected(wanted, mistakes);
            return None;
        }
        match self.level() {
            Some(Level::Items(items)) => Some(items),
            _ => {
                self.unexpected(wanted, mistakes);
                None
            }
        }
    }

    /// The members of a tuple.
    pub(crate) fn members(self) -> Option<Vec<Raw<'a>>> {
        match (self.kind(), self.level()?) {
            (Kind::Struct, Level::Items(items)) => Some(items),
            _ => None,
        }
    }

    /// `Some(x)` is `x`, `None` is nothing: both may be written for what may be left out.
    pub(super) fn without_option(self) -> Option<Raw<'a>> {
        match self.variant() {
            Some((word, _)) if word.value == "None" => None,
            Some((word, rest)) if word.value == "Some" => match rest.members().as_deref() {
                Some([inner]) => Some(*inner),
                _ => Some(self),
            },
            _ => Some(self),
        }
    }

    /// Its fields or elements, if it is a struct or a list.
    pub(super) fn level(self) -> Option<Level<'a>> {
        if !matches!(self.kind(), Kind::Struct | Kind::List) {
            return None;
        }
        let mut ron = ron::Deserializer::from_str_with_options(self.text, &options()).ok()?;
        (&mut ron).deserialize_any(LevelVisitor(self)).ok()
    }
}

/// One level of the file.
pub(super) enum Level<'a> {
    /// Of a struct. None for `()`, too.
    Fields(Vec<Named<'a>>),
    /// Of a list or tuple.
    Items(Vec<Raw<'a>>),
}

/// A field as it is written.
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
    /// Of the name.
    pub(super) span: Span,
    pub(super) value: Raw<'a>,
}

struct LevelVisitor<'a>(Raw<'a>);

impl<'a> Visitor<'a> for LevelVisitor<'a> {
    type Value = Level<'a>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("fields or elements")
    }

    fn visit_unit<E>(self) -> Result<Level<'a>, E> {
        Ok(Level::Fields(Vec::new()))
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Level<'a>, A::Error> {
        let mut entries = Vec::new();
        while let Some(name) = map.next_key::<&'a str>()? {
            let start = self.0.within(name).start;
            let value = self.0.within(map.next_value::<&'a RawValue>()?.get_ron());
            entries.push(Named { name, span: Span::new(start, name.len()), value });
        }
        Ok(Level::Fields(entries))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<Level<'a>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element::<&'a RawValue>()? {
            items.push(self.0.within(item.get_ron()));
        }
        if items.is_empty() && self.0.kind() == Kind::Struct {
            return Ok(Level::Fields(Vec::new()));
        }
        Ok(Level::Items(items))
    }
}

/// How long the word is that a text begins with, or 0.
fn word_len(text: &str) -> usize {
    match text.chars().next() {
        Some(c) if c.is_alphabetic() || c == '_' => {
            text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len())
        }
        _ => 0,
    }
}

/// How long the text in quotes is, raw or not, that a text begins with. ron has found it whole.
pub(crate) fn text_len(text: &str) -> usize {
    if let Some(raw) = text.strip_prefix('r') {
        let hashes = raw.bytes().take_while(|&b| b == b'#').count();
        let close = format!("\"{}", &raw[..hashes]);
        let body = raw.get(hashes + 1..).unwrap_or("");
        return body.find(&close).map_or(text.len(), |at| 1 + hashes + 1 + at + close.len());
    }
    let mut escaped = false;
    for (at, b) in text.bytes().enumerate().skip(1) {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}
