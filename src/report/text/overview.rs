//! The workload as a whole: rate, latency, errors, reads and writes, sessions, and how it went over time.

use super::{
    chart,
    page::Page,
    units::{count, duration, grouped, share},
};
use crate::report::{
    Report,
    figures::{Moment, Peak, Timeline},
};

/// Columns of a chart, at most.
const WIDEST: usize = 120;

/// Columns left of a chart.
const LEFT: usize = 9;

pub(super) fn write(page: &mut Page, report: &Report) {
    let totals = &report.totals;
    if totals.executions == 0 {
        return;
    }
    let lines = [
        ("Rate", rate(report)),
        ("Latency", latency(report)),
        ("Sessions", sessions(report)),
        ("Errors", errors(report)),
        ("Balance", balance(report)),
    ];
    if lines.iter().all(|(_, line)| line.is_none()) {
        return;
    }
    page.heading("Overview");
    for (label, line) in lines {
        if let Some(line) = line {
            page.field(0, label, &line);
        }
    }
    over_time(page, &report.timeline);
}

fn rate(report: &Report) -> Option<String> {
    let average = report.totals.executions_per_second?;
    let mut parts = vec![match average {
        many if many >= 10.0 => format!("{many:.0} executions a second"),
        few => format!("{few:.1} executions a second"),
    }];
    let peak = |peak: &Option<Peak>, what: &str| {
        peak.as_ref().map(|peak| {
            format!("{} in the busiest {what} ({})", grouped(peak.executions), clock(&peak.start))
        })
    };
    parts.extend(peak(&report.totals.peak_second, "second"));
    parts.extend(peak(&report.totals.peak_minute, "minute"));
    Some(parts.join("; "))
}

fn latency(report: &Report) -> Option<String> {
    let latency = &report.totals.latency;
    let figures = [
        ("mean", latency.mean_ms),
        ("p50", latency.p50_ms),
        ("p90", latency.p90_ms),
        ("p95", latency.p95_ms),
        ("p99", latency.p99_ms),
        ("max", latency.max_ms),
    ];
    let told: Vec<String> =
        figures.iter().filter_map(|(name, ms)| Some(format!("{name}\u{a0}{}", duration((*ms)?)))).collect();
    let error = report.totals.percentile_error * 100.0;
    (!told.is_empty()).then(|| format!("{} (percentiles within {error} %)", told.join(", ")))
}

fn sessions(report: &Report) -> Option<String> {
    let totals = &report.totals;
    Some(format!(
        "{} busy at the peak, {} in the 95th percentile of seconds, {:.1} on average",
        grouped(totals.peak_busy_sessions?),
        grouped(totals.p95_busy_sessions?),
        totals.average_busy_sessions?
    ))
}

fn errors(report: &Report) -> Option<String> {
    let totals = &report.totals;
    let whole = (totals.errors + totals.executions) as f64;
    totals.error_rate?;
    Some(format!(
        "{} ({} of all)",
        count(totals.errors, "statement", "statements"),
        share(totals.errors as f64, whole)
    ))
}

fn balance(report: &Report) -> Option<String> {
    let (reads, writes) = (report.totals.reads, report.totals.writes);
    let both = (reads + writes) as f64;
    (both > 0.0).then(|| {
        format!(
            "{} ({}), {} ({})",
            count(reads, "read", "reads"),
            share(reads as f64, both),
            count(writes, "write", "writes"),
            share(writes as f64, both)
        )
    })
}

/// One line of bars for executions and one for busy time.
fn over_time(page: &mut Page, timeline: &Timeline) {
    let Some(dense) = dense(timeline) else { return };
    let room = (page.width() - LEFT).min(WIDEST);
    let calls: Vec<f64> = dense.iter().map(|moment| moment.map_or(0.0, |one| one.calls as f64)).collect();
    let busy: Vec<f64> = dense.iter().map(|moment| moment.map_or(0.0, |one| one.total_ms)).collect();
    let errors: Vec<f64> = dense.iter().map(|moment| moment.map_or(0.0, |one| one.errors as f64)).collect();
    let (squeezed, each) = chart::squeeze(&calls, room);
    let seconds = timeline.bucket_seconds * i64::try_from(each).unwrap_or(1);
    page.blank();
    page.prose(0, &format!("Over time, a column for each {}:", length(seconds)));
    let unicode = page.unicode();
    let line = |values: &[f64]| chart::bars(&chart::squeeze(values, room).0, unicode);
    let highest = |values: &[f64]| chart::squeeze(values, room).0.into_iter().fold(0.0, f64::max);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
    let most = |values: &[f64]| grouped(highest(values) as u64);
    let rows = [
        ("calls", line(&calls), format!("at most {}", most(&calls))),
        ("time", line(&busy), format!("at most {}", duration(highest(&busy)))),
        ("errors", line(&errors), format!("at most {}", most(&errors))),
    ];
    for (label, bars, most) in rows {
        if bars.trim().is_empty() {
            continue;
        }
        page.line(0, &format!("{label:LEFT$}{bars}"));
        page.line(LEFT, &most);
    }
    if let (Some(first), Some(last)) = (timeline.buckets.first(), timeline.buckets.last()) {
        let axis = chart::ends(clock(&first.start), clock(&last.start), squeezed.len());
        page.line(LEFT, &axis);
    }
}

/// Every stretch from the first to the last; `None` when there are too few to draw.
fn dense(timeline: &Timeline) -> Option<Vec<Option<&Moment>>> {
    let second =
        |moment: &Moment| moment.start.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second);
    let (first, last) = (second(timeline.buckets.first()?)?, second(timeline.buckets.last()?)?);
    let length = usize::try_from((last - first) / timeline.bucket_seconds.max(1) + 1).ok()?;
    if !(3..=10_000).contains(&length) {
        return None;
    }
    let mut dense = vec![None; length];
    for moment in &timeline.buckets {
        let at = usize::try_from((second(moment)? - first) / timeline.bucket_seconds.max(1)).ok()?;
        *dense.get_mut(at)? = Some(moment);
    }
    Some(dense)
}

/// `04:22:29` of an RFC 3339 time.
pub(super) fn clock(time: &str) -> &str {
    time.split_once('T').map_or(time, |(_, clock)| clock.trim_end_matches('Z'))
}

/// `second`, `15 seconds`, `5 minutes`, `hour`.
pub(super) fn length(seconds: i64) -> String {
    let (number, unit) = match seconds {
        s if s % 86_400 == 0 => (s / 86_400, "day"),
        s if s % 3600 == 0 => (s / 3600, "hour"),
        s if s % 60 == 0 => (s / 60, "minute"),
        s => (s, "second"),
    };
    if number == 1 { unit.to_owned() } else { format!("{number} {unit}s") }
}
