//! Text that keeps to its place, whatever is in it.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What stands for what was cut off.
const ELLIPSIS: char = '…';

/// Keeps what stands before it and what stands behind it on one line.
pub(crate) const NO_BREAK: char = '\u{a0}';
/// More bytes than this in a column are no writing, but marks heaped on each other without end.
const MOST_BYTES: usize = 64;

/// How many columns of a terminal `text` takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// `text` without what would move the cursor, colour the terminal or turn the line around: control
/// characters and those that override the direction of writing become a replacement character,
/// line breaks and tabs a blank.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    if !text.contains(disturbs) {
        return Cow::Borrowed(text);
    }
    let calm = |c: char| match c {
        '\n' | '\r' | '\t' => ' ',
        c if disturbs(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    Cow::Owned(text.chars().map(calm).collect())
}

/// Control characters, line and paragraph separators, and the bidirectional overrides, embeddings
/// and isolates of Unicode.
fn disturbs(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text`, cleaned, in at most `columns` columns: what is too long ends in an ellipsis.
pub(crate) fn fit(text: &str, columns: usize) -> String {
    let text = clean(text);
    if width(&text) <= columns {
        return text.into_owned();
    }
    if columns == 0 {
        return String::new();
    }
    let mut kept = head(&text, columns - 1).trim_end().to_owned();
    kept.push(ELLIPSIS);
    kept
}

/// The longest beginning of `text` that takes at most `columns` columns.
fn head(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        // The width of a whole text may differ from the sum over its characters (joined emoji), so
        // the sum decides and the whole is asked again.
        let so_far = &text[..at + c.len_utf8()];
        if used > columns || so_far.len() > columns * MOST_BYTES || width(so_far) > columns {
            return &text[..at];
        }
    }
    text
}

/// `text`, cleaned and broken at blanks into lines of at most `columns` columns; words too long for
/// a line are broken where it ends. No line breaks at a no-break space, which is set as a blank.
/// There are at most `lines` lines: the last then ends in an ellipsis.
pub(crate) fn wrap(text: &str, columns: usize, lines: usize) -> Vec<String> {
    let columns = columns.max(2);
    let text = clean(text);
    let mut rest = text.trim();
    let mut set = Vec::new();
    while width(rest) > columns && set.len() + 1 < lines {
        let full = head(rest, columns);
        // A blank right behind the line is as good a place as one within it.
        let end = match rest[full.len()..].starts_with(' ') {
            true => full.len(),
            false => full.rfind(' ').filter(|&at| at > 0).unwrap_or(full.len()),
        };
        // A character wider than the line still has to go somewhere.
        let end = if end == 0 { rest.chars().next().map_or(rest.len(), char::len_utf8) } else { end };
        set.push(rest[..end].trim_end());
        rest = rest[end..].trim_start();
    }
    let last = fit(rest, columns);
    set.push(&last);
    set.iter().map(|line| line.replace(NO_BREAK, " ")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_too_long_ends_in_an_ellipsis() {
        assert_eq!(fit("frontend", 8), "frontend");
        assert_eq!(fit("frontend", 7), "fronte…");
        assert_eq!(fit("frontend", 1), "…");
        assert_eq!(fit("frontend", 0), "");
    }

    #[test]
    fn wide_characters_count_twice() {
        // Two columns each: three of them and the ellipsis take 7 of the 8.
        assert_eq!(fit("購物車服務", 8), "購物車…");
        assert_eq!(width("購物車…"), 7);
    }

    #[test]
    fn nothing_in_a_name_reaches_the_terminal_as_a_command() {
        assert_eq!(fit("a\u{1b}[31mb\nc\td\u{202e}e", 80), "a\u{fffd}[31mb c d\u{fffd}e");
    }

    #[test]
    fn lines_break_at_blanks_and_long_words_at_the_edge() {
        assert_eq!(wrap("one two three", 7, 9), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 5, 9), ["abcde", "fgh", "ij"]);
        assert_eq!(wrap("one two three four", 7, 2), ["one two", "three…"]);
        assert_eq!(wrap("12\u{a0}lost, 3\u{a0}sent", 10, 9), ["12 lost,", "3 sent"]);
        assert_eq!(wrap("", 7, 2), [""]);
    }

    proptest! {
        #[test]
        fn no_text_is_ever_wider_than_its_place(text in any::<String>(), columns in 2usize..90, lines in 1usize..5) {
            prop_assert!(width(&fit(&text, columns)) <= columns);
            let set = wrap(&text, columns, lines);
            prop_assert!(set.len() <= lines);
            for line in set {
                prop_assert!(width(&line) <= columns, "{line:?}");
            }
        }
    }
}
