//! Figures of a part of the workload: of all of it, a query, a sender or a stretch of time, in the
//! report's units.

use serde::{Deserialize, Serialize};

use super::{ms, rounded, whole_seconds};
use crate::workload::{
    Breakdown, Dimension, Load, Series, Sketch, Tally, Trend as Halves, Workload, histogram,
};

/// Durations of a number of executions; `None` where none had one. The percentiles are within
/// `percentile_error` of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[expect(clippy::struct_field_names, reason = "keys of the report, which name their unit")]
pub struct Latency {
    pub mean_ms: Option<f64>,
    pub p50_ms: Option<f64>,
    pub p90_ms: Option<f64>,
    pub p95_ms: Option<f64>,
    pub p99_ms: Option<f64>,
    pub max_ms: Option<f64>,
}

/// Executions of at most `to_ms`, and longer than the class before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Class {
    pub to_ms: f64,
    pub calls: u64,
}

/// Executions of a stretch of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// RFC 3339.
    pub start: String,
    pub calls: u64,
    pub total_ms: f64,
}

/// A query or sender over time: where something ran, in stretches of one length.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Over {
    pub bucket_seconds: i64,
    pub buckets: Vec<Bucket>,
}

/// The halves of the log, where they differ by enough to matter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trend {
    pub calls_before: u64,
    pub calls_after: u64,
    pub mean_ms_before: Option<f64>,
    pub mean_ms_after: Option<f64>,
}

/// What one name sent of one query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    pub name: String,
    pub calls: u64,
    pub total_ms: f64,
}

/// Who sent a query: by what each log entry names, the most time first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Senders {
    pub databases: Vec<Sent>,
    pub users: Vec<Sent>,
    pub applications: Vec<Sent>,
    pub hosts: Vec<Sent>,
}

/// All executions of one database, user, application or host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub name: String,
    /// Distinct queries.
    pub queries: u64,
    pub calls: u64,
    pub errors: u64,
    pub total_ms: f64,
    /// Of the whole workload's time, 0 to 1; `None` where nothing has a duration.
    pub share: Option<f64>,
    #[serde(flatten)]
    pub latency: Latency,
    pub rows: Option<u64>,
    pub first: Option<String>,
    pub last: Option<String>,
    pub histogram: Vec<Class>,
    pub over_time: Over,
    pub trend: Option<Trend>,
}

/// Everything by who sent it, the most time first; a list is empty where the log names none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Parts {
    pub databases: Vec<Part>,
    pub users: Vec<Part>,
    pub applications: Vec<Part>,
    pub hosts: Vec<Part>,
}

/// All executions over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    pub bucket_seconds: i64,
    pub buckets: Vec<Moment>,
}

/// A stretch of time in which something happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moment {
    pub start: String,
    /// Executions that ended in it.
    pub calls: u64,
    pub errors: u64,
    pub total_ms: f64,
    #[serde(flatten)]
    pub latency: Latency,
    pub rows: Option<u64>,
    /// Sessions that ran a statement, in the mean; `None` when the log's clock cannot tell.
    pub average_busy_sessions: Option<f64>,
}

/// A second or minute with its executions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peak {
    pub start: String,
    pub executions: u64,
}

impl Latency {
    pub(super) fn of(tally: &Tally) -> Latency {
        let quantile = |q: f64| tally.quantile_ms(q).map(rounded);
        Latency {
            mean_ms: tally.mean_ms().map(rounded),
            p50_ms: quantile(0.5),
            p90_ms: quantile(0.9),
            p95_ms: quantile(0.95),
            p99_ms: quantile(0.99),
            max_ms: (tally.timed > 0).then(|| ms(tally.max_us)),
        }
    }
}

pub(super) fn histogram(sketch: &Sketch) -> Vec<Class> {
    let classes = histogram::classes(sketch).into_iter();
    classes.map(|class| Class { to_ms: ms(class.to_us), calls: class.calls }).collect()
}

