//! A plan as EXPLAIN prints it, without constants: what stands in the lock file.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{names::quote_ident, plan::Plan, sql::Normalizer};

/// The lines below a node's own that say what it does, in this order.
const DETAILS: &[&str] = &[
    "Sort Key",
    "Presorted Key",
    "Group Key",
    "Cache Key",
    "Index Cond",
    "Order By",
    "Recheck Cond",
    "Hash Cond",
    "Merge Cond",
    "Join Filter",
    "One-Time Filter",
    "Filter",
    "Workers Planned",
];

/// Deeper plans are cut: no planner makes them.
const DEEPEST: usize = 200;

/// The text of a plan.
pub fn outline(plan: &Plan) -> String {
    let mut text = String::new();
    let whole = plan.json.get(0).unwrap_or(&plan.json);
    if let Some(root) = whole.get("Plan") {
        node(root, 0, &mut Normalizer::default(), &mut text);
    }
    text.truncate(text.trim_end().len());
    text
}

/// `column` is where the line begins: 0 for the root, else that of its arrow.
fn node(node: &Value, depth: usize, normalizer: &mut Normalizer, text: &mut String) {
    let mut column = depth;
    if let Some(name) = word(node, "Subplan Name") {
        let _ = writeln!(text, "{:column$}{}", "", one_line(name));
        column += 2;
    }
    let arrow = if column == 0 { "" } else { "->  " };
    let figure = |key: &str| node.get(key).and_then(Value::as_f64).unwrap_or(0.0);
    let _ = writeln!(
        text,
        "{:column$}{arrow}{}  (cost={:.2}..{:.2} rows={:.0} width={:.0})",
        "",
        title(node),
        figure("Startup Cost"),
        figure("Total Cost"),
        figure("Plan Rows"),
        figure("Plan Width"),
    );
    let inner = if column == 0 { 2 } else { column + 6 };
    for key in DETAILS {
        let told = match node.get(*key) {
            Some(Value::String(one)) => expression(one, normalizer),
            Some(Value::Array(all)) => {
                let all: Vec<String> =
                    all.iter().filter_map(Value::as_str).map(|one| expression(one, normalizer)).collect();
                all.join(", ")
            }
            Some(Value::Number(number)) => number.to_string(),
            _ => continue,
        };
        let _ = writeln!(text, "{:inner$}{key}: {told}", "");
    }
    let children = node.get("Plans").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if depth < DEEPEST * 6 {
        for child in children {
            self::node(child, inner, normalizer, text);
        }
    }
}

/// The node's own line up to the figures.
fn title(node: &Value) -> String {
    let text = |key: &str| word(node, key).unwrap_or_default();
    let kind = text("Node Type");
    let mut title = String::new();
    if node.get("Parallel Aware").and_then(Value::as_bool) == Some(true) {
        title.push_str("Parallel ");
    }
    match kind {
        "Aggregate" => {
            if let mode @ ("Partial" | "Finalize") = text("Partial Mode") {
                title.push_str(mode);
                title.push(' ');
            }
            title.push_str(match text("Strategy") {
                "Sorted" => "GroupAggregate",
                "Hashed" => "HashAggregate",
                "Mixed" => "MixedAggregate",
                _ => "Aggregate",
            });
        }
        "SetOp" => {
            title.push_str(if text("Strategy") == "Hashed" { "HashSetOp" } else { "SetOp" });
            title.push(' ');
            title.push_str(text("Command"));
        }
        "ModifyTable" => title.push_str(text("Operation")),
        "Foreign Scan" if !matches!(text("Operation"), "" | "Select") => {
            title.push_str("Foreign ");
            title.push_str(text("Operation"));
        }
        "Nested Loop" | "Hash Join" | "Merge Join" => match text("Join Type") {
            "" | "Inner" => title.push_str(kind),
            join => {
                title.push_str(kind.trim_end_matches(" Join"));
                title.push(' ');
                title.push_str(join);
                title.push_str(" Join");
            }
        },
        _ => title.push_str(&one_line(kind)),
    }
    if text("Scan Direction") == "Backward" {
        title.push_str(" Backward");
    }
    if let Some(index) = word(node, "Index Name") {
        title.push_str(if kind == "Bitmap Index Scan" { " on " } else { " using " });
        title.push_str(&name(index));
    }
    let object = ["Relation Name", "Function Name", "Table Function Name", "CTE Name", "Tuplestore Name"]
        .iter()
        .find_map(|key| word(node, key));
    let alias = word(node, "Alias");
    if let Some(object) = object.or(alias) {
        title.push_str(" on ");
        if let Some(schema) = word(node, "Schema") {
            title.push_str(&name(schema));
            title.push('.');
        }
        title.push_str(&name(object));
        if let Some(alias) = alias.filter(|alias| *alias != object) {
            title.push(' ');
            title.push_str(&name(alias));
        }
    }
    title
}

fn word<'a>(node: &'a Value, key: &str) -> Option<&'a str> {
    node.get(key).and_then(Value::as_str)
}

/// A name on one line, quoted where it must be.
fn name(text: &str) -> String {
    quote_ident(&one_line(text))
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A condition or a key with `?` for its constants.
fn expression(text: &str, normalizer: &mut Normalizer) -> String {
    one_line(&normalizer.text(text.as_bytes()))
}
