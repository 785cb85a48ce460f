//! Findings as a compiler gives them: by file, the worst first, each with its line and what is marked in it.
//!
//! ```text
//! warning[SG004] select-star: query reads every column
//!   --> sql/users.sql:2:8
//!    |
//!  2 | SELECT * FROM users;
//!    |        ^
//!    = because  reads every column of users
//!    = instead  Name the columns that the caller reads.
//! ```

use std::collections::BTreeMap;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::{
    findings::{begins_sql, tag, tally},
    page::{Page, clean, clean_character},
    shorten::some_of,
    units::{count, duration, grouped, share},
};
use crate::{
    finding::{Finding, Region},
    lint::{Checked, State},
    report::{Input, Report},
    threads,
};

/// Lines of one finding that are shown.
const LINES: usize = 4;

/// Findings that one core writes before it takes others.
const AT_ONCE: usize = 128;

/// Columns that a tab takes.
const TAB: usize = 4;

pub(super) fn write(page: &mut Page, report: &Report) {
    let empty = Checked::default();
    let checked = report.check.as_ref().unwrap_or(&empty);
    let findings: Vec<&Finding> = by_file(report).into_iter().flat_map(|(_, findings)| findings).collect();
    // A page that CI writes to a file may be tens of megabytes.
    for part in threads::in_parts(&findings, AT_ONCE, |part| {
        let mut page = page.another();
        for finding in part {
            page.blank();
            one(&mut page, report, checked, finding);
        }
        page
    }) {
        page.blank();
        page.append(&part);
    }
    not_read(page, report);
    fixed(page, checked);
    page.blank();
    page.prose(0, &format!("{}; {}", tally(report), scope(checked)));
    for line in lacking(report).into_iter().chain(report.of_snapshot()) {
        page.hanging(0, "note: ", 6, &line);
    }
}

/// Files by their worst finding (the dearest where a workload was measured), findings in the report's order
/// and then by place.
fn by_file(report: &Report) -> Vec<(&str, Vec<&Finding>)> {
    let mut files: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in &report.findings {
        files.entry(finding.at.as_ref().map_or("", |at| at.file.as_str())).or_default().push(finding);
    }
    let mut files: Vec<(&str, Vec<&Finding>)> = files.into_iter().collect();
    for (_, findings) in &mut files {
        findings.sort_by(|a, b| {
            (b.cost_ms.total_cmp(&a.cost_ms))
                .then_with(|| b.severity.cmp(&a.severity))
                .then_with(|| (&a.at, a.region, a.code).cmp(&(&b.at, b.region, b.code)))
        });
    }
    let key = |findings: &[&Finding]| findings.first().map(|worst| (worst.cost_ms, worst.severity));
    files.sort_by(|(a_name, a), (b_name, b)| {
        let (a, b) = (key(a).unzip(), key(b).unzip());
        b.0.unwrap_or(0.0)
            .total_cmp(&a.0.unwrap_or(0.0))
            .then_with(|| b.1.cmp(&a.1))
            .then_with(|| a_name.cmp(b_name))
    });
    files
}

