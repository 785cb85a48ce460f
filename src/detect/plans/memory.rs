//! Sorts, hashes and bitmaps that did not fit into `work_mem`, with the size that would hold them.

use super::{Facts, Report, measured, table, words};
use crate::{finding::Confidence, plan::Node, rules::Rule};

/// A sort, hash or hash aggregate that went to disk: the largest of the plan.
pub(in crate::detect) fn spill(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(plan) = measured(rule, facts, report) else { return };
    let multiplier = facts
        .catalog
        .and_then(|catalog| catalog.settings.number("hash_mem_multiplier"))
        .filter(|multiplier| *multiplier >= 1.0)
        .unwrap_or(1.0);
    let spills = plan.nodes().into_iter().filter_map(|node| spilled(node, multiplier));
    let Some(worst) = spills.max_by(|a, b| a.disk.total_cmp(&b.disk)) else { return };
    if worst.disk < rule.param("bytes") {
        return;
    }
    let work_mem = setting(worst.needed);
    let order = if worst.what == "sort" {
        " An index in the order of the sort saves it, where few of its rows are wanted."
    } else {
        ""
    };
    let instead = if worst.needed > rule.param("memory") {
        format!(
            "Sort or hash fewer and narrower rows (filter or aggregate before): to hold this one would take about \
             {work_mem} for each session.{order}"
        )
    } else {
        format!(
            "More memory for this query alone (SET LOCAL work_mem = '{work_mem}' in its transaction, or ALTER ROLE … SET work_mem for a \
             role that runs such queries) would hold it; each sort and hash of each session may take as much, so \
             leave the server's own setting.{order}"
        )
    };
    let because = format!(
        "the {} of {} wrote about {} to disk, for want of about {work_mem} of work_mem (measured)",
        worst.what,
        words::counted(worst.rows, "row"),
        words::bytes(worst.disk),
    );
    report.findings.push(facts.finding(rule, Confidence::Measured, because, instead).at_node(worst.node));
}

struct Spill {
    /// Its place in the plan.
    node: usize,
    what: &'static str,
    rows: f64,
    /// Bytes.
    disk: f64,
    /// `work_mem` in bytes.
    needed: f64,
}

fn spilled(node: &Node, multiplier: f64) -> Option<Spill> {
    let rows = node.actual?.rows;
    let width = f64::from(node.width);
    let kb = |kb: u64| kb as f64 * 1024.0;
    match node.node_type.as_str() {
        "Sort" | "Incremental Sort" => {
            let (disk, true) = node.sort_space? else { return None };
            // A tuple in memory has a header, an entry in the array that is sorted, and its allocation.
            let needed = (rows * (width + 72.0)).max(2.0 * kb(disk));
            Some(Spill { node: node.number, what: "sort", rows, disk: kb(disk), needed })
        }
        "Hash" => {
            let batches = node.hash_batches.filter(|batches| *batches > 1)? as f64;
            let peak = kb(node.peak_memory_kb?);
            Some(Spill {
                node: node.number,
                what: "hash",
                rows,
                disk: peak * (batches - 1.0),
                needed: peak * batches / multiplier,
            })
        }
        "Aggregate" => {
            let disk = kb(node.disk_kb.filter(|disk| *disk > 0)?);
            // An entry of the hash table with its group and states.
            let needed = (rows * (width + 112.0)).max(kb(node.peak_memory_kb.unwrap_or(0)) + disk);
            Some(Spill { node: node.number, what: "hash aggregate", rows, disk, needed: needed / multiplier })
        }
        _ => None,
    }
}

/// A bitmap that knows of most of its pages only that they hold something: every row of them is tested again.
pub(in crate::detect) fn lossy_bitmap(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(plan) = measured(rule, facts, report) else { return };
    let lossy = |node: &&Node| node.lossy_blocks.unwrap_or(0);
    let Some(node) = plan.nodes().into_iter().max_by_key(lossy) else { return };
    let pages = lossy(&node) as f64;
    if pages < rule.param("pages") {
        return;
    }
    let all = pages + node.exact_blocks.unwrap_or(0) as f64;
    // tbm_calculate_entries(): an entry and its share of the hash table, for each page.
    let needed = setting(all * 64.0 * 1.25);
    let because = format!(
        "the bitmap of {} knew only the page in {} of {}, whose rows were all tested again (measured)",
        table(node).unwrap_or_else(|| "a table".to_owned()),
        words::count(pages),
        words::counted(all, "page"),
    );
    let instead = format!(
        "Best is an index with more of the statement's columns, so that fewer pages are asked for; SET LOCAL work_mem = \
         '{needed}' in the transaction of this query would hold a bitmap of all of them."
    );
    report.findings.push(facts.finding(rule, Confidence::Measured, because, instead).at_node(node.number));
}

/// As `work_mem` is written: whole megabytes, rounded up.
fn setting(bytes: f64) -> String {
    const MEGABYTE: f64 = 1_048_576.0;
    format!("{:.0}MB", (bytes / MEGABYTE).ceil().max(1.0))
}
