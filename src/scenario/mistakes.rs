//! Collecting the mistakes of a file, and showing them where they stand.

use std::fmt;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::source::Source;
use crate::typeset::clean;

/// How many mistakes are printed.
const MOST_SHOWN: usize = 20;
/// How many are kept, to be put in the order of the file. The rest is only counted.
const MOST_KEPT: usize = 1_000;
/// How many unknown names are compared with the known ones.
const MOST_SUGGESTIONS: usize = 100;
/// With how many known names each is compared.
const MOST_CANDIDATES: usize = 20_000;
/// A longer line is cut before it is laid out. (The layout shortens shorter ones as it needs.)
const LONG_LINE: usize = 1_000;
/// How much of such a line is shown, and how much of that before the mistake.
const EXCERPT: usize = 120;
const EXCERPT_BEFORE: usize = 40;
/// A longer piece of the file is shortened where it is quoted.
const MOST_QUOTED: usize = 60;

/// What actors say of their parameters is cut at this length.
const MOST_SAID: usize = 400;

/// A stretch of a file, in bytes. Files are small enough for 32 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    pub(crate) fn new(start: usize, len: usize) -> Self {
        Span { start: start as u32, end: (start + len) as u32 }
    }
    pub(crate) fn start(self) -> usize {
        self.start as usize
    }
    pub(crate) fn end(self) -> usize {
        self.end as usize
    }
}

/// Where a mistake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// In the file as a whole.
    File,
    /// At a line and column of a file whose text cannot be shown.
    At(usize, usize),
    /// Here.
    Span(Span),
}

/// One mistake: what is wrong, where, and what would be right.
#[derive(Clone, Debug)]
pub struct Mistake {
    place: Place,
    message: String,
    label: Option<String>,
    help: Option<String>,
    /// Where the same thing stands already.
    first: Option<Span>,
}

impl Mistake {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Mistake { place: Place::File, message: message.into(), label: None, help: None, first: None }
    }

    /// An error of the ground floor, which speaks as [`Mistake::with_advice`] expects.
    pub(crate) fn from_error(error: &dyn std::error::Error) -> Self {
        Mistake::with_advice(&error.to_string())
    }

    /// What is wrong, and after a semicolon what to do.
    pub(crate) fn with_advice(text: &str) -> Self {
        match text.split_once("; ") {
            Some((wrong, right)) => Mistake::new(wrong).help(right),
            None => Mistake::new(text),
        }
    }

    pub(crate) fn at(mut self, line: usize, column: usize) -> Self {
        self.place = Place::At(line, column);
        self
    }

    /// What stands beside the marks under the offending text.
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Where that was declared which is now declared again.
    pub(crate) fn first(mut self, first: Span) -> Self {
        self.first = Some(first);
        self
    }

    /// What is wrong, in one line.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What would be right, as far as that is known.
    pub fn advice(&self) -> impl Iterator<Item = &str> {
        self.label.as_deref().into_iter().chain(self.help.as_deref())
    }
}

/// Everything that is wrong with a scenario, in the order of the file.
///
/// It prints as people know it from compilers: the message, the file with line and column, the
/// offending text, and what would be right. At most 20 mistakes are printed in full; the last line
/// says how many there are.
///
/// ```
/// use rehearsal::registry::Registry;
/// use rehearsal::scenario::Scenario;
///
/// let text = r#"Scenario(version: 1, name: "tiny", sead: 7, network: Star(nodes: 3))"#;
/// let mistakes = Scenario::parse("tiny.ron", text, &Registry::stock()).unwrap_err();
/// assert_eq!(mistakes.count(), 1);
/// let text = mistakes.to_string();
/// assert!(text.contains("unknown field `sead`"));
/// assert!(text.contains("tiny.ron:1:36"));
/// assert!(text.contains("did you mean `seed`?"));
/// ```
pub struct Mistakes {
    source: Arc<Source>,
    kept: Vec<Mistake>,
    dropped: usize,
    suggestions: usize,
}

impl Mistakes {
    /// None so far.
    pub(crate) fn none(source: Arc<Source>) -> Self {
        Mistakes { source, kept: Vec::new(), dropped: 0, suggestions: 0 }
    }

    /// One mistake about a file of which there is no text to show.
    pub(crate) fn of_file(name: &str, mistake: Mistake) -> Self {
        let source = Source { name: name.to_owned(), text: String::new() };
        Mistakes { source: Arc::new(source), kept: vec![mistake], dropped: 0, suggestions: 0 }
    }

    /// Adds a mistake about a stretch of the file.
    pub(crate) fn add(&mut self, span: Span, mistake: Mistake) {
        self.add_file(Mistake { place: Place::Span(span), ..mistake });
    }

    /// Adds a mistake about the file as a whole.
    pub(crate) fn add_file(&mut self, mistake: Mistake) {
        if self.kept.len() < MOST_KEPT {
            self.kept.push(mistake);
        } else {
            self.dropped += 1;
        }
    }

