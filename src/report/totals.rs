//! The figures of a whole workload.

use serde::{Deserialize, Serialize};

use super::{
    figures::{self, Class, Latency, Peak},
    ms, rounded, whole_seconds,
};
use crate::workload::{self, ByKind, Sketch, Workload};

/// Figures of the whole workload. Times are UTC in whole seconds, since some logs know no finer ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    pub executions: u64,
    pub total_ms: f64,
    pub by_kind: ByKind,
    /// Statements that failed.
    pub errors: u64,
    /// RFC 3339; `None` when nothing was executed.
    pub first: Option<String>,
    pub last: Option<String>,
    /// Sessions that ran a statement at once; `None` when the log cannot tell, as the next two.
    pub peak_busy_sessions: Option<u64>,
    pub p95_busy_sessions: Option<u64>,
    pub average_busy_sessions: Option<f64>,
    /// Parse and bind steps of the extended protocol: time, but no executions.
    pub parse_bind_ms: f64,
    pub parse_bind_steps: u64,
    #[serde(flatten)]
    pub latency: Latency,
    /// How far a percentile may be off, relative to itself.
    #[serde(default)]
    pub percentile_error: f64,
    #[serde(default)]
    pub histogram: Vec<Class>,
    #[serde(default)]
    pub rows: Option<u64>,
    /// Statements that failed, of those that failed and those that ran to their end; 0 to 1.
    #[serde(default)]
    pub error_rate: Option<f64>,
    /// Executions that read (SELECT, and WITH that only reads), and that write.
    #[serde(default)]
    pub reads: u64,
    #[serde(default)]
    pub writes: u64,
    /// From the end of the first execution to the end of the last.
    #[serde(default)]
    pub executions_per_second: Option<f64>,
    #[serde(default)]
    pub peak_second: Option<Peak>,
    #[serde(default)]
    pub peak_minute: Option<Peak>,
    /// The cheapest queries of a workload that has too many of them to list: also in the figures above.
    #[serde(default)]
    pub other: Other,
}

/// Queries that are not listed one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Other {
    pub queries: u64,
    pub calls: u64,
    pub total_ms: f64,
}

pub(super) fn totals(workload: &Workload) -> Totals {
    let totals = workload.totals();
    let overall = workload.overall();
    let (reads, writes) = workload.reads_and_writes();
    let seconds = |us: i64| us.div_euclid(1_000_000);
    let span =
        totals.first.zip(totals.last).map(|(first, last)| seconds(last).saturating_sub(seconds(first)));
    let (peak_second, peak_minute) = workload.peaks().unzip();
    let peak = |peak: workload::Peak| {
        let start = figures::second_since_1970(peak.second)?;
        Some(Peak { start, executions: peak.executions })
    };
    let busy = workload.concurrency();
    Totals {
        executions: totals.executions,
        total_ms: ms(totals.total_us),
        by_kind: totals.by_kind,
        errors: totals.errors,
        first: totals.first.and_then(whole_seconds),
        last: totals.last.and_then(whole_seconds),
        peak_busy_sessions: busy.map(|busy| busy.peak),
        p95_busy_sessions: busy.map(|busy| busy.p95),
        average_busy_sessions: busy.map(|busy| rounded(busy.average)),
        parse_bind_ms: ms(totals.parse_bind_us),
        parse_bind_steps: totals.parse_bind_steps,
        other: Other {
            queries: totals.other.queries,
            calls: totals.other.calls,
            total_ms: ms(totals.other.total_us),
        },
        latency: Latency::of(&overall),
        percentile_error: Sketch::RELATIVE_ERROR,
        histogram: figures::histogram(&overall.sketch),
        rows: overall.rows,
        error_rate: figures::share(totals.errors as f64, (totals.errors + totals.executions) as f64)
            .filter(|_| totals.counted == 0),
        reads,
        writes,
        executions_per_second: span
            .filter(|span| *span > 0)
            .map(|span| rounded(totals.executions as f64 / span as f64)),
        peak_second: peak_second.and_then(peak),
        peak_minute: peak_minute.and_then(peak),
    }
}
