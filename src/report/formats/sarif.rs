//! SARIF 2.1.0, as code scanning reads it: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.
//!
//! Columns count characters (`columnKind`). What a comment allows or the baseline knows stands there as a
//! suppressed result, so that it is seen to be known; what the baseline holds and is gone is `absent`.

use serde_json::{Map, Value, json};

use super::{checked, fingerprints, message, place};
use crate::{
    finding::{Finding, Severity},
    lint::{Checked, State, baseline},
    report::Report,
    rules::Rule,
    sql::digest,
};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// `rules`: those that there are; the ones that a result names are described.
pub fn render(report: &Report, rules: &[Rule]) -> String {
    let checked = checked(report);
    let named: Vec<&Rule> = rules.iter().filter(|rule| is_named(report, &checked, &rule.name)).collect();
    let index = |name: &str| named.iter().position(|rule| rule.name == name);
    let mut results = Vec::new();
    for (finding, print) in report.findings.iter().zip(fingerprints(report)) {
        let mut result = result(report, &checked, finding, index(&finding.rule), &print);
        if checked.fixed.is_some() || checked.suppressed.iter().any(|one| one.by == State::Baseline) {
            result.insert("baselineState".to_owned(), json!("new"));
        }
        results.push(Value::Object(result));
    }
    for one in &checked.suppressed {
        let print = digest(&baseline::identity(&one.finding));
        let mut result = result(report, &checked, &one.finding, index(&one.finding.rule), &print);
        let kind = match one.by {
            State::Comment => "inSource",
            State::Baseline => "external",
        };
        if one.by == State::Baseline {
            result.insert("baselineState".to_owned(), json!("unchanged"));
        }
        let mut suppression = json!({ "kind": kind, "status": "accepted" });
        if let Some(reason) = &one.reason {
            suppression["justification"] = json!(reason);
        }
        result.insert("suppressions".to_owned(), json!([suppression]));
        results.push(Value::Object(result));
    }
    for gone in checked.fixed.iter().flatten() {
        results.push(json!({
            "ruleId": gone.code.to_string(),
            "level": "note",
            "message": { "text": format!("{} is found no more in query {} {}", gone.rule, gone.query.as_deref().unwrap_or("-"), gone.object) },
            "baselineState": "absent",
        }));
    }
    super::json(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "sargable",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": named.iter().map(|rule| described(rule)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": report.not_judged.iter().map(|line| json!({
                    "level": "note",
                    "message": { "text": format!("{}: {} ({} times)", line.what, line.why, line.count) },
                })).collect::<Vec<_>>(),
            }],
            "results": results,
        }],
    }))
}

fn is_named(report: &Report, checked: &Checked, name: &str) -> bool {
    report
        .findings
        .iter()
        .chain(checked.suppressed.iter().map(|one| &one.finding))
        .any(|finding| finding.rule == name)
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn described(rule: &Rule) -> Value {
    let why = rule.why.trim();
    let instead = rule.instead.trim();
    let references: Vec<String> = rule.references.iter().map(|page| format!("- <{page}>")).collect();
    let mut described = json!({
        "id": rule.code.to_string(),
        "name": rule.name,
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": why },
        "help": {
            "text": format!("{why}\n\n{instead}"),
            "markdown": format!("{why}\n\n**Instead:** {instead}\n\n{}", references.join("\n")),
        },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": {
            "tags": ["sql", "postgresql", "performance"],
            "problem.severity": match rule.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "recommendation",
            },
        },
    });
    if let Some(page) = rule.references.first() {
        described["helpUri"] = json!(page);
    }
    described
}

fn result(
    report: &Report,
    checked: &Checked,
    finding: &Finding,
    index: Option<usize>,
    print: &str,
) -> Map<String, Value> {
    let mut result = Map::new();
    result.insert("ruleId".to_owned(), json!(finding.code.to_string()));
    if let Some(index) = index {
        result.insert("ruleIndex".to_owned(), json!(index));
    }
    result.insert("level".to_owned(), json!(level(finding.severity)));
    let text = format!("{}\n\nInstead: {}", message(report, finding), finding.instead.trim());
    result.insert("message".to_owned(), json!({ "text": text }));
    if let (Some(at), Some((line, column, end))) = (&finding.at, place(finding)) {
        let mut region = json!({ "startLine": line, "startColumn": column });
        if let Some((end_line, end_column)) = end {
            region["endLine"] = json!(end_line);
            region["endColumn"] = json!(end_column);
        }
        let uri = uri(&checked.links.path(&at.file));
        result.insert(
            "locations".to_owned(),
            json!([{ "physicalLocation": { "artifactLocation": { "uri": uri }, "region": region } }]),
        );
    }
    if let (Some(at), Some(fix)) = (&finding.at, &finding.fix) {
        let deleted = json!({
            "startLine": fix.region.line,
            "startColumn": fix.region.column,
            "endLine": fix.region.end_line,
            "endColumn": fix.region.end_column,
        });
        let replacement = json!({ "deletedRegion": deleted, "insertedContent": { "text": fix.text } });
        result.insert(
            "fixes".to_owned(),
            json!([{
                "description": { "text": finding.instead.trim() },
                "artifactChanges": [{
                    "artifactLocation": { "uri": uri(&checked.links.path(&at.file)) },
                    "replacements": [replacement],
                }],
            }]),
        );
    }
    result.insert("partialFingerprints".to_owned(), json!({ "sargableFinding/v1": print }));
    let mut properties = json!({ "rule": finding.rule, "confidence": finding.confidence });
    if let Some(query) = &finding.query {
        properties["query"] = json!(query);
    }
    if finding.cost_ms > 0.0 {
        properties["cost_ms"] = json!(finding.cost_ms);
    }
    result.insert("properties".to_owned(), properties);
    result
}

/// A file as SARIF names it.
fn uri(path: &str) -> String {
    if path.starts_with('/') { format!("file://{}", encoded(path)) } else { encoded(path) }
}

/// A path as a URI writes it.
pub(super) fn encoded(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
