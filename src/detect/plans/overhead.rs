//! Time that a statement spends beside its own work: compiling, planning, triggers, and workers that were
//! not there.

use super::{Facts, Report, execution_ms, measured, words};
use crate::{
    catalog::{Index, IndexSpec, KeyExpr},
    finding::Confidence,
    rules::Rule,
};

/// Compiling that takes a large part of the execution.
pub(in crate::detect) fn jit(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(plan) = measured(rule, facts, report) else { return };
    let (Some(jit), Some(all)) = (plan.jit_ms, execution_ms(plan)) else { return };
    if jit < rule.param("ms") || jit < rule.param("share") * all {
        return;
    }
    let because = format!(
        "compiling (JIT) took {} of {} ({}), at a cost of {}",
        words::milliseconds(jit),
        words::milliseconds(all),
        words::percent(jit / all),
        words::count(plan.root.total_cost),
    );
    report.findings.push(facts.finding(rule, Confidence::Measured, because, rule.instead.trim().to_owned()));
}

/// Planning that takes longer than the execution.
pub(in crate::detect) fn planning(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(plan) = measured(rule, facts, report) else { return };
    let (Some(planning), Some(execution)) = (plan.planning_ms, plan.execution_ms) else { return };
    if planning < rule.param("ms") || planning < rule.param("times") * execution {
        return;
    }
    let mut tables: Vec<&str> = plan.nodes().into_iter().filter_map(|node| node.alias.as_deref()).collect();
    tables.sort_unstable();
    tables.dedup();
    let because = format!(
        "planning took {} and the execution {}, with {} in the plan",
        words::milliseconds(planning),
        words::milliseconds(execution),
        words::counted(tables.len() as f64, "table"),
    );
    report.findings.push(facts.finding(rule, Confidence::Measured, because, rule.instead.trim().to_owned()));
}

/// Triggers, those of foreign keys included, that take most of the time.
pub(in crate::detect) fn triggers(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(plan) = measured(rule, facts, report) else { return };
    let Some(all) = plan.execution_ms else { return };
    let Some(worst) = plan.triggers.iter().max_by(|a, b| a.ms.total_cmp(&b.ms)) else { return };
    if worst.ms < rule.param("ms") || worst.ms < rule.param("share") * all {
        return;
    }
    let (who, instead) = match (&worst.constraint, &worst.name) {
        (Some(constraint), _) => (
            format!("the check of the constraint {constraint}"),
            unindexed(facts, constraint).unwrap_or_else(|| format!(
                "The foreign key {constraint} looks up its rows for each row written: an index on the referencing \
                 columns (and on the referenced ones, which have theirs) makes each a look-up instead of a scan."
            )),
        ),
        (None, name) => (
            format!("the trigger {}", name.as_deref().unwrap_or("without a name")),
            "Make it a trigger FOR EACH STATEMENT with transition tables (REFERENCING NEW TABLE AS …), which does \
             its work for all rows at once, or give it a WHEN so that it fires for fewer rows."
                .to_owned(),
        ),
    };
    let because = format!(
        "{who} took {} of {} in {}",
        words::milliseconds(worst.ms),
        words::milliseconds(all),
        words::counted(worst.calls, "call"),
    );
    report.findings.push(facts.finding(rule, Confidence::Measured, because, instead));
}

/// The index that a foreign key lacks on its own columns, as the catalog has it.
fn unindexed(facts: &Facts<'_>, constraint: &str) -> Option<String> {
    let keys =
        facts.catalog?.tables.iter().flat_map(|table| table.foreign_keys.iter().map(move |key| (table, key)));
    let mut named = keys.filter(|(_, key)| key.name == constraint);
    let (table, key) = named.next().filter(|_| named.next().is_none())?;
    let leads = |index: &Index| {
        let columns = index.spec.keys.iter().take(key.columns.len());
        index.valid
            && index.spec.predicate.is_none()
            && columns
                .filter(|part| matches!(&part.expr, KeyExpr::Column(name) if key.columns.contains(name)))
                .count()
                == key.columns.len()
    };
    if table.indexes.iter().any(leads) {
        return None;
    }
    let columns: Vec<&str> = key.columns.iter().map(String::as_str).collect();
    let create = IndexSpec::btree(table.name.clone(), &columns).create_concurrently();
    Some(format!(
        "The foreign key {constraint} of {} looks for the rows that refer to each row of {}, and no index of {} begins \
         with {}:\n{create}",
        table.name,
        key.references,
        table.name,
        words::list(&columns),
    ))
}

/// Workers that the plan counted on and did not get.
pub(in crate::detect) fn workers(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(plan) = measured(rule, facts, report) else { return };
    let Some(all) = execution_ms(plan).filter(|all| *all >= rule.param("ms")) else { return };
    let (mut planned, mut launched) = (0, 0);
    let mut place = None;
    for node in plan.nodes() {
        if let (Some(wanted), Some(got)) = (node.workers_planned, node.workers_launched)
            && node.node_type.starts_with("Gather")
            && super::loops(node) <= 1.0
        {
            planned += wanted;
            launched += got;
            place = place.or((got < wanted).then_some(node.number));
        }
    }
    if launched >= planned {
        return;
    }
    let because = format!(
        "{} of {} started, in a query of {}",
        words::count(launched as f64),
        words::counted(planned as f64, "planned worker"),
        words::milliseconds(all),
    );
    let mut finding = facts.finding(rule, Confidence::Measured, because, rule.instead.trim().to_owned());
    finding.node = place;
    report.findings.push(finding);
}
