//! Recursion that only the data ends.

use crate::{
    detect::{Facts, Report, keys},
    finding::Confidence,
    rules::Rule,
    sql::{
        Shape,
        shape::{Block, BlockId, Condition, Op, Operand, Role, SetKind, SetOperation, TableSource},
    },
};

/// WITH RECURSIVE … UNION ALL whose recursive arm joins, and compares nothing else of what it found.
pub(in crate::detect) fn recursion(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for (id, block) in shape.blocks.iter().enumerate() {
        let Role::Cte { name } = &block.role else { continue };
        if block.set_operations != [SetOperation { kind: SetKind::Union, all: true }] {
            continue;
        }
        let arm = shape.blocks.iter().enumerate().find_map(|(arm, inner)| {
            let own = inner.role == Role::SetArm && inner.parent == Some(id);
            let at = inner.tables.iter().position(|table| reads(&table.source, id))?;
            own.then_some((arm, at))
        });
        let Some((arm, at)) = arm else { continue };
        if is_bounded(&shape.blocks[arm], arm, at) || is_limited(shape, id) {
            continue;
        }
        let link = shape.blocks[arm].tests().find_map(|test| {
            let (a, b) = keys::join_of(test)?;
            (keys::is_of(a, arm, at) || keys::is_of(b, arm, at)).then_some((b, a))
        });
        let Some((a, b)) = link else { continue };
        let because = format!(
            "{name} follows {} = {} until nothing is left, with UNION ALL and no end of its own: one cycle in the \
             data, and it runs until it is stopped",
            keys::shown(shape, a),
            keys::shown(shape, b)
        );
        let instead = rule.instead.trim().to_owned();
        report
            .findings
            .push(facts.finding(rule, Confidence::Shape, because, instead).on(&shape.blocks[arm].at));
    }
}

fn reads(source: &TableSource, id: BlockId) -> bool {
    matches!(source, TableSource::Cte { block, .. } if *block == id)
}

/// Anything but a plain join may be the end: a depth, a path, a flag.
fn is_bounded(arm: &Block, id: BlockId, at: usize) -> bool {
    arm.limit.is_some()
        || arm.conditions.iter().any(|condition| match condition {
            Condition::Test(test) => {
                let joins = test.op == Op::Eq && matches!(test.operand, Operand::Column(_));
                let of_it = keys::is_of(&test.column, id, at)
                    || test.column.table.is_none()
                    || matches!(&test.operand, Operand::Column(other) if keys::is_of(other, id, at))
                    || matches!(test.operand, Operand::Expression(_) | Operand::Subquery(_));
                of_it && !joins
            }
            _ => true,
        })
}

/// A reader with LIMIT may stop it.
fn is_limited(shape: &Shape, id: BlockId) -> bool {
    shape
        .blocks
        .iter()
        .any(|reader| reader.limit.is_some() && reader.tables.iter().any(|table| reads(&table.source, id)))
}
