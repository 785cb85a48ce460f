//! A plan as an outline: a line for each node, with the rows that it gave beside those that were
//! expected, its cost and its time; below it the conditions by which it chose the rows.

use super::{
    page::{Page, clean},
    units::{cost, duration, rows},
};
use crate::{
    plan::{Node, Plan},
    report::Report,
};

pub(super) fn write(page: &mut Page, report: &Report) {
    let Some(json) = &report.plan else { return };
    page.heading("Plan");
    let plan = match Plan::from_json(json.clone()) {
        Ok(plan) => plan,
        Err(not_a_plan) => {
            page.prose(0, &format!("The server's answer was not understood: {}.", not_a_plan.why));
            return;
        }
    };
    outline(page, &plan.root, 0);
    for (step, ms) in [("planning", plan.planning_ms), ("execution", plan.execution_ms)] {
        if let Some(ms) = ms {
            page.line(0, &format!("{step} {}", duration(ms)));
        }
    }
}

fn outline(page: &mut Page, node: &Node, depth: usize) {
    let indent = depth * 2;
    page.hanging(indent, "", 2, &format!("{} ({})", title(node), figures(node)));
    for condition in conditions(node) {
        page.hanging(indent + 4, "", 2, &condition);
    }
    for child in &node.children {
        outline(page, child, depth + 1);
    }
}

/// `InitPlan 1: Index Scan on orders o using orders_user_id_idx`.
fn title(node: &Node) -> String {
    let mut words = Vec::new();
    if let Some(name) = &node.subplan_name {
        words.push(format!("{name}:"));
    }
    if node.parallel_aware {
        words.push("Parallel".to_owned());
    }
    words.push(node.node_type.clone());
    if let Some(join) = node.join_type.as_ref().filter(|join| *join != "Inner") {
        words.push(join.clone());
    }
    let relation = node.relation.as_ref().map(crate::names::RelName::plain);
    if let Some(object) = relation.or_else(|| node.cte.clone()).or_else(|| node.function.clone()) {
        let alias = node.alias.as_ref().filter(|alias| **alias != object);
        words.push(format!("on {object}"));
        words.extend(alias.cloned());
    }
    if let Some(index) = &node.index {
        words.push(format!("using {index}"));
    }
    words.join(" ")
}

fn figures(node: &Node) -> String {
    let (cost, estimate) = (format!("cost {}", cost(node.total_cost)), rows(node.rows));
    match node.actual {
        Some(actual) => {
            let times = if actual.loops > 1.0 {
                format!(" in each of {} loops", rows(actual.loops))
            } else {
                String::new()
            };
            let time = node.total_ms().map(|ms| format!(", {}", duration(ms))).unwrap_or_default();
            format!("rows {}{times}, est. {estimate}; {cost}{time}", rows(actual.rows))
        }
        None if node.never_executed => format!("never executed; est. rows {estimate}; {cost}"),
        None => format!("est. rows {estimate}; {cost}"),
    }
}

fn conditions(node: &Node) -> Vec<String> {
    let removed = |rows_removed: Option<f64>| match rows_removed.filter(|rows| *rows > 0.0) {
        Some(per_loop) => {
            let all = per_loop * node.actual.map_or(1.0, |actual| actual.loops);
            format!(", which removed {} rows", rows(all))
        }
        None => String::new(),
    };
    let mut lines = Vec::new();
    for (what, condition, rows_removed) in [
        ("index condition", &node.index_cond, None),
        ("recheck", &node.recheck_cond, node.rows_removed_by_recheck),
        ("hash condition", &node.hash_cond, None),
        ("merge condition", &node.merge_cond, None),
        ("join filter", &node.join_filter, node.rows_removed_by_join_filter),
        ("filter", &node.filter, node.rows_removed_by_filter),
    ] {
        if let Some(condition) = condition {
            lines.push(format!("{what} {}{}", clean(condition), removed(rows_removed)));
        }
    }
    if !node.sort_keys.is_empty() {
        let place = match node.sort_space {
            Some((_, true)) => ", on disk",
            _ => "",
        };
        lines.push(format!("sort by {}{place}", node.sort_keys.join(", ")));
    }
    if !node.group_keys.is_empty() {
        lines.push(format!("group by {}", node.group_keys.join(", ")));
    }
    lines
}
