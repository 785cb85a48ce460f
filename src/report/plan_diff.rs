//! Two plans of one statement → what differs: which nodes went, came or changed, and the figures of both.
//!
//! The nodes are aligned in the order in which EXPLAIN prints them, so that the scans of one table stand beside
//! each other whatever way they take. A node is the same when its kind, table, index and conditions are; costs and
//! rows are figures, and do not make it another one.

use serde::{Deserialize, Serialize};

use super::{
    plan_tree::{NodeCondition, conditions, index_name, title},
    rounded,
};
use crate::plan::{Node, Plan};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanDiff {
    pub before: Side,
    pub after: Side,
    /// From top to bottom; a node of either plan stands in exactly one.
    pub rows: Vec<DiffRow>,
}

/// One of the two plans as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Side {
    pub cost: f64,
    /// `None` where it was not run.
    pub execution_ms: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DiffRow {
    pub change: Change,
    pub before: Option<DiffNode>,
    pub after: Option<DiffNode>,
    /// What changed: `node`, `join`, `index`, `conditions`, `workers`.
    pub differs: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    Same,
    Changed,
    Removed,
    Added,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DiffNode {
    /// From 1.
    pub number: usize,
    pub depth: usize,
    pub title: String,
    pub cost: f64,
    /// A loop, as the planner expects.
    pub rows_expected: f64,
    /// Of all loops; `None` where it was not run.
    pub rows: Option<f64>,
    /// Of all loops, with what stands below.
    pub total_ms: Option<f64>,
    pub conditions: Vec<NodeCondition>,
}

impl PlanDiff {
    /// Whether both plans do the same, whatever they cost.
    pub fn is_same(&self) -> bool {
        self.rows.iter().all(|row| row.change == Change::Same)
    }
}

/// Compares two plans.
pub fn diff(before: &Plan, after: &Plan) -> PlanDiff {
    let (mut old, mut new) = (Vec::new(), Vec::new());
    flat(&before.root, 0, &mut old);
    flat(&after.root, 0, &mut new);
    let rows = aligned(&old, &new)
        .into_iter()
        .map(|(a, b)| {
            let (a, b) = (a.map(|at| old[at]), b.map(|at| new[at]));
            let (change, differs) = match (a, b) {
                (Some((a, _)), Some((b, _))) => {
                    let differs = differences(a, b);
                    (if differs.is_empty() { Change::Same } else { Change::Changed }, differs)
                }
                (Some(_), None) => (Change::Removed, Vec::new()),
                _ => (Change::Added, Vec::new()),
            };
            DiffRow { change, before: a.map(one), after: b.map(one), differs }
        })
        .collect();
    PlanDiff { before: side(before), after: side(after), rows }
}

fn side(plan: &Plan) -> Side {
    Side { cost: rounded(plan.root.total_cost), execution_ms: plan.execution_ms.map(rounded) }
}

fn flat<'a>(node: &'a Node, depth: usize, all: &mut Vec<(&'a Node, usize)>) {
    all.push((node, depth));
    for child in &node.children {
        flat(child, depth + 1, all);
    }
}

fn one((node, depth): (&Node, usize)) -> DiffNode {
    DiffNode {
        number: node.number,
        depth,
        title: title(node),
        cost: rounded(node.total_cost),
        rows_expected: rounded(node.rows),
        rows: node.actual.is_some().then(|| rounded(node.total_rows())),
        total_ms: node.total_ms().map(rounded),
        conditions: conditions(node),
    }
}

fn differences(a: &Node, b: &Node) -> Vec<String> {
    let parts = [
        ("node", kind(a) != kind(b)),
        ("join", a.join_type != b.join_type),
        ("index", index_name(a) != index_name(b)),
        ("conditions", conditions(a) != conditions(b)),
        ("workers", a.workers_planned != b.workers_planned),
    ];
    parts.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what.to_owned()).collect()
}

fn kind(node: &Node) -> (&str, Option<&str>, bool) {
    (&node.node_type, node.strategy.as_deref(), node.parallel_aware)
}

