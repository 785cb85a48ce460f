//! Windows over all rows that make a LIMIT useless, and numbers of which only the first is wanted.

use crate::{
    detect::{Facts, Report, keys},
    finding::Confidence,
    rules::Rule,
    sql::shape::{Op, Operand, Projected, TableSource},
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
            let instead = rule.instead.trim().to_owned();
            let finding = facts.finding(rule, Confidence::Shape, because, instead);
            report.findings.push(finding.on(&block.within()));
        }
    }
}

/// `row_number() OVER (PARTITION BY …) … WHERE rn = 1`.
pub(in crate::detect) fn first(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for block in &shape.blocks {
        for test in block.tests() {
            let one = matches!(&test.operand, Operand::Constant(text) if text == "1");
            if test.op != Op::Eq || test.wrapped.is_some() || !one {
                continue;
            }
            let source = shape
                .blocks
                .get(test.column.block)
                .and_then(|block| block.tables.get(test.column.table?))
                .map(|table| &table.source);
            let Some(TableSource::Derived(inner) | TableSource::Cte { block: inner, .. }) = source else {
                continue;
            };
            let numbered = shape.blocks[*inner].projection.iter().any(|item| match item {
                Projected::Expression { text, alias: Some(alias), .. } => {
                    *alias == test.column.name
                        && text.to_ascii_lowercase().starts_with("row_number() over (partition by ")
                }
                _ => false,
            });
            if numbered {
                let because = format!(
                    "row_number() numbers the rows of every group, and {} = 1 keeps one of each",
                    keys::shown(shape, &test.column)
                );
                let instead = rule.instead.trim().to_owned();
                report.findings.push(facts.finding(rule, Confidence::Shape, because, instead).on(&test.at));
            }
        }
    }
}