fn one(page: &mut Page, report: &Report, checked: &Checked, finding: &Finding) {
    let lead = page.severity(finding.severity, &tag(finding));
    let title = report.rules.get(&finding.rule).map(|rule| format!(": {}", rule.title)).unwrap_or_default();
    page.hanging(0, &format!("{lead} "), tag(finding).len() + 1, &format!("{}{title}", finding.rule));
    let mut gutter = 1;
    if let Some(at) = &finding.at {
        let region = finding.region.unwrap_or(Region {
            line: at.line,
            column: at.column,
            end_line: at.line,
            end_column: u64::MAX,
        });
        gutter = region.end_line.to_string().len();
        let arrow = page.dimmed("-->");
        page.line(gutter + 1, &format!("{arrow} {}:{}:{}", clean(&at.file), region.line, region.column));
        source(page, checked, finding, region, gutter);
    }
    let lead = page.dimmed("=");
    let mut field = |label: &str, text: &str| {
        page.hanging(gutter + 2, &format!("{lead} {label}  "), label.len() + 4, text);
    };
    if let Some(name) = &finding.query_name {
        field("query  ", name);
    }
    field("because", &finding.because);
    let mut lines = finding.instead.trim().lines();
    let first = lines.next().unwrap_or("");
    if begins_sql(first) {
        field("instead", "");
        page.sql(gutter + 6, &finding.instead);
    } else {
        field("instead", first);
        let rest: Vec<&str> = lines.collect();
        if !rest.is_empty() {
            for line in rest {
                page.line(gutter + 6, &clean(line));
            }
        }
    }
    if finding.fix.is_some() {
        page.hanging(gutter + 2, &format!("{} help     ", page.dimmed("=")), 11, "fixable with --fix");
    }
    if finding.cost_ms > 0.0 {
        let part = share(finding.cost_ms, report.totals.total_ms);
        let text = format!("{} ({part} of the workload's time)", duration(finding.cost_ms));
        let lead = page.dimmed("=");
        page.hanging(gutter + 2, &format!("{lead} cost     "), 11, &text);
    }
}

/// The lines of the region, each with what is marked in it.
fn source(page: &mut Page, checked: &Checked, finding: &Finding, region: Region, gutter: usize) {
    let Some(lines) = finding.at.as_ref().and_then(|at| checked.lines.get(&at.file)) else { return };
    let bar = page.dimmed("|");
    page.line(gutter + 2, &bar);
    let room = page.width().saturating_sub(gutter + 4).max(20);
    let shown = lines.range(region.line..=region.end_line).take(LINES);
    for (number, line) in shown {
        let from = if *number == region.line { region.column } else { 1 };
        let to = if *number == region.end_line { region.end_column } else { u64::MAX };
        let (text, mark) = marked(line, from, to, room);
        let number = page.dimmed(&format!("{number:>gutter$} |"));
        page.line(1, &format!("{number} {text}"));
        if !mark.trim().is_empty() {
            let lead = mark.len() - mark.trim_start().len();
            let under = page.severity(finding.severity, mark.trim());
            page.line(gutter + 2, &format!("{bar} {:lead$}{under}", ""));
        }
    }
    if region.end_line.saturating_sub(region.line) >= LINES as u64 {
        page.line(gutter + 2, &format!("{bar} …"));
    }
}

/// A line as a terminal shows it, cut to the room so that the mark is seen, and the line below it.
fn marked(line: &str, from: u64, to: u64, room: usize) -> (String, String) {
    let (mut text, mut mark) = (Vec::new(), Vec::new());
    let end = line.trim_end().chars().count() as u64;
    let begin = (line.chars().count() - line.trim_start().chars().count()) as u64;
    // A region that has no character still has a place.
    let to = to.min(end + 1).max(from + 1);
    for (column, c) in (1_u64..).zip(line.chars()) {
        let inside = from <= column && column < to && column > begin;
        let (shown, times) = if c == '\t' { (' ', TAB) } else { (clean_character(c), 1) };
        for _ in 0..times {
            text.push(shown);
            mark.push((shown.width().unwrap_or(0), inside));
        }
    }
    if from > end {
        text.push(' ');
        mark.push((1, true));
    }
    let width = |range: &[(usize, bool)]| range.iter().map(|(width, _)| width).sum::<usize>();
    let first = mark.iter().position(|(_, inside)| *inside).unwrap_or(0);
    // As much as fits, with a little of what stands before the mark and room for two ellipses.
    let (mut start, mut stop) = (0, text.len());
    if width(&mark) > room {
        start = first.saturating_sub(room / 3);
        stop = start;
        let mut used = 2;
        while stop < text.len() && used + mark[stop].0 <= room {
            used += mark[stop].0;
            stop += 1;
        }
    }
    let (before, after) = (if start > 0 { "…" } else { "" }, if stop < text.len() { "…" } else { "" });
    let shown: String = text[start..stop].iter().collect();
    let mut under = " ".repeat(before.width());
    for (width, inside) in &mark[start..stop] {
        under.extend(std::iter::repeat_n(if *inside { '^' } else { ' ' }, *width));
    }
    (format!("{before}{}{after}", shown.trim_end()), under.trim_end().to_owned())
}

