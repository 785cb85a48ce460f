//! What the rules about repetitions share: the finding with its detail, and the words for how often, where
//! and how surely.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{WorkloadFacts, words};
use crate::{
    finding::{Confidence, Finding},
    rules::Rule,
    sql::shape::{Block, TableSource},
    workload::{Evidence, Repetition, RepetitionKind},
};

pub(super) fn finding(
    rule: &Rule,
    facts: &WorkloadFacts<'_>,
    found: &Repetition,
    because: String,
    instead: String,
) -> Finding {
    let query = facts.workload.query(found.child);
    Finding {
        query: Some(found.child.to_string()),
        at: query.and_then(|query| query.statements.iter().min().cloned()),
        because,
        instead,
        cost_ms: found.total_us as f64 / 1000.0,
        detail: detail(facts, found),
        ..super::blank(rule, Confidence::Measured)
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
    let by_evidence: Map<String, Value> = found
        .units_by_evidence
        .iter()
        .map(|(evidence, units)| (json!(evidence).as_str().unwrap_or_default().to_owned(), json!(units)))
        .collect();
    detail.insert("units_by_evidence".to_owned(), Value::Object(by_evidence));
    detail.insert("distinct_values".to_owned(), json!(found.distinct_values));
    detail.insert("total_ms".to_owned(), json!(found.total_us as f64 / 1000.0));
    detail.insert("round_trips".to_owned(), json!(found.repeats));
    detail.insert("round_trips_saved".to_owned(), json!(round_trips_saved(found)));
    let callers = facts.workload.query(found.child).map(|query| query.callers.as_slice());
    if let Some(callers) = callers.filter(|callers| !callers.is_empty()) {
        detail.insert("callers".to_owned(), json!(callers));
    }
    if found.evidence >= Evidence::Burst {
        detail.insert("surer".to_owned(), json!(SURER));
    }
    detail.insert("occurrences".to_owned(), json!(occurrences));
    detail
}

/// What turns a probable unit of work into a certain one.
const SURER: &str = "tag each statement with the trace or request that sends it (sqlcommenter: \
                     traceparent='…' or request_id='…'), or run the request in one transaction";

/// One statement a unit does the work of all its repeats; of the same question again, one for each
/// distinct question is left.
pub(super) fn round_trips_saved(found: &Repetition) -> u64 {
    let needed = match found.kind {
        RepetitionKind::Duplicate => found.distinct_values,
        RepetitionKind::NPlusOne | RepetitionKind::WriteLoop => found.units,
    };
    found.repeats.saturating_sub(needed)
}

/// `1.2 ms in all`, where the log tells.
pub(super) fn in_all(facts: &WorkloadFacts<'_>, found: &Repetition) -> String {
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

pub(super) fn times(found: &Repetition) -> String {
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

/// `each of 20 transactions`.
pub(super) fn unit_words(by_evidence: &BTreeMap<Evidence, u64>) -> String {
    let units = units(by_evidence);
    if units.starts_with("one ") { units } else { format!("each of {units}") }
}

/// `20 transactions`; where the evidence differs, `20 units of work (12 transactions, 8 bursts)`.
pub(super) fn units(by_evidence: &BTreeMap<Evidence, u64>) -> String {
    let counted = |(&evidence, &units): (&Evidence, &u64)| {
        let unit = match evidence {
            Evidence::Trace => "trace",
            Evidence::Tag => "request",
            Evidence::Transaction => "transaction",
            Evidence::Burst | Evidence::Pool => "burst",
        };
        let plural = if units == 1 { "" } else { "s" };
        let over = if evidence == Evidence::Pool { " over a pool's sessions" } else { "" };
        (units, format!("{unit}{plural}{over}"))
    };
    let kinds: Vec<(u64, String)> = by_evidence.iter().map(counted).collect();
    match &kinds[..] {
        [(1, unit)] => format!("one {unit}"),
        [(units, unit)] => format!("{} {unit}", words::count(*units as f64)),
        kinds => {
            let units: u64 = kinds.iter().map(|(units, _)| units).sum();
            let parts: Vec<String> =
                kinds.iter().map(|(units, unit)| format!("{} {unit}", words::count(*units as f64))).collect();
            format!("{} units of work ({})", words::count(units as f64), parts.join(", "))
        }
    }
}

pub(super) fn evidence(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Trace => "certain: one trace id",
        Evidence::Tag => "certain: one request tag",
        Evidence::Transaction => "certain: one transaction",
        Evidence::Burst => "probable: no pause in between",
        Evidence::Pool => "probable: close in time over the sessions of a pool",
    }
}

/// The base tables of a block, as a list of words.
pub(super) fn tables(block: &Block) -> String {
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
