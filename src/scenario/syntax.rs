//! What ron says, in the words of someone who writes a scenario.

use ron::error::{Error, SpannedError};

use super::blank::unclosed_comment;
use super::decode::text_len;
use super::mistakes::{Mistake, Mistakes, Span, did_you_mean, quoted, said};
use super::source::Source;

/// Adds what ron found wrong with `text`, which begins at `base` in the file.
pub(crate) fn report(error: &SpannedError, text: &str, base: usize, mistakes: &mut Mistakes) {
    let stop = Source::offset(text, error.span.end.line, error.span.end.col);
    let (start, len) = place(&error.code, text, stop);
    mistakes.add(Span::new(base + start, len), translate(&error.code, &text[start..]));
}

/// What is wrong, without a place.
pub(crate) fn message(error: &SpannedError) -> String {
    translate(&error.code, "()").message().to_owned()
}

/// Where the offending text is: ron names the place where it stopped reading, which for a wrong
/// name is just behind that name.
fn place(error: &Error, text: &str, stop: usize) -> (usize, usize) {
    let name = match error {
        Error::NoSuchStructField { found, .. } | Error::NoSuchEnumVariant { found, .. } => Some(found.as_str()),
        Error::DuplicateStructField { field, .. } => Some(*field),
        Error::MissingStructField { .. } => return (0, token_len(text)),
        // ron has gone on to the end of the file.
        Error::UnclosedBlockComment => return unclosed_comment(text).map_or((stop, 0), |at| (at, "/*".len())),
        _ => None,
    };
    if let Some(name) = name
        && let Some(at) = text[..stop].rfind(name)
    {
        return (at, name.len());
    }
    if text[stop..].trim_end().is_empty() {
        // Behind the last that is written, not on the empty line after it.
        return (text.trim_end().len(), 0);
    }
    let before = &text[..stop];
    match error {
        // Here ron has gone past the opening quote.
        Error::ExpectedStringEnd if before.ends_with('"') => return (stop - 1, 1),
        Error::ExpectedComma if is_quantity(before, &text[stop..]) => {
            let start = before.trim_end_matches(|c: char| c.is_ascii_digit() || ".-+".contains(c)).len();
            let rest = &text[stop..];
            let end = rest.find(|c: char| !(c.is_alphanumeric() || "._".contains(c))).unwrap_or(rest.len());
            return (start, stop - start + end);
        }
        _ => {}
    }
    match text[stop..].chars().next() {
        // A value of the wrong type has been read when it is found to be wrong.
        Some(',' | ')' | ']' | '}' | '\n') | None if is_about_a_value(error) => {
            let before = before.trim_end();
            let start = before.rfind([' ', ':', ',', '(', '[', '\n']).map_or(0, |at| at + 1);
            (start, before.len() - start)
        }
        _ => (stop, token_len(&text[stop..])),
    }
}

fn is_about_a_value(error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidValueForType { .. }
            | Error::ExpectedDifferentLength { .. }
            | Error::IntegerOutOfBounds
            | Error::Message(_)
    )
}

fn token_len(text: &str) -> usize {
    if text.starts_with('"') {
        return text_len(text);
    }
    let word = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    word.max(text.chars().next().map_or(0, char::len_utf8))
}

