//! One node of a plan in words and figures of its own: title, conditions, notes, waste and buffers.

use super::{
    NodeBuffers, NodeCondition, PlanNode, Waste, WasteKind,
    placed::{Placed, loops},
};
use crate::{plan::Node, report::rounded};

pub(super) fn of_node(placed: &Placed<'_>) -> PlanNode {
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
pub(in crate::report) fn title(node: &Node) -> String {
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
pub(in crate::report) fn index_name(node: &Node) -> Option<&str> {
    let name = node.index.as_deref()?;
    let numbered = name.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    Some(
        numbered
            .filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()))
            .map_or(name, |(_, own)| own),
    )
}

/// What the node compares, sorts and groups by, in EXPLAIN's words.
pub(in crate::report) fn conditions(node: &Node) -> Vec<NodeCondition> {
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
