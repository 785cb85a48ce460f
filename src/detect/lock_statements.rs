//! Statements and settings that decide how long a session holds what others wait for: LOCK TABLE,
//! `pg_sleep()`, and transactions that nobody ends.

use super::{Report, WorkloadFacts, words};
use crate::{
    catalog::Catalog,
    finding::{Confidence, Finding},
    rules::Rule,
    sql::StatementKind,
    workload::Query,
};

/// LOCK TABLE in a mode that keeps out readers or writers.
pub(super) fn lock_table(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    for query in facts.workload.ranked() {
        let text = query.text.to_ascii_lowercase();
        if query.kind != StatementKind::Utility || !text.starts_with("lock ") {
            continue;
        }
        let mode = text.split_once(" in ").map_or("access exclusive", |(_, mode)| mode);
        let mode = mode
            .trim_end_matches(';')
            .trim()
            .trim_end_matches("nowait")
            .trim()
            .trim_end_matches(" mode")
            .trim();
        let keeps_out = match mode {
            "access exclusive" => "all other statements, SELECT included,",
            "exclusive" => "all writes and row locks",
            "share row exclusive" | "share" => "all writes",
            _ => continue,
        };
        let because = format!(
            "LOCK TABLE in {} mode, {}: keeps out {keeps_out} until the transaction ends",
            mode.to_ascii_uppercase(),
            words::counted(query.calls as f64, "time"),
        );
        report.findings.push(of_query(rule, query, because));
    }
}

/// `pg_sleep()` in a statement.
pub(super) fn sleep(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    for query in facts.workload.ranked() {
        let text = query.text.to_ascii_lowercase();
        let sleeps = text.match_indices("pg_sleep").any(|(at, _)| {
            let rest = text.get(at..).unwrap_or_default();
            ["pg_sleep", "pg_sleep_for", "pg_sleep_until"]
                .iter()
                .any(|name| rest.strip_prefix(name).is_some_and(|after| after.trim_start().starts_with('(')))
        });
        if query.kind != StatementKind::Select || !sleeps || query.total_ms() < rule.param("ms") {
            continue;
        }
        let because = format!(
            "slept in {} for {} in all, each with a connection of its own",
            words::counted(query.calls as f64, "statement"),
            words::milliseconds(query.total_ms()),
        );
        report.findings.push(of_query(rule, query, because));
    }
}

fn of_query(rule: &Rule, query: &Query, because: String) -> Finding {
    Finding {
        query: Some(query.id.to_string()),
        because,
        cost_ms: query.total_ms(),
        ..super::blank(rule, Confidence::Measured)
    }
}

/// No limit for a transaction that waits for its client.
pub(super) fn idle_timeout(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    const NAME: &str = "idle_in_transaction_session_timeout";
    if catalog.settings.number(NAME).is_none_or(|ms| ms > 0.0) {
        return;
    }
    // From PostgreSQL 17 on a limit for the whole transaction does it, too.
    if catalog.settings.number("transaction_timeout").is_some_and(|ms| ms > 0.0) {
        return;
    }
    report.findings.push(Finding {
        because: format!(
            "{NAME} is 0: a transaction whose client hangs keeps its locks until the connection ends"
        ),
        ..super::blank(rule, Confidence::Shape)
    });
}
