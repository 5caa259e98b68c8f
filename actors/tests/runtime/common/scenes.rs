//! A network, what is sent over it and what goes wrong with it, all drawn at random.

use std::rc::Rc;

use proptest::prelude::*;

use rehearsal_actors::simulation::{LinkModel, Ordering, Setup};

use super::cast::{Logbook, Traffic, traffic_on};
use super::cuts::{Cut, cuts_of, scheduled};
use super::networks::{NetworkPlan, Noise, networks};

#[derive(Clone, Debug)]
pub struct Scene {
    pub plan: NetworkPlan,
    pub traffic: Traffic,
    pub cuts: Vec<Cut>,
}

impl Scene {
    /// What the runtime is given, and the book that its services write.
    pub fn stage(&self, seed: u64, model: LinkModel, ordering: Ordering) -> (Setup, Rc<Logbook>) {
        let (topology, nodes, links) = self.plan.topology();
        let changes = scheduled(&self.cuts, &nodes, &links);
        let mut setup = Setup { model, ordering, changes, ..Setup::new(seed, topology) };
        let logbook = self.traffic.enter(&mut setup, &nodes);
        (setup, logbook)
    }
}

/// Scenes in which nothing goes down.
pub fn calm_scenes(noise: Noise) -> impl Strategy<Value = Scene> {
    networks(noise).prop_flat_map(|plan| {
        let traffic = traffic_on(&plan);
        traffic.prop_map(move |traffic| Scene { plan: plan.clone(), traffic, cuts: Vec::new() })
    })
}

/// Scenes with nodes, links and partitions that come and go. The fastest path is always unique.
pub fn troubled_scenes(noise: Noise) -> impl Strategy<Value = Scene> {
    networks(noise).prop_map(NetworkPlan::with_unique_paths).prop_flat_map(|plan| {
        let drawn = (traffic_on(&plan), cuts_of(&plan));
        drawn.prop_map(move |(traffic, cuts)| Scene { plan: plan.clone(), traffic, cuts })
    })
}

pub fn link_models() -> impl Strategy<Value = LinkModel> {
    prop_oneof![Just(LinkModel::RouteCost), Just(LinkModel::Queued)]
}

pub fn orderings() -> impl Strategy<Value = Ordering> {
    prop_oneof![Just(Ordering::Ordered), Just(Ordering::Unordered)]
}
