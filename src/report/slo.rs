//! Objectives that a workload must meet, such as `p95=500ms,errors=0.1%`, and whether it does.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Query, Report};

/// What is limited, and by how much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    pub metric: Metric,
    /// Milliseconds; of errors, percent of all statements.
    pub limit: f64,
    /// Each query for itself, not all executions together.
    pub per_query: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    Mean,
    P50,
    P90,
    P95,
    P99,
    Max,
    Errors,
}

/// One objective and what was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// `mean`, `p50`, `p90`, `p95`, `p99`, `max` or `errors`.
    pub metric: String,
    /// `workload`, or `query` when each query was held to it.
    pub scope: String,
    pub limit: f64,
    /// Of `limit` and `actual`: `ms` or `%`.
    pub unit: String,
    /// Of a query the worst one's; `None` when the log does not tell.
    pub actual: Option<f64>,
    /// `None` when the log does not tell.
    pub met: Option<bool>,
    /// The queries that do not meet it, the worst first.
    pub violations: Vec<Violation>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Violation {
    /// `id` of the query.
    pub query: String,
    pub actual: f64,
}

impl Metric {
    const ALL: [(&'static str, Metric); 7] = [
        ("mean", Metric::Mean),
        ("p50", Metric::P50),
        ("p90", Metric::P90),
        ("p95", Metric::P95),
        ("p99", Metric::P99),
        ("max", Metric::Max),
        ("errors", Metric::Errors),
    ];

    fn unit(self) -> &'static str {
        if self == Metric::Errors { "%" } else { "ms" }
    }

    fn of_workload(self, report: &Report) -> Option<f64> {
        let latency = &report.totals.latency;
        match self {
            Metric::Mean => latency.mean_ms,
            Metric::P50 => latency.p50_ms,
            Metric::P90 => latency.p90_ms,
            Metric::P95 => latency.p95_ms,
            Metric::P99 => latency.p99_ms,
            Metric::Max => latency.max_ms,
            Metric::Errors => percent(report.totals.errors, report.totals.executions),
        }
    }

    fn of_query(self, query: &Query) -> Option<f64> {
        match self {
            Metric::Mean => query.mean_ms,
            Metric::P50 => query.p50_ms,
            Metric::P90 => query.p90_ms,
            Metric::P95 => query.p95_ms,
            Metric::P99 => query.p99_ms,
            Metric::Max => query.max_ms,
            Metric::Errors => percent(query.errors, query.calls),
        }
    }
}

/// Statements that failed, of those that failed and those that ran to their end.
fn percent(errors: u64, executions: u64) -> Option<f64> {
    let all = errors + executions;
    (all > 0).then(|| (errors as f64 / all as f64 * 1e8).round() / 1e6)
}

impl fmt::Display for Metric {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Metric::ALL.iter().find(|(_, metric)| metric == self).map_or("", |(name, _)| *name);
        to.write_str(name)
    }
}

impl FromStr for Objective {
    type Err = String;

    /// `p95=500ms`, `max=2s`, `errors=0.1%`.
    fn from_str(text: &str) -> Result<Objective, String> {
        let (name, limit) =
            text.split_once('=').ok_or_else(|| format!("`{text}` is not an objective such as p95=500ms"))?;
        let (name, limit) = (name.trim(), limit.trim());
        let known = Metric::ALL.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let Some((_, metric)) = known else {
            return Err(format!("`{name}` is none of mean, p50, p90, p95, p99, max and errors"));
        };
        let digits = limit.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
        let number: f64 = limit[..digits].parse().map_err(|_| format!("`{limit}` is not a number"))?;
        let factor = match (metric, limit[digits..].trim()) {
            (Metric::Errors, "%") => 1.0,
            (Metric::Errors, unit) => return Err(format!("errors are limited in %, not in `{unit}`")),
            (_, "us" | "µs") => 0.001,
            (_, "ms") => 1.0,
            (_, "s") => 1000.0,
            (_, "m" | "min") => 60_000.0,
            (_, unit) => return Err(format!("`{unit}` is not a unit of time: use us, ms, s or min")),
        };
        Ok(Objective { metric: *metric, limit: number * factor, per_query: false })
    }
}

/// Holds a report to objectives, in the order given.
pub fn judge(objectives: &[Objective], report: &Report) -> Vec<Verdict> {
    objectives.iter().map(|objective| verdict(objective, report)).collect()
}

fn verdict(objective: &Objective, report: &Report) -> Verdict {
    let Objective { metric, limit, per_query } = *objective;
    let mut violations = Vec::new();
    let actual = if per_query {
        let all = report.queries.iter().filter_map(|query| Some((query, metric.of_query(query)?)));
        let all: Vec<(&Query, f64)> = all.collect();
        violations.extend(
            all.iter()
                .filter(|(_, actual)| *actual > limit)
                .map(|(query, actual)| Violation { query: query.id.clone(), actual: *actual }),
        );
        violations.sort_by(|a, b| b.actual.total_cmp(&a.actual).then_with(|| a.query.cmp(&b.query)));
        all.iter().map(|(_, actual)| *actual).max_by(f64::total_cmp)
    } else {
        metric.of_workload(report)
    };
    Verdict {
        metric: metric.to_string(),
        scope: if per_query { "query" } else { "workload" }.to_owned(),
        limit,
        unit: metric.unit().to_owned(),
        actual,
        met: actual.map(|actual| actual <= limit),
        violations,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_are_read_strictly() {
        let read = |text: &str| text.parse::<Objective>().map(|read| (read.metric, read.limit));
        assert_eq!(read("p95=500ms"), Ok((Metric::P95, 500.0)));
        assert_eq!(read("P99 = 2s"), Ok((Metric::P99, 2000.0)));
        assert_eq!(read("max=1.5min"), Ok((Metric::Max, 90_000.0)));
        assert_eq!(read("errors=0.1%"), Ok((Metric::Errors, 0.1)));
        for wrong in ["p95", "p95=", "p95=5", "p96=5ms", "errors=1", "errors=1ms", "p95=1%", "mean=-1ms"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
