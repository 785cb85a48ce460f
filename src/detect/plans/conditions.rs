//! The conditions of a plan's node, read as SQL: EXPLAIN prints them as the planner has them, with the casts that it
//! added.

use crate::{
    names::quote_ident,
    plan::Node,
    sql::{
        Shape, parse,
        shape::{Block, Op, Operand, Predicate, Sargable},
    },
};

/// What the node tests its rows with, as the Shape of a query of one table; `None` where that is no SQL (`SubPlan
/// 1`), or the node reads no table.
pub(in crate::detect) fn shape(node: &Node) -> Option<Shape> {
    let relation = node.relation.as_ref()?;
    let alias = node.alias.as_ref().unwrap_or(&relation.name);
    let all: Vec<&str> = [&node.index_cond, &node.recheck_cond, &node.filter]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    if all.is_empty() {
        return None;
    }
    let sql = format!("SELECT 1 FROM {relation} {} WHERE {}", quote_ident(alias), all.join(" AND "));
    parse::parse(&sql).ok()
}

/// Tests of the node's own columns with something else than a column.
pub(in crate::detect) fn tests(shape: &Shape) -> impl Iterator<Item = &Predicate> {
    let own = |test: &&Predicate| test.column.block == 0 && !matches!(test.operand, Operand::Column(_));
    shape.blocks.iter().take(1).flat_map(Block::tests).filter(own)
}

/// `numeric` of `id::numeric`, where the column itself is cast and nothing else is done with it.
pub(in crate::detect) fn cast(test: &Predicate) -> Option<&str> {
    let wrapped = test.wrapped.as_deref()?;
    let (column, to) = wrapped.split_once("::")?;
    let column = column.trim_start_matches('(').trim_end_matches(')');
    let bare = column.rsplit_once('.').map_or(column, |(_, column)| column).trim_matches('"');
    (bare == test.column.name && !to.contains("::")).then_some(to)
}

/// Whether a condition compares with a parameter of the statement, as a generic plan does.
pub(in crate::detect) fn has_parameter(node: &Node) -> bool {
    let texts = [&node.index_cond, &node.recheck_cond, &node.filter, &node.join_filter];
    texts.into_iter().flatten().any(|text| {
        text.match_indices('$').any(|(at, _)| text[at + 1..].starts_with(|c: char| matches!(c, '1'..='9')))
    })
}

/// The columns by which an index could find the node's rows: those compared by equality, then one that is compared
/// by a range.
pub(in crate::detect) fn columns(node: &Node) -> Vec<String> {
    let Some(shape) = shape(node) else { return Vec::new() };
    let (mut columns, mut range) = (Vec::new(), None);
    // A varchar is compared as text and served by its index all the same.
    let bare = |test: &&Predicate| match cast(test) {
        Some(to) => to == "text",
        None => test.wrapped.is_none() && test.sargable == Sargable::Yes,
    };
    for test in tests(&shape).filter(bare) {
        match test.op {
            Op::Eq | Op::In | Op::IsNull | Op::IsTrue | Op::IsFalse
                if !columns.contains(&test.column.name) =>
            {
                columns.push(test.column.name.clone());
            }
            Op::Lt | Op::LtEq | Op::Gt | Op::GtEq | Op::Between => {
                range.get_or_insert_with(|| test.column.name.clone());
            }
            _ => {}
        }
    }
    columns.extend(range.filter(|range| !columns.contains(range)));
    columns
}
