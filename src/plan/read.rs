//! EXPLAIN (FORMAT JSON) → [`Plan`].
//!
//! Total over what PostgreSQL 13 to 18 print: a key that is not known is passed over, a key that is missing
//! has its default. Only a text without any plan in it is refused. Takes what EXPLAIN gives
//! (`[{"Plan": …}]`), one object of it, and what `auto_explain` logs (`{"Query Text": …, "Plan": …}`).

use serde_json::{Map, Value};

use super::{Actual, Buffers, Node, NotAPlan, Plan, Trigger};
use crate::names::RelName;

type Object = Map<String, Value>;

impl Plan {
    /// Reads what EXPLAIN (FORMAT JSON) gives, from PostgreSQL 13 to 18, or an object of `auto_explain`.
    pub fn from_json(json: Value) -> Result<Plan, NotAPlan> {
        let object = match &json {
            Value::Array(items) => items.first(),
            other => Some(other),
        };
        let object = object.and_then(Value::as_object).ok_or_else(|| not("there is no JSON object in it"))?;
        let mut root = match object.get("Plan") {
            Some(Value::Object(root)) => node(root),
            // A node by itself, as reports carry it.
            _ if object.contains_key("Node Type") => node(object),
            _ => return Err(not("it has no \"Plan\"")),
        };
        if root.node_type.is_empty() {
            return Err(not("its plan has no \"Node Type\""));
        }
        count(&mut root, &mut 0);
        let (planning_ms, execution_ms) = (number(object, "Planning Time"), number(object, "Execution Time"));
        let jit_ms = object.get("JIT").and_then(|jit| {
            let timing = jit.get("Timing")?.as_object()?;
            // From PostgreSQL 17 on a time may hold its parts.
            number(timing, "Total").or_else(|| number(timing.get("Total")?.as_object()?, "Total"))
        });
        let triggers = object.get("Triggers").and_then(Value::as_array).into_iter().flatten();
        let triggers = triggers.filter_map(Value::as_object).filter_map(trigger).collect();
        Ok(Plan { root, planning_ms, execution_ms, jit_ms, triggers, json })
    }
}

fn not(why: &str) -> NotAPlan {
    NotAPlan { why: why.to_owned() }
}

/// Numbers the nodes, parents before children.
fn count(node: &mut Node, last: &mut usize) {
    *last += 1;
    node.number = *last;
    for child in &mut node.children {
        count(child, last);
    }
}

/// `None` without its time (`TIMING OFF`).
fn trigger(object: &Object) -> Option<Trigger> {
    Some(Trigger {
        name: text(object, "Trigger Name"),
        constraint: text(object, "Constraint Name"),
        ms: number(object, "Time")?,
        calls: number(object, "Calls").unwrap_or(0.0),
    })
}

fn node(object: &Object) -> Node {
    let children = match object.get("Plans") {
        Some(Value::Array(plans)) => plans.iter().filter_map(Value::as_object).map(node).collect(),
        _ => Vec::new(),
    };
    // A node that never ran reports zero loops; without ANALYZE there are no loops at all.
    let loops = number(object, "Actual Loops");
    let never_executed = loops == Some(0.0);
    let actual = loops.filter(|&loops| loops > 0.0).map(|loops| Actual {
        rows: number(object, "Actual Rows").unwrap_or(0.0),
        loops,
        startup_ms: number(object, "Actual Startup Time"),
        total_ms: number(object, "Actual Total Time"),
    });
    let (sort_method, sort_space) = sort(object);
    Node {
        number: 0,
        node_type: text(object, "Node Type").unwrap_or_default(),
        parallel_aware: object.get("Parallel Aware").and_then(Value::as_bool).unwrap_or(false),
        relationship: text(object, "Parent Relationship").unwrap_or_default(),
        subplan_name: text(object, "Subplan Name"),
        relation: text(object, "Relation Name").map(|name| RelName { schema: text(object, "Schema"), name }),
        alias: text(object, "Alias"),
        index: text(object, "Index Name"),
        cte: text(object, "CTE Name"),
        function: text(object, "Function Name"),
        join_type: text(object, "Join Type"),
        operation: text(object, "Operation"),
        strategy: text(object, "Strategy"),
        startup_cost: number(object, "Startup Cost").unwrap_or(0.0),
        total_cost: number(object, "Total Cost").unwrap_or(0.0),
        rows: number(object, "Plan Rows").unwrap_or(0.0),
        width: whole(object, "Plan Width").and_then(|width| u32::try_from(width).ok()).unwrap_or(0),
        actual,
        never_executed,
        filter: text(object, "Filter"),
        rows_removed_by_filter: number(object, "Rows Removed by Filter"),
        join_filter: text(object, "Join Filter"),
        rows_removed_by_join_filter: number(object, "Rows Removed by Join Filter"),
        rows_removed_by_recheck: number(object, "Rows Removed by Index Recheck"),
        index_cond: text(object, "Index Cond"),
        recheck_cond: text(object, "Recheck Cond"),
        hash_cond: text(object, "Hash Cond"),
        merge_cond: text(object, "Merge Cond"),
        heap_fetches: whole(object, "Heap Fetches"),
        sort_keys: texts(object, "Sort Key"),
        presorted_keys: texts(object, "Presorted Key"),
        sort_method,
        sort_space,
        // `Hash Batches` of a hash join's build side, `HashAgg Batches` of an aggregate.
        hash_batches: whole(object, "Hash Batches").or_else(|| whole(object, "HashAgg Batches")),
        disk_kb: whole(object, "Disk Usage"),
        peak_memory_kb: whole(object, "Peak Memory Usage"),
        exact_blocks: whole(object, "Exact Heap Blocks"),
        lossy_blocks: whole(object, "Lossy Heap Blocks"),
        group_keys: texts(object, "Group Key"),
        buffers: buffers(object),
        // JSON has the zero too, the text leaves it out.
        subplans_removed: whole(object, "Subplans Removed").filter(|removed| *removed > 0),
        workers_planned: whole(object, "Workers Planned"),
        workers_launched: whole(object, "Workers Launched"),
        children,
    }
}

