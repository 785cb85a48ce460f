//! A value of another type, to which the column is cast without being asked: an index on it is then lost.
//!
//! PostgreSQL compares the integers with each other, the texts with each other and the times with each other
//! by the index's own operator family, so that those casts cost nothing
//! (<https://www.postgresql.org/docs/current/typeconv-oper.html>). What is left is an integer against numeric or
//! floating point, numeric against floating point, and character(n) against text.

use super::{Verdict, column_of, leading, push_sized, sized, tests};
use crate::{
    catalog::Column,
    detect::{Facts, Report},
    rules::Rule,
    sql::shape::{Op, Operand},
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    Numeric,
    Float,
    Text,
}

pub(in crate::detect) fn implicit_cast(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    for test in facts.shape.into_iter().flat_map(tests) {
        let predicate = test.predicate;
        let compared = matches!(predicate.op, Op::Eq | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq);
        let (Some(column), Operand::Constant(_) | Operand::Parameter(_)) =
            (column_of(facts, test), &predicate.operand)
        else {
            continue;
        };
        if !compared || predicate.wrapped.is_some() || test.optional {
            continue;
        }
        let Some(value) = value(&predicate.text, &predicate.operand) else { continue };
        let Some(to) = cast_to(column, value) else { continue };
        let Verdict::Scans { table, .. } = verdict(rule, facts, test) else { continue };
        let Some(index) = leading(table, &column.name) else { continue };
        let because = format!(
            "{} of {} is {} and is cast to {to} for this comparison: index {} cannot be used",
            column.name,
            sized(table),
            column.type_name,
            index.name
        );
        let instead = format!(
            "Give a value of the column's type: {} {} CAST(value AS {}).{}",
            column.name,
            sign(predicate.op),
            column.type_name,
            if value == Value::Text {
                ""
            } else {
                " Where it has decimals that matter, round it to the side that is meant."
            }
        );
        push_sized(rule, facts, report, test, because, instead);
    }
}

fn sign(op: Op) -> &'static str {
    match op {
        Op::Lt => "<",
        Op::LtEq => "<=",
        Op::Gt => ">",
        Op::GtEq => ">=",
        _ => "=",
    }
}

/// The index on the column is the very one that would be thought to serve it; another may still.
fn verdict<'a>(rule: &Rule, facts: &Facts<'a>, test: super::Test<'_>) -> Verdict<'a> {
    let Some(table) = facts.catalog.and_then(|catalog| catalog.table(test.table)) else {
        return Verdict::Unknown;
    };
    if table.rows.is_some_and(|rows| rows < rule.param("rows")) {
        return Verdict::Fine;
    }
    let others = test.shape.blocks[test.predicate.column.block].tests().any(|other| {
        other.column.table == test.predicate.column.table
            && other.column.name != test.predicate.column.name
            && other.op == Op::Eq
            && leading(table, &other.column.name).is_some()
    });
    if others { Verdict::Fine } else { Verdict::Scans { table, index: None } }
}

/// What the text says of the value's type; a quoted constant takes the column's.
fn value(text: &str, operand: &Operand) -> Option<Value> {
    let own = match operand {
        Operand::Constant(own) => own.as_str(),
        _ => "",
    };
    let digits = own.trim_start_matches(['-', '+']);
    if !digits.is_empty()
        && digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && digits.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte))
        && digits.contains(['.', 'e', 'E'])
    {
        return Some(Value::Numeric);
    }
    // The cast stands at the end of `column = $1::numeric`, with the column on the left.
    let (_, cast) = text.rsplit_once("::")?;
    let cast = cast.trim_end_matches(')').to_ascii_lowercase();
    match cast.split('(').next().unwrap_or_default().trim() {
        "numeric" | "decimal" => Some(Value::Numeric),
        "double precision" | "float" | "float8" | "real" | "float4" => Some(Value::Float),
        "text" | "varchar" | "character varying" => Some(Value::Text),
        _ => None,
    }
}

/// The type that PostgreSQL casts the column to, where it does.
fn cast_to(column: &Column, value: Value) -> Option<&'static str> {
    let own = column.type_name.split('(').next().unwrap_or_default().trim();
    match (own, value) {
        ("smallint" | "integer" | "bigint", Value::Numeric) => Some("numeric"),
        ("smallint" | "integer" | "bigint" | "numeric", Value::Float) => Some("double precision"),
        ("character" | "char" | "bpchar", Value::Text) => Some("text"),
        _ => None,
    }
}
