//! Which repeated statements ask for one key at a time, and which only look as if they did.
//!
//! Look-alikes are statements on system catalogs or on no table, loops over key ranges
//! (`id > $1 ORDER BY id LIMIT`), OFFSET exports, queue polls (SKIP LOCKED), lists of many keys, and reads
//! that no equality selects.

use super::{reads_system, repeated::tables};
use crate::{
    sql::{
        Shape,
        shape::{Block, Bound, Condition, Op, Operand, Predicate, SortExpr, TableSource},
    },
    workload::{Query, Repetition},
};

/// Keys in one list from which a repeated load is a batch, not one key at a time.
const LONG_LIST: f64 = 3.0;

/// Whether the repeats ask for a key or two each, not for lists of them.
pub(super) fn asks_for_few(
    block: &Block,
    key: &Predicate,
    query: Option<&Query>,
    found: &Repetition,
) -> bool {
    match query {
        Some(query) if found.sizes > 0 => {
            !block.tests().any(|test| test.op == Op::In) || list_length(query, found) < LONG_LIST
        }
        _ => !matches!(key.operand, Operand::List { len } if len > 1),
    }
}

/// How many values the lists of a repeated query hold on average: those beyond one for each place in its text.
fn list_length(query: &Query, found: &Repetition) -> f64 {
    let places = query.text.matches('?').count() as f64;
    found.sizes as f64 / found.repeats.max(1) as f64 - places + 1.0
}

/// Whether the samples that were kept skip different numbers of rows; one sample alone says so when it
/// skips any.
fn skips_more_and_more(query: &Query) -> bool {
    let skipped: Vec<Option<String>> = query
        .samples
        .iter()
        .map(|sample| {
            let at = sample.sql.to_ascii_lowercase().rfind("offset ")?;
            let word = sample.sql.get(at + 7..)?.split_whitespace().next()?.trim_end_matches([';', ')']);
            let Some(number) = word.strip_prefix('$') else { return Some(word.to_owned()) };
            let number: usize = number.parse().ok()?;
            sample.binds.as_ref()?.get(number.checked_sub(1)?)?.clone()
        })
        .collect();
    match &skipped[..] {
        [] => true,
        [first, rest @ ..] => {
            first.is_none()
                || rest.iter().any(|other| other != first)
                || rest.is_empty() && first.as_deref() != Some("0")
        }
    }
}

/// The equality that picks one value a time: on a bare column of a base table, against a value.
pub(super) fn key(block: &Block) -> Option<&Predicate> {
    let picks = |test: &&Predicate| {
        // IN with one value is what a prefetch for one object sends; with many it is a batch.
        matches!(
            (test.op, &test.operand),
            (Op::Eq, Operand::Parameter(_) | Operand::Constant(_))
                | (Op::In, Operand::List { .. } | Operand::Parameter(_))
        ) && test.column.table.is_none_or(|at| {
            matches!(block.tables.get(at).map(|table| &table.source), Some(TableSource::Table(_)))
        })
    };
    // A parameter is what changes; and a key is named so more often than not.
    let like_a_key =
        |test: &&Predicate| test.column.name == "id" || test.column.name.to_lowercase().ends_with("id");
    let variable = |test: &&Predicate| matches!(test.operand, Operand::Parameter(_));
    // `a_id = 1 OR b_id = 2` picks by either.
    let either = block.conditions.iter().filter_map(|condition| {
        let Condition::Any(any) = condition else { return None };
        let tests = any.iter().map(|condition| match condition {
            Condition::Test(test) if picks(&test) => Some(test),
            _ => None,
        });
        tests.collect::<Option<Vec<&Predicate>>>()?.first().copied()
    });
    let candidates: Vec<&Predicate> = block.tests().filter(picks).chain(either).collect();
    let best = |wanted: &dyn Fn(&&Predicate) -> bool| candidates.iter().copied().find(|test| wanted(test));
    best(&|test| variable(test) && like_a_key(test))
        .or_else(|| best(&|test| like_a_key(test)))
        .or_else(|| best(&variable))
        .or_else(|| candidates.first().copied())
}

pub(super) fn is_look_alike(shape: &Shape, block: &Block, key: &Predicate, query: Option<&Query>) -> bool {
    let sorted = |test: &Predicate| {
        block
            .order_by
            .iter()
            .any(|order| matches!(&order.expr, SortExpr::Column(column) if *column == test.column))
    };
    let key_range = block.limit.is_some()
        && block.tests().any(|test| {
            matches!(test.op, Op::Gt | Op::GtEq | Op::Lt | Op::LtEq)
                && matches!(test.operand, Operand::Parameter(_) | Operand::Constant(_))
                && sorted(test)
                && test.column != key.column
        });
    let export = block.offset.as_ref().is_some_and(|offset| *offset != Bound::Number(0))
        && query.is_none_or(skips_more_and_more);
    tables(block).is_empty() || shape.blocks.iter().any(reads_system) || key_range || export || polls(block)
}

/// A worker that takes the next free row of a queue.
pub(super) fn polls(block: &Block) -> bool {
    block.locking.as_deref().is_some_and(|words| words.to_uppercase().contains("SKIP LOCKED"))
}
