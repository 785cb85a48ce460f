//! Answers worth keeping: the same query with the same values, many times a minute, slow each time, and
//! nothing wrote to its tables.
//!
//! Left alone: FOR UPDATE, the catalog, and functions whose answer changes; how the workload finds the
//! candidates stands in `workload::cache`.

use super::{Report, WorkloadFacts, words};
use crate::{
    finding::{Confidence, Finding},
    rules::Rule,
};

pub(super) fn detect(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    for found in facts.workload.cache_candidates() {
        let each = found.total_us as f64 / 1000.0 / found.calls.max(1) as f64;
        let again = found.calls.saturating_sub(found.first_calls);
        report.findings.push(Finding {
            query: Some(found.query.to_string()),
            because: format!(
                "asked with the same values up to {} times a minute, {} each, while no statement wrote to {}: {} of {} gave what was known, in {}",
                words::count(found.most as f64),
                words::milliseconds(each),
                words::list(&found.tables),
                words::count(again as f64),
                words::counted(found.calls as f64, "call"),
                words::counted(found.minutes as f64, "minute"),
            ),
            cost_ms: each * again as f64,
            ..super::blank(rule, Confidence::Measured)
        });
    }
}
