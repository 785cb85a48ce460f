//! Why the log cannot show every N+1, or not for sure, and which setting would make it do so.
//!
//! The server's settings say so where they are known (they are those of today, and of this server);
//! otherwise the log speaks for itself: statements without a session, a clock of whole seconds, no quick
//! statement at all.
//! <https://www.postgresql.org/docs/current/runtime-config-logging.html#RUNTIME-CONFIG-LOGGING-WHEN>

use super::{Report, WorkloadFacts, words};
use crate::rules::Rule;

/// Adds each reason to what could not be judged.
pub(super) fn add(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    for why in left_out(rule, facts) {
        report.not_judged.add(&rule.name, why);
    }
    let grounds = facts.workload.grounds();
    report.not_judged.add_many(
        &rule.name,
        "executions that name neither session nor request belong to no unit of work: in PostgreSQL's log put \
         %p into log_line_prefix (log_line_prefix = '%m [%p] %q%u@%d/%a '), or set log_destination = csvlog",
        grounds.without_session,
    );
    report.not_judged.add_many(
        &rule.name,
        "a clock of whole seconds shows no pauses between requests: put %m in place of %t into log_line_prefix",
        grounds.coarse,
    );
}

/// Executions that never reached the log: it leaves out quick ones, or picks among them.
fn left_out(rule: &Rule, facts: &WorkloadFacts<'_>) -> Vec<String> {
    let setting = |name: &str| facts.catalog.and_then(|catalog| catalog.settings.number(name));
    let mut limits = Vec::new();
    // With log_statement = all every statement is there, whatever its duration.
    let all = facts.catalog.and_then(|catalog| catalog.settings.get("log_statement")) == Some("all");
    let threshold = setting("log_min_duration_statement").filter(|_| !all);
    if let Some(threshold) = threshold.filter(|&threshold| threshold > 0.0) {
        limits.push(format!(
            "the server logs statements from {} on only: quick repeats are missing; set \
             log_min_duration_statement = 0 for a while",
            words::milliseconds(threshold)
        ));
    }
    for name in ["log_statement_sample_rate", "log_transaction_sample_rate"] {
        let sampled = setting(name).is_some_and(|rate| rate > 0.0 && rate < 1.0);
        if sampled && threshold.is_some_and(|threshold| threshold != 0.0) {
            limits.push(format!(
                "the server logs a sample only ({name}): repeats are missing; set \
                 log_min_duration_statement = 0 for a while"
            ));
        }
    }
    if setting("log_parameter_max_length").is_some_and(|length| length == 0.0) {
        limits.push(
            "the server logs no bind values, without which an N+1 and the same question again look alike: \
             set log_parameter_max_length = -1"
                .to_owned(),
        );
    }
    let timed: u64 = facts.workload.ranked().iter().map(|query| query.timed).sum();
    let quickest =
        facts.workload.ranked().iter().filter(|query| query.timed > 0).map(|query| query.min_us).min();
    if let Some(quickest) = quickest.map(|us| us as f64 / 1000.0)
        && limits.is_empty()
        && timed as f64 >= rule.param("executions")
        && quickest >= rule.param("quickest")
    {
        limits.push(format!(
            "no statement under {} is in the log, which seems to hold slow ones only: set \
             log_min_duration_statement = 0 for a while to see repeats",
            words::milliseconds(quickest)
        ));
    }
    limits
}
