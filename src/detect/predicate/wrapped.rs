//! A column inside of an expression: an index on the column cannot be entered with it.
//!
//! Where an index on the very expression is the cure (`lower(email)`), `missing-index` proposes it once
//! a catalog is there; without one, a note does. Where the test can be turned so that the column stands
//! alone, that is said instead. Left alone: joins, expressions of several columns, functions that we do
//! not know, casts that change nothing, and remainders (`id % 8 = 3`), which no index narrows well.

use super::{
    Test, Verdict,
    advice::{function as advice, moved},
    column_of, judge, push_sized, sized, tests, with_a_value,
};
use crate::{
    catalog::Column,
    detect::{Facts, Report},
    rules::Rule,
    sql::{
        form::{Form, form},
        shape::{Op, Operand, Predicate},
    },
};

/// Of a time, or rounding: ranges of the bare column say the same.
const RANGES: &[&str] = &[
    "age",
    "ceil",
    "ceiling",
    "date",
    "date_part",
    "date_trunc",
    "extract",
    "floor",
    "round",
    "to_char",
    "trunc",
];

/// An index on the call serves it.
const INDEXED: &[&str] = &[
    "abs",
    "btrim",
    "char_length",
    "left",
    "length",
    "lower",
    "ltrim",
    "md5",
    "replace",
    "reverse",
    "right",
    "rtrim",
    "substr",
    "substring",
    "trim",
    "upper",
];

/// A test with a value, its expression and the form of that.
fn wrapped(shape: &crate::sql::Shape) -> impl Iterator<Item = (Test<'_>, &str, Form)> {
    tests(shape).into_iter().filter(|test| !test.optional).filter_map(|test| {
        let (expr, form) = form_of(test.predicate)?;
        Some((test, expr, form))
    })
}

fn form_of(predicate: &Predicate) -> Option<(&str, Form)> {
    let expr = predicate.wrapped.as_deref()?;
    let compared =
        matches!(predicate.op, Op::Eq | Op::In | Op::Lt | Op::LtEq | Op::Gt | Op::GtEq | Op::Between)
            || predicate.op == Op::Like && matches!(predicate.operand, Operand::Constant(_));
    (compared && with_a_value(predicate)).then_some((expr, form(expr, &predicate.column.name)?))
}

/// Whether one of these rules says how to free the column, so that an index on the expression is not
/// the first thing to think of.
pub(in crate::detect) fn hides_its_column(predicate: &Predicate, column: Option<&Column>) -> bool {
    match form_of(predicate) {
        Some((_, Form::Call(name))) => RANGES.contains(&name.as_str()) || is_default(&name),
        Some((_, Form::Cast(to))) => column.is_some_and(|column| converts(column, &to)),
        Some((_, Form::Arithmetic { .. })) => column.is_some_and(calculates),
        Some((_, Form::Zone | Form::Json)) => true,
        Some((_, Form::Other)) | None => false,
    }
}

fn is_default(name: &str) -> bool {
    name == "coalesce"
}

pub(in crate::detect) fn function(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    for (test, expr, form) in facts.shape.into_iter().flat_map(wrapped) {
        let Form::Call(name) = form else { continue };
        let column = &test.predicate.column.name;
        let ranges = RANGES.contains(&name.as_str());
        if !ranges && !INDEXED.contains(&name.as_str()) {
            continue;
        }
        // `date(day)` and `lower(code)` keep what is one already.
        if name == "date" && column_of(facts, test).is_some_and(|column| column.type_name == "date") {
            continue;
        }
        match judge(rule, facts, test) {
            Verdict::Scans { .. } if !ranges => {}
            verdict => say(rule, facts, report, test, expr, &verdict, &advice(&name, column, expr, test)),
        }
    }
}

pub(in crate::detect) fn cast(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    for (test, expr, form) in facts.shape.into_iter().flat_map(wrapped) {
        let Form::Cast(to) = form else { continue };
        let base = base_type(&to);
        let known = column_of(facts, test);
        match known {
            Some(column) if !converts(column, &to) => continue,
            // Without the column's type: most casts to text change nothing.
            None if is_text(base) => continue,
            _ => {}
        }
        let column = &test.predicate.column.name;
        let instead = if base == "date" {
            format!(
                "Compare {column} with the ends of the day: {column} >= day AND {column} < day + 1. Where {column} is a \
                 timestamptz, this needs no cast of it, while an index on the cast is not even possible: the day \
                 depends on the time zone of the session."
            )
        } else {
            let own = known.map_or("its type", |column| column.type_name.as_str());
            format!("Leave {column} as it is and cast the value to {own}: {column} = CAST(value AS {own}).")
        };
        let verdict = judge(rule, facts, test);
        say(rule, facts, report, test, expr, &verdict, &instead);
    }
}

