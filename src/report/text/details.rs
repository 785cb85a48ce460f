//! The first few queries one by one: how long they take, when they ran, who sent them, what changed.

use super::{
    chart,
    overview::{clock, length},
    page::Page,
    short_id,
    shorten::fit,
    units::{count, duration, grouped, share},
};
use crate::report::{
    Query, Report,
    figures::{Bucket, Class, Sent, Trend},
};

const SHOWN: usize = 3;
/// Columns of a chart, at most.
const WIDEST: usize = 60;

pub(super) fn write(page: &mut Page, report: &Report) {
    let shown: Vec<&Query> =
        report.queries.iter().filter(|query| query.timed_calls > 1 && !query.histogram.is_empty()).collect();
    let shown = &shown[..shown.len().min(SHOWN)];
    if shown.is_empty() {
        return;
    }
    page.heading("A closer look");
    for (at, query) in shown.iter().enumerate() {
        if at > 0 {
            page.blank();
        }
        for line in fit(short_id(&query.id), &query.text, page.width(), 1) {
            page.line(0, &line);
        }
        one(page, query);
    }
}

fn one(page: &mut Page, query: &Query) {
    let figures = [
        ("min", query.min_ms),
        ("p50", query.p50_ms),
        ("p90", query.p90_ms),
        ("p95", query.p95_ms),
        ("p99", query.p99_ms),
        ("max", query.max_ms),
    ];
    let told: Vec<String> =
        figures.iter().filter_map(|(name, ms)| Some(format!("{name}\u{a0}{}", duration((*ms)?)))).collect();
    page.field(2, "takes", &told.join(", "));
    if let Some(line) = histogram(&query.histogram, page.unicode()) {
        page.field(2, "spread", &line);
    }
    if let Some(line) = when(&query.over_time.buckets, query.over_time.bucket_seconds, page.unicode()) {
        page.field(2, "when", &line);
    }
    if let Some(trend) = &query.trend {
        page.field(2, "trend", &trend_of(trend));
    }
    if let Some(rows) = query.rows {
        let each = rows as f64 / query.calls.max(1) as f64;
        page.field(2, "rows", &format!("{}, {each:.1} a call", grouped(rows)));
    }
    let senders = &query.senders;
    let by = [
        ("application", &senders.applications),
        ("user", &senders.users),
        ("host", &senders.hosts),
        ("database", &senders.databases),
    ];
    let told: Vec<String> =
        by.iter().filter_map(|(what, sent)| Some(format!("{what} {}", names(sent, query.calls)?))).collect();
    if !told.is_empty() {
        page.field(2, "by", &told.join("; "));
    }
}

/// `0.1 ms |▁▃█▂| 5 ms`, each bar a class.
fn histogram(classes: &[Class], unicode: bool) -> Option<String> {
    let (first, last) = (classes.first()?, classes.last()?);
    let values: Vec<f64> = classes.iter().map(|class| class.calls as f64).collect();
    // A no-break space keeps the bars in one piece.
    let bars = chart::bars(&values, unicode).replace(' ', "\u{a0}");
    Some(format!("{}\u{a0}|{bars}|\u{a0}{}", duration(first.to_ms), duration(last.to_ms)))
}

fn when(buckets: &[Bucket], seconds: i64, unicode: bool) -> Option<String> {
    let second = |bucket: &Bucket| Some(bucket.start.parse::<jiff::Timestamp>().ok()?.as_second());
    let (first, last) = (second(buckets.first()?)?, second(buckets.last()?)?);
    let number =
        usize::try_from((last - first) / seconds.max(1) + 1).ok().filter(|number| *number <= 10_000)?;
    let from = clock(&buckets.first()?.start);
    if number < 3 {
        return Some(format!("at {from}, in one {}", length(seconds * i64::try_from(number).unwrap_or(1))));
    }
    let mut values = vec![0.0; number];
    for bucket in buckets {
        let at = usize::try_from((second(bucket)? - first) / seconds.max(1)).ok()?;
        *values.get_mut(at)? = bucket.calls as f64;
    }
    let bars = chart::bars(&chart::squeeze(&values, WIDEST).0, unicode).replace(' ', "\u{a0}");
    Some(format!("{from}\u{a0}|{bars}|\u{a0}{}", clock(&buckets.last()?.start)))
}

fn trend_of(trend: &Trend) -> String {
    let mut text = format!(
        "{} calls in the first half of the log, {} in the second",
        grouped(trend.calls_before),
        grouped(trend.calls_after)
    );
    if let (Some(before), Some(after)) = (trend.mean_ms_before, trend.mean_ms_after) {
        text.push_str(&format!("; {} each, then {}", duration(before), duration(after)));
    }
    text
}

/// `web (90 %), worker (10 %)`; by calls, at most three.
fn names(sent: &[Sent], calls: u64) -> Option<String> {
    let first = sent.first()?;
    if sent.len() == 1 && first.calls == calls {
        return Some(first.name.clone());
    }
    let mut told: Vec<String> = sent
        .iter()
        .take(3)
        .map(|one| format!("{} ({})", one.name, share(one.calls as f64, calls as f64)))
        .collect();
    if sent.len() > 3 {
        told.push(count(sent.len() as u64 - 3, "other", "others"));
    }
    Some(told.join(", "))
}
