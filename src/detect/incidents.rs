//! What a server's log tells of trouble, with what to do about it: waits for row locks, deadlocks,
//! temporary files, checkpoints, connections, transactions that were left open, and errors that are tried
//! again and again.
//!
//! The report has all of them as figures; here stand those that are frequent enough to act on. Left
//! alone: what a log does not tell, since its setting is off (`log_lock_waits`, `log_temp_files` …).

use std::collections::BTreeMap;

use super::{Report, WorkloadFacts, words};
use crate::{
    finding::{Confidence, Finding},
    rules::Rule,
    sql::Fingerprint,
    workload::incidents::{Kind, Tally},
};

fn finding(
    rule: &Rule,
    query: Option<Fingerprint>,
    because: String,
    instead: String,
    cost_ms: f64,
) -> Finding {
    Finding {
        query: query.map(|id| id.to_string()),
        because,
        instead,
        cost_ms,
        ..super::blank(rule, Confidence::Measured)
    }
}

/// A statement that waits for rows that other transactions hold.
pub(super) fn row_lock_waits(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    #[derive(Default)]
    struct Sum {
        count: u64,
        us: u64,
        longest: u64,
        behind_itself: u64,
    }
    let mut by: BTreeMap<(Option<Fingerprint>, Option<String>), Sum> = BTreeMap::new();
    for (key, waits) in facts.workload.incidents().lock_waits() {
        if key.object != "transaction" && key.object != "tuple" {
            continue;
        }
        let itself = key.waiter.is_some() && key.waiter == key.holder;
        let sum = by.entry((key.waiter, key.relation)).or_default();
        sum.count += waits.tally.count;
        sum.us += waits.waited_us;
        sum.longest = sum.longest.max(waits.longest_us);
        sum.behind_itself += if itself { waits.tally.count } else { 0 };
    }
    for ((waiter, relation), sum) in by {
        let ms = sum.us as f64 / 1000.0;
        if (sum.count as f64) < rule.param("waits") || ms < rule.param("ms") {
            continue;
        }
        let itself =
            if sum.behind_itself * 2 > sum.count { ", mostly for another execution of itself" } else { "" };
        let because = format!(
            "waited {} for a row of {}: {} in all, {} at most{itself}",
            words::counted(sum.count as f64, "time"),
            relation.as_deref().unwrap_or("a table"),
            words::milliseconds(ms),
            words::milliseconds(sum.longest as f64 / 1000.0),
        );
        report.findings.push(finding(rule, waiter, because, rule.instead.trim().to_owned(), ms));
    }
}

pub(super) fn deadlocks(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    for (key, deadlocks) in &facts.workload.incidents().deadlocks().by_key {
        let mut queries: Vec<Fingerprint> =
            key.processes.iter().filter_map(|process| process.query).collect();
        queries.dedup();
        let over = key.relation.as_ref().map(|name| format!(" over {name}")).unwrap_or_default();
        let known = key.processes.iter().all(|process| process.query.is_some());
        let (between, instead) = match if known { queries.len() } else { 0 } {
            0 => (String::new(), "Take rows and tables in the same order in every transaction."),
            1 => (
                ", between executions of one statement".to_owned(),
                "Lock the rows of each transaction in one order: sort the keys before the first write, or SELECT … \
                 ORDER BY the key FOR UPDATE first.",
            ),
            several => (
                format!(", between {several} statements"),
                "Take the tables, and the rows of each, in the same order in all of these transactions; keep them \
                 short, and try the cancelled one again.",
            ),
        };
        let because = format!("{}{over}{between}", words::counted(deadlocks.tally.count as f64, "deadlock"));
        let mut found = finding(rule, queries.first().copied(), because, instead.to_owned(), 0.0);
        let ids: Vec<String> = queries.iter().map(ToString::to_string).collect();
        found.detail.insert("queries".to_owned(), ids.into());
        report.findings.push(found);
    }
}

pub(super) fn temporary_files(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    const MEGABYTE: f64 = 1_048_576.0;
    let incidents = facts.workload.incidents();
    for (query, files) in &incidents.temporary_files.by_key {
        let bytes = files.bytes as f64;
        if bytes < rule.param("bytes") {
            continue;
        }
        let largest =
            query.and_then(|query| incidents.largest_execution(query)).unwrap_or(files.largest_file) as f64;
        // A sort takes two to three times as much in memory as on disk.
        let needed = (largest * 2.5 / MEGABYTE).ceil();
        let because = format!(
            "wrote {} to {}, up to {} in one execution",
            words::bytes(bytes),
            words::counted(files.tally.count as f64, "temporary file"),
            words::bytes(largest),
        );
        let instead = if needed * MEGABYTE <= rule.param("memory") {
            format!(
                "SET LOCAL work_mem = '{needed:.0}MB' in its transaction (or ALTER ROLE … SET work_mem for its role) \
                 would hold about that; an index in the order of its sort, or fewer columns, needs no memory."
            )
        } else {
            "Sort and hash less: filter or aggregate before, select fewer columns, or read in the order of an index; \
             to hold this in memory is no setting that a server stands."
                .to_owned()
        };
        report.findings.push(finding(rule, *query, because, instead, 0.0));
    }
}

