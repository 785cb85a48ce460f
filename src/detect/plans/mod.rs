//! Rules about a plan that ran: what its figures show at any depth, whatever the statement.
//!
//! They need actual rows and times (EXPLAIN ANALYZE, or `auto_explain.log_analyze`); a plan without them is
//! counted as not judged. Conditions and sort keys hold values, so that findings name tables, indexes and
//! numbers only.

pub(super) mod avoidable;
pub(super) mod conditions;
pub(super) mod memory;
pub(super) mod overhead;
pub(super) mod row_estimate;
pub(super) mod waste;

use super::{Facts, Report, words};
use crate::{
    plan::{Node, Plan},
    rules::Rule,
};

/// The plan, where it ran.
fn measured<'a>(rule: &Rule, facts: &Facts<'a>, report: &mut Report) -> Option<&'a Plan> {
    let plan = facts.plan?.plan;
    if plan.root.actual.is_none() {
        report.not_judged.add(&rule.name, "the plan was not run (EXPLAIN ANALYZE, auto_explain.log_analyze)");
        return None;
    }
    Some(plan)
}

/// Milliseconds of the whole execution: the root's where EXPLAIN gives no total, as `auto_explain` does not.
fn execution_ms(plan: &Plan) -> Option<f64> {
    plan.execution_ms.or_else(|| plan.root.total_ms())
}

/// The table that a node reads: its own, or the one nearest below.
fn table(node: &Node) -> Option<String> {
    match &node.relation {
        Some(name) => Some(name.to_string()),
        None => node.children.iter().find_map(table),
    }
}

/// `scan of orders`, `hash join`.
fn called(node: &Node) -> String {
    let kind = node.node_type.to_lowercase();
    match &node.relation {
        Some(name) => format!("{kind} of {name}"),
        None => kind,
    }
}

fn loops(node: &Node) -> f64 {
    node.actual.map_or(0.0, |actual| actual.loops)
}

/// `, 80 % of the time`, where times were taken.
fn share_of_time(node: &Node, plan: &Plan) -> String {
    match (node.total_ms(), execution_ms(plan)) {
        (Some(ms), Some(all)) if all > 0.0 => {
            format!(", {} of {}", words::milliseconds(ms.min(all)), words::milliseconds(all))
        }
        _ => String::new(),
    }
}
