//! A sequential scan, at any depth of the plan, that reads many rows to return few.
//!
//! Rows read are counted over all loops and workers: measured where the plan was run (`ANALYZE`), else the
//! table's rows (from the catalog) times the planner's own estimate of the loops, less what a LIMIT
//! above saves. Left alone: small reads, scans that need much of the table, scans without any filter or
//! join that drops rows (an aggregate of the whole table), and scans that never ran.

use serde_json::json;

use super::{Facts, Report, access, index_use, plans::conditions, words};
use crate::{finding::Severity, names::RelName, plan::Node, rules::Rule};

pub(super) fn detect(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(plan) = facts.plan else { return };
    let mut scans = Vec::new();
    walk(&plan.plan.root, Around::default(), &mut scans);
    let mut unknown = 0;
    let mut found: Vec<(Scan, f64)> = Vec::new();
    for scan in scans {
        let rows = scan.rows_read.or_else(|| {
            let table = facts.catalog?.table(&scan.table).or_else(|| by_name(facts, &scan.table))?;
            Some(table.rows? * scan.loops * scan.share)
        });
        match rows {
            Some(rows) => found.push((scan, rows)),
            None => unknown += 1,
        }
    }
    report.not_judged.add_many(
        &rule.name,
        "the table's size is not known, and the plan was not run",
        unknown,
    );
    for (scan, rows) in merged(found) {
        if rows < rule.param("rows") || scan.returned > rows * rule.param("fraction") {
            continue;
        }
        report.findings.push(finding(rule, facts, &scan, rows));
    }
}

/// One sequential scan with what its surroundings make of it.
#[derive(Clone, Debug)]
struct Scan {
    /// Its place in the plan.
    node: usize,
    /// By which an index could find its rows, as its filter tells.
    columns: Vec<String>,
    table: RelName,
    alias: String,
    /// Rows read in all loops, where the plan was run.
    rows_read: Option<f64>,
    /// Rows that came out of it (or out of the join that was its only filter), in all loops.
    returned: f64,
    loops: f64,
    /// `rows_read` is a rounded average times the loops.
    averaged: bool,
    /// The part of the scan that a LIMIT above lets happen, 0 to 1.
    share: f64,
    filtered: bool,
}

/// What stands above a node.
#[derive(Clone, Copy, Debug)]
struct Around {
    loops: f64,
    share: f64,
    /// Workers share the rows of a parallel scan.
    workers: f64,
    /// What the join above leaves of the rows, where it is the only thing that drops any.
    join: Option<f64>,
    /// Rows that the Gather right above was given by all workers: EXPLAIN rounds each worker's average.
    gathered: Option<f64>,
}

impl Default for Around {
    fn default() -> Around {
        Around { loops: 1.0, share: 1.0, workers: 1.0, join: None, gathered: None }
    }
}

fn walk(node: &Node, around: Around, scans: &mut Vec<Scan>) {
    if node.never_executed {
        return;
    }
    if node.node_type == "Seq Scan"
        && let Some(table) = &node.relation
        && let Some(read) = read(node, table, around)
    {
        scans.push(read);
    }
    for child in &node.children {
        walk(child, below(node, child, around), scans);
    }
}

fn read(node: &Node, table: &RelName, around: Around) -> Option<Scan> {
    let filtered = node.filter.is_some();
    if !filtered && around.join.is_none() {
        return None;
    }
    let removed = node.rows_removed_by_filter.unwrap_or(0.0);
    let (read, own) = if let Some(actual) = node.actual {
        let own = around.gathered.unwrap_or(actual.rows * actual.loops);
        (Some((actual.rows + removed) * actual.loops), own)
    } else {
        let workers = if node.parallel_aware { around.workers } else { 1.0 };
        let own = around.gathered.unwrap_or(node.rows * workers);
        (None, own * around.loops * around.share)
    };
    let returned = around.join.map_or(own, |join| if filtered { own.min(join) } else { join });
    Some(Scan {
        node: node.number,
        columns: conditions::columns(node),
        table: table.clone(),
        alias: node.alias.clone().unwrap_or_else(|| table.name.clone()),
        rows_read: read,
        returned,
        loops: node.actual.filter(|_| !node.parallel_aware).map_or(around.loops, |actual| actual.loops),
        averaged: node.actual.is_some_and(|actual| actual.loops > 1.0),
        share: around.share,
        filtered,
    })
}

/// What stands above a child of `node`.
fn below(node: &Node, child: &Node, around: Around) -> Around {
    let mut below = Around { join: None, gathered: None, ..around };
    let per_row = match node.node_type.as_str() {
        "Nested Loop" if child.relationship == "Inner" => {
            // A Materialize or Memoize reads what is under it once, or once a value.
            let kept = matches!(child.node_type.as_str(), "Materialize" | "Memoize");
            let outer = node.children.iter().find(|child| child.relationship == "Outer");
            if kept { 1.0 } else { outer.map_or(1.0, |outer| outer.rows) }
        }
        _ if child.relationship == "SubPlan" && !is_hashed(node, child) => node.rows,
        _ => 1.0,
    };
    below.loops *= per_row.max(1.0);
    match node.node_type.as_str() {
        "Gather" | "Gather Merge" => {
            // The leader helps, the less the more workers there are (`get_parallel_divisor()`).
            let workers = node.workers_planned.unwrap_or(0) as f64;
            below.workers = workers + (1.0 - 0.3 * workers).max(0.0);
            below.gathered = Some(node.actual.map_or(node.rows, |actual| actual.rows * actual.loops));
        }
        "Limit" => below.share = around.share * (node.rows / child.rows.max(1.0)).min(1.0),
        // These need all their input before the first row.
        "Sort" | "Aggregate" | "Hash" | "Materialize" | "HashAggregate" | "WindowAgg" | "SetOp"
        | "Unique" | "BitmapAnd" | "Bitmap Heap Scan" => below.share = 1.0,
        "Hash Join" if child.relationship == "Inner" => below.share = 1.0,
        _ => {}
    }
    if child.relationship == "InitPlan" || child.relationship == "SubPlan" {
        below.share = 1.0;
    }
    below.join = match node.node_type.as_str() {
        "Hash Join" | "Nested Loop" | "Merge Join"
            if matches!(child.relationship.as_str(), "Inner" | "Outer")
                && matches!(node.join_type.as_deref(), Some("Inner" | "Semi")) =>
        {
            let rows = match node.actual {
                Some(actual) => actual.rows * actual.loops,
                None => node.rows * around.loops,
            };
            let looped = node.node_type == "Nested Loop" && node.join_filter.is_none();
            // A nested loop without a filter multiplies on purpose.
            (!looped).then_some(rows)
        }
        "Hash" | "Sort" | "Gather" | "Gather Merge" | "Materialize" => around.join,
        _ => None,
    };
    below
}

