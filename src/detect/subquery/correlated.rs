//! Subqueries in conditions that run once for each row of the outer query.

use crate::{
    detect::{Facts, Report, keys},
    finding::{Confidence, Severity},
    rules::Rule,
    sql::{
        Shape,
        shape::{BlockId, ColumnRef, Op, Operand, Predicate, Role, outer_reach},
    },
};

/// The columns of outer blocks that a subquery names: itself, or what is inside of it.
fn correlation(shape: &Shape, id: BlockId) -> Vec<(&ColumnRef, &ColumnRef)> {
    let inside = |block: BlockId| outer_reach(&shape.blocks, block).contains(&id);
    shape
        .blocks
        .iter()
        .enumerate()
        .filter(|(block, _)| inside(*block))
        .flat_map(|(_, block)| block.tests())
        .filter_map(|test| match &test.operand {
            Operand::Column(other) if other.table.is_some() && test.column.table.is_some() => {
                let own = |column: &ColumnRef| inside(column.block);
                match (own(&test.column), own(other)) {
                    (true, false) => Some((&test.column, other)),
                    (false, true) => Some((other, &test.column)),
                    _ => None,
                }
            }
            _ => None,
        })
        .collect()
}

/// Conditions with a subquery as their operand, and the block that they filter.
fn subqueries(shape: &Shape) -> impl Iterator<Item = (BlockId, &Predicate, BlockId)> {
    shape.blocks.iter().enumerate().flat_map(|(id, block)| {
        block.tests().filter_map(move |test| match test.operand {
            Operand::Subquery(inner) => Some((id, test, inner)),
            _ => None,
        })
    })
}

/// `WHERE x < (SELECT avg(…) … WHERE inner.k = outer.k)`.
pub(in crate::detect) fn compared(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for (id, test, inner) in subqueries(shape) {
        let block = &shape.blocks[inner];
        if block.role != Role::Scalar || !keys::is_one_row(block) {
            continue;
        }
        // A key picks the outer row: the subquery runs once.
        let by_key =
            (0..shape.blocks[id].tables.len()).any(|at| keys::picked(facts, &shape.blocks[id], id, at));
        let Some((own, outer)) = correlation(shape, inner).first().copied() else { continue };
        if by_key || outer.block != id {
            continue;
        }
        let because = format!(
            "the subquery that WHERE compares with runs anew for each row: it asks for {} = {}",
            keys::shown(shape, own),
            keys::shown(shape, outer)
        );
        let instead = format!(
            "Compute it once for all: JOIN (SELECT {}, … GROUP BY {}) s ON s.{} = {}, and compare with s. A row \
             without any match is lost then; a comparison with NULL loses it as well, but count() is 0 there.",
            own.name,
            own.name,
            own.name,
            keys::shown(shape, outer)
        );
        let mut finding = facts.finding(rule, Confidence::Shape, because, instead).on(&test.at);
        let indexed = shape.table_of(own).and_then(|name| facts.catalog?.table(name)).map(|table| {
            table.indexes.iter().any(|index| {
                index.valid
                    && index
                        .spec
                        .keys
                        .first()
                        .is_some_and(|key| key.expr == crate::catalog::KeyExpr::Column(own.name.clone()))
            })
        });
        if indexed != Some(false) {
            finding.severity = Severity::Note;
        }
        report.findings.push(finding);
    }
}

/// `x IN (SELECT … WHERE inner.k = outer.k)`.
pub(in crate::detect) fn in_subquery(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for (id, test, inner) in subqueries(shape) {
        let block = &shape.blocks[inner];
        if !matches!(test.op, Op::In) || !matches!(block.role, Role::In { negated: false }) {
            continue;
        }
        let plain = block.set_operations.is_empty() && block.limit.is_none() && block.offset.is_none();
        let Some((own, outer)) = correlation(shape, inner).first().copied() else { continue };
        if !plain || outer.block != id || keys::is_one_row(block) || !block.group_by.is_empty() {
            continue;
        }
        let because = format!(
            "the IN subquery names {} of the outer query ({} = {}), so it cannot become a join: it runs for each row",
            keys::shown(shape, outer),
            keys::shown(shape, own),
            keys::shown(shape, outer)
        );
        let selected = match block.projection.first() {
            Some(crate::sql::shape::Projected::Column { column, .. }) => keys::shown(shape, column),
            _ => "…".to_owned(),
        };
        let instead = format!(
            "EXISTS (SELECT … AND {selected} = {}) with the same conditions: that becomes a semi-join.",
            keys::shown(shape, &test.column)
        );
        report.findings.push(facts.finding(rule, Confidence::Shape, because, instead).on(&test.at));
    }
}
