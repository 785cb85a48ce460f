//! Indexes that can go, as findings tell of them, as changes to be made: duplicates, beginnings of others, unused ones.
//!
//! In: findings and the catalog; the rules decide which index goes and which constraint keeps it. Invalid indexes are built
//! anew rather than dropped, so that theirs stay findings.

use super::{Advice, AdviceKind, tell, words};
use crate::{
    catalog::{Catalog, Table, TableKind},
    finding::Finding,
    names::RelName,
};

/// The rules, and whether their words tell already how often the index is written.
const RULES: &[(&str, bool)] =
    &[("duplicate-index", false), ("redundant-index", false), ("unused-index", true)];

/// A smaller index costs next to nothing: it stays a finding among others, and no change by itself.
const LEAST_BYTES: u64 = 1024 * 1024;

/// A change for each finding about an index that can go, unless `advice` drops that index already.
pub fn drops(findings: &[Finding], catalog: &Catalog, advice: &[Advice]) -> Vec<Advice> {
    let mut drops: Vec<Advice> = Vec::new();
    // By rule: of an index that two find, the first says why.
    for (rule, tells_writes) in RULES {
        for finding in findings.iter().filter(|finding| finding.rule == *rule) {
            let Some(one) = drop(finding, *tells_writes, catalog) else { continue };
            // An unused index may be the one for which a beginning of it goes: one of the two at a time.
            if *rule == "unused-index" && drops.iter().any(|other| other.table == one.table) {
                continue;
            }
            if !advice.iter().chain(&drops).any(|other| other.sql == one.sql) {
                drops.push(one);
            }
        }
    }
    drops
}

fn drop(finding: &Finding, tells_writes: bool, catalog: &Catalog) -> Option<Advice> {
    let (name, index) = of(finding)?;
    let table = catalog.tables.iter().find(|table| table.name.to_string() == name)?;
    let index = table.indexes.iter().find(|known| known.name == index)?;
    // A constraint's index goes with the constraint, which is more than index advice may do.
    if index.constraint || index.primary || index.bytes.is_some_and(|bytes| bytes < LEAST_BYTES) {
        return None;
    }
    let mut because = vec![finding.because.clone()];
    if !tells_writes && let Some(writes) = entries_written(table) {
        because.push(format!("{writes} since the statistics were reset"));
    }
    if catalog.counted.is_some_and(|counted| counted.replicas) && tells_writes {
        because
            .push("each replica counts its own use: ask pg_stat_user_indexes of every one first".to_owned());
    }
    Some(Advice {
        table: Some(tell::full_name(table)),
        size_bytes: index.bytes,
        rollback: (!index.definition.is_empty()).then(|| index.definition.clone()),
        ..Advice::of(
            AdviceKind::DropIndex,
            tell::drop_sql(table, &index.name, table.kind != TableKind::Partitioned),
            because.join("; "),
        )
    })
}

/// The table, as SQL has it, and the index that a finding is about.
fn of(finding: &Finding) -> Option<(&str, &str)> {
    Some((finding.detail_text("table")?, finding.detail_text("index")?))
}

/// The statement that drops the index that a finding is about, as the advice has it, with and without CONCURRENTLY.
pub fn statements(finding: &Finding) -> Option<[String; 2]> {
    RULES.iter().find(|(rule, _)| finding.rule == *rule)?;
    let (table, index) = of(finding)?;
    // The table's name is quoted as SQL; its schema is what stands before the last dot outside of quotes.
    let mut quoted = false;
    let dot = table.char_indices().filter(|(_, c)| {
        quoted ^= *c == '"';
        *c == '.' && !quoted
    });
    let schema = dot.last().map(|(at, _)| &table[..at]);
    let own = RelName { schema: None, name: index.to_owned() };
    let name = schema.map_or_else(|| own.to_string(), |schema| format!("{schema}.{own}"));
    Some([format!("DROP INDEX CONCURRENTLY {name}"), format!("DROP INDEX {name}")])
}

/// `40 inserts and updates wrote it too`, of a table that is written.
fn entries_written(table: &Table) -> Option<String> {
    let activity = table.activity?;
    let writes = activity.inserts + activity.updates.saturating_sub(activity.hot_updates);
    (writes > 0).then(|| format!("{} written to it for nothing", entries(writes)))
}

fn entries(count: u64) -> String {
    if count == 1 { "1 entry was".to_owned() } else { format!("{} were", words::plural(count, "entry")) }
}
