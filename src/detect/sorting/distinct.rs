//! DISTINCT that picks at random, that removes nothing, or that each of several aggregates sorts for.

use crate::{
    detect::{Facts, Report, keys, words},
    finding::Confidence,
    rules::Rule,
    sql::shape::{Clause, ColumnRef, JoinKind, Operand},
};

/// DISTINCT ON without ORDER BY.
pub(in crate::detect) fn on_without_order(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for block in &shape.blocks {
        if block.distinct_on_keys == 0 || !block.order_by.is_empty() {
            continue;
        }
        let key = match block.distinct_on.as_slice() {
            [] => "an expression".to_owned(),
            columns => {
                words::list(&columns.iter().map(|column| keys::shown(shape, column)).collect::<Vec<_>>())
            }
        };
        let because = format!(
            "DISTINCT ON ({key}) keeps one row of each group, and no ORDER BY says which: any may come"
        );
        let instead = format!(
            "ORDER BY {key}, and then what makes a row the first of its group (created_at DESC, the key)."
        );
        report.findings.push(facts.finding(rule, Confidence::Shape, because, instead).on(&block.within()));
    }
}

/// DISTINCT over rows that are distinct already.
pub(in crate::detect) fn redundant(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for (id, block) in shape.blocks.iter().enumerate() {
        if !block.distinct || block.distinct_on_keys > 0 || block.windows {
            continue;
        }
        let because = if keys::is_one_row(block) {
            "DISTINCT of an aggregate without GROUP BY: there is one row".to_owned()
        } else if !block.group_by.is_empty() {
            if !keys::projects_groups(block) {
                continue;
            }
            "DISTINCT after GROUP BY: the groups' own columns are selected, so no row comes twice".to_owned()
        } else {
            let keyed = |at: usize| keys::projects_key(facts, block, id, at);
            let single = |at: usize| {
                let joined = block.tables[at].join;
                !matches!(joined, JoinKind::Right | JoinKind::Full)
                    && keys::matches_once(facts, shape, id, at, |test| {
                        // By tables before it, so that two do not vouch for each other.
                        let before = |column: &ColumnRef| {
                            column.block != id || column.table.is_some_and(|other| other <= at)
                        };
                        let other = match &test.operand {
                            Operand::Column(other) => before(other),
                            _ => true,
                        };
                        (joined != JoinKind::Left || test.clause == Clause::On(at))
                            && before(&test.column)
                            && other
                    }) == Some(true)
            };
            let outer =
                block.tables.iter().any(|table| matches!(table.join, JoinKind::Right | JoinKind::Full));
            // The first table's key, and for each later table one row at most, or its key as well.
            let unique = !outer
                && !block.tables.is_empty()
                && keyed(0)
                && (1..block.tables.len())
                    .all(|at| single(at) || keyed(at) && block.tables[at].join != JoinKind::Left);
            if !unique {
                continue;
            }
            format!(
                "DISTINCT over rows that hold the unique key of {}: no row comes twice",
                keys::alias(block, 0)
            )
        };
        let instead = "Remove the DISTINCT: the same rows come back, without the sort or hash.".to_owned();
        report.findings.push(facts.finding(rule, Confidence::Shape, because, instead).on(&block.within()));
    }
}

/// Several `count(DISTINCT …)` of different columns.
pub(in crate::detect) fn aggregates(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for block in &shape.blocks {
        let calls: Vec<String> = block
            .aggregate_calls
            .iter()
            .filter(|call| call.distinct && !call.columns.is_empty())
            .map(|call| {
                let columns: Vec<String> =
                    call.columns.iter().map(|column| keys::shown(shape, column)).collect();
                format!("{}(DISTINCT {})", call.name, columns.join(", "))
            })
            .collect();
        if (calls.len() as f64) < rule.param("aggregates") {
            continue;
        }
        let because = format!(
            "{} each sort all rows of their group, one after another, in one process",
            words::list(&calls)
        );
        let instead = rule.instead.trim().to_owned();
        report.findings.push(facts.finding(rule, Confidence::Shape, because, instead).on(&block.within()));
    }
}
