//! A composite index exists, and its column order is one that the query cannot use: the leading column
//! is not constrained, a range stands before an equality, or the sort columns are out of order or in a
//! mix of directions that no scan of the index gives.
//!
//! Left alone: small tables, queries that another index serves, sorts of few rows, and whatever the
//! plan shows to be fine (no sequential scan or sort, and this index not walked from end to end).

use serde_json::json;

use super::{
    Facts, Report,
    access::{self, Access, Kind},
    estimate,
    index_use::{Fault, Misorder, OrderFault, misorder},
    words,
};
use crate::{
    catalog::KeyExpr,
    finding::{Confidence, Severity},
    rules::Rule,
};

pub(super) fn detect(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let (Some(shape), Some(catalog)) = (facts.shape, facts.catalog) else { return };
    for access in access::all(shape, catalog) {
        if access.table.rows.is_some_and(|rows| rows < rule.param("rows")) {
            continue;
        }
        let Some(wrong) = misorder(&access) else { continue };
        if is_fast_enough(rule, &access, &wrong) || contradicted(facts, &access, &wrong) {
            continue;
        }
        let because = words_for(&access, &wrong);
        let instead = wrong.better.create_concurrently();
        let confidence = facts.plan.map_or(Confidence::Shape, |plan| plan.confidence());
        let mut finding = facts.finding(rule, confidence, because, instead);
        if access.table.rows.is_none() {
            finding.severity = Severity::Note;
        }
        finding.span = access.span();
        finding.detail.insert("table".to_owned(), json!(access.table.name.plain()));
        finding.detail.insert("index".to_owned(), json!(wrong.index.name));
        report.findings.push(finding);
    }
}

/// Whether statistics say that what the index does give leaves few rows to filter or sort.
fn is_fast_enough(rule: &Rule, access: &Access<'_>, wrong: &Misorder<'_>) -> bool {
    let keys = &wrong.index.spec.keys;
    let served = access.terms.iter().filter(|term| match wrong.fault {
        Fault::Leading { .. } => false,
        _ => {
            matches!(term.kind, Kind::Equal | Kind::Range)
                && keys.iter().any(|key| access::same(&key.expr, &term.key))
        }
    });
    let pinned =
        served.filter(|term| !matches!(wrong.fault, Fault::RangeFirst { .. }) || term.kind == Kind::Range);
    estimate::rows_after(access.table, pinned).is_some_and(|rows| rows < rule.param("left"))
}

fn contradicted(facts: &Facts<'_>, access: &Access<'_>, wrong: &Misorder<'_>) -> bool {
    let Some(plan) = facts.plan else { return false };
    let walks = plan.plan.nodes().iter().any(|node| node.index.as_deref() == Some(wrong.index.name.as_str()));
    match wrong.fault {
        Fault::Order(_) => !plan.sorts(),
        Fault::Leading { .. } | Fault::RangeFirst { .. } => {
            !walks && !plan.scans(&access.table.name, access.alias())
        }
    }
}

fn words_for(access: &Access<'_>, wrong: &Misorder<'_>) -> String {
    let keys: Vec<String> = wrong.index.spec.keys.iter().map(crate::catalog::IndexKey::sql).collect();
    let index = format!("index {} ({})", wrong.index.name, keys.join(", "));
    let size = match access.table.rows {
        Some(rows) => format!("{} ({})", access.table.name.plain(), words::counted(rows, "row")),
        None => format!("{} (size not known)", access.table.name.plain()),
    };
    match &wrong.fault {
        Fault::Leading { first, asked } => format!(
            "{index} of {size} begins with {first}, which the query does not constrain, so it cannot be searched by {}",
            words::list(asked)
        ),
        Fault::RangeFirst { range, equal } => format!(
            "{index} of {size} has {range}, a range in this query, before {}: every entry of the range is read",
            words::list(equal)
        ),
        Fault::Order(fault) => {
            let wanted: Vec<String> = access.order.iter().map(|key| order_words(key)).collect();
            let why = match fault {
                OrderFault::Sequence => "has its columns in another sequence than",
                OrderFault::Direction => "sorts in other directions than",
            };
            format!(
                "{index} of {size} {why} ORDER BY {}: the rows are sorted for each query",
                wanted.join(", ")
            )
        }
    }
}

fn order_words(key: &crate::sql::shape::OrderKey) -> String {
    let expr = match super::index_use::key_of(&key.expr) {
        KeyExpr::Column(name) | KeyExpr::Expression(name) => name,
    };
    let nulls = match (key.desc, key.nulls_first) {
        (true, false) => " NULLS LAST",
        (false, true) => " NULLS FIRST",
        _ => "",
    };
    format!("{expr}{}{nulls}", if key.desc { " DESC" } else { "" })
}
