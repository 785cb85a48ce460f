//! JUnit's XML, as the common schemas have it: a test suite a file, a test case a finding. A file without
//! errors and warnings has one test case that passes; notes stand in its output.

use std::collections::BTreeMap;

use super::{checked, message, place};
use crate::{
    finding::{Finding, Severity},
    report::Report,
    workload::is_written,
};

/// The suite of findings about no file.
const NO_FILE: &str = "workload";

pub fn render(report: &Report) -> String {
    let checked = checked(report);
    let mut suites: BTreeMap<String, Vec<&Finding>> = BTreeMap::new();
    for input in report.inputs.iter().filter(|input| is_written(&input.format)) {
        suites.entry(checked.links.path(&input.name)).or_default();
    }
    for finding in &report.findings {
        let file = finding.at.as_ref().map_or_else(|| NO_FILE.to_owned(), |at| checked.links.path(&at.file));
        suites.entry(file).or_default().push(finding);
    }
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (id, (file, findings)) in suites.into_iter().enumerate() {
        let (notes, failed): (Vec<&Finding>, Vec<&Finding>) =
            findings.into_iter().partition(|finding| finding.severity == Severity::Note);
        // The schema asks for a time and a host; a report is the same wherever and whenever it is made.
        text.push_str(&format!(
            "  <testsuite id=\"{id}\" name=\"{name}\" package=\"sargable\" timestamp=\"1970-01-01T00:00:00\" hostname=\"localhost\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" time=\"0\">\n    <properties>\n      <property name=\"tool\" value=\"sargable {version}\"/>\n    </properties>\n",
            name = escape(&file),
            tests = failed.len().max(1),
            failures = failed.len(),
            version = env!("CARGO_PKG_VERSION"),
        ));
        if failed.is_empty() {
            text.push_str(&format!(
                "    <testcase name=\"no errors and warnings\" classname=\"{}\" time=\"0\"/>\n",
                escape(&file)
            ));
        }
        for finding in failed {
            let kind = if finding.severity == Severity::Error { "error" } else { "warning" };
            text.push_str(&format!(
                "    <testcase name=\"{}\" classname=\"{}\" time=\"0\">\n      <failure message=\"{}\" type=\"{kind}\">{}</failure>\n    </testcase>\n",
                escape(&name(finding)),
                escape(&file),
                escape(&message(report, finding)),
                escape(&words(finding, &file)),
            ));
        }
        let notes: Vec<String> =
            notes.into_iter().map(|note| format!("note {} {}", note.code, words(note, &file))).collect();
        text.push_str(&format!(
            "    <system-out>{}</system-out>\n    <system-err/>\n  </testsuite>\n",
            escape(&notes.join("\n\n"))
        ));
    }
    text.push_str("</testsuites>\n");
    text
}

fn name(finding: &Finding) -> String {
    match place(finding) {
        Some((line, column, _)) => format!("{} {} at {line}:{column}", finding.code, finding.rule),
        None => format!("{} {}", finding.code, finding.rule),
    }
}

fn words(finding: &Finding, file: &str) -> String {
    let at =
        place(finding).map_or_else(|| file.to_owned(), |(line, column, _)| format!("{file}:{line}:{column}"));
    format!("{at}: {}\nInstead: {}", finding.because, finding.instead.trim())
}

/// XML 1.0 cannot hold most control characters in any form.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push_str("&#9;"),
            '\r' => escaped.push_str("&#13;"),
            c if c.is_control() || c == '\u{fffe}' || c == '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
