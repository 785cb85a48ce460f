//! One condition → the index key that would serve it.
//!
//! In: a predicate of the [`Shape`](crate::sql::Shape) and its table. Out: a [`Part`], or nothing where no
//! B-tree can serve it. Left alone: what wants another kind of index (GIN, `GiST`, BRIN).

use super::{expressions, patterns, selectivity};
use crate::{
    catalog::{Column, IndexKey, KeyExpr, Table},
    sql::shape::{Op, Operand, Predicate, Sargable},
};

/// A key that an index could have, and how many of the table's rows its condition leaves.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) key: IndexKey,
    /// 0 to 1; `None` where the statistics do not say.
    pub(super) selectivity: Option<f64>,
    /// At most one value at a time: what follows in the index keeps its order. An IN list does not.
    pub(super) single: bool,
}

pub(super) fn is_equality(op: Op) -> bool {
    matches!(op, Op::Eq | Op::In | Op::IsTrue | Op::IsFalse)
}

/// An ascending key on a column, where its type sorts.
pub(super) fn plain(table: &Table, name: &str) -> Option<Part> {
    let column = table.column(name)?;
    sorts(column).then(|| Part {
        key: IndexKey::column(name),
        selectivity: selectivity::of_any_value(table, column),
        single: true,
    })
}

/// The key that serves a predicate, if a B-tree can.
pub(super) fn part(predicate: &Predicate, table: &Table) -> Option<Part> {
    use Op::{Between, Eq, Gt, GtEq, In, IsFalse, IsTrue, Like, Lt, LtEq};
    if !matches!(predicate.op, Eq | In | IsTrue | IsFalse | Lt | LtEq | Gt | GtEq | Between | Like) {
        return None;
    }
    let column = table.column(&predicate.column.name)?;
    let prefix = predicate.op == Like && patterns::begins_literally(&predicate.operand);
    let (expr, sorts_like_c) = match (&predicate.wrapped, &predicate.sargable) {
        (None, Sargable::Yes) if sorts(column) => (KeyExpr::Column(column.name.clone()), column.c_collation),
        // What the pattern begins with stands in a call or a bind value.
        (None, Sargable::LeadingWildcard) if prefix && sorts(column) => {
            (KeyExpr::Column(column.name.clone()), column.c_collation)
        }
        (Some(text), sargable)
            if matches!(sargable, Sargable::Wrapped | Sargable::Yes)
                || prefix && *sargable == Sargable::LeadingWildcard =>
        {
            // The collation of a function's result is that of its argument.
            (KeyExpr::Expression(expressions::indexable(text, table)?), column.c_collation)
        }
        _ => return None,
    };
    let mut key = IndexKey { expr, desc: false, nulls_first: false, opclass: None };
    if predicate.op == Like {
        if predicate.wrapped.is_some() && !prefix {
            return None;
        }
        if !sorts_like_c {
            key.opclass = Some(selectivity::pattern_opclass(column, &key.expr)?.to_owned());
        }
    }
    let single = match (&predicate.op, &predicate.operand) {
        (In, Operand::List { len }) => *len == 1,
        (In, _) => false,
        _ => true,
    };
    let selectivity = match predicate.wrapped {
        None => selectivity::of(predicate, table, column),
        Some(_) => None,
    };
    Some(Part { key, selectivity, single })
}

/// Types without a B-tree operator class, or whose B-tree order serves no query in practice
/// (<https://www.postgresql.org/docs/current/indexes-opclass.html>).
fn sorts(column: &Column) -> bool {
    /// A B-tree entry holds at most a third of a page, about 2,700 bytes.
    const TOO_WIDE: u32 = 1000;
    let base = column.type_name.split(['(', ' ']).next().unwrap_or("");
    let never = [
        "json",
        "jsonb",
        "xml",
        "point",
        "line",
        "lseg",
        "box",
        "path",
        "polygon",
        "circle",
        "tsvector",
        "tsquery",
        "hstore",
        "geometry",
        "geography",
        "vector",
        "xid",
        "cid",
    ];
    !never.contains(&base)
        && !column.type_name.ends_with("[]")
        && column.statistics.as_ref().is_none_or(|statistics| statistics.average_width < TOO_WIDE)
}
