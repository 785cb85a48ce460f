//! The conditions of a plan's node, read as SQL: EXPLAIN prints them as the planner has them, with the casts that it
//! added.

use crate::{
    names::quote_ident,
    plan::Node,
    sql::{
        Shape, parse,
        shape::{Operand, Predicate},
    },
};

/// What the node tests its rows with, as the Shape of a query of one table; `None` where that is no SQL (`SubPlan
/// 1`), or the node reads no table.
pub(super) fn shape(node: &Node) -> Option<Shape> {
    let relation = node.relation.as_ref()?;
    let alias = node.alias.as_ref().unwrap_or(&relation.name);
    let all: Vec<&str> =
        [&node.index_cond, &node.recheck_cond, &node.filter].into_iter().flatten().map(String::as_str).collect();
    if all.is_empty() {
        return None;
    }
    let sql = format!("SELECT 1 FROM {relation} {} WHERE {}", quote_ident(alias), all.join(" AND "));
    parse::parse(&sql).ok()
}

/// Tests of the node's own columns with something else than a column.
pub(super) fn tests(shape: &Shape) -> impl Iterator<Item = &Predicate> {
    let own = |test: &&Predicate| test.column.block == 0 && !matches!(test.operand, Operand::Column(_));
    shape.blocks.iter().take(1).flat_map(|block| block.tests()).filter(own)
}

/// `numeric` of `id::numeric`, where the column itself is cast and nothing else is done with it.
pub(super) fn cast(test: &Predicate) -> Option<&str> {
    let wrapped = test.wrapped.as_deref()?;
    let (column, to) = wrapped.split_once("::")?;
    let column = column.trim_start_matches('(').trim_end_matches(')');
    let bare = column.rsplit_once('.').map_or(column, |(_, column)| column).trim_matches('"');
    (bare == test.column.name && !to.contains("::")).then_some(to)
}

/// Whether a condition compares with a parameter of the statement, as a generic plan does.
pub(super) fn has_parameter(node: &Node) -> bool {
    let texts = [&node.index_cond, &node.recheck_cond, &node.filter, &node.join_filter];
    texts.into_iter().flatten().any(|text| {
        text.match_indices('$').any(|(at, _)| text[at + 1..].starts_with(|c: char| matches!(c, '1'..='9')))
    })
}
