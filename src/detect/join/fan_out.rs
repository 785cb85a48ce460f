//! Joins that multiply rows: below DISTINCT, and below an aggregate that then counts rows twice.

use crate::{
    catalog::Table,
    detect::{Facts, Report, keys, words},
    finding::Confidence,
    rules::Rule,
    sql::{
        Shape,
        shape::{Block, BlockId, Clause, JoinKind, SortExpr, TableSource},
    },
};

/// DISTINCT over joins whose tables the SELECT list does not name.
pub(in crate::detect) fn distinct(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for (id, block) in shape.blocks.iter().enumerate() {
        let plain = block.distinct
            && block.distinct_on_keys == 0
            && block.group_by.is_empty()
            && !block.aggregates
            && !block.windows
            && block.tables.len() > 1;
        if !plain || block.tables.iter().any(|table| matches!(table.join, JoinKind::Right | JoinKind::Full)) {
            continue;
        }
        let Some(kept) = keys::projected_tables(block, id).filter(|kept| !kept.is_empty()) else { continue };
        let base = |at: &usize| matches!(block.tables[*at].source, TableSource::Table(_));
        let left_out: Vec<usize> = (0..block.tables.len()).filter(|at| !kept.contains(at)).collect();
        let (unused, filters): (Vec<usize>, Vec<usize>) = left_out
            .into_iter()
            .filter(base)
            .filter(|&at| {
                keys::matches_once(facts, shape, id, at, |test| in_scope(block, at, test.clause))
                    == Some(false)
                    || facts.catalog.is_none() && block.tables[at].join == JoinKind::Left
            })
            .partition(|&at| block.tables[at].join == JoinKind::Left && !keys::is_used(shape, id, at));
        for at in unused {
            let name = keys::alias(block, at);
            let because = format!(
                "nothing names {name} but the ON of its LEFT JOIN: it only repeats rows, and DISTINCT removes the \
                 copies"
            );
            let instead = format!("Remove the LEFT JOIN of {name}: the same rows come back.");
            report
                .findings
                .push(facts.finding(rule, Confidence::Shape, because, instead).on(&block.tables[at].at));
        }
        let filters: Vec<usize> =
            filters.into_iter().filter(|&at| block.tables[at].join != JoinKind::Left).collect();
        if filters.is_empty() || facts.catalog.is_none() || !hold_together(block, id, &filters) {
            continue;
        }
        let names: Vec<String> = filters.iter().map(|&at| keys::alias(block, at)).collect();
        let shown: Vec<String> = kept.iter().map(|&at| keys::alias(block, at)).collect();
        let because = format!(
            "{} only filter{}: the join repeats each row of {} for every match, and DISTINCT removes the copies",
            words::list(&names),
            if names.len() == 1 { "s" } else { "" },
            words::list(&shown)
        );
        let single = |at: usize| {
            keys::matches_once(facts, shape, id, at, |test| in_scope(block, at, test.clause)) == Some(true)
        };
        let whole = kept.iter().all(|&at| keys::projects_key(facts, block, id, at))
            && (0..block.tables.len()).all(|at| kept.contains(&at) || filters.contains(&at) || single(at));
        let instead = format!(
            "WHERE EXISTS (SELECT FROM {} …) instead of the join, {}",
            words::list(&names),
            if whole {
                "and no DISTINCT: the key is selected, so no row comes twice."
            } else {
                "with DISTINCT kept for rows that agree in the selected columns."
            }
        );
        report
            .findings
            .push(facts.finding(rule, Confidence::Shape, because, instead).on(&block.tables[filters[0]].at));
    }
}

/// Whether the tables but these stay joined to each other: what joins two others is no mere filter.
fn hold_together(block: &Block, id: BlockId, without: &[usize]) -> bool {
    let left: Vec<usize> = (0..block.tables.len()).filter(|at| !without.contains(at)).collect();
    let mut reached: Vec<usize> = left.iter().take(1).copied().collect();
    let pairs: Vec<(usize, usize)> = block
        .tests()
        .filter_map(keys::join_of)
        .filter(|(a, b)| a.block == id && b.block == id)
        .filter_map(|(a, b)| Some((a.table?, b.table?)))
        .collect();
    for _ in 0..left.len() {
        for &(a, b) in &pairs {
            for (from, to) in [(a, b), (b, a)] {
                if reached.contains(&from) && left.contains(&to) && !reached.contains(&to) {
                    reached.push(to);
                }
            }
        }
    }
    reached.len() == left.len()
}

