//! Work of a plan that was thrown away, or done again and again.

use super::{Facts, Report, called, loops, measured, share_of_time, words};
use crate::{finding::Confidence, plan::Node, rules::Rule};

/// A nested loop that went round many times: since its rows were expected to be few, or since no other join
/// can test its condition.
pub(in crate::detect) fn nested_loop(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(plan) = measured(rule, facts, report) else { return };
    let found = plan.nodes().into_iter().filter_map(|node| Some((node, looped(rule, node)?)));
    let worst = found.max_by(|a, b| a.1.weight.total_cmp(&b.1.weight));
    let Some((node, round)) = worst else { return };
    let instead = if round.expected.is_some() {
        "A hash join would read the inner side once: correct the estimate of the outer rows (ANALYZE; CREATE \
         STATISTICS for columns or expressions that go together), and the planner takes it."
    } else {
        "Give the join an equality, which a hash or merge join needs: compare plain columns, store what is computed, \
         or join ranges by an index (GiST on a range type) on the inner side."
    };
    let cause = match round.expected {
        Some(expected) => format!("where the planner expected {}", words::count(expected)),
        None => format!(
            "to test {} pairs and keep {}",
            words::count(round.weight),
            words::count(node.total_rows())
        ),
    };
    let because = format!(
        "the nested loop went to its inner side {} times, {cause} (measured{})",
        words::count(round.loops),
        share_of_time(node, plan),
    );
    report
        .findings
        .push(facts.finding(rule, Confidence::Measured, because, instead.to_owned()).at_node(node.number));
}

struct Round {
    loops: f64,
    /// Outer rows that the planner expected, where that is the cause.
    expected: Option<f64>,
    /// Rows looked at.
    weight: f64,
}

fn looped(rule: &Rule, node: &Node) -> Option<Round> {
    let [outer, inner] = &node.children[..] else { return None };
    let times = loops(inner);
    if node.node_type != "Nested Loop" || times < rule.param("loops") {
        return None;
    }
    let got = outer.total_rows();
    if got >= rule.param("times") * outer.rows.max(1.0) * loops(outer).max(1.0) {
        return Some(Round { loops: times, expected: Some(outer.rows), weight: times });
    }
    let removed = node.rows_removed_by_join_filter? * loops(node);
    (removed >= rule.param("pairs")).then(|| Round {
        loops: times,
        expected: None,
        weight: removed + node.total_rows(),
    })
}

/// An index-only scan that went to the table for most of its rows.
pub(in crate::detect) fn heap_fetches(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(plan) = measured(rule, facts, report) else { return };
    // EXPLAIN counts the fetches of all loops together.
    let looked_up = |node: &&Node| node.heap_fetches.unwrap_or(0);
    let Some(node) = plan.nodes().into_iter().max_by_key(looked_up) else { return };
    let (fetched, rows) = (looked_up(&node) as f64, node.total_rows());
    let (Some(table), true) = (&node.relation, fetched >= rule.param("fetches")) else { return };
    if fetched < rule.param("share") * rows {
        return;
    }
    let because = format!(
        "the index-only scan of {table} went to the table {} times for {} (measured)",
        words::count(fetched),
        words::counted(rows, "row"),
    );
    let instead = format!(
        "Let VACUUM {table} mark its pages, and autovacuum come more often: ALTER TABLE {table} SET (autovacuum_vacuum_scale_factor = \
         0.02, autovacuum_vacuum_insert_scale_factor = 0.02);"
    );
    report.findings.push(facts.finding(rule, Confidence::Measured, because, instead).at_node(node.number));
}

/// A CTE that is read from end to end again and again: it has no index.
pub(in crate::detect) fn cte_rescan(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(plan) = measured(rule, facts, report) else { return };
    let scans = plan.nodes().into_iter().filter(|node| node.node_type == "CTE Scan" && loops(node) > 1.0);
    let Some(node) = scans.max_by(|a, b| a.rows_read().total_cmp(&b.rows_read())) else { return };
    let read = node.rows_read();
    if read < rule.param("rows") {
        return;
    }
    let name = node.cte.as_deref().unwrap_or("without a name");
    let because = format!(
        "the CTE {name} was read {} times, {} in all (measured{})",
        words::count(loops(node)),
        words::counted(read, "row"),
        share_of_time(node, plan),
    );
    let instead = format!(
        "Write WITH {name} AS NOT MATERIALIZED, so that the condition reaches the tables and their indexes; or join to \
         it by an equality, which a hash join reads once; or make it a temporary table with an index."
    );
    report.findings.push(facts.finding(rule, Confidence::Measured, because, instead).at_node(node.number));
}

/// An index whose rows are nearly all thrown away by what it does not hold.
pub(in crate::detect) fn index_filter(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(plan) = measured(rule, facts, report) else { return };
    let is_index = |node: &&Node| {
        matches!(node.node_type.as_str(), "Index Scan" | "Index Only Scan" | "Bitmap Heap Scan")
    };
    let removed = |node: &Node| node.rows_removed_by_filter.unwrap_or(0.0) * loops(node);
    let scans = plan.nodes().into_iter().filter(is_index);
    let Some(node) = scans.max_by(|a, b| removed(a).total_cmp(&removed(b))) else { return };
    let (removed, kept) = (removed(node), node.total_rows());
    let read = removed + kept;
    if read < rule.param("rows") || kept > rule.param("fraction") * read {
        return;
    }
    let index =
        node.index.as_deref().or_else(|| node.children.iter().find_map(|child| child.index.as_deref()));
    let by = index.map(|index| format!(" by {index}")).unwrap_or_default();
    let because = format!(
        "the {}{by} read {} to return {} (measured{})",
        called(node),
        words::counted(read, "row"),
        words::count(kept),
        share_of_time(node, plan),
    );
    let finding = facts.finding(rule, Confidence::Measured, because, rule.instead.trim().to_owned());
    report.findings.push(finding.at_node(node.number));
}

/// Partitions that were searched and had nothing.
pub(in crate::detect) fn partitions(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(plan) = measured(rule, facts, report) else { return };
    for node in plan.nodes() {
        if !matches!(node.node_type.as_str(), "Append" | "Merge Append") {
            continue;
        }
        let scans: Vec<&Node> = node.children.iter().filter(|child| child.actual.is_some()).collect();
        let searched = scans.len() as f64;
        let useful = scans.iter().filter(|scan| scan.total_rows() > 0.0).count() as f64;
        let one_table = scans.iter().all(|scan| scan.relation.is_some() && scan.relationship == "Member");
        let Some(alias) = scans.first().and_then(|scan| scan.alias.as_deref()).filter(|_| one_table) else {
            continue;
        };
        let parent = alias.rsplit_once('_').map_or(alias, |(parent, _)| parent);
        let same = scans
            .iter()
            .filter_map(|scan| scan.alias.as_deref())
            .all(|own| crate::detect::is_partition_alias(own, parent));
        if !same || searched < rule.param("partitions") || useful > rule.param("fraction") * searched {
            continue;
        }
        let because = format!(
            "{} of {parent} were searched and {} had a row (measured)",
            words::counted(searched, "partition"),
            words::count(useful),
        );
        let finding = facts.finding(rule, Confidence::Measured, because, rule.instead.trim().to_owned());
        report.findings.push(finding.at_node(node.number));
    }
}
