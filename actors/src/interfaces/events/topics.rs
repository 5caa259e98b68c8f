//! Topics, the patterns that they fit, and who has subscribed to which.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::trace::ServiceId;

/// So many bytes may a topic or a pattern have.
pub const TOPIC_LIMIT: usize = 255;

/// Why a text is no topic, or no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// It is too long, or empty.
    #[error("a topic has 1 to {TOPIC_LIMIT} characters")]
    Length,
    /// A word of it is none.
    #[error("`{word}` is no word of a topic: words of letters, digits, `_` and `-`, with dots between them")]
    Word {
        /// The word.
        word: String,
    },
}

fn check_words(text: &str, fits: impl Fn(&str) -> bool) -> Result<(), TopicError> {
    if text.is_empty() || text.len() > TOPIC_LIMIT {
        return Err(TopicError::Length);
    }
    match text.split('.').find(|word| !fits(word)) {
        Some(word) => Err(TopicError::Word { word: word.to_owned() }),
        None => Ok(()),
    }
}

fn is_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// Whether an event may have that topic.
pub(crate) fn check_topic(topic: &str) -> Result<(), TopicError> {
    check_words(topic, is_word)
}

/// Which topics a subscription wants to hear of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pattern(String);

impl Pattern {
    pub(crate) fn new(pattern: &str) -> Result<Self, TopicError> {
        check_words(pattern, |word| word == "*" || word == "#" || is_word(word))?;
        Ok(Pattern(pattern.to_owned()))
    }

    /// `*` stands for one word, `#` for any number of them. When a word does not fit, the last `#` takes
    /// one more; earlier ones need not be tried again, because whatever they could take the last one can.
    pub(crate) fn fits(&self, topic: &str) -> bool {
        let (mut pattern, mut words) = (self.0.split('.'), topic.split('.'));
        // Behind the last `#`: the rest of the pattern, and the words that it has not taken.
        let mut last_any = None;
        loop {
            let (before, at) = (words.clone(), pattern.next());
            if at == Some("#") {
                last_any = Some((pattern.clone(), before));
                continue;
            }
            match (at, words.next()) {
                (None, None) => return true,
                (Some(expected), Some(word)) if expected == "*" || expected == word => {}
                _ => {
                    let Some((rest, untaken)) = &mut last_any else { return false };
                    if untaken.next().is_none() {
                        return false;
                    }
                    (pattern, words) = (rest.clone(), untaken.clone());
                }
            }
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who has subscribed to what.
#[derive(Default)]
pub(crate) struct Subscribers {
    by_pattern: BTreeMap<Pattern, BTreeSet<ServiceId>>,
}

impl Subscribers {
    pub(crate) fn add(&mut self, service: ServiceId, pattern: &Pattern) {
        match self.by_pattern.get_mut(pattern) {
            Some(services) => drop(services.insert(service)),
            None => drop(self.by_pattern.insert(pattern.clone(), BTreeSet::from([service]))),
        }
    }

    /// Everyone who wants to hear of it, each once, in order of declaration. It takes a look at every
    /// pattern that somebody has subscribed to.
    pub(crate) fn of(&self, topic: &str) -> Vec<ServiceId> {
        let wanted = self.by_pattern.iter().filter(|(pattern, _)| pattern.fits(topic));
        let services: BTreeSet<ServiceId> = wanted.flat_map(|(_, services)| services.iter().copied()).collect();
        services.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fits(pattern: &str, topic: &str) -> bool {
        Pattern::new(pattern).map(|pattern| pattern.fits(topic)) == Ok(true)
    }

    #[test]
    fn a_star_is_one_word_and_a_hash_any_number() {
        for (pattern, topic, expected) in [
            ("order.placed", "order.placed", true),
            ("order.placed", "order.paid", false),
            ("order.*", "order.placed", true),
            ("order.*", "order", false),
            ("order.*", "order.placed.twice", false),
            ("*.placed", "order.placed", true),
            ("order.#", "order", true),
            ("order.#", "order.placed.twice", true),
            ("#", "anything.at.all", true),
            ("#.twice", "order.placed.twice", true),
            ("#.placed", "order.placed.twice", false),
            ("a.#.b.#.c", "a.x.b.b.y.c", true),
            ("a.#.b.#.c", "a.x.y.c", false),
            ("#.*", "one", true),
        ] {
            assert_eq!(fits(pattern, topic), expected, "{pattern} and {topic}");
        }
    }

    #[test]
    fn what_is_no_topic_is_refused() {
        assert_eq!(check_topic(""), Err(TopicError::Length));
        assert_eq!(check_topic(&"x".repeat(256)), Err(TopicError::Length));
        assert_eq!(check_topic("a..b"), Err(TopicError::Word { word: String::new() }));
        assert_eq!(check_topic("order.*"), Err(TopicError::Word { word: "*".to_owned() }));
        assert_eq!(Pattern::new("order.pl*"), Err(TopicError::Word { word: "pl*".to_owned() }));
    }

    #[test]
    fn everyone_is_told_once_however_many_patterns_fit() -> Result<(), TopicError> {
        let mut subscribers = Subscribers::default();
        for (service, pattern) in [(2, "a.*"), (1, "a.b"), (2, "#"), (0, "b"), (1, "a.b")] {
            subscribers.add(ServiceId(service), &Pattern::new(pattern)?);
        }
        assert_eq!(subscribers.of("a.b"), [ServiceId(1), ServiceId(2)]);
        assert_eq!(subscribers.of("b"), [ServiceId(0), ServiceId(2)]);
        Ok(())
    }

    /// The rule as it is said, tried in every way.
    fn fits_naively(pattern: &[&str], words: &[&str]) -> bool {
        match pattern.split_first() {
            None => words.is_empty(),
            Some((&"#", rest)) => (0..=words.len()).any(|taken| fits_naively(rest, &words[taken..])),
            Some((first, rest)) => words
                .split_first()
                .is_some_and(|(word, words)| (*first == "*" || first == word) && fits_naively(rest, words)),
        }
    }

    proptest! {
        #[test]
        fn patterns_fit_what_the_rule_says(
            pattern in prop::collection::vec(prop::sample::select(vec!["a", "b", "*", "#"]), 1..7),
            topic in prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 1..7),
        ) {
            prop_assert_eq!(fits(&pattern.join("."), &topic.join(".")), fits_naively(&pattern, &topic));
        }
    }
}
