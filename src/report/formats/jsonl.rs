//! One finding a line, as the JSON report has it (`docs/json-report.md`), and a last line with the counts.

use serde_json::json;

use super::{checked, place};
use crate::report::Report;

/// Each line is one JSON object; its `type` is `finding`, and `summary` for the last.
pub fn render(report: &Report) -> String {
    let checked = checked(report);
    let mut text = String::new();
    for finding in &report.findings {
        let mut line = json!({ "type": "finding" });
        if let (Some(line), Ok(serde_json::Value::Object(finding_keys))) =
            (line.as_object_mut(), serde_json::to_value(finding))
        {
            line.extend(finding_keys);
            if let (Some(at), Some((number, column, _))) = (&finding.at, place(finding)) {
                line.insert("place".to_owned(), json!(format!("{}:{number}:{column}", at.file)));
            }
        }
        text.push_str(&format!("{line}\n"));
    }
    let summary = json!({
        "type": "summary",
        "files": checked.files,
        "statements": checked.statements,
        "not_parsed": checked.not_parsed,
        "findings": report.findings.len(),
        "suppressed": checked.suppressed.len(),
        "hidden": checked.hidden,
        "fixed": checked.fixed,
    });
    text.push_str(&format!("{summary}\n"));
    text
}
