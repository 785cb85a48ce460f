//! Reads that wait for each other without need: one after the other in a unit of work, though none needs
//! what another one returned, as far as a log can show.
//!
//! A value that came out of one read and goes into the next is not to be seen in a log. So only reads count
//! whose values were there before: they have none, the same ones in every unit, or those that the first
//! statement of the unit already had. Left alone: what runs more than once in a unit (that is a loop), row
//! locks, system catalogs, what stands behind a write, and units that are spread over several sessions.

use std::collections::BTreeMap;

use serde_json::{Map, json};

use super::{
    Report, WorkloadFacts, reads_system,
    repeated::{evidence, tables, unit_words},
    words,
};
use crate::{
    finding::{Confidence, Finding},
    rules::Rule,
    sql::{Fingerprint, StatementKind},
    workload::{Evidence, Outline, OutlineStep},
};

/// What was seen of one sequence of reads.
#[derive(Default)]
struct Sequence {
    units: BTreeMap<Evidence, u64>,
    /// Microseconds of each read over all units.
    totals: Vec<u64>,
}

pub(super) fn detect(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    let mut sequences: BTreeMap<Vec<Fingerprint>, Sequence> = BTreeMap::new();
    for outline in facts.workload.outlines() {
        for run in runs(facts, outline) {
            if (run.len() as f64) < rule.param("statements") {
                continue;
            }
            let ids: Vec<Fingerprint> = run.iter().map(|step| step.query).collect();
            let sequence = sequences.entry(ids).or_default();
            for (evidence, units) in &outline.units_by_evidence {
                *sequence.units.entry(*evidence).or_default() += units;
            }
            sequence.totals.resize(run.len(), 0);
            for (total, step) in sequence.totals.iter_mut().zip(&run) {
                *total += step.total_us;
            }
        }
    }
    let mut ranked: Vec<(Vec<Fingerprint>, Sequence)> = sequences.into_iter().collect();
    ranked.sort_by_key(|(_, sequence)| std::cmp::Reverse(sequence.saved_us()));
    // Requests that do more or less of the same are one waterfall.
    let mut told: Vec<Fingerprint> = Vec::new();
    for (ids, sequence) in ranked {
        let units: u64 = sequence.units.values().sum();
        let saved = sequence.saved_us() as f64 / 1000.0 / units.max(1) as f64;
        let enough = units as f64 >= rule.param("units") && saved >= rule.param("saved");
        if !enough || ids.iter().any(|id| told.contains(id)) {
            continue;
        }
        told.extend(&ids);
        report.findings.extend(finding(rule, facts, &ids, &sequence, saved));
    }
}

impl Sequence {
    /// What all reads take beyond the longest of them.
    fn saved_us(&self) -> u64 {
        self.totals.iter().sum::<u64>() - self.totals.iter().max().copied().unwrap_or(0)
    }
}

fn finding(
    rule: &Rule,
    facts: &WorkloadFacts<'_>,
    ids: &[Fingerprint],
    sequence: &Sequence,
    saved: f64,
) -> Option<Finding> {
    let units: u64 = sequence.units.values().sum();
    let strongest = sequence.units.keys().next().copied()?;
    let mut named: Vec<String> =
        ids.iter().filter_map(|id| facts.shapes.get(id)?.blocks.first().map(tables)).collect();
    named.dedup();
    let because = format!(
        "{} reads wait for each other though none is seen to need another: {} ({} of {} a unit of work would be \
         saved, in {}; {})",
        ids.len(),
        words::list(&named),
        words::milliseconds(saved),
        words::milliseconds(sequence.totals.iter().sum::<u64>() as f64 / 1000.0 / units.max(1) as f64),
        unit_words(&sequence.units),
        evidence(strongest),
    );
    let mut detail = Map::new();
    let queries: Vec<String> = ids.iter().map(ToString::to_string).collect();
    detail.insert("queries".to_owned(), json!(queries));
    detail.insert("units".to_owned(), json!(units));
    detail.insert("evidence".to_owned(), json!(strongest));
    detail.insert("saved_ms".to_owned(), json!(sequence.saved_us() as f64 / 1000.0));
    detail.insert("round_trips_saved".to_owned(), json!((ids.len() as u64 - 1) * units));
    Some(Finding {
        query: queries.into_iter().next(),
        because,
        cost_ms: sequence.saved_us() as f64 / 1000.0,
        detail,
        ..super::blank(rule, Confidence::Measured)
    })
}

/// Stretches of reads that could run side by side.
fn runs<'a>(facts: &WorkloadFacts<'_>, outline: &'a Outline) -> Vec<Vec<&'a OutlineStep>> {
    let mut runs: Vec<Vec<&OutlineStep>> = Vec::new();
    if !outline.one_session {
        return runs;
    }
    let units = outline.units();
    let first = outline.steps.iter().position(|step| is_read(step.kind));
    let mut fresh = true;
    for (at, step) in outline.steps.iter().enumerate() {
        if !is_read(step.kind) {
            fresh = true;
            continue;
        }
        let known_before = step.size == 0
            || step.constant.is_some()
            || Some(at) == first
            || step.like.map(usize::from) == first && first.is_some();
        let plain = facts.shapes.get(&step.query).is_some_and(|shape| {
            shape.reads_only()
                && shape.blocks.iter().any(|block| !tables(block).is_empty())
                && !shape.blocks.iter().any(reads_system)
        });
        if step.runs != units || !known_before || !plain {
            continue;
        }
        match runs.last_mut().filter(|_| !fresh) {
            Some(run) => run.push(step),
            None => runs.push(vec![step]),
        }
        fresh = false;
    }
    runs
}

fn is_read(kind: StatementKind) -> bool {
    matches!(kind, StatementKind::Select | StatementKind::With)
}
