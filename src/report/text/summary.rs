//! The first lines: what was read, over what time, and how much work it was.

use super::{
    page::Page,
    units::{bytes, count, duration, grouped},
};
use crate::{
    report::{Input, Report, Totals},
    workload::is_written,
};

/// More inputs than this are only counted.
const NAMED: usize = 4;

pub(super) fn write(page: &mut Page, report: &Report) {
    let totals = &report.totals;
    page.field(0, "Read", &read(&report.inputs));
    for (note, names) in notes(&report.inputs) {
        let more = match names.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        page.field(0, "", &format!("{}{more}: {note}", names[0]));
    }
    if let (Some(first), Some(last)) = (&totals.first, &totals.last) {
        page.field(0, "Period", &period(first, last));
    }
    page.field(0, "Work", &work(totals, report));
    if totals.executions > 0 {
        page.field(0, "Kinds", &kinds(totals));
    }
}

fn read(inputs: &[Input]) -> String {
    if inputs.is_empty() {
        return "nothing: no input was given".to_owned();
    }
    let named = inputs.iter().take(NAMED).map(|input| {
        let what = match input.format.as_str() {
            format if is_written(format) => count(input.entries, "statement", "statements"),
            _ => count(input.entries, "entry", "entries"),
        };
        // What a server was asked for has no size.
        let size = if input.bytes > 0 { format!("{}, ", bytes(input.bytes)) } else { String::new() };
        format!("{} ({}, {size}{what})", input.name, input.format)
    });
    let named = named.collect::<Vec<_>>().join(", ");
    if let Some(rest) = inputs.get(NAMED..).filter(|rest| !rest.is_empty()) {
        let more = count(rest.len() as u64, "more input", "more inputs");
        let size = bytes(rest.iter().map(|input| input.bytes).sum());
        let entries = grouped(rest.iter().map(|input| input.entries).sum());
        return format!("{named} and {more} ({size}, {entries} entries)");
    }
    named
}

/// Each note once, with the inputs that it is about.
fn notes(inputs: &[Input]) -> Vec<(&str, Vec<&str>)> {
    let mut notes: Vec<(&str, Vec<&str>)> = Vec::new();
    for input in inputs {
        for note in &input.notes {
            match notes.iter_mut().find(|(said, _)| said == note) {
                Some((_, names)) => names.push(&input.name),
                None => notes.push((note, vec![&input.name])),
            }
        }
    }
    notes
}

fn period(first: &str, last: &str) -> String {
    let seconds = match (first.parse::<jiff::Timestamp>(), last.parse::<jiff::Timestamp>()) {
        (Ok(first), Ok(last)) => last.as_second().saturating_sub(first.as_second()),
        _ => 0,
    };
    let day = |time: &str| time.replace('T', " ").replace('Z', "");
    let (first, last) = (day(first), day(last));
    let last = match (first.split_once(' '), last.split_once(' ')) {
        (Some((a, _)), Some((b, clock))) if a == b => clock,
        _ => &last,
    };
    format!("{first} to {last} UTC ({})", duration(seconds as f64 * 1000.0))
}

fn work(totals: &Totals, report: &Report) -> String {
    let queries = report.queries.len();
    if totals.executions == 0 {
        let only_sql = report.inputs.iter().all(|input| is_written(&input.format));
        let left_out = report.filter.as_ref().filter(|filter| filter.executions > 0);
        if let Some(filter) = left_out {
            return format!(
                "nothing that was asked for; {} left out",
                count(filter.executions, "execution", "executions")
            );
        }
        return match queries {
            0 => "no statement was found".to_owned(),
            _ if only_sql => count(queries as u64, "query", "queries"),
            _ => format!(
                "{}; none was seen running, so nothing has a time",
                count(queries as u64, "query", "queries")
            ),
        };
    }
    let timed = report.queries.iter().any(|query| query.timed_calls > 0);
    let mut parts = vec![format!(
        "{} of {}{}",
        count(totals.executions, "execution", "executions"),
        count(queries as u64, "query", "queries"),
        if timed { format!(" in {}", duration(totals.total_ms)) } else { String::new() }
    )];
    if !timed {
        parts.push("no durations in this log".to_owned());
    }
    if totals.parse_bind_steps > 0 {
        let steps = count(totals.parse_bind_steps, "parse or bind step", "parse and bind steps");
        parts.push(format!("besides {steps} in {}", duration(totals.parse_bind_ms)));
    }
    if totals.other.queries > 0 {
        let others = count(totals.other.queries, "other query", "other queries");
        let calls = count(totals.other.calls, "execution", "executions");
        parts.push(format!(
            "among them {calls} of {others}, not listed, in {}",
            duration(totals.other.total_ms)
        ));
    }
    if totals.error_rate.is_some() || totals.errors > 0 {
        parts.push(count(totals.errors, "error", "errors"));
    }
    if let Some(peak) = totals.peak_busy_sessions {
        parts.push(format!("at most {} busy at once", count(peak, "session", "sessions")));
    }
    parts.join("; ")
}

fn kinds(totals: &Totals) -> String {
    let kinds = totals.by_kind;
    [
        ("SELECT", kinds.select),
        ("INSERT", kinds.insert),
        ("UPDATE", kinds.update),
        ("DELETE", kinds.delete),
        ("WITH", kinds.with),
        ("utility", kinds.utility),
    ]
    .iter()
    .filter(|(_, number)| *number > 0)
    .map(|(kind, number)| format!("{kind}\u{a0}{}", grouped(*number)))
    .collect::<Vec<_>>()
    .join(", ")
}
