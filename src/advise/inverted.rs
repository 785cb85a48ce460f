//! Conditions that no B-tree serves, and the index that does: GIN for documents, arrays, full text and
//! patterns with a leading wildcard, `GiST` for ranges.
//!
//! Operator classes: <https://www.postgresql.org/docs/current/gin.html#GIN-BUILTIN-OPCLASSES>, `pg_trgm`:
//! <https://www.postgresql.org/docs/current/pgtrgm.html#PGTRGM-INDEX>.

use super::{expressions, patterns};
use crate::{
    catalog::{Column, IndexKey, KeyExpr, Table},
    sql::shape::{Op, Predicate},
};

/// An index on one key of another kind than a B-tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Inverted {
    pub(super) method: &'static str,
    pub(super) key: IndexKey,
}

/// The extension that an operator class comes with.
pub(super) fn extension(opclass: &str) -> Option<&'static str> {
    (opclass == "gin_trgm_ops").then_some("pg_trgm")
}

/// The index that serves a predicate, if one of these kinds does.
pub(super) fn serving(predicate: &Predicate, table: &Table) -> Option<Inverted> {
    let column = table.column(&predicate.column.name)?;
    let (method, opclass) = match predicate.op {
        Op::Like | Op::ILike | Op::Regex => ("gin", Some(trigrams(predicate, column)?)),
        Op::Matches => return full_text(predicate, table, column),
        Op::Contains | Op::HasKey
            if predicate.wrapped.as_ref().is_some_and(|text| expressions::gives_document(text, column)) =>
        {
            by_type(predicate.op, column)?
        }
        _ if predicate.wrapped.is_some() => return None,
        Op::Contains | Op::HasKey | Op::Overlaps => by_type(predicate.op, column)?,
        _ => return None,
    };
    let expr = match &predicate.wrapped {
        None => KeyExpr::Column(column.name.clone()),
        Some(text) => KeyExpr::Expression(expressions::indexable(text, table)?),
    };
    Some(Inverted { method, key: key(expr, opclass) })
}

fn key(expr: KeyExpr, opclass: Option<&'static str>) -> IndexKey {
    IndexKey { expr, desc: false, nulls_first: false, opclass: opclass.map(str::to_owned) }
}

/// `@>`, `?` and `&&` by the column's type. `jsonb_path_ops` is smaller and quicker than the default
/// class, and knows `@>` alone.
fn by_type(op: Op, column: &Column) -> Option<(&'static str, Option<&'static str>)> {
    let name = column.type_name.as_str();
    if name == "jsonb" {
        return match op {
            Op::Contains => Some(("gin", Some("jsonb_path_ops"))),
            Op::HasKey => Some(("gin", None)),
            _ => None,
        };
    }
    if name.ends_with("[]") {
        return matches!(op, Op::Contains | Op::Overlaps).then_some(("gin", None));
    }
    let is_range = name.ends_with("range") && !name.ends_with("multirange");
    (is_range && matches!(op, Op::Contains | Op::Overlaps)).then_some(("gist", None))
}

/// `tsv @@ query`, and `to_tsvector('english', body) @@ query`: only the form with a constant
/// configuration is immutable.
fn full_text(predicate: &Predicate, table: &Table, column: &Column) -> Option<Inverted> {
    let expr = match &predicate.wrapped {
        None if column.type_name == "tsvector" => KeyExpr::Column(column.name.clone()),
        Some(text) => KeyExpr::Expression(expressions::text_vector(text, table)?),
        None => return None,
    };
    Some(Inverted { method: "gin", key: key(expr, None) })
}

/// Trigrams serve a pattern that holds three characters in a row.
fn trigrams(predicate: &Predicate, column: &Column) -> Option<&'static str> {
    let base = column.type_name.split('(').next().unwrap_or("");
    if !matches!(base, "text" | "character varying" | "citext") || base == "citext" {
        return None;
    }
    // A LIKE that begins with text is a B-tree's.
    let prefix = predicate.op == Op::Like && patterns::begins_literally(&predicate.operand);
    (!prefix && patterns::has_trigrams(&predicate.operand, predicate.op)).then_some("gin_trgm_ops")
}
