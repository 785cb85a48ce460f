//! How many of a table's rows a condition leaves, read off the statistics.
//!
//! Rough on purpose: it orders columns and drops the hopeless ones; the planner has the last word.

use crate::{
    catalog::{Column, KeyExpr, Table},
    sql::shape::{Op, Operand, Predicate},
};

/// Equality with an unknown value: one of the distinct ones.
pub(super) fn of_any_value(table: &Table, column: &Column) -> Option<f64> {
    if table.unique_on(&[&column.name]) {
        return table.rows.map(|rows| 1.0 / rows.max(1.0));
    }
    if column.type_name == "boolean" && column.statistics.is_none() {
        return Some(0.5);
    }
    let statistics = column.statistics.as_ref()?;
    (statistics.distinct > 0.0).then(|| (1.0 - statistics.null_fraction) / statistics.distinct.max(1.0))
}

/// How often a condition's value is seen, where it is one of the common ones.
pub(super) fn of_common(predicate: &Predicate, column: &Column) -> Option<f64> {
    let value = match (predicate.op, &predicate.operand) {
        (Op::IsTrue, _) => "t".to_owned(),
        (Op::IsFalse, _) => "f".to_owned(),
        (_, Operand::Constant(text)) => literal(text)?,
        _ => return None,
    };
    let common = &column.statistics.as_ref()?.common;
    common.iter().find(|(known, _)| *known == value).map(|(_, frequency)| *frequency)
}

/// What a predicate on the bare column leaves, 0 to 1; `None` where the statistics do not say.
pub(super) fn of(predicate: &Predicate, table: &Table, column: &Column) -> Option<f64> {
    let value = match (&predicate.op, &predicate.operand) {
        (Op::IsTrue, _) => Some("t".to_owned()),
        (Op::IsFalse, _) => Some("f".to_owned()),
        (_, Operand::Constant(text)) => literal(text),
        _ => None,
    };
    let each = match &value {
        Some(value) => of_value(column, value).or_else(|| of_any_value(table, column)),
        None => of_any_value(table, column),
    };
    match predicate.op {
        Op::Eq | Op::IsTrue | Op::IsFalse => each,
        Op::In => {
            let len = if let Operand::List { len } = predicate.operand { len } else { 1 };
            each.map(|each| (each * len as f64).min(1.0))
        }
        Op::Lt | Op::LtEq | Op::Gt | Op::GtEq => {
            value.and_then(|value| of_range(column, predicate.op, &value))
        }
        // `DEFAULT_RANGE_INEQ_SEL` of `selfuncs.h`, and about what a prefix of a few letters leaves.
        Op::Between | Op::Like => Some(0.005),
        _ => None,
    }
}

/// Equality with this value: its frequency where it is a common one, else its share of what is left.
fn of_value(column: &Column, value: &str) -> Option<f64> {
    let statistics = column.statistics.as_ref()?;
    if statistics.common.is_empty() {
        return None;
    }
    if let Some((_, frequency)) = statistics.common.iter().find(|(common, _)| common == value) {
        return Some(*frequency);
    }
    let common: f64 = statistics.common.iter().map(|(_, frequency)| frequency).sum();
    let rest = (1.0 - common - statistics.null_fraction).max(0.0);
    Some(rest / (statistics.distinct - statistics.common.len() as f64).max(1.0))
}

/// Where a number stands among the histogram's bounds; other types sort by rules that we do not know.
fn of_range(column: &Column, op: Op, value: &str) -> Option<f64> {
    let value: f64 = value.parse().ok()?;
    let bounds: Vec<f64> =
        column.statistics.as_ref()?.histogram.iter().map_while(|bound| bound.parse().ok()).collect();
    if bounds.len() < 2 {
        return None;
    }
    let below = bounds.iter().filter(|&&bound| bound < value).count() as f64 / bounds.len() as f64;
    Some(if matches!(op, Op::Lt | Op::LtEq) { below } else { 1.0 - below })
}

/// The value of a constant as `pg_stats` prints it: `'paid'::text` → `paid`, `true` → `t`.
fn literal(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('\'') {
        let mut value = String::new();
        let mut chars = rest.chars().peekable();
        while let Some(char) = chars.next() {
            match char {
                '\'' if chars.peek() == Some(&'\'') => {
                    chars.next();
                    value.push('\'');
                }
                '\'' => return Some(value),
                other => value.push(other),
            }
        }
        return None;
    }
    match text.to_ascii_lowercase().as_str() {
        "true" => Some("t".to_owned()),
        "false" => Some("f".to_owned()),
        number if number.parse::<f64>().is_ok() => Some(number.to_owned()),
        _ => None,
    }
}

/// The operator class with which a B-tree serves LIKE 'x%' in a collation other than C: a plain index
/// sorts by the language's rules, which LIKE does not follow
/// (<https://www.postgresql.org/docs/current/indexes-opclass.html>). `None` for types without one.
pub(super) fn pattern_opclass(column: &Column, key: &KeyExpr) -> Option<&'static str> {
    let base = column.type_name.split('(').next().unwrap_or("");
    match (key, base) {
        (KeyExpr::Expression(_), _) | (_, "text") => Some("text_pattern_ops"),
        (_, "character varying") => Some("varchar_pattern_ops"),
        (_, "character" | "bpchar") => Some("bpchar_pattern_ops"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read_as_statistics_print_them() {
        for (text, value) in [
            ("'paid'::text", Some("paid")),
            ("'it''s'", Some("it's")),
            ("TRUE", Some("t")),
            ("-7", Some("-7")),
            ("now()", None),
            ("'cut", None),
        ] {
            assert_eq!(literal(text).as_deref(), value, "{text}");
        }
    }
}
