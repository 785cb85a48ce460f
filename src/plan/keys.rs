//! What the properties of EXPLAIN's JSON hold, for the formats that do not say it: XML writes every value as
//! text, and so does the text form.

use serde_json::{Map, Value};

pub(super) type Object = Map<String, Value>;

/// A plan nested deeper is refused, as the JSON reader does: its nodes are read by recursion.
pub(super) const DEEPEST: usize = 60;

/// A value as JSON has it under this key.
pub(super) fn value(key: &str, text: &str) -> Value {
    if holds_text(key) {
        return Value::from(text);
    }
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => number(text).unwrap_or_else(|| Value::from(text)),
    }
}

/// A number, and nothing else (`serde_json` would take spaces around it).
pub(super) fn number(text: &str) -> Option<Value> {
    let begins = text.strip_prefix('-').unwrap_or(text).starts_with(|c: char| c.is_ascii_digit());
    if !begins || !text.ends_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().map(Value::Number)
}

/// Names, expressions and words; the rest are numbers and yes or no.
pub(super) fn holds_text(key: &str) -> bool {
    const ENDS: &[&str] = &[
        "Alias",
        "By",
        "Call",
        "Command",
        "Cond",
        "Condition",
        "Direction",
        "Filter",
        "Key",
        "Method",
        "Mode",
        "Name",
        "Operation",
        "Provider",
        "Relation",
        "Relations",
        "Relationship",
        "Resolution",
        "SQL",
        "Schema",
        "Seed",
        "Storage",
        "Strategy",
        "Text",
        "Type",
        "Window",
    ];
    // `Rows Removed by Filter` ends like a condition.
    key == "Foreign File" || !key.starts_with("Rows Removed by ") && ENDS.iter().any(|end| key.ends_with(end))
}
