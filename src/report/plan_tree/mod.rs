//! A plan as rows, one a node in the order in which EXPLAIN prints them: its own part of the time (or of
//! the cost, where it was not run), rows expected and given, what it wastes, and what was found of it.
//!
//! Times are those that passed: where several processes ran a node, their average. The time of an init plan or CTE
//! lies in the node that first asks for it, and is taken off there.

mod node;
mod placed;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(super) use self::node::{conditions, index_name, title};
use self::{
    node::of_node,
    placed::{Placed, passed, payer, place},
};
use super::rounded;
use crate::{finding::Finding, plan::Plan};

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
