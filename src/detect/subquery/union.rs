//! UNION of arms that cannot share a row and repeat none: it sorts or hashes for nothing.

use crate::{
    detect::{Facts, Report, keys},
    finding::Confidence,
    rules::Rule,
    sql::{
        Shape,
        shape::{Block, BlockId, Op, Operand, Projected, Role, SetKind, SetOperation, SortExpr},
    },
};

const UNION: SetOperation = SetOperation { kind: SetKind::Union, all: false };

pub(in crate::detect) fn detect(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for (id, block) in shape.blocks.iter().enumerate() {
        if block.set_operations.is_empty() || block.set_operations.iter().any(|operation| *operation != UNION)
        {
            continue;
        }
        let arms: Vec<BlockId> = (0..shape.blocks.len())
            .filter(|&arm| shape.blocks[arm].parent == Some(id) && shape.blocks[arm].role == Role::SetArm)
            .collect();
        let Some(why) = disjoint(shape, &arms) else { continue };
        if !arms.iter().all(|&arm| repeats_nothing(facts, shape, arm)) {
            continue;
        }
        let because = format!(
            "UNION looks for equal rows among {} arms where there can be none: {why}, and no arm repeats a row",
            arms.len()
        );
        let instead = "UNION ALL: the same rows, without the search for copies.".to_owned();
        report.findings.push(facts.finding(rule, Confidence::Shape, because, instead).on(&block.within()));
    }
}

/// Why no two arms share a row.
fn disjoint(shape: &Shape, arms: &[BlockId]) -> Option<String> {
    let width = arms.iter().map(|&arm| shape.blocks[arm].projection.len()).min()?;
    (0..width).find_map(|position| {
        let values: Option<Vec<&str>> =
            arms.iter().map(|&arm| value_at(&shape.blocks[arm], arm, position)).collect();
        let values = values?;
        let strings = values.iter().all(|value| value.starts_with('\''));
        let numbers = values.iter().all(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
        let apart = values.iter().enumerate().all(|(at, value)| !values[..at].contains(value));
        ((strings || numbers) && apart && values.len() > 1)
            .then(|| format!("column {} is another constant in each", position + 1))
    })
}

/// The one value that an output column has in all rows: a literal, or a column that WHERE pins to one.
fn value_at(block: &Block, id: BlockId, position: usize) -> Option<&str> {
    let before = block.projection.get(..=position)?;
    if before.iter().any(|item| matches!(item, Projected::Star { .. })) {
        return None;
    }
    match before.last()? {
        Projected::Expression { text, columns, .. } if columns.is_empty() => plain(text),
        Projected::Column { column, .. } if column.block == id => block.tests().find_map(|test| {
            let pins = test.op == Op::Eq && test.wrapped.is_none() && test.column == *column;
            match &test.operand {
                Operand::Constant(text) if pins && test.clause == crate::sql::shape::Clause::Where => {
                    plain(text)
                }
                _ => None,
            }
        }),
        _ => None,
    }
}

/// A string without escapes, or a whole number without leading zeros.
fn plain(text: &str) -> Option<&str> {
    let inside = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    let string = inside.is_some_and(|inside| !inside.contains('\'') && inside.trim_end() == inside);
    let number = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    (string || number).then_some(text)
}

fn repeats_nothing(facts: &Facts<'_>, shape: &Shape, arm: BlockId) -> bool {
    let block = &shape.blocks[arm];
    if !block.set_operations.is_empty() || block.projection.is_empty() {
        return false;
    }
    if keys::is_one_row(block) || block.distinct && block.distinct_on_keys == 0 {
        return true;
    }
    if !block.group_by.is_empty() {
        return keys::projects_groups(block);
    }
    !block.tables.is_empty()
        && match block.tables.as_slice() {
            [_] => keys::projects_key(facts, block, arm, 0),
            _ => false,
        }
        && block.group_by.iter().all(|key| matches!(key, SortExpr::Column(_)))
}
