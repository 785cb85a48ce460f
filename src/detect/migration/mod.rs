//! Rules about DDL that runs on a database in use: what it locks, and for how long.

pub(super) mod columns;
pub(super) mod constraints;
pub(super) mod indexes;
pub(super) mod locks;

use std::collections::BTreeSet;

use crate::{
    catalog::{Catalog, Script, Step, Table},
    finding::{Confidence, Finding},
    names::RelName,
    rules::Rule,
    sql::change::{Action, Change},
};

/// One migration with what is known of the tables that it changes.
#[derive(Clone, Copy, Debug)]
pub struct MigrationFacts<'a> {
    pub script: &'a Script,
    /// The connected server's, for sizes.
    pub server: Option<&'a Catalog>,
}

/// Smaller tables are read or rewritten in a blink.
const SMALL_ROWS: f64 = 10_000.0;

impl<'a> MigrationFacts<'a> {
    /// Each statement with the names that the file made before it.
    fn steps(&self) -> impl Iterator<Item = (&'a Step, BTreeSet<RelName>)> {
        let mut made = BTreeSet::new();
        self.script.steps.iter().map(move |step| {
            let before = made.clone();
            match &step.change {
                Change::CreateTable { table, .. } | Change::CreateView { view: table } => {
                    made.insert(qualified(table));
                }
                Change::AlterTable { table, actions } if made.contains(&qualified(table)) => {
                    for action in actions {
                        if let Action::RenameTable { to } = action {
                            made.insert(qualified(&RelName::new(table.schema.as_deref(), to)));
                        }
                    }
                }
                _ => {}
            }
            (step, before)
        })
    }

    /// What was known of a table before the file.
    fn table(&self, name: &RelName) -> Option<&'a Table> {
        self.server
            .and_then(|catalog| catalog.table(name))
            .or_else(|| self.script.before.table(&qualified(name)))
    }

    /// Whether nobody can be waiting for a table: this file made it, or it is known to be small.
    fn idle(&self, name: &RelName, made: &BTreeSet<RelName>) -> bool {
        made.contains(&qualified(name))
            || self.table(name).and_then(|table| table.rows).is_some_and(|rows| rows < SMALL_ROWS)
    }

    /// Every action of ALTER TABLE on a table that is in use.
    fn actions(&self) -> Vec<(&'a Step, &'a RelName, &'a Action)> {
        let mut list = Vec::new();
        for (step, made) in self.steps() {
            if let Change::AlterTable { table, actions } = &step.change
                && !self.idle(table, &made)
            {
                list.extend(actions.iter().map(|action| (step, table, action)));
            }
        }
        list
    }
}

fn qualified(name: &RelName) -> RelName {
    RelName::new(Some(name.schema.as_deref().unwrap_or("public")), &name.name)
}

fn finding(rule: &Rule, step: &Step, because: String, instead: String) -> Finding {
    Finding {
        rule: rule.name.clone(),
        code: rule.code,
        severity: rule.severity,
        confidence: rule.confidence.unwrap_or(Confidence::Shape),
        query: None,
        at: Some(step.at.clone()),
        because,
        instead,
        cost_ms: 0.0,
        detail: serde_json::Map::new(),
    }
}
