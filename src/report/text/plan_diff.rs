//! Two plans and what differs: side by side where the page is wide, else one under the other. A node has a
//! mark where it differs: `~` another way to the same rows, `-` gone, `+` new.

use unicode_width::UnicodeWidthStr as _;

use super::{
    Style,
    page::{Page, clean, wrap},
    tree::{Guides, guides},
    units::{TIE, cost, duration, rows},
    what_if,
};
use crate::{
    finding::Severity,
    report::{
        Report,
        plan_diff::{Change, DiffNode, DiffRow, PlanDiff, Side},
    },
};

/// From this width on the plans stand side by side.
const WIDE: usize = 150;

/// Columns that a node's words have at least.
const WORDS: usize = 22;

/// Columns between the two plans.
const GAP: usize = 3;

pub(super) fn write(page: &mut Page, report: &Report) {
    let Some(diff) = &report.plan_diff else { return };
    if let Some(answer) = &report.what_if {
        what_if::write(page, answer);
        body(page, diff, ["as it is", &what_if::title(answer)]);
    } else {
        page.heading("Plan before and after");
        body(page, diff, ["as it is", "with the advised indexes, as the planner expects"]);
    }
}

/// A page of its own, for two plans of any origin; `names` say what each is.
pub fn render(diff: &PlanDiff, names: [&str; 2], style: &Style) -> String {
    let mut page = Page::new(*style);
    body(&mut page, diff, names);
    page.finish()
}

pub(super) fn body(page: &mut Page, diff: &PlanDiff, names: [&str; 2]) {
    let titles = [heading(names[0], diff.before), heading(names[1], diff.after)];
    let wide = page.width() >= WIDE;
    let column = if wide { (page.width() - GAP) / 2 } else { page.width() };
    let before = lines(page, diff, column, |row| row.before.as_ref());
    let after = lines(page, diff, column, |row| row.after.as_ref());
    if wide {
        let heads = titles.map(|title| wrap(&title, column));
        for at in 0..heads[0].len().max(heads[1].len()) {
            let part = |side: usize| heads[side].get(at).cloned().unwrap_or_default();
            let line = [page.strong(&pad(&part(0), column)), page.strong(&part(1))];
            page.line(0, &format!("{}{:GAP$}{}", line[0], "", line[1]));
        }
        for ((row, left), right) in diff.rows.iter().zip(&before).zip(&after) {
            for at in 0..left.len().max(right.len()) {
                let old = painted(
                    page,
                    row,
                    Change::Removed,
                    &pad(left.get(at).map_or("", String::as_str), column),
                );
                let new = painted(page, row, Change::Added, right.get(at).map_or("", String::as_str));
                page.line(0, &format!("{old}{:GAP$}{new}", ""));
            }
        }
    } else {
        for (title, side, change) in
            [(&titles[0], &before, Change::Removed), (&titles[1], &after, Change::Added)]
        {
            page.blank();
            for line in wrap(title, column) {
                let line = page.strong(&line);
                page.line(0, &line);
            }
            for (row, lines) in diff.rows.iter().zip(side) {
                for line in lines {
                    let line = painted(page, row, change, line);
                    page.line(0, &line);
                }
            }
        }
    }
    page.blank();
    let legend = if diff.is_same() {
        "the same plan"
    } else {
        "- only before; + only after; ~ the same rows in another way"
    };
    let legend = page.dimmed(legend);
    page.line(2, &legend);
}

/// `after: with the advised indexes; cost 8.44`.
fn heading(name: &str, side: Side) -> String {
    let time = side.execution_ms.map(|ms| format!(", {}", duration(ms))).unwrap_or_default();
    format!("{name}: cost {}{time}", cost(side.cost))
}

/// The lines of each row's node on one side; none where the other side alone has it.
fn lines(
    page: &Page,
    diff: &PlanDiff,
    column: usize,
    of: fn(&DiffRow) -> Option<&DiffNode>,
) -> Vec<Vec<String>> {
    let depths: Vec<usize> = diff.rows.iter().filter_map(|row| of(row).map(|node| node.depth)).collect();
    let deepest = column.saturating_sub(WORDS + 2) / 2;
    let mut guides = guides(page, &depths, deepest).into_iter();
    let each = diff.rows.iter().map(|row| {
        let Some(node) = of(row) else { return Vec::new() };
        one(row, node, &guides.next().unwrap_or_default(), column)
    });
    each.collect()
}

fn one(row: &DiffRow, node: &DiffNode, guides: &Guides, column: usize) -> Vec<String> {
    let mark = match row.change {
        Change::Same => ' ',
        Change::Changed => '~',
        Change::Removed => '-',
        Change::Added => '+',
    };
    let room = |guide: &str| column.saturating_sub(2 + guide.width()).max(WORDS);
    let measured = match (node.rows, node.total_ms) {
        (Some(given), Some(ms)) => format!("; rows {}, {}", rows(given), duration(ms)),
        (Some(given), None) => format!("; rows {}", rows(given)),
        _ => String::new(),
    };
    let figures = format!(
        "(cost{TIE}{}, est.{TIE}{}{TIE}{}{measured})",
        cost(node.cost),
        rows(node.rows_expected),
        if node.rows_expected > 1.0 { "rows" } else { "row" }
    );
    let title = format!("{} {figures}", node.title);
    let mut lines: Vec<String> = wrap(&title, room(&guides.first))
        .into_iter()
        .enumerate()
        .map(|(at, line)| {
            let guide = if at == 0 { &guides.first } else { &guides.rest };
            format!("{} {guide}{line}", if at == 0 { mark } else { ' ' })
        })
        .collect();
    if row.change != Change::Same {
        for condition in &node.conditions {
            let text = format!("{} {}", condition.what, condition.text);
            lines.extend(
                wrap(&text, room(&guides.rest)).iter().map(|line| format!("  {}{line}", guides.rest)),
            );
        }
    }
    lines
}

fn painted(page: &Page, row: &DiffRow, side: Change, line: &str) -> String {
    let line = clean(line);
    match (row.change, side) {
        (Change::Same, _) => line,
        (_, Change::Removed) => page.severity(Severity::Warning, &line),
        _ => page.added(&line),
    }
}

fn pad(text: &str, width: usize) -> String {
    format!("{text}{:gap$}", "", gap = width.saturating_sub(text.width()))
}
