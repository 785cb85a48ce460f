//! GitLab's code quality report: <https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>.
//!
//! GitLab asks for a path and a line: a finding about no file stands at the first line of the configuration.

use serde_json::json;

use super::{checked, fingerprints, message, place};
use crate::{finding::Severity, report::Report};

/// Where a finding about no file is shown.
const NO_FILE: &str = "sargable.yaml";

/// One JSON array.
pub fn render(report: &Report) -> String {
    let checked = checked(report);
    let issues: Vec<_> = report
        .findings
        .iter()
        .zip(fingerprints(report))
        .map(|(finding, print)| {
            let path = finding.at.as_ref().map_or_else(|| NO_FILE.to_owned(), |at| checked.links.path(&at.file));
            let (line, _, end) = place(finding).unwrap_or((1, 1, None));
            json!({
                "type": "issue",
                "check_name": finding.rule,
                "description": message(report, finding),
                "content": { "body": finding.instead.trim() },
                "categories": ["Performance"],
                "fingerprint": print,
                "severity": match finding.severity {
                    Severity::Error => "critical",
                    Severity::Warning => "major",
                    Severity::Note => "info",
                },
                "location": { "path": path, "lines": { "begin": line, "end": end.map_or(line, |(end, _)| end) } },
            })
        })
        .collect();
    super::json(&json!(issues))
}
