//! A CTE that conditions of its readers cannot get into.
//!
//! Left alone: a CTE in which the condition would change what comes out (a group, a window, a LIMIT), and one that
//! is read once and does not say MATERIALIZED, which is merged into its reader since PostgreSQL 12.

use crate::{
    detect::{Facts, Report, keys},
    finding::Confidence,
    rules::Rule,
    sql::{
        Shape,
        shape::{Block, BlockId, Clause, Op, Operand, Predicate, Projected, Role, TableSource},
    },
};

pub(in crate::detect) fn detect(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    if shape.writes_in_cte {
        return;
    }
    for (id, block) in shape.blocks.iter().enumerate() {
        let Role::Cte { name } = &block.role else { continue };
        if !is_plain(block) {
            continue;
        }
        let readers: Vec<(BlockId, usize)> = shape
            .blocks
            .iter()
            .enumerate()
            .flat_map(|(reader, inner)| {
                inner.tables.iter().enumerate().filter_map(move |(at, table)| {
                    matches!(&table.source, TableSource::Cte { block, .. } if *block == id)
                        .then_some((reader, at))
                })
            })
            .collect();
        let why = match (block.materialized, readers.len()) {
            (_, 0) => continue,
            (Some(true), _) => "AS MATERIALIZED says so".to_owned(),
            (None, reads) if reads > 1 => format!("it is read {reads} times"),
            _ => continue,
        };
        // One reader that wants all of it needs all of it.
        let tests: Option<Vec<&Predicate>> = readers
            .iter()
            .map(|(reader, at)| {
                shape.blocks[*reader].tests().find(|test| goes_in(shape, block, test, *reader, *at))
            })
            .collect();
        let Some(test) = tests.as_deref().and_then(<[&Predicate]>::first) else { continue };
        let because = format!(
            "{name} is made as a whole ({why}), and then {} picks from it: the condition does not reach the tables of {name}",
            keys::shown(shape, &test.column)
        );
        let instead = rule.instead.trim().to_owned();
        report.findings.push(facts.finding(rule, Confidence::Shape, because, instead).on(&test.at));
    }
}

/// A condition on its output can as well be applied to its rows.
fn is_plain(block: &Block) -> bool {
    block.set_operations.is_empty()
        && !block.distinct
        && block.group_by.is_empty()
        && !block.aggregates
        && !block.having
        && !block.windows
        && block.limit.is_none()
        && block.offset.is_none()
        && block.locking.is_none()
        && !block.tables.is_empty()
}

/// `t.column = value`, where the CTE has the column from a table.
fn goes_in(shape: &Shape, cte: &Block, test: &Predicate, reader: BlockId, at: usize) -> bool {
    let value = matches!(test.operand, Operand::Constant(_) | Operand::Parameter(_));
    if test.op != Op::Eq || !value || test.wrapped.is_some() || test.clause != Clause::Where {
        return false;
    }
    keys::is_of(&test.column, reader, at)
        && cte.projection.iter().any(|item| match item {
            Projected::Column { column, alias } => {
                let name = alias.as_ref().unwrap_or(&column.name);
                *name == test.column.name && shape.table_of(column).is_some()
            }
            _ => false,
        })
}