pub(super) fn checkpoints(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    let told = &facts.workload.incidents().checkpoints;
    let timed = told.by_time + told.by_wal;
    let by_wal = told.by_wal as f64;
    let many = by_wal >= rule.param("checkpoints") && by_wal >= rule.param("share") * timed as f64;
    if told.too_frequent == 0 && !many {
        return;
    }
    let mut parts = Vec::new();
    if many {
        parts.push(format!(
            "{} of {} began since max_wal_size was reached",
            words::count(by_wal),
            words::counted(timed as f64, "checkpoint")
        ));
    }
    if told.too_frequent > 0 {
        let apart =
            told.closest_s.map(|s| format!(", {} apart at the least", words::counted(s as f64, "second")));
        parts.push(format!(
            "the server warned {} that they come too often{}",
            words::counted(told.too_frequent as f64, "time"),
            apart.unwrap_or_default()
        ));
    }
    if told.most_distance_bytes > 0 {
        parts.push(format!("up to {} of WAL lie between two", words::bytes(told.most_distance_bytes as f64)));
    }
    report.findings.push(finding(rule, None, parts.join("; "), rule.instead.trim().to_owned(), 0.0));
}

pub(super) fn connection_churn(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    let told = &facts.workload.incidents().connections;
    let (ended, short) = (told.ended as f64, told.short as f64);
    if ended < rule.param("sessions") || short < rule.param("share") * ended {
        return;
    }
    let half = told.lengths.quantile(0.5).map_or(0.0, |us| us / 1000.0);
    let because = format!(
        "{} of {} were over within a second, half of them all within {}",
        words::count(short),
        words::counted(ended, "session"),
        words::milliseconds(half),
    );
    report.findings.push(finding(rule, None, because, rule.instead.trim().to_owned(), 0.0));
}

pub(super) fn idle_in_transaction(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    let mut all = Tally::default();
    for (message, tally) in &facts.workload.incidents().messages.errors.by_key {
        // The idle timeout of a session without a transaction harms nobody.
        if message.kind == Kind::IdleTimeout
            && message.text.as_ref().is_none_or(|text| text.contains("transaction"))
        {
            all.count += tally.count;
        }
    }
    if (all.count as f64) < rule.param("sessions") {
        return;
    }
    let because = format!(
        "the server ended {} whose transaction was idle for too long",
        words::counted(all.count as f64, "session")
    );
    report.findings.push(finding(rule, None, because, rule.instead.trim().to_owned(), 0.0));
}

/// One error, again and again.
pub(super) fn error_storm(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    for (message, tally) in &facts.workload.incidents().messages.errors.by_key {
        let instead = match message.kind {
            Kind::Serialization => {
                "Try again after a pause that grows and is random, so that the same transactions do not meet again; \
                 make them shorter, or read less in them."
            }
            Kind::LockTimeout => {
                "Wait longer between two tries, and find who holds the lock (log_lock_waits = on tells)."
            }
            Kind::StatementTimeout => {
                "Do not send again at once what ran out of time: each try takes the whole limit. Make the statement \
                 faster, or its limit longer."
            }
            Kind::Constraint => {
                "Ask the server not to fail: INSERT … ON CONFLICT DO NOTHING (or DO UPDATE). A failed INSERT leaves a \
                 dead row behind, and its transaction has to begin again."
            }
            _ => continue,
        };
        let (Some(first), Some(last)) = (tally.first, tally.last) else { continue };
        let count = tally.count as f64;
        let seconds = (last.saturating_sub(first) as f64 / 1e6).max(1.0);
        if count < rule.param("errors") || count < rule.param("rate") * seconds {
            continue;
        }
        let because = format!(
            "{} ({}) in {}",
            words::counted(count, "error"),
            message.condition().unwrap_or(message.kind.name()).replace('_', " "),
            words::milliseconds(seconds * 1000.0),
        );
        let query = tally.ranked().first().map(|(query, _)| *query);
        report.findings.push(finding(rule, query, because, instead.to_owned(), 0.0));
    }
}

/// A statement that is parsed for each execution.
pub(super) fn parse_each_time(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    for query in facts.workload.ranked() {
        let steps = &query.steps;
        let (parses, calls) = (steps.parses as f64, query.calls as f64);
        let parse_ms = steps.parse_us as f64 / 1000.0;
        if calls < rule.param("calls")
            || parses < rule.param("parses") * calls
            || parse_ms < rule.param("share") * (query.total_ms() + parse_ms)
        {
            continue;
        }
        let because = format!(
            "parsed {} for {}: {} beside {} of execution",
            words::counted(parses, "time"),
            words::counted(calls, "execution"),
            words::milliseconds(parse_ms),
            words::milliseconds(query.total_ms()),
        );
        let instead = rule.instead.trim().to_owned();
        report.findings.push(finding(rule, Some(query.id), because, instead, parse_ms));
    }
}
