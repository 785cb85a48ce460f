//! What the plan gate found: for each query that fails what became worse, from what, and its plan before and after;
//! of the others how many there are.

use super::{
    Style,
    page::{Page, clean},
    plan_diff,
    shorten::shorten,
    units::{cost, count, rows},
};
use crate::{
    finding::Severity,
    gate::{Checked, Regression, State, Verdict},
    plan::Plan,
    report::plan_diff::diff,
};

/// A page of its own. `file` is the lock file's name.
pub fn render(checked: &Checked, file: &str, style: &Style) -> String {
    let mut page = Page::new(*style);
    for verdict in &checked.verdicts {
        if verdict.fails() {
            failing(&mut page, verdict);
        }
    }
    let named = |state: State, page: &mut Page, title: &str| {
        let some = checked.verdicts.iter().filter(|verdict| verdict.state == state && !verdict.fails());
        for (at, verdict) in some.enumerate() {
            if at == 0 {
                page.blank();
                page.prose(0, title);
            }
            let place = verdict.files.first().map_or(verdict.query.as_str(), String::as_str);
            let room = page.width().saturating_sub(4 + place.len()).max(20);
            page.line(2, &format!("{}  {}", clean(place), shorten(&verdict.sql, room)));
        }
    };
    named(State::NotPlanned, &mut page, "Could not be planned:");
    named(State::New, &mut page, "New, and nothing wrong with their plans:");
    named(State::Changed, &mut page, "Planned otherwise, and no worse:");
    named(State::Gone, &mut page, &format!("No longer there, still in {file}:"));
    page.blank();
    summary(&mut page, checked, file);
    page.finish()
}

fn failing(page: &mut Page, verdict: &Verdict) {
    page.blank();
    let title = if verdict.state == State::New { "a new query's plan" } else { "its plan became worse" };
    let tag = page.severity(Severity::Error, "error");
    let place = verdict.files.join(", ");
    let place = if place.is_empty() { verdict.query.clone() } else { format!("{place} ({})", verdict.query) };
    page.hanging(0, &format!("{tag}: "), 7, &format!("{title}: {place}"));
    page.prose(2, &shorten(&verdict.sql, page.width().saturating_sub(2) * 3));
    for regression in &verdict.regressions {
        page.hanging(2, "* ", 2, &words(regression));
    }
    let because = match verdict.because.as_slice() {
        [] if verdict.state == State::New => String::new(),
        [] => {
            "nothing that the file tells; the query's constants, or what is not seen of the server".to_owned()
        }
        some => some.join("; "),
    };
    if !because.is_empty() {
        page.field(2, "changed", &because);
    }
    page.blank();
    let read = |plan: &Option<String>| plan.as_deref().and_then(|plan| Plan::from_text(plan).ok());
    match (read(&verdict.before), read(&verdict.after)) {
        (Some(before), Some(after)) => {
            plan_diff::body(page, &diff(&before, &after), ["as locked", "as it is now"]);
        }
        _ => {
            for line in verdict.after.iter().flat_map(|plan| plan.lines()) {
                page.line(4, &clean(line));
            }
        }
    }
}

fn words(regression: &Regression) -> String {
    match regression {
        Regression::SeqScan { table, rows: all, was } => {
            let was = was.as_ref().map(|was| format!(" (was {was})")).unwrap_or_default();
            format!("{table} is read as a whole, {} rows{was}", rows(*all))
        }
        Regression::Index { name, exists: true } => format!("index {name} is no longer used"),
        Regression::Index { name, exists: false } => format!("index {name} is gone"),
        Regression::Cost { before, after } => {
            format!("cost {} → {} ({} times)", cost(*before), cost(*after), times(*before, *after))
        }
        Regression::Rows { before, after } => {
            format!(
                "{} rows expected, {} before ({} times)",
                rows(*after),
                rows(*before),
                times(*before, *after)
            )
        }
    }
}

fn times(before: f64, after: f64) -> String {
    let factor = after / before.max(0.01);
    if factor < 10.0 { format!("{factor:.1}") } else { format!("{factor:.0}") }
}

fn summary(page: &mut Page, checked: &Checked, file: &str) {
    let failing = checked.verdicts.iter().filter(|verdict| verdict.fails()).count();
    let of = |state: State| {
        checked.verdicts.iter().filter(|verdict| verdict.state == state && !verdict.fails()).count()
    };
    let mut parts = vec![count(checked.verdicts.len() as u64, "query", "queries")];
    for (number, what) in [
        (failing, "worse"),
        (of(State::Same), "as before"),
        (of(State::Changed), "otherwise"),
        (of(State::New), "new"),
        (of(State::NotPlanned), "not planned"),
        (of(State::Gone), "gone"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {what}"));
        }
    }
    page.prose(0, &parts.join(", "));
    if failing > 0 {
        page.prose(
            0,
            &format!(
                "To take them as they are: `sargable plans check --accept --reason TEXT`, and commit {file}."
            ),
        );
    }
}