pub(super) fn over_time(series: &Series<Load>) -> Over {
    let buckets = series.iter().filter_map(|(second, load)| {
        let start = second_since_1970(second)?;
        Some(Bucket { start, calls: load.calls, total_ms: ms(load.total_us) })
    });
    Over { bucket_seconds: series.width(), buckets: buckets.collect() }
}

/// The workload's own halves are those of the log: from its first execution's end to its last's.
pub(super) fn trend(series: &Series<Load>, workload: &Workload) -> Option<Trend> {
    let totals = workload.totals();
    let halves = Halves::of(series, totals.first?, totals.last?)?;
    let mean = |load: Load| (load.calls > 0).then(|| rounded(ms(load.total_us) / load.calls as f64));
    Some(Trend {
        calls_before: halves.before.calls,
        calls_after: halves.after.calls,
        mean_ms_before: mean(halves.before),
        mean_ms_after: mean(halves.after),
    })
}

/// A fraction with six decimals; `None` when there is no whole.
pub(super) fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| (part / whole * 1e6).round() / 1e6)
}

pub(super) fn second_since_1970(second: i64) -> Option<String> {
    whole_seconds(second.checked_mul(1_000_000)?)
}

pub(super) fn parts(workload: &Workload) -> Parts {
    let of = |dimension| {
        let mut parts: Vec<Part> =
            workload.by(dimension).into_iter().map(|(name, one)| part(name, &one, workload)).collect();
        parts.sort_by(|a, b| {
            (b.total_ms.total_cmp(&a.total_ms))
                .then_with(|| b.calls.cmp(&a.calls))
                .then_with(|| a.name.cmp(&b.name))
        });
        parts
    };
    Parts {
        databases: of(Dimension::Database),
        users: of(Dimension::User),
        applications: of(Dimension::Application),
        hosts: of(Dimension::Host),
    }
}

fn part(name: String, one: &Breakdown, workload: &Workload) -> Part {
    let tally = &one.tally;
    Part {
        name,
        queries: one.queries,
        calls: tally.calls,
        errors: tally.errors,
        total_ms: ms(tally.total_us),
        share: share(tally.total_us as f64, workload.totals().total_us as f64),
        latency: Latency::of(tally),
        rows: tally.rows,
        first: tally.first.and_then(whole_seconds),
        last: tally.last.and_then(whole_seconds),
        histogram: histogram(&tally.sketch),
        over_time: over_time(&one.series),
        trend: trend(&one.series, workload),
    }
}

pub(super) fn timeline(workload: &Workload) -> Timeline {
    let moments = workload.moments();
    let fine = workload.concurrency().is_some();
    let length_us = moments.width() as f64 * 1e6;
    let buckets = moments.iter().filter_map(|(second, moment)| {
        let tally = &moment.tally;
        Some(Moment {
            start: second_since_1970(second)?,
            calls: tally.calls,
            errors: tally.errors,
            total_ms: ms(tally.total_us),
            latency: Latency::of(tally),
            rows: tally.rows,
            average_busy_sessions: fine.then(|| rounded(moment.busy_us as f64 / length_us)),
        })
    });
    Timeline { bucket_seconds: moments.width(), buckets: buckets.collect() }
}

/// Who sent a query.
pub(super) fn senders(query: &crate::workload::Query, workload: &Workload) -> Senders {
    let of = |dimension| {
        let sent = workload.query_by(query, dimension).into_iter();
        let mut sent: Vec<Sent> =
            sent.map(|(name, load)| Sent { name, calls: load.calls, total_ms: ms(load.total_us) }).collect();
        sent.sort_by(|a, b| {
            (b.total_ms.total_cmp(&a.total_ms))
                .then_with(|| b.calls.cmp(&a.calls))
                .then_with(|| a.name.cmp(&b.name))
        });
        sent
    };
    Senders {
        databases: of(Dimension::Database),
        users: of(Dimension::User),
        applications: of(Dimension::Application),
        hosts: of(Dimension::Host),
    }
}
