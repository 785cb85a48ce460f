//! A look-up by key, and an INSERT into the same table when nothing was found: two round trips, and a race
//! between them, where one INSERT … ON CONFLICT does both.
//!
//! Seen is a read that picks rows by equality alone, followed in the same unit of work by an INSERT that
//! names all the columns compared. Left alone: look-ups that sort, group, join or lock, inserts of many rows
//! or with ON CONFLICT, and inserts that stand farther away than one other statement.

use std::collections::BTreeMap;

use serde_json::{Map, json};

use super::{
    Report, WorkloadFacts,
    repeated::{evidence, units},
    words,
};
use crate::{
    catalog::Catalog,
    finding::{Confidence, Finding},
    names::quote_ident,
    rules::Rule,
    sql::{
        Fingerprint, Shape, StatementKind,
        shape::{Op, Operand, TableSource},
    },
    workload::Evidence,
};

/// Statements from the look-up to its insert, at most.
const NEAR: usize = 2;

/// What was seen of one look-up and its insert.
#[derive(Default)]
struct Pair {
    units: BTreeMap<Evidence, u64>,
    lookups: u64,
    inserts: u64,
    /// Microseconds of the look-ups.
    total_us: u64,
}

pub(super) fn detect(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    let mut pairs: BTreeMap<(Fingerprint, Fingerprint), Pair> = BTreeMap::new();
    for outline in facts.workload.outlines() {
        for (at, insert) in outline.steps.iter().enumerate() {
            if insert.kind != StatementKind::Insert {
                continue;
            }
            let Some(target) = facts.shapes.get(&insert.query) else { continue };
            let before = &outline.steps[at.saturating_sub(NEAR)..at];
            let lookup = before.iter().rev().find(|step| {
                step.runs >= insert.runs
                    && facts.shapes.get(&step.query).is_some_and(|shape| keys(shape, target).is_some())
            });
            let Some(lookup) = lookup else { continue };
            let pair = pairs.entry((lookup.query, insert.query)).or_default();
            for (evidence, units) in &outline.units_by_evidence {
                *pair.units.entry(*evidence).or_default() += units;
            }
            pair.lookups += lookup.runs;
            pair.inserts += insert.runs;
            pair.total_us += lookup.total_us;
        }
    }
    for ((lookup, insert), pair) in pairs {
        let seen: u64 = pair.units.values().sum();
        if (seen as f64) < rule.param("units") || (pair.inserts as f64) < rule.param("inserts") {
            continue;
        }
        report.findings.extend(finding(rule, facts, lookup, insert, &pair));
    }
}

fn finding(
    rule: &Rule,
    facts: &WorkloadFacts<'_>,
    lookup: Fingerprint,
    insert: Fingerprint,
    pair: &Pair,
) -> Option<Finding> {
    let target = facts.shapes.get(&insert)?;
    let keys = keys(facts.shapes.get(&lookup)?, target)?;
    let table = &target.target.as_ref()?.table;
    let seen: u64 = pair.units.values().sum();
    let strongest = pair.units.keys().next().copied()?;
    let because = format!(
        "{} looked up by {}, then inserted into: {} in {} ({} for the look-ups, {})",
        table.plain(),
        words::list(&keys),
        words::counted(pair.inserts as f64, "time"),
        units(&pair.units),
        words::milliseconds(pair.total_us as f64 / 1000.0),
        evidence(strongest),
    );
    let mut detail = Map::new();
    detail.insert("lookup".to_owned(), json!(lookup.to_string()));
    detail.insert("insert".to_owned(), json!(insert.to_string()));
    detail.insert("keys".to_owned(), json!(keys));
    detail.insert("units".to_owned(), json!(seen));
    detail.insert("evidence".to_owned(), json!(strongest));
    detail.insert("lookups".to_owned(), json!(pair.lookups));
    detail.insert("inserts".to_owned(), json!(pair.inserts));
    detail.insert("round_trips_saved".to_owned(), json!(pair.inserts));
    Some(Finding {
        query: Some(insert.to_string()),
        at: facts.workload.query(insert).and_then(|query| query.statements.iter().min().cloned()),
        because,
        instead: upsert(target, &keys, facts.catalog)?,
        cost_ms: pair.total_us as f64 / 1000.0,
        detail,
        ..super::blank(rule, Confidence::Measured)
    })
}

/// The columns that the look-up compares, if it looks up what the insert then makes.
fn keys(lookup: &Shape, insert: &Shape) -> Option<Vec<String>> {
    let target = insert.target.as_ref()?;
    let [block] = &lookup.blocks[..] else { return None };
    let [table] = &block.tables[..] else { return None };
    let plain = lookup.reads_only()
        && block.order_by.is_empty()
        && block.group_by.is_empty()
        && !block.aggregates
        && block.offset.is_none()
        && !block.windows;
    let same = matches!(&table.source, TableSource::Table(name) if name.name == target.table.name
        && (name.schema.is_none() || target.table.schema.is_none() || name.schema == target.table.schema));
    if !plain || !same || target.on_conflict || target.rows.is_some_and(|rows| rows > 1) {
        return None;
    }
    let tests: Vec<&crate::sql::shape::Predicate> = block.tests().collect();
    if tests.is_empty() || tests.len() != block.conditions.len() {
        return None;
    }
    let mut keys = Vec::new();
    for test in tests {
        let equal = test.op == Op::Eq && matches!(test.operand, Operand::Parameter(_) | Operand::Constant(_));
        if !equal || test.wrapped.is_some() || !target.columns.contains(&test.column.name) {
            return None;
        }
        keys.push(test.column.name.clone());
    }
    keys.sort();
    keys.dedup();
    Some(keys)
}

/// `INSERT INTO t (a, b) VALUES ($1, $2) ON CONFLICT (a) DO NOTHING`, and what it needs.
fn upsert(insert: &Shape, keys: &[String], catalog: Option<&Catalog>) -> Option<String> {
    let target = insert.target.as_ref()?;
    let quoted = |names: &[String]| names.iter().map(|name| quote_ident(name)).collect::<Vec<_>>().join(", ");
    let values: Vec<String> = (1..=target.columns.len()).map(|at| format!("${at}")).collect();
    let names: Vec<&str> = keys.iter().map(String::as_str).collect();
    let unique =
        catalog.and_then(|catalog| catalog.table(&target.table)).map(|table| table.unique_on(&names));
    let needs = match unique {
        Some(true) => "",
        Some(false) => {
            "\n\nIt needs a unique index on these columns, which is missing: so far two requests can insert the same row."
        }
        None => "\n\nIt needs a unique index on these columns.",
    };
    Some(format!(
        "INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO NOTHING RETURNING *\n\n\
         No row comes back when it was there: only then look it up.{needs}",
        target.table,
        quoted(&target.columns),
        values.join(", "),
        quoted(keys)
    ))
}
