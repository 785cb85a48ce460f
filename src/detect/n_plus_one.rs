//! What one unit of work did again and again: N+1 reads, repeated identical reads, and writes row by row.
//!
//! The workload counts the repetition; the Shape tells the look-alikes apart. Left alone: statements on
//! system catalogs or on no table, loops over key ranges (`id > $1 ORDER BY id LIMIT`), OFFSET exports,
//! queue polls (SKIP LOCKED), and reads that no equality selects.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Report, WorkloadFacts, reads_system, rewrite, words};
use crate::{
    catalog::Catalog,
    finding::{Confidence, Finding, Severity},
    rules::Rule,
    sql::{
        Shape,
        shape::{Block, Bound, Op, Operand, Predicate, SortExpr, TableSource},
    },
    workload::{Evidence, Query, Repetition, RepetitionKind},
};

pub(super) fn detect(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    for why in log_limits(rule, facts) {
        report.not_judged.add(&rule.name, why);
    }
    for found in facts.repetitions.iter().filter(|found| found.kind == RepetitionKind::NPlusOne) {
        let Some(shape) = facts.shapes.get(&found.child) else {
            report.not_judged.add(&rule.name, "the repeated statement could not be parsed");
            continue;
        };
        let Some(block) = shape.blocks.first() else { continue };
        let Some(key) = key(block) else { continue };
        let query = facts.workload.query(found.child);
        let short = match query {
            Some(query) if found.sizes > 0 => list_length(query, found) < LONG_LIST,
            _ => !matches!(key.operand, Operand::List { len } if len > 1),
        };
        if !short
            || is_look_alike(shape, block, key, query)
            || (found.max_repeats as f64) < rule.param("repeats")
        {
            continue;
        }
        let parent = found.parent.and_then(|id| facts.shapes.get(&id));
        let after = parent
            .and_then(first_table)
            .map(|table| format!(", after a query of {table}"))
            .unwrap_or_default();
        let because = format!(
            "{} asked for one {} at a time: {} in {}{after} ({}, {})",
            tables(block),
            rewrite::column(block, &key.column),
            times(found),
            unit_words(found),
            in_all(facts, found),
            evidence(found.evidence),
        );
        let mut instead = rewrite::any_of(shape, key).unwrap_or_else(|| rule.instead.trim().to_owned());
        if let Some(join) = parent.and_then(|parent| join(parent, block, key, facts.catalog)) {
            instead = format!("{instead}\n\nOr in the first query: {join}");
        }
        let mut finding = finding(rule, facts, found, because, instead);
        // A single short burst may be chance: sessions of a pool serve several requests.
        if found.evidence == Evidence::Burst && found.units < 2 && found.max_repeats < 2 * Repetition::LEAST {
            finding.severity = Severity::Note;
        }
        report.findings.push(finding);
    }
}

/// Keys in one list from which a repeated load is a batch, not one key at a time.
const LONG_LIST: f64 = 3.0;

/// How many values the lists of a repeated query hold on average: those beyond one for each place in its text.
fn list_length(query: &Query, found: &Repetition) -> f64 {
    let places = query.text.matches('?').count() as f64;
    found.sizes as f64 / found.repeats.max(1) as f64 - places + 1.0
}

/// Whether the samples that were kept skip different numbers of rows; one sample alone says so when it
/// skips any.
fn skips_more_and_more(query: &Query) -> bool {
    let skipped: Vec<Option<String>> = query
        .samples
        .iter()
        .map(|sample| {
            let at = sample.sql.to_ascii_lowercase().rfind("offset ")?;
            let word = sample.sql.get(at + 7..)?.split_whitespace().next()?.trim_end_matches([';', ')']);
            let Some(number) = word.strip_prefix('$') else { return Some(word.to_owned()) };
            let number: usize = number.parse().ok()?;
            sample.binds.as_ref()?.get(number.checked_sub(1)?)?.clone()
        })
        .collect();
    match &skipped[..] {
        [] => true,
        [first, rest @ ..] => {
            first.is_none()
                || rest.iter().any(|other| other != first)
                || rest.is_empty() && first.as_deref() != Some("0")
        }
    }
}

