//! Rules as pages: what the page on a terminal, the JSON form and the pages of the documentation have in
//! common.

pub mod json;
pub mod markdown;

use std::fmt::Write as _;

use crate::rules::{Example, ExampleExecutions, ExampleLines, ExampleRepetition, ExampleServer, Needs, Rule};

/// What is said of a rule that has a fix.
pub(super) const FIX: &str = "`sargable check --fix` writes it, where the statement has the usual form";

/// `schema and statistics`; nothing where the statement alone will do.
pub(super) fn needs(rule: &Rule) -> String {
    let words: Vec<&str> =
        rule.needs.iter().filter(|need| **need != Needs::Syntax).map(|need| need.word()).collect();
    match words.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// What each fact comes from, in words.
pub(super) fn needed(need: Needs) -> &'static str {
    match need {
        Needs::Syntax => "the statement",
        Needs::Schema => "the schema (DDL files or a server)",
        Needs::Plan => "the statement's plan (a server, or a log with plans)",
        Needs::Statistics => "statistics (a server)",
        Needs::Workload => "a log of executions",
    }
}

/// `13 and later`; nothing where it is about every version.
pub(super) fn versions(rule: &Rule) -> Option<String> {
    match (rule.postgres.from, rule.postgres.until) {
        (None, None) => None,
        (Some(from), None) => Some(format!("{from} and later")),
        (None, Some(until)) => Some(format!("until {until}")),
        (Some(from), Some(until)) if from == until => Some(from.to_string()),
        (Some(from), Some(until)) => Some(format!("{from} to {until}")),
    }
}

/// The comment that allows the rule.
pub(super) fn allow(rule: &Rule) -> String {
    format!("-- sargable: allow({}) why it is right here", rule.name)
}

/// Lines of `sargable.yaml` that set the rule, as it is but for what a reader may want to change.
pub(super) fn settings(rule: &Rule) -> String {
    let mut yaml = format!("check:\n  rules:\n    {}:\n", rule.name);
    let _ = writeln!(yaml, "      severity: {}   # or note, warning, error, off", rule.severity.word());
    if !rule.params.is_empty() {
        let params: Vec<String> =
            rule.params.iter().map(|(name, param)| format!("{name}: {}", param.default)).collect();
        let _ = writeln!(yaml, "      params: {{ {} }}", params.join(", "));
    }
    yaml
}

/// An example as one SQL text: the schema, what else is known as comments, and the statement.
pub(super) fn example(example: &Example) -> String {
    let mut text = String::new();
    if let Some(schema) = &example.schema {
        let _ = writeln!(text, "{};", schema.trim().trim_end_matches(';'));
    }
    let note = |text: &mut String, note: &str| {
        let _ = writeln!(text, "-- {note}");
    };
    if let Some(server) = &example.server {
        counted(server, &mut text);
    }
    for (table, rows) in &example.rows {
        note(&mut text, &format!("{table} has {} rows", count(*rows)));
    }
    for (column, known) in &example.statistics {
        let mut facts = vec![format!("{} distinct values", count(known.distinct))];
        if known.width > 0 {
            facts.push(format!("{} bytes wide", known.width));
        }
        if known.nulls > 0.0 {
            facts.push(format!("{} % NULL", percent(known.nulls)));
        }
        facts.extend(known.correlation.map(|correlation| format!("correlation {correlation}")));
        facts.extend(known.common.iter().map(|(value, part)| format!("'{value}' {} %", percent(*part))));
        note(&mut text, &format!("{column}: {}", facts.join(", ")));
    }
    for (name, value) in &example.settings {
        note(&mut text, &format!("{name} = {value}"));
    }
    if let Some(plan) = &example.plan {
        note(&mut text, &format!("its plan: {plan}"));
    }
    if let Some(binds) = &example.binds {
        let values: Vec<String> = (1..).zip(binds).map(|(at, value)| format!("${at} = '{value}'")).collect();
        note(&mut text, &values.join(", "));
    }
    if let Some(busy) = example.busy {
        note(&mut text, &format!("{busy} sessions are busy at the same time"));
    }
    if let Some(repeats) = &example.repeats {
        let what = match repeats.kind {
            ExampleRepetition::NPlusOne => "once for each row of what ran before",
            ExampleRepetition::Duplicate => "the same again",
            ExampleRepetition::WriteLoop => "one row at a time",
        };
        if let Some(parent) = &repeats.parent {
            let _ = writeln!(text, "{};", parent.trim());
        }
        note(
            &mut text,
            &format!(
                "in each of {} units of work {} times with {} values, {what}; {} ms together:",
                repeats.units, repeats.times, repeats.values, repeats.milliseconds
            ),
        );
    }
    for part in &example.log {
        executions(part, &mut text);
    }
    for part in &example.server_log {
        lines(part, &mut text);
    }
    if let Some(migration) = &example.migration {
        let _ = writeln!(text, "-- the migration:\n{};", migration.trim().trim_end_matches(';'));
    }
    // What a log shows is not shown twice.
    if !example.sql.trim().is_empty() && !example.log.iter().any(|part| part.sql.contains(&example.sql)) {
        let _ = writeln!(text, "{}", example.sql.trim());
    }
    text
}

