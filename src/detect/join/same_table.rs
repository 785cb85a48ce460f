//! A table joined to itself by its own key: both names mean the same row.

use crate::{
    detect::{Facts, Report, keys, words},
    finding::Confidence,
    rules::Rule,
    sql::shape::{JoinKind, TableSource},
};

pub(in crate::detect) fn detect(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(shape) = facts.shape else { return };
    for (id, block) in shape.blocks.iter().enumerate() {
        // The target of a write is read again on purpose.
        if block.projection.is_empty() {
            continue;
        }
        for second in 1..block.tables.len() {
            for first in 0..second {
                let (left, right) = (&block.tables[first], &block.tables[second]);
                let inner =
                    |join: JoinKind| matches!(join, JoinKind::From | JoinKind::Inner | JoinKind::Cross);
                let same = matches!((&left.source, &right.source),
                    (TableSource::Table(a), TableSource::Table(b)) if a == b);
                if !same || !block.tables[..=second].iter().all(|table| inner(table.join)) {
                    continue;
                }
                let Some(table) = keys::table(facts, block, first) else { continue };
                let columns: Vec<&str> = block
                    .tests()
                    .filter_map(keys::join_of)
                    .filter(|(a, b)| {
                        a.name == b.name
                            && (keys::is_of(a, id, first) && keys::is_of(b, id, second)
                                || keys::is_of(a, id, second) && keys::is_of(b, id, first))
                    })
                    .map(|(a, _)| a.name.as_str())
                    .collect();
                if columns.is_empty() || !keys::holds_key(table, &columns) {
                    continue;
                }
                let (a, b) = (keys::alias(block, first), keys::alias(block, second));
                let because = format!(
                    "{a} and {b} are the same row of {}: they are joined by its unique key {}",
                    table.name.plain(),
                    words::list(&columns)
                );
                let instead = format!("Read the columns of {b} from {a}, and remove {b}.");
                report.findings.push(facts.finding(rule, Confidence::Shape, because, instead).on(&right.at));
            }
        }
    }
}