/// Why the log cannot show every N+1: it leaves out quick statements, or picks among them.
///
/// The server's settings say so where they are known (they are those of today, and of this server);
/// otherwise a log without any quick statement speaks for itself.
/// <https://www.postgresql.org/docs/current/runtime-config-logging.html#RUNTIME-CONFIG-LOGGING-WHEN>
fn log_limits(rule: &Rule, facts: &WorkloadFacts<'_>) -> Vec<String> {
    let setting = |name: &str| facts.catalog.and_then(|catalog| catalog.settings.number(name));
    let mut limits = Vec::new();
    // With log_statement = all every statement is there, whatever its duration.
    let all = facts.catalog.and_then(|catalog| catalog.settings.get("log_statement")) == Some("all");
    let threshold = setting("log_min_duration_statement").filter(|_| !all);
    if let Some(threshold) = threshold.filter(|&threshold| threshold > 0.0) {
        limits.push(format!(
            "the server logs statements from {} on only (log_min_duration_statement): quick repeats are missing",
            words::milliseconds(threshold)
        ));
    }
    for name in ["log_statement_sample_rate", "log_transaction_sample_rate"] {
        let sampled = setting(name).is_some_and(|rate| rate > 0.0 && rate < 1.0);
        if sampled && threshold.is_some_and(|threshold| threshold != 0.0) {
            limits.push(format!("the server logs a sample only ({name}): repeats are missing"));
        }
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

pub(super) fn duplicates(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
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
            unit_words(found),
            in_all(facts, found),
            evidence(found.evidence),
        );
        report.findings.push(finding(rule, facts, found, because, rule.instead.trim().to_owned()));
    }
}

pub(super) fn write_loops(rule: &Rule, facts: &WorkloadFacts<'_>, report: &mut Report) {
    for found in facts.repetitions.iter().filter(|found| found.kind == RepetitionKind::WriteLoop) {
        let Some(shape) = facts.shapes.get(&found.child) else { continue };
        let Some(target) = &shape.target else { continue };
        // Inserts of many rows each are batches already.
        if target.rows.is_some_and(|rows| rows > 1) {
            continue;
        }
        let because = format!(
            "{} written one row at a time: {} in {} ({}, {})",
            target.table.plain(),
            times(found),
            unit_words(found),
            in_all(facts, found),
            evidence(found.evidence),
        );
        report.findings.push(finding(rule, facts, found, because, rule.instead.trim().to_owned()));
    }
}

fn finding(
    rule: &Rule,
    facts: &WorkloadFacts<'_>,
    found: &Repetition,
    because: String,
    instead: String,
) -> Finding {
    let query = facts.workload.query(found.child);
    Finding {
        rule: rule.name.clone(),
        code: rule.code,
        severity: rule.severity,
        confidence: Confidence::Measured,
        query: Some(found.child.to_string()),
        at: query.and_then(|query| query.statements.iter().min().cloned()),
        span: None,
        region: None,
        because,
        instead,
        cost_ms: found.total_us as f64 / 1000.0,
        detail: detail(facts, found),
    }
}

