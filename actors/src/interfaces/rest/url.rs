//! What is asked for: a path and a query, as URLs have them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

/// The part of a URL behind the service's name.
pub(crate) struct Target<'a> {
    /// Without escapes, so that it can be compared with patterns; but for `%25` and `%2F`, so that a slash
    /// within a parameter does not end it.
    pub(crate) path: Cow<'a, str>,
    query: &'a str,
}

impl<'a> Target<'a> {
    pub(crate) fn of(url: &'a str) -> Self {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let path = if path.contains('%') { resolve(path).into() } else { path.into() };
        Target { path, query }
    }

    /// The parameters of a pattern that the path has matched, with their last escapes resolved.
    pub(crate) fn params(&self, matched: BTreeMap<String, String>) -> BTreeMap<String, String> {
        if !self.path.contains('%') {
            return matched;
        }
        let decode = |value: String| percent_decode_str(&value).decode_utf8_lossy().into_owned();
        matched.into_iter().map(|(name, value)| (name, decode(value))).collect()
    }

    /// Names and values of the query, in its order.
    pub(crate) fn query(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }
}

/// A path without escapes but the two that it needs. A segment that is no text without them keeps all.
fn resolve(path: &str) -> String {
    let segment = |segment: &str| match percent_decode_str(segment).decode_utf8() {
        Ok(text) => text.replace('%', "%25").replace('/', "%2F"),
        Err(_) => segment.replace('%', "%25"),
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_compared_without_escapes_but_for_those_that_keep_parameters_whole() {
        for (url, path) in [
            ("/items/7", "/items/7"),
            ("/it%65ms/caf%C3%A9", "/items/café"),
            ("/items/a%2fb%2Fc", "/items/a%2Fb%2Fc"),
            ("/items/100%25", "/items/100%25"),
            ("/items/100%", "/items/100%25"),
            ("/items/%ff", "/items/%25ff"),
            ("/items/a+b?size=1/2", "/items/a+b"),
        ] {
            assert_eq!(Target::of(url).path, path, "{url}");
        }
    }

    #[test]
    fn parameters_are_what_was_meant() {
        for (url, value) in [("/a%2fb", "a/b"), ("/100%25", "100%"), ("/100%", "100%"), ("/%252F", "%2F"), ("/ü", "ü")]
        {
            let target = Target::of(url);
            let matched = BTreeMap::from([("id".to_owned(), target.path[1..].to_owned())]);
            assert_eq!(target.params(matched)["id"], value, "{url}");
        }
    }

    #[test]
    fn a_query_is_its_pairs_in_order() {
        let pairs = Target::of("/?size=10&tag=a%26b&tag=c+d&flag&=x").query();
        let expected = [("size", "10"), ("tag", "a&b"), ("tag", "c d"), ("flag", ""), ("", "x")];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(Target::of("/").query(), []);
    }
}
