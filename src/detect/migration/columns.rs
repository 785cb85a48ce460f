//! Columns whose change rewrites the table.

use super::{MigrationFacts, finding, types};
use crate::{
    catalog::Step,
    detect::Report,
    names::quote_ident,
    rules::Rule,
    sql::ddl::{Action, Ddl},
};

pub(in crate::detect) fn new_type(rule: &Rule, facts: &MigrationFacts<'_>, report: &mut Report) {
    let utc = facts.migration.steps.iter().any(|step| {
        matches!(&step.ddl, Ddl::Set { name, value } if name == "timezone" && value.eq_ignore_ascii_case("utc"))
    });
    for (step, table, action) in facts.actions() {
        let Action::SetType { column, type_name, using } = action else { continue };
        let known =
            facts.table(table).and_then(|table| table.column(column)).map(|column| column.type_name.as_str());
        let old = known.map(|old| renamed(facts, step, old));
        // An expression of the user's own is worked out for every row.
        let own = using.as_ref().is_some_and(|using| {
            let using = using.split("::").next().unwrap_or_default().trim().trim_matches(['"', '(', ')']);
            !using.eq_ignore_ascii_case(column) && !using.to_lowercase().starts_with("cast")
        });
        if !own && types::rewrites(old, type_name, utc) != Some(true) {
            continue;
        }
        let from = old.filter(|old| old != type_name).map(|old| format!("from {old} ")).unwrap_or_default();
        let because = format!(
            "{}.{column} changes {from}to {type_name}: the table and its indexes are rewritten while no query can use them",
            table.plain()
        );
        let column = quote_ident(column);
        let instead = format!(
            "Add a column of the new type to {table}, write both (a trigger), fill it in batches, then swap their names in one short transaction and drop the old {column}."
        );
        report.findings.push(finding(rule, step, because, instead));
    }
}

/// What a type is called once the file came to a step.
fn renamed<'a>(facts: &MigrationFacts<'a>, until: &Step, name: &'a str) -> &'a str {
    let before = facts.migration.steps.iter().take_while(|step| step.at != until.at);
    before.fold(name, |name, step| match &step.ddl {
        Ddl::RenameType { from, to } if from == name => to.as_str(),
        _ => name,
    })
}

pub(in crate::detect) fn volatile_default(rule: &Rule, facts: &MigrationFacts<'_>, report: &mut Report) {
    const VOLATILE: &[&str] = &[
        "random",
        "random_normal",
        "clock_timestamp",
        "timeofday",
        "gen_random_uuid",
        "uuidv4",
        "uuidv7",
        "nextval",
        "uuid_generate_v1",
        "uuid_generate_v1mc",
        "uuid_generate_v4",
    ];
    for (step, table, action) in facts.actions() {
        let Action::AddColumn { column, .. } = action else { continue };
        let default = column.default.as_deref().unwrap_or_default().to_lowercase();
        let called = VOLATILE.iter().find(|name| {
            default.match_indices(**name).any(|(at, _)| {
                let before = default[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '\'')
                    && default[at + name.len()..].trim_start().starts_with('(')
            })
        });
        let what = match called {
            Some(name) => format!("a default of {name}()"),
            None if column.serial => "a sequence".to_owned(),
            None if column.identity => "an identity".to_owned(),
            None => continue,
        };
        let because = format!(
            "{}.{} is added with {what}: the table is rewritten while no query can use it",
            table.plain(),
            column.name
        );
        let instead = format!(
            "ALTER TABLE {table} ADD COLUMN {0} {1}; then ALTER COLUMN {0} SET DEFAULT …; and fill the old rows in batches.",
            quote_ident(&column.name),
            column.type_name
        );
        report.findings.push(finding(rule, step, because, instead));
    }
}

pub(in crate::detect) fn stored_generated(rule: &Rule, facts: &MigrationFacts<'_>, report: &mut Report) {
    for (step, table, action) in facts.actions() {
        let Action::AddColumn { column, .. } = action else { continue };
        if !column.stored {
            continue;
        }
        let because = format!(
            "{}.{} is generated and STORED: the table is rewritten while no query can use it",
            table.plain(),
            column.name
        );
        let instead = "Add a plain column, set it by a trigger, and fill the old rows in batches; or index the expression; or, from PostgreSQL 18 on, let it be VIRTUAL.".to_owned();
        report.findings.push(finding(rule, step, because, instead));
    }
}
