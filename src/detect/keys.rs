//! Which columns pin a table's row, and what names a table: shared by the rules about joins, subqueries
//! and sorting.
//!
//! Everything answers `None` or "no" where the text and the catalog do not tell.

use super::Facts;
use crate::{
    catalog::{KeyExpr, Table, TableKind},
    names::quote_ident,
    sql::{
        Shape,
        shape::{Block, BlockId, Bound, ColumnRef, Op, Operand, Predicate, Projected, SortExpr, TableSource},
    },
};

/// The catalog's entry of a base table in FROM.
pub(super) fn table<'a>(facts: &Facts<'a>, block: &Block, at: usize) -> Option<&'a Table> {
    match &block.tables.get(at)?.source {
        TableSource::Table(name) => facts.catalog?.table(name),
        _ => None,
    }
}

/// What the statement calls the table.
pub(super) fn alias(block: &Block, at: usize) -> String {
    let Some(table) = block.tables.get(at) else { return "a table".to_owned() };
    match (&table.alias, &table.source) {
        (Some(alias), _) => alias.clone(),
        (None, TableSource::Table(name) | TableSource::Function(name)) => name.name.clone(),
        (None, TableSource::Cte { name, .. }) => name.clone(),
        (None, TableSource::Derived(_) | TableSource::Values) => "a subquery".to_owned(),
    }
}

/// `o.user_id`, for people and for SQL.
pub(super) fn shown(shape: &Shape, column: &ColumnRef) -> String {
    let name = quote_ident(&column.name);
    let block = &shape.blocks[column.block];
    match column.table {
        Some(at) if block.tables.get(at).is_some_and(|table| table.alias.is_some()) => {
            format!("{}.{name}", quote_ident(&alias(block, at)))
        }
        _ => name,
    }
}

pub(super) fn is_of(column: &ColumnRef, id: BlockId, at: usize) -> bool {
    column.block == id && column.table == Some(at)
}

/// Both sides of an equality of two bare columns of different tables.
pub(super) fn join_of(test: &Predicate) -> Option<(&ColumnRef, &ColumnRef)> {
    match &test.operand {
        Operand::Column(other)
            if test.op == Op::Eq
                && test.wrapped.is_none()
                && (test.column.block, test.column.table) != (other.block, other.table) =>
        {
            Some((&test.column, other))
        }
        _ => None,
    }
}

/// Columns of one table that equal something outside of it.
pub(super) fn pinned<'a>(tests: impl Iterator<Item = &'a Predicate>, id: BlockId, at: usize) -> Vec<&'a str> {
    let mut columns = Vec::new();
    for test in tests.filter(|test| test.op == Op::Eq) {
        let mine = is_of(&test.column, id, at);
        match &test.operand {
            Operand::Column(other) if mine != is_of(other, id, at) => {
                if !mine {
                    columns.push(other.name.as_str());
                } else if test.wrapped.is_none() {
                    columns.push(test.column.name.as_str());
                }
            }
            Operand::Constant(_) | Operand::Parameter(_) | Operand::Subquery(_)
                if mine && test.wrapped.is_none() =>
            {
                columns.push(test.column.name.as_str());
            }
            _ => {}
        }
    }
    columns
}

/// Whether the table has at most one row for each row of the others, by the tests that `counts` takes.
pub(super) fn matches_once(
    facts: &Facts<'_>,
    shape: &Shape,
    id: BlockId,
    at: usize,
    counts: impl Fn(&Predicate) -> bool,
) -> Option<bool> {
    let block = &shape.blocks[id];
    let columns = pinned(block.tests().filter(|test| counts(test)), id, at);
    match &block.tables.get(at)?.source {
        TableSource::Table(_) => {
            let table = table(facts, block, at)?;
            let told = matches!(table.kind, TableKind::Table | TableKind::Partitioned | TableKind::Partition);
            told.then(|| table.unique_on(&columns))
        }
        TableSource::Derived(inner) | TableSource::Cte { block: inner, .. } => {
            one_row_for(&shape.blocks[*inner], &columns).then_some(true)
        }
        TableSource::Function(_) | TableSource::Values => None,
    }
}

