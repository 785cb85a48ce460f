//! Rows written one at a time: INSERT, UPDATE and DELETE loops, each with the statement that does it at once.
//!
//! Left alone: inserts of many rows each, which are batches already.

use serde_json::json;

use super::{
    Report, WorkloadFacts,
    repeated::{evidence, finding, in_all, times, unit_words},
    rewrite,
};
use crate::{
    names::quote_ident,
    rules::Rule,
    sql::{
        Shape, StatementKind,
        shape::{Op, Operand, Predicate, TableSource, Target},
    },
    workload::RepetitionKind,
};

/// What a loop does to its table.
#[derive(Clone, Copy)]
enum Write {
    Insert,
    Update,
    Delete,
}

pub(super) fn detect(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    for found in facts.repetitions.iter().filter(|found| found.kind == RepetitionKind::WriteLoop) {
        let Some(shape) = facts.shapes.get(&found.child) else { continue };
        let Some(target) = &shape.target else { continue };
        if target.rows.is_some_and(|rows| rows > 1) {
            continue;
        }
        let (write, name, done) = match shape.kind {
            StatementKind::Insert => (Write::Insert, "insert", "inserted"),
            StatementKind::Update => (Write::Update, "update", "updated"),
            StatementKind::Delete => (Write::Delete, "delete", "deleted"),
            _ => continue,
        };
        let because = format!(
            "{} {done} one row at a time: {} in {} ({}, {})",
            target.table.plain(),
            times(found),
            unit_words(&found.units_by_evidence),
            in_all(facts, found),
            evidence(found.evidence),
        );
        let mut finding = finding(rule, facts, found, because, at_once(write, shape, target));
        finding.detail.insert("write".to_owned(), json!(name));
        report.findings.push(finding);
    }
}

/// The one statement, with an array for each column; a sentence where the Shape does not hold enough.
fn at_once(write: Write, shape: &Shape, target: &Target) -> String {
    let table = &target.table;
    let arrays = |count: usize| (1..=count).map(|at| format!("${at}")).collect::<Vec<String>>().join(", ");
    let columns: Vec<String> = target.columns.iter().map(|column| quote_ident(column)).collect();
    match write {
        Write::Insert => {
            let conflict = if target.on_conflict { " ON CONFLICT …, as before" } else { "" };
            let one = if columns.is_empty() {
                format!("INSERT INTO {table} VALUES (…), (…), …{conflict}")
            } else {
                format!(
                    "INSERT INTO {table} ({}) SELECT * FROM unnest({}){conflict}",
                    columns.join(", "),
                    arrays(columns.len())
                )
            };
            let many = if target.on_conflict || target.returning {
                "For thousands of rows: COPY them into a temporary table, and insert from there."
            } else {
                "For thousands of rows: COPY."
            };
            format!("{one}\n\n{many}")
        }
        Write::Update => match key(shape).filter(|_| !columns.is_empty()) {
            Some(key) if !target.columns.contains(&key.column.name) => {
                let key = quote_ident(&key.column.name);
                // What each column is set to is not in the Shape: the value itself, or made from the old one.
                let sets: Vec<String> = columns.iter().map(|column| format!("{column} = …")).collect();
                format!(
                    "UPDATE {table} SET {} FROM unnest({}) AS v({key}, {}) WHERE {table}.{key} = v.{key}\n\n\
                     Where every row is set alike, WHERE {key} = ANY($1) is enough.",
                    sets.join(", "),
                    arrays(columns.len() + 1),
                    columns.join(", ")
                )
            }
            _ => format!(
                "One statement for all rows: UPDATE {table} SET … FROM unnest($1, $2) AS v(…) WHERE …"
            ),
        },
        Write::Delete => match key(shape).zip(shape.blocks.first()) {
            Some((key, block)) => {
                format!("DELETE FROM {table} WHERE {} = ANY($1)", rewrite::column(block, &key.column))
            }
            None => format!("One statement for all rows: DELETE FROM {table} WHERE … = ANY($1)"),
        },
    }
}

/// The equality that picks the row, where it is the only condition.
fn key(shape: &Shape) -> Option<&Predicate> {
    let block = shape.blocks.first()?;
    let [_] = &block.conditions[..] else { return None };
    let picks = |test: &&Predicate| {
        matches!(
            (test.op, &test.operand),
            (Op::Eq, Operand::Parameter(_) | Operand::Constant(_))
                | (Op::In, Operand::List { .. } | Operand::Parameter(_))
        ) && test.wrapped.is_none()
    };
    let [table] = &block.tables[..] else { return None };
    matches!(table.source, TableSource::Table(_)).then(|| block.tests().find(picks)).flatten()
}
