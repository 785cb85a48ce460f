//! What `sargable index` shows beside the advice: the statements together, what less room would buy, and why the
//! other candidates were left out.

use tabled::{
    builder::Builder,
    settings::{Alignment, Padding, Style},
};

use super::{
    page::Page,
    units::{bytes, count},
};
use crate::{
    advise::AdviceKind,
    report::{Report, index::IndexSearch},
};

/// Rows of the frontier.
const SHOWN: usize = 8;

/// The statements in the order in which to run them, and what they come to.
pub(super) fn summary(page: &mut Page, report: &Report) {
    let creates: Vec<_> =
        report.advice.iter().filter(|advice| advice.kind == AdviceKind::CreateIndex).collect();
    if creates.is_empty() {
        page.heading("No index is missing");
        page.prose(0, nothing(report));
        return;
    }
    let size: u64 = creates.iter().filter_map(|advice| advice.size_bytes).sum();
    let of_unknown = creates.iter().filter(|advice| advice.size_bytes.is_none()).count();
    let mut title = format!("{}, {} est.", count(creates.len() as u64, "index", "indexes"), bytes(size));
    if of_unknown > 0 {
        title.push_str(&format!(" and {of_unknown} of unknown size"));
    }
    if let Some(last) = report.index.as_ref().and_then(|search| search.frontier.last()) {
        title.push_str(&format!(": {:.0} % of the workload's cost would be left", last.left * 100.0));
    }
    page.heading(&title);
    for advice in &report.advice {
        if advice.kind != AdviceKind::Pool {
            page.sql(0, &advice.sql);
        }
    }
    let mut locks: Vec<&str> = creates.iter().filter_map(|advice| advice.lock.as_deref()).collect();
    locks.sort_unstable();
    locks.dedup();
    page.blank();
    for lock in locks {
        page.field(0, "lock", lock);
    }
}

fn nothing(report: &Report) -> &'static str {
    if report.queries.is_empty() {
        "There was no query to judge."
    } else {
        "Each query is served by the indexes there are, reads little, or gains nothing by another one; --why-not tells what was thought of."
    }
}

/// What less room would buy.
pub(super) fn frontier(page: &mut Page, search: &IndexSearch) {
    if search.frontier.len() < 3 {
        return;
    }
    page.heading("Less room, less gain");
    let mut table = Builder::default();
    table.push_record(["indexes", "size", "cost left"]);
    let step = search.frontier.len().div_ceil(SHOWN);
    for point in search.frontier.iter().rev().step_by(step) {
        table.push_record([
            point.indexes.to_string(),
            bytes(point.bytes),
            format!("{:.0} %", point.left * 100.0),
        ]);
    }
    let mut table = table.build();
    table.with(Style::empty()).with(Padding::new(0, 3, 0, 0)).with(Alignment::right());
    for line in table.to_string().lines() {
        page.line(2, line);
    }
    page.blank();
    page.prose(2, "--max-size, --max-indexes and --max-per-table keep the advice to such a budget.");
}

/// The candidates that are not advised.
pub(super) fn why_not(page: &mut Page, search: &IndexSearch) {
    if search.rejected.is_empty() {
        return;
    }
    page.heading(&format!(
        "Not advised: {}",
        count(search.rejected.len() as u64, "other candidate", "other candidates")
    ));
    for rejected in &search.rejected {
        page.prose(2, rejected.sql.trim_start_matches("CREATE INDEX "));
        page.prose(4, &rejected.why);
    }
}