/// The keys that the report's schema names.
fn detail(facts: &WorkloadFacts<'_>, found: &Repetition) -> Map<String, Value> {
    let occurrences: Vec<Value> = found
        .occurrences
        .iter()
        .map(|unit| {
            json!({
                "start": unit.start.and_then(rfc3339),
                "end": unit.end.and_then(rfc3339),
                "sessions": unit.sessions,
                "repeats": unit.repeats,
                "distinct_values": unit.distinct_values,
            })
        })
        .collect();
    let mut detail = Map::new();
    detail.insert("child".to_owned(), json!(found.child.to_string()));
    detail.insert("parent".to_owned(), json!(found.parent.map(|id| id.to_string())));
    detail.insert(
        "repeats".to_owned(),
        json!({ "min": found.min_repeats, "median": found.median_repeats, "max": found.max_repeats }),
    );
    detail.insert("units".to_owned(), json!(found.units));
    detail.insert("evidence".to_owned(), json!(found.evidence));
    detail.insert("distinct_values".to_owned(), json!(found.distinct_values));
    let callers = facts.workload.query(found.child).map(|query| query.callers.as_slice());
    if let Some(callers) = callers.filter(|callers| !callers.is_empty()) {
        detail.insert("callers".to_owned(), json!(callers));
    }
    detail.insert("occurrences".to_owned(), json!(occurrences));
    detail
}

/// `1.2 ms in all`, where the log tells.
fn in_all(facts: &WorkloadFacts<'_>, found: &Repetition) -> String {
    if found.total_us > 0 || facts.workload.query(found.child).is_some_and(|query| query.timed > 0) {
        format!("{} in all", words::milliseconds(found.total_us as f64 / 1000.0))
    } else {
        "no durations in this log".to_owned()
    }
}

/// Whole seconds in UTC: all that every format of one log shows.
fn rfc3339(microseconds: i64) -> Option<String> {
    Timestamp::from_second(microseconds.div_euclid(1_000_000)).ok().map(|time| time.to_string())
}

fn times(found: &Repetition) -> String {
    if found.min_repeats == found.max_repeats {
        format!("{} times", words::count(found.max_repeats as f64))
    } else {
        format!(
            "{} to {} times (median {})",
            words::count(found.min_repeats as f64),
            words::count(found.max_repeats as f64),
            words::count(found.median_repeats as f64)
        )
    }
}

/// `each of 20 transactions`; where the evidence differs, `each of 20 units of work (12 transactions,
/// 8 bursts)`.
fn unit_words(found: &Repetition) -> String {
    let counted = |(&evidence, &units): (&Evidence, &u64)| {
        let unit = match evidence {
            Evidence::Trace => "trace",
            Evidence::Tag => "request",
            Evidence::Transaction => "transaction",
            Evidence::Burst => "burst",
        };
        let plural = if units == 1 { "" } else { "s" };
        (units, format!("{unit}{plural}"))
    };
    let kinds: Vec<(u64, String)> = found.units_by_evidence.iter().map(counted).collect();
    match &kinds[..] {
        [(1, unit)] => format!("one {unit}"),
        [(units, unit)] => format!("each of {} {unit}", words::count(*units as f64)),
        kinds => {
            let parts: Vec<String> =
                kinds.iter().map(|(units, unit)| format!("{} {unit}", words::count(*units as f64))).collect();
            format!("each of {} units of work ({})", words::count(found.units as f64), parts.join(", "))
        }
    }
}

fn evidence(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Trace => "certain: one trace id",
        Evidence::Tag => "certain: one request tag",
        Evidence::Transaction => "certain: one transaction",
        Evidence::Burst => "probable: no pause in between",
    }
}

/// The equality that picks one value a time: on a bare column of a base table, against a value.
fn key(block: &Block) -> Option<&Predicate> {
    let picks = |test: &&Predicate| {
        // IN with one value is what a prefetch for one object sends; with many it is a batch.
        matches!(
            (test.op, &test.operand),
            (Op::Eq, Operand::Parameter(_) | Operand::Constant(_))
                | (Op::In, Operand::List { .. } | Operand::Parameter(_))
        ) && test.column.table.is_none_or(|at| {
            matches!(block.tables.get(at).map(|table| &table.source), Some(TableSource::Table(_)))
        })
    };
    // A parameter is what changes; and a key is named so more often than not.
    let like_a_key =
        |test: &&Predicate| test.column.name == "id" || test.column.name.to_lowercase().ends_with("id");
    let variable = |test: &&Predicate| matches!(test.operand, Operand::Parameter(_));
    let candidates: Vec<&Predicate> = block.tests().filter(picks).collect();
    let best = |wanted: &dyn Fn(&&Predicate) -> bool| candidates.iter().copied().find(|test| wanted(test));
    best(&|test| variable(test) && like_a_key(test))
        .or_else(|| best(&|test| like_a_key(test)))
        .or_else(|| best(&variable))
        .or_else(|| candidates.first().copied())
}

