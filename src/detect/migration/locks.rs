//! Locks that a migration takes and keeps.

use std::collections::{BTreeMap, BTreeSet};

use super::{MigrationFacts, finding};
use crate::{
    detect::{Report, words},
    names::RelName,
    rules::Rule,
    sql::ddl::{Action, ConstraintKind, Ddl},
};

/// The table that a statement locks against every query, where it does.
fn locked(ddl: &Ddl) -> Option<&RelName> {
    match ddl {
        Ddl::AlterTable(alter) => alter.actions.iter().any(blocks_reads).then_some(&alter.name),
        Ddl::DropTables(names) => names.first(),
        _ => None,
    }
}

/// Whether an action takes the ACCESS EXCLUSIVE lock of its table.
fn blocks_reads(action: &Action) -> bool {
    match action {
        Action::ValidateConstraint(_) | Action::AttachPartition(_) | Action::SetStorage(_) => false,
        Action::DetachPartition { concurrently, .. } => !concurrently,
        Action::AddConstraint(added) => !matches!(added.kind, ConstraintKind::ForeignKey { .. }),
        Action::Other { blocks_reads, .. } => *blocks_reads,
        _ => true,
    }
}

pub(in crate::detect) fn several(rule: &Rule, facts: &MigrationFacts<'_>, report: &mut Report) {
    let many = |tables: usize| tables as f64 >= rule.param("tables");
    let mut transactions: BTreeMap<u32, BTreeSet<&RelName>> = BTreeMap::new();
    for (step, made) in facts.steps() {
        let (Some(transaction), Some(table)) = (step.transaction, locked(&step.ddl)) else { continue };
        if facts.idle(table, &made) {
            continue;
        }
        let tables = transactions.entry(transaction).or_default();
        if tables.insert(table) && many(tables.len()) && !many(tables.len() - 1) {
            let names: Vec<String> = tables.iter().map(|name| name.plain()).collect();
            let because = format!("one transaction locks {} against every query", words::list(&names));
            let instead =
                "A transaction for each table: its lock is then held for its own change only, and no two migrations wait for each other.".to_owned();
            report.findings.push(finding(rule, step, because, instead));
        }
    }
}

/// ALTER TABLE waits behind a long query, and every query behind ALTER TABLE.
pub(in crate::detect) fn no_timeout(rule: &Rule, facts: &MigrationFacts<'_>, report: &mut Report) {
    // 0 is no timeout, and so is the server's default.
    let none = |value: &str| {
        value.eq_ignore_ascii_case("default")
            || value.starts_with('0') && !value.bytes().any(|b| (b'1'..=b'9').contains(&b))
    };
    let mut limited = false;
    for (step, made) in facts.steps() {
        match &step.ddl {
            Ddl::Set { name, value } if name == "lock_timeout" => limited = !none(value),
            ddl => {
                let Some(table) = locked(ddl).filter(|table| !limited && !facts.idle(table, &made)) else {
                    continue;
                };
                let because = format!(
                    "{} is locked against every query without a lock_timeout: while it waits for a long query, all others wait for it",
                    table.plain()
                );
                let instead = "SET lock_timeout = '2s'; before it, and try again when it fails.".to_owned();
                report.findings.push(finding(rule, step, because, instead));
                return;
            }
        }
    }
}

pub(in crate::detect) fn rewrites(rule: &Rule, facts: &MigrationFacts<'_>, report: &mut Report) {
    for (step, made) in facts.steps() {
        let (what, tables) = match &step.ddl {
            Ddl::Vacuum { full: true, tables } => ("VACUUM FULL", tables.clone()),
            Ddl::Cluster { table } => ("CLUSTER", table.iter().cloned().collect()),
            _ => continue,
        };
        if !tables.is_empty() && tables.iter().all(|table| facts.idle(table, &made)) {
            continue;
        }
        let names: Vec<String> = tables.iter().map(RelName::plain).collect();
        let names = if names.is_empty() { "every table".to_owned() } else { words::list(&names) };
        let because = format!("{what} rewrites {names} while no query can use it");
        let instead = "VACUUM without FULL makes the room usable again; pg_repack rewrites without the lock."
            .to_owned();
        report.findings.push(finding(rule, step, because, instead));
    }
}

pub(in crate::detect) fn detach(rule: &Rule, facts: &MigrationFacts<'_>, report: &mut Report) {
    for (step, table, action) in facts.actions() {
        let Action::DetachPartition { partition, concurrently: false } = action else { continue };
        let because = format!(
            "detaching {} waits for every query of {}, and every later query waits for it",
            partition.plain(),
            table.plain()
        );
        let instead = format!(
            "Run ALTER TABLE {table} DETACH PARTITION {partition} CONCURRENTLY; outside of a transaction."
        );
        report.findings.push(finding(rule, step, because, instead));
    }
}
