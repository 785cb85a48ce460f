//! Rows locked by a statement: queues whose workers wait for each other, rows locked in no order, locks that
//! are stronger than what they protect, and advisory locks taken while rows are looked for.

use super::{Facts, Report, words};
use crate::{
    finding::Confidence,
    rules::Rule,
    sql::{
        StatementKind,
        shape::{Block, Bound, Condition, Op, Operand, Projected, SortExpr, TableSource},
    },
};

/// The next row of a queue, locked so that every other worker waits for it.
pub(super) fn queue(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for block in &shape.blocks {
        let Some(locking) = block.locking.as_deref().filter(|words| locks_for_update(words)) else {
            continue;
        };
        if waits(locking) && takes_next(facts, block) {
            let table = only_table(block).unwrap_or_default();
            let because = format!(
                "locks the first rows of {table} by an order ({locking}): a second worker waits for the same rows"
            );
            let instead = format!("{locking} SKIP LOCKED, with which each worker takes the next free rows.");
            report
                .findings
                .push(facts.finding(rule, Confidence::Shape, because, instead).on(&block.within()));
        }
    }
}

/// An UPDATE of the rows that a subquery with a LIMIT picks, without a lock on them.
pub(super) fn claim(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    let (Some(target), StatementKind::Update, Some(root)) = (&shape.target, shape.kind, shape.blocks.first())
    else {
        return;
    };
    for test in root.tests() {
        let Operand::Subquery(id) = test.operand else { continue };
        let Some(block) = shape.blocks.get(id).filter(|block| block.locking.is_none()) else { continue };
        let same = block
            .tables
            .iter()
            .any(|table| matches!(&table.source, TableSource::Table(name) if name.name == target.table.name));
        // Taking a row changes what it was picked by; filling a column in batches does not.
        let takes = picked_by(&block.conditions, &target.columns);
        if matches!(test.op, Op::Eq | Op::In) && same && takes && takes_next(facts, block) {
            let because = format!(
                "two sessions at once pick the same rows of {}, and the second updates them again after the first",
                target.table
            );
            let instead = rule.instead.trim().to_owned();
            report.findings.push(facts.finding(rule, Confidence::Shape, because, instead).on(&block.at));
        }
    }
}

/// Whether one of the columns is tested.
fn picked_by(conditions: &[Condition], columns: &[String]) -> bool {
    conditions.iter().any(|condition| match condition {
        Condition::Test(test) => columns.contains(&test.column.name),
        Condition::Any(inner) | Condition::All(inner) => picked_by(inner, columns),
        Condition::Opaque { .. } => false,
    })
}

/// Several rows locked in whatever order they are found.
pub(super) fn unordered(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for block in &shape.blocks {
        let Some(locking) = block.locking.as_deref().filter(|words| waits(words)) else { continue };
        if !block.order_by.is_empty() || block.limit.is_some() {
            continue;
        }
        let several = block.tests().find(|test| {
            test.op == Op::In
                && match &test.operand {
                    Operand::List { len } => *len as f64 >= rule.param("values"),
                    Operand::Parameter(_) => true,
                    _ => false,
                }
        });
        let Some(test) = several else { continue };
        let because = format!(
            "locks the rows of a list of {} in no order ({locking}): two that lock the same rows may wait for each other",
            test.column.name
        );
        let instead = format!(
            "ORDER BY {} before {locking}, in every statement that locks several rows of this table.",
            test.column.name
        );
        report.findings.push(facts.finding(rule, Confidence::Shape, because, instead).on(&test.at));
    }
}

