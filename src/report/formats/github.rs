//! Annotations of GitHub Actions, by workflow commands:
//! <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>.
//!
//! GitHub shows ten of each level for a step and drops the others without a word: the worst come first, and
//! a last line says how many there are.

use std::collections::BTreeMap;

use super::{SEVERITIES, checked, message, place, scope, tally};
use crate::{finding::Severity, report::Report};

/// Annotations of one level that GitHub shows of a step.
const MOST: usize = 10;

/// Commands, a line each, and a line for a person who reads the log.
pub fn render(report: &Report) -> String {
    let checked = checked(report);
    let mut text = String::new();
    let mut given: BTreeMap<Severity, usize> = BTreeMap::new();
    for (severity, ..) in SEVERITIES {
        for finding in report.findings.iter().filter(|finding| finding.severity == severity) {
            let number = given.entry(severity).or_default();
            *number += 1;
            if *number > MOST {
                continue;
            }
            let command = match severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "notice",
            };
            let mut properties = Vec::new();
            if let (Some(at), Some((line, column, end))) = (&finding.at, place(finding)) {
                properties.push(format!("file={}", property(&checked.links.path(&at.file))));
                properties.push(format!("line={line}"));
                properties.push(format!("col={column}"));
                if let Some((end_line, end_column)) = end {
                    properties.push(format!("endLine={end_line}"));
                    // A column counts only within one line, and there it is the last character's.
                    if end_line == line {
                        properties.push(format!("endColumn={}", end_column.saturating_sub(1).max(column)));
                    }
                }
            }
            properties.push(format!("title={}", property(&format!("{} {}", finding.code, finding.rule))));
            let words = format!("{}\nInstead: {}", message(report, finding), finding.instead.trim());
            text.push_str(&format!("::{command} {}::{}\n", properties.join(","), data(&words)));
        }
    }
    let left = given.values().map(|number| number.saturating_sub(MOST)).sum::<usize>();
    let more = if left > 0 { format!(" ({left} of them only in the step summary)") } else { String::new() };
    text.push_str(&format!("{}{more}; {}\n", tally(report), scope(&checked)));
    text
}

/// What stands behind the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