/// Statements and files that could not be read: what is silent is not clean.
fn not_read(page: &mut Page, report: &Report) {
    let mut reasons: BTreeMap<&str, (Vec<&str>, u64)> = BTreeMap::new();
    for line in
        report.not_judged.iter().filter(|line| line.why.starts_with("not parsed") || line.what.contains('.'))
    {
        let (places, times) = reasons.entry(&line.why).or_default();
        places.push(&line.what);
        *times += line.count;
    }
    let mut lines: Vec<String> = Vec::new();
    for (why, (places, times)) in reasons {
        // A place of what was not parsed is where somebody must look.
        if why.starts_with("not parsed") || places.len() == 1 && times == 1 {
            lines.extend(places.iter().map(|place| format!("{place}: {why}")));
        } else {
            lines.push(format!("{}: {why} ({})", some_of(&places), count(times, "statement", "statements")));
        }
    }
    lines.sort();
    let skipped = |input: &&Input| input.skipped > 0;
    lines.extend(report.inputs.iter().filter(skipped).map(|input| {
        format!("{}: {} not understood", input.name, count(input.skipped, "statement", "statements"))
    }));
    if lines.is_empty() {
        return;
    }
    page.blank();
    page.line(0, "not checked:");
    let shown = 20;
    lines.iter().take(shown).for_each(|line| page.hanging(2, "", 2, line));
    if lines.len() > shown {
        page.line(2, &format!("and {} more in the JSON report (--format json)", lines.len() - shown));
    }
}

fn fixed(page: &mut Page, checked: &Checked) {
    let Some(fixed) = checked.fixed.as_ref().filter(|fixed| !fixed.is_empty()) else { return };
    page.blank();
    page.line(0, "can be removed from the baseline (--write-baseline does it):");
    for entry in fixed {
        let query =
            entry.query.as_deref().map(|id| format!(" query {}", super::short_id(id))).unwrap_or_default();
        page.hanging(2, "", 2, &format!("{}×  {}{query} {}", entry.count, entry.rule, entry.object));
    }
}

/// `12 statements in 3 files; 2 findings allowed by comments, 4 known`.
pub fn scope(checked: &Checked) -> String {
    let by = |state| checked.suppressed.iter().filter(|one| one.by == state).count() as u64;
    let statements = count(checked.statements, "statement", "statements");
    let mut parts = vec![format!("{statements} in {}", count(checked.files, "file", "files"))];
    if checked.not_parsed > 0 {
        parts.push(format!("{} not understood", grouped(checked.not_parsed)));
    }
    let left_out = [
        (by(State::Comment), "allowed by comments"),
        (by(State::Baseline), "known by the baseline"),
        (checked.hidden.unchanged, "in unchanged lines"),
        (checked.hidden.cold, "in cold queries"),
        (checked.hidden.elsewhere, "in queries of no file"),
    ];
    let left_out: Vec<String> = left_out
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, why)| format!("{} {why}", grouped(*number)))
        .collect();
    if !left_out.is_empty() {
        parts.push(format!("not counted: {}", left_out.join(", ")));
    }
    parts.join("; ").replace(super::units::TIE, " ")
}

/// What rules lacked, with the rules in one line.
fn lacking(report: &Report) -> Vec<String> {
    let mut by_why: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in report.not_judged.iter().filter(|line| line.why.contains("--database-url")) {
        by_why.entry(line.why.as_str()).or_default().push(&line.what);
    }
    by_why.into_iter().map(|(why, rules)| format!("{} not applied: {why}", some_of(&rules))).collect()
}
