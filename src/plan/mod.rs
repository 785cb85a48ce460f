//! EXPLAIN → [`Plan`], and the question "what if these indexes were there?".
//!
//! Text, XML and YAML become the JSON that the same plan has, and one reader takes that.

mod format;
mod keys;
mod paste;
mod read;
mod text;
mod xml;
mod yaml;

use serde_json::Value;

use crate::{catalog::IndexSpec, names::RelName};

/// A plan as the server gave it.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub root: Node,
    pub planning_ms: Option<f64>,
    pub execution_ms: Option<f64>,
    /// Milliseconds that compiling took (`JIT`), of the execution's time.
    pub jit_ms: Option<f64>,
    /// Triggers that fired, and their time, which is no node's.
    pub triggers: Vec<Trigger>,
    /// The server's own JSON, for reports. Of a plan in another format it is what JSON would say, as far as
    /// that format carries it.
    pub json: Value,
}

/// One trigger of a plan that ran.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trigger {
    pub name: Option<String>,
    /// The foreign key or deferred constraint whose check it is.
    pub constraint: Option<String>,
    pub ms: f64,
    pub calls: f64,
}

/// One node; its children are inputs, init plans, subplans and CTEs alike (see [`Node::relationship`]).
#[expect(clippy::struct_field_names, reason = "`Node Type` is what EXPLAIN calls it")]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// The place in the tree, from 1, in the order in which EXPLAIN prints the nodes.
    pub number: usize,
    /// `Seq Scan`, `Index Only Scan`, `Hash Join` …
    pub node_type: String,
    pub parallel_aware: bool,
    /// `Outer`, `Inner`, `InitPlan`, `SubPlan`, `Member`, `Subquery`; empty at the root.
    pub relationship: String,
    pub subplan_name: Option<String>,
    pub relation: Option<RelName>,
    pub alias: Option<String>,
    pub index: Option<String>,
    pub cte: Option<String>,
    pub function: Option<String>,
    pub join_type: Option<String>,
    /// `Insert`, `Update`, `Delete` or `Merge` of a node that writes; `Select` of a foreign scan.
    pub operation: Option<String>,
    /// `Hashed`, `Sorted`, `Plain`, `Mixed` of an aggregate or set operation.
    pub strategy: Option<String>,
    pub startup_cost: f64,
    pub total_cost: f64,
    /// The planner's estimate, per loop.
    pub rows: f64,
    /// Bytes.
    pub width: u32,
    /// `None` without ANALYZE, and for a node that never ran.
    pub actual: Option<Actual>,
    pub never_executed: bool,
    pub filter: Option<String>,
    /// Per loop, as EXPLAIN prints it.
    pub rows_removed_by_filter: Option<f64>,
    pub join_filter: Option<String>,
    pub rows_removed_by_join_filter: Option<f64>,
    pub rows_removed_by_recheck: Option<f64>,
    pub index_cond: Option<String>,
    pub recheck_cond: Option<String>,
    pub hash_cond: Option<String>,
    pub merge_cond: Option<String>,
    /// Rows an index-only scan had to look up in the heap.
    pub heap_fetches: Option<u64>,
    pub sort_keys: Vec<String>,
    pub presorted_keys: Vec<String>,
    pub sort_method: Option<String>,
    /// Kilobytes, and whether they were on disk.
    pub sort_space: Option<(u64, bool)>,
    /// More than 1 batch means that a hash went to disk.
    pub hash_batches: Option<u64>,
    /// Kilobytes of an aggregate's or hash's spill.
    pub disk_kb: Option<u64>,
    /// Kilobytes of memory that an aggregate or a hash took at most.
    pub peak_memory_kb: Option<u64>,
    /// Heap pages that a bitmap named row by row, and those of which it knew only the page.
    pub exact_blocks: Option<u64>,
    pub lossy_blocks: Option<u64>,
    pub group_keys: Vec<String>,
    pub buffers: Option<Buffers>,
    /// Partitions that an Append left out when its execution began.
    pub subplans_removed: Option<u64>,
    pub workers_planned: Option<u64>,
    pub workers_launched: Option<u64>,
    pub children: Vec<Node>,
}

