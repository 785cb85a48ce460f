//! Queries, catalog and planner → the indexes worth having.
//!
//! Wires the steps of index advice once: with a planner to ask, and without.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    Advice, Proof,
    access::{self, Access, Values},
    candidates::{Candidate, Candidates, Shares},
    costs::{Costs, Set},
    existing, foreign_keys,
    rent::{Terms, Writes},
    search::{self, Budget, Point, Selected, Work},
    tell::{self, Case},
};
use crate::{
    catalog::{Catalog, IndexSpec, KeyExpr, TableKind},
    error::NotJudged,
    names::RelName,
    plan::{Plan, Probe, WhatIf},
    sql::{Shape, shape::Predicate},
    workload::Query,
};

/// A query that asks for advice.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    pub query: &'a Query,
    /// With its columns resolved.
    pub shape: &'a Shape,
    /// `None` when it cannot be planned.
    pub probe: Option<Probe>,
    /// The server's plan as things are.
    pub base: Option<&'a Plan>,
}

/// An index that was thought of and is not advised.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rejected {
    pub index: IndexSpec,
    pub why: String,
}

#[derive(Clone, Debug, Default)]
pub struct Advised {
    /// By time saved in the workload; a DROP INDEX follows the CREATE INDEX that makes it possible.
    pub advice: Vec<Advice>,
    /// By table and keys.
    pub rejected: Vec<Rejected>,
    /// Total size against gain, the smallest set first; empty where no planner was asked.
    pub frontier: Vec<Point>,
    /// Questions that the planner was asked.
    pub asked: usize,
    pub not_judged: NotJudged,
}

/// What a cost unit of the planner (a page read in sequence) takes, in milliseconds, where nothing was
/// measured: only the ranking hangs on it.
const MS_PER_COST: f64 = 0.01;

/// The indexes worth having for a workload.
///
/// Each query weighs as much as the workload spent on it; where nothing was measured, its calls times
/// its cost. Without an oracle nothing is proven, and the advice says why there is none.
pub fn indexes(
    asked: &[Asked<'_>],
    catalog: &Catalog,
    oracle: Result<&mut dyn WhatIf, &str>,
    budget: &Budget<'_>,
) -> Advised {
    let mut advised = Advised::default();
    // The most expensive first: what is decided by the first comer is decided by the one that matters.
    let mut asked: Vec<&Asked<'_>> = asked.iter().collect();
    asked.sort_by(|left, right| {
        weight(right).total_cmp(&weight(left)).then(left.query.id.cmp(&right.query.id))
    });

    let accesses: Vec<Vec<Access<'_>>> = asked
        .iter()
        .map(|asked| {
            let is_constant = |predicate: &Predicate| is_constant(asked, predicate);
            let binds = asked.probe.as_ref().map_or(&[][..], |probe| &probe.binds);
            let values = Values { is_constant: &is_constant, binds };
            access::accesses(asked.shape, catalog, &values, &mut advised.not_judged)
        })
        .collect();
    let each =
        || accesses.iter().enumerate().flat_map(|(query, list)| list.iter().map(move |one| (query, one)));
    let shares = Shares::of(each());
    let mut found = Candidates::default();
    for (query, access) in each() {
        found.propose(query, access, &shares);
    }
    let (candidates, rejected) = found.into_list();
    advised.rejected = rejected;

    let run = Run { asked: &asked, accesses: &accesses, candidates: &candidates, catalog };
    let mut cases = match oracle {
        Ok(oracle) => run.costed(oracle, budget, &mut advised),
        Err(why) => run.guessed(why, &mut advised),
    };
    run.add_foreign_keys(&mut cases);
    advised.advice = tell::advice(cases, &asked, catalog);
    advised.rejected.sort_by(|left, right| (&left.index, &left.why).cmp(&(&right.index, &right.why)));
    advised.rejected.dedup();
    advised
}

/// Milliseconds that the workload spent on it, or a stand-in.
pub(super) fn weight(asked: &Asked<'_>) -> f64 {
    if asked.query.timed > 0 {
        asked.query.total_ms()
    } else {
        asked.query.calls.max(1) as f64 * asked.base.map_or(1.0, |plan| plan.root.total_cost) * MS_PER_COST
    }
}

/// Each query's part of the workload. What was measured counts by its time; where nothing was, nobody knows how
/// often each query runs, and each call counts the same.
fn shares(asked: &[&Asked<'_>]) -> Vec<f64> {
    let timed = asked.iter().any(|asked| asked.query.timed > 0);
    let weights: Vec<f64> = asked
        .iter()
        .map(|asked| if timed { weight(asked) } else { asked.query.calls.max(1) as f64 })
        .collect();
    let total: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| if total > 0.0 { weight / total } else { 0.0 }).collect()
}

/// Names of the indexes that a plan takes.
fn indexes_of(plan: &Plan) -> BTreeSet<&str> {
    plan.nodes().into_iter().filter_map(|node| node.index.as_deref()).collect()
}

/// Whether all kept samples of a query have the same text in this condition.
fn is_constant(asked: &Asked<'_>, predicate: &Predicate) -> bool {
    let text = asked.probe.as_ref().and_then(|probe| probe.sql.get(predicate.at.clone()));
    text.is_some_and(|text| {
        let mut samples = asked.query.samples.iter().filter(|sample| sample.complete);
        !text.is_empty() && samples.all(|sample| sample.sql.contains(text))
    })
}

struct Run<'r, 'a> {
    asked: &'r [&'r Asked<'a>],
    accesses: &'r [Vec<Access<'r>>],
    candidates: &'r [Candidate],
    catalog: &'r Catalog,
}

