//! Rules as JSON: the form of `sargable rules list --format json` and `rules show --format json`.

use serde_json::{Map, Value, json};

use crate::{lint::fix, rules::Rule};

/// The form's name and version: keys may be added, none is renamed or removed.
pub const SCHEMA: &str = "sargable.rules/1";

/// One JSON object and a line end.
pub fn render(rules: &[&Rule]) -> String {
    let rules: Vec<Value> = rules.iter().map(|rule| one(rule)).collect();
    let whole = json!({ "schema": SCHEMA, "version": env!("CARGO_PKG_VERSION"), "rules": rules });
    format!("{whole:#}\n")
}

fn one(rule: &Rule) -> Value {
    let params: Map<String, Value> = rule
        .params
        .iter()
        .map(|(name, param)| {
            let why = param.why.trim();
            (name.clone(), json!({ "default": param.default, "unit": param.unit, "why": why }))
        })
        .collect();
    json!({
        "code": rule.code,
        "name": rule.name,
        "title": rule.title.trim(),
        "category": rule.category.word(),
        "set": rule.set.word(),
        "severity": rule.severity,
        "confidence": rule.confidence,
        "needs": rule.needs.iter().map(|need| need.word()).collect::<Vec<_>>(),
        "postgres": { "from": rule.postgres.from, "until": rule.postgres.until },
        "params": params,
        "fix": fix::has(&rule.name),
        "why": rule.why.trim(),
        "instead": rule.instead.trim(),
        "rewrite": rule.rewrite.as_ref().map(|rewrite| {
            json!({ "before": rewrite.before.trim(), "after": rewrite.after.trim() })
        }),
        "references": rule.references,
    })
}
