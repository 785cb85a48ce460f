//! Round trips that carry no work: transactions around one read, pings, and settings sent at every checkout
//! of a pool.
//!
//! Left alone: what is less than the rule's share of all executions.

use super::{Report, WorkloadFacts, words};
use crate::{
    finding::{Confidence, Finding},
    rules::Rule,
    workload::Chatter,
};

/// BEGIN and COMMIT around a single read.
pub(super) fn transactions(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    let of = |one: &Chatter| (one.single_reads.calls * 2, one.single_reads.total_us);
    detect(rule, facts, report, of, "BEGIN and COMMIT around a single read");
}

/// Pings and settings.
pub(super) fn connections(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    let of =
        |one: &Chatter| (one.pings.calls + one.settings.calls, one.pings.total_us + one.settings.total_us);
    detect(rule, facts, report, of, "pings and settings of a connection");
}

fn detect(
    rule: &Rule,
    facts: &WorkloadFacts<'_>,
    report: &mut Report,
    of: impl Fn(&Chatter) -> (u64, u64),
    what: &str,
) {
    let all = facts.workload.chatter();
    let executions: u64 = all.iter().map(|one| one.executions).sum();
    let (trips, us) = all.iter().map(&of).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    if (executions as f64) < rule.param("executions")
        || (trips as f64) < rule.param("share") * executions as f64
    {
        return;
    }
    let mut by: Vec<(u64, &str)> =
        all.iter().filter_map(|one| Some((of(one).0, one.application.as_deref()?))).collect();
    by.retain(|(trips, _)| *trips > 0);
    by.sort_by(|a, b| b.cmp(a));
    let by: Vec<String> =
        by.iter().take(3).map(|(trips, name)| format!("{name} {}", words::count(*trips as f64))).collect();
    let by = if by.is_empty() { String::new() } else { format!(" ({})", by.join(", ")) };
    report.findings.push(Finding {
        because: format!(
            "{what} are {} of all executions: {} that could be saved{by}",
            words::percent(trips as f64 / executions as f64),
            words::counted(trips as f64, "round trip"),
        ),
        cost_ms: us as f64 / 1000.0,
        ..super::blank(rule, Confidence::Measured)
    });
}