impl Run<'_, '_> {
    /// With a planner to ask.
    fn costed(&self, oracle: &mut dyn WhatIf, budget: &Budget<'_>, advised: &mut Advised) -> Vec<Case> {
        let unsupported: BTreeMap<usize, String> = self
            .candidates
            .iter()
            .enumerate()
            .filter_map(|(id, candidate)| Some((id, oracle.supports(&candidate.spec).err()?)))
            .collect();
        let shares = shares(self.asked);
        let work: Vec<Work<'_>> = (0..self.asked.len())
            .map(|query| Work {
                probe: self.asked[query].probe.as_ref(),
                share: shares[query],
                relevant: self.relevant(query, &unsupported),
            })
            .collect();
        let plans = self.asked.iter().map(|asked| asked.base.map(indexes_of).unwrap_or_default()).collect();
        let mut costs = Costs::new(oracle, self.catalog, self.candidates.to_vec(), plans);
        let terms = self.terms();
        let selected = search::search(work, &mut costs, &terms, budget, &mut advised.not_judged);
        advised.asked = costs.asked();
        advised.frontier.clone_from(&selected.frontier);
        let sizes: BTreeMap<usize, Option<u64>> =
            selected.chosen.iter().map(|&id| (id, costs.size(id))).collect();
        let all = costs.into_candidates();
        let mut cases: Vec<Case> =
            sizes.iter().map(|(&id, &size)| Case::planned(&all[id], id, &selected, size)).collect();
        // What no planner could judge stays, if nothing chosen does its work.
        for (id, candidate) in self.candidates.iter().enumerate() {
            let queries: BTreeSet<usize> = candidate
                .asked_by
                .iter()
                .copied()
                .filter(|query| unsupported.contains_key(&id) || selected.unplanned.contains_key(query))
                .collect();
            let why = unsupported
                .get(&id)
                .or_else(|| queries.first().and_then(|query| selected.unplanned.get(query)));
            if let Some(why) = why
                && !selected.chosen.contains(&id)
                && !cases.iter().any(|case| existing::answers(&case.spec, candidate))
                && self.worth_a_guess(candidate, &queries)
            {
                cases.push(Case::unverified(candidate, queries, why));
            }
        }
        drop_prefixes(&mut cases);
        Self::keep_rejected(&all, &selected, &cases, advised);
        cases
    }

    /// Without a planner: the best guess for each access, longest first so that it does the work of others.
    fn guessed(&self, why: &str, advised: &mut Advised) -> Vec<Case> {
        let mut cases = Vec::new();
        for candidate in self.candidates {
            if self.worth_a_guess(candidate, &candidate.asked_by) {
                cases.push(Case::unverified(candidate, candidate.asked_by.clone(), why));
            }
        }
        drop_prefixes(&mut cases);
        Self::keep_rejected(self.candidates, &Selected::default(), &cases, advised);
        cases
    }

    fn keep_rejected(all: &[Candidate], selected: &Selected, cases: &[Case], advised: &mut Advised) {
        let advise: BTreeSet<&IndexSpec> = cases.iter().map(|case| &case.spec).collect();
        for (id, candidate) in all.iter().enumerate() {
            if !advise.contains(&candidate.spec) {
                let why =
                    selected.why_not.get(&id).map_or("nothing speaks for it without a plan", String::as_str);
                advised.rejected.push(Rejected { index: candidate.spec.clone(), why: why.to_owned() });
            }
        }
    }

