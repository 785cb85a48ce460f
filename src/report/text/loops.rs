//! What a finding about repetitions tells besides: the column that fed it, the loops inside of it, the round
//! trips that one statement would save, and what would make it sure.

use serde_json::Value;

use super::{
    page::Page,
    short_id,
    units::{count, grouped},
};
use crate::finding::Finding;

/// Whether another finding tells this one as a part of its loop.
pub(super) fn is_part(finding: &Finding) -> bool {
    finding.detail.contains_key("part_of")
}

pub(super) fn write(page: &mut Page, finding: &Finding) {
    if let Some(text) = fed_by(finding) {
        page.field(2, "fed by", &text);
    }
    for (at, line) in levels(finding).iter().enumerate() {
        page.field(2, if at == 0 { "loops" } else { "" }, line);
    }
    let number = |key: &str| finding.detail.get(key).and_then(Value::as_u64);
    if let Some(saved) = number("loop_round_trips_saved").or_else(|| number("round_trips_saved")) {
        page.field(2, "saves", &count(saved, "round trip", "round trips"));
    }
}

/// What would make a probable unit of work certain.
pub(super) fn surer(finding: &Finding) -> Option<&str> {
    finding.detail_text("surer")
}

/// `posts.user_id, by a foreign key (the log holds no result rows)`.
fn fed_by(finding: &Finding) -> Option<String> {
    let fed = finding.detail.get("fed_by")?;
    let by = match fed.get("by")?.as_str()? {
        "foreign-key" => "by a foreign key",
        "values" => "since another query of the loop asks by the same values",
        _ => "by its name",
    };
    let (table, column) = (fed.get("table")?.as_str()?, fed.get("column")?.as_str()?);
    Some(format!("{table}.{column}, {by} (the log holds no result rows)"))
}

/// `1a2b3c4d`, then `20 × 5e6f7a8b by order_id`, each level more indented.
fn levels(finding: &Finding) -> Vec<String> {
    let Some(Value::Array(levels)) = finding.detail.get("levels") else { return Vec::new() };
    let line = |level: &Value| -> Option<String> {
        let depth = usize::try_from(level.get("level")?.as_u64()?).ok()?;
        let query = level.get("query")?.as_str().map_or("what came before", short_id);
        let columns: Vec<&str> = level.get("columns")?.as_array()?.iter().filter_map(Value::as_str).collect();
        Some(match columns[..] {
            [] => format!("once query\u{a0}{query}"),
            _ => format!(
                "{}{}\u{a0}× query\u{a0}{query} by {}",
                "\u{a0}\u{a0}".repeat(depth),
                grouped(level.get("times")?.as_u64()?),
                columns.join(", ")
            ),
        })
    };
    levels.iter().filter_map(line).collect()
}
