//! The most expensive queries as a table: figures in columns, and the text beside them where the
//! terminal is wide enough, below them where it is not.

use tabled::{
    builder::Builder,
    settings::{Alignment, Padding, Style, object::Columns, object::LastColumn},
};

use super::{
    page::Page,
    short_id,
    shorten::fit,
    units::{count, duration, share, short_count},
};
use crate::report::{Query, Report};

const SHOWN: usize = 10;

/// From this width on the query stands beside its figures.
const WIDE: usize = 140;

/// Lines that one query's text may take.
const LINES: usize = 2;

const FIGURES: [&str; 8] = ["share", "calls", "total", "mean", "p50", "p95", "p99", "max"];

/// Columns that the figures and the id take when the text stands beside them.
const BESIDE: usize = 84;

pub(super) fn write(page: &mut Page, report: &Report) {
    let timed: Vec<&Query> = report.queries.iter().filter(|query| query.timed_calls > 0).collect();
    if timed.is_empty() {
        return;
    }
    let shown = &timed[..timed.len().min(SHOWN)];
    page.heading(&match timed.len() - shown.len() {
        0 => "Most expensive queries".to_owned(),
        more => format!("Most expensive queries (the first {SHOWN}; {more} more in the JSON report)"),
    });
    if page.width() >= WIDE {
        beside(page, report, shown);
    } else {
        below(page, report, shown);
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

fn below(page: &mut Page, report: &Report, shown: &[&Query]) {
    let mut table = Builder::default();
    table.push_record(FIGURES);
    for query in shown {
        table.push_record(figures(report, query));
    }
    let mut table = table.build();
    table.with(Style::empty()).with(Padding::new(0, 2, 0, 0)).with(Alignment::right());
    let table = table.to_string();
    let mut lines = table.lines();
    page.line(0, lines.next().unwrap_or_default());
    for (line, query) in lines.zip(shown) {
        page.line(0, line);
        for line in fit(&format!("{} {}", short_id(&query.id), query.text), page.width() - 4, LINES) {
            page.line(4, &line);
        }
    }
}

fn beside(page: &mut Page, report: &Report, shown: &[&Query]) {
    let mut table = Builder::default();
    table.push_record(FIGURES.into_iter().chain(["id", "query"]));
    let room = page.width() - BESIDE;
    for query in shown {
        let about = [short_id(&query.id).to_owned(), fit(&query.text, room, LINES).join("\n")];
        table.push_record(figures(report, query).into_iter().chain(about));
    }
    let mut table = table.build();
    table.with(Style::empty()).with(Padding::new(0, 2, 0, 0)).with(Alignment::right());
    table.modify(Columns::new(FIGURES.len()..), Alignment::left());
    table.modify(LastColumn, Padding::zero());
    for line in table.to_string().lines() {
        page.line(0, line);
    }
}
