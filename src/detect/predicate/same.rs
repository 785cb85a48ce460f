//! Conditions that say nothing, or never anything else: a column compared with itself, the same condition
//! twice, and a BETWEEN whose ends are exchanged.

use super::{push, tests};
use crate::{
    detect::{Facts, Report},
    rules::Rule,
    sql::shape::{Condition, Op, Operand},
};

pub(in crate::detect) fn itself(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    for test in facts.shape.into_iter().flat_map(tests) {
        let predicate = test.predicate;
        let Operand::Column(other) = &predicate.operand else { continue };
        if *other != predicate.column || predicate.wrapped.is_some() || predicate.column.table.is_none() {
            continue;
        }
        let column = &predicate.column.name;
        let (because, instead) = match predicate.op {
            Op::Eq | Op::LtEq | Op::GtEq => (
                format!(
                    "{column} is compared with itself: true for every row of {} but those where it is NULL",
                    test.table.plain()
                ),
                format!(
                    "Compare with the column that was meant, qualified by its table; or write {column} IS NOT NULL."
                ),
            ),
            Op::NotEq | Op::Lt | Op::Gt => (
                format!("{column} is compared with itself: never true"),
                "Compare with the column that was meant, qualified by its table.".to_owned(),
            ),
            _ => continue,
        };
        push(rule, facts, report, test, because, instead);
    }
}

pub(in crate::detect) fn duplicate(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for test in tests(shape) {
        // Equal constants are merged by the planner; anything else multiplies its estimate.
        let mergeable = test.predicate.op == Op::Eq && test.predicate.wrapped.is_none();
        if test.optional || mergeable || test.predicate.text.contains('?') {
            continue;
        }
        let same = |condition: &&Condition| match condition {
            Condition::Test(other) => {
                other.text == test.predicate.text
                    && other.at != test.predicate.at
                    && other.at.start < test.predicate.at.start
                    && other.column == test.predicate.column
                    && other.clause == test.predicate.clause
            }
            _ => false,
        };
        if shape.blocks[test.block].conditions.iter().any(|condition| same(&condition)) {
            let shown = test.predicate.wrapped.as_deref().unwrap_or(&test.predicate.column.name);
            let because = format!("the same test of {shown} stands twice");
            push(rule, facts, report, test, because, rule.instead.trim().to_owned());
        }
    }
}

pub(in crate::detect) fn reversed_between(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    for test in facts.shape.into_iter().flat_map(tests) {
        let (Op::Between, Operand::Constant(ends)) = (test.predicate.op, &test.predicate.operand) else {
            continue;
        };
        let symmetric = test.predicate.text.to_ascii_uppercase().contains("SYMMETRIC");
        let Some((low, high)) = ends.split_once(" AND ") else { continue };
        if symmetric || !is_after(low, high) {
            continue;
        }
        let column = &test.predicate.column.name;
        let because = format!("BETWEEN has the higher end first: no {column} is between them");
        let instead = format!(
            "{column} BETWEEN lower AND higher; or BETWEEN SYMMETRIC where they may come in either order."
        );
        push(rule, facts, report, test, because, instead);
    }
}

/// Numbers, or dates that ISO 8601 writes alike.
fn is_after(low: &str, high: &str) -> bool {
    if let (Ok(low), Ok(high)) = (low.parse::<f64>(), high.parse::<f64>()) {
        return low > high;
    }
    let date = |text: &str| {
        let text = text.trim_start_matches("DATE ").trim_start_matches("TIMESTAMP ").trim_matches('\'');
        let bytes = text.as_bytes();
        let digits = |range: std::ops::Range<usize>| bytes[range].iter().all(u8::is_ascii_digit);
        (bytes.len() >= 10
            && digits(0..4)
            && bytes[4] == b'-'
            && digits(5..7)
            && bytes[7] == b'-'
            && digits(8..10))
        .then(|| text.to_owned())
    };
    match (date(low), date(high)) {
        (Some(low), Some(high)) => low.len() == high.len() && low.len() <= 10 && low > high,
        _ => false,
    }
}
