//! The findings, by the time that they cost: the first few of each rule in full, the others on one
//! line each, notes only counted with a few examples.

use std::collections::BTreeMap;

use super::{
    loops,
    page::{Page, clean},
    query, short_id,
    shorten::{fit, shorten},
    units::{count, duration, share},
};
use crate::{
    finding::{Confidence, Finding, Severity},
    report::{Report, index::answering},
};

/// Findings of one rule that are told in full.
const IN_FULL: usize = 3;

/// One-line findings of one rule; those that stand in an SQL file are all listed, since each is a
/// place to go to.
const BRIEF: usize = 10;

/// Notes of one rule that are shown.
const NOTES: usize = 2;

pub(super) fn write(page: &mut Page, report: &Report) {
    if report.findings.is_empty() {
        return;
    }
    page.heading(&format!("Findings: {}", tally(report)));
    let (notes, serious): (Vec<&Finding>, Vec<&Finding>) =
        told(report).partition(|finding| finding.severity == Severity::Note);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut others: Vec<(&str, Vec<&Finding>)> = Vec::new();
    for finding in serious {
        let of_rule = seen.entry(&finding.rule).or_default();
        *of_rule += 1;
        if *of_rule <= IN_FULL {
            page.blank();
            in_full(page, report, finding);
        } else if let Some((_, list)) = others.iter_mut().find(|(rule, _)| *rule == finding.rule) {
            list.push(finding);
        } else {
            others.push((&finding.rule, vec![finding]));
        }
    }
    for (_, list) in others {
        page.blank();
        in_brief(page, report, &list, "\u{a0}more", BRIEF);
    }
    let mut by_rule: Vec<(&str, Vec<&Finding>)> = Vec::new();
    for note in notes {
        match by_rule.iter_mut().find(|(rule, _)| *rule == note.rule) {
            Some((_, list)) => list.push(note),
            None => by_rule.push((&note.rule, vec![note])),
        }
    }
    for (_, list) in by_rule {
        page.blank();
        in_brief(page, report, &list, "", NOTES);
    }
}

/// Findings but those that another one tells as a part of its loop.
fn told(report: &Report) -> impl Iterator<Item = &Finding> {
    report.findings.iter().filter(|finding| !loops::is_part(finding))
}

/// `2 errors, 5 warnings, 1 note`.
pub(super) fn tally(report: &Report) -> String {
    let of = |severity| told(report).filter(|finding| finding.severity == severity).count() as u64;
    let parts: Vec<String> = [
        (Severity::Error, "error", "errors"),
        (Severity::Warning, "warning", "warnings"),
        (Severity::Note, "note", "notes"),
    ]
    .into_iter()
    .filter(|(severity, ..)| of(*severity) > 0)
    .map(|(severity, one, many)| count(of(severity), one, many))
    .collect();
    if parts.is_empty() { "no findings".to_owned() } else { parts.join(", ") }
}

/// What a finding is about, in as few words as will find it: a place in a file, or a query's id.
pub(super) fn subject(finding: &Finding) -> String {
    match (&finding.at, &finding.query) {
        (Some(at), _) => format!("{}:{}:{}", at.file, at.line, at.column),
        (None, Some(id)) => format!("query\u{a0}{}", short_id(id)),
        (None, None) => "the workload".to_owned(),
    }
}

/// How a finding is known, in the report's word for it.
pub(super) fn word(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Shape => "shape",
        Confidence::Planned => "planned",
        Confidence::Measured => "measured",
    }
}

pub(super) fn confidence(confidence: Confidence) -> String {
    let meaning = match confidence {
        Confidence::Shape => "read off the SQL text",
        Confidence::Planned => "the planner's estimate agrees",
        Confidence::Measured => "seen in the log or in EXPLAIN ANALYZE",
    };
    format!("{}: {meaning}", word(confidence))
}

/// `warning[SG003]`.
pub(super) fn tag(finding: &Finding) -> String {
    format!("{}[{}]", severity(finding.severity), finding.code)
}

pub(super) fn header(page: &Page, report: &Report, finding: &Finding) -> (String, String) {
    let lead = page.severity(finding.severity, &tag(finding));
    let title = report.rules.get(&finding.rule).map(|rule| format!(": {}", rule.title)).unwrap_or_default();
    (lead, format!("{}{title}", finding.rule))
}

pub(super) fn severity(severity: Severity) -> &'static str {
    severity.word()
}

