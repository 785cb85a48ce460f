//! Indexes that do what another one does.

use super::{drop_index, key_sql, of_index, size, stored};
use crate::{
    catalog::{Catalog, Index},
    detect::Report,
    rules::Rule,
};

/// Two indexes of the same keys, in the same order, on the same rows.
pub(in crate::detect) fn duplicates(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    for table in stored(catalog).filter(|table| table.partition_of.is_none()) {
        for (at, index) in table.indexes.iter().enumerate() {
            let others = table.indexes.iter().enumerate();
            // The one to keep: of equal ones, the first.
            let kept = others.filter(|&(other, _)| other != at).find(|&(other, kept)| {
                same(index, kept)
                    && covers_uniqueness(kept, index)
                    && !(covers_uniqueness(index, kept) && at < other)
            });
            let Some((_, kept)) = kept.filter(|_| index.valid && droppable(index)) else { continue };
            let because = format!(
                "{}{} of {} has the same keys as {}: ({})",
                index.name,
                size(index),
                table.name.plain(),
                kept.name,
                key_sql(&index.spec.keys)
            );
            report.findings.push(of_index(rule, table, index, because, drop_index(table, index)));
        }
    }
}

/// An index whose keys are the beginning of another one's.
pub(in crate::detect) fn prefixes(rule: &Rule, catalog: &Catalog, report: &mut Report) {
    for table in stored(catalog).filter(|table| table.partition_of.is_none()) {
        for index in table.indexes.iter().filter(|index| index.valid && !index.unique && droppable(index)) {
            // Of several that cover it, the smallest is what queries will use.
            let covering = table
                .indexes
                .iter()
                .filter(|other| covers(other, index) && !wider(other))
                .min_by_key(|other| other.spec.keys.len() + other.spec.include.len());
            let Some(covering) = covering else { continue };
            let because = format!(
                "{}{} of {} on ({}) is the beginning of {} on ({})",
                index.name,
                size(index),
                table.name.plain(),
                key_sql(&index.spec.keys),
                covering.name,
                key_sql(&covering.spec.keys)
            );
            report.findings.push(of_index(rule, table, index, because, drop_index(table, index)));
        }
    }
}

fn same(a: &Index, b: &Index) -> bool {
    a.valid == b.valid
        && a.spec.method == b.spec.method
        && a.spec.keys == b.spec.keys
        && a.spec.predicate == b.spec.predicate
        && a.spec.include.iter().all(|column| b.spec.include.contains(column))
        && !a.spec.keys.is_empty()
}

/// Whether `kept` also enforces what `other` does.
fn covers_uniqueness(kept: &Index, other: &Index) -> bool {
    kept.primary >= other.primary && kept.constraint >= other.constraint && kept.unique >= other.unique
}

/// A constraint may be what a foreign key refers to; of a constraint only a second one of the same columns goes.
fn droppable(index: &Index) -> bool {
    !index.primary && (!index.constraint || index.unique)
}

/// Whether every search and sort that `index` serves is served by `other`, whose keys go on.
fn covers(other: &Index, index: &Index) -> bool {
    let (long, short) = (&other.spec.keys, &index.spec.keys);
    other.valid
        && other.spec.method == "btree"
        && index.spec.method == "btree"
        && long.len() > short.len()
        && long.starts_with(short)
        && other.spec.predicate == index.spec.predicate
        && index.spec.include.iter().all(|column| {
            other.spec.include.contains(column)
                || long
                    .iter()
                    .any(|key| matches!(&key.expr, crate::catalog::KeyExpr::Column(name) if name == column))
        })
}

/// Whether an index is so much wider than its table's narrow ones that the narrow one may be kept for its size.
fn wider(index: &Index) -> bool {
    let keys = index.spec.keys.len() + index.spec.include.len();
    keys > 8
}