    /// A guess is kept when it is the best one of its access, its condition is known to leave few rows
    /// or not known at all, and no plan shows that the table is found by an index already.
    fn worth_a_guess(&self, candidate: &Candidate, queries: &BTreeSet<usize>) -> bool {
        /// More than a tenth of the rows is seldom quicker by an index.
        const SELECTIVE: f64 = 0.1;
        /// Milliseconds a call, about what the cost floor of a planned query takes: a quicker query may well
        /// have its index, and without a plan nobody knows.
        const SLOW: f64 = 1.0;
        /// The scan that it would save must be this much of the query's cost.
        const MOST_OF_IT: f64 = 0.3;
        let narrow = candidate.free < candidate.spec.keys.len()
            || candidate.selectivity.is_none_or(|left| left <= SELECTIVE);
        candidate.preferred
            && narrow
            && queries.iter().any(|&query| match self.asked[query].base {
                None => self.asked[query].query.mean_ms().is_none_or(|mean| mean >= SLOW),
                Some(plan) => {
                    let cost = plan.root.total_cost;
                    cost >= search::FLOOR
                        && plan.nodes().iter().any(|node| {
                            node.node_type == "Seq Scan"
                                && node.total_cost >= cost * MOST_OF_IT
                                && node.relation.as_ref().is_some_and(|scanned| {
                                    scanned.name == candidate.spec.table.name || self.is_partition(scanned)
                                })
                        })
                }
            })
    }

    fn is_partition(&self, name: &RelName) -> bool {
        self.catalog.table(name).is_some_and(|table| table.kind == TableKind::Partition)
    }

    /// Candidates on a table that the query reads, led by a column that it narrows, joins or sorts by.
    fn relevant(&self, query: usize, unsupported: &BTreeMap<usize, String>) -> Set {
        let leads: BTreeSet<(&RelName, &KeyExpr)> = self.accesses[query]
            .iter()
            .flat_map(|access| access.leads().map(|expr| (&access.table.name, expr)))
            .collect();
        self.candidates
            .iter()
            .enumerate()
            .filter(|(id, candidate)| {
                !unsupported.contains_key(id)
                    && candidate
                        .spec
                        .keys
                        .first()
                        .is_some_and(|key| leads.contains(&(&candidate.spec.table, &key.expr)))
            })
            .map(|(id, _)| id)
            .collect()
    }

    /// What indexes cost in this workload.
    fn terms(&self) -> Terms<'_> {
        let timed = self.asked.iter().any(|asked| asked.query.timed > 0);
        let mut writes: BTreeMap<RelName, Writes> = BTreeMap::new();
        for asked in self.asked {
            if let Some(target) = &asked.shape.target
                && let Some(table) = self.catalog.table(&target.table)
            {
                writes.entry(table.name.clone()).or_default().add(
                    asked.shape.kind,
                    asked.query.calls,
                    target.rows.unwrap_or(1) as u64,
                    &target.columns,
                );
            }
        }
        let read: BTreeMap<&RelName, f64> = self
            .accesses
            .iter()
            .flatten()
            .map(|access| (&access.table.name, access.table.bytes.unwrap_or_default() as f64))
            .collect();
        Terms {
            catalog: self.catalog,
            room: read.values().sum(),
            total_ms: timed.then(|| self.asked.iter().map(|asked| weight(asked)).sum()),
            writes,
        }
    }

    /// Deletes from a table that others reference look for the referencing rows.
    fn add_foreign_keys(&self, cases: &mut Vec<Case>) {
        for (query, asked) in self.asked.iter().enumerate() {
            for candidate in foreign_keys::looked_up(query, asked.shape, self.catalog) {
                if !cases.iter().any(|case| existing::answers(&case.spec, &candidate)) {
                    cases.push(Case::unverified(&candidate, candidate.asked_by.clone(), foreign_keys::WHY));
                } else if let Some(case) = cases
                    .iter_mut()
                    .find(|case| case.proof == Proof::Unverified && case.spec == candidate.spec)
                {
                    case.serves.insert(query);
                }
            }
        }
    }
}

/// A guess that another index begins with is no index of its own; what it serves, the other does.
fn drop_prefixes(cases: &mut Vec<Case>) {
    let mut at = 0;
    while at < cases.len() {
        let longer = (0..cases.len()).find(|&other| {
            other != at
                && cases[at].proof == Proof::Unverified
                && existing::is_prefix(&cases[at].spec, &cases[other].spec)
        });
        match longer {
            Some(longer) => {
                let served = std::mem::take(&mut cases[at].serves);
                if cases[longer].proof == Proof::Unverified {
                    cases[longer].serves.extend(served);
                }
                cases.remove(at);
            }
            None => at += 1,
        }
    }
}
