//! reviewdog's diagnostics: <https://github.com/reviewdog/reviewdog/tree/master/proto/rdf>.
//!
//! Its columns count bytes of UTF-8, from 1; they are counted in the line where it is known.

use serde_json::{Map, Value, json};

use super::{checked, message, place};
use crate::{
    finding::{Finding, Severity},
    lint::Checked,
    report::Report,
};

/// One `DiagnosticResult`.
pub fn render(report: &Report) -> String {
    let checked = checked(report);
    let diagnostics: Vec<Value> =
        report.findings.iter().map(|finding| diagnostic(report, &checked, finding)).collect();
    let worst = report.worst().map_or("UNKNOWN_SEVERITY", severity);
    super::json(&json!({
        "source": { "name": "sargable" },
        "severity": worst,
        "diagnostics": diagnostics,
    }))
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "ERROR",
        Severity::Warning => "WARNING",
        Severity::Note => "INFO",
    }
}

fn diagnostic(report: &Report, checked: &Checked, finding: &Finding) -> Value {
    let mut one = Map::new();
    let words = format!("{}\nInstead: {}", message(report, finding), finding.instead.trim());
    one.insert("message".to_owned(), json!(words));
    let mut location = json!({ "path": "" });
    if let (Some(at), Some((line, column, end))) = (&finding.at, place(finding)) {
        location["path"] = json!(checked.links.path(&at.file));
        let mut range = json!({ "start": position(checked, &at.file, line, column) });
        if let Some((line, column)) = end {
            range["end"] = position(checked, &at.file, line, column);
        }
        location["range"] = range;
    }
    one.insert("location".to_owned(), location);
    if let (Some(at), Some(fix)) = (&finding.at, &finding.fix) {
        let range = json!({
            "start": position(checked, &at.file, fix.region.line, fix.region.column),
            "end": position(checked, &at.file, fix.region.end_line, fix.region.end_column),
        });
        one.insert("suggestions".to_owned(), json!([{ "range": range, "text": fix.text }]));
    }
    one.insert("severity".to_owned(), json!(severity(finding.severity)));
    one.insert("code".to_owned(), json!({ "value": finding.code.to_string() }));
    Value::Object(one)
}

fn position(checked: &Checked, file: &str, line: u64, column: u64) -> Value {
    let text = checked.lines.get(file).and_then(|lines| lines.get(&line));
    let column = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
    match text {
        Some(text) => {
            let byte = text.char_indices().nth(column).map_or(text.len(), |(at, _)| at);
            json!({ "line": line, "column": byte + 1 })
        }
        None => json!({ "line": line }),
    }
}
