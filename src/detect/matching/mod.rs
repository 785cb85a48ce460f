//! Rules with `match:`: their conditions over a query's shape, its tables and its plan.
//!
//! A condition holds, does not hold, or is not known (the schema or a measurement is missing); a rule finds
//! something only where all is known to hold, and what is not known is counted. A statement gives one
//! finding a rule, from the first block that matches. Blocks that read system tables are left alone.

mod block;
mod facts;
mod join;
mod node;
mod predicate;
mod truth;

use self::truth::{Filled, Truth};
use super::{Facts, Report, known, reads_system, words};
use crate::{
    finding::Confidence,
    rules::{
        Rule,
        matching::{Match, Part, Placeholder, Template},
    },
    sql::{
        Shape,
        shape::{BlockId, TableSource},
    },
};

/// What conditions are asked of.
#[derive(Clone, Copy)]
struct Case<'a> {
    rule: &'a Rule,
    facts: &'a Facts<'a>,
    /// The shape, and the block in it.
    block: Option<(&'a Shape, BlockId)>,
}

pub(super) fn detect(rule: &Rule, facts: &Facts<'_>, report: &mut Report) {
    let Some(matching) = &rule.matching else { return };
    let blocks: Vec<Option<(&Shape, BlockId)>> = match facts.shape {
        Some(shape) => (0..shape.blocks.len())
            .filter(|&id| !reads_system(&shape.blocks[id]))
            .map(|id| Some((shape, id)))
            .collect(),
        None => vec![None],
    };
    let mut unknown = false;
    for block in blocks {
        let case = Case { rule, facts, block };
        match case.holds(matching) {
            Truth::Yes(filled) => {
                let because = rule.because.as_ref().map(|because| case.words(because, &filled));
                let instead = rule.instead.parse::<Template>();
                let instead =
                    instead.map_or_else(|_| rule.instead.clone(), |instead| case.words(&instead, &filled));
                let confidence = match facts.plan.filter(|_| asks_plan(matching)) {
                    Some(plan) => plan.confidence(),
                    None => Confidence::Shape,
                };
                let confidence = rule.confidence.map_or(confidence, |best| best.min(confidence));
                let mut finding = facts.finding(rule, confidence, because.unwrap_or_default(), instead);
                let inner = block.filter(|(_, id)| *id > 0).and_then(|(shape, id)| shape.blocks.get(id));
                finding.span = filled.at.or_else(|| inner.and_then(|inner| known(&inner.at)));
                report.findings.push(finding);
                return;
            }
            Truth::Unknown => unknown = true,
            Truth::No => {}
        }
    }
    if unknown {
        report.not_judged.add(&rule.name, "a table, column or measurement that it asks about is not known");
    }
}

fn asks_plan(matching: &Match) -> bool {
    let inner = matching.all.iter().chain(&matching.any).flatten();
    matching.node.is_some() || inner.chain(matching.not.as_deref()).any(asks_plan)
}

impl Case<'_> {
    fn param(&self, name: &str) -> f64 {
        // The loader knows that it is there.
        self.rule.params.get(name).map_or(f64::NAN, |param| param.default)
    }

    fn words(&self, template: &Template, filled: &Filled) -> String {
        let word = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Param(name) => words::count(self.param(name)),
            Part::Fill(place) => filled.words.get(place).cloned().unwrap_or_else(|| self.usual(*place)),
        };
        template.parts.iter().map(word).collect()
    }

    /// What a placeholder says that no condition filled.
    fn usual(&self, place: Placeholder) -> String {
        let tables = self.block.map(|(shape, id)| names(shape, id)).unwrap_or_default();
        match place {
            Placeholder::Table | Placeholder::Tables if !tables.is_empty() => words::list(&tables),
            _ => format!("the {}", place.name()),
        }
    }
}

/// What FROM lists and what is written to, each once, as a person calls it.
fn names(shape: &Shape, id: BlockId) -> Vec<String> {
    let block = &shape.blocks[id];
    let target = shape.target.iter().filter(|_| id == 0).map(|target| target.table.plain());
    let listed = block.tables.iter().filter_map(|table| match &table.source {
        TableSource::Table(name) => Some(name.plain()),
        TableSource::Cte { name, .. } => Some(name.clone()),
        _ => table.alias.clone(),
    });
    let mut names: Vec<String> = Vec::new();
    for name in target.chain(listed) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