fn translate(error: &Error, rest: &str) -> Mistake {
    match error {
        Error::NoSuchStructField { expected, found, .. } => {
            let mistake = Mistake::new(format!("unknown field `{}`", quoted(found)));
            one_of(mistake, found, expected, "fields")
        }
        Error::NoSuchEnumVariant { expected, found, .. } => {
            let mistake = Mistake::new(format!("unknown choice `{}`", quoted(found)));
            one_of(mistake, found, expected, "choices")
        }
        Error::MissingStructField { field, .. } => Mistake::new(format!("the field `{field}` is missing")),
        Error::DuplicateStructField { field, .. } => {
            Mistake::new(format!("`{field}` is given twice")).label("leave one of them out")
        }
        Error::ExceededRecursionLimit => {
            Mistake::new("lists and structs lie too deep in each other").label("this is more than 64 levels deep")
        }
        Error::Eof
        | Error::ExpectedComma
        | Error::ExpectedArrayEnd
        | Error::ExpectedMapEnd
        | Error::ExpectedStructLikeEnd
        | Error::ExpectedOptionEnd
            if rest.trim().is_empty() =>
        {
            Mistake::new("the file ends too early").label("a closing bracket or more is missing")
        }
        Error::ExpectedComma if is_fraction(rest) => Mistake::new("expected a whole number"),
        Error::ExpectedComma if has_unit(rest) => {
            Mistake::new("a number with a unit is written in quotes").help("write \"50s\", \"10Mbit/s\", \"64KiB\"")
        }
        Error::UnclosedBlockComment => {
            Mistake::new("a comment is never closed").label("it begins here, and its `*/` is missing")
        }
        Error::TrailingCharacters => {
            Mistake::new("something follows the end of the scenario").label("the scenario ended before this")
        }
        Error::UnexpectedChar('}') | Error::UnexpectedChar(')') | Error::UnexpectedChar(']') => {
            Mistake::new("a value is missing").label("expected a value before this")
        }
        Error::InvalidValueForType { expected, found } => {
            Mistake::new(format!("expected {}, found {}", quoted(expected), quoted(found)))
        }
        Error::ExpectedDifferentLength { expected, found } => {
            Mistake::new(format!("expected {}, found {found} of them", quoted(expected)))
        }
        Error::Message(message) | Error::Io(message) => Mistake::with_advice(&said(message)),
        other => match plain(other) {
            Some(text) => Mistake::new(text),
            None => Mistake::new(lower_case(&other.to_string())),
        },
    }
}

fn plain(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::ExpectedComma => "expected a comma or a closing bracket",
        Error::ExpectedMapColon => "expected a colon and a value",
        Error::ExpectedArray => "expected a list: `[...]`",
        Error::ExpectedArrayEnd => "expected `]`, the end of the list",
        Error::ExpectedMap => "expected a map: `{...}`",
        Error::ExpectedMapEnd => "expected `}`, the end of the map",
        Error::ExpectedStructLike | Error::ExpectedNamedStructLike(_) => "expected a struct: `(...)`",
        Error::ExpectedStructLikeEnd | Error::ExpectedOptionEnd => "expected `)`, the end of the struct",
        Error::ExpectedUnit => "expected nothing but `()`",
        Error::ExpectedBoolean => "expected true or false",
        Error::ExpectedInteger => "expected a whole number",
        Error::ExpectedFloat => "expected a number",
        Error::ExpectedString => "expected a text in quotes",
        Error::ExpectedStringEnd => "a text in quotes is not closed",
        Error::ExpectedChar => "expected a character in single quotes",
        Error::ExpectedIdentifier => "expected a name",
        Error::IntegerOutOfBounds => "the number is out of bounds",
        _ => return None,
    })
}

fn one_of(mistake: Mistake, found: &str, known: &[&str], what: &str) -> Mistake {
    let mistake = match did_you_mean(found, known.iter().copied()) {
        Some(label) => mistake.label(label),
        None => mistake,
    };
    match known {
        [] => mistake.help(format!("there are no {what}")),
        known => mistake.help(format!("the {what} are {}", known.join(", "))),
    }
}

/// True between `50` and `s`, and between `1` and `.5`.
fn is_quantity(before: &str, rest: &str) -> bool {
    before.ends_with(|c: char| c.is_ascii_digit()) && rest.starts_with(|c: char| c.is_alphabetic() || c == '.')
}

/// True for `1.5` where ron wanted no more than the `1`.
fn is_fraction(text: &str) -> bool {
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    digits.len() < text.len() && digits.starts_with('.')
}

/// True for `50s`.
fn has_unit(text: &str) -> bool {
    let token = &text[..token_len(text)];
    token.starts_with(|c: char| c.is_ascii_digit()) && token.ends_with(char::is_alphabetic)
}

fn lower_case(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
}
