//! The most expensive queries as a table: figures in columns, and the text beside them where the
//! terminal is wide enough, below them where it is not.

use tabled::{
    builder::Builder,
    settings::{Alignment, Padding, Style},
};
use unicode_width::UnicodeWidthStr as _;

use super::{
    page::Page,
    short_id,
    shorten::fit,
    units::{count, duration, share, short_count},
};
use crate::report::{Order, Query, Report};

const SHOWN: usize = 10;

/// From this width on the query stands beside its figures.
const WIDE: usize = 140;

/// Lines that one query's text may take.
const LINES: usize = 2;

const FIGURES: [&str; 8] = ["share", "calls", "total", "mean", "p50", "p95", "p99", "max"];

/// Columns of a short id and of the gap after it.
const ID: usize = 10;

pub(super) fn write(page: &mut Page, report: &Report) {
    let timed: Vec<&Query> = report.queries.iter().filter(|query| query.timed_calls > 0).collect();
    if timed.is_empty() {
        return by_calls(page, report);
    }
    let top = match report.ranking.top {
        Some(0) => timed.len(),
        top => top.unwrap_or(SHOWN),
    };
    let shown = &timed[..timed.len().min(top)];
    let title = title(report.ranking.by);
    page.heading(&match timed.len() - shown.len() {
        0 => title.to_owned(),
        more => format!("{title} (the first {top}; --top 0 shows {more} more)"),
    });
    let lines = table(report, shown);
    if page.width() >= WIDE {
        beside(page, &lines, shown);
    } else {
        below(page, &lines, shown);
    }
    let untimed: u64 =
        report.queries.iter().map(|query| query.calls - query.timed_calls.min(query.calls)).sum();
    if untimed > 0 {
        page.blank();
        page.prose(
            0,
            &format!(
                "{} had no duration in the log and are in no figure but calls.",
                count(untimed, "call", "calls")
            ),
        );
    }
}

/// A log without durations: what was sent most often.
fn by_calls(page: &mut Page, report: &Report) {
    let mut called: Vec<&Query> = report.queries.iter().filter(|query| query.calls > 0).collect();
    called.sort_by_key(|query| (std::cmp::Reverse(query.calls), query.id.clone()));
    if called.is_empty() {
        return;
    }
    let shown = &called[..called.len().min(SHOWN)];
    page.heading(&match called.len() - shown.len() {
        0 => "Queries by calls (no durations in this log)".to_owned(),
        more => format!(
            "Queries by calls (no durations in this log; the first {SHOWN}; {more} more in the JSON report)"
        ),
    });
    let mut table = Builder::default();
    table.push_record(["calls"]);
    for query in shown {
        table.push_record([short_count(query.calls)]);
    }
    let mut table = table.build();
    table.with(Style::empty()).with(Padding::new(0, 2, 0, 0)).with(Alignment::right());
    let lines: Vec<String> = table.to_string().lines().map(str::to_owned).collect();
    beside(page, &lines, shown);
}

fn title(by: Order) -> &'static str {
    match by {
        Order::Total => "Most expensive queries",
        Order::Calls => "Queries by calls",
        Order::Mean => "Queries by mean duration",
        Order::P95 => "Queries by 95th percentile",
        Order::P99 => "Queries by 99th percentile",
        Order::Max => "Queries by their slowest call",
        Order::Rows => "Queries by rows",
        Order::Errors => "Queries by errors",
    }
}

fn figures(report: &Report, query: &Query) -> Vec<String> {
    let time = |ms: Option<f64>| ms.map_or_else(|| "-".to_owned(), duration);
    vec![
        share(query.total_ms, report.totals.total_ms),
        short_count(query.calls),
        duration(query.total_ms),
        time(query.mean_ms),
        time(query.p50_ms),
        time(query.p95_ms),
        time(query.p99_ms),
        time(query.max_ms),
    ]
}

/// A line of figures for each query, under a line of headings.
fn table(report: &Report, shown: &[&Query]) -> Vec<String> {
    let mut table = Builder::default();
    table.push_record(FIGURES);
    for query in shown {
        table.push_record(figures(report, query));
    }
    let mut table = table.build();
    table.with(Style::empty()).with(Padding::new(0, 2, 0, 0)).with(Alignment::right());
    table.to_string().lines().map(str::to_owned).collect()
}

/// Narrow: the text below its figures.
fn below(page: &mut Page, lines: &[String], shown: &[&Query]) {
    for (at, line) in lines.iter().enumerate() {
        page.line(0, line);
        let Some(query) = at.checked_sub(1).and_then(|at| shown.get(at)) else { continue };
        for text in fit(short_id(&query.id), &query.text, page.width() - 4, LINES) {
            page.line(4, &text);
        }
    }
}

/// Wide: the text beside its figures.
fn beside(page: &mut Page, lines: &[String], shown: &[&Query]) {
    let left = lines.first().map_or(0, |heading| heading.width());
    let room = page.width().saturating_sub(left + ID);
    for (at, line) in lines.iter().enumerate() {
        let Some(query) = at.checked_sub(1).and_then(|at| shown.get(at)) else {
            page.line(0, &format!("{line}{:ID$}query", "id"));
            continue;
        };
        for (row, text) in fit("", &query.text, room, LINES).iter().enumerate() {
            match row {
                0 => page.line(0, &format!("{line}{:ID$}{text}", short_id(&query.id))),
                _ => page.line(left + ID, text),
            }
        }
    }
}
