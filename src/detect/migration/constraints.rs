//! Constraints that read a whole table while others wait.

use super::{MigrationFacts, finding};
use crate::{
    catalog::Table,
    detect::Report,
    names::{RelName, quote_ident},
    rules::Rule,
    sql::ddl::{Action, Column, Constraint, ConstraintKind, Ddl, Keys},
};

fn named(constraint: &Constraint) -> String {
    constraint.name.as_ref().map_or_else(|| "…".to_owned(), |name| quote_ident(name))
}

pub(in crate::detect) fn not_valid(rule: &Rule, facts: &MigrationFacts<'_>, report: &mut Report) {
    for (step, table, action) in facts.actions() {
        let (what, name) = match action {
            Action::AddConstraint(added) if !added.not_valid => match &added.kind {
                ConstraintKind::Check(_) => ("a CHECK constraint".to_owned(), named(added)),
                ConstraintKind::ForeignKey { references, .. } => (foreign_key(references), named(added)),
                _ => continue,
            },
            // A column without values has nothing to check; one with a default has.
            Action::AddColumn { column, .. } if column.default.is_some() => match referred(column) {
                Some(to) => (foreign_key(to), "…".to_owned()),
                None => continue,
            },
            _ => continue,
        };
        let because = format!(
            "{what} of {} is checked for every row under a lock that stops its writes",
            table.plain()
        );
        let instead = format!(
            "ALTER TABLE {table} ADD CONSTRAINT {name} … NOT VALID; then, in a transaction of its own, ALTER TABLE {table} VALIDATE CONSTRAINT {name};"
        );
        report.findings.push(finding(rule, step, because, instead));
    }
}

fn foreign_key(to: &RelName) -> String {
    format!("a foreign key to {}", to.plain())
}

/// The table that a column REFERENCES.
fn referred(column: &Column) -> Option<&RelName> {
    column.constraints.iter().find_map(|constraint| match &constraint.kind {
        ConstraintKind::ForeignKey { references, .. } => Some(references),
        _ => None,
    })
}

/// The lock of ADD CONSTRAINT is held until the transaction ends: the scan then blocks as it would have.
pub(in crate::detect) fn validated_at_once(rule: &Rule, facts: &MigrationFacts<'_>, report: &mut Report) {
    for (step, table, action) in facts.actions() {
        let Action::ValidateConstraint(constraint) = action else { continue };
        let added = |other: &&crate::catalog::Step| {
            step.transaction.is_some()
                && other.transaction == step.transaction
                && matches!(&other.ddl, Ddl::AlterTable(alter) if alter.name == *table
                    && alter.actions.iter().any(|action| matches!(action, Action::AddConstraint(added)
                        if added.not_valid && added.name.as_ref() == Some(constraint))))
        };
        if !facts.migration.steps.iter().any(|other| added(&other)) {
            continue;
        }
        let because = format!(
            "{constraint} of {} is validated in the transaction that adds it, whose lock is still held",
            table.plain()
        );
        let instead = "COMMIT between ADD CONSTRAINT … NOT VALID and VALIDATE CONSTRAINT.".to_owned();
        report.findings.push(finding(rule, step, because, instead));
    }
}

pub(in crate::detect) fn set_not_null(rule: &Rule, facts: &MigrationFacts<'_>, report: &mut Report) {
    for (step, table, action) in facts.actions() {
        let Action::SetNotNull(column) = action else { continue };
        let known = facts.table(table);
        let already = known.and_then(|table| table.column(column)).is_some_and(|column| column.not_null);
        if already || proven(facts, known, table, column) {
            continue;
        }
        let because = format!("SET NOT NULL reads all of {} while no query can: {column}", table.plain());
        let name = quote_ident(&format!("{}_{column}_not_null", table.name));
        let column = quote_ident(column);
        let instead = format!(
            "ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({column} IS NOT NULL) NOT VALID; ALTER TABLE {table} VALIDATE CONSTRAINT {name}; then SET NOT NULL reads nothing, and the constraint can be dropped."
        );
        report.findings.push(finding(rule, step, because, instead));
    }
}

