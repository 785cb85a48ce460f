//! A plan as rows, one a node in the order in which EXPLAIN prints them: its own part of the time (or of
//! the cost, where it was not run), rows expected and given, what it wastes, and what was found of it.
//!
//! Times are those that passed: where several processes ran a node, their average. The time of an init plan or CTE
//! lies in the node that first asks for it, and is taken off there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rounded;
use crate::{
    finding::Finding,
    plan::{Node, Plan},
};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanTree {
    /// `analyzed`, `planned` (not run), `generic` (without values), `logged` or `pasted`.
    pub origin: String,
    /// Whether it ran: rows and loops are measured, and times unless they were switched off.
    pub measured: bool,
    pub cost: f64,
    pub planning_ms: Option<f64>,
    pub execution_ms: Option<f64>,
    pub jit_ms: Option<f64>,
    pub triggers: Vec<Trigger>,
    /// Settings that are not at their defaults, where the plan has them (EXPLAIN with SETTINGS).
    pub settings: BTreeMap<String, String>,
    /// What `share` is a share of: `time` or `cost`.
    pub share_of: String,
    pub nodes: Vec<PlanNode>,
    /// The node with the largest share, where one has a hundredth at all.
    pub worst: Option<usize>,
}

/// A trigger that fired; its time is no node's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trigger {
    pub name: Option<String>,
    /// The foreign key or other constraint whose check it is.
    pub constraint: Option<String>,
    pub ms: f64,
    pub calls: f64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanNode {
    /// From 1.
    pub number: usize,
    /// `None` of the root.
    pub parent: Option<usize>,
    /// 0 of the root.
    pub depth: usize,
    /// As EXPLAIN has it: `Index Scan using orders_pkey on orders o`.
    pub title: String,
    pub node_type: String,
    pub relation: Option<String>,
    pub index: Option<String>,
    /// The planner's, with what stands below.
    pub cost: f64,
    /// With what stands below, and without it.
    pub total_ms: Option<f64>,
    pub self_ms: Option<f64>,
    /// Its own part of the plan's time or cost, 0 to 1.
    pub share: Option<f64>,
    /// Rows of all loops together, as far as averages that EXPLAIN rounds tell; `None` where it was not run.
    pub rows: Option<f64>,
    /// Rows that the planner expected for as many loops; for one where it was not run.
    pub rows_expected: f64,
    /// Rows given for each row expected; `None` too where something above stopped it before it gave as many.
    pub factor: Option<f64>,
    pub loops: Option<f64>,
    pub never_executed: bool,
    pub conditions: Vec<NodeCondition>,
    /// How it went: the method of a sort and its memory, the batches of a hash, workers, partitions left out.
    pub notes: Vec<String>,
    pub wastes: Vec<Waste>,
    /// 8 kB pages that it asked for itself.
    pub buffers: Option<NodeBuffers>,
    /// Places in the report's `findings`, from 1.
    pub findings: Vec<usize>,
}

/// By what a node chooses, sorts or groups its rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeCondition {
    /// `filter`, `index condition`, `recheck`, `join filter`, `hash condition`, `merge condition`, `sort by`,
    /// `presorted by`, `group by`.
    pub what: String,
    pub text: String,
}

/// Work without use.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waste {
    pub kind: WasteKind,
    /// Rows, pages, fetches, bytes, scans or workers, of all loops together.
    pub amount: f64,
    /// Of what the node read, 0 to 1, where that is known.
    pub share: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WasteKind {
    RowsRemovedByFilter,
    RowsRemovedByJoinFilter,
    RowsRemovedByRecheck,
    HeapFetches,
    BytesOnDisk,
    LossyPages,
    RepeatedScans,
    WorkersMissing,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeBuffers {
    pub hit: u64,
    pub read: u64,
    pub dirtied: u64,
    pub written: u64,
    pub temp_read: u64,
    pub temp_written: u64,
}

/// A node with what stands around it.
struct Placed<'a> {
    node: &'a Node,
    parent: Option<usize>,
    depth: usize,
    /// Processes that ran it at the same time.
    processes: f64,
    /// Something above may have stopped it before it gave all its rows.
    cut: bool,
    /// Its part of the whole plan's cost, with what stands below.
    budget: f64,
}