/// A test of an inner join holds wherever it stands; that of an outer join only in its ON.
fn in_scope(block: &Block, at: usize, clause: Clause) -> bool {
    block.tables[at].join != JoinKind::Left || clause == Clause::On(at)
}

/// Aggregates that do not mind a row that comes twice.
const UNMOVED: &[&str] = &["any_value", "bit_and", "bit_or", "bool_and", "bool_or", "every", "max", "min"];

/// Two tables that hang on the same row, each with many: the aggregate sees their product.
pub(in crate::detect) fn aggregate(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for (id, block) in shape.blocks.iter().enumerate() {
        let Some((parent, many)) = product(facts, shape, id) else { continue };
        let moved = block.aggregate_calls.iter().find_map(|call| {
            let counts = !call.distinct && !UNMOVED.contains(&call.name.as_str());
            let column = call.columns.iter().find(|column| {
                column.block == id && column.table.is_some_and(|at| at == parent || many.contains(&at))
            })?;
            counts.then_some((call, column))
        });
        let Some((call, column)) = moved else { continue };
        let own = column.table.unwrap_or(parent);
        let others: Vec<String> =
            many.iter().filter(|&&at| at != own).map(|&at| keys::alias(block, at)).collect();
        let because = format!(
            "{}({}) takes each row of {} once for every row of {}: {} both hang on {}",
            call.name,
            keys::shown(shape, column),
            keys::alias(block, own),
            words::list(&others),
            words::list(&many.iter().map(|&at| keys::alias(block, at)).collect::<Vec<_>>()),
            keys::alias(block, parent)
        );
        let instead = format!(
            "Aggregate each of {} in a subquery of its own, grouped by what joins it to {}, and join the results.",
            words::list(&many.iter().map(|&at| keys::alias(block, at)).collect::<Vec<_>>()),
            keys::alias(block, parent)
        );
        report
            .findings
            .push(facts.finding(rule, Confidence::Shape, because, instead).on(&block.tables[many[0]].at));
    }
}

/// A table by whose key two others are joined, each with many rows for one of it.
fn product(facts: &Facts<'_>, shape: &Shape, id: BlockId) -> Option<(usize, Vec<usize>)> {
    let block = &shape.blocks[id];
    if block.aggregate_calls.is_empty() || block.distinct {
        return None;
    }
    (0..block.tables.len()).find_map(|parent| {
        let table: &Table = keys::table(facts, block, parent)?;
        let many: Vec<usize> = (0..block.tables.len())
            .filter(|&at| at != parent && hangs_on(block, id, at, parent, table))
            .filter(|&at| keys::matches_once(facts, shape, id, at, |_| true) == Some(false))
            .filter(|&at| !is_grouped_by(block, id, at))
            .collect();
        (many.len() > 1).then_some((parent, many))
    })
}

/// Joined to this table only, by a key of it.
fn hangs_on(block: &Block, id: BlockId, at: usize, parent: usize, table: &Table) -> bool {
    let mut keys_of_parent = Vec::new();
    for (a, b) in block.tests().filter_map(keys::join_of) {
        let other = match (keys::is_of(a, id, at), keys::is_of(b, id, at)) {
            (true, _) => b,
            (_, true) => a,
            _ => continue,
        };
        if !keys::is_of(other, id, parent) {
            return false;
        }
        keys_of_parent.push(other.name.as_str());
    }
    table.unique_on(&keys_of_parent)
}

fn is_grouped_by(block: &Block, id: BlockId, at: usize) -> bool {
    block.group_by.iter().any(|key| match key {
        SortExpr::Column(column) => keys::is_of(column, id, at) || column.table.is_none(),
        SortExpr::Expression(_) => true,
    })
}