    /// The known name that an unknown one resembles: ready to be a label.
    pub(crate) fn suggest<'n>(&mut self, unknown: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
        if unknown.len() > MOST_QUOTED || !self.may_suggest() {
            return None;
        }
        did_you_mean(unknown, known.take(MOST_CANDIDATES))
    }

    /// Whether to look once more through everything there is for what might have been meant. A file
    /// with very many mistakes must not keep its reader waiting.
    pub(crate) fn may_suggest(&mut self) -> bool {
        self.suggestions += 1;
        self.suggestions <= MOST_SUGGESTIONS
    }

    /// `Ok` if there are none, else all of them in the order of the file.
    pub(crate) fn into_result(mut self) -> Result<(), Mistakes> {
        if self.is_empty() {
            return Ok(());
        }
        self.kept.sort_by_key(|mistake| mistake.place);
        Err(self)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// How many there are; at least one, if they were returned as an error.
    pub fn count(&self) -> usize {
        self.kept.len() + self.dropped
    }

    /// Each mistake (the first thousand, if there are more), in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.kept.iter()
    }

    /// The line and the column, both from 1 and the column in characters, of a mistake of these;
    /// `None` if it concerns the file as a whole.
    pub fn position(&self, mistake: &Mistake) -> Option<(usize, usize)> {
        match mistake.place {
            Place::File => None,
            Place::At(line, column) => Some((line, column)),
            Place::Span(span) => Some(self.source.line_and_column(span.start())),
        }
    }

    /// The text to print, in colour for a terminal or plain. [`Display`](fmt::Display) is plain.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let mut text = String::new();
        for mistake in self.kept.iter().take(MOST_SHOWN) {
            text.push_str(&self.show(mistake, &renderer));
            text.push_str("\n\n");
        }
        let hidden = self.count().saturating_sub(MOST_SHOWN);
        let name = quoted(&self.source.name);
        match self.count() {
            1 => text.push_str(&format!("1 mistake in {name}")),
            count if hidden == 0 => text.push_str(&format!("{count} mistakes in {name}")),
            count => text.push_str(&format!("and {hidden} more; {count} mistakes in {name}")),
        }
        text
    }

    fn show(&self, mistake: &Mistake, renderer: &Renderer) -> String {
        let title = Level::ERROR.primary_title(mistake.message.as_str());
        // The renderer shows the file's text harmlessly, but not its path.
        let name = clean(&self.source.name);
        let mut group = Group::with_title(title);
        match mistake.place {
            Place::File => group = group.element(Origin::path(&*name)),
            Place::At(line, column) => {
                group = group.element(Origin::path(&*name).line(line).char_column(column));
            }
            Place::Span(span) => {
                let excerpt = Excerpt::around(&self.source, span);
                let mut annotation = AnnotationKind::Primary.span(excerpt.from..excerpt.to);
                if let Some(first) = mistake.first {
                    let (line, column) = self.source.line_and_column(first.start());
                    annotation = annotation.label(format!("it is already there at {line}:{column}"));
                } else if let Some(label) = &mistake.label {
                    annotation = annotation.label(label.as_str());
                }
                let snippet = Snippet::source(excerpt.text).line_start(excerpt.line).annotation(annotation);
                group = if excerpt.whole_line {
                    group.element(snippet.path(&*name))
                } else {
                    let origin = Origin::path(&*name).line(excerpt.line).char_column(excerpt.column);
                    group.element(origin).element(snippet)
                };
            }
        }
        if let Some(help) = &mistake.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl fmt::Debug for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Mistakes {}

/// The line of a mistake, or what fits of it.
struct Excerpt<'a> {
    text: &'a str,
    line: usize,
    column: usize,
    /// The offending bytes within `text`.
    from: usize,
    to: usize,
    whole_line: bool,
}

impl<'a> Excerpt<'a> {
    fn around(source: &'a Source, span: Span) -> Self {
        let text = source.text.as_str();
        let (line, column) = source.line_and_column(span.start());
        let line_start = text[..span.start()].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[span.start()..].find('\n').map_or(text.len(), |at| span.start() + at);
        let (mut start, mut end) = (line_start, line_end);
        let whole_line = line_end - line_start <= LONG_LINE;
        if !whole_line {
            start = floor(text, line_start.max(span.start().saturating_sub(EXCERPT_BEFORE)));
            end = floor(text, line_end.min(start + EXCERPT));
        }
        let from = span.start().min(end) - start;
        let to = span.end().min(end).max(span.start()) - start;
        Excerpt { text: &text[start..end], line, column, from, to: to.max(from), whole_line }
    }
}

/// The last character boundary up to a place.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A piece of the file, fit for a message: on one line and not too long.
pub(crate) fn quoted(text: &str) -> String {
    one_line(text, MOST_QUOTED)
}

/// What somebody else has to say, on one line and not endless.
pub(crate) fn said(text: &str) -> String {
    one_line(text, MOST_SAID)
}

fn one_line(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for (place, c) in text.chars().enumerate() {
        if place == most {
            shown.push_str("...");
            break;
        }
        match c {
            '\'' | '"' | '\\' => shown.push(c),
            // Line breaks, control characters and what cannot be printed.
            _ => shown.extend(c.escape_debug()),
        }
    }
    shown
}

/// The known name that an unknown one resembles, if there are few to compare it with.
pub(crate) fn did_you_mean<'n>(unknown: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    nearest(unknown, known).map(|name| format!("did you mean `{}`?", quoted(name)))
}

/// The candidate that differs from a name by few enough slips: one in three characters.
fn nearest<'n>(name: &str, candidates: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let most = name.chars().count().max(3) / 3;
    let distance = |candidate: &str| {
        if candidate.len().abs_diff(name.len()) > 2 * most + 2 {
            return usize::MAX;
        }
        strsim::damerau_levenshtein(&name.to_lowercase(), &candidate.to_lowercase())
    };
    candidates.map(|c| (distance(c), c)).filter(|&(d, _)| d <= most).min_by_key(|&(d, _)| d).map(|(_, c)| c)
}