/// What a server counted, a line for it and each table and index.
fn counted(server: &ExampleServer, text: &mut String) {
    let mut facts = Vec::new();
    facts.extend((server.days > 0.0).then(|| format!("counted for {} days", count(server.days))));
    facts.extend(server.replicas.then(|| "has replicas".to_owned()));
    facts.extend((server.version > 0).then(|| format!("PostgreSQL {}", server.version / 10_000)));
    if !facts.is_empty() {
        let _ = writeln!(text, "-- the server: {}", facts.join(", "));
    }
    for (name, table) in &server.tables {
        let counts = [
            (table.live_rows, "rows"),
            (table.modified, "of them changed since ANALYZE"),
            (table.inserts, "inserts"),
            (table.updates, "updates"),
            (table.hot_updates, "of them in place (HOT)"),
            (table.deletes, "deletes"),
        ];
        let counts = counts.iter().filter(|(number, _)| *number > 0);
        let counts: Vec<String> =
            counts.map(|(number, what)| format!("{} {what}", count(*number as f64))).collect();
        let _ = writeln!(text, "-- {name}: {}", counts.join(", "));
    }
    for (name, index) in &server.indexes {
        let invalid = if index.invalid { ", invalid" } else { "" };
        let (scans, bytes) = (count(index.scans as f64), count(index.bytes as f64));
        let _ = writeln!(text, "-- {name}: {scans} scans, {bytes} bytes{invalid}");
    }
}

fn executions(part: &ExampleExecutions, text: &mut String) {
    let what = if part.transaction { "transactions" } else { "times" };
    let parse = part.parse_milliseconds.map(|ms| format!(" and {ms} ms to parse")).unwrap_or_default();
    let _ =
        writeln!(text, "-- in the log {} {what}, {} ms a statement{parse}:", part.times, part.milliseconds);
    for sql in &part.sql {
        let _ = writeln!(text, "{};", sql.trim());
    }
}

fn lines(part: &ExampleLines, text: &mut String) {
    let apart = if part.times > 1 { format!(", {} ms apart", part.milliseconds) } else { String::new() };
    let times = if part.times == 1 { "once".to_owned() } else { format!("{} times", part.times) };
    let _ = writeln!(text, "-- in the server's log {times}{apart}:");
    for line in part.lines.trim_end().lines() {
        let _ = writeln!(text, "--   {}", line.trim_start_matches('\t'));
    }
}

/// `1,234,567`.
pub(super) fn count(number: f64) -> String {
    let text = if number.fract() == 0.0 { format!("{number:.0}") } else { number.to_string() };
    let (whole, rest) = text
        .split_once('.')
        .map_or((text.as_str(), String::new()), |(whole, rest)| (whole, format!(".{rest}")));
    let mut grouped = String::new();
    for (at, digit) in whole.char_indices() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + &rest
}

fn percent(fraction: f64) -> String {
    let text = format!("{:.2}", fraction * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
