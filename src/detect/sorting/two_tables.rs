//! ORDER BY … LIMIT whose keys are of two tables: no index has both.
//!
//! Left alone: keys that WHERE pins to one value, and an order whose first key an index gives, where PostgreSQL
//! sorts only rows that are equal in it.

use crate::{
    detect::{Facts, Report, index_use, keys, words},
    finding::Confidence,
    rules::Rule,
    sql::shape::{ColumnRef, Op, Operand, SortExpr},
};

pub(in crate::detect) fn detect(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for (id, block) in shape.blocks.iter().enumerate() {
        let whole =
            block.group_by.is_empty() && !block.aggregates && !block.distinct && block.distinct_on_keys == 0;
        if block.limit.is_none() || !whole || block.tables.len() < 2 || !block.set_operations.is_empty() {
            continue;
        }
        let pinned = |column: &ColumnRef| {
            block.tests().any(|test| {
                let value = matches!(test.operand, Operand::Constant(_) | Operand::Parameter(_));
                test.op == Op::Eq && value && test.wrapped.is_none() && test.column == *column
            })
        };
        let columns: Option<Vec<&ColumnRef>> = block
            .order_by
            .iter()
            .map(|key| match &key.expr {
                SortExpr::Column(column) if column.block == id && shape.table_of(column).is_some() => {
                    Some(column)
                }
                _ => None,
            })
            .collect();
        let Some(columns) = columns else { continue };
        let columns: Vec<&ColumnRef> = columns.into_iter().filter(|column| !pinned(column)).collect();
        let Some(first) = columns.first() else { continue };
        let Some(other) = columns.iter().find(|column| column.table != first.table) else { continue };
        // Joined on each other they are one column to the planner.
        let joined = block
            .tests()
            .filter_map(keys::join_of)
            .any(|(a, b)| (a == *first && b == *other) || (b == *first && a == *other));
        let table = first.table.and_then(|at| keys::table(facts, block, at));
        let Some(table) = table.filter(|_| !joined) else { continue };
        let given = table.indexes.iter().any(|index| {
            index.valid
                && index.spec.method == "btree"
                && index
                    .spec
                    .keys
                    .first()
                    .is_some_and(|key| key.expr == index_use::key_of(&SortExpr::Column((*first).clone())))
        });
        if given {
            continue;
        }
        let shown: Vec<String> = columns.iter().map(|column| keys::shown(shape, column)).collect();
        let because = format!(
            "ORDER BY {} is of two tables, and no index gives {}: all joined rows are sorted for the few of LIMIT",
            words::list(&shown),
            keys::shown(shape, first)
        );
        let instead = rule.instead.trim().to_owned();
        report.findings.push(facts.finding(rule, Confidence::Shape, because, instead).on(&block.within()));
    }
}
