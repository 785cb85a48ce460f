//! The lint step's findings in the forms that CI reads, one file each. They render what [`Report`] holds and
//! decide nothing; findings come in its order, the worst first.
//!
//! Paths are those of the repository ([`crate::lint::Links`]), since that is where CI shows them.

pub mod github;
pub mod gitlab;
pub mod jsonl;
pub mod junit;
pub mod markdown;
pub mod rdjson;
pub mod sarif;

use std::borrow::Cow;

use super::Report;
use crate::{
    finding::{Finding, Severity},
    lint::{Checked, baseline},
    sql::digest,
};

/// The findings of one severity are counted in this order.
const SEVERITIES: [(Severity, &str, &str); 3] = [
    (Severity::Error, "error", "errors"),
    (Severity::Warning, "warning", "warnings"),
    (Severity::Note, "note", "notes"),
];

/// What the lint step did; a report of another command has nothing of it.
fn checked(report: &Report) -> Cow<'_, Checked> {
    report.check.as_ref().map_or_else(|| Cow::Owned(Checked::default()), Cow::Borrowed)
}

fn title<'a>(report: &'a Report, finding: &'a Finding) -> &'a str {
    report.rules.get(&finding.rule).map_or(&finding.rule, |rule| &rule.title)
}

/// What and why in one sentence or two.
fn message(report: &Report, finding: &Finding) -> String {
    format!("{}: {}", title(report, finding), finding.because)
}

/// Line and column.
type End = (u64, u64);

/// From where to where: the region, or the beginning of the statement. Lines and columns from 1, the end
/// just behind the last character.
fn place(finding: &Finding) -> Option<(u64, u64, Option<End>)> {
    let at = finding.at.as_ref()?;
    Some(match finding.region {
        Some(region) => (region.line, region.column, Some((region.end_line, region.end_column))),
        None => (at.line, at.column, None),
    })
}

/// The same for the same finding of the next run, also when lines above it came or went: rule, query and
/// object, and how many of these stand before it in the file.
fn fingerprints(report: &Report) -> Vec<String> {
    let links = checked(report).links.clone();
    let mut seen: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
    report
        .findings
        .iter()
        .map(|finding| {
            let file = finding.at.as_ref().map(|at| links.path(&at.file)).unwrap_or_default();
            let identity = format!("{file}/{}", baseline::identity(finding));
            let number = seen.entry(identity.clone()).or_default();
            *number += 1;
            digest(&format!("{identity}/{number}"))
        })
        .collect()
}

/// `1 error, 2 warnings`, or `no findings`.
fn tally(report: &Report) -> String {
    let parts: Vec<String> = SEVERITIES
        .into_iter()
        .map(|(severity, one, many)| {
            (report.findings.iter().filter(|finding| finding.severity == severity).count(), one, many)
        })
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
        .collect();
    if parts.is_empty() { "no findings".to_owned() } else { parts.join(", ") }
}

/// Numbers of a run for its last line: `12 statements in 3 files; 2 allowed by comments`.
fn scope(checked: &Checked) -> String {
    super::text::scope(checked)
}

/// A text with a line end.
fn json(value: &serde_json::Value) -> String {
    format!("{value:#}\n")
}
