//! Writes that touch more than they need to: very many rows at once, or the key that others point to.

use super::{Facts, Report, words};
use crate::{names::RelName, plan::Node, rules::Rule, sql::StatementKind};

/// An UPDATE or DELETE of very many rows in one statement.
///
/// Left alone: INSERT, and statements that another one holds in a WITH.
pub(super) fn mass_write(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let (Some(plan), Some(shape)) = (facts.plan, facts.shape) else { return };
    let verb = match shape.kind {
        StatementKind::Update => "updates",
        StatementKind::Delete => "deletes",
        _ => return,
    };
    let Some(target) = &shape.target else { return };
    let root = &plan.plan.root;
    let Some(rows) = written(root).filter(|rows| *rows >= rule.param("rows")) else { return };
    let how = if root.actual.is_some() { "measured" } else { "estimated" };
    let because = format!("{verb} {} of {} at once ({how})", words::counted(rows, "row"), target.table);
    let mut finding = facts.finding(rule, plan.confidence(), because, rule.instead.trim().to_owned());
    finding.detail.insert("table".to_owned(), target.table.to_string().into());
    report.findings.push(finding);
}

/// Rows that the plan's root hands over to be written.
fn written(root: &Node) -> Option<f64> {
    if root.node_type != "ModifyTable" {
        return None;
    }
    // Init plans and CTEs are children, too, and are not written.
    let inputs =
        root.children.iter().filter(|child| matches!(child.relationship.as_str(), "Outer" | "Member"));
    Some(inputs.map(Node::total_rows).sum())
}

/// An UPDATE that sets a column of the primary key.
pub(super) fn primary_key_update(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let (Some(shape), Some(catalog)) = (facts.shape, facts.catalog) else { return };
    if shape.kind != StatementKind::Update {
        return;
    }
    let Some(target) = &shape.target else { return };
    let Some(table) = catalog.table(&target.table) else { return };
    let Some(key) = table.indexes.iter().find(|index| index.primary) else { return };
    let set: Vec<&str> = key
        .spec
        .keys
        .iter()
        .filter_map(|key| match &key.expr {
            crate::catalog::KeyExpr::Column(name) => Some(name.as_str()),
            crate::catalog::KeyExpr::Expression(_) => None,
        })
        .filter(|name| target.columns.iter().any(|column| column == name))
        .collect();
    if set.is_empty() {
        return;
    }
    let mut referencing: Vec<&RelName> = catalog
        .tables
        .iter()
        .filter(|other| {
            other.foreign_keys.iter().any(|foreign| {
                catalog.table(&foreign.references).is_some_and(|to| to.name == table.name)
                    // REFERENCES without columns means the primary key.
                    && (foreign.referenced_columns.is_empty()
                        || foreign.referenced_columns.iter().any(|column| set.contains(&column.as_str())))
            })
        })
        .map(|other| &other.name)
        .collect();
    referencing.sort();
    let others: Vec<&str> = referencing.iter().take(3).map(|name| name.name.as_str()).collect();
    let more = if referencing.len() > 3 { " and others" } else { "" };
    let because = if referencing.is_empty() {
        format!("sets {} of the primary key of {}", words::list(&set), target.table)
    } else {
        format!(
            "sets {} of the primary key of {}, which is referenced from {}{more}",
            words::list(&set),
            target.table,
            words::list(&others)
        )
    };
    report.findings.push(facts.finding(
        rule,
        crate::finding::Confidence::Shape,
        because,
        rule.instead.trim().to_owned(),
    ));
}