/// FOR UPDATE of a row that foreign keys point to: their checks wait.
pub(super) fn strength(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let (Some(shape), Some(catalog)) = (facts.shape, facts.catalog) else { return };
    for block in &shape.blocks {
        let Some(locking) = block.locking.as_deref().filter(|words| words.starts_with("FOR UPDATE")) else {
            continue;
        };
        // `OF …` names some of the tables only.
        let Some(name) = only_table(block).filter(|_| !locking.contains(" OF ")) else { continue };
        let Some(table) = block.tables.first().and_then(|first| match &first.source {
            TableSource::Table(name) => catalog.table(name),
            _ => None,
        }) else {
            continue;
        };
        let points_here = |other: &&crate::catalog::Table| {
            other
                .foreign_keys
                .iter()
                .any(|key| catalog.table(&key.references).is_some_and(|to| to.name == table.name))
        };
        let others: Vec<&str> =
            catalog.tables.iter().filter(points_here).map(|other| other.name.name.as_str()).take(3).collect();
        if others.is_empty() {
            continue;
        }
        let because = format!(
            "{locking} of {name} makes each INSERT into {} that points to the row wait",
            words::list(&others).replace(" and ", " or ")
        );
        let weaker = locking.replacen("FOR UPDATE", "FOR NO KEY UPDATE", 1);
        let instead =
            format!("{weaker}, unless the row is deleted or its key changes: foreign keys pass it.");
        report.findings.push(facts.finding(rule, Confidence::Shape, because, instead).on(&block.within()));
    }
}

/// An advisory lock taken in a statement with a LIMIT: more may be taken than rows come out.
pub(super) fn advisory_with_limit(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for block in &shape.blocks {
        if block.limit.is_none() || only_table(block).is_none() || !locks_by_function(block) {
            continue;
        }
        let because = format!(
            "an advisory lock is taken for rows of {} that the LIMIT then leaves out",
            only_table(block).unwrap_or_default()
        );
        let instead = rule.instead.trim().to_owned();
        report.findings.push(facts.finding(rule, Confidence::Shape, because, instead).on(&block.within()));
    }
}

fn locks_by_function(block: &Block) -> bool {
    let is_lock = |text: &str| {
        let text = text.to_ascii_lowercase();
        text.contains("pg_advisory_lock")
            || text.contains("pg_advisory_xact_lock")
            || text.contains("pg_try_advisory_")
    };
    let conditions = block.conditions.iter().any(|condition| match condition {
        Condition::Opaque { text, .. } => is_lock(text),
        Condition::Test(test) => is_lock(&test.text),
        Condition::Any(_) | Condition::All(_) => false,
    });
    conditions
        || block.projection.iter().any(|item| match item {
            Projected::Expression { text, .. } => is_lock(text),
            _ => false,
        })
}

fn locks_for_update(locking: &str) -> bool {
    locking.starts_with("FOR UPDATE") || locking.starts_with("FOR NO KEY UPDATE")
}

fn waits(locking: &str) -> bool {
    !locking.contains("SKIP LOCKED") && !locking.contains("NOWAIT")
}

fn only_table(block: &Block) -> Option<String> {
    match &block.tables[..] {
        [one] => match &one.source {
            TableSource::Table(name) => Some(name.to_string()),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the block takes the first rows by an order, as the workers of a queue do: not those of one
/// owner, and not the one that a unique key finds.
fn takes_next(facts: &Facts<'_>, block: &Block) -> bool {
    let few = match &block.limit {
        Some(Bound::Number(rows)) => *rows <= 1000,
        Some(Bound::Parameter(_)) => true,
        Some(Bound::Expression(_)) | None => false,
    };
    if !few || block.order_by.is_empty() || only_table(block).is_none() {
        return false;
    }
    let pinned: Vec<&str> =
        block.tests().filter(|test| test.op == Op::Eq).map(|test| test.column.name.as_str()).collect();
    let ordered_by_pinned = block
        .order_by
        .iter()
        .any(|key| matches!(&key.expr, SortExpr::Column(column) if pinned.contains(&column.name.as_str())));
    let is_key = |name: &&str| {
        let name = name.to_ascii_lowercase();
        name == "id" || name == "uuid" || name == "key" || name.ends_with("_id") || name.ends_with("_uuid")
    };
    let unique = block.tables.first().is_some_and(|first| match (&first.source, facts.catalog) {
        (TableSource::Table(name), Some(catalog)) => {
            catalog.table(name).is_some_and(|table| table.unique_on(&pinned))
        }
        _ => false,
    });
    // A row of an outer query's: one owner's again.
    let correlated = block.tests().any(|test| matches!(test.operand, Operand::Column(_)));
    !block.conditions.is_empty() && !ordered_by_pinned && !unique && !correlated && !pinned.iter().any(is_key)
}