fn in_full(page: &mut Page, report: &Report, finding: &Finding) {
    let (lead, title) = header(page, report, finding);
    page.hanging(0, &format!("{lead} "), tag(finding).len() + 1, &title);
    if let Some(at) = &finding.at {
        page.field(2, "at", &format!("{}:{}:{}", at.file, at.line, at.column));
    }
    match finding.query.as_deref() {
        Some(id) => {
            let text = query(report, id).map_or("", |query| query.text.as_str());
            let lines = fit(short_id(id), text, page.width() - 11, 2);
            for (at, line) in lines.iter().enumerate() {
                page.field(2, if at == 0 { "query" } else { "" }, line);
            }
        }
        None if finding.at.is_none() => page.field(2, "query", "the whole workload"),
        None => {}
    }
    if let Some(sent) = finding.query.as_deref().and_then(|id| sent_from(report, id)) {
        page.field(2, "sent", &sent);
    }
    page.field(2, "because", &finding.because);
    match answering(report, finding) {
        Some(number) => page.field(2, "instead", &format!("make change {number} of the advice below")),
        None => instead(page, &finding.instead),
    }
    loops::write(page, finding);
    page.field(2, "sure", &confidence(finding.confidence));
    if let Some(surer) = loops::surer(finding) {
        page.field(2, "surer", surer);
    }
    if finding.cost_ms > 0.0 {
        let share = share(finding.cost_ms, report.totals.total_ms);
        page.field(2, "cost", &format!("{} ({share} of the time)", duration(finding.cost_ms)));
    }
}

/// Lines of code that are named; the JSON report has the others.
const CALLERS: usize = 3;

/// `from app/models/user.rb:4`, where the application's log says.
fn sent_from(report: &Report, id: &str) -> Option<String> {
    let callers = &query(report, id)?.callers;
    let named = callers.iter().take(CALLERS).cloned().collect::<Vec<_>>().join(", ");
    match callers.len().saturating_sub(CALLERS) {
        _ if callers.is_empty() => None,
        0 => Some(format!("from {named}")),
        more => Some(format!("from {named} and {more} more")),
    }
}

/// A sentence is wrapped; SQL stands alone, to be copied. A text may begin as the one and go on as
/// the other.
pub(super) fn instead(page: &mut Page, text: &str) {
    let mut label = "instead";
    let mut lines = text.trim().lines().peekable();
    while let Some(line) = lines.next() {
        if !begins_sql(line) {
            let mut sentence = line.trim_end().to_owned();
            let goes_on = |next: &&str| !next.trim().is_empty() && !begins_sql(next);
            while let Some(next) = lines.next_if(|next| !line.trim().is_empty() && goes_on(next)) {
                sentence.push(' ');
                sentence.push_str(next.trim());
            }
            page.field(2, label, &sentence);
            label = "";
            continue;
        }
        let mut sql = line.to_owned();
        while let Some(next) = lines.next_if(|next| !next.trim().is_empty()) {
            sql.push('\n');
            sql.push_str(next);
        }
        if !label.is_empty() {
            page.line(2, label);
        }
        page.sql(6, &sql);
        label = "";
    }
}

/// Whether a line is a statement rather than a sentence that names one: it begins with a verb of SQL
/// in capitals, and its second word is none that only English has there.
pub(super) fn begins_sql(line: &str) -> bool {
    const VERBS: &[&str] = &[
        "ALTER", "ANALYZE", "BEGIN", "CREATE", "DELETE", "DROP", "EXPLAIN", "INSERT", "REINDEX", "SELECT",
        "SET", "UPDATE", "VACUUM", "WITH",
    ];
    let mut words = line.split_whitespace();
    let verb = words.next().is_some_and(|word| VERBS.contains(&word.trim_end_matches(';')));
    let english = words.next().is_some_and(|word| ["only", "the", "just", "fewer", "a"].contains(&word));
    verb && !english
}

fn in_brief(page: &mut Page, report: &Report, list: &[&Finding], more: &str, limit: usize) {
    let Some(first) = list.first() else { return };
    let (lead, title) = header(page, report, first);
    let cost: f64 = list.iter().map(|finding| finding.cost_ms).fold(0.0, f64::max);
    let largest = if cost > 0.0 { format!(", the largest {}", duration(cost)) } else { String::new() };
    page.hanging(
        0,
        &format!("{lead} "),
        tag(first).len() + 1,
        &format!("{title}: {}{more}{largest}", list.len()),
    );
    let mut left = 0;
    for (at, finding) in list.iter().enumerate() {
        if at >= limit && finding.at.is_none() {
            left += 1;
            continue;
        }
        let subject = subject(finding);
        let room = page.width().saturating_sub(2 + subject.chars().count() + 1);
        page.line(2, &format!("{} {}", clean(&subject), shorten(&finding.because, room.max(20))));
    }
    if left > 0 {
        page.line(2, &format!("and {left} more in the JSON report (--format json)"));
    }
}
