//! Rules about DDL that runs on a database in use: what it locks, and for how long.

pub(super) mod columns;
pub(super) mod constraints;
pub(super) mod indexes;
pub(super) mod locks;
mod types;

use std::{collections::BTreeMap, rc::Rc};

use crate::{
    catalog::{Catalog, Migration, Step, Table},
    finding::{Confidence, Finding},
    names::RelName,
    rules::Rule,
    sql::ddl::{Action, Ddl},
};

/// One migration with what is known of the tables that it changes.
#[derive(Clone, Copy, Debug)]
pub struct MigrationFacts<'a> {
    pub migration: &'a Migration,
    /// The connected server's, for sizes.
    pub server: Option<&'a Catalog>,
}

/// Smaller tables are read or rewritten in a blink.
const SMALL_ROWS: f64 = 10_000.0;

/// What the file made before a step.
struct Made {
    /// Tables and views, by the number of the first step that makes them.
    steps: Rc<BTreeMap<RelName, usize>>,
    before: usize,
}

impl Made {
    fn contains(&self, name: &RelName) -> bool {
        self.steps.get(&name.or_public()).is_some_and(|step| *step < self.before)
    }
}

impl<'a> MigrationFacts<'a> {
    /// Each statement with what the file made before it.
    fn steps(&self) -> impl Iterator<Item = (&'a Step, Made)> {
        let mut made: BTreeMap<RelName, usize> = BTreeMap::new();
        for (number, step) in self.migration.steps.iter().enumerate() {
            match &step.ddl {
                Ddl::CreateTable(create) => {
                    made.entry(create.name.or_public()).or_insert(number);
                }
                Ddl::CreateView { name, .. } | Ddl::UnreadTable(name) => {
                    made.entry(name.or_public()).or_insert(number);
                }
                Ddl::AlterTable(alter) if made.contains_key(&alter.name.or_public()) => {
                    for action in &alter.actions {
                        if let Action::Rename(to) = action {
                            let to = RelName::new(alter.name.schema.as_deref(), to);
                            made.entry(to.or_public()).or_insert(number);
                        }
                    }
                }
                _ => {}
            }
        }
        let made = Rc::new(made);
        let steps = self.migration.steps.iter().enumerate();
        steps.map(move |(before, step)| (step, Made { steps: Rc::clone(&made), before }))
    }

    /// What was known of a table before the file.
    fn table(&self, name: &RelName) -> Option<&'a Table> {
        self.server
            .and_then(|catalog| catalog.table(name))
            .or_else(|| self.migration.before.table(&name.or_public()))
    }

    /// Whether nobody can be waiting for a table: this file made it, or it is known to be small.
    fn idle(&self, name: &RelName, made: &Made) -> bool {
        made.contains(name)
            || self.table(name).and_then(|table| table.rows).is_some_and(|rows| rows < SMALL_ROWS)
    }

    /// Every action of ALTER TABLE on a table that is in use.
    fn actions(&self) -> Vec<(&'a Step, &'a RelName, &'a Action)> {
        let mut list = Vec::new();
        for (step, made) in self.steps() {
            if let Ddl::AlterTable(alter) = &step.ddl
                && !self.idle(&alter.name, &made)
            {
                list.extend(alter.actions.iter().map(|action| (step, &alter.name, action)));
            }
        }
        list
    }
}

fn finding(rule: &Rule, step: &Step, because: String, instead: String) -> Finding {
    Finding {
        at: Some(step.at.clone()),
        because,
        instead,
        ..super::blank(rule, rule.confidence.unwrap_or(Confidence::Shape))
    }
}