/// Cells of the table of an alignment; plans of more nodes than its root are aligned where they begin and end
/// alike.
const CELLS: usize = 4_000_000;

type Pair = (Option<usize>, Option<usize>);

fn aligned(old: &[(&Node, usize)], new: &[(&Node, usize)]) -> Vec<Pair> {
    let score = |a: usize, b: usize| likeness(old[a].0, new[b].0);
    let least = old.len().min(new.len());
    let head = (0..least).take_while(|at| score(*at, *at) >= EQUAL).count();
    let tail =
        (0..least - head).take_while(|at| score(old.len() - 1 - at, new.len() - 1 - at) >= EQUAL).count();
    let (rows, columns) = (old.len() - head - tail, new.len() - head - tail);
    let mut pairs: Vec<Pair> = (0..head).map(|at| (Some(at), Some(at))).collect();
    if rows.saturating_mul(columns) > CELLS {
        pairs.extend((head..head + rows).map(|at| (Some(at), None)));
        pairs.extend((head..head + columns).map(|at| (None, Some(at))));
    } else {
        // best[a][b]: of the nodes from `a` on and those from `b` on.
        let width = columns + 1;
        let mut best = vec![0_u32; (rows + 1) * width];
        for a in (0..rows).rev() {
            for b in (0..columns).rev() {
                let like = score(head + a, head + b);
                let both = if like > 0 { like + best[(a + 1) * width + b + 1] } else { 0 };
                best[a * width + b] = both.max(best[(a + 1) * width + b]).max(best[a * width + b + 1]);
            }
        }
        let (mut a, mut b) = (0, 0);
        while a < rows || b < columns {
            let here = best[a * width + b];
            let like = if a < rows && b < columns { score(head + a, head + b) } else { 0 };
            if like > 0 && here == like + best[(a + 1) * width + b + 1] {
                pairs.push((Some(head + a), Some(head + b)));
                (a, b) = (a + 1, b + 1);
            } else if a < rows && (b == columns || here == best[(a + 1) * width + b]) {
                pairs.push((Some(head + a), None));
                a += 1;
            } else {
                pairs.push((None, Some(head + b)));
                b += 1;
            }
        }
    }
    let (old_end, new_end) = (old.len() - tail, new.len() - tail);
    pairs.extend((0..tail).map(|at| (Some(old_end + at), Some(new_end + at))));
    pairs
}

/// Nodes of one kind on one table.
const EQUAL: u32 = 20;

/// How much two nodes have in common; 0 for nodes that do not belong beside each other.
fn likeness(a: &Node, b: &Node) -> u32 {
    let object = |node: &Node| {
        let name = node.relation.as_ref().map(|relation| relation.name.clone());
        (name.or_else(|| node.cte.clone()).or_else(|| node.function.clone()), node.alias.clone())
    };
    let (reads_a, reads_b) = (object(a), object(b));
    let alike = a.node_type == b.node_type && a.relationship == b.relationship;
    if reads_a.0.is_some() || reads_b.0.is_some() {
        return match (reads_a == reads_b, a.node_type == b.node_type) {
            (true, true) => EQUAL + u32::from(index_name(a) == index_name(b)) + u32::from(alike),
            (true, false) => 16,
            _ => 0,
        };
    }
    if index_name(a).is_some() || index_name(b).is_some() {
        return if index_name(a) == index_name(b) { EQUAL } else { u32::from(a.node_type == b.node_type) };
    }
    let family = |node: &Node| match node.node_type.as_str() {
        "Nested Loop" | "Hash Join" | "Merge Join" => 1,
        "Sort" | "Incremental Sort" => 2,
        "Gather" | "Gather Merge" => 3,
        "Append" | "Merge Append" => 4,
        "Materialize" | "Memoize" => 5,
        _ => 0,
    };
    if a.node_type == b.node_type {
        EQUAL - 10 + u32::from(alike) + u32::from(conditions(a) == conditions(b)) * 9
    } else if family(a) != 0 && family(a) == family(b) {
        8
    } else {
        0
    }
}
