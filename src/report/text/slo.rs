//! Whether the objectives are met, and by which query not.

use super::{
    page::{Page, clean},
    query, short_id,
    shorten::shorten,
    units::duration,
};
use crate::report::{Report, slo::Verdict};

/// Queries that are named for an objective.
const NAMED: usize = 5;

pub(super) fn write(page: &mut Page, report: &Report) {
    if report.slo.is_empty() {
        return;
    }
    let missed = report.slo.iter().filter(|verdict| verdict.met == Some(false)).count();
    page.heading(&match missed {
        0 => "Objectives: none is missed".to_owned(),
        missed => format!("Objectives: {missed} of {} missed", report.slo.len()),
    });
    for verdict in &report.slo {
        let word = match verdict.met {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "unknown",
        };
        let scope = if verdict.scope == "query" { " of each query" } else { "" };
        let actual = match (verdict.actual, verdict.scope.as_str()) {
            (Some(actual), "query") => format!("{} at worst", figure(verdict, actual)),
            (Some(actual), _) => figure(verdict, actual),
            (None, _) => "the log does not tell".to_owned(),
        };
        let text = format!("{}{scope} at most {}: {actual}", verdict.metric, figure(verdict, verdict.limit));
        page.hanging(0, &format!("{word:9}"), 9, &text);
        for violation in verdict.violations.iter().take(NAMED) {
            let text = query(report, &violation.query).map_or("", |query| query.text.as_str());
            let lead = format!("{} {}", short_id(&violation.query), figure(verdict, violation.actual));
            let room = page.width().saturating_sub(11 + lead.chars().count());
            page.line(9, &format!("{} {}", clean(&lead), shorten(text, room.max(20))));
        }
        if let Some(more) = verdict.violations.len().checked_sub(NAMED).filter(|more| *more > 0) {
            page.line(9, &format!("and {more} more in the JSON report"));
        }
    }
}

fn figure(verdict: &Verdict, value: f64) -> String {
    if verdict.unit == "%" { format!("{value}\u{a0}%") } else { duration(value) }
}
