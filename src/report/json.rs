//! The JSON report: the [`Report`] as it is, indented, keys always in the same order.

use super::Report;

/// One JSON object and a line end. Indented on a pipe too: a report is small beside the log it is
/// about, and two of them can be compared line by line.
///
/// # Panics
/// Never: every key of a report is a string, and nothing in it fails to serialise.
pub fn render(report: &Report) -> String {
    let mut json = serde_json::to_string_pretty(report).expect("a report's keys are all strings");
    json.push('\n');
    json
}