/// Measured by ANALYZE. Rows and times are averages per loop, as EXPLAIN prints them; times are in
/// milliseconds, and `None` with `TIMING OFF`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Actual {
    pub rows: f64,
    pub loops: f64,
    pub startup_ms: Option<f64>,
    pub total_ms: Option<f64>,
}

/// 8 kB blocks, this node and its children together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Buffers {
    pub shared_hit: u64,
    pub shared_read: u64,
    pub shared_dirtied: u64,
    pub shared_written: u64,
    pub temp_read: u64,
    pub temp_written: u64,
}

/// Why a text is not a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAPlan {
    pub why: String,
}

/// What the planner says of a query with some indexes more or fewer.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    pub cost: f64,
    /// For each proposed index, in order: does the plan use it?
    pub used: Vec<bool>,
    pub plan: Plan,
}

/// A statement to be planned, with the bind values the log gave; `None` stands for NULL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    pub sql: String,
    /// Empty for a text without parameters; for a text that has some it means "not known".
    pub binds: Vec<Option<String>>,
}

/// The what-if question, answered by `HypoPG`, by a private cluster, or by a recording.
pub trait WhatIf {
    /// Plans `probe` with `indexes` added. Errors say in words why it could not be asked.
    fn estimate(&mut self, probe: &Probe, indexes: &[IndexSpec]) -> Result<Estimate, String>;

    /// From here on plans without these indexes, which exist.
    fn hide(&mut self, _indexes: &[RelName]) -> Result<(), String> {
        Err("only the private server of a snapshot plans without an index that exists".to_owned())
    }

    /// Size in bytes that the oracle gives to an index that does not exist.
    fn size(&mut self, index: &IndexSpec) -> Result<u64, String>;

    /// Whether it can cost this kind of index at all, and if not, why not.
    fn supports(&self, index: &IndexSpec) -> Result<(), String>;
}

impl Plan {
    /// Every node, parents before children.
    pub fn nodes(&self) -> Vec<&Node> {
        let mut nodes = vec![&self.root];
        let mut at = 0;
        while at < nodes.len() {
            nodes.extend(&nodes[at].children);
            at += 1;
        }
        nodes
    }
}

impl Node {
    /// Rows that the node gave in all its loops: measured where it ran, none where it never ran,
    /// otherwise the planner's estimate for one loop (which says nothing of how often it would run).
    pub fn total_rows(&self) -> f64 {
        match &self.actual {
            Some(actual) => actual.rows * actual.loops,
            None if self.never_executed => 0.0,
            None => self.rows,
        }
    }

    /// Rows that the node looked at in all its loops: those that it gave and those that its filters
    /// threw away. Without ANALYZE what was thrown away is not known, and only the estimate remains.
    pub fn rows_read(&self) -> f64 {
        let Some(actual) = &self.actual else { return self.total_rows() };
        let removed: f64 =
            [self.rows_removed_by_filter, self.rows_removed_by_join_filter, self.rows_removed_by_recheck]
                .into_iter()
                .flatten()
                .sum();
        (actual.rows + removed) * actual.loops
    }

    /// Milliseconds in all loops, children included. A node that ran in parallel workers counts
    /// the time of each process, so it may exceed the time that passed.
    pub fn total_ms(&self) -> Option<f64> {
        self.actual.as_ref().and_then(|actual| Some(actual.total_ms? * actual.loops))
    }

    /// Milliseconds of this node alone: without its inputs and subplans. Never below zero, though
    /// the times of parallel workers and of shared CTEs do not add up exactly.
    pub fn self_ms(&self) -> Option<f64> {
        let children: f64 = self
            .children
            .iter()
            // An init plan runs within the first node that needs its value, mostly one further
            // down, whose time holds it already.
            .filter(|child| child.relationship != "InitPlan")
            .filter_map(Node::total_ms)
            .sum();
        self.total_ms().map(|total| (total - children).max(0.0))
    }
}
