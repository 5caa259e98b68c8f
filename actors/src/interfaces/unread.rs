//! What is wrong with JSON that somebody has sent, in words of JSON.

use std::fmt::Display;

/// What serde expects, by a name of Rust, and what that is in JSON. Of two that begin alike the longer stands
/// first.
const KINDS: [(&str, &str); 10] = [
    ("struct variant ", "an object"),
    ("tuple variant ", "a list"),
    ("newtype variant ", "a value"),
    ("unit variant ", "nothing"),
    ("tuple struct ", "a list"),
    ("unit struct ", "null"),
    ("struct ", "an object"),
    ("internally tagged enum ", "an object that says its kind"),
    ("adjacently tagged enum ", "an object that says its kind"),
    ("enum ", "a text or an object"),
];

/// An error of serde as whoever wrote the JSON may read it: without the names of types in a program that
/// they have never seen.
pub(crate) fn in_words_of_json(error: impl Display) -> String {
    const EXPECTED: &str = ", expected ";
    const UNTAGGED: &str = "data did not match any variant of untagged enum ";
    let text = error.to_string();
    if let Some(rest) = text.strip_prefix(UNTAGGED) {
        return format!("it has none of the forms that are understood{}", behind_name(rest));
    }
    // What was sent may be quoted in front of it.
    let Some(at) = text.rfind(EXPECTED) else { return text };
    let (found, wanted) = text.split_at(at + EXPECTED.len());
    let named = KINDS.iter().find_map(|(kind, meant)| Some((meant, behind_name(wanted.strip_prefix(kind)?))));
    match named {
        // Only lists are counted.
        Some((_, rest)) if rest.starts_with(" with ") => format!("{found}a list{rest}"),
        Some((meant, rest)) => format!("{found}{meant}{rest}"),
        None => text,
    }
}

/// What follows the name that a text begins with.
fn behind_name(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde::de::DeserializeOwned;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Order {
        #[serde(rename = "item")]
        _item: u32,
        #[serde(rename = "count")]
        _count: u32,
    }

    #[derive(Debug, Deserialize)]
    enum Size {
        Small,
        Boxed { _width: u32 },
    }

    #[derive(Debug, Deserialize)]
    #[serde(untagged)]
    enum Either {
        One(#[allow(dead_code)] u32),
    }

    #[derive(Debug, Deserialize)]
    struct Pair(#[allow(dead_code)] u32, #[allow(dead_code)] u32);

    fn said<T: DeserializeOwned + std::fmt::Debug>(json: &str) -> String {
        in_words_of_json(serde_json::from_str::<T>(json).expect_err("it is wrong"))
    }

    #[test]
    fn types_are_what_they_are_in_json() {
        assert_eq!(said::<Order>("null"), "invalid type: null, expected an object at line 1 column 4");
        assert_eq!(said::<Order>("\"jam\""), "invalid type: string \"jam\", expected an object at line 1 column 5");
        assert_eq!(said::<Order>("[1]"), "invalid length 1, expected a list with 2 elements at line 1 column 3");
        assert_eq!(said::<Pair>("{}"), "invalid type: map, expected a list at line 1 column 0");
        assert_eq!(said::<Either>("\"x\""), "it has none of the forms that are understood");
        assert_eq!(said::<Size>("{\"Boxed\": 1}"), "invalid type: integer `1`, expected an object at line 1 column 11");
        for json in ["null", "{\"Boxed\": []}", "\"Large\"", "{\"Small\": 1}"] {
            let said = said::<Size>(json);
            assert!(!["struct", "enum", "Size", "Order"].iter().any(|name| said.contains(name)), "{said}");
        }
    }

    #[test]
    fn what_names_no_type_stays_as_it_is() {
        assert_eq!(said::<Order>("{\"item\": 1}"), "missing field `count` at line 1 column 11");
        assert_eq!(
            said::<u32>("\", expected struct X\""),
            "invalid type: string \", expected struct X\", expected u32 at line 1 column 21"
        );
    }
}
