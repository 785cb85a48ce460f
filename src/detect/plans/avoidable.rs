//! Work that another plan, or another way to write the statement, would not do at all.

use serde_json::json;

use super::{Facts, Report, conditions, execution_ms, loops, measured, share_of_time, table, words};
use crate::{
    catalog::Catalog,
    detect::is_partition_alias,
    finding::Confidence,
    plan::{Node, Plan},
    rules::Rule,
    sql::shape::{Block, Operand, Predicate},
};

/// A column that the planner casts to the type of the value: no index on it can be searched.
///
/// Only casts to numeric and double precision tell by themselves; `(name)::text` of a varchar costs nothing. Left
/// alone where the statement's own text says it, which is another rule's part.
pub(in crate::detect) fn cast(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(plan) = measured(rule, facts, report) else { return };
    let removed = |node: &Node| node.rows_removed_by_filter.unwrap_or(0.0) * loops(node);
    let mut nodes: Vec<&Node> =
        plan.nodes().into_iter().filter(|node| removed(node) >= rule.param("rows")).collect();
    nodes.sort_by(|a, b| removed(b).total_cmp(&removed(a)));
    for node in nodes {
        let Some(shape) = conditions::shape(node) else { continue };
        let found = conditions::tests(&shape).find_map(|test| {
            Some((test, conditions::cast(test).filter(|to| mismatch(facts.catalog, node, test, to))?))
        });
        let (Some((test, to)), Some(relation)) = (found, &node.relation) else { continue };
        if written(facts, test) {
            continue;
        }
        let own = column_type(facts.catalog, node, &test.column.name);
        let because = format!(
            "the plan casts {} of {relation} to {to}, which no index of it serves: {} were read for nothing (measured{})",
            test.column.name,
            words::counted(removed(node), "row"),
            share_of_time(node, plan),
        );
        let instead = format!(
            "Compare {} with a value of its own type{}: bind it as that, or cast the value ({} = $1::{}).",
            test.column.name,
            own.map(|own| format!(" ({own})")).unwrap_or_default(),
            test.column.name,
            own.unwrap_or("bigint"),
        );
        let mut finding = facts.finding(rule, Confidence::Measured, because, instead).at_node(node.number);
        finding.detail.insert("column".to_owned(), json!(test.column.name));
        finding.detail.insert("cast_to".to_owned(), json!(to));
        report.findings.push(finding);
        return;
    }
}

fn column_type<'a>(catalog: Option<&'a Catalog>, node: &Node, column: &str) -> Option<&'a str> {
    let table = catalog?.table(node.relation.as_ref()?)?;
    Some(table.column(column)?.type_name.as_str())
}

fn mismatch(catalog: Option<&Catalog>, node: &Node, test: &Predicate, to: &str) -> bool {
    let own = column_type(catalog, node, &test.column.name);
    match to {
        "numeric" | "double precision" | "real" => own.is_none_or(|own| own != to),
        "text" => own.is_some_and(|own| own.starts_with("character(") || own == "bpchar"),
        _ => false,
    }
}

/// Whether the statement itself casts the column, or shows the value of the other type: the rules about its text
/// then say so.
fn written(facts: &Facts<'_>, test: &Predicate) -> bool {
    let Some(shape) = facts.shape else { return false };
    let same = |own: &&Predicate| own.column.name == test.column.name;
    shape.blocks.iter().flat_map(Block::tests).filter(same).any(|own| {
        own.wrapped.is_some()
            || facts.catalog.is_some()
                && match &own.operand {
                    Operand::Constant(_) => true,
                    Operand::Parameter(other) | Operand::Expression(other) => other.contains("::"),
                    _ => false,
                }
    })
}

/// Many rows read and sorted for the first few of them.
pub(in crate::detect) fn sort_for_limit(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(plan) = measured(rule, facts, report) else { return };
    for limit in plan.nodes().into_iter().filter(|node| node.node_type == "Limit") {
        let Some((sort, read)) = sorted(limit) else { continue };
        let (kept, given) = (limit.total_rows(), read.iter().map(|scan| scan.total_rows()).sum::<f64>());
        if given < rule.param("rows") || kept > rule.param("fraction") * given {
            continue;
        }
        let of = read.first().and_then(|scan| table(scan)).unwrap_or_else(|| "a table".to_owned());
        let because = format!(
            "{} of {of} were read and sorted to return {} (measured{})",
            words::counted(given, "row"),
            words::count(kept),
            share_of_time(limit, plan),
        );
        let finding = facts.finding(rule, Confidence::Measured, because, rule.instead.trim().to_owned());
        report.findings.push(finding.at_node(sort.number));
        return;
    }
}

/// The sort below a LIMIT and the scans of one table below that: an index has no order for anything else.
fn sorted(limit: &Node) -> Option<(&Node, Vec<&Node>)> {
    let mut sort = limit.children.first()?;
    while sort.node_type == "Gather Merge" || sort.node_type == "Result" {
        sort = sort.children.first()?;
    }
    if sort.node_type != "Sort" {
        return None;
    }
    let mut below = sort.children.first()?;
    if below.node_type == "Gather" {
        below = below.children.first()?;
    }
    let is_scan = |node: &Node| node.relation.is_some() && node.node_type.ends_with("Scan");
    if is_scan(below) {
        return Some((sort, vec![below]));
    }
    let parts: Vec<&Node> = below.children.iter().collect();
    let parent = parts.first()?.alias.as_deref()?.rsplit_once('_')?.0;
    let one_table = below.node_type == "Append"
        && parts.iter().all(|part| {
            is_scan(part) && part.alias.as_deref().is_some_and(|own| is_partition_alias(own, parent))
        });
    one_table.then_some((sort, parts))
}

/// A subquery that ran anew for each row.
pub(in crate::detect) fn subplan(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(plan) = measured(rule, facts, report) else { return };
    let mut found = Vec::new();
    for parent in plan.nodes() {
        let often = |child: &&Node| child.relationship == "SubPlan" && loops(child) >= rule.param("loops");
        found.extend(parent.children.iter().filter(often).map(|child| (parent, child)));
    }
    let worst = found
        .into_iter()
        .max_by(|a, b| a.1.total_ms().unwrap_or(0.0).total_cmp(&b.1.total_ms().unwrap_or(0.0)));
    let Some((parent, subplan)) = worst else { return };
    if facts.shape.is_some() && filters_by(parent, subplan) || !takes(subplan, plan, rule.param("share")) {
        return;
    }
    let of = table(subplan).map(|table| format!(" of {table}")).unwrap_or_default();
    let because = format!(
        "the subquery{of} ran {} times, once for each row (measured{})",
        words::count(loops(subplan)),
        share_of_time(subplan, plan),
    );
    let finding = facts.finding(rule, Confidence::Measured, because, rule.instead.trim().to_owned());
    report.findings.push(finding.at_node(subplan.number));
}

/// Where WHERE compares with it, the statement's text tells that already.
fn filters_by(parent: &Node, subplan: &Node) -> bool {
    let name = subplan.subplan_name.as_deref().unwrap_or_default();
    parent.filter.as_deref().is_some_and(|filter| !name.is_empty() && filter.contains(name))
}

fn takes(node: &Node, plan: &Plan, share: f64) -> bool {
    match (node.total_ms(), execution_ms(plan)) {
        (Some(ms), Some(all)) => ms >= share * all,
        _ => true,
    }
}