/// Whether a cast of the column makes another value of it. Text types share their representation, and an
/// index on one serves the other, but for `character(n)`.
fn converts(column: &Column, to: &str) -> bool {
    let own = base_type(&column.type_name);
    let to = base_type(to);
    own != to && !(is_text(own) && is_text(to) && !matches!(own, "character" | "char" | "bpchar"))
}

fn is_text(base: &str) -> bool {
    matches!(base, "text" | "varchar" | "character varying" | "character" | "char" | "bpchar")
}

/// A type without its length, by its short or long name.
fn base_type(name: &str) -> &str {
    let base = name.split('(').next().unwrap_or(name).trim();
    match base {
        "int" | "int4" => "integer",
        "int8" => "bigint",
        "int2" => "smallint",
        "bool" => "boolean",
        "decimal" => "numeric",
        "varchar" => "character varying",
        "timestamptz" => "timestamp with time zone",
        "timestamp" if name.ends_with("with time zone") => "timestamp with time zone",
        "timestamp" => "timestamp without time zone",
        other => other,
    }
}

pub(in crate::detect) fn arithmetic(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    for (test, expr, form) in facts.shape.into_iter().flat_map(wrapped) {
        let Form::Arithmetic { operator, .. } = form else { continue };
        if column_of(facts, test).is_some_and(|column| !calculates(column)) {
            continue;
        }
        let column = &test.predicate.column.name;
        let instead = match operator {
            _ if expr.contains("now()") || expr.contains("current_") => moved(column),
            '*' | '/' => format!(
                "Leave {column} alone and calculate on the other side. Integers are divided without a remainder: \
                 write {column} / 10 = n as {column} >= n * 10 AND {column} < (n + 1) * 10."
            ),
            _ if expr.contains("interval") => format!(
                "Leave {column} alone and move the interval to the other side. Months differ in length: with units of \
                 months, look at the last days of one."
            ),
            _ => format!(
                "Leave {column} alone and calculate on the other side: {column} = value - 1, not {column} + 1 = value."
            ),
        };
        let verdict = judge(rule, facts, test);
        say(rule, facts, report, test, expr, &verdict, &instead);
    }
}

/// Numbers and times, not documents, ranges or arrays.
fn calculates(column: &Column) -> bool {
    let base = base_type(&column.type_name);
    base.starts_with("timestamp")
        || base.starts_with("time")
        || matches!(
            base,
            "integer"
                | "bigint"
                | "smallint"
                | "numeric"
                | "real"
                | "double precision"
                | "date"
                | "interval"
                | "money"
        )
}

pub(in crate::detect) fn coalesce(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    for (test, expr, form) in facts.shape.into_iter().flat_map(wrapped) {
        if !matches!(form, Form::Call(name) if is_default(&name)) {
            continue;
        }
        let column = &test.predicate.column.name;
        let instead = if column_of(facts, test).is_some_and(|column| column.not_null) {
            format!("{column} is NOT NULL: compare it without COALESCE.")
        } else {
            format!(
                "Compare {column} itself. Where the default would pass the test, let NULL pass too: ({column} = value \
                 OR {column} IS NULL); where it would not, the test of {column} alone says the same."
            )
        };
        let verdict = judge(rule, facts, test);
        say(rule, facts, report, test, expr, &verdict, &instead);
    }
}

pub(in crate::detect) fn time_zone(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    for (test, expr, form) in facts.shape.into_iter().flat_map(wrapped) {
        if form != Form::Zone {
            continue;
        }
        let column = &test.predicate.column.name;
        let instead = format!(
            "Turn the value instead, once: {column} >= value AT TIME ZONE the same zone. Only in the hour that a change \
             from summer time repeats can the two differ."
        );
        let verdict = judge(rule, facts, test);
        say(rule, facts, report, test, expr, &verdict, &instead);
    }
}

fn say(
    rule: &Rule,
    facts: &Facts<'_>,
    report: &mut Report,
    test: Test<'_>,
    expr: &str,
    verdict: &Verdict<'_>,
    instead: &str,
) {
    let column = &test.predicate.column.name;
    match verdict {
        Verdict::Fine => {}
        Verdict::Unknown => {
            let because = format!(
                "an index on {column} of {} does not serve {expr} (without a schema: one on the expression may)",
                test.table.plain()
            );
            push_sized(rule, facts, report, test, because, instead.to_owned());
        }
        Verdict::Scans { table, index } => {
            let (because, more) = match index {
                Some(index) => (
                    format!("index {} on {column} of {} does not serve {expr}", index.name, sized(table)),
                    String::new(),
                ),
                None => (
                    format!("no index of {} serves {expr}", sized(table)),
                    format!(" Then CREATE INDEX CONCURRENTLY ON {} ({column}).", table.name.plain()),
                ),
            };
            push_sized(rule, facts, report, test, because, format!("{instead}{more}"));
        }
    }
}
