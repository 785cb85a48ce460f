//! The JSON report: the [`Report`] as it is, indented, keys always in the same order.

use std::borrow::Cow;

use super::Report;

/// One JSON object and a line end. Indented on a pipe too: a report is small beside the log it is
/// about, and two of them can be compared line by line. Holds all queries, unless only the first few
/// were asked for.
///
/// # Panics
/// Never: every key of a report is a string, and nothing in it fails to serialise.
pub fn render(report: &Report) -> String {
    let shown = match report.ranking.top {
        Some(top) if top > 0 && top < report.queries.len() => {
            let mut shown = report.clone();
            shown.queries.truncate(top);
            Cow::Owned(shown)
        }
        _ => Cow::Borrowed(report),
    };
    let mut json = serde_json::to_string_pretty(&*shown).expect("a report's keys are all strings");
    json.push('\n');
    json
}