impl PlanTree {
    /// `findings`: those of the report, in its order.
    pub fn new(plan: &Plan, origin: &str, findings: &[Finding]) -> PlanTree {
        let mut all = Vec::new();
        let root = Placed {
            node: &plan.root,
            parent: None,
            depth: 0,
            processes: 1.0,
            cut: false,
            budget: plan.root.total_cost,
        };
        place(root, &mut all);
        let wall: Vec<Option<f64>> = all.iter().map(passed).collect();
        let mut own = wall.clone();
        let mut own_cost: Vec<f64> = all.iter().map(|placed| placed.budget).collect();
        for (at, placed) in all.iter().enumerate() {
            let Some(parent) = placed.parent else { continue };
            own_cost[parent] -= placed.budget;
            let payer = if placed.node.relationship == "InitPlan" { payer(&all, at, &wall) } else { parent };
            if let (Some(own), Some(ms)) = (&mut own[payer], wall[at]) {
                *own -= ms;
            }
        }
        let measured = all.iter().any(|placed| placed.node.actual.is_some());
        let timed = wall.first().is_some_and(Option::is_some);
        let whole = if timed {
            wall[0].unwrap_or(0.0).max(plan.execution_ms.unwrap_or(0.0))
        } else {
            plan.root.total_cost
        };
        let nodes: Vec<PlanNode> = all
            .iter()
            .enumerate()
            .map(|(at, placed)| {
                let self_ms = own[at].map(|ms| ms.max(0.0));
                let part = if timed { self_ms } else { Some(own_cost[at].max(0.0)) };
                PlanNode {
                    parent: placed.parent.map(|parent| parent + 1),
                    total_ms: wall[at].map(rounded),
                    self_ms: self_ms.map(rounded),
                    share: part.filter(|_| whole > 0.0).map(|part| rounded((part / whole).min(1.0))),
                    findings: about(findings, placed.node.number),
                    ..of_node(placed)
                }
            })
            .collect();
        let worst = nodes
            .iter()
            .filter(|node| node.share.is_some_and(|share| share >= 0.01))
            .max_by(|a, b| a.share.partial_cmp(&b.share).unwrap_or(std::cmp::Ordering::Equal));
        PlanTree {
            origin: origin.to_owned(),
            measured,
            cost: rounded(plan.root.total_cost),
            planning_ms: plan.planning_ms.map(rounded),
            execution_ms: plan.execution_ms.map(rounded),
            jit_ms: plan.jit_ms.map(rounded),
            settings: settings(plan),
            triggers: plan.triggers.iter().map(trigger).collect(),
            share_of: if timed { "time" } else { "cost" }.to_owned(),
            worst: worst.map(|node| node.number),
            nodes,
        }
    }
}

