//! Which nodes each shape has, and which of them it joins.

use std::collections::BTreeSet;
use std::ops::Range;

use super::plan::{Plan, bounded};
use super::{GenerateError, Shape, rows};
use crate::random::Stream;
use crate::units::Probability;

/// The network of a shape; the stream decides what the shape leaves open.
pub(super) fn plan(shape: &Shape, stream: &mut Stream) -> Result<Plan, GenerateError> {
    match *shape {
        Shape::Star { nodes } => star(nodes),
        Shape::Hierarchical { nodes, ref partition, joined, within } => {
            hierarchical(nodes, partition, joined, within, stream)
        }
        Shape::Random { nodes, chance } => random(nodes, chance, stream),
        Shape::ScaleFree { nodes, attachments } => scale_free(nodes, attachments, stream),
        Shape::SmallWorld { nodes, neighbours, rewiring } => small_world(nodes, neighbours, rewiring, stream),
        Shape::FatTree { k } => fat_tree(k),
    }
}

fn star(nodes: u32) -> Result<Plan, GenerateError> {
    let outer = bounded(nodes.into())? - 1;
    let mut plan = Plan::new();
    let center = plan.add("center".to_owned(), Some("center"));
    for i in 0..outer {
        let node = plan.add(format!("outer_{i}"), Some("outer"));
        plan.join(center, node)?;
    }
    Ok(plan)
}

/// One share in a billionth parts: as fine as anyone writes it, and sums of it are exact.
const WHOLE: u64 = 1_000_000_000;
/// Shares like 0.333333 add up to 1 all the same.
const SHARES_TOLERANCE: u64 = WHOLE / 1_000_000;

/// How many nodes each group has.
fn group_sizes(nodes: u32, partition: &[f64]) -> Result<Vec<u32>, GenerateError> {
    let mut sum = 0u64;
    let mut sizes = Vec::new();
    let mut left = nodes;
    for (group, &share) in partition.iter().enumerate() {
        let parts = (share * WHOLE as f64).round();
        // Also refuses what is not a number.
        if !(parts >= 1.0 && parts <= WHOLE as f64) {
            return Err(GenerateError::NoShare { group, share });
        }
        sum += parts as u64;
        if sum > WHOLE + SHARES_TOLERANCE {
            return Err(GenerateError::SharesSum { sum: partition.iter().sum() });
        }
        let is_last = group + 1 == partition.len();
        let size = if is_last { left } else { (u64::from(nodes) * parts as u64 / WHOLE) as u32 };
        if size == 0 {
            return Err(GenerateError::EmptyGroup { group, share, nodes });
        }
        left = left.saturating_sub(size);
        sizes.push(size);
    }
    if sizes.is_empty() {
        return Err(GenerateError::NoGroups);
    }
    if sum + SHARES_TOLERANCE < WHOLE {
        return Err(GenerateError::SharesSum { sum: partition.iter().sum() });
    }
    Ok(sizes)
}

fn hierarchical(
    nodes: u32,
    partition: &[f64],
    joined: Probability,
    within: Probability,
    stream: &mut Stream,
) -> Result<Plan, GenerateError> {
    let sizes = group_sizes(bounded(nodes.into())?, partition)?;
    let mut plan = Plan::new();
    let mut levels: Vec<Range<u32>> = Vec::new();
    for (level, &size) in sizes.iter().enumerate() {
        let start = plan.count();
        let group = format!("l{level}");
        for i in 0..size {
            plan.add(format!("{group}_{i}"), Some(&group));
        }
        levels.push(start..plan.count());
    }
    for (level, upper) in levels.iter().enumerate() {
        if let Some(lower) = levels.get(level + 1) {
            join_levels(&mut plan, upper, lower, joined, stream)?;
        }
        for (a, b) in rows::among(upper.clone(), within, stream) {
            plan.join(a, b)?;
        }
    }
    // Every node has a link to the level above and one to the level below, so every part reaches
    // the first two levels, and can be joined there without a link that skips a level.
    let first = levels[0].clone();
    let second = levels.get(1).unwrap_or(&first).clone();
    plan.connect(first, second, stream)?;
    Ok(plan)
}

/// Joins a level to the next one, so that every node of both has a link.
fn join_levels(
    plan: &mut Plan,
    upper: &Range<u32>,
    lower: &Range<u32>,
    chance: Probability,
    stream: &mut Stream,
) -> Result<(), GenerateError> {
    let mut has_child = vec![false; upper.len()];
    let mut has_parent = vec![false; lower.len()];
    for (parent, child) in rows::between(upper.clone(), lower.clone(), chance, stream) {
        plan.join(parent, child)?;
        has_child[(parent - upper.start) as usize] = true;
        has_parent[(child - lower.start) as usize] = true;
    }
    for (child, _) in lower.clone().zip(has_parent).filter(|(_, has_parent)| !has_parent) {
        let parent = any_of(upper, stream);
        plan.join(parent, child)?;
        has_child[(parent - upper.start) as usize] = true;
    }
    for (parent, _) in upper.clone().zip(has_child).filter(|(_, has_child)| !has_child) {
        plan.join(parent, any_of(lower, stream))?;
    }
    Ok(())
}

