//! Where a node stands in its plan, and what follows for its time: whether it was stopped, how many processes ran it,
//! and in whose time an init plan lies.

use super::node::conditions;
use crate::plan::Node;

/// A node with what stands around it.
pub(super) struct Placed<'a> {
    pub(super) node: &'a Node,
    pub(super) parent: Option<usize>,
    pub(super) depth: usize,
    /// Processes that ran it at the same time.
    pub(super) processes: f64,
    /// Something above may have stopped it before it gave all its rows.
    pub(super) cut: bool,
    /// Its part of the whole plan's cost, with what stands below.
    pub(super) budget: f64,
}

pub(super) fn place<'a>(placed: Placed<'a>, all: &mut Vec<Placed<'a>>) {
    let Placed { node, depth, processes, cut, budget, .. } = placed;
    let (parent, loops) = (all.len(), loops(node));
    all.push(placed);
    let demands: Vec<f64> = node.children.iter().map(|child| child.total_cost * runs(node, child)).collect();
    let demanded: f64 = demands.iter().sum();
    // A LIMIT stops what stands below, and a second run of it is cheaper than the first.
    let scale = if demanded > 0.0 { (node.total_cost / demanded).min(1.0) } else { 0.0 };
    let part = if node.total_cost > 0.0 { budget / node.total_cost } else { 0.0 };
    for (child, demand) in node.children.iter().zip(demands) {
        let shared = node.node_type.starts_with("Gather") && child.relationship != "InitPlan" && loops > 0.0;
        let times = if shared { (self::loops(child) / loops).max(1.0) } else { 1.0 };
        place(
            Placed {
                node: child,
                parent: Some(parent),
                depth: depth + 1,
                processes: processes * times,
                cut: stops(node, child, cut),
                budget: demand * scale * part,
            },
            all,
        );
    }
}

/// Whether a child may end before it gave all its rows.
fn stops(node: &Node, child: &Node, cut: bool) -> bool {
    let takes_all = matches!(node.node_type.as_str(), "Sort" | "Hash" | "ModifyTable")
        || node.node_type == "Aggregate" && node.strategy.as_deref() != Some("Sorted");
    !takes_all
        && (cut
            || matches!(node.node_type.as_str(), "Limit" | "Merge Join")
            || matches!(child.relationship.as_str(), "SubPlan" | "InitPlan")
            || matches!(node.join_type.as_deref(), Some("Semi" | "Anti" | "Right Semi" | "Right Anti")))
}

pub(super) fn loops(node: &Node) -> f64 {
    node.actual.map_or(0.0, |actual| actual.loops)
}

/// How often the planner expects a child to run for one run of its parent.
fn runs(node: &Node, child: &Node) -> f64 {
    let kept = matches!(child.node_type.as_str(), "Materialize" | "Memoize");
    match child.relationship.as_str() {
        "Inner" if node.node_type == "Nested Loop" && !kept => {
            let outer = node.children.iter().find(|child| child.relationship == "Outer");
            outer.map_or(1.0, |outer| outer.rows.max(1.0))
        }
        _ => 1.0,
    }
}

/// Milliseconds that passed while the node ran, in all its loops.
pub(super) fn passed(placed: &Placed<'_>) -> Option<f64> {
    if placed.node.never_executed {
        return Some(0.0);
    }
    placed.node.total_ms().map(|ms| ms / placed.processes)
}

/// The node in whose time the init plan at `at` ran: the scans of a CTE, or the first that names its result.
pub(super) fn payer(all: &[Placed<'_>], at: usize, wall: &[Option<f64>]) -> usize {
    let home = all[at].parent.unwrap_or(0);
    let Some(name) = &all[at].node.subplan_name else { return home };
    let inside = |from: usize| {
        let depth = all[from].depth;
        all[from + 1..].iter().take_while(move |placed| placed.depth > depth).count() + from + 1
    };
    let own = at..inside(at);
    let candidates = (home..inside(home)).filter(|candidate| !own.contains(candidate));
    if let Some(cte) = name.strip_prefix("CTE ") {
        let scans = candidates.filter(|scan| all[*scan].node.cte.as_deref() == Some(cte));
        let slowest =
            scans.max_by(|a, b| wall[*a].partial_cmp(&wall[*b]).unwrap_or(std::cmp::Ordering::Equal));
        return slowest.unwrap_or(home);
    }
    // `InitPlan 1 (returns $0)` before PostgreSQL 17, `InitPlan 1` from then on.
    let returned = name.split_once("(returns ").map(|(_, rest)| rest.trim_end_matches(')'));
    let result = returned.map_or(name.as_str(), |list| list.split(',').next().unwrap_or(list));
    let mut naming = candidates.filter(|candidate| {
        conditions(all[*candidate].node).iter().any(|condition| names(&condition.text, result))
    });
    let Some(naming) = naming.next() else { return home };
    // Workers get the result ready made: what starts them asks for it.
    let above = std::iter::successors(Some(naming), |at| all[*at].parent.filter(|parent| *parent > home));
    above.filter(|at| all[*at].node.node_type.starts_with("Gather")).last().unwrap_or(naming)
}

/// Whether a text holds a word, and not as the beginning of a longer one.
fn names(text: &str, word: &str) -> bool {
    text.match_indices(word)
        .any(|(at, _)| !text[at + word.len()..].starts_with(|next: char| next.is_ascii_digit()))
}
