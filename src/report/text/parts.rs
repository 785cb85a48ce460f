//! The workload by database, user, application and host, where there is more than one.

use tabled::{
    builder::Builder,
    settings::{Alignment, Padding, Style},
};
use unicode_width::UnicodeWidthStr as _;

use super::{
    page::{Page, clean},
    shorten::shorten,
    units::{duration, grouped, share, short_count},
};
use crate::report::{Report, figures::Part};

/// Rows of one table.
const SHOWN: usize = 8;

const FIGURES: [&str; 7] = ["share", "calls", "total", "mean", "p95", "p99", "errors"];

pub(super) fn write(page: &mut Page, report: &Report) {
    for (title, parts) in [
        ("By database", &report.parts.databases),
        ("By user", &report.parts.users),
        ("By application", &report.parts.applications),
        ("By host", &report.parts.hosts),
    ] {
        if parts.len() > 1 {
            page.heading(title);
            table(page, report, parts);
        }
    }
}

fn table(page: &mut Page, report: &Report, parts: &[Part]) {
    let time = |ms: Option<f64>| ms.map_or_else(|| "-".to_owned(), duration);
    let mut table = Builder::default();
    table.push_record(FIGURES);
    for part in parts.iter().take(SHOWN) {
        table.push_record([
            share(part.total_ms, report.totals.total_ms),
            short_count(part.calls),
            duration(part.total_ms),
            time(part.latency.mean_ms),
            time(part.latency.p95_ms),
            time(part.latency.p99_ms),
            grouped(part.errors),
        ]);
    }
    let mut table = table.build();
    table.with(Style::empty()).with(Padding::new(0, 2, 0, 0)).with(Alignment::right());
    for (at, line) in table.to_string().lines().enumerate() {
        let name = match at.checked_sub(1).and_then(|at| parts.get(at)) {
            Some(part) => shorten(&part.name, page.width().saturating_sub(line.width()).max(8)),
            None => "name".to_owned(),
        };
        page.line(0, &format!("{line}{}", clean(&name)));
    }
    if let Some(more) = parts.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        page.line(0, &format!("and {more} more in the JSON report (--format json)"));
    }
}