/// Whether a block gives at most one row for each value of these columns of its output.
fn one_row_for(block: &Block, columns: &[&str]) -> bool {
    if !block.set_operations.is_empty() || block.projection.is_empty() {
        return false;
    }
    if block.limit == Some(Bound::Number(1)) || is_one_row(block) {
        return true;
    }
    let asked = |name: &str| columns.contains(&name);
    if !block.group_by.is_empty() {
        return block.group_by.iter().all(|key| {
            block.projection.iter().any(|item| match (item, key) {
                (Projected::Column { column, alias }, SortExpr::Column(key)) => {
                    column == key && asked(alias.as_ref().unwrap_or(&column.name))
                }
                _ => false,
            })
        });
    }
    block.distinct
        && block.distinct_on_keys == 0
        && block.projection.iter().all(|item| match item {
            Projected::Column { column, alias } => asked(alias.as_ref().unwrap_or(&column.name)),
            _ => false,
        })
}

/// Aggregates without GROUP BY give one row.
pub(super) fn is_one_row(block: &Block) -> bool {
    block.aggregates && block.group_by.is_empty()
}

/// Whether these columns hold a unique key of the table without NULLs: no two rows agree in them.
pub(super) fn holds_key(table: &Table, columns: &[&str]) -> bool {
    table.indexes.iter().any(|index| {
        index.unique
            && index.valid
            && index.spec.predicate.is_none()
            && index.spec.keys.iter().all(|key| match &key.expr {
                KeyExpr::Column(name) => {
                    columns.contains(&name.as_str())
                        && (index.primary || table.column(name).is_some_and(|column| column.not_null))
                }
                KeyExpr::Expression(_) => false,
            })
    })
}

/// Whether something names the table outside of its own ON; what cannot be told counts as yes.
pub(super) fn is_used(shape: &Shape, id: BlockId, at: usize) -> bool {
    let block = &shape.blocks[id];
    let name = alias(block, at);
    let starred = block.projection.iter().any(|item| match item {
        Projected::Star { table: None, .. } => true,
        Projected::Star { table: Some(star), .. } => *star == at,
        _ => false,
    });
    starred
        || block.locking.is_some()
        || shape.references.iter().any(|reference| {
            let column = &reference.column;
            let it =
                is_of(column, id, at) || column.name == name || column.block == id && column.table.is_none();
            it && reference.on != Some((id, at))
        })
}

/// Which of the block's tables the SELECT list takes from; `None` where that cannot be told.
pub(super) fn projected_tables(block: &Block, id: BlockId) -> Option<Vec<usize>> {
    let mut found = Vec::new();
    for item in &block.projection {
        match item {
            Projected::Star { table, .. } => found.push((*table)?),
            Projected::Column { column, .. } => found.push(local(column, id)?),
            Projected::Expression { columns, .. } => {
                for column in columns.iter().filter(|column| column.block == id) {
                    found.push(local(column, id)?);
                }
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    Some(found)
}

fn local(column: &ColumnRef, id: BlockId) -> Option<usize> {
    if column.block == id { column.table } else { None }
}

/// Whether the SELECT list holds a key of the table.
pub(super) fn projects_key(facts: &Facts<'_>, block: &Block, id: BlockId, at: usize) -> bool {
    let Some(table) = table(facts, block, at) else { return false };
    let columns: Vec<&str> = block
        .projection
        .iter()
        .flat_map(|item| match item {
            Projected::Column { column, .. } if is_of(column, id, at) => vec![column.name.as_str()],
            Projected::Star { table: star, .. } if star.is_none_or(|star| star == at) => {
                table.columns.iter().map(|column| column.name.as_str()).collect()
            }
            _ => Vec::new(),
        })
        .collect();
    holds_key(table, &columns)
}

/// Whether a constant or parameter picks one row of the table by a key.
pub(super) fn picked(facts: &Facts<'_>, block: &Block, id: BlockId, at: usize) -> bool {
    let columns: Vec<&str> = block
        .tests()
        .filter(|test| {
            test.op == Op::Eq
                && test.wrapped.is_none()
                && is_of(&test.column, id, at)
                && matches!(test.operand, Operand::Constant(_) | Operand::Parameter(_))
        })
        .map(|test| test.column.name.as_str())
        .collect();
    match table(facts, block, at) {
        Some(table) => table.unique_on(&columns),
        None => columns.contains(&"id"),
    }
}

/// Whether the SELECT list holds every key of GROUP BY as it is, so that no two groups give the same row.
pub(super) fn projects_groups(block: &Block) -> bool {
    block.group_by.iter().all(|key| {
        block.projection.iter().any(|item| match (item, key) {
            (Projected::Column { column, .. }, SortExpr::Column(key)) => column == key,
            (Projected::Expression { text, .. }, SortExpr::Expression(key)) => text == key,
            _ => false,
        })
    })
}
