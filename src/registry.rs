//! The actors that scenarios may name.
//!
//! A scenario says `actor: "sockshop/cart", params: (...)`; the registry knows what to make of it.
//! A program of your own registers its actors next to the stock ones.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use rehearsal_actors::simulation::Cast;
use ron::error::SpannedError;
use serde::de::DeserializeOwned;

use crate::scenario::parameter_options;

/// Why an actor could not be registered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// The name is taken.
    #[error("there is already an actor named `{0}`; give each actor a name of its own")]
    Duplicate(String),
    /// Nobody could write such a name in a scenario, or would not see that it is one.
    #[error("`{0}` is no name for an actor: use letters, digits and -_./ as in `sockshop/cart`")]
    BadName(String),
}

/// The actors that scenarios may name, and how to make them.
///
/// ```
/// use rehearsal::registry::{Registry, RegistryError};
/// use rehearsal_actors::simulation::Cast;
/// # use rehearsal_actors::prelude::Service;
/// # struct Thermometer { celsius: i32 }
/// # impl Service for Thermometer {}
///
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Room { celsius: i32 }
///
/// let mut registry = Registry::stock();
/// registry.register("home/thermometer", "Says how warm it is.", |room: Room| {
///     if room.celsius < -273 {
///         return Err(format!("{} degrees is colder than cold", room.celsius));
///     }
///     Ok(Cast::service(Thermometer { celsius: room.celsius }))
/// })?;
/// assert_eq!(registry.describe("home/thermometer"), Some("Says how warm it is."));
/// # Ok::<(), RegistryError>(())
/// ```
#[derive(Clone, Default)]
pub struct Registry {
    actors: BTreeMap<String, Actor>,
}

#[derive(Clone)]
struct Actor {
    doc: String,
    factory: Arc<dyn Factory>,
}

impl Registry {
    /// No actors at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// The actors that come with Rehearsal.
    pub fn stock() -> Self {
        crate::cast::stock()
    }

    /// Makes an actor known under a name, such as `sockshop/cart`; `doc` says in a sentence what it
    /// does.
    ///
    /// `make` is called for each service that names the actor, anew for each run, with the service's
    /// `params`. They are read as RON with `implicit_some` and `unwrap_newtypes`: `Some` is left
    /// out, and `Ms(5)` is written `5`. A service without `params` is one with `params: ()`, which
    /// suits `P = ()` and any struct whose fields all have defaults. Declare `P` with
    /// `#[serde(deny_unknown_fields)]`, or misspelt fields go unnoticed. What `P` refuses is shown
    /// at its place in the scenario, what `make` refuses at the service's `params`.
    ///
    /// # Errors
    /// The name is taken, or is no name.
    pub fn register<P: DeserializeOwned + 'static>(
        &mut self,
        name: &str,
        doc: &str,
        make: impl Fn(P) -> Result<Cast, String> + Send + Sync + 'static,
    ) -> Result<(), RegistryError> {
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || "-_./".contains(c)) {
            return Err(RegistryError::BadName(name.to_owned()));
        }
        if self.actors.contains_key(name) {
            return Err(RegistryError::Duplicate(name.to_owned()));
        }
        let factory = Arc::new(Maker { make, params: PhantomData::<fn(P)> });
        self.actors.insert(name.to_owned(), Actor { doc: doc.to_owned(), factory });
        Ok(())
    }

    /// Every name, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.actors.keys().map(String::as_str)
    }

    /// What was said of an actor when it was registered.
    pub fn describe(&self, name: &str) -> Option<&str> {
        self.actors.get(name).map(|actor| actor.doc.as_str())
    }

    pub(crate) fn factory(&self, name: &str) -> Option<Arc<dyn Factory>> {
        self.actors.get(name).map(|actor| Arc::clone(&actor.factory))
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// Makes the cast of a service from the text of its parameters.
pub(crate) trait Factory: Send + Sync {
    /// Only reads the parameters.
    fn check(&self, params: &str) -> Result<(), Box<SpannedError>>;
    fn make(&self, params: &str) -> Result<Cast, Refusal>;
}

/// Why there is no cast.
pub(crate) enum Refusal {
    /// The parameters cannot be read.
    Unreadable(Box<SpannedError>),
    /// The actor does not want them.
    Unwanted(String),
}

struct Maker<P, F> {
    make: F,
    params: PhantomData<fn(P)>,
}

impl<P: DeserializeOwned, F: Fn(P) -> Result<Cast, String> + Send + Sync> Factory for Maker<P, F> {
    fn check(&self, params: &str) -> Result<(), Box<SpannedError>> {
        parameter_options().from_str::<P>(params).map(drop).map_err(Box::new)
    }

    fn make(&self, params: &str) -> Result<Cast, Refusal> {
        let params = parameter_options().from_str(params).map_err(|e| Refusal::Unreadable(Box::new(e)))?;
        (self.make)(params).map_err(Refusal::Unwanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_once() {
        let mut registry = Registry::new();
        assert_eq!(registry.register("a/b", "", |(): ()| Err("never made".into())), Ok(()));
        let again = registry.register("a/b", "", |(): ()| Err("never made".into()));
        assert_eq!(again, Err(RegistryError::Duplicate("a/b".into())));
        assert_eq!(registry.names().collect::<Vec<_>>(), ["a/b"]);
    }

    #[test]
    fn a_name_can_be_read() {
        let mut registry = Registry::new();
        for name in ["", "a b", "tab\t"] {
            let refused = registry.register(name, "", |(): ()| Err("never made".into()));
            assert_eq!(refused, Err(RegistryError::BadName(name.into())));
        }
    }
}
