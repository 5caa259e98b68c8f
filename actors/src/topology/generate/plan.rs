//! A network on the drawing board: which nodes there are, and which of them are joined.

use std::ops::Range;

use super::{GenerateError, MOST_LINKS, MOST_NODES};
use crate::random::Stream;

/// A node to be.
pub(super) struct PlannedNode {
    pub(super) name: String,
    pub(super) group: Option<String>,
}

/// Nodes and pairs of them. No pair stands twice, in either order; whoever adds one sees to it.
pub(super) struct Plan {
    pub(super) nodes: Vec<PlannedNode>,
    pub(super) pairs: Vec<(u32, u32)>,
}

/// `nodes`, if a network may have so many.
pub(super) fn bounded(nodes: u128) -> Result<u32, GenerateError> {
    match u32::try_from(nodes) {
        Ok(0) => Err(GenerateError::NoNodes),
        Ok(nodes) if nodes <= MOST_NODES => Ok(nodes),
        _ => Err(GenerateError::TooManyNodes { nodes }),
    }
}

impl Plan {
    pub(super) fn new() -> Self {
        Plan { nodes: Vec::new(), pairs: Vec::new() }
    }

    /// Nodes `n0`, `n1`, ... in no group.
    pub(super) fn numbered(nodes: u32) -> Self {
        let mut plan = Plan::new();
        for i in 0..nodes {
            plan.add(format!("n{i}"), None);
        }
        plan
    }

    pub(super) fn add(&mut self, name: String, group: Option<&str>) -> u32 {
        self.nodes.push(PlannedNode { name, group: group.map(str::to_owned) });
        self.count() - 1
    }

    /// How many nodes there are. Shapes ask [`bounded`] first, so that a `u32` holds it.
    pub(super) fn count(&self) -> u32 {
        self.nodes.len() as u32
    }

    /// Joins two nodes that are not joined yet; refused when there are too many links already.
    pub(super) fn join(&mut self, a: u32, b: u32) -> Result<(), GenerateError> {
        if self.pairs.len() >= (MOST_LINKS / 2) as usize {
            return Err(GenerateError::TooManyLinks { nodes: self.count() });
        }
        self.pairs.push((a, b));
        Ok(())
    }

    /// Joins every part that stands apart by one link, from one of its nodes in `ends` to a node in
    /// `others` of the parts before it. Every part has nodes in both.
    pub(super) fn connect(
        &mut self,
        ends: Range<u32>,
        others: Range<u32>,
        stream: &mut Stream,
    ) -> Result<(), GenerateError> {
        let mut connected: Vec<u32> = Vec::new();
        for part in self.parts() {
            let here: Vec<u32> = part.iter().copied().filter(|node| ends.contains(node)).collect();
            if let Some(&there) = stream.pick(&connected)
                && let Some(&here) = stream.pick(&here)
            {
                self.join(there, here)?;
            }
            connected.extend(part.iter().filter(|node| others.contains(node)));
        }
        Ok(())
    }

    /// The nodes of every connected part, by its first node.
    fn parts(&self) -> Vec<Vec<u32>> {
        // Disjoint sets with path halving; the root of a set is its first node.
        let mut parent: Vec<u32> = (0..self.count()).collect();
        fn root(parent: &mut [u32], mut node: u32) -> u32 {
            while parent[node as usize] != node {
                parent[node as usize] = parent[parent[node as usize] as usize];
                node = parent[node as usize];
            }
            node
        }
        for &(a, b) in &self.pairs {
            let (a, b) = (root(&mut parent, a), root(&mut parent, b));
            parent[a.max(b) as usize] = a.min(b);
        }
        let mut parts: Vec<Vec<u32>> = vec![Vec::new(); parent.len()];
        for node in 0..self.count() {
            parts[root(&mut parent, node) as usize].push(node);
        }
        parts.retain(|part| !part.is_empty());
        parts
    }
}
