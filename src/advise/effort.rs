//! What a plan is likely to take, where the planner's cost is known to be too low.
//!
//! Two corrections, both of look-ups that a plan repeats. `HypoPG` gives its indexes no height, so that each
//! descent into one is free. And a repeated look-up's pages are counted as read once and cached after, at
//! no cost, while each still takes the time of finding and locking its page: measured on cached data, a unit of
//! cost takes two to five times as long in the inner side of a nested loop as in a scan. Both make indexes
//! look better for analytic joins than they are; a query that looks up a few rows is hardly touched.

use crate::plan::{Node, Plan};

/// A B-tree of 300 to 80,000 leaf pages is entered through two levels: `btcostestimate` of `selfuncs.c` charges
/// `(height + 1) * 50 * cpu_operator_cost`, here with its default.
const DESCENT: f64 = 3.0 * 50.0 * 0.0025;

/// A repeated look-up counts twice, the second time at most as much: what costs more was not taken for cached.
const MOST: f64 = 2.0;

/// The plan's cost with both corrections. `is_hypothetical` tells of an index by its name in the plan.
pub(super) fn effort(plan: &Plan, is_hypothetical: &dyn Fn(&str) -> bool) -> f64 {
    plan.root.total_cost + extra(&plan.root, 1.0, is_hypothetical)
}

/// What a node and those under it take beyond their cost, executed so many times.
fn extra(node: &Node, loops: f64, is_hypothetical: &dyn Fn(&str) -> bool) -> f64 {
    let mut own = 0.0;
    if let Some(index) = &node.index {
        if is_hypothetical(index) {
            own += loops * DESCENT;
        }
        if loops > 1.0 {
            own += loops * node.total_cost.min(MOST);
        }
    }
    let outer =
        node.children.iter().find(|child| child.relationship == "Outer").map_or(1.0, |child| child.rows);
    let children = node.children.iter().map(|child| {
        let times = match child.relationship.as_str() {
            "Inner" if node.node_type == "Nested Loop" => outer.max(1.0),
            "SubPlan" => node.rows.max(1.0),
            _ => 1.0,
        };
        extra(child, loops * times, is_hypothetical)
    });
    own + children.sum::<f64>()
}
