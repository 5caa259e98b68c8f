//! White space and comments: what a scenario may have between any two words.

use super::decode::text_len;

/// How many bytes of white space and comments a text begins with.
pub(crate) fn skip_blank(text: &str) -> usize {
    let mut rest = text;
    loop {
        // Direction marks count as white space in RON.
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '\u{200e}' | '\u{200f}'));
        if let Some(comment) = rest.strip_prefix("//") {
            rest = comment.find('\n').map_or("", |end| &comment[end..]);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = after_block_comment(comment).unwrap_or_default();
        } else {
            return text.len() - rest.len();
        }
    }
}

/// What follows a block comment, which may hold others; nothing if it is never closed.
fn after_block_comment(mut rest: &str) -> Option<&str> {
    let mut depth = 1;
    while depth > 0 {
        rest = &rest[rest.find(['*', '/'])?..];
        if let Some(after) = rest.strip_prefix("*/") {
            (rest, depth) = (after, depth - 1);
        } else if let Some(after) = rest.strip_prefix("/*") {
            (rest, depth) = (after, depth + 1);
        } else {
            rest = &rest[1..];
        }
    }
    Some(rest)
}

/// Where a block comment begins that is never closed: the outermost, whatever it holds.
pub(crate) fn unclosed_comment(text: &str) -> Option<usize> {
    let mut rest = text;
    loop {
        rest = &rest[rest.find(['/', '"', '\'', 'r'])?..];
        rest = if rest.starts_with("//") {
            &rest[rest.find('\n')?..]
        } else if let Some(comment) = rest.strip_prefix("/*") {
            match after_block_comment(comment) {
                Some(after) => after,
                None => return Some(text.len() - rest.len()),
            }
        } else if rest.starts_with('"') || is_raw_text(rest) {
            &rest[text_len(rest)..]
        } else {
            // A quote as a character opens no text.
            ["'\"'", "'\\\"'"].iter().find_map(|quote| rest.strip_prefix(quote)).unwrap_or(&rest[1..])
        };
    }
}

/// True for `r"…` and `r#"…`.
fn is_raw_text(text: &str) -> bool {
    text.strip_prefix('r').is_some_and(|rest| rest.trim_start_matches('#').starts_with('"'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn comments_may_hold_others_and_texts_hold_none() {
        for (text, at) in [
            ("/* x", Some(0)),
            ("() /*", Some(3)),
            ("/* a */ /* b /* c */", Some(8)),
            ("\"/*\" /* x", Some(5)),
            ("r#\"\"/*\"# /*/", Some(9)),
            ("// /*\n  /* x", Some(8)),
            ("'\"' /* \" */ /*", Some(12)),
            ("(r: 3, s: \"\\\"/*\")", None),
            ("/* /* */ */ x", None),
            ("// /* x", None),
            ("\"/* x", None),
            ("a / b * c", None),
            ("\u{e9}/**/\u{e9}", None),
        ] {
            assert_eq!(unclosed_comment(text), at, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_it_begins_where_a_comment_may(text in "[/*\"'r#\\\\\u{e9}\n ]{0,24}") {
            if let Some(at) = unclosed_comment(&text) {
                prop_assert!(text[at..].starts_with("/*"));
            }
            prop_assert!(skip_blank(&text) <= text.len());
        }
    }
}
