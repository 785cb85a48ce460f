//! What could not be read or judged, with the reasons and how to get what was missing; and the last
//! line, which a person sees first when the page has scrolled by.

use super::{
    findings::tally,
    page::Page,
    shorten::some_of,
    units::{count, grouped},
};
use crate::{
    error::NotJudgedLine,
    report::{Input, Report},
};

/// What a reason may hold (in lower case), and what then helps.
const REMEDIES: &[(&[&str], &str)] = &[
    (
        &["--database-url", "no server"],
        "connect with --database-url, so that the server's plans, tables and statistics are known",
    ),
    (
        &["log_min_duration_statement", "log_statement_sample_rate", "log_min_duration_sample", "sampled"],
        "log every statement for a while: log_min_duration_statement = 0, without sampling",
    ),
    (
        &["bind value", "parameters", "log_parameter_max_length"],
        "log the bind values whole: log_parameter_max_length = -1",
    ),
    (&["the prefix", "--log-line-prefix"], "pass --log-line-prefix as SHOW log_line_prefix prints it"),
    (&["never analy", "no statistics", "not analy"], "run ANALYZE on those tables"),
    (&["hypopg"], "CREATE EXTENSION hypopg lets the planner cost an index that does not exist"),
    (&["explain is used up"], "give more time with --explain-budget"),
    (&["stopped after"], "give a statement more time with --statement-timeout"),
];

/// More lines than this are only counted.
const SHOWN: usize = 20;

/// What the filter left out.
pub(super) fn left_out(page: &mut Page, report: &Report) {
    let Some(filter) = &report.filter else { return };
    page.heading("Left out");
    let mut parts = vec![count(filter.executions, "execution", "executions")];
    if filter.errors > 0 {
        parts.push(count(filter.errors, "error", "errors"));
    }
    if filter.statements > 0 {
        parts.push(count(filter.statements, "statement of SQL files", "statements of SQL files"));
    }
    let mut text = format!("{} by {}", parts.join(" and "), filter.conditions.join(" "));
    if filter.by_condition.len() > 1 {
        let by: Vec<String> =
            filter.by_condition.iter().map(|(name, number)| format!("{name} {}", grouped(*number))).collect();
        text.push_str(&format!(" ({})", by.join(", ")));
    }
    page.prose(2, &text);
}

pub(super) fn not_judged(page: &mut Page, report: &Report) {
    let lines = lines(report);
    if !lines.is_empty() {
        page.heading("Not judged");
    }
    for line in lines.iter().take(SHOWN) {
        page.hanging(2, "- ", 2, line);
    }
    if let Some(more) = lines.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        page.line(2, &format!("and {more} more in the JSON report (--format json)"));
    }
    let helps: Vec<&str> = REMEDIES
        .iter()
        .filter(|(needles, _)| {
            report.not_judged.iter().any(|line| {
                let why = line.why.to_lowercase();
                needles.iter().any(|needle| why.contains(needle))
            })
        })
        .map(|(_, remedy)| *remedy)
        .collect();
    if !helps.is_empty() {
        page.blank();
        page.prose(0, "To have more judged:");
        for help in helps {
            page.hanging(2, "- ", 2, help);
        }
    }
}

/// How much of it was judged, and the last line.
pub(super) fn verdict(page: &mut Page, report: &Report) {
    page.blank();
    if let Some(coverage) = report.coverage.filter(|coverage| coverage.read > 0) {
        let (read, parsed) =
            (count(coverage.read, "distinct statement", "distinct statements"), grouped(coverage.parsed));
        let (schema, planned) = (grouped(coverage.with_schema), grouped(coverage.planned));
        page.prose(
            0,
            &format!("{read}: {parsed} parsed, {schema} judged with a schema, {planned} with a plan"),
        );
    }
    page.prose(0, &in_short(report));
}

fn in_short(report: &Report) -> String {
    let advice = match report.advice.len() as u64 {
        0 => "no advice".to_owned(),
        number => count(number, "piece of advice", "pieces of advice"),
    };
    let counted: u64 = report.not_judged.iter().map(|line| line.count).sum();
    let not_judged = match counted + uncounted(report).map(|input| input.skipped).sum::<u64>() {
        0 => String::new(),
        number => format!("; {} not judged", grouped(number)),
    };
    format!("{}, {advice}{not_judged}", tally(report))
}

/// A line for each reason, with the things that it holds for; what an input skipped, with the places.
fn lines(report: &Report) -> Vec<String> {
    let mut reasons: Vec<(&NotJudgedLine, Vec<&str>)> = Vec::new();
    for line in &report.not_judged {
        match reasons.iter_mut().find(|(other, _)| (&other.why, other.count) == (&line.why, line.count)) {
            Some((_, whats)) => whats.push(&line.what),
            None => reasons.push((line, vec![&line.what])),
        }
    }
    let counted = reasons.into_iter().map(|(line, whats)| {
        let each = if whats.len() > 1 { " each" } else { "" };
        let times = match line.count {
            1 => String::new(),
            number => format!(" ({} times{each})", grouped(number)),
        };
        let skipped = |input: &&Input| input.name == line.what && input.skipped == line.count;
        let places = report.inputs.iter().find(skipped).map(places).unwrap_or_default();
        format!("{}: {}{times}{places}", some_of(&whats), line.why)
    });
    let skipped = uncounted(report).map(|input| {
        let number = count(input.skipped, "line or statement", "lines or statements");
        format!("{}: {number} not understood{}", input.name, places(input))
    });
    skipped.chain(counted).collect()
}

/// Inputs that skipped something of which `not_judged` says nothing.
fn uncounted(report: &Report) -> impl Iterator<Item = &Input> {
    let said = |input: &&Input| report.not_judged.iter().any(|line| line.what == input.name);
    report.inputs.iter().filter(move |input| input.skipped > 0 && !said(input))
}

fn places(input: &Input) -> String {
    match input.skipped_at.as_slice() {
        [] => String::new(),
        places => format!(", such as {}", places.join(", ")),
    }
}
