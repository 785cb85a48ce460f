//! How many rows a block reads or returns, from `pg_stats` alone.
//!
//! In the manner of the planner (<https://www.postgresql.org/docs/current/row-estimation-examples.html>),
//! but only where the statistics say it: a term that they say nothing of has no fraction, and the
//! caller decides what that means.

use super::access::{Access, Kind, Term, as_column};
use crate::{
    catalog::{Catalog, ColumnStatistics, KeyExpr, Table},
    sql::{
        Shape,
        shape::{BlockId, ColumnRef, Op, Operand},
    },
};

/// The planner's defaults for ranges whose bounds are not known (`selfuncs.h`).
const RANGE: f64 = 1.0 / 3.0;
const BETWEEN: f64 = 0.005;

/// The part of the table's rows that pass a term, 0 to 1; `None` without statistics.
pub(super) fn fraction(table: &Table, term: &Term<'_>) -> Option<f64> {
    let KeyExpr::Column(name) = &term.key else { return None };
    if table.unique_on(&[name.as_str()]) && term.kind == Kind::Equal {
        let values = if let Operand::List { len } = term.predicate.operand { len as f64 } else { 1.0 };
        return table.rows.map(|rows| values / rows.max(1.0));
    }
    let statistics = table.column(name)?.statistics.as_ref()?;
    let filled = 1.0 - statistics.null_fraction;
    let fraction = match (term.predicate.op, &term.predicate.operand) {
        (Op::Eq, Operand::Constant(value)) => one_value(statistics, Some(value)),
        (Op::Eq, _) => one_value(statistics, None),
        (Op::In, Operand::List { len }) => one_value(statistics, None).map(|one| one * *len as f64),
        (Op::IsNull, _) => Some(statistics.null_fraction),
        (Op::IsNotNull, _) => Some(filled),
        (Op::IsTrue, _) => one_value(statistics, Some("t")),
        (Op::IsFalse, _) => one_value(statistics, Some("f")),
        (Op::Lt | Op::LtEq | Op::Gt | Op::GtEq, operand) => {
            Some(beyond(statistics, term.predicate.op, operand).unwrap_or(RANGE) * filled)
        }
        (Op::Between, _) => Some(BETWEEN * filled),
        _ => None,
    };
    fraction.map(|fraction| fraction.clamp(0.0, 1.0))
}

/// The part with one value: its own frequency where it is common, else what the others share.
fn one_value(statistics: &ColumnStatistics, value: Option<&str>) -> Option<f64> {
    let filled = 1.0 - statistics.null_fraction;
    let bare = value.map(|value| value.trim_matches('\''));
    let truth = |text: &str| match text {
        "t" | "true" | "TRUE" => "t".to_owned(),
        "f" | "false" | "FALSE" => "f".to_owned(),
        other => other.to_owned(),
    };
    if let Some(bare) = bare
        && let Some((_, frequency)) =
            statistics.common.iter().find(|(common, _)| truth(common) == truth(bare))
    {
        return Some(*frequency);
    }
    if statistics.distinct <= 0.0 {
        return None;
    }
    if bare.is_none() {
        return Some(filled / statistics.distinct);
    }
    let common: f64 = statistics.common.iter().map(|(_, frequency)| frequency).sum();
    let others = statistics.distinct - statistics.common.len() as f64;
    Some(if others >= 1.0 { ((filled - common).max(0.0)) / others } else { 0.0 })
}

/// The part of the histogram on the asked side of a numeric constant.
fn beyond(statistics: &ColumnStatistics, op: Op, operand: &Operand) -> Option<f64> {
    let Operand::Constant(value) = operand else { return None };
    let value: f64 = value.trim_matches('\'').parse().ok()?;
    let bounds: Option<Vec<f64>> = statistics.histogram.iter().map(|bound| bound.parse().ok()).collect();
    let bounds = bounds.filter(|bounds| bounds.len() > 1)?;
    let below = bounds.iter().filter(|bound| **bound < value).count() as f64 / bounds.len() as f64;
    Some(if matches!(op, Op::Lt | Op::LtEq) { below } else { 1.0 - below })
}

/// Rows of the table that pass the given terms; `None` when the rows or any fraction are unknown.
pub(super) fn rows_after<'a>(table: &Table, terms: impl Iterator<Item = &'a Term<'a>>) -> Option<f64> {
    let mut rows = table.rows?;
    for term in terms {
        rows *= fraction(table, term)?;
    }
    Some(rows)
}

/// Rows that a block returns before grouping and LIMIT: the product of its tables' filtered rows, divided
/// for every equality of two columns by the larger number of distinct values. `None` when a table, a
/// column or a condition is not known; what only excludes a few values (`<>`) counts as nothing.
pub(super) fn block_rows(
    shape: &Shape,
    catalog: &Catalog,
    id: BlockId,
    accesses: &[Access<'_>],
) -> Option<f64> {
    let block = shape.blocks.get(id)?;
    let mut rows = 1.0;
    let mut judged = 0;
    for position in 0..block.tables.len() {
        let access = accesses.iter().find(|access| access.id == id && access.position == position)?;
        let filters: Vec<&Term<'_>> = access.terms.iter().filter(|term| term.kind != Kind::Join).collect();
        judged += filters.len() + access.alternatives.len();
        let columns: Vec<&str> = filters
            .iter()
            .filter(|term| term.kind == Kind::Equal && term.predicate.op != Op::In)
            .filter_map(|term| match &term.key {
                KeyExpr::Column(name) => Some(name.as_str()),
                KeyExpr::Expression(_) => None,
            })
            .collect();
        if access.table.unique_on(&columns) {
            continue;
        }
        rows *= rows_after(access.table, filters.into_iter())?;
        for branches in &access.alternatives {
            let any: Option<f64> = branches.iter().map(|term| fraction(access.table, term)).sum();
            rows *= any?.min(1.0);
        }
    }
    for test in block.tests() {
        match as_column(&test.operand) {
            Some(other) if test.op == Op::Eq && other.block == id && test.column.block == id => {
                let values = distinct(shape, catalog, other)?.max(distinct(shape, catalog, &test.column)?);
                rows /= values.max(1.0);
                judged += 1;
            }
            None if matches!(test.op, Op::NotEq | Op::NotIn | Op::NotLike | Op::IsDistinctFrom)
                && !matches!(test.operand, Operand::Subquery(_)) =>
            {
                judged += 1;
            }
            _ => {}
        }
    }
    (judged == block.conditions.len()).then_some(rows.max(1.0))
}

/// Distinct values of a base table's column.
pub(super) fn distinct(shape: &Shape, catalog: &Catalog, column: &ColumnRef) -> Option<f64> {
    let table = catalog.table(shape.table_of(column)?)?;
    if table.unique_on(&[column.name.as_str()]) {
        return table.rows;
    }
    let distinct = table.column(&column.name)?.statistics.as_ref()?.distinct;
    (distinct > 0.0).then_some(distinct)
}

/// Bytes of one row's columns by their average width; `None` when any is unknown.
pub(super) fn width(table: &Table) -> Option<f64> {
    table
        .columns
        .iter()
        .map(|column| column.statistics.as_ref().map(|statistics| f64::from(statistics.average_width)))
        .sum()
}
