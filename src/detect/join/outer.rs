//! LEFT JOINs that are not what they look like: without use, undone by WHERE, or an anti join that the
//! planner does not see.

use crate::{
    detect::{Facts, Report, keys},
    finding::Confidence,
    rules::Rule,
    sql::shape::{Block, BlockId, Clause, JoinKind, JoinedBy, Op, Operand, Predicate},
};

/// The tables of LEFT JOINs with a condition of their own.
fn left(block: &Block) -> impl Iterator<Item = usize> {
    block
        .tables
        .iter()
        .enumerate()
        .filter(|(_, table)| {
            table.join == JoinKind::Left && matches!(table.joined_by, JoinedBy::On | JoinedBy::Using)
        })
        .map(|(at, _)| at)
}

/// A LEFT JOIN on a unique key whose table nothing names.
pub(in crate::detect) fn unused(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for (id, block) in shape.blocks.iter().enumerate() {
        if block.projection.is_empty() {
            continue;
        }
        for at in left(block) {
            let once = keys::matches_once(facts, shape, id, at, |test| test.clause == Clause::On(at));
            if once == Some(true) && !keys::is_used(shape, id, at) {
                let name = keys::alias(block, at);
                let because = format!(
                    "nothing but its own ON names {name}, and the join can neither add nor remove a row: it has \
                     at most one row for each"
                );
                let instead = format!("Remove the LEFT JOIN of {name}.");
                let finding = facts.finding(rule, Confidence::Shape, because, instead);
                report.findings.push(finding.on(&block.tables[at].at).with("name", name));
            }
        }
    }
}

/// A LEFT JOIN whose NULL rows WHERE throws away.
pub(in crate::detect) fn undone(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for (id, block) in shape.blocks.iter().enumerate() {
        for at in left(block) {
            let Some(test) =
                block.tests().find(|test| test.clause == Clause::Where && refuses_null(test, id, at))
            else {
                continue;
            };
            let column = if keys::is_of(&test.column, id, at) {
                &test.column
            } else if let Operand::Column(other) = &test.operand {
                other
            } else {
                continue;
            };
            let (name, column) = (keys::alias(block, at), keys::shown(shape, column));
            let because = format!(
                "WHERE compares {column}, which is NULL where {name} has no row: the LEFT JOIN keeps only what an \
                 inner join keeps"
            );
            let instead = format!(
                "Write JOIN if rows without {name} are not wanted; if they are, move the condition on {column} \
                 into the ON."
            );
            let finding = facts.finding(rule, Confidence::Shape, because, instead);
            report.findings.push(finding.on(&test.at).with("name", name));
        }
    }
}

/// Whether a row of NULLs of the table cannot pass.
fn refuses_null(test: &Predicate, id: BlockId, at: usize) -> bool {
    let strict = match test.op {
        Op::Eq
        | Op::NotEq
        | Op::Lt
        | Op::LtEq
        | Op::Gt
        | Op::GtEq
        | Op::Between
        | Op::IsNotNull
        | Op::IsTrue
        | Op::IsFalse
        | Op::Like
        | Op::ILike
        | Op::NotLike
        | Op::Contains
        | Op::ContainedBy
        | Op::Overlaps
        | Op::In => true,
        // NOT IN of an empty subquery is true.
        Op::NotIn => matches!(test.operand, Operand::List { .. }),
        _ => false,
    };
    let own = keys::is_of(&test.column, id, at) && test.wrapped.is_none();
    let other = matches!(&test.operand, Operand::Column(other) if keys::is_of(other, id, at));
    strict && (own || other)
}

/// `WHERE r.id IS NULL` of a LEFT JOIN that compares another column of `r`.
pub(in crate::detect) fn anti_join(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for (id, block) in shape.blocks.iter().enumerate() {
        for at in left(block) {
            let joined: Vec<&Predicate> = block
                .tests()
                .filter(|test| test.clause == Clause::On(at) && refuses_null(test, id, at))
                .collect();
            let compared: Vec<&str> = joined
                .iter()
                .filter_map(|test| {
                    if keys::is_of(&test.column, id, at) {
                        Some(test.column.name.as_str())
                    } else if let Operand::Column(other) = &test.operand {
                        Some(other.name.as_str())
                    } else {
                        None
                    }
                })
                .collect();
            let Some(table) = keys::table(facts, block, at) else { continue };
            let links: Vec<&str> = joined
                .iter()
                .filter_map(|test| keys::join_of(test))
                .map(|(a, b)| if keys::is_of(a, id, at) { a.name.as_str() } else { b.name.as_str() })
                .collect();
            let nulls: Vec<&Predicate> = block
                .tests()
                .filter(|test| {
                    test.clause == Clause::Where
                        && test.op == Op::IsNull
                        && test.wrapped.is_none()
                        && keys::is_of(&test.column, id, at)
                })
                .collect();
            let seen = nulls.iter().any(|test| compared.contains(&test.column.name.as_str()));
            let (Some(first), Some(link), false) = (nulls.first(), links.first(), seen) else { continue };
            let never_null =
                table.column(&first.column.name).is_some_and(|column| column.not_null)
                    || table.indexes.iter().any(|index| {
                        index.primary
                            && index.spec.keys.iter().any(|key| {
                                key.expr == crate::catalog::KeyExpr::Column(first.column.name.clone())
                            })
                    });
            if never_null {
                let name = keys::alias(block, at);
                let because = format!(
                    "WHERE asks for rows without {name} by {name}.{}, which the join does not compare: the \
                     planner sees no anti join, joins all rows and filters them afterwards",
                    first.column.name
                );
                let instead = format!(
                    "WHERE {name}.{link} IS NULL (the column of the join), or NOT EXISTS: both give the same rows, \
                     since {name}.{} is never NULL in a row of the table.",
                    first.column.name
                );
                report.findings.push(facts.finding(rule, Confidence::Shape, because, instead).on(&first.at));
            }
        }
    }
}
