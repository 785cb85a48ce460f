//! Indexes that are made, dropped or rebuilt while others wait.

use super::{MigrationFacts, finding};
use crate::{detect::Report, rules::Rule, sql::ddl::Ddl};

pub(in crate::detect) fn create(rule: &Rule, facts: &MigrationFacts<'_>, report: &mut Report) {
    for (step, made) in facts.steps() {
        let Ddl::CreateIndex(create) = &step.ddl else { continue };
        if create.concurrently || facts.idle(&create.table, &made) {
            continue;
        }
        let name =
            create.name.as_ref().map_or_else(|| "an index".to_owned(), |name| format!("the index {name}"));
        let because =
            format!("{name} is built on {}, whose writes wait until it is done", create.table.plain());
        let unique = if create.unique { "UNIQUE " } else { "" };
        let instead = format!("Build it with CREATE {unique}INDEX CONCURRENTLY, outside of a transaction.");
        report.findings.push(finding(rule, step, because, instead));
    }
}

pub(in crate::detect) fn drop(rule: &Rule, facts: &MigrationFacts<'_>, report: &mut Report) {
    for (step, made) in facts.steps() {
        let Ddl::DropIndexes { names, concurrently: false } = &step.ddl else { continue };
        // Of what the file made itself nobody waits; a known small table is not worth a word.
        for index in names {
            let owner = facts
                .server
                .into_iter()
                .chain([&facts.migration.before])
                .flat_map(|catalog| &catalog.tables)
                .find(|table| table.indexes.iter().any(|known| known.name == index.name));
            let here = facts.migration.steps.iter().take_while(|other| other.at != step.at).any(|other| {
                matches!(&other.ddl, Ddl::CreateIndex(create) if create.name.as_ref() == Some(&index.name))
            });
            // One of a table that the file makes and indexes anew went with the table before.
            let anew = facts.migration.steps.iter().any(|other| {
                matches!(&other.ddl, Ddl::CreateIndex(create)
                    if create.name.as_ref() == Some(&index.name) && made.contains(&create.table))
            });
            if here || anew || owner.is_some_and(|table| facts.idle(&table.name, &made)) {
                continue;
            }
            let because = format!(
                "dropping {} waits for every query of its table, and every later query waits for it",
                index.plain()
            );
            let instead = format!("Run DROP INDEX CONCURRENTLY {index}; outside of a transaction.");
            report.findings.push(finding(rule, step, because, instead));
        }
    }
}

pub(in crate::detect) fn reindex(rule: &Rule, facts: &MigrationFacts<'_>, report: &mut Report) {
    for (step, made) in facts.steps() {
        let Ddl::Reindex { kind, name, concurrently: false } = &step.ddl else { continue };
        if kind == "system" || name.as_ref().is_some_and(|name| facts.idle(name, &made)) {
            continue;
        }
        let what = name.as_ref().map_or_else(|| kind.clone(), |name| format!("{kind} {}", name.plain()));
        let because = format!(
            "REINDEX of the {what} blocks writes, and the queries that would use the index, until it is done"
        );
        let target = name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        let instead = format!("REINDEX {} CONCURRENTLY{target};", kind.to_uppercase());
        report.findings.push(finding(rule, step, because, instead));
    }
}

pub(in crate::detect) fn in_transaction(rule: &Rule, facts: &MigrationFacts<'_>, report: &mut Report) {
    for (step, _) in facts.steps() {
        let what = match &step.ddl {
            Ddl::CreateIndex(create) if create.concurrently => "CREATE INDEX CONCURRENTLY",
            Ddl::DropIndexes { concurrently: true, .. } => "DROP INDEX CONCURRENTLY",
            Ddl::Reindex { concurrently: true, .. } => "REINDEX CONCURRENTLY",
            Ddl::Vacuum { .. } => "VACUUM",
            _ => continue,
        };
        if step.transaction.is_none() {
            continue;
        }
        let because = format!("{what} stands between BEGIN and COMMIT, where the server refuses it");
        let instead =
            "Move it behind COMMIT, or into a migration that runs without a transaction.".to_owned();
        report.findings.push(finding(rule, step, because, instead));
    }
}

pub(in crate::detect) fn refresh(rule: &Rule, facts: &MigrationFacts<'_>, report: &mut Report) {
    for (step, made) in facts.steps() {
        let Ddl::Refresh { view, concurrently: false, with_data: true } = &step.ddl else { continue };
        if facts.idle(view, &made) {
            continue;
        }
        let because = format!("REFRESH of {} lets no query read it until it is done", view.plain());
        let instead = format!(
            "With a unique index on columns of the view, without WHERE: REFRESH MATERIALIZED VIEW CONCURRENTLY {view};"
        );
        report.findings.push(finding(rule, step, because, instead));
    }
}
