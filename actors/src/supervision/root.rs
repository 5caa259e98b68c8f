//! Who supervises services that no supervisor was declared for.

use std::collections::BTreeSet;

use crate::supervision::lives::Role;
use crate::supervision::spec::{Child, ChildSpec, Restart, Supervisor};

/// The tree in which every service has its place: those that the declaration does not name are
/// permanent children of the root, behind the others. Without a declaration, the root is one-for-one,
/// with OTP's intensity, and starts everybody at once. A service that can be made only once has one
/// life.
pub(crate) fn complete(declared: Option<Supervisor>, roles: &[Role]) -> Supervisor {
    let mut root = declared.unwrap_or_else(|| Supervisor { await_starts: false, ..Supervisor::new("root") });
    let named: BTreeSet<usize> = services_of(&root).collect();
    for (index, role) in roles.iter().enumerate().filter(|(index, _)| !named.contains(index)) {
        let restart = if role.again.is_some() { Restart::Permanent } else { Restart::Temporary };
        root.children.push(ChildSpec { restart, ..ChildSpec::service(index) });
    }
    root
}

/// Every service that a tree names, as often as it does.
pub(crate) fn services_of(root: &Supervisor) -> impl Iterator<Item = usize> {
    let children = root.all().into_iter().flat_map(|supervisor| &supervisor.children);
    children.filter_map(|child| match child.child {
        Child::Service(service) => Some(service),
        Child::Supervisor(_) => None,
    })
}
