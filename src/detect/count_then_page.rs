//! A count of all rows beside every page of them: the same FROM and WHERE, once for count(*) and once with
//! LIMIT, in one unit of work.
//!
//! Left alone: counts of other tables or with other conditions, pages of one row, and counts that cost less
//! than the rule's threshold.

use std::collections::BTreeMap;

use serde_json::{Map, json};

use super::{
    Report, WorkloadFacts,
    repeated::{evidence, units},
    words,
};
use crate::{
    finding::{Confidence, Finding},
    rules::Rule,
    sql::{
        Fingerprint, Shape,
        shape::{Block, Bound, Clause, Condition, JoinKind, Operand, Projected, TableSource},
    },
    workload::Evidence,
};

/// What was seen of one count and its page.
#[derive(Default)]
struct Pair {
    units: BTreeMap<Evidence, u64>,
    runs: u64,
    /// Microseconds of the counts.
    total_us: u64,
}

pub(super) fn detect(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    let mut pairs: BTreeMap<(Fingerprint, Fingerprint), Pair> = BTreeMap::new();
    for outline in facts.workload.outlines() {
        let shapes: Vec<Option<&Block>> = outline
            .steps
            .iter()
            .map(|step| facts.shapes.get(&step.query).filter(|shape| shape.reads_only())?.blocks.first())
            .collect();
        for (count, counted) in outline.steps.iter().zip(&shapes) {
            let shape = facts.shapes.get(&count.query);
            let Some(counted) = counted.and_then(|block| counts(shape?, block)) else { continue };
            let page = outline.steps.iter().zip(&shapes).find(|(page, block)| {
                page.query != count.query && block.is_some_and(|block| is_page_of(block, counted))
            });
            let Some((page, _)) = page else { continue };
            let pair = pairs.entry((count.query, page.query)).or_default();
            for (evidence, units) in &outline.units_by_evidence {
                *pair.units.entry(*evidence).or_default() += units;
            }
            pair.runs += count.runs;
            pair.total_us += count.total_us;
        }
    }
    for ((count, page), pair) in pairs {
        let seen: u64 = pair.units.values().sum();
        let mean = pair.total_us as f64 / 1000.0 / pair.runs.max(1) as f64;
        if (seen as f64) < rule.param("units") || mean < rule.param("mean") {
            continue;
        }
        let Some(strongest) = pair.units.keys().next().copied() else { continue };
        let Some(block) = facts.shapes.get(&page).and_then(|shape| shape.blocks.first()) else { continue };
        let because = format!(
            "{} counted for every page of it: {} each, {} in {} ({})",
            first_table(block).unwrap_or_default(),
            words::milliseconds(mean),
            words::counted(pair.runs as f64, "time"),
            units(&pair.units),
            evidence(strongest),
        );
        let mut detail = Map::new();
        detail.insert("count".to_owned(), json!(count.to_string()));
        detail.insert("page".to_owned(), json!(page.to_string()));
        detail.insert("units".to_owned(), json!(seen));
        detail.insert("evidence".to_owned(), json!(strongest));
        detail.insert("round_trips_saved".to_owned(), json!(pair.runs));
        report.findings.push(Finding {
            query: Some(count.to_string()),
            at: facts.workload.query(count).and_then(|query| query.statements.iter().min().cloned()),
            because,
            cost_ms: pair.total_us as f64 / 1000.0,
            detail,
            ..super::blank(rule, Confidence::Measured)
        });
    }
}

/// The block whose rows a statement counts: its own, or the one subquery that it counts.
fn counts<'a>(shape: &'a Shape, block: &'a Block) -> Option<&'a Block> {
    let [Projected::Expression { text, aggregate: true, .. }] = &block.projection[..] else { return None };
    let counts = text.to_ascii_lowercase().starts_with("count(");
    if !counts || !block.group_by.is_empty() || block.having {
        return None;
    }
    match &block.tables[..] {
        [table] if block.conditions.is_empty() => match table.source {
            TableSource::Derived(inner) => shape.blocks.get(inner),
            _ => Some(block),
        },
        _ => Some(block),
    }
}

/// Whether a block reads a page of exactly the rows that the other one counts.
fn is_page_of(page: &Block, counted: &Block) -> bool {
    let some = page.limit.is_some() && page.limit != Some(Bound::Number(1)) && !page.aggregates;
    some && first_table(page).is_some()
        && first_table(page) == first_table(counted)
        && narrowing(page) == narrowing(counted)
}

fn first_table(block: &Block) -> Option<String> {
    match &block.tables.first()?.source {
        TableSource::Table(name) => Some(name.plain()),
        _ => None,
    }
}

/// What decides on the number of rows, values left out: inner joins and the conditions of WHERE. A LEFT
/// JOIN that only adds columns is commonly left out of the count.
fn narrowing(block: &Block) -> Vec<String> {
    let name = |at: Option<usize>| {
        at.and_then(|at| block.tables.get(at)).map_or_else(String::new, |table| match &table.source {
            TableSource::Table(name) => name.plain(),
            _ => String::new(),
        })
    };
    let mut all: Vec<String> = block
        .tables
        .iter()
        .enumerate()
        .filter(|(_, table)| table.join != JoinKind::Left)
        .map(|(at, _)| name(Some(at)))
        .collect();
    for condition in &block.conditions {
        match condition {
            Condition::Test(test) => {
                let outer = matches!(test.clause, Clause::On(at)
                    if block.tables.get(at).is_some_and(|table| table.join == JoinKind::Left));
                if outer {
                    continue;
                }
                let column = test.wrapped.clone().unwrap_or_else(|| test.column.name.clone());
                let other = match &test.operand {
                    Operand::Column(other) => format!("{}.{}", name(other.table), other.name),
                    Operand::Parameter(_) | Operand::Constant(_) => "value".to_owned(),
                    Operand::List { .. } => "list".to_owned(),
                    _ => String::new(),
                };
                // One table more or less does not change what an unqualified column belongs to.
                let table = test.column.table.map_or_else(|| name(Some(0)), |at| name(Some(at)));
                all.push(format!("{table}.{column} {:?} {other}", test.op));
            }
            Condition::Any(parts) | Condition::All(parts) => all.push(format!("any of {}", parts.len())),
            Condition::Opaque { text, .. } => {
                all.push(text.chars().filter(|c| !c.is_ascii_digit()).collect());
            }
        }
    }
    all.sort();
    all
}