fn is_look_alike(shape: &Shape, block: &Block, key: &Predicate, query: Option<&Query>) -> bool {
    let sorted = |test: &Predicate| {
        block
            .order_by
            .iter()
            .any(|order| matches!(&order.expr, SortExpr::Column(column) if *column == test.column))
    };
    let key_range = block.limit.is_some()
        && block.tests().any(|test| {
            matches!(test.op, Op::Gt | Op::GtEq | Op::Lt | Op::LtEq)
                && matches!(test.operand, Operand::Parameter(_) | Operand::Constant(_))
                && sorted(test)
                && test.column != key.column
        });
    let export = block.offset.as_ref().is_some_and(|offset| *offset != Bound::Number(0))
        && query.is_none_or(skips_more_and_more);
    tables(block).is_empty() || shape.blocks.iter().any(reads_system) || key_range || export || polls(block)
}

fn polls(block: &Block) -> bool {
    block.locking.as_deref().is_some_and(|words| words.to_uppercase().contains("SKIP LOCKED"))
}

fn tables(block: &Block) -> String {
    let names: Vec<String> = block
        .tables
        .iter()
        .filter_map(|table| match &table.source {
            TableSource::Table(name) => Some(name.plain()),
            _ => None,
        })
        .collect();
    words::list(&names)
}

fn first_table(shape: &Shape) -> Option<String> {
    let block = shape.blocks.first()?;
    block.tables.iter().find_map(|table| match &table.source {
        TableSource::Table(name) => Some(name.plain()),
        _ => None,
    })
}

/// `JOIN users ON users.id = posts.user_id`, where a foreign key links the parent's table to the child's.
fn join(parent: &Shape, child: &Block, key: &Predicate, catalog: Option<&Catalog>) -> Option<String> {
    let catalog = catalog?;
    let [table] = &child.tables[..] else { return None };
    let TableSource::Table(child_name) = &table.source else { return None };
    let child_table = catalog.table(child_name)?;
    let sources = parent.blocks.first()?.tables.iter();
    for source in sources {
        let TableSource::Table(name) = &source.source else { continue };
        let Some(parent_table) = catalog.table(name) else { continue };
        if parent_table.name == child_table.name {
            continue;
        }
        let called = source.alias.as_deref().unwrap_or(&name.name);
        let column = &key.column.name;
        // The parent points to the child by the key, or the child to the parent.
        let down = parent_table.foreign_keys.iter().find(|foreign| {
            foreign.references == child_table.name
                && foreign.columns.len() == 1
                && foreign.referenced_columns.first().is_none_or(|known| known == column)
        });
        let up = child_table.foreign_keys.iter().find(|foreign| {
            foreign.references == parent_table.name && foreign.columns == std::slice::from_ref(column)
        });
        let theirs = match (down, up) {
            (Some(foreign), _) => foreign.columns.first()?.clone(),
            (None, Some(foreign)) => {
                foreign.referenced_columns.first().cloned().unwrap_or_else(|| "id".to_owned())
            }
            (None, None) => continue,
        };
        let quote = crate::names::quote_ident;
        return Some(format!(
            "LEFT JOIN {child_name} ON {}.{} = {}.{}",
            quote(&child_name.name),
            quote(column),
            quote(called),
            quote(&theirs)
        ));
    }
    None
}
