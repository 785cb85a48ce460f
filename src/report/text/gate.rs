//! What the plan gate found: for each query that fails what became worse, from what, and its plan before and after;
//! of the others how many there are.

use super::{
    Style,
    page::{Page, clean},
    shorten::shorten,
    units::{cost, count, rows},
};
use crate::{
    finding::Severity,
    gate::{Checked, Regression, State, Verdict},
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
    let lines = |plan: &Option<String>| -> Vec<String> {
        plan.iter().flat_map(|plan| plan.lines()).map(str::to_owned).collect()
    };
    let (before, after) = (lines(&verdict.before), lines(&verdict.after));
    if before.is_empty() {
        after.iter().for_each(|line| page.line(4, &clean(line)));
    } else {
        for (mark, line) in diff(&before, &after) {
            page.line(2, &format!("{mark} {}", clean(&line)));
        }
    }
}

fn words(regression: &Regression) -> String {
    match regression {
        Regression::SeqScan { table, rows: all, was } => {
            let was = was.as_ref().map(|was| format!(" (was {was})")).unwrap_or_default();
            format!("{table} is read as a whole, {}{was}", rows(*all))
        }
        Regression::Index { name, exists: true } => format!("index {name} is no longer used"),
        Regression::Index { name, exists: false } => format!("index {name} is gone"),
        Regression::Cost { before, after } => {
            format!("cost {} → {} ({} times)", cost(*before), cost(*after), times(*before, *after))
        }
        Regression::Rows { before, after } => {
            format!("{} expected, {} before ({} times)", rows(*after), rows(*before), times(*before, *after))
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

/// The lines of two plans, aligned: ` ` stands in both (with the figures of the second), `-` in the first, `+` in the
/// second.
fn diff(before: &[String], after: &[String]) -> Vec<(char, String)> {
    let key = |line: &String| -> String {
        let line = line.trim_start().trim_start_matches("->  ");
        line.rfind("  (cost=").map_or(line, |at| &line[..at]).to_owned()
    };
    let old: Vec<String> = before.iter().map(key).collect();
    let new: Vec<String> = after.iter().map(key).collect();
    let width = new.len() + 1;
    let mut best = vec![0_u32; (old.len() + 1) * width];
    for a in (0..old.len()).rev() {
        for b in (0..new.len()).rev() {
            best[a * width + b] = if old[a] == new[b] {
                best[(a + 1) * width + b + 1] + 1
            } else {
                best[(a + 1) * width + b].max(best[a * width + b + 1])
            };
        }
    }
    let (mut a, mut b, mut lines) = (0, 0, Vec::new());
    while a < old.len() || b < new.len() {
        if a < old.len() && b < new.len() && old[a] == new[b] {
            lines.push((' ', after[b].clone()));
            (a, b) = (a + 1, b + 1);
        } else if a < old.len() && (b == new.len() || best[(a + 1) * width + b] >= best[a * width + b + 1]) {
            lines.push(('-', before[a].clone()));
            a += 1;
        } else {
            lines.push(('+', after[b].clone()));
            b += 1;
        }
    }
    lines
}