fn settings(plan: &Plan) -> BTreeMap<String, String> {
    let object = plan.json.as_array().and_then(|plans| plans.first()).unwrap_or(&plan.json);
    let all = object.get("Settings").and_then(serde_json::Value::as_object).into_iter().flatten();
    all.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

fn about(findings: &[Finding], number: usize) -> Vec<usize> {
    let mine = findings.iter().enumerate().filter(|(_, finding)| finding.node == Some(number));
    mine.map(|(at, _)| at + 1).collect()
}

fn trigger(trigger: &crate::plan::Trigger) -> Trigger {
    Trigger {
        name: trigger.name.clone(),
        constraint: trigger.constraint.clone(),
        ms: rounded(trigger.ms),
        calls: trigger.calls,
    }
}

fn place<'a>(placed: Placed<'a>, all: &mut Vec<Placed<'a>>) {
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

fn loops(node: &Node) -> f64 {
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
fn passed(placed: &Placed<'_>) -> Option<f64> {
    if placed.node.never_executed {
        return Some(0.0);
    }
    placed.node.total_ms().map(|ms| ms / placed.processes)
}

/// The node in whose time the init plan at `at` ran: the scans of a CTE, or the first that names its result.
fn payer(all: &[Placed<'_>], at: usize, wall: &[Option<f64>]) -> usize {
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

fn of_node(placed: &Placed<'_>) -> PlanNode {
    let node = placed.node;
    let loops = node.actual.map(|actual| actual.loops);
    let factor = node.actual.map(|actual| actual.rows.max(1.0) / node.rows.max(1.0));
    // Fewer rows than expected mean nothing of a node that was stopped.
    let factor = factor.filter(|factor| *factor >= 1.0 || !placed.cut);
    PlanNode {
        number: node.number,
        depth: placed.depth,
        title: title(node),
        node_type: node.node_type.clone(),
        relation: node.relation.as_ref().map(ToString::to_string),
        index: index_name(node).map(str::to_owned),
        cost: rounded(node.total_cost),
        rows: (node.actual.is_some() || node.never_executed).then(|| rounded(node.total_rows())),
        rows_expected: rounded(node.rows * loops.unwrap_or(1.0)),
        factor: factor.map(|factor| if factor < 0.01 { factor } else { rounded(factor) }),
        loops,
        never_executed: node.never_executed,
        conditions: conditions(node),
        notes: notes(node),
        wastes: wastes(placed),
        buffers: own_buffers(node),
        ..PlanNode::default()
    }
}

/// `InitPlan 1: Index Scan using orders_user_id_idx on orders o`.
pub(super) fn title(node: &Node) -> String {
    let mut words = Vec::new();
    if let Some(name) = &node.subplan_name {
        let name = name.split_once(" (returns").map_or(name.as_str(), |(name, _)| name);
        words.push(format!("{name}:"));
    }
    if node.parallel_aware {
        words.push("Parallel".to_owned());
    }
    words.push(match (node.node_type.as_str(), node.strategy.as_deref().or(node.operation.as_deref())) {
        ("ModifyTable", Some(operation)) => operation.to_owned(),
        ("Aggregate", Some("Hashed")) => "HashAggregate".to_owned(),
        ("Aggregate", Some("Sorted")) => "GroupAggregate".to_owned(),
        ("Aggregate", Some("Mixed")) => "MixedAggregate".to_owned(),
        ("SetOp", Some("Hashed")) => "HashSetOp".to_owned(),
        (other, _) => other.to_owned(),
    });
    if let Some(join) = node.join_type.as_ref().filter(|join| *join != "Inner") {
        let last = words.last_mut().filter(|word| word.ends_with(" Join"));
        match last {
            Some(word) => *word = format!("{} {join} Join", word.trim_end_matches(" Join")),
            None => words.push(format!("{join} Join")),
        }
    }
    if let Some(index) = index_name(node) {
        words.push(if node.relation.is_some() { format!("using {index}") } else { format!("on {index}") });
    }
    let relation = node.relation.as_ref().map(crate::names::RelName::plain);
    let object = relation.or_else(|| node.cte.clone()).or_else(|| node.function.clone());
    if let Some(object) = object {
        let name = node.relation.as_ref().map_or(&object, |relation| &relation.name);
        let alias = node.alias.as_ref().filter(|alias| *alias != name);
        words.push(format!("on {object}"));
        words.extend(alias.cloned());
    }
    words.join(" ")
}

/// `HypoPG` numbers its indexes anew each time: `<13542>btree_orders_user_id`.
pub(super) fn index_name(node: &Node) -> Option<&str> {
    let name = node.index.as_deref()?;
    let numbered = name.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    Some(
        numbered
            .filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()))
            .map_or(name, |(_, own)| own),
    )
}

/// What the node compares, sorts and groups by, in EXPLAIN's words.
pub(super) fn conditions(node: &Node) -> Vec<NodeCondition> {
    let mut all = Vec::new();
    for (what, text) in [
        ("index condition", &node.index_cond),
        ("recheck", &node.recheck_cond),
        ("hash condition", &node.hash_cond),
        ("merge condition", &node.merge_cond),
        ("join filter", &node.join_filter),
        ("filter", &node.filter),
    ] {
        if let Some(text) = text {
            all.push(NodeCondition { what: what.to_owned(), text: text.clone() });
        }
    }
    for (what, keys) in
        [("sort by", &node.sort_keys), ("presorted by", &node.presorted_keys), ("group by", &node.group_keys)]
    {
        if !keys.is_empty() {
            all.push(NodeCondition { what: what.to_owned(), text: keys.join(", ") });
        }
    }
    all
}

fn notes(node: &Node) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(method) = node.sort_method.as_ref().filter(|method| !method.is_empty()) {
        let space = node
            .sort_space
            .map(|(kb, disk)| format!(" in {kb}\u{a0}kB of {}", if disk { "disk" } else { "memory" }));
        all.push(format!("{method}{}", space.unwrap_or_default()));
    }
    if let Some(kb) = node.peak_memory_kb {
        let batches = node.hash_batches.filter(|batches| *batches > 1);
        let batches = batches.map(|batches| format!(" in {batches} batches")).unwrap_or_default();
        all.push(format!("{kb}\u{a0}kB of memory{batches}"));
    }
    match (node.workers_planned, node.workers_launched) {
        (Some(planned), Some(launched)) => all.push(format!("{launched} of {planned} workers")),
        (Some(planned), None) => all.push(format!("{planned} workers")),
        _ => {}
    }
    if let Some(removed) = node.subplans_removed.filter(|removed| *removed > 0) {
        all.push(format!("{removed} partitions left out"));
    }
    all
}

fn wastes(placed: &Placed<'_>) -> Vec<Waste> {
    let node = placed.node;
    let loops = loops(node);
    let mut all = Vec::new();
    let mut waste = |kind, amount: f64, of: Option<f64>| {
        if amount > 0.0 {
            let share = of.filter(|of| *of > 0.0).map(|of| rounded((amount / of).min(1.0)));
            all.push(Waste { kind, amount: rounded(amount), share });
        }
    };
    let read = Some(node.rows_read());
    for (kind, rows) in [
        (WasteKind::RowsRemovedByFilter, node.rows_removed_by_filter),
        (WasteKind::RowsRemovedByJoinFilter, node.rows_removed_by_join_filter),
        (WasteKind::RowsRemovedByRecheck, node.rows_removed_by_recheck),
    ] {
        waste(kind, rows.unwrap_or(0.0) * loops, read);
    }
    waste(WasteKind::HeapFetches, node.heap_fetches.unwrap_or(0) as f64, None);
    waste(WasteKind::BytesOnDisk, on_disk(node), None);
    let lossy = node.lossy_blocks.unwrap_or(0) as f64;
    waste(WasteKind::LossyPages, lossy, Some(lossy + node.exact_blocks.unwrap_or(0) as f64));
    let whole = matches!(
        node.node_type.as_str(),
        "Seq Scan" | "CTE Scan" | "Subquery Scan" | "Function Scan" | "Materialize"
    );
    let scans = loops / placed.processes;
    waste(WasteKind::RepeatedScans, if whole && scans > 1.0 { scans } else { 0.0 }, None);
    if let (Some(planned), Some(launched)) = (node.workers_planned, node.workers_launched) {
        waste(WasteKind::WorkersMissing, planned.saturating_sub(launched) as f64, Some(planned as f64));
    }
    all
}

/// Bytes that a sort, hash or aggregate wrote to temporary files.
fn on_disk(node: &Node) -> f64 {
    let kb = match (node.sort_space, node.hash_batches, node.peak_memory_kb) {
        (Some((kb, true)), ..) => kb,
        (_, Some(batches), Some(peak)) if batches > 1 && node.node_type == "Hash" => {
            peak.saturating_mul(batches - 1)
        }
        _ => node.disk_kb.unwrap_or(0),
    };
    kb as f64 * 1024.0
}

/// EXPLAIN counts the pages of the children with those of the parent.
fn own_buffers(node: &Node) -> Option<NodeBuffers> {
    let all = node.buffers?;
    let below = |of: fn(&crate::plan::Buffers) -> u64| -> u64 {
        node.children.iter().filter_map(|child| child.buffers.as_ref()).map(of).fold(0, u64::saturating_add)
    };
    Some(NodeBuffers {
        hit: all.shared_hit.saturating_sub(below(|one| one.shared_hit)),
        read: all.shared_read.saturating_sub(below(|one| one.shared_read)),
        dirtied: all.shared_dirtied.saturating_sub(below(|one| one.shared_dirtied)),
        written: all.shared_written.saturating_sub(below(|one| one.shared_written)),
        temp_read: all.temp_read.saturating_sub(below(|one| one.temp_read)),
        temp_written: all.temp_written.saturating_sub(below(|one| one.temp_written)),
    })
}