/// How a Sort went: its own keys, the worst group of an Incremental Sort, or the worst worker.
fn sort(object: &Object) -> (Option<String>, Option<(u64, bool)>) {
    if let Some(method) = text(object, "Sort Method") {
        let disk = text(object, "Sort Space Type").as_deref() == Some("Disk");
        return (Some(method), whole(object, "Sort Space Used").map(|kb| (kb, disk)));
    }
    let groups = ["Full-sort Groups", "Pre-sorted Groups"].into_iter().filter_map(|key| {
        let group = object.get(key)?.as_object()?;
        let method = texts(group, "Sort Methods Used").join(", ");
        let memory = group.get("Sort Space Memory").and_then(Value::as_object);
        let disk = group.get("Sort Space Disk").and_then(Value::as_object);
        let space =
            disk.and_then(|disk| whole(disk, "Peak Sort Space Used")).map(|kb| (kb, true)).or_else(|| {
                memory.and_then(|memory| whole(memory, "Peak Sort Space Used")).map(|kb| (kb, false))
            });
        Some((method, space))
    });
    let workers = object.get("Workers").and_then(Value::as_array).into_iter().flatten();
    let workers = workers.filter_map(|worker| {
        let worker = worker.as_object()?;
        text(worker, "Sort Method")?;
        let (method, space) = sort(worker);
        Some((method?, space))
    });
    match groups.chain(workers).max_by_key(|(_, space)| space.map(|(kb, disk)| (disk, kb))) {
        Some((method, space)) => (Some(method), space),
        None => (None, None),
    }
}

fn buffers(object: &Object) -> Option<Buffers> {
    let hit = whole(object, "Shared Hit Blocks")?;
    let blocks = |key| whole(object, key).unwrap_or(0);
    Some(Buffers {
        shared_hit: hit,
        shared_read: blocks("Shared Read Blocks"),
        shared_dirtied: blocks("Shared Dirtied Blocks"),
        shared_written: blocks("Shared Written Blocks"),
        temp_read: blocks("Temp Read Blocks"),
        temp_written: blocks("Temp Written Blocks"),
    })
}

fn text(object: &Object, key: &str) -> Option<String> {
    object.get(key)?.as_str().map(str::to_owned)
}

fn texts(object: &Object, key: &str) -> Vec<String> {
    let items = object.get(key).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn number(object: &Object, key: &str) -> Option<f64> {
    object.get(key)?.as_f64()
}

/// Whole numbers; PostgreSQL 18 prints some that were whole before with decimals.
fn whole(object: &Object, key: &str) -> Option<u64> {
    let value = object.get(key)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count that EXPLAIN prints with decimals; `as` saturates"
    )]
    value.as_u64().or_else(|| value.as_f64().map(|number| number.round() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn root(text: &str) -> Node {
        Plan::from_text(text).expect("a plan").root
    }

    #[test]
    fn what_auto_explain_logs() {
        let plan = Plan::from_text(
            r#"{"Query Text": "SELECT 1", "Plan": {"Node Type": "Result", "Total Cost": 0.01, "New Key": {}}}"#,
        );
        assert_eq!(plan.expect("a plan").root.node_type, "Result");
    }

    #[test]
    fn fractional_rows_of_18_and_nodes_that_never_ran() {
        let node = root(
            r#"[{"Plan": {"Node Type": "A", "Actual Rows": 0.33, "Actual Loops": 3, "Actual Total Time": 2.0}}]"#,
        );
        assert!((node.total_rows() - 0.99).abs() < 1e-9 && !node.never_executed);
        let never =
            root(r#"[{"Plan": {"Node Type": "A", "Plan Rows": 5, "Actual Rows": 0, "Actual Loops": 0}}]"#);
        assert!(never.never_executed && never.actual.is_none());
        assert!(never.total_rows().abs() < f64::EPSILON);
        let planned = root(r#"[{"Plan": {"Node Type": "A", "Plan Rows": 5}}]"#);
        assert!(!planned.never_executed && (planned.total_rows() - 5.0).abs() < f64::EPSILON);
    }

    #[test]
    fn worst_group_of_an_incremental_sort() {
        let node = root(
            r#"[{"Plan": {"Node Type": "Incremental Sort", "Presorted Key": ["a"],
                "Full-sort Groups": {"Group Count": 1, "Sort Methods Used": ["quicksort"],
                    "Sort Space Memory": {"Average Sort Space Used": 25, "Peak Sort Space Used": 25}},
                "Pre-sorted Groups": {"Group Count": 1, "Sort Methods Used": ["external merge"],
                    "Sort Space Disk": {"Average Sort Space Used": 900, "Peak Sort Space Used": 1000}}}}]"#,
        );
        assert_eq!(
            (node.sort_method.as_deref(), node.sort_space),
            (Some("external merge"), Some((1000, true)))
        );
    }

    #[test]
    fn what_is_no_plan_says_why() {
        for (text, why) in [
            ("[]", "there is no JSON object in it"),
            ("[7]", "there is no JSON object in it"),
            ("7", "it has no line of a plan"),
            ("{}", "it has no \"Plan\""),
            (r#"{"Plan": {}}"#, "its plan has no \"Node Type\""),
        ] {
            assert_eq!(Plan::from_text(text).expect_err("no plan").why, why, "{text}");
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(Plan::from_text(&deep).expect_err("no plan").why.contains("deeper than 60"));
    }
}
