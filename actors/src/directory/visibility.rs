//! Who sees what. An entry leaves a directory in two ways only: to an asker by
//! [`Claims::seen_by`], and to another directory by [`Claims::of`], one vnet at a time.

use std::collections::BTreeSet;
use std::sync::Arc;

use smallvec::SmallVec;

use super::entry::or_local;
use super::names::{Home, Permission, Vnet};

/// On whose behalf somebody asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asker {
    vnets: BTreeSet<Vnet>,
    permissions: BTreeSet<Permission>,
}

impl Asker {
    /// An asker who is in these vnets (in `local` if there are none) and holds these permissions.
    pub fn new(vnets: &BTreeSet<Vnet>, permissions: BTreeSet<Permission>) -> Self {
        Asker { vnets: or_local(vnets), permissions }
    }

    /// An asker who is in one vnet and holds no permission.
    pub fn on(vnet: impl Into<Vnet>) -> Self {
        Asker { vnets: [vnet.into()].into(), permissions: BTreeSet::new() }
    }

    /// The same in one more vnet.
    #[must_use]
    pub fn and(mut self, vnet: impl Into<Vnet>) -> Self {
        self.vnets.insert(vnet.into());
        self
    }

    /// The same with one more permission.
    #[must_use]
    pub fn holding(mut self, permission: impl Into<Permission>) -> Self {
        self.permissions.insert(permission.into());
        self
    }

    /// Whether they are in a vnet.
    pub(super) fn is_on(&self, vnet: &str) -> bool {
        self.vnets.contains(vnet)
    }

    fn sees(&self, claim: &Claim) -> bool {
        self.vnets.contains(&claim.vnet) && claim.permissions.is_subset(&self.permissions)
    }
}

/// A home's word that an offer is there for a vnet.
#[derive(Debug)]
struct Claim {
    home: Home,
    vnet: Vnet,
    permissions: Arc<BTreeSet<Permission>>,
}

/// All that is claimed of one offer. A provider that has moved is claimed by two homes for a while.
#[derive(Debug, Default)]
pub(super) struct Claims(SmallVec<[Claim; 1]>);

impl Claims {
    /// Notes a claim, in place of the former one of that home and vnet.
    pub(super) fn set(&mut self, home: &Home, vnet: &Vnet, permissions: &Arc<BTreeSet<Permission>>) {
        match self.0.iter_mut().find(|claim| claim.home == *home && claim.vnet == *vnet) {
            Some(claim) => claim.permissions = permissions.clone(),
            None => self.0.push(Claim { home: home.clone(), vnet: vnet.clone(), permissions: permissions.clone() }),
        }
    }

    /// Takes a claim back, if it was there.
    pub(super) fn unset(&mut self, home: &Home, vnet: &Vnet) {
        self.0.retain(|claim| claim.home != *home || claim.vnet != *vnet);
    }

    /// True if nobody claims anything any more.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a home claims for a vnet.
    pub(super) fn of(&self, home: &Home, vnet: &Vnet) -> Option<&Arc<BTreeSet<Permission>>> {
        let mut claims = self.0.iter();
        claims.find(|claim| claim.home == *home && claim.vnet == *vnet).map(|claim| &claim.permissions)
    }

    /// The vnets for which a home claims something.
    pub(super) fn vnets_of(&self, home: &Home) -> BTreeSet<Vnet> {
        self.0.iter().filter(|claim| claim.home == *home).map(|claim| claim.vnet.clone()).collect()
    }

    /// The vnets and permissions as the asker may know them: the asker's own vnets and no other. `None` if the
    /// asker may not know that the offer exists.
    pub(super) fn seen_by(&self, asker: &Asker) -> Option<(BTreeSet<Vnet>, BTreeSet<Permission>)> {
        let mut seen = self.0.iter().filter(|claim| asker.sees(claim)).peekable();
        seen.peek()?;
        let (mut vnets, mut permissions) = (BTreeSet::new(), BTreeSet::new());
        for claim in seen {
            vnets.insert(claim.vnet.clone());
            permissions.extend(claim.permissions.iter().cloned());
        }
        Some((vnets, permissions))
    }
}
