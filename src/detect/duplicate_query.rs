//! The same read with the same values, again and again in one unit of work.
//!
//! Left alone: statements on system catalogs or on no table, and queue polls (SKIP LOCKED), whose answer
//! is another each time.

use super::{
    Report, WorkloadFacts,
    look_alike::polls,
    reads_system,
    repeated::{evidence, finding, in_all, tables, times, unit_words},
};
use crate::{rules::Rule, workload::RepetitionKind};

pub(super) fn detect(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    for found in facts.repetitions.iter().filter(|found| found.kind == RepetitionKind::Duplicate) {
        let Some(shape) = facts.shapes.get(&found.child) else { continue };
        let Some(block) = shape.blocks.first() else { continue };
        if tables(block).is_empty() || polls(block) || shape.blocks.iter().any(reads_system) {
            continue;
        }
        let because = format!(
            "{} asked the same again: {} in {} ({}, {})",
            tables(block),
            times(found),
            unit_words(&found.units_by_evidence),
            in_all(facts, found),
            evidence(found.evidence),
        );
        report.findings.push(finding(rule, facts, found, because, rule.instead.trim().to_owned()));
    }
}
