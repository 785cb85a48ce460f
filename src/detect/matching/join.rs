//! Conditions on joins, and what ties a table to the others of its FROM.

use super::{Case, facts, names, predicate, truth::Truth};
use crate::{
    detect::words,
    rules::matching::{JoinMatch, JoinWord, Placeholder},
    sql::{
        Shape,
        shape::{
            Block, BlockId, Bound, Condition, JoinKind, JoinedBy, Op, Operand, Predicate, Role, TableRef,
            TableSource,
        },
    },
};

pub(super) fn any(case: &Case<'_>, wanted: &JoinMatch, shape: &Shape, id: BlockId) -> Truth {
    let block = &shape.blocks[id];
    let mut first = None;
    let (mut matched, mut unknown) = (0, 0);
    for (at, table) in block.tables.iter().enumerate().skip(1) {
        match one(case, wanted, shape, id, at, table) {
            Truth::Yes(filled) => {
                matched += 1;
                first.get_or_insert(filled);
            }
            Truth::Unknown => unknown += 1,
            Truth::No => {}
        }
    }
    match first {
        Some(filled) => Truth::Yes(filled)
            .fill(Placeholder::Tables, || words::list(&names(shape, id)))
            .and_if(wanted.count.as_ref(), |bounds| match case.count(bounds, matched) {
                _ if unknown > 0 => Truth::Unknown,
                truth => truth,
            }),
        None if unknown > 0 => Truth::Unknown,
        None => Truth::No,
    }
}

fn one(
    case: &Case<'_>,
    wanted: &JoinMatch,
    shape: &Shape,
    id: BlockId,
    at: usize,
    table: &TableRef,
) -> Truth {
    let kind = match table.join {
        JoinKind::From => JoinWord::Comma,
        JoinKind::Inner => JoinWord::Inner,
        JoinKind::Left => JoinWord::Left,
        JoinKind::Right => JoinWord::Right,
        JoinKind::Full => JoinWord::Full,
        JoinKind::Cross => JoinWord::Cross,
    };
    let holds = wanted.kind.as_ref().is_none_or(|kinds| kinds.has(&kind))
        && wanted.natural.is_none_or(|asked| (table.joined_by == JoinedBy::Natural) == asked)
        && wanted.linked.is_none_or(|asked| linked(shape, id, at) == asked)
        && wanted.equality.is_none_or(|asked| equality(&shape.blocks[id], id, at) == asked);
    let name = match &table.source {
        TableSource::Table(name) => Some(name.plain()),
        _ => table.alias.clone(),
    };
    Truth::of(holds)
        .at(&table.at)
        .and_if(wanted.table.as_ref(), |wanted| facts::source(case, wanted, &table.source))
        .and_if(name.as_ref(), |name| Truth::of(true).fill(Placeholder::Table, || name.clone()))
}

/// Whether a column of the table is equal to one of another table.
fn equality(block: &Block, id: BlockId, at: usize) -> bool {
    predicate::all(block).iter().any(|(predicate, in_or)| {
        let Operand::Column(other) = &predicate.operand else { return false };
        let here = |table: Option<usize>| table == Some(at);
        !in_or
            && predicate.op == Op::Eq
            && predicate.column.block == id
            && other.block == id
            && here(predicate.column.table) != here(other.table)
    })
}

/// Whether the table is tied to what stands before it, as far as anybody can tell from the text: what is
/// not understood may tie it, and what gives one row, or depends on its neighbours, needs no tie.
fn linked(shape: &Shape, id: BlockId, at: usize) -> bool {
    let block = &shape.blocks[id];
    if block.tables[..=at].iter().any(|table| table.joined_by == JoinedBy::Natural) || unclear(block, id) {
        return true;
    }
    let count = block.tables.len();
    let single: Vec<bool> = (0..count)
        .map(|table| one_row(shape, &block.tables[table].source) || pinned(block, id, table))
        .collect();
    if single[at] {
        return true;
    }
    // Everything that is tied to this table, over any number of others.
    let mut reached = vec![false; count];
    let mut open = vec![at];
    while let Some(table) = open.pop() {
        if std::mem::replace(&mut reached[table], true) {
            continue;
        }
        open.extend((0..count).filter(|&other| tied(block, id, table, other)));
    }
    (0..at).any(|before| reached[before] || single[before])
}

fn tied(block: &Block, id: BlockId, a: usize, b: usize) -> bool {
    predicate::all(block).iter().any(|(predicate, _)| {
        let Operand::Column(other) = &predicate.operand else { return false };
        let pair = (predicate.column.table, other.table);
        predicate.column.block == id
            && other.block == id
            && (pair == (Some(a), Some(b)) || pair == (Some(b), Some(a)))
    })
}

/// A condition that may name other tables than the shape tells.
fn unclear(block: &Block, id: BlockId) -> bool {
    let unknown = |predicate: &Predicate| {
        predicate.column.table.is_none()
            || predicate.wrapped.is_some()
            || match &predicate.operand {
                Operand::Column(other) => other.table.is_none() || other.block != id,
                Operand::Expression(_) | Operand::Subquery(_) => true,
                _ => false,
            }
    };
    let mut open: Vec<&Condition> = block.conditions.iter().collect();
    while let Some(condition) = open.pop() {
        match condition {
            Condition::Test(predicate) if unknown(predicate) => return true,
            Condition::Test(_) => {}
            Condition::Any(inner) | Condition::All(inner) => open.extend(inner),
            Condition::Opaque { .. } => return true,
        }
    }
    false
}

/// Searched for one value, or a few: mostly a row or a handful.
fn pinned(block: &Block, id: BlockId, table: usize) -> bool {
    block.tests().any(|predicate| {
        predicate.column.block == id
            && predicate.column.table == Some(table)
            && matches!(predicate.op, Op::Eq | Op::In)
            && matches!(
                predicate.operand,
                Operand::Constant(_) | Operand::Parameter(_) | Operand::List { .. }
            )
    })
}

/// An item of FROM that gives at most one row, a written list of rows, or what depends on its neighbours.
fn one_row(shape: &Shape, source: &TableSource) -> bool {
    match source {
        TableSource::Table(_) => false,
        TableSource::Function(_) | TableSource::Values => true,
        TableSource::Cte { block, .. } | TableSource::Derived(block) => {
            let Some(inner) = shape.blocks.get(*block) else { return true };
            let values = inner.tables.iter().all(|table| table.source == TableSource::Values);
            let arms = shape.blocks.iter().any(|arm| arm.parent == Some(*block) && arm.role == Role::SetArm);
            matches!(inner.role, Role::Derived { lateral: true })
                || values && !arms
                || inner.limit == Some(Bound::Number(1))
                || inner.aggregates && inner.group_by.is_empty() && !arms
        }
    }
}
