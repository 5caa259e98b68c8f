//! Names that must not be mixed: of directories, of virtual networks, of permissions.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A kind of name: shared text, cheap to clone, ordered as text.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                $name(name.into())
            }
        }

        impl From<String> for $name {
            fn from(name: String) -> Self {
                $name(name.into())
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// A directory, as its entries' home: a name that stays when it is restarted.
    Home
}

name! {
    /// A virtual network: those who are in none of an entry's never see it.
    Vnet
}

name! {
    /// What an asker must hold to see an entry that demands it.
    Permission
}

/// The vnet of entries that name none. It is never shared with another directory.
pub const LOCAL: &str = "local";
