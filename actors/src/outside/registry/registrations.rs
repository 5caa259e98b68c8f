//! Who has registered from outside, and for how long: the rules, without a run, a network or a clock.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::directory::NAME_LIMIT;
use crate::units::{SimDuration, SimTime};

/// So many providers may be registered at once.
pub const REGISTRATIONS_LIMIT: usize = 10_000;

/// A URL may have so many bytes.
pub const URL_LIMIT: usize = 2048;

/// Why somebody cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    /// The name is none.
    #[error(
        "`{name}` cannot be the name of a service: 1 to {NAME_LIMIT} letters, digits, `.`, `_`, `-`, no `.` at an end"
    )]
    Name {
        /// What was given.
        name: String,
    },
    /// The URL is none.
    #[error("`{url}` is no URL of a service; write `http://host:port/path`, in at most {URL_LIMIT} characters")]
    Url {
        /// What was given.
        url: String,
    },
    /// It is the name of the gateway that was asked to register it.
    #[error("`{name}` is the name of this gateway itself: give a name that nobody in the run has")]
    Gateway {
        /// The name.
        name: String,
    },
    /// A service of the run has the name, and it is that one who would be called.
    #[error(
        "`{name}` is the name of a service of this run, which would be called: give one that nobody in the run has"
    )]
    Inside {
        /// The name.
        name: String,
    },
    /// There are too many.
    #[error("{REGISTRATIONS_LIMIT} providers are registered already, which is as many as may be")]
    Full,
}

/// What a ping was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pinged {
    /// The first, or the first after the provider had been forgotten.
    New,
    /// One more.
    Again,
}

/// Somebody outside who provides something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Provision {
    /// What: the name of a service.
    pub name: String,
    /// Where.
    pub url: String,
}

/// When somebody was heard of, and until when that counts.
#[derive(Clone, Copy, Debug)]
struct Sign {
    /// Signs of one instant have an order, too.
    heard: (SimTime, u64),
    expires: SimTime,
}

/// The providers that are registered. Time is what the caller says it is, and never goes back.
#[derive(Debug, Default)]
pub(super) struct Registrations {
    providers: BTreeMap<Provision, Sign>,
    by_expiry: BTreeSet<(SimTime, Provision)>,
    signs: u64,
}

impl Registrations {
    /// A provider says that it is there, which counts for so long: at `now + lasts` it does not any more.
    pub(super) fn ping(
        &mut self,
        name: &str,
        url: &str,
        lasts: SimDuration,
        now: SimTime,
    ) -> Result<Pinged, RegistrationError> {
        if !is_name(name) {
            return Err(RegistrationError::Name { name: clip(name) });
        }
        if !is_url(url) {
            return Err(RegistrationError::Url { url: clip(url) });
        }
        let provision = Provision { name: name.to_owned(), url: url.to_owned() };
        let former = self.providers.get(&provision).copied();
        if former.is_none() && self.providers.len() >= REGISTRATIONS_LIMIT {
            return Err(RegistrationError::Full);
        }
        self.signs += 1;
        let sign = Sign { heard: (now, self.signs), expires: now + lasts };
        if let Some(former) = former {
            self.by_expiry.remove(&(former.expires, provision.clone()));
        }
        self.by_expiry.insert((sign.expires, provision.clone()));
        self.providers.insert(provision, sign);
        let was_there = former.is_some_and(|former| former.expires > now);
        Ok(if was_there { Pinged::Again } else { Pinged::New })
    }

    /// When the next one is to be forgotten.
    pub(super) fn due(&self) -> Option<SimTime> {
        self.by_expiry.first().map(|(expires, _)| *expires)
    }

    /// Forgets all whose time is over, and says who they were.
    pub(super) fn expire(&mut self, now: SimTime) -> Vec<Provision> {
        let mut gone = Vec::new();
        while let Some((expires, provision)) = self.by_expiry.pop_first() {
            if expires > now {
                self.by_expiry.insert((expires, provision));
                break;
            }
            self.providers.remove(&provision);
            gone.push(provision);
        }
        gone
    }

    /// Everybody who is there and has a name that fits, whoever was heard of last first.
    pub(super) fn find(&self, fits: impl Fn(&str) -> bool, now: SimTime) -> Vec<Provision> {
        let there = self.providers.iter().filter(|(provision, sign)| sign.expires > now && fits(&provision.name));
        let mut found: Vec<_> = there.map(|(provision, sign)| (Reverse(sign.heard), provision)).collect();
        found.sort_unstable();
        found.into_iter().map(|(_, provision)| provision.clone()).collect()
    }

    /// The URLs of everybody who is there and has exactly this name, in their order.
    pub(super) fn urls(&self, name: &str, now: SimTime) -> Vec<String> {
        let first = Provision { name: name.to_owned(), url: String::new() };
        let of_name = self.providers.range(first..).take_while(|(provision, _)| provision.name == name);
        of_name.filter(|(_, sign)| sign.expires > now).map(|(provision, _)| provision.url.clone()).collect()
    }
}

fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let dots_within = !name.starts_with('.') && !name.ends_with('.');
    (1..=NAME_LIMIT).contains(&name.len()) && name.bytes().all(fits) && dots_within
}

fn is_url(url: &str) -> bool {
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let has_host =
        host.is_some_and(|host| host.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '['));
    has_host && url.len() <= URL_LIMIT && url.bytes().all(|byte| byte.is_ascii_graphic())
}

