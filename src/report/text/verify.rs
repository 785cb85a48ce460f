//! What `--verify` measured: each set of indexes with its real sizes, the queries before and after, and what got slower.

use std::collections::BTreeSet;

use tabled::{
    builder::Builder,
    settings::{Alignment, Padding, Style, object::Columns},
};

use super::{
    page::Page,
    query, short_id,
    shorten::shorten,
    units::{bytes, count, duration},
};
use crate::report::{
    Report,
    verify::{Query, Set, Verification},
};

/// Columns of the table before a query's text.
const FIGURES: usize = 44;

pub(super) fn write(page: &mut Page, report: &Report) {
    let Some(done) = &report.verification else { return };
    let built = done.sets.iter().flat_map(|set| &set.indexes).filter(|index| index.bytes.is_some()).count();
    let timed: BTreeSet<&str> =
        done.sets.iter().flat_map(|set| &set.queries).map(|query| query.query.as_str()).collect();
    let timed = timed.len();
    page.heading(&format!(
        "Measured on {}: {} built, {} timed{}",
        done.server,
        count(built as u64, "index", "indexes"),
        count(timed as u64, "query", "queries"),
        if done.stopped { ", then stopped" } else { "" },
    ));
    if done.sets.is_empty() {
        page.prose(0, "No index is advised, so that nothing was built.");
    }
    for (at, set) in done.sets.iter().enumerate() {
        if at > 0 {
            page.blank();
        }
        indexes(page, set);
        queries(page, report, set);
    }
    slower(page, report, done);
    not_run(page, done);
    for left in &done.left {
        page.blank();
        page.prose(
            0,
            &format!("{} could not be dropped: {}. The next --verify drops it.", left.name, left.why),
        );
    }
}

fn indexes(page: &mut Page, set: &Set) {
    for index in &set.indexes {
        let name = index.sql.split_once(" ON ").map_or(index.sql.as_str(), |(_, rest)| rest);
        let what = match (&index.why, index.bytes) {
            (Some(why), _) => format!("not built: {why}"),
            (None, Some(real)) => {
                let told =
                    index.told_bytes.map_or_else(String::new, |told| format!(", told {}", bytes(told)));
                let took =
                    index.build_ms.map_or_else(String::new, |ms| format!("; built in {}", duration(ms)));
                format!("{}{told}{took}", bytes(real))
            }
            (None, None) => "not built".to_owned(),
        };
        page.hanging(0, "", 2, &format!("{name}: {what}"));
    }
}

/// A table of the queries that the indexes serve; of the others only how many there are.
fn queries(page: &mut Page, report: &Report, set: &Set) {
    let served: Vec<&Query> = set.queries.iter().filter(|query| query.served).collect();
    if !served.is_empty() {
        page.blank();
        let mut table = Builder::default();
        table.push_record(["before", "after", "times", "", "query"]);
        for one in &served {
            let text = query(report, &one.query).map_or("", |query| query.text.as_str());
            table.push_record([
                time(one.ms_before, one.stopped_before),
                time(one.ms_after, one.stopped_after),
                factor(one),
                if one.used { "" } else { "not used" }.to_owned(),
                format!(
                    "{} {}",
                    short_id(&one.query),
                    shorten(text, page.width().saturating_sub(FIGURES + 10).max(20))
                ),
            ]);
        }
        let mut table = table.build();
        table
            .with(Style::empty())
            .with(Padding::new(0, 2, 0, 0))
            .modify(Columns::new(..3), Alignment::right());
        for line in table.to_string().lines() {
            page.line(2, line);
        }
    }
    let others: Vec<&Query> = set.queries.iter().filter(|query| !query.served).collect();
    if !others.is_empty() {
        let slower = others.iter().filter(|query| query.slower).count();
        page.blank();
        page.prose(
            2,
            &format!(
                "{} that read the same tables: {}.",
                count(others.len() as u64, "other query", "other queries"),
                if slower == 0 {
                    "none is slower".to_owned()
                } else {
                    count(slower as u64, "is slower", "are slower")
                }
            ),
        );
    }
}

/// `12 ms`; of what the timeout ended, `> 5 s`.
fn time(ms: f64, stopped: bool) -> String {
    if stopped { format!("> {}", duration(ms)) } else { duration(ms) }
}

/// How many times as fast it is, or as slow.
fn factor(query: &Query) -> String {
    if query.ms_after <= 0.0 || query.ms_before <= 0.0 || query.stopped_after {
        return String::new();
    }
    let factor = query.ms_before / query.ms_after;
    let at_least = if query.stopped_before { "> " } else { "" };
    if factor >= 9.95 { format!("{at_least}{factor:.0} ×") } else { format!("{at_least}{factor:.1} ×") }
}

fn slower(page: &mut Page, report: &Report, done: &Verification) {
    if done.sets.iter().all(|set| set.queries.is_empty()) {
        return;
    }
    page.blank();
    let slower: Vec<&Query> = done.slower().collect();
    if slower.is_empty() {
        page.prose(0, "No query got slower.");
        return;
    }
    page.prose(
        0,
        &format!("{} slower with the indexes:", count(slower.len() as u64, "query got", "queries got")),
    );
    for one in slower {
        let text = query(report, &one.query).map_or("", |query| query.text.as_str());
        let figures = format!(
            "{} {} → {}",
            short_id(&one.query),
            time(one.ms_before, one.stopped_before),
            time(one.ms_after, one.stopped_after)
        );
        page.line(
            2,
            &format!("{figures}  {}", shorten(text, page.width().saturating_sub(figures.len() + 4).max(20))),
        );
    }
}

fn not_run(page: &mut Page, done: &Verification) {
    if done.not_run.is_empty() {
        return;
    }
    page.blank();
    page.prose(0, &format!("{} not run:", count(done.not_run.len() as u64, "query was", "queries were")));
    let mut reasons: Vec<&str> = done.not_run.iter().map(|one| one.why.as_str()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    for why in reasons {
        let ids: Vec<&str> =
            done.not_run.iter().filter(|one| one.why == why).map(|one| short_id(&one.query)).collect();
        page.hanging(2, "", 0, &format!("{why}: {}", ids.join(", ")));
    }
}