/// EXPLAIN names hashed subplans in the expression that uses them.
fn is_hashed(node: &Node, child: &Node) -> bool {
    let name = child.subplan_name.as_deref().unwrap_or_default();
    let inside = format!("hashed {name}");
    [&node.filter, &node.join_filter].into_iter().flatten().any(|text| text.contains(&inside))
}

/// The server leaves the schema out of plans without VERBOSE.
fn by_name<'a>(facts: &Facts<'a>, table: &RelName) -> Option<&'a crate::catalog::Table> {
    let mut named = facts.catalog?.tables.iter().filter(|known| known.name.name == table.name);
    let first = named.next();
    first.filter(|_| named.next().is_none())
}

/// The partitions of one table, and one table scanned for several reasons, are one finding: summed by
/// alias without the planner's number.
fn merged(found: Vec<(Scan, f64)>) -> Vec<(Scan, f64)> {
    let mut merged: Vec<(Scan, f64)> = Vec::new();
    for (scan, rows) in found {
        let stem = scan.alias.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('_').to_owned();
        let same = |kept: &&mut (Scan, f64)| {
            kept.0.alias.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('_') == stem
                && kept.0.filtered == scan.filtered
                && kept.0.alias != scan.alias
        };
        match merged.iter_mut().find(same) {
            Some((kept, sum)) => {
                kept.returned += scan.returned;
                *sum += rows;
            }
            None => merged.push((scan, rows)),
        }
    }
    merged
}

fn finding(rule: &Rule, facts: &Facts<'_>, scan: &Scan, rows: f64) -> crate::finding::Finding {
    let measured = scan.rows_read.is_some();
    let how = if measured { "measured" } else { "estimated" };
    let returned = scan.returned.round();
    let loops =
        if scan.loops >= 2.0 { format!(" in {} loops", words::count(scan.loops)) } else { String::new() };
    let what = if scan.filtered { "to return" } else { "for a join that leaves" };
    let because = format!(
        "the sequential scan of {} reads {}{}{loops} {what} {} ({how})",
        scan.table.plain(),
        if scan.averaged { "about " } else { "" },
        words::counted(if scan.averaged { three_digits(rows) } else { rows }, "row"),
        words::count(returned),
    );
    let index = facts.shape.zip(facts.catalog).and_then(|(shape, catalog)| {
        access::all(shape, catalog)
            .iter()
            .find(|access| access.table.name.name == scan.table.name && index_use::misorder(access).is_none())
            .filter(|access| index_use::uses(access).iter().all(|found| found.served.is_empty()))
            .and_then(|access| {
                let on_join = || access.joins().next().and_then(|term| index_use::on_key(access, &term.key));
                index_use::propose(access).or_else(on_join)
            })
    });
    let instead = match index {
        Some(index) => index_use::command(facts.catalog, &index),
        // What indexes there are is not known: the columns alone are told.
        None if facts.catalog.is_none() && !scan.columns.is_empty() => format!(
            "An index on {} of {}, so that only the rows asked for are read.",
            words::list(&scan.columns),
            scan.table.plain()
        ),
        None => rule.instead.trim().to_owned(),
    };
    let confidence = facts.plan.map_or(crate::finding::Confidence::Planned, |plan| plan.confidence());
    let mut finding = facts.finding(rule, confidence, because, instead).at_node(scan.node);
    // Below the error of an estimate of few rows nothing is certain; a generic plan knows no values.
    if !measured && facts.plan.is_some_and(|plan| plan.origin == super::PlanOrigin::Generic) {
        finding.severity = finding.severity.min(Severity::Warning);
    }
    let tables = facts.shape.iter().flat_map(|shape| &shape.blocks).flat_map(|block| &block.tables);
    finding.span = tables
        .filter(|table| table.alias.as_deref() == Some(scan.alias.as_str()))
        .find_map(|table| super::known(&table.at));
    finding.detail.insert("table".to_owned(), json!(scan.table.plain()));
    finding.detail.insert("rows_read".to_owned(), json!(rows.round()));
    finding.detail.insert("rows_returned".to_owned(), json!(returned));
    finding.detail.insert("measured".to_owned(), json!(measured));
    finding
}

/// A rounded average times the loops is no better than this.
fn three_digits(number: f64) -> f64 {
    let unit = 10_f64.powf(number.max(1.0).log10().floor() - 2.0).max(1.0);
    (number / unit).round() * unit
}