/// As much of a text as is needed to know it again.
fn clip(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TTL: SimDuration = SimDuration::from_secs(90);

    fn at(secs: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(secs)
    }

    #[test]
    fn who_falls_silent_is_there_until_the_very_end_of_its_time_and_not_at_it() -> Result<(), RegistrationError> {
        let mut all = Registrations::default();
        assert_eq!(all.due(), None);
        assert_eq!(all.ping("workers.01", "http://a/api", TTL, at(0))?, Pinged::New);
        assert_eq!(all.ping("workers.01", "http://a/api", TTL, at(30))?, Pinged::Again);
        assert_eq!(all.due(), Some(at(120)));
        let just_before = SimTime::from_nanos(at(120).as_nanos() - 1);
        assert_eq!((all.expire(just_before).len(), all.urls("workers.01", just_before).len()), (0, 1));
        assert_eq!(all.urls("workers.01", at(120)).len(), 0, "whether or not it was forgotten");
        let provision = Provision { name: "workers.01".to_owned(), url: "http://a/api".to_owned() };
        assert_eq!(all.expire(at(120)), [provision]);
        assert_eq!((all.due(), all.expire(at(500)).len()), (None, 0));
        assert_eq!(all.ping("workers.01", "http://a/api", TTL, at(500))?, Pinged::New);
        Ok(())
    }

    #[test]
    fn whoever_was_heard_of_last_is_found_first() -> Result<(), RegistrationError> {
        let mut all = Registrations::default();
        for (name, url, time) in
            [("w.1", "http://a", 1), ("w.2", "http://b", 1), ("v", "http://c", 2), ("w.1", "http://d", 3)]
        {
            all.ping(name, url, TTL, at(time))?;
        }
        all.ping("w.1", "http://a", TTL, at(3))?;
        let found: Vec<String> = all.find(|name| name.starts_with("w."), at(4)).into_iter().map(|p| p.url).collect();
        assert_eq!(found, ["http://a", "http://d", "http://b"]);
        assert_eq!(all.urls("w.1", at(4)), ["http://a", "http://d"]);
        assert_eq!(all.urls("w", at(4)), Vec::<String>::new());
        Ok(())
    }

    #[test]
    fn what_is_no_name_or_no_url_is_refused_and_changes_nothing() {
        let mut all = Registrations::default();
        let long = "x".repeat(NAME_LIMIT + 1);
        for name in ["", "a b", "a*", "a/b", ".a", "a.", "ä", long.as_str()] {
            let refused = all.ping(name, "http://a", TTL, at(0));
            assert!(matches!(refused, Err(RegistrationError::Name { .. })), "{name}");
        }
        let long = format!("http://{}", "x".repeat(URL_LIMIT));
        for url in
            ["", "a:80", "ftp://a", "http://", "http:///x", "http://a b", "http://a\n", "https://ä", long.as_str()]
        {
            let refused = all.ping("a", url, TTL, at(0));
            assert!(matches!(refused, Err(RegistrationError::Url { .. })), "{url}");
        }
        assert_eq!(all.due(), None);
        for number in 0..REGISTRATIONS_LIMIT {
            assert_eq!(all.ping("a", &format!("http://a:{number}"), TTL, at(0)), Ok(Pinged::New));
        }
        assert_eq!(all.ping("a", "http://b", TTL, at(0)), Err(RegistrationError::Full));
        assert_eq!(all.ping("a", "http://a:7", TTL, at(1)), Ok(Pinged::Again));
    }

    #[derive(Clone, Debug)]
    enum Act {
        /// Somebody pings, with a time to live.
        Ping(usize, u64),
        /// Time goes on.
        Wait(u64),
        /// What is over is forgotten, now rather than later.
        Expire,
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let act = prop_oneof![
            4 => (0usize..6, 1u64..8).prop_map(|(who, lasts)| Act::Ping(who, lasts)),
            3 => (0u64..5).prop_map(Act::Wait),
            1 => Just(Act::Expire),
        ];
        prop::collection::vec(act, 0..60)
    }

    proptest! {
        #[test]
        fn whoever_pinged_less_than_its_time_ago_is_there_and_nobody_else(acts in acts()) {
            // Six providers of three names.
            let who = |number: usize| (format!("n.{}", number % 3), format!("http://h{number}"));
            let mut all = Registrations::default();
            let mut now = 0;
            let mut until = [0u64; 6];
            for act in acts {
                match act {
                    Act::Ping(number, lasts) => {
                        let (name, url) = who(number);
                        let expected = if until[number] > now { Pinged::Again } else { Pinged::New };
                        prop_assert_eq!(all.ping(&name, &url, SimDuration::from_secs(lasts), at(now)), Ok(expected));
                        until[number] = now + lasts;
                    }
                    Act::Wait(secs) => now += secs,
                    Act::Expire => {
                        for Provision { url, .. } in all.expire(at(now)) {
                            let number = (0..6).find(|number| who(*number).1 == url);
                            prop_assert!(number.is_some_and(|number| until[number] <= now), "{} was still there", url);
                        }
                        let next = until.iter().filter(|until| **until > now).min();
                        prop_assert_eq!(all.due(), next.map(|until| at(*until)));
                    }
                }
                let there = |number: &usize| until[*number] > now;
                let mut expected: Vec<String> = (0..6).filter(there).map(|number| who(number).1).collect();
                expected.sort();
                let mut found: Vec<String> = all.find(|_| true, at(now)).into_iter().map(|p| p.url).collect();
                found.sort();
                prop_assert_eq!(&found, &expected);
                let mut by_name: Vec<String> = (0..3).flat_map(|n| all.urls(&format!("n.{n}"), at(now))).collect();
                by_name.sort();
                prop_assert_eq!(by_name, expected);
            }
        }
    }
}