/// Whether a valid CHECK says that the column is not NULL: before the file, or by it. A constraint of another
/// file is not seen where no schema was read: VALIDATE in this file is taken for it.
fn proven(facts: &MigrationFacts<'_>, known: Option<&Table>, table: &RelName, column: &str) -> bool {
    let says = |condition: &str| {
        let condition = condition.to_lowercase().replace(['"', '(', ')'], " ");
        let words: Vec<&str> = condition.split_whitespace().collect();
        words.windows(4).any(|four| four == [column.to_lowercase().as_str(), "is", "not", "null"])
    };
    let before = known.map(|table| table.checks.as_slice()).unwrap_or_default();
    if before.iter().any(|check| check.valid && says(&check.condition)) {
        return true;
    }
    let actions = || {
        facts.migration.steps.iter().filter_map(|step| match &step.ddl {
            Ddl::AlterTable(alter) if alter.name.or_public() == table.or_public() => Some(&alter.actions),
            _ => None,
        })
    };
    let validated = |name: &str| {
        actions()
            .flatten()
            .any(|action| matches!(action, Action::ValidateConstraint(constraint) if constraint == name))
    };
    let here = actions().flatten().any(|action| match action {
        Action::AddConstraint(added) => match &added.kind {
            ConstraintKind::Check(condition) => {
                says(condition) && (!added.not_valid || added.name.as_deref().is_some_and(validated))
            }
            _ => false,
        },
        // A column that this file adds with a default holds no NULL, but the server reads it all the same.
        _ => false,
    });
    let elsewhere = before.iter().any(|check| says(&check.condition) && validated(&check.name))
        || known.is_none()
            && actions().flatten().any(|action| {
                match action {
                Action::ValidateConstraint(constraint) => !actions().flatten().any(|other| {
                    matches!(other, Action::AddConstraint(added) if added.name.as_ref() == Some(constraint))
                }),
                _ => false,
            }
            });
    here || elsewhere
}

pub(in crate::detect) fn unique(rule: &Rule, facts: &MigrationFacts<'_>, report: &mut Report) {
    for (step, table, action) in facts.actions() {
        let added = match action {
            Action::AddConstraint(constraint) => std::slice::from_ref(constraint),
            Action::AddColumn { column, .. } => column.constraints.as_slice(),
            _ => continue,
        };
        let built = added.iter().find_map(|constraint| match constraint.kind {
            ConstraintKind::Unique(Keys::Columns { .. }) => Some(("a unique constraint", "UNIQUE")),
            ConstraintKind::PrimaryKey(Keys::Columns { .. }) => Some(("a primary key", "PRIMARY KEY")),
            _ => None,
        });
        let Some((what, word)) = built else { continue };
        let because = format!("{what} builds its index while no query can use {}", table.plain());
        let instead = format!(
            "CREATE UNIQUE INDEX CONCURRENTLY name ON {table} (…); then ALTER TABLE {table} ADD CONSTRAINT name {word} USING INDEX name;"
        );
        report.findings.push(finding(rule, step, because, instead));
    }
}

pub(in crate::detect) fn attach(rule: &Rule, facts: &MigrationFacts<'_>, report: &mut Report) {
    for (step, made) in facts.steps() {
        let Ddl::AlterTable(alter) = &step.ddl else { continue };
        for action in &alter.actions {
            let Action::AttachPartition(partition) = action else { continue };
            if facts.idle(partition, &made) {
                continue;
            }
            let checked =
                facts.table(partition).is_some_and(|table| table.checks.iter().any(|check| check.valid));
            let adds = facts.migration.steps.iter().any(|other| {
                matches!(&other.ddl, Ddl::AlterTable(alter) if alter.name.or_public() == partition.or_public()
                && alter.actions.iter().any(|action| match action {
                    Action::AddConstraint(added) => matches!(added.kind, ConstraintKind::Check(_)),
                    Action::ValidateConstraint(_) => true,
                    _ => false,
                }))
            });
            if checked || adds {
                continue;
            }
            let because = format!(
                "attaching {} to {} reads all of it while no query can",
                partition.plain(),
                alter.name.plain()
            );
            let instead = format!(
                "First ALTER TABLE {partition} ADD CONSTRAINT … CHECK (the partition's bounds, and that the key IS NOT NULL) NOT VALID; and VALIDATE it: ATTACH PARTITION then reads nothing."
            );
            report.findings.push(finding(rule, step, because, instead));
        }
    }
}
