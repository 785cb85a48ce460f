//! Windows over all rows that make a LIMIT useless.

use crate::{
    detect::{Facts, Report},
    finding::Confidence,
    rules::Rule,
};

/// `count(*) OVER ()` beside LIMIT.
pub(in crate::detect) fn total(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for block in &shape.blocks {
        if block.limit.is_none() || block.tables.is_empty() {
            continue;
        }
        let whole = block.window_calls.iter().find(|call| {
            !call.partitioned
                && !call.ordered
                && !matches!(call.name.as_str(), "row_number" | "rank" | "dense_rank" | "lag" | "lead")
        });
        if let Some(call) = whole {
            let because = format!(
                "{}() OVER () is over all rows that the conditions leave: every one is read before LIMIT takes its few",
                call.name
            );
            report.findings.push(facts.finding(
                rule,
                Confidence::Shape,
                because,
                rule.instead.trim().to_owned(),
            ));
        }
    }
}