/// One of the nodes, each as likely as the other. There is one: no level is empty.
fn any_of(level: &Range<u32>, stream: &mut Stream) -> u32 {
    level.start + stream.below(level.len() as u64) as u32
}

fn random(nodes: u32, chance: Probability, stream: &mut Stream) -> Result<Plan, GenerateError> {
    let nodes = bounded(nodes.into())?;
    let mut plan = Plan::numbered(nodes);
    for (a, b) in rows::among(0..nodes, chance, stream) {
        plan.join(a, b)?;
    }
    plan.connect(0..nodes, 0..nodes, stream)?;
    Ok(plan)
}

fn scale_free(nodes: u32, attachments: u32, stream: &mut Stream) -> Result<Plan, GenerateError> {
    let nodes = bounded(nodes.into())?;
    if attachments == 0 || attachments >= nodes {
        return Err(GenerateError::Attachments { attachments, nodes });
    }
    let mut plan = Plan::numbered(nodes);
    // Every node as often as it has links: a uniform pick from here is preferential.
    let mut ends = Vec::new();
    for leaf in 1..=attachments {
        plan.join(0, leaf)?;
        ends.extend([0, leaf]);
    }
    let mut joined_by = vec![0; nodes as usize];
    for new in attachments + 1..nodes {
        let links_before = ends.len() as u64;
        let mut missing = attachments;
        while missing > 0 {
            let old = ends[stream.below(links_before) as usize];
            if joined_by[old as usize] != new {
                joined_by[old as usize] = new;
                plan.join(old, new)?;
                ends.extend([old, new]);
                missing -= 1;
            }
        }
    }
    Ok(plan)
}

fn small_world(nodes: u32, neighbours: u32, rewiring: Probability, stream: &mut Stream) -> Result<Plan, GenerateError> {
    let nodes = bounded(nodes.into())?;
    if neighbours < 2 || !neighbours.is_multiple_of(2) || neighbours >= nodes {
        return Err(GenerateError::Neighbours { neighbours, nodes });
    }
    let mut plan = Plan::numbered(nodes);
    if u64::from(nodes) * u64::from(neighbours) > super::MOST_LINKS.into() {
        return Err(GenerateError::TooManyLinks { nodes });
    }
    // Each node stands among its own neighbours: whom it may not be joined to is one set.
    let mut taken: Vec<BTreeSet<u32>> = (0..nodes).map(|node| BTreeSet::from([node])).collect();
    for node in 0..nodes {
        for step in 1..=neighbours / 2 {
            let other = (node + step) % nodes;
            taken[node as usize].insert(other);
            taken[other as usize].insert(node);
        }
    }
    for step in 1..=neighbours / 2 {
        for node in 0..nodes {
            if !stream.chance(rewiring) {
                continue;
            }
            let Some(new) = any_but(&taken[node as usize], nodes, stream) else {
                continue;
            };
            let old = (node + step) % nodes;
            taken[node as usize].remove(&old);
            taken[old as usize].remove(&node);
            taken[node as usize].insert(new);
            taken[new as usize].insert(node);
        }
    }
    for node in 0..nodes {
        for &other in taken[node as usize].range(node + 1..) {
            plan.join(node, other)?;
        }
    }
    plan.connect(0..nodes, 0..nodes, stream)?;
    Ok(plan)
}

/// A uniform number below `nodes` that is not taken; `None` if all are.
fn any_but(taken: &BTreeSet<u32>, nodes: u32, stream: &mut Stream) -> Option<u32> {
    let free = u64::from(nodes) - taken.len() as u64;
    if free == 0 {
        return None;
    }
    // The n-th number that is not taken: every taken one up to it moves it on by one.
    let mut number = stream.below(free) as u32;
    for &taken in taken {
        if taken > number {
            break;
        }
        number += 1;
    }
    Some(number)
}

fn fat_tree(k: u32) -> Result<Plan, GenerateError> {
    if k < 2 || !k.is_multiple_of(2) {
        return Err(GenerateError::Ports { k });
    }
    let half = u128::from(k / 2);
    let pods = u128::from(k);
    bounded(half * half + pods * (half + half + half * half))?;
    let half = k / 2;
    let mut plan = Plan::new();
    let cores: Vec<u32> = (0..half * half).map(|i| plan.add(format!("core_{i}"), Some("core"))).collect();
    for pod in 0..k {
        let group = format!("pod_{pod}");
        let aggregation: Vec<u32> = (0..half).map(|i| plan.add(format!("agg_{pod}_{i}"), Some(&group))).collect();
        // The i-th aggregation switch of every pod leads to the i-th row of k/2 core switches.
        for (&switch, row) in aggregation.iter().zip(cores.chunks(half as usize)) {
            for &core in row {
                plan.join(core, switch)?;
            }
        }
        for i in 0..half {
            let edge = plan.add(format!("edge_{pod}_{i}"), Some(&group));
            for &switch in &aggregation {
                plan.join(switch, edge)?;
            }
            for j in 0..half {
                let host = plan.add(format!("host_{pod}_{i}_{j}"), Some(&group));
                plan.join(edge, host)?;
            }
        }
    }
    Ok(plan)
}
